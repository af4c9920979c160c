//! When a call is made again, and when no more: three attempts at most, and never beyond the budget.

use domain::fault::{Fault, Remedy};
use outbound::Answer;
use std::time::{Duration, Instant};

/// The first attempt and two more.
const MOST_ATTEMPTS: u32 = 3;

/// The time that all calls of one request may take together.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    until: Instant,
    /// The longest that one attempt takes: what is left must hold it.
    attempt: Duration,
}

impl Budget {
    /// A budget that begins now. No attempt begins that could end beyond it, so `attempt` must be
    /// the limit of the calls' own door.
    #[must_use]
    pub fn starting_now(total: Duration, attempt: Duration) -> Self {
        Self { until: Instant::now() + total, attempt }
    }

    /// Whether an attempt that begins after a wait still ends in time.
    pub(super) fn holds(&self, wait: Duration) -> bool {
        Instant::now() + wait + self.attempt <= self.until
    }
}

/// How long is waited before the second attempt; doubled before the third.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) first: Duration,
}

impl Default for Pace {
    /// As Stripe's own SDKs wait.
    fn default() -> Self {
        Self { first: Duration::from_millis(500) }
    }
}

/// What follows an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Its result stands.
    Stop,
    /// The same call again, after a wait.
    Again(Duration),
}

impl Pace {
    /// Says what follows an attempt.
    pub(super) fn next(
        self,
        result: &Result<Answer, Fault>,
        attempt: u32,
        budget: &Budget,
    ) -> Next {
        let asked = result.as_ref().ok().and_then(Answer::retry_after).unwrap_or_default();
        let wait = self.jittered(attempt).max(asked);
        if attempt < MOST_ATTEMPTS && is_worth_repeating(result) && budget.holds(wait) {
            Next::Again(wait)
        } else {
            Next::Stop
        }
    }

    /// Half fixed, half random: many callers do not come back in step.
    fn jittered(self, attempt: u32) -> Duration {
        let full = self.first * 2_u32.saturating_pow(attempt.saturating_sub(1));
        let half = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
        Duration::from_millis(half + fastrand::u64(0..=half))
    }
}

fn is_worth_repeating(result: &Result<Answer, Fault>) -> bool {
    match result {
        Err(fault) => match fault.remedy {
            Remedy::Retry { .. } => true,
            Remedy::Setup | Remedy::Reject => false,
        },
        Ok(answer) if is_replayed(answer) => false,
        Ok(answer) => match answer.header("stripe-should-retry") {
            Some("true") => true,
            Some("false") => false,
            Some(_) | None => answer.status() == 409 || answer.status() >= 500,
        },
    }
}

/// Whether the answer is a stored one: the same call under the same key gives nothing else.
pub(super) fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}
