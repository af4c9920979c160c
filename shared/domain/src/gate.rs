//! A destination's gate: whether it may be called now. It is shut by a circuit breaker, which every
//! instance shares, or by a person; and it opens a call at a time, as the vendor's limit allows.

use crate::fault::{Fault, Remedy, Seen};
use jiff::{SignedDuration, Timestamp};

/// What the ledger says of a destination's gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// The circuit breaker.
    pub breaker: Breaker,
    /// When it last closed: what failed before that counts no more.
    pub closed_at: Option<Timestamp>,
    /// A person's hand on it.
    pub paused: Option<Pause>,
}

/// The circuit breaker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Breaker {
    /// Calls are made.
    #[default]
    Closed,
    /// No call is made before `until`; after it a few probes are, one of which decides.
    Open(Trip),
}

/// Why and since when a breaker is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// What opened it.
    pub cause: Cause,
    /// A sentence for a person: what was seen, and which setting to mend.
    pub detail: String,
    /// Since when no call has worked.
    pub since: Timestamp,
    /// When the next probes may be made.
    pub until: Timestamp,
    /// How often it was opened in a row, this time included.
    pub count: u32,
}

/// What opens a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Too many calls failed.
    Outage,
    /// A key or a setting is wrong: a person must mend it.
    Setup,
}

/// A destination that a person has paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// Whether calls may be made at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage<'a> {
    /// They may.
    Open,
    /// A few may, to try.
    Probe(&'a Trip),
    /// None before then.
    Shut(&'a Trip),
    /// None until a person resumes the destination.
    Paused(&'a Pause),
}

impl Gate {
    /// Whether calls may be made now. A person's word comes first.
    #[must_use]
    pub fn passage(&self, now: Timestamp) -> Passage<'_> {
        match (&self.paused, &self.breaker) {
            (Some(pause), Breaker::Closed | Breaker::Open(_)) => Passage::Paused(pause),
            (None, Breaker::Closed) => Passage::Open,
            (None, Breaker::Open(trip)) if trip.until <= now => Passage::Probe(trip),
            (None, Breaker::Open(trip)) => Passage::Shut(trip),
        }
    }
}

impl Passage<'_> {
    /// The state's word, as operators know it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "closed",
            Self::Probe(_) => "half_open",
            Self::Shut(_) => "open",
            Self::Paused(_) => "paused",
        }
    }
}

impl Cause {
    /// The word in the ledger and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Setup => "setup",
        }
    }

    /// Finds a cause by its word.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Outage, Self::Setup].into_iter().find(|cause| cause.name() == name)
    }
}

/// Calls that were counted in ten seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls made.
    pub made: u32,
    /// Those that failed.
    pub failed: u32,
}

/// What a call's end says of its vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It is well: it took the record, or refused this one, or asked for fewer calls.
    Well,
    /// It failed.
    Failed,
    /// It is well, and what we have set up for it is not.
    Setup,
}

impl Health {
    /// Reads it off a call's end.
    #[must_use]
    pub fn of<T>(result: &Result<T, Fault>) -> Self {
        match result {
            Ok(_) => Self::Well,
            Err(Fault { remedy: Remedy::Setup, .. }) => Self::Setup,
            Err(Fault { remedy: Remedy::Reject, .. }) => Self::Well,
            Err(Fault { remedy: Remedy::Retry { .. }, seen: Seen { status: Some(429), .. } }) => {
                Self::Well
            }
            Err(Fault { remedy: Remedy::Retry { .. }, .. }) => Self::Failed,
        }
    }
}

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Of a hundred calls, how many must fail (`BREAKER_FAILURE_PERCENT`).
    pub failure_percent: u32,
    /// How many of the last calls are looked at; with fewer nothing is decided
    /// (`BREAKER_MINIMUM_CALLS`).
    pub minimum_calls: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { failure_percent: 50, minimum_calls: 20 }
    }
}

impl BreakerPolicy {
    /// How far back calls are looked at: of a quiet vendor, older failures say nothing about now.
    pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);
    /// How long calls are counted together.
    pub const BUCKET: SignedDuration = SignedDuration::from_secs(10);
    /// How long a breaker stays open at first; doubled with each failed probe.
    pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
    /// The longest time between probes; and the time between probes of a setting.
    pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
    /// How many probes there are at once.
    pub const PROBES: u32 = 3;
    /// How long a round of probes may take before another one begins: as long as a worker's lease.
    pub const PROBE_LIFE: SignedDuration = SignedDuration::from_secs(60);

    /// Whether so many of the last calls failed that the breaker opens. `newest_first` are the
    /// buckets since it last closed, at most [`Self::WINDOW`] old.
    #[must_use]
    pub fn opens(&self, newest_first: impl IntoIterator<Item = Calls>) -> bool {
        let mut last = Calls::default();
        for bucket in newest_first {
            if last.made >= self.minimum_calls {
                break;
            }
            last.made = last.made.saturating_add(bucket.made);
            last.failed = last.failed.saturating_add(bucket.failed);
        }
        last.made >= self.minimum_calls
            && u64::from(last.failed) * 100
                >= u64::from(last.made) * u64::from(self.failure_percent)
    }

    /// How long a breaker stays open that was opened for the `count`th time in a row.
    #[must_use]
    pub fn wait(cause: Cause, count: u32) -> SignedDuration {
        match cause {
            Cause::Setup => Self::LONGEST_WAIT,
            Cause::Outage => {
                let doublings = 1_i32.checked_shl(count.saturating_sub(1)).unwrap_or(i32::MAX);
                Self::FIRST_WAIT.saturating_mul(doublings.max(1)).min(Self::LONGEST_WAIT)
            }
        }
    }

    /// The bucket that a moment falls into: ten-second periods since 1970.
    #[must_use]
    pub fn bucket(at: Timestamp) -> i64 {
        at.as_second().div_euclid(Self::BUCKET.as_secs())
    }
}

/// How many calls a minute a vendor takes, as a schedule that all instances share: each call has
/// its slot, and slots are a fixed time apart.
///
/// A pause of ten seconds may be made up for at once, so that in no sixty seconds there are more
/// calls than the limit: seventy seconds' worth of slots are as many as it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// From one slot to the next.
    pub interval: SignedDuration,
}

impl Budget {
    /// How much of an idle time may be made up for at once.
    pub const BURST: SignedDuration = SignedDuration::from_secs(10);
    /// How long a slot is good for: a message takes a moment to arrive, and a slot that was missed
    /// while nobody worked must not be used together with a thousand others.
    pub const SLOT_LIFE: SignedDuration = SignedDuration::from_secs(30);

    /// The budget of a vendor that takes so many calls a minute; `None` for 0, no limit.
    #[must_use]
    pub fn per_minute(calls: u32) -> Option<Self> {
        let calls = i64::from(calls);
        (calls > 0)
            .then(|| Self { interval: SignedDuration::from_millis((70_000 + calls - 1) / calls) })
    }
}

#[cfg(test)]
mod tests;
