//! The ledger's own promises, with nothing but the table in memory under it.

use crate::lab;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use domain::destination::Destination;
use domain::id::{EventId, ProductId, StripeId};
use domain::pepper::PersonKey;
use jiff::{SignedDuration, Timestamp};
use ledger::{
    Admission, Checkout, Completed, FactKey, Ledger, Mended, SyncClaimed, SyncTimes, Synced, Wish,
};
use serde_json::json;
use simulation::trial::Gates;
use simulation::{Options, Plan, Sweeping, Visitor};
use testkit::vendor::{Vendor, reply};

#[test]
fn a_gate_of_many_who_ask_lets_a_few_through() {
    let mut lab = lab();
    let from = lab.nowhere();
    lab.command(&from, &Options::default(), async |_, ledger, now| {
        let gates = Gates { ledger, to: Destination::Sendgrid, now };
        gates.breaker().await;
        gates.counts().await;
        gates.slots().await;
    });
    let from = lab.snapshot();
    let counted = from.clone().minutes_later(10).items_like("DESTINATION#");
    assert_eq!(counted, from.items_like("DESTINATION#"), "what may still decide is kept");
    lab.command(&from.days_later(1), &Options::default(), async |_, ledger, now| {
        let day = SignedDuration::from_hours(24);
        let to = Destination::Sendgrid;
        assert_eq!(ledger.recent_calls(to, now - day).await, Ok(Vec::new()), "kept for ever");
        assert!(!ledger.gate_history(to, now - day).await.unwrap().is_empty(), "gone too soon");
    });
    let gone_in_days = |days| lab.snapshot().days_later(days).items_like("DESTINATION#");
    assert!(gone_in_days(88) > gone_in_days(90), "a quarter of a year of history is kept");
}

#[test]
fn a_caller_has_so_many_calls_in_a_minute_and_is_told_when_the_next_begins() {
    let mut lab = lab();
    let from = lab.nowhere();
    lab.command(&from, &Options::default(), async |_, ledger, now| {
        let second = |second| now + SignedDuration::from_secs(second);
        let into = now.as_second().rem_euclid(60);
        let ask = async |caller, at| ledger.admit("/leads", caller, 3, at).await.unwrap();
        for _ in 0..3 {
            assert_eq!(ask("one", now).await, Admission::Admitted);
        }
        let left = |past| Admission::Refused { retry_after: u32::try_from(60 - past).unwrap() };
        assert_eq!(ask("one", now).await, left(into));
        assert_eq!(ask("one", second(59 - into)).await, left(59));
        assert_eq!(ask("two", now).await, Admission::Admitted, "another caller");
        assert_eq!(ask("one", second(60 - into)).await, Admission::Admitted, "another minute");
    });
    // A caller is forgotten soon; a minute is not forgotten while it lasts.
    let from = lab.snapshot();
    let callers = |minutes| from.clone().minutes_later(minutes).items_like("RATE#");
    assert_eq!([callers(1), callers(24 * 60)], [3, 0]);
}

#[test]
fn of_two_sweepers_one_puts_a_delivery_off_and_sends_its_message() {
    let mut lab = lab();
    let nobody = Options { queues: Vec::new(), sweeping: Sweeping::Off, ..Options::default() };
    let said = vec![Visitor::new(1, "ana.silva@example.pt").pays(0, 1)];
    lab.run(&nobody, Plan::default(), &[], said);
    lab.command(&lab.snapshot(), &nobody, async |_, ledger, now| {
        let soon = now + SignedDuration::from_mins(10);
        let due = async |before| {
            let shards = (0..ledger::SHARDS).map(|shard| async move {
                ledger.due(Destination::Slack, shard, before, None).await.unwrap()
            });
            futures_util::future::join_all(shards).await.concat()
        };
        let listed = due(soon).await;
        let [one] = listed.as_slice() else { panic!("{listed:?}") };
        let put_off = async || ledger.put_off(one, soon + SignedDuration::from_mins(1)).await;
        assert_eq!((put_off().await, put_off().await), (Ok(true), Ok(false)));
        assert!(due(soon).await.is_empty());
        assert_eq!(due(soon + SignedDuration::from_mins(1)).await.len(), 1);
    });
}

