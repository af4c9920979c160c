//! Which seconds a run looks at: all from an hour before the cursor, oldest first, in windows that
//! narrow where much happened and widen where nothing did. No second is left out.

use jiff::{SignedDuration, Timestamp};
use stripe::Window;

/// Stripe keeps events for 30 days (<https://docs.stripe.com/api/events>).
pub(crate) const HORIZON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How much of what is recorded is looked at again: an event can appear in Stripe's list some time
/// after the second that it carries.
pub(crate) const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// What is younger may still be on its way by webhook.
pub(crate) const MARGIN: SignedDuration = SignedDuration::from_mins(2);

/// The longest window: 30 days of silence are 120 calls.
const LONGEST: i64 = 6 * 3600;

/// The windows of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Windows {
    /// The first second that is not done.
    next: i64,
    /// The second after the last of the run.
    end: i64,
    /// How long the next window is, if so much is left.
    span: i64,
}

impl Windows {
    /// The windows of a run that finds the cursor there.
    pub(crate) fn of_run(cursor: Timestamp, now: Timestamp) -> Self {
        let now = now.as_second();
        let overlapping = cursor.as_second() - OVERLAP.as_secs();
        Self {
            next: overlapping.max(now - HORIZON.as_secs()),
            end: now - MARGIN.as_secs(),
            span: LONGEST,
        }
    }

    /// The window that is to be worked; `None` where all is done.
    pub(crate) fn current(&self) -> Option<Window> {
        let from = Timestamp::from_second(self.next).ok()?;
        let until = Timestamp::from_second(self.until()).ok()?;
        (from < until).then_some(Window { from, until })
    }

    fn until(&self) -> i64 {
        (self.next + self.span).min(self.end)
    }

    /// The current window is worked to its end: the next one begins there, and is longer after one
    /// that held little.
    pub(crate) fn done(&mut self, held_little: bool) {
        self.next = self.until().max(self.next);
        if held_little {
            self.span = (self.span * 2).min(LONGEST);
        }
    }

    /// The current window holds too much for one go: its first half comes first. Of a window of one
    /// second there is no half.
    pub(crate) fn narrow(&mut self) {
        self.span = ((self.until() - self.next) / 2).max(1);
    }
}

#[cfg(test)]
mod tests;
