//! A clock for tests: it stands still until a test lets time pass. Each test has its own, since each
//! runs on a thread of its own.

use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;

/// 2023-11-14 22:13:20 UTC.
const BEGINNING: i64 = 1_700_000_000;

thread_local! {
    static SINCE: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

/// The time, as code under test reads it.
///
/// # Panics
/// Where a test let more time pass than there is.
#[must_use]
pub fn now() -> Timestamp {
    let beginning = Timestamp::from_second(BEGINNING).expect("a second of this century");
    beginning.checked_add(SINCE.get()).expect("a time that there is")
}

/// Lets time pass; a negative one sets the clock back.
pub fn pass(duration: SignedDuration) {
    SINCE.set(SINCE.get() + duration);
}
