//! A delivery's life: its states, the reasons it may end with, and when it is tried again.

use crate::destination::{Destination, RetrySafety};
use crate::fact::Effect;
use crate::fault::{Fault, Remedy, Taken};
use crate::gate::BreakerPolicy;
use crate::id::EventId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which delivery: one destination's duty for one effect of one journey. Ids only; it travels in
/// queue messages, and it is all that they hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryId {
    /// The journey.
    pub event_id: EventId,
    /// The effect.
    pub effect: Effect,
    /// Whose duty it is.
    pub destination: Destination,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.effect, self.destination)
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// On its queue, or about to be.
    Queued,
    /// Held by a worker, until its lease is over.
    InFlight,
    /// An at-most-once call is being made: nobody may begin it again.
    Calling,
    /// To be tried again at `next_at`.
    Waiting,
    /// Done, and the vendor said so.
    Delivered,
    /// Done, at a vendor that says so to anything.
    AcceptedUnverifiable,
    /// Not done, on purpose.
    Skipped,
    /// Given up; on the dead-letter queue for a person.
    Dead,
}

impl State {
    /// The name in the ledger and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in_flight",
            Self::Calling => "calling",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::AcceptedUnverifiable => "accepted_unverifiable",
            Self::Skipped => "skipped",
            Self::Dead => "dead",
        }
    }

    /// Finds a state by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::Queued,
            Self::InFlight,
            Self::Calling,
            Self::Waiting,
            Self::Delivered,
            Self::AcceptedUnverifiable,
            Self::Skipped,
            Self::Dead,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }

    /// Whether a delivery in this state is over.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Delivered | Self::AcceptedUnverifiable | Self::Skipped | Self::Dead => true,
            Self::Queued | Self::InFlight | Self::Calling | Self::Waiting => false,
        }
    }
}

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$arm_doc:meta])* $arm:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$arm_doc])* $arm),+ }
        impl $name {
            /// The word in the ledger and in logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$arm => $text),+ }
            }
        }
    };
}

reasons! {
    /// Why a delivery was not made, on purpose.
    SkipReason {
        /// The person did not allow it.
        Consent = "consent",
        /// The destination has no key or setting.
        NotConfigured = "not_configured",
        /// This destination has no use for this effect.
        NotApplicable = "not_applicable",
        /// Another fact describes the same effect.
        Duplicate = "duplicate",
        /// Another shop on the same Stripe account.
        NotOurs = "not_ours",
        /// The person was erased.
        Erased = "erased",
    }
}

reasons! {
    /// What a delivery waits for.
    WaitReason {
        /// Another try after a fault.
        Retry = "retry",
        /// The destination's circuit breaker, or a setting that a person must mend.
        Breaker = "breaker",
        /// The vendor's rate limit.
        Budget = "budget",
        /// A person paused the destination.
        Paused = "paused",
    }
}

impl WaitReason {
    /// Waits that are over when the destination's gate says so, and have no time of their own.
    pub const AT_A_GATE: [Self; 2] = [Self::Breaker, Self::Paused];
}

reasons! {
    /// Why a delivery was given up.
    DeathReason {
        /// The vendor refuses this record.
        Rejected = "rejected",
        /// Too many attempts over too long.
        Exhausted = "exhausted",
        /// An at-most-once call whose outcome nobody knows.
        UnknownOutcome = "unknown_outcome",
        /// It keeps killing the worker.
        Poison = "poison",
    }
}

/// How a delivery ended, or why it has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor took it.
    Delivered,
    /// The vendor answered, as it does to anything.
    AcceptedUnverifiable,
    /// Not done, on purpose.
    Skipped(SkipReason),
    /// To be tried again.
    Waiting(WaitReason, Timestamp),
    /// Given up.
    Dead(DeathReason),
}

impl Outcome {
    /// The state a delivery with this outcome is in.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::Delivered => State::Delivered,
            Self::AcceptedUnverifiable => State::AcceptedUnverifiable,
            Self::Skipped(_) => State::Skipped,
            Self::Waiting(..) => State::Waiting,
            Self::Dead(_) => State::Dead,
        }
    }

    /// The reason's word; empty where none is needed.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Delivered | Self::AcceptedUnverifiable => "",
            Self::Skipped(reason) => reason.name(),
            Self::Waiting(reason, _) => reason.name(),
            Self::Dead(reason) => reason.name(),
        }
    }
}

/// When a failed delivery is tried again, and when it is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after which age decides (`DLQ_MAX_RETRIES`).
    pub max_retries: u32,
    /// What each wait is multiplied by for the next (`DLQ_BACKOFF_MULTIPLIER`), at least 1.
    pub multiplier: u32,
}

/// How a failed call is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Whether the call may be repeated blindly.
    pub safety: RetrySafety,
    /// Vendor calls made so far, this one included.
    pub count: u32,
    /// How long ago the delivery was created.
    pub age: SignedDuration,
    /// A random number of 0 to 1000: where in the second half of the wait the next attempt falls.
    pub jitter: u32,
    /// Now.
    pub now: Timestamp,
}

impl RetryPolicy {
    /// The first wait.
    pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(2);
    /// The longest wait, and the longest `Retry-After` that is honoured.
    pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
    /// How old a delivery must be before it is given up: a day's outage and a night's sleep.
    pub const SHORTEST_LIFE: SignedDuration = SignedDuration::from_hours(36);

    /// What becomes of a delivery after a fault.
    #[must_use]
    pub fn after(&self, fault: &Fault, attempt: Attempt) -> Outcome {
        match fault.remedy {
            Remedy::Reject => Outcome::Dead(DeathReason::Rejected),
            Remedy::Setup => Outcome::Waiting(
                WaitReason::Breaker,
                later(attempt.now, BreakerPolicy::LONGEST_WAIT),
            ),
            Remedy::Retry { taken: Taken::Unknown, .. }
                if attempt.safety == RetrySafety::AtMostOnce =>
            {
                Outcome::Dead(DeathReason::UnknownOutcome)
            }
            Remedy::Retry { .. }
                if attempt.count > self.max_retries && attempt.age > Self::SHORTEST_LIFE =>
            {
                Outcome::Dead(DeathReason::Exhausted)
            }
            Remedy::Retry { after, .. } => {
                let asked = after.map_or(SignedDuration::ZERO, |after| {
                    SignedDuration::try_from(after).unwrap_or(Self::LONGEST_WAIT)
                });
                let wait =
                    self.backoff(attempt.count, attempt.jitter).max(asked.min(Self::LONGEST_WAIT));
                Outcome::Waiting(WaitReason::Retry, later(attempt.now, wait))
            }
        }
    }

    /// The wait after so many attempts: exponential, half of it fixed and half random (equal jitter).
    #[must_use]
    pub fn backoff(&self, attempts: u32, jitter: u32) -> SignedDuration {
        let longest = Self::LONGEST_WAIT.as_millis();
        let growth = i128::from(self.multiplier.max(1)).saturating_pow(attempts.saturating_sub(1));
        let whole = Self::FIRST_WAIT.as_millis().saturating_mul(growth).min(longest);
        let wait = whole / 2 + whole * i128::from(jitter.min(1000)) / 2000;
        SignedDuration::from_millis(i64::try_from(wait).unwrap_or(i64::MAX))
    }
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
