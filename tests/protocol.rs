//! The ledger's protocol on a real table: leases, fencing tokens, and calls that may not be repeated.
//!
//! Time is an argument, so a lease is over as soon as a test says that it is later.

use crate::stack::Stack;
use domain::delivery::{DeathReason, DeliveryId, Outcome, SkipReason, State, WaitReason};
use domain::destination::Destination;
use domain::fact::Effect;
use domain::id::EventId;
use domain::pepper::PersonKey;
use jiff::{SignedDuration, Timestamp};
use ledger::{
    Admission, Claim, Claimed, Completed, Completion, FactKey, Ledger, Opened, OpeningTimes,
    Statement, SyncClaim, SyncClaimed, SyncTimes, Synced,
};
use uuid::Uuid;

const LEASE: SignedDuration = SignedDuration::from_secs(60);
const DOUBT: SignedDuration = SignedDuration::from_secs(360);

#[expect(clippy::disallowed_methods, reason = "deliveries of a test expire like any other")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// Opens a delivery that no fact asks for: nothing but the test works on it.
async fn opened(ledger: &Ledger) -> DeliveryId {
    let id = DeliveryId {
        event_id: EventId::minted(Uuid::new_v4()).unwrap(),
        effect: Effect::stored("lead_captured:protocol".into()),
        destination: Destination::Slack,
    };
    assert_eq!(open(ledger, &id, "FACT#lead#1").await, Opened::ForThisFact);
    id
}

async fn open(ledger: &Ledger, id: &DeliveryId, fact: &str) -> Opened {
    let fact = FactKey { event_id: id.event_id, sk: fact.into() };
    let times =
        OpeningTimes { now: now(), look_at: later(3600), keep: SignedDuration::from_hours(1) };
    ledger.open_delivery(id, &fact, times).await.unwrap()
}

async fn claim(ledger: &Ledger, id: &DeliveryId, at: Timestamp) -> Claimed {
    ledger.claim(id, at, LEASE).await.unwrap()
}

async fn held(ledger: &Ledger, id: &DeliveryId, at: Timestamp) -> Box<Claim> {
    let Claimed::Held(claim) = claim(ledger, id, at).await else { panic!("not held") };
    claim
}

fn ending(outcome: Outcome) -> Completion {
    Completion { outcome, detail: String::new(), request_id: None, look_at: later(3600) }
}

#[tokio::test]
async fn a_completion_under_a_lost_lease_does_not_land() {
    let ledger = Stack::running().await.ledger();
    let id = opened(&ledger).await;
    let slow = held(&ledger, &id, now()).await;
    assert!(matches!(claim(&ledger, &id, later(30)).await, Claimed::Busy(_)), "the lease holds");
    let fast = held(&ledger, &id, later(61)).await;
    let skipped = ending(Outcome::Skipped(SkipReason::Consent));
    assert_eq!(ledger.complete(&slow, &skipped, now()).await.unwrap(), Completed::Fenced);
    let delivered = ending(Outcome::Delivered);
    assert_eq!(ledger.complete(&fast, &delivered, now()).await.unwrap(), Completed::Landed);
    // The SDK repeats a write whose answer was lost: it is the same completion, not a lost lease.
    assert_eq!(ledger.complete(&fast, &delivered, now()).await.unwrap(), Completed::Landed);
    assert_eq!(ledger.complete(&slow, &skipped, now()).await.unwrap(), Completed::Fenced);
    assert!(
        matches!(claim(&ledger, &id, later(999)).await, Claimed::Over(record) if record.state == State::Delivered)
    );
}

#[tokio::test]
async fn a_worker_that_vanishes_in_a_call_leaves_it_to_be_settled_and_never_repeated() {
    let ledger = Stack::running().await.ledger();
    let id = opened(&ledger).await;
    let mut vanished = held(&ledger, &id, now()).await;
    assert_eq!(ledger.begin_call(&mut vanished, now()).await.unwrap(), Completed::Landed);
    assert!(matches!(claim(&ledger, &id, later(30)).await, Claimed::Busy(_)));
    let Claimed::Lapsed(lapsed) = claim(&ledger, &id, later(61)).await else {
        panic!("not lapsed")
    };
    assert_eq!(lapsed.attempts, 1, "the call is counted before it is made");
    assert_eq!(ledger.settle_lapsed(&lapsed, now()).await.unwrap(), Completed::Landed);
    let Claimed::Over(record) = claim(&ledger, &id, later(61)).await else { panic!("not over") };
    assert_eq!(
        (record.state, record.reason.as_str()),
        (State::Dead, DeathReason::UnknownOutcome.name())
    );
    // It was only slow: its answer comes too late to change what a person may be settling.
    let late = ledger.complete(&vanished, &ending(Outcome::Delivered), now()).await.unwrap();
    assert_eq!(late, Completed::Fenced);
}

