//! The one place where the sandbox starts work that nobody awaits.

use std::future::Future;

/// Runs `work` beside everything else, until it ends or the runtime does.
#[expect(
    clippy::disallowed_methods,
    reason = "the ban protects Lambda, which freezes after the answer; the sandbox is a server on a laptop"
)]
pub(crate) fn background<Work>(work: Work)
where
    Work: Future + Send + 'static,
    Work::Output: Send + 'static,
{
    drop(tokio::spawn(work));
}
