//! The world's clock: it stands still while code runs, and jumps to whatever happens next. Each
//! function may be given a clock that is wrong by so much.

use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;

/// When every history begins: 2026-01-05 10:00:00 UTC.
pub(crate) const BEGINNING: i64 = 1_767_607_200_000;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(BEGINNING) };
    static SKEW: Cell<i64> = const { Cell::new(0) };
}

/// The time as the function that runs at this moment reads it.
#[must_use]
pub(crate) fn read() -> Timestamp {
    moment(NOW.get() + SKEW.get())
}

/// The true time, in milliseconds.
pub(crate) fn now() -> i64 {
    NOW.get()
}

/// Begins anew.
pub(crate) fn reset() {
    NOW.set(BEGINNING);
    SKEW.set(0);
}

/// Goes on to a moment; never back.
pub(crate) fn go_to(millis: i64) {
    NOW.set(NOW.get().max(millis));
}

/// Lets time pass.
pub(crate) fn pass(duration: SignedDuration) {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    NOW.set(NOW.get().saturating_add(millis));
}

/// Says by how much the clock of whoever runs next is wrong.
pub(crate) fn wrong_by(millis: i64) {
    SKEW.set(millis);
}

pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}
