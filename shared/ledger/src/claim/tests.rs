//! What a claim counts, what is kept of how a delivery waited, and what a refusal means.

use super::{Claim, Claimed, Completion, MOST_STEPS, POISON_LIMIT, refused, steps};
use crate::delivery::{DeliveryRecord, Step};
use crate::key;
use domain::delivery::{Outcome, State, WaitReason};
use domain::id::EventId;
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn record(state: State) -> DeliveryRecord {
    let journey = EventId::parse("6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c01").unwrap();
    DeliveryRecord {
        id: key::delivery_of(journey, "DELIVERY#payment_succeeded:pi_1#slack").unwrap(),
        fact: "FACT#stripe#evt_1".to_owned(),
        state,
        reason: String::new(),
        detail: String::new(),
        attempts: 2,
        claims: 1,
        next_at: None,
        request_id: None,
        created_at: at(0),
        updated_at: at(0),
        revived_at: None,
        replays: 0,
        replayed_for: None,
        listed_at: None,
        expires_at: 0,
        steps: Vec::new(),
        dead_lettered: false,
        token: Some("ours".to_owned()),
        lease_until: Some(at(60)),
    }
}

fn claim(record: DeliveryRecord) -> Claim {
    Claim { record, token: "ours".to_owned(), calls: 0 }
}

#[test]
fn calls_are_counted_on_top_of_those_before() {
    let mut claim = claim(record(State::InFlight));
    assert_eq!(claim.attempts(), 2);
    claim.count_call();
    claim.count_call();
    assert_eq!(claim.attempts(), 4);
}

#[test]
fn one_claim_too_many_in_a_row_is_poison() {
    let poison = |claims| claim(DeliveryRecord { claims, ..record(State::InFlight) }).is_poison();
    assert!(!poison(POISON_LIMIT));
    assert!(poison(POISON_LIMIT + 1));
    assert!(poison(POISON_LIMIT + 2));
}

#[test]
fn of_many_steps_the_first_and_the_last_are_kept() {
    let completion = |detail: &str| Completion {
        outcome: Outcome::Waiting(WaitReason::Retry, at(9)),
        detail: detail.to_owned(),
        request_id: None,
        look_at: at(9),
    };
    let mut claim = claim(record(State::InFlight));
    for number in 0..=MOST_STEPS {
        let stored = steps(&claim, &completion(&number.to_string()), at(1));
        claim.record.steps = serde_json::from_str(&stored).unwrap();
    }
    let kept: Vec<&str> = claim.record.steps.iter().map(|step| step.detail.as_str()).collect();
    assert_eq!(kept.len(), MOST_STEPS);
    assert_eq!((kept[0], kept[1], kept[MOST_STEPS - 1]), ("0", "2", "20"));
    let Step { at: when, state, attempts, .. } = &claim.record.steps[0];
    assert_eq!((*when, *state, *attempts), (at(1), State::Waiting, 2));
}

#[test]
fn a_refusal_by_our_own_write_is_a_claim_and_any_other_is_not() {
    let told = |record, token: &str| refused(record, token.to_owned(), at(30));
    assert!(matches!(told(record(State::InFlight), "ours"), Claimed::Held(_)));
    assert!(matches!(told(record(State::InFlight), "another"), Claimed::Busy(_)));
    assert!(
        matches!(told(record(State::Calling), "ours"), Claimed::Busy(until) if until == at(60))
    );
    let lapsed = refused(record(State::Calling), "another".to_owned(), at(61));
    assert!(matches!(lapsed, Claimed::Lapsed(_)));
    assert!(matches!(told(record(State::Delivered), "ours"), Claimed::Over(_)));
    let waiting = DeliveryRecord { next_at: Some(at(90)), ..record(State::Waiting) };
    assert!(matches!(told(waiting, "another"), Claimed::NotYet(until) if until == at(90)));
}
