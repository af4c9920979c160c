//! Everything the commands print. Nothing else in xtask writes to the terminal.
//!
//! Lines go through `writeln!`, not `println!`: a reader that has gone away is no reason to panic.

use anyhow::Result;
use std::fmt::Display;
use std::future::Future;
use std::io::Write;
use std::time::{Duration, Instant};

/// A step that takes longer than this says that it is still at work, and again after each such while.
const PATIENCE: Duration = Duration::from_secs(20);

/// One line for the person in front of the terminal.
pub(crate) fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        // Nobody reads any more, and there is nobody to tell.
    }
}

/// Why the command failed, each cause on a line of its own.
pub(crate) fn failure(error: &anyhow::Error) {
    line("");
    line(format!("failed: {error}"));
    for cause in error.chain().skip(1) {
        line(format!("   because: {cause}"));
    }
}

/// Does a piece of work under a name; its line tells how long it took and what came of it.
pub(crate) async fn step<T>(
    name: &str,
    work: impl Future<Output = Result<(T, String)>>,
) -> Result<T> {
    let begun = Instant::now();
    let mut work = std::pin::pin!(work);
    let outcome = loop {
        match tokio::time::timeout(PATIENCE, work.as_mut()).await {
            Ok(outcome) => break outcome,
            Err(_elapsed) => report("...", begun, name, "still at it"),
        }
    };
    match outcome {
        Ok((value, note)) => {
            report("ok", begun, name, &note);
            Ok(value)
        }
        Err(error) => {
            report("FAIL", begun, name, "");
            Err(error)
        }
    }
}

fn report(verdict: &str, begun: Instant, name: &str, note: &str) {
    let seconds = begun.elapsed().as_secs_f32();
    line(format!("{verdict:<4} {seconds:>6.1} s  {name:<12} {note}").trim_end());
}