#[tokio::test]
async fn a_waiting_delivery_is_claimed_when_its_time_has_come() {
    let ledger = Stack::running().await.ledger();
    let id = opened(&ledger).await;
    let first = held(&ledger, &id, now()).await;
    let waiting = ending(Outcome::Waiting(WaitReason::Retry, later(3000)));
    assert_eq!(ledger.complete(&first, &waiting, now()).await.unwrap(), Completed::Landed);
    assert!(matches!(claim(&ledger, &id, later(2900)).await, Claimed::NotYet(_)));
    assert!(matches!(claim(&ledger, &id, later(3001)).await, Claimed::Held(_)));
}

#[tokio::test]
async fn one_effect_opens_one_delivery_whichever_fact_comes_first() {
    let ledger = Stack::running().await.ledger();
    let id = opened(&ledger).await;
    assert_eq!(
        open(&ledger, &id, "FACT#lead#1").await,
        Opened::ForThisFact,
        "the same dispatch again"
    );
    assert_eq!(open(&ledger, &id, "FACT#lead#other").await, Opened::ForAnotherFact);
    let unknown = DeliveryId { effect: Effect::stored("none".into()), ..id };
    assert!(matches!(claim(&ledger, &unknown, now()).await, Claimed::Missing));
}

#[tokio::test]
async fn of_two_workers_one_brings_a_person_up_to_date_and_a_stale_one_is_fenced_off() {
    let ledger = Stack::running().await.ledger();
    let person = somebody();
    let take = async |now| {
        let times =
            SyncTimes { now, lease: LEASE, doubt: DOUBT, keep: SignedDuration::from_hours(1) };
        ledger.claim_sync(&person, Destination::Hubspot, times).await.unwrap()
    };
    let SyncClaimed::Held(slow) = take(now()).await else { panic!("not held") };
    assert!(matches!(take(later(30)).await, SyncClaimed::Busy(_)));
    let SyncClaimed::Held(fast) = take(later(61)).await else { panic!("not held") };
    assert_eq!(ledger.complete_sync(&slow, &told("stale")).await.unwrap(), Completed::Fenced);
    assert_eq!(ledger.complete_sync(&fast, &told("fresh")).await.unwrap(), Completed::Landed);
    ledger.doubt_sync(&person, Destination::Hubspot).await.unwrap();
    let SyncClaimed::Held(next) = take(now()).await else { panic!("not held") };
    assert_eq!(
        (next.synced.digest, next.synced.vendor_id.as_deref()),
        (None, Some("512")),
        "told again, by its id"
    );
}

/// A person of one test, taken at the newsletter tool so many seconds from now.
async fn take_person(ledger: &Ledger, person: &PersonKey, seconds: i64) -> SyncClaim {
    let keep = SignedDuration::from_hours(1);
    let times = SyncTimes { now: later(seconds), lease: LEASE, doubt: DOUBT, keep };
    let taken = ledger.claim_sync(person, Destination::Mailerlite, times).await.unwrap();
    let SyncClaimed::Held(claim) = taken else { panic!("not held") };
    claim
}

fn somebody() -> PersonKey {
    PersonKey::stored(format!("v1_protocol{}", Uuid::new_v4().simple()))
}

fn saying(digest: &str, in_doubt: Option<&'static str>) -> Statement {
    Statement { digest: Some(digest.into()), in_doubt }
}

/// What was told by a body of this digest.
fn told(digest: &str) -> Synced {
    Synced {
        vendor_id: Some("512".into()),
        status: Some("active".into()),
        digest: Some(digest.into()),
        ..Synced::default()
    }
}

