//! The clock. Everything else takes the time as an argument.

use jiff::Timestamp;

/// Now, to the millisecond, which is what the ledger keeps.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