/// A deed by hand is a transaction: whether its condition did not hold, or AWS could not carry it out,
/// is told apart.
#[tokio::test]
async fn a_deed_that_aws_could_not_carry_out_is_not_taken_for_one_that_came_too_late() {
    let canceled = |code| {
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        let reasons = json!([{"Code": code}, {"Code": "None"}]);
        reply(400).json(&json!({"__type": kind, "CancellationReasons": reasons}))
    };
    let vendor =
        Vendor::answering(&["ConditionalCheckFailed", "TransactionConflict"].map(canceled));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .region(Region::new("eu-west-1"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(vendor.url())
        .build();
    let ledger = Ledger::new(aws_sdk_dynamodb::Client::from_conf(config), "ledger");
    let event_id = EventId::parse(&Visitor::new(1, "ana.silva@example.pt").event_id()).unwrap();
    let (fact, now) = (FactKey { event_id, sk: "FACT#lead#1".into() }, Timestamp::UNIX_EPOCH);
    let wish = Wish {
        destinations: vec![Destination::Slack],
        again: true,
        even_if_it_happened: false,
        who: "ana".into(),
        why: "restored a backup".into(),
        at: now,
    };
    assert_eq!(ledger.wish(&fact, &wish, now, 0).await, Ok(Mended::Changed));
    assert!(ledger.wish(&fact, &wish, now, 0).await.is_err());
}

#[test]
fn who_is_erased_is_known_as_that_and_no_more() {
    let mut lab = lab();
    let from = lab.nowhere();
    lab.command(&from, &Options::default(), async |_, ledger: &Ledger, now| {
        let person = PersonKey::stored(format!("v1_{}", "ab".repeat(32)));
        assert_eq!(ledger.person(&person).await.unwrap().profile().unwrap().erased_at, None);
        assert_eq!(ledger.mark_erased(&person, now, now.as_second() + 60).await, Ok(()));
        assert_eq!(ledger.person(&person).await.unwrap().profile().unwrap().erased_at, Some(now));
    });
}

#[test]
fn the_intent_of_a_later_attempt_is_kept_however_late_an_earlier_one_comes() {
    let mut lab = lab();
    let from = lab.nowhere();
    lab.command(&from, &Options::default(), async |_, ledger: &Ledger, now| {
        let visitor = Visitor::new(1, "ana.silva@example.pt");
        let event_id = EventId::parse(&visitor.event_id()).unwrap();
        let checkout = |attempt, intent| Checkout {
            product_id: ProductId::parse("cafe-com-vendas-ticket").unwrap(),
            quantity: 1,
            attempt,
            payment_intent: StripeId::parse(intent).unwrap(),
        };
        let (first, second) = (checkout(1, "pi_1"), checkout(2, "pi_2"));
        let until = now + SignedDuration::from_hours(1);
        for one in [&first, &second, &first] {
            assert_eq!(ledger.keep_checkout(event_id, one, until).await, Ok(()));
        }
        assert_eq!(ledger.checkouts(event_id).await, Ok(vec![second]));
    });
}

/// Else the slow one would note, when it is done, that all is told, and nobody would be told again.
#[test]
fn whoever_holds_a_person_that_is_to_be_told_again_holds_them_no_more() {
    let mut lab = lab();
    let from = lab.nowhere();
    lab.command(&from, &Options::default(), async |_, ledger: &Ledger, now| {
        let person = PersonKey::stored(format!("v1_{}", "ab".repeat(32)));
        let (to, minute) = (Destination::Hubspot, SignedDuration::from_mins(1));
        let times = SyncTimes { now, lease: minute, doubt: minute, keep: minute };
        let claim = async || match ledger.claim_sync(&person, to, times).await.unwrap() {
            SyncClaimed::Held(claim) => claim,
            SyncClaimed::Busy(until) => panic!("somebody holds them until {until}"),
        };
        let slow = claim().await;
        assert_eq!(ledger.doubt_sync(&person, to).await, Ok(()));
        let told = Synced { digest: Some("all of it".to_owned()), ..Synced::default() };
        assert_eq!(ledger.complete_sync(&slow, &told).await, Ok(Completed::Fenced));
        assert_eq!(claim().await.synced.digest, None);
    });
}
