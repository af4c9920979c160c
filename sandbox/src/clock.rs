//! The one place where the sandbox reads the clock.

use jiff::Timestamp;

/// The present moment.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox plays servers far away, which have clocks of their own; every reader takes the time from here"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
