//! When a call of before can undo what is said now.

use super::{Doubt, SyncClaim, Synced};
use domain::destination::Destination;
use domain::pepper::{Pepper, PersonKey};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn person() -> PersonKey {
    let pepper = Pepper::parse(&format!("v1:{}", "5a".repeat(32))).unwrap();
    pepper.person(&domain::contact::EmailAddress::parse("ana.silva@example.pt").unwrap())
}

fn doubt(digest: Option<&str>) -> Doubt {
    Doubt { until: at(420), digest: digest.map(str::to_owned) }
}

fn claim(doubt: Option<Doubt>) -> SyncClaim {
    SyncClaim {
        person: person(),
        destination: Destination::Mailerlite,
        token: "token".to_owned(),
        call_until: at(900),
        synced: Synced { doubt, ..Synced::default() },
    }
}

#[test]
fn to_be_told_the_same_twice_undoes_nothing() {
    assert_eq!(claim(Some(doubt(Some("same")))).threatened_until(Some("same")), None);
    assert_eq!(claim(None).threatened_until(Some("same")), None);
    assert_eq!(claim(None).threatened_until(None), None);
}

#[test]
fn something_else_or_nobody_knows_what_may_be_undone() {
    for (before, now) in [(Some("other"), Some("same")), (None, Some("same")), (None, None)] {
        assert_eq!(claim(Some(doubt(before))).threatened_until(now), Some(at(420)));
    }
    assert_eq!(claim(Some(doubt(Some("same")))).threatened_until(None), Some(at(420)));
}

#[test]
fn nothing_is_settled_while_a_worker_or_a_doubt_is_there() {
    let settled = Synced::default();
    let held = Synced { held_until: Some(at(60)), ..Synced::default() };
    let doubted = Synced { doubt: Some(doubt(None)), ..Synced::default() };
    let both = Synced { held_until: Some(at(60)), ..doubted.clone() };
    assert!(!settled.is_unsettled(at(0)));
    for (synced, until) in [(held, 60), (doubted, 420), (both, 420)] {
        assert!(synced.is_unsettled(at(until - 1)));
        assert!(!synced.is_unsettled(at(until)), "it is over at that moment");
    }
}
