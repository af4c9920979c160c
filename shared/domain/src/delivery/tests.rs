//! When a delivery is tried again, and when it is given up.

use super::{Attempt, DeathReason, Outcome, RetryPolicy, SkipReason, State, WaitReason};
use crate::destination::RetrySafety;
use crate::fault::{Fault, Remedy, Seen, Taken};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

const POLICY: RetryPolicy = RetryPolicy { max_retries: 8, multiplier: 2 };

fn attempt(safety: RetrySafety, count: u32, hours: i64) -> Attempt {
    Attempt {
        safety,
        count,
        age: SignedDuration::from_hours(hours),
        jitter: 500,
        now: Timestamp::UNIX_EPOCH,
    }
}

fn fault(remedy: Remedy) -> Fault {
    Fault { remedy, seen: Seen::default() }
}

fn retry(after: Option<u64>, taken: Taken) -> Fault {
    fault(Remedy::Retry { after: after.map(Duration::from_secs), taken })
}

#[test]
fn waits_grow_to_an_hour_and_keep_half_of_themselves() {
    let seconds = |attempts, jitter| POLICY.backoff(attempts, jitter).as_secs();
    assert_eq!((seconds(1, 0), seconds(1, 1000)), (1, 2));
    assert_eq!((seconds(4, 0), seconds(4, 1000)), (8, 16));
    assert_eq!((seconds(500, 0), seconds(500, 1000)), (1800, 3600));
}

#[test]
fn death_needs_both_many_attempts_and_much_age() {
    let after = |count, hours| {
        POLICY.after(&retry(None, Taken::Unknown), attempt(RetrySafety::Safe, count, hours))
    };
    assert!(matches!(after(1000, 24), Outcome::Waiting(WaitReason::Retry, _)));
    assert!(matches!(after(2, 1000), Outcome::Waiting(WaitReason::Retry, _)));
    assert_eq!(after(9, 37), Outcome::Dead(DeathReason::Exhausted));
    assert!(matches!(after(8, 37), Outcome::Waiting(..)), "the eighth is still allowed");
    assert!(matches!(after(9, 36), Outcome::Waiting(..)), "and so is the thirty-sixth hour");
}

#[test]
fn an_at_most_once_call_is_repeated_only_when_it_surely_did_not_happen() {
    let once = attempt(RetrySafety::AtMostOnce, 1, 0);
    assert_eq!(
        POLICY.after(&retry(None, Taken::Unknown), once),
        Outcome::Dead(DeathReason::UnknownOutcome)
    );
    assert!(matches!(POLICY.after(&retry(None, Taken::No), once), Outcome::Waiting(..)));
}

#[test]
fn the_vendors_wish_to_wait_is_honoured_up_to_an_hour() {
    let wait = |after| {
        let outcome =
            POLICY.after(&retry(Some(after), Taken::No), attempt(RetrySafety::Safe, 1, 0));
        let Outcome::Waiting(WaitReason::Retry, at) = outcome else { panic!("{outcome:?}") };
        at.as_second()
    };
    assert_eq!(wait(30), 30);
    assert_eq!(wait(u64::MAX), 3600);
    assert_eq!(wait(0), 1, "never sooner than our own back-off");
}

#[test]
fn a_wrong_setting_waits_for_a_person_however_often() {
    let outcome = POLICY.after(&fault(Remedy::Setup), attempt(RetrySafety::Safe, 5000, 500));
    let in_five_minutes = Timestamp::from_second(300).unwrap();
    assert_eq!(outcome, Outcome::Waiting(WaitReason::Breaker, in_five_minutes));
    assert_eq!(
        POLICY.after(&fault(Remedy::Reject), attempt(RetrySafety::Safe, 1, 0)),
        Outcome::Dead(DeathReason::Rejected)
    );
}

#[test]
fn every_state_has_a_name_by_which_it_is_found_and_an_end_is_an_end() {
    let names = [
        ("queued", State::Queued, false),
        ("in_flight", State::InFlight, false),
        ("calling", State::Calling, false),
        ("waiting", State::Waiting, false),
        ("delivered", State::Delivered, true),
        ("accepted_unverifiable", State::AcceptedUnverifiable, true),
        ("skipped", State::Skipped, true),
        ("dead", State::Dead, true),
    ];
    for (name, state, over) in names {
        assert_eq!((state.name(), state.is_terminal()), (name, over));
        assert_eq!(State::named(name), Some(state));
    }
    assert_eq!(State::named("lost"), None);
}

#[test]
fn every_outcome_says_where_it_leaves_a_delivery_and_why() {
    let now = Timestamp::UNIX_EPOCH;
    let outcomes = [
        (Outcome::Delivered, State::Delivered, ""),
        (Outcome::AcceptedUnverifiable, State::AcceptedUnverifiable, ""),
        (Outcome::Skipped(SkipReason::Consent), State::Skipped, "consent"),
        (Outcome::Waiting(WaitReason::Budget, now), State::Waiting, "budget"),
        (Outcome::Dead(DeathReason::Poison), State::Dead, "poison"),
    ];
    for (outcome, state, reason) in outcomes {
        assert_eq!((outcome.state(), outcome.reason()), (state, reason));
    }
}

/// A delivery that is tried at a vendor which is back at a moment: the attempts it took and when it
/// was through, or how it ended before.
fn through(
    created_at: Timestamp,
    back_at: Timestamp,
    asked: Option<u64>,
    mut jitter: impl FnMut() -> u32,
) -> Result<(u32, Timestamp), Outcome> {
    let mut now = created_at;
    for count in 1.. {
        if now >= back_at {
            return Ok((count, now));
        }
        let age = now.duration_since(created_at);
        let attempt = Attempt { safety: RetrySafety::Keyed, count, age, jitter: jitter(), now };
        let outcome = POLICY.after(&retry(asked, Taken::Unknown), attempt);
        let Outcome::Waiting(WaitReason::Retry, at) = outcome else { return Err(outcome) };
        now = at;
    }
    unreachable!("an attempt is always an end or a wait")
}

#[test]
fn a_day_without_the_vendor_kills_none_of_ten_thousand() {
    let (began, back_at) =
        (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24));
    let mut random = proptest::test_runner::TestRng::deterministic_rng(
        proptest::test_runner::RngAlgorithm::ChaCha,
    );
    let (mut most_attempts, mut latest) = (0, SignedDuration::ZERO);
    for _ in 0..10_000 {
        let created_at = began + SignedDuration::from_millis(random.random_range(0..86_400_000));
        let asked = random.random_bool(0.3).then(|| random.random_range(0..10_000));
        let (attempts, at) =
            through(created_at, back_at, asked, || random.random_range(0..=1000)).unwrap();
        most_attempts = most_attempts.max(attempts);
        latest = latest.max(at.duration_since(back_at));
    }
    // Eleven waits from two seconds to an hour, then one every half hour to hour.
    assert!((25..=60).contains(&most_attempts), "{most_attempts}");
    assert!(latest <= RetryPolicy::LONGEST_WAIT, "{latest:?}");
}

proptest! {
    /// Not even the worst luck: whatever the jitter, whatever the vendor asks for.
    #[test]
    fn no_luck_lets_a_day_without_the_vendor_kill(
        jitters in prop::collection::vec(0u32..=1000, 1..50),
        asked in prop::option::of(0u64..100_000),
    ) {
        let mut jitters = jitters.iter().cycle();
        let back_at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24);
        let through = through(Timestamp::UNIX_EPOCH, back_at, asked, || *jitters.next().unwrap());
        prop_assert!(through.is_ok(), "{through:?}");
    }
}
