//! `up --detach`: this program again, without a terminal, for as long as the stack runs.

use crate::daemon::ask_to_stop;
use crate::lock::{self, Keeper};
use crate::place::{Place, program, shown};
use crate::say;
use crate::stack::Stack;
use crate::up::told_to_stop;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How often its log is read while it starts.
const PACE: Duration = Duration::from_millis(50);

/// Starts it, and passes on what it says until it is ready.
pub(crate) async fn start(place: &Place, keeper: &Keeper) -> Result<()> {
    if let Some(other) = lock::keeper(place)? {
        return explain(place, keeper, other);
    }
    Stack::forget(place)?;
    let log = place.log("up")?;
    let mut child = spawn(place, keeper, &log)?;
    let mut echo = Echo { log: &log, told: 0 };
    let outcome = tokio::select! {
        ready = until_ready(place, &mut child, &mut echo) => ready,
        stopped = told_to_stop() => stopped.and_then(|()| bail!("stopped before it was ready")),
    };
    if outcome.is_err()
        && let Some(pid) = child.id()
    {
        ask_to_stop(pid);
        child.wait().await?;
    }
    tokio::time::sleep(PACE).await;
    echo.tell_new();
    if outcome.is_ok() {
        say::line(format!("it runs in the background; its log is {}", shown(&log)));
    }
    outcome
}

fn spawn(place: &Place, keeper: &Keeper, log: &Path) -> Result<Child> {
    let output = File::create(log)?;
    let mut again = Command::new(program()?);
    again.arg("--folder").arg(place.folder()).arg("up").args(["--profile", &keeper.profile]);
    if let Some(url) = &keeper.vendors_url {
        again.args(["--vendors-url", url]);
    }
    if keeper.faults {
        again.arg("--faults");
    }
    again
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .context("cannot start in the background")
}

async fn until_ready(place: &Place, child: &mut Child, echo: &mut Echo<'_>) -> Result<()> {
    while Stack::read(place)?.is_none() {
        if let Some(status) = child.try_wait()? {
            bail!("the stack did not start ({status})");
        }
        echo.tell_new();
        tokio::time::sleep(PACE).await;
    }
    Ok(())
}

/// A log that is repeated on the terminal while it grows.
struct Echo<'a> {
    log: &'a Path,
    told: usize,
}

impl Echo<'_> {
    fn tell_new(&mut self) {
        let text = std::fs::read_to_string(self.log).unwrap_or_default();
        let complete = text.rfind('\n').map_or(0, |end| end + 1);
        text.get(self.told..complete).unwrap_or_default().lines().for_each(say::line);
        self.told = complete;
    }
}

/// What to say to somebody whose stack runs already.
pub(crate) fn explain(place: &Place, wanted: &Keeper, other: Option<Keeper>) -> Result<()> {
    let Some(other) = other else { bail!("another `up` is starting at this moment") };
    let pid = other.pid;
    if other.vendors_url != wanted.vendors_url {
        let vendors =
            other.vendors_url.map_or("the sandbox".into(), |url| format!("vendors at {url}"));
        bail!("a stack runs already (process {pid}), with {vendors}; `cargo xtask down` stops it");
    }
    if other.faults != wanted.faults {
        let how = if other.faults { "with" } else { "without" };
        bail!("a stack runs already (process {pid}), {how} --faults; `cargo xtask down` stops it");
    }
    match Stack::read(place)? {
        Some(stack) => say::line(format!(
            "it runs already (process {pid}); `cargo xtask down` stops it\n{}",
            stack.summary()
        )),
        None => bail!("process {pid} is starting it at this moment"),
    }
    Ok(())
}