/// Whether what another says now may be undone, and what is relied on.
fn known(claim: &SyncClaim) -> (bool, Option<&str>, Option<&str>) {
    let threatened = claim.threatened_until(Some("another")).is_some();
    (threatened, claim.synced.digest.as_deref(), claim.synced.status.as_deref())
}

#[tokio::test]
async fn a_call_that_nobody_completed_is_in_doubt_until_it_can_no_longer_take_effect() {
    let ledger = Stack::running().await.ledger();
    let person = somebody();
    let slow = take_person(&ledger, &person, 0).await;
    assert_eq!(slow.synced.doubt, None);
    let first = saying("slow", Some("unsure"));
    assert_eq!(ledger.begin_sync(&slow, &first).await.unwrap(), Completed::Landed);
    let fast = take_person(&ledger, &person, 61).await;
    assert_eq!(known(&fast), (true, None, Some("unsure")));
    assert_eq!(ledger.begin_sync(&slow, &first).await.unwrap(), Completed::Fenced);
    // The slow one's call may land after the fast one's: what the fast one told is not relied on.
    let second = saying("fast", None);
    assert_eq!(ledger.begin_sync(&fast, &second).await.unwrap(), Completed::Landed);
    assert_eq!(ledger.complete_sync(&fast, &told("fast")).await.unwrap(), Completed::Landed);
    let early = take_person(&ledger, &person, 62).await;
    assert_eq!(known(&early), (true, None, Some("unsure")));
    assert_eq!(early.synced.doubt, fast.synced.doubt, "nobody's doubt is made longer");
    assert_eq!(early.synced.vendor_id.as_deref(), Some("512"));
    assert_eq!(ledger.release_sync(&early).await.unwrap(), Completed::Landed);
    let last = take_person(&ledger, &person, 60 + 360 + 1).await;
    assert_eq!(known(&last), (false, None, Some("unsure")));
    // A completion whose answer was lost is repeated by the SDK: it is still ours.
    assert_eq!(ledger.complete_sync(&last, &told("told")).await.unwrap(), Completed::Landed);
    assert_eq!(ledger.complete_sync(&last, &told("told")).await.unwrap(), Completed::Landed);
    let sure = take_person(&ledger, &person, 0).await;
    assert_eq!(known(&sure), (false, Some("told"), Some("active")));
}

#[tokio::test]
async fn who_says_what_a_call_in_doubt_says_is_relied_on_and_the_doubt_stays_for_others() {
    let ledger = Stack::running().await.ledger();
    let person = somebody();
    // Nobody answers, and the worker gives up.
    let first = take_person(&ledger, &person, 0).await;
    ledger.begin_sync(&first, &saying("paid", Some("unsure"))).await.unwrap();
    assert_eq!(ledger.leave_sync_in_doubt(&first).await.unwrap(), Completed::Landed);
    // Again the same: whichever lands last, it says this.
    let again = take_person(&ledger, &person, 1).await;
    assert_eq!(again.threatened_until(Some("paid")), None);
    assert!(again.threatened_until(None).is_some(), "without a digest nothing is the same");
    ledger.begin_sync(&again, &saying("paid", Some("unsure"))).await.unwrap();
    assert_eq!(ledger.complete_sync(&again, &told("paid")).await.unwrap(), Completed::Landed);
    // Something else may still be undone by the first. Nobody answers to it either.
    let other = take_person(&ledger, &person, 2).await;
    assert_eq!(known(&other), (true, Some("paid"), Some("active")));
    ledger.begin_sync(&other, &saying("refunded", None)).await.unwrap();
    ledger.leave_sync_in_doubt(&other).await.unwrap();
    // Now two calls are in doubt that differ: neither of them can be said safely.
    let last = take_person(&ledger, &person, 3).await;
    for digest in ["paid", "refunded", "another"] {
        assert!(last.threatened_until(Some(digest)).is_some(), "{digest}");
    }
}

#[tokio::test]
async fn a_limit_is_exact_under_concurrency() {
    let ledger = Stack::running().await.ledger();
    let caller = Uuid::new_v4().to_string();
    let at = now();
    let calls = (0..60).map(|_| ledger.admit("test", &caller, 25, at));
    let admitted = futures_util::future::join_all(calls).await;
    let admitted = admitted
        .into_iter()
        .filter(|admission| *admission.as_ref().unwrap() == Admission::Admitted);
    assert_eq!(admitted.count(), 25);
}
