//! The vendors on a laptop: our own sandbox, or somebody's recorder under one address.

use crate::daemon::{Daemon, start, until};
use crate::place::Place;
use anyhow::Result;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

/// The line it prints when it answers.
#[derive(Deserialize)]
struct Ready {
    url: String,
}

/// Starts the sandbox and waits for its line.
pub(crate) async fn run(
    place: &Place,
    program: &Path,
    webhook_secret: &str,
) -> Result<((Daemon, String), String)> {
    let mut sandbox = Command::new(program);
    sandbox.args(["--port", "0"]).env("SANDBOX_WEBHOOK_SECRET", webhook_secret);
    let mut daemon = start(place, "sandbox", &mut sandbox)?;
    let url = until(&mut daemon, Duration::from_secs(10), async |daemon: &Daemon| {
        let said = daemon.output();
        let ready: Ready = serde_json::from_str(said.lines().next()?).ok()?;
        Some(ready.url)
    })
    .await?;
    let url = url.trim_end_matches('/').to_owned();
    Ok(((daemon, url.clone()), url))
}
