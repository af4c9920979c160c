//! `down`: stops what `up` started, and whatever a killed `up` left behind.

use crate::daemon::{ask_to_stop, end, end_leftovers};
use crate::lock::{Keeper, keeper};
use crate::place::Place;
use crate::say;
use crate::stack::Stack;
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// How long a stack may take to stop before it is made to.
const GRACE: Duration = Duration::from_secs(20);

/// Stops the stack of a folder. That none runs is no failure.
pub(crate) async fn run(place: &Place) -> Result<()> {
    let stopped = match keeper(place)? {
        None => false,
        Some(None) => bail!("an `up` is starting at this moment; try again"),
        Some(Some(other)) => {
            say::step("stop", stop(place, &other)).await?;
            true
        }
    };
    let ended = end_leftovers(place)?;
    Stack::forget(place)?;
    match (stopped, ended) {
        (false, 0) => say::line("nothing is running"),
        (_, 0) => say::line("nothing is left running"),
        (_, ended) => say::line(format!("ended {ended} programs that were left running")),
    }
    Ok(())
}

async fn stop(place: &Place, other: &Keeper) -> Result<((), String)> {
    ask_to_stop(other.pid);
    let begun = Instant::now();
    while keeper(place)?.is_some() {
        if begun.elapsed() > GRACE {
            end(other.pid);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(((), format!("process {}", other.pid)))
}
