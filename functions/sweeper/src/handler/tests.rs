//! When a delivery is reminded of, and when it is looked at again.

use super::{Door, SHARDS, Sweep, door, plan, shards};
use aws_sdk_dynamodb::config::{Credentials, Region, SharedCredentialsProvider};
use domain::delivery::{DeliveryId, State};
use domain::destination::Destination;
use domain::fact::Effect;
use domain::gate::{Breaker, Cause, Gate, Pause, Trip};
use domain::id::EventId;
use jiff::{SignedDuration, Timestamp};
use lambda::aws::{self, Aws};
use lambda::settings::read_from;
use ledger::{DeliveryRecord, Due};
use serde_json::json;
use std::collections::BTreeSet;
use testkit::clock;
use testkit::vendor::{Vendor, reply};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(minutes * 60).unwrap()
}

fn id() -> DeliveryId {
    DeliveryId {
        event_id: EventId::parse("6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c11").unwrap(),
        effect: Effect::stored("lead_captured:x".into()),
        destination: Destination::Hubspot,
    }
}

fn record(state: State, next_at: Option<Timestamp>) -> DeliveryRecord {
    DeliveryRecord {
        id: id(),
        fact: "FACT#lead#1".into(),
        state,
        reason: String::new(),
        detail: String::new(),
        attempts: 0,
        claims: 0,
        next_at,
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
        token: None,
        lease_until: None,
    }
}

fn planned(
    state: State,
    next_at: Option<Timestamp>,
    listed_at: Timestamp,
    now: Timestamp,
) -> Option<(i64, i64)> {
    let record = record(state, next_at);
    let open = Door { opens_at: now, most: None };
    let reminder = plan(&record, &Due { id: id(), listed_at }, open, now)?;
    let minutes = |duration: SignedDuration| duration.as_secs() / 60;
    Some((reminder.delay.as_secs(), minutes(reminder.look_again.duration_since(now))))
}

#[test]
fn a_forgotten_delivery_is_sent_at_once_and_looked_at_ever_more_rarely() {
    assert_eq!(planned(State::Queued, None, at(2), at(2)), Some((0, 2)));
    assert_eq!(planned(State::Queued, None, at(4), at(4)), Some((0, 4)));
    assert_eq!(planned(State::Queued, None, at(8), at(8)), Some((0, 8)));
    assert_eq!(planned(State::Queued, None, at(5000), at(5000)), Some((0, 60)));
}

#[test]
fn what_is_due_within_the_minute_carries_the_rest_of_its_wait() {
    let now = at(10);
    let next_at = now + SignedDuration::from_secs(45);
    assert_eq!(planned(State::Waiting, Some(next_at), next_at, now).unwrap().0, 45);
}

#[test]
fn a_worker_with_time_left_is_left_alone_and_one_without_is_not() {
    let due = Due { id: id(), listed_at: at(2) };
    let open = Door { opens_at: at(10), most: None };
    for state in [State::InFlight, State::Calling] {
        let held = |until| DeliveryRecord { lease_until: Some(until), ..record(state, None) };
        assert_eq!(plan(&held(at(11)), &due, open, at(10)), None);
        assert!(plan(&held(at(9)), &due, open, at(10)).unwrap().delay.is_zero());
    }
}

#[test]
fn what_is_over_is_over() {
    for state in [State::Delivered, State::AcceptedUnverifiable, State::Skipped, State::Dead] {
        assert_eq!(planned(state, None, at(2), at(10)), None);
    }
}

#[test]
fn a_gate_that_is_shut_lets_nothing_through_and_one_that_may_open_a_few() {
    let trip =
        Trip { cause: Cause::Outage, detail: String::new(), since: at(0), until: at(10), count: 3 };
    let open = Gate { breaker: Breaker::Open(trip), ..Gate::default() };
    assert_eq!(door(&open, at(8)), None);
    let soon = at(9) + SignedDuration::from_secs(30);
    assert_eq!(door(&open, soon), Some(Door { opens_at: at(10), most: Some(3) }));
    assert_eq!(door(&open, at(12)), Some(Door { opens_at: at(12), most: Some(3) }));
    assert_eq!(door(&Gate::default(), at(8)), Some(Door { opens_at: at(8), most: None }));
    let pause = Pause { since: at(0), by: "ana".into(), why: "a campaign".into() };
    let paused = Gate { paused: Some(pause), ..Gate::default() };
    assert_eq!(door(&paused, at(8)), None);
}

#[test]
fn what_waits_at_a_gate_goes_when_it_opens_whatever_time_was_foreseen() {
    let parked =
        DeliveryRecord { reason: "breaker".into(), ..record(State::Waiting, Some(at(60))) };
    let due = Due { id: id(), listed_at: at(5) };
    let delay = |opens_at| plan(&parked, &due, Door { opens_at, most: None }, at(6)).unwrap().delay;
    assert!(delay(at(6)).is_zero());
    assert_eq!(delay(at(7)), SignedDuration::from_mins(1));
}

#[test]
fn each_sweep_looks_at_all_shards_and_none_is_always_the_last() {
    let sweeps: Vec<Vec<u32>> = (0..16).map(|minute| shards(at(minute)).collect()).collect();
    for sweep in &sweeps {
        assert_eq!(BTreeSet::from_iter(sweep), BTreeSet::from_iter(&sweeps[0]));
        assert_eq!(sweep.len(), SHARDS as usize);
    }
    let last: BTreeSet<&u32> = sweeps.iter().filter_map(|sweep| sweep.last()).collect();
    assert_eq!(last.len(), SHARDS as usize);
}

/// Taken for shut, it would keep a destination's deliveries waiting, and nobody would hear of it.
#[tokio::test]
async fn a_gate_that_cannot_be_read_is_a_failure_of_the_sweep() {
    let refused = reply(400).json(&json!({ "__type": "AccessDeniedException" }));
    let table = Vendor::answering(&[refused]);
    let credentials = Credentials::new("key", "secret", None, None, "test");
    let config = aws::settings()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new("eu-west-1"))
        .endpoint_url(table.url());
    let set = |name: &str| match name {
        "CONSENT_VERSION" => Some("1".to_owned()),
        "DESTINATIONS" => Some("slack".to_owned()),
        "LEDGER_TABLE" => Some("ledger".to_owned()),
        _ => name.starts_with("QUEUE_").then(|| table.url()),
    };
    let dispatch = read_from(&set, dispatch::Config::read).unwrap();
    let dispatch = dispatch.open(&Aws::over(config.build(), false));
    let sweep = Sweep { dispatch: &dispatch, clock: clock::now, began: clock::now() };
    let found = sweep.destination(Destination::Slack).await;
    assert_eq!((found.failed, found.due), (1, 0));
}
