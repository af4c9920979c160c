//! The operator's command, run as people run it: the binary, its arguments, what it prints.

mod again;
mod command;
mod dead;
mod setup;
mod story;
mod vendors;

use crate::stack::Stack;
use ledger::Timeline;
use serde_json::json;

/// The sweeper's next minute, now.
async fn sweep(stack: &Stack) {
    let swept = stack.invoke("sweeper", &json!({})).await;
    assert!(!swept.failed, "{swept:?}");
}

/// The words of what was done to a journey by hand, in order of time.
fn done_by_hand(timeline: &Timeline) -> Vec<&str> {
    timeline.audits.iter().map(|audit| audit.what.as_str()).collect()
}
