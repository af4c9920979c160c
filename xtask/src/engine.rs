//! The local AWS: MiniStack, on a port of its own, with IAM enforced.

use crate::aws::{KEY, REGION};
use crate::daemon::{Daemon, start, until};
use crate::http;
use crate::place::Place;
use crate::tools::Tool;
use anyhow::{Context, Result};
use std::net::TcpListener;
use std::time::Duration;
use tokio::process::Command;

/// A running local AWS.
pub(crate) struct Engine {
    /// The process.
    pub(crate) daemon: Daemon,
    /// Where its APIs answer.
    pub(crate) endpoint: String,
}

/// Starts it and waits until it answers. Functions look for AWS at `functions_see`, where that is set.
pub(crate) async fn run(place: &Place, functions_see: Option<&str>) -> Result<(Engine, String)> {
    let scratch = place.file("engine");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir_all(&scratch)?;
    let port = free_port()?;
    let endpoint = format!("http://127.0.0.1:{port}");

    // Whatever it finds in its environment it hands to the functions, so it finds next to nothing.
    let mut ministack = Command::new(Tool::Engine.program("ministack"));
    ministack
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", &scratch)
        .env("S3_DATA_DIR", scratch.join("s3"))
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", REGION)
        .env("AUTH", "true")
        .env("AWS_ENDPOINT_URL", functions_see.unwrap_or(&endpoint))
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", KEY);
    let mut daemon = start(place, "ministack", &mut ministack)?;

    // Somebody else may have taken the port in the meantime: it is ours when the engine has written
    // our process's number under that port into our own folder, and answers.
    let number = scratch.join(format!("ministack-{port}.pid"));
    let health = format!("{endpoint}/_ministack/health");
    until(&mut daemon, Duration::from_secs(30), async |daemon: &Daemon| {
        let ours = std::fs::read_to_string(&number).ok()?.trim() == daemon.pid().to_string();
        let answer = http::get_json(&health).await.ok()?;
        (ours && answer["auth"] == "enabled").then_some(())
    })
    .await?;
    Ok((Engine { daemon, endpoint: endpoint.clone() }, endpoint))
}

/// A port nobody listens on at this moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}
