//! The clock. Everything else takes the time as an argument.

use jiff::Timestamp;

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
