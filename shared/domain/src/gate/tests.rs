//! When a breaker opens and for how long, and how a budget spaces calls.

use super::{Breaker, BreakerPolicy, Budget, Calls, Cause, Gate, Health, Passage, Pause, Trip};
use crate::fault::{Fault, Remedy, Seen, Taken};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn calls(made: u32, failed: u32) -> Calls {
    Calls { made, failed }
}

#[test]
fn half_of_the_last_twenty_calls_open_the_breaker() {
    let policy = BreakerPolicy::default();
    assert!(policy.opens([calls(20, 10)]));
    assert!(!policy.opens([calls(20, 9)]));
    assert!(!policy.opens([calls(19, 19)]), "too few calls to tell");
    assert!(!policy.opens([]));
    assert!(policy.opens([calls(4, 4), calls(16, 6)]), "buckets are counted together");
    assert!(!policy.opens([calls(20, 0), calls(500, 500)]), "what is long past says nothing");
}

#[test]
fn the_wait_doubles_from_half_a_minute_to_five() {
    let waits = (1..=7).map(|count| BreakerPolicy::wait(Cause::Outage, count).as_secs());
    assert_eq!(waits.collect::<Vec<_>>(), [30, 60, 120, 240, 300, 300, 300]);
    assert_eq!(BreakerPolicy::wait(Cause::Outage, u32::MAX).as_secs(), 300);
    assert_eq!(BreakerPolicy::wait(Cause::Setup, 1).as_secs(), 300);
}

#[test]
fn a_refused_record_and_a_rate_limit_say_nothing_against_the_vendor() {
    let fault =
        |remedy, status| Err::<(), _>(Fault { remedy, seen: Seen { status, ..Seen::default() } });
    let retry = Remedy::Retry { after: None, taken: Taken::No };
    assert_eq!(Health::of(&Ok::<(), Fault>(())), Health::Well);
    assert_eq!(Health::of(&fault(Remedy::Reject, Some(400))), Health::Well);
    assert_eq!(Health::of(&fault(retry, Some(429))), Health::Well);
    assert_eq!(Health::of(&fault(retry, Some(503))), Health::Failed);
    assert_eq!(Health::of(&fault(retry, None)), Health::Failed);
    assert_eq!(Health::of(&fault(Remedy::Setup, Some(401))), Health::Setup);
}

#[test]
fn a_persons_word_comes_before_the_breakers() {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let trip = Trip {
        cause: Cause::Outage,
        detail: String::new(),
        since: now,
        until: now + SignedDuration::from_secs(30),
        count: 1,
    };
    let pause = Pause { since: now, by: "ana".into(), why: "a campaign".into() };
    let mut gate = Gate { breaker: Breaker::Open(trip.clone()), ..Gate::default() };
    assert_eq!(gate.passage(now), Passage::Shut(&trip));
    assert_eq!(gate.passage(trip.until), Passage::Probe(&trip));
    gate.paused = Some(pause.clone());
    assert_eq!(gate.passage(trip.until), Passage::Paused(&pause));
    assert_eq!(Gate::default().passage(now), Passage::Open);
}

proptest! {
    /// The ledger hands out slots as this does, from a schedule that may lag by the burst.
    #[test]
    fn no_sixty_seconds_have_more_calls_than_the_limit(
        limit in 1_u32..2_000,
        gaps in prop::collection::vec(0_i64..3_000, 1..400),
    ) {
        let budget = Budget::per_minute(limit).unwrap();
        let (interval, burst) = (budget.interval.as_millis() as i64, Budget::BURST.as_millis() as i64);
        let (mut now, mut next_free) = (0, i64::MIN / 2);
        let mut made = Vec::new();
        for gap in gaps {
            now += gap;
            let slot = next_free.max(now - burst);
            next_free = slot + interval;
            made.push(slot.max(now));
        }
        made.sort_unstable();
        for (at, first) in made.iter().enumerate() {
            let together = made[at..].iter().take_while(|call| **call < first + 60_000).count();
            prop_assert!(together <= limit as usize, "{together} of {limit}");
        }
    }
}

#[test]
fn without_a_limit_there_is_no_budget() {
    assert_eq!(Budget::per_minute(0), None);
    assert_eq!(Budget::per_minute(120).unwrap().interval.as_millis(), 584);
    assert_eq!(Budget::per_minute(70).unwrap().interval.as_millis(), 1_000, "and not one more");
}

#[test]
fn calls_are_counted_in_tens_of_seconds() {
    let bucket = |second| BreakerPolicy::bucket(Timestamp::from_second(second).unwrap());
    assert_eq!((bucket(0), bucket(9), bucket(10), bucket(1_795_255_209)), (0, 0, 1, 179_525_520));
    assert_eq!(bucket(-1), -1, "before 1970 too");
}

#[test]
fn a_gate_and_what_shut_it_have_names() {
    for (name, cause) in [("outage", Cause::Outage), ("setup", Cause::Setup)] {
        assert_eq!((cause.name(), Cause::named(name)), (name, Some(cause)));
    }
    assert_eq!(Cause::named("weather"), None);
    let now = Timestamp::UNIX_EPOCH;
    let cause = Cause::Outage;
    let trip = Trip { cause, detail: String::new(), since: now, until: now, count: 1 };
    let pause = Pause { since: now, by: "ana".into(), why: "a campaign".into() };
    let names =
        [Passage::Open, Passage::Probe(&trip), Passage::Shut(&trip), Passage::Paused(&pause)]
            .map(|passage| passage.name());
    assert_eq!(names, ["closed", "half_open", "open", "paused"]);
}
