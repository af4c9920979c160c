//! What Stripe's webhook never brought: fetched from Stripe, recorded once, told once. Each test
//! runs alone: it decides what Stripe can tell, and a run looks at everything that Stripe told.

use crate::aws::now_ms;
use crate::sandbox::war;
use crate::stack::{PATIENCE, Stack, delivery, pause};
use crate::stripe::{now, send_event, signature};
use crate::visitor::{Visitor, a_visitor};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::delivery::State;
use domain::destination::Destination::{Hubspot, Mailerlite, Sendgrid, Sgtm, Slack};
use domain::id::{EventId, StripeId};
use futures_util::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use ledger::Timeline;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::{Duration, Instant};

/// Long enough ago that a webhook had its time, and within the hour that every run looks at.
const AGO: u32 = 300;
/// So long a webhook may take before the reconciler asks.
const MARGIN: u32 = 120;

/// After so long the local AWS holds the last line of a run back until the next run, as it may where it
/// has much to do.
const HELD_BACK: Duration = Duration::from_secs(5);

/// Has the reconciler run, and answers with its line and the others that it printed.
async fn reconcile(stack: &Stack) -> (Value, Vec<String>) {
    let (since, began, mut again_at) = (now_ms(), Instant::now(), None);
    run(stack).await;
    loop {
        // It finds nothing new; only what the first run said counts.
        if again_at.is_none() && began.elapsed() > HELD_BACK {
            again_at = Some(now_ms());
            run(stack).await;
        }
        let lines = stack.printed("reconciler", since).await;
        let mut told = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_own = |line: &Value| {
            let at = line["_aws"]["Timestamp"].as_i64();
            let is_of_this = |at| at >= since && again_at.is_none_or(|again_at| at < again_at);
            line["message"] == "reconciled" && at.is_some_and(is_of_this)
        };
        if let Some(line) = told.find(is_own) {
            return (line, lines);
        }
        assert!(began.elapsed() < PATIENCE, "the reconciler never said what it did: {lines:#?}");
        pause().await;
    }
}

async fn run(stack: &Stack) {
    let tick = include_str!("../events/reconciler/tick.json");
    let invoked = stack.invoke("reconciler", &serde_json::from_str(tick).unwrap()).await;
    assert!(!invoked.failed, "{invoked:?}");
}

/// A visitor with a lead and a checkout, and the intent to be paid.
async fn somebody_about_to_pay(stack: &Stack) -> (Visitor, String) {
    let visitor = a_visitor();
    visitor.leaves_a_lead(stack).await;
    let intent = visitor.checks_out(stack).await;
    stack.settled(visitor.event_id, 2).await;
    (visitor, intent)
}

/// The id of the event of a kind that a control call told of.
fn event_id(told: &Value, kind: &str) -> String {
    let events = told["events"].as_array().unwrap();
    let event = events.iter().find(|event| event["type"] == kind).unwrap();
    event["id"].as_str().unwrap().to_owned()
}

/// A payment of nobody's intent, as the control API takes it.
fn a_payment(mark: &str, metadata: &Value) -> Value {
    json!({"id": format!("evt_{mark}"), "type": "payment_intent.succeeded", "created": now() - i64::from(AGO),
        "object": {"id": format!("pi_{mark}"), "object": "payment_intent", "amount": 9700, "amount_received": 9700,
            "currency": "eur", "status": "succeeded", "latest_charge": format!("ch_{mark}"), "metadata": metadata}})
}

fn a_mark() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Whatever comes of a test, what it broke is mended for the others.
async fn and_then<T>(test: impl Future<Output = T>, mend: impl Future<Output = ()>) -> T {
    let result = AssertUnwindSafe(test).catch_unwind().await;
    mend.await;
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

async fn has_paid(stack: &Stack, event_id: EventId) -> bool {
    let facts = stack.timeline(event_id).await.facts;
    facts.iter().any(|fact| fact.happening.name() == "payment_succeeded")
}

fn everybody_heard_of_the_payment(timeline: &Timeline) {
    for destination in [Hubspot, Mailerlite, Sendgrid, Slack] {
        let heard = delivery(timeline, "payment_succeeded", destination).state;
        assert_eq!(heard, State::Delivered, "{destination}");
    }
    let heard = delivery(timeline, "payment_succeeded", Sgtm).state;
    assert_eq!(heard, State::AcceptedUnverifiable);
}

#[tokio::test]
async fn a_payment_that_no_webhook_brought_is_recorded_once_and_told_once() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let (visitor, intent) = somebody_about_to_pay(&stack).await;
    let told = stack.sandbox.pay_unheard(&intent, AGO).await;
    let event = event_id(&told, "payment_intent.succeeded");
    let (line, lines) = reconcile(&stack).await;
    assert!(line["recorded"].as_u64() >= Some(1), "{line}");
    assert_eq!(line["failed"], 0, "{line}");
    assert!(lines.iter().any(|line| line.contains(&event) && line.contains("no webhook brought")));
    everybody_heard_of_the_payment(&stack.settled(visitor.event_id, 3).await);

    let (again, _) = reconcile(&stack).await;
    assert_eq!(again["recorded"], 0, "{again}");
    assert!(again["seen"].as_u64() >= Some(1), "it looks at the last hour again: {again}");
    assert_eq!(stack.settled(visitor.event_id, 3).await.facts.len(), 3);
    assert_eq!(stack.sandbox.seen("sendgrid", &visitor.email).await.len(), 1, "one receipt");
    let purchases = stack.sandbox.seen("sgtm", &intent).await;
    let purchases = purchases.iter().filter(|hit| hit.body().to_string().contains("\"purchase\""));
    assert_eq!(purchases.count(), 1);
}

#[tokio::test]
async fn a_webhook_that_comes_later_is_a_duplicate() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let (visitor, intent) = somebody_about_to_pay(&stack).await;
    let told = stack.sandbox.pay_unheard(&intent, AGO).await;
    reconcile(&stack).await;
    assert!(has_paid(&stack, visitor.event_id).await);
    let body = stack.sandbox.event(&event_id(&told, "payment_intent.succeeded")).await;
    let (status, answer) =
        send_event(&stack, &body, &signature(stack.webhook_secret(), &body, now())).await;
    assert_eq!((status, &answer), (200, &json!({"received": true, "duplicate": true})));
    stack.settled(visitor.event_id, 3).await;
    assert_eq!(stack.sandbox.seen("sendgrid", &visitor.email).await.len(), 1);
}

#[tokio::test]
async fn what_stripe_sent_to_a_dead_address_is_made_up_for() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let (visitor, intent) = somebody_about_to_pay(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 1).await;
    stack.settled(visitor.event_id, 3).await;
    // Nobody listens on the port for discarded data.
    stack.sandbox.set_webhook("http://127.0.0.1:9/webhooks/stripe", true).await;
    let test = async {
        let told = stack.sandbox.refund_ago(&intent, AGO).await;
        assert!(told.to_string().contains("nobody listens there"), "{told}");
        let (line, _) = reconcile(&stack).await;
        assert!(line["recorded"].as_u64() >= Some(2), "created and updated: {line}");
    };
    and_then(test, stack.sandbox.set_webhook(&stack.url("/webhooks/stripe"), true)).await;
    // Stripe's own repetitions arrive now, and change nothing.
    let timeline = stack
        .wait_for(visitor.event_id, "the refund at every destination", |timeline| {
            timeline.facts.len() == 5
                && timeline.routes.len() == 5
                && timeline.deliveries.iter().all(|delivery| delivery.state.is_terminal())
                && timeline
                    .deliveries
                    .iter()
                    .filter(|delivery| delivery.id.effect.as_str().starts_with("payment_refunded:"))
                    .count()
                    == 5
        })
        .await;
    assert_eq!(delivery(&timeline, "payment_refunded", Hubspot).state, State::Delivered);
    assert_eq!(stack.sandbox.seen("sendgrid", &visitor.email).await.len(), 2, "receipt, refund");
}

#[tokio::test]
async fn an_event_that_cannot_be_recorded_is_said_and_does_not_hold_up_the_others() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    let (live, broken, strange, good) = (a_mark(), a_mark(), a_mark(), a_mark());
    let metadata = json!({"event_id": visitor.event_id, "email": visitor.email});
    let mut event = a_payment(&live, &metadata);
    event["livemode"] = true.into();
    stack.sandbox.write_unheard(event).await;
    let mut event = a_payment(&broken, &metadata);
    event["object"]["amount"] = "97 EUR".into();
    stack.sandbox.write_unheard(event).await;
    let elsewhere = a_visitor().event_id;
    write_as_a_newer_version(&stack, elsewhere, &strange).await;
    stack.sandbox.write_unheard(a_payment(&strange, &json!({"event_id": elsewhere}))).await;
    stack.sandbox.write_unheard(a_payment(&good, &metadata)).await;
    let (line, lines) = reconcile(&stack).await;
    assert!(line["passed"].as_u64() >= Some(3), "{line}");
    let facts = stack.timeline(visitor.event_id).await.facts;
    assert_eq!(facts.len(), 1, "the good one alone");
    for (mark, why) in [
        (&live, "the other mode"),
        (&broken, "data.object.amount"),
        (&strange, "a shape that this version does not know"),
    ] {
        let said = lines.iter().find(|line| line.contains(mark)).unwrap();
        assert!(said.contains(why) && said.contains("\"ERROR\""), "{said}");
        assert!(!said.contains(&visitor.email) && !said.contains("97 EUR"), "{said}");
    }
}

/// The fact of an event as a version wrote it that came after this one and was taken back.
async fn write_as_a_newer_version(stack: &Stack, journey: EventId, mark: &str) {
    let text = |text: String| AttributeValue::S(text);
    let put = stack.dynamodb().put_item().table_name(stack.table());
    let put = put.item("pk", text(format!("JOURNEY#{journey}")));
    let put = put.item("sk", text(format!("FACT#stripe#evt_{mark}")));
    put.item("fact", text(r#"{"schema":99}"#.to_owned())).send().await.unwrap();
}

#[tokio::test]
async fn a_payment_of_another_shop_is_fetched_and_told_to_nobody() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let mark = a_mark();
    stack.sandbox.write_unheard(a_payment(&mark, &json!({"order": "7"}))).await;
    reconcile(&stack).await;
    let journey = EventId::of_foreign(&StripeId::parse(&format!("pi_{mark}")).unwrap());
    let timeline = stack.settled(journey, 1).await;
    assert!(timeline.deliveries.is_empty());
    assert_eq!(format!("{:?}", timeline.routes).matches("NotOurs").count(), 5);
}

#[tokio::test]
async fn an_event_whose_webhook_may_still_be_on_its_way_is_left_for_a_later_run() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let (visitor, intent) = somebody_about_to_pay(&stack).await;
    stack.sandbox.pay_unheard(&intent, MARGIN - 40).await;
    let paid = Instant::now();
    reconcile(&stack).await;
    assert!(!has_paid(&stack, visitor.event_id).await, "it is 80 s old");
    while !has_paid(&stack, visitor.event_id).await {
        assert!(paid.elapsed() < 2 * PATIENCE, "it is never recorded");
        reconcile(&stack).await;
    }
    assert!(paid.elapsed().as_secs() >= 39, "before it was two minutes old");
}

#[tokio::test]
async fn a_disabled_endpoint_is_said_and_an_enabled_one_is_counted() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let ours = stack.url("/webhooks/stripe");
    let test = async {
        stack.sandbox.set_webhook(&ours, false).await;
        let (line, lines) = reconcile(&stack).await;
        assert_eq!(line["endpoint_enabled"], 0, "{line}");
        assert!(lines.iter().any(|line| line.contains("no enabled endpoint")), "{lines:#?}");
        stack.sandbox.set_webhook("http://127.0.0.1:9/elsewhere", true).await;
        assert_eq!(reconcile(&stack).await.0["endpoint_enabled"], 0, "it is not ours");
    };
    and_then(test, stack.sandbox.set_webhook(&ours, true)).await;
    assert_eq!(reconcile(&stack).await.0["endpoint_enabled"], 1);
}

#[tokio::test]
async fn a_key_that_may_not_list_endpoints_is_said_and_everything_else_goes_on() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let mark = a_mark();
    stack.sandbox.write_unheard(a_payment(&mark, &json!({}))).await;
    let fault = json!({"status": 403, "about": "/v1/webhook_endpoints", "times": 1});
    stack.sandbox.break_vendor("stripe", fault).await;
    let (line, lines) = reconcile(&stack).await;
    stack.sandbox.mend_vendor("stripe").await;
    assert_eq!((&line["endpoint_enabled"], &line["failed"]), (&Value::Null, &json!(0)), "{line}");
    let metrics = line["_aws"].to_string();
    assert!(metrics.contains("gap_seconds") && !metrics.contains("endpoint_enabled"), "{metrics}");
    let said = lines.iter().filter(|line| line.contains("may not list webhook endpoints"));
    assert_eq!(said.count(), 1, "{lines:#?}");
    let journey = EventId::of_foreign(&StripeId::parse(&format!("pi_{mark}")).unwrap());
    assert_eq!(stack.timeline(journey).await.facts.len(), 1);
}

#[tokio::test]
async fn a_wrong_key_is_said_by_its_name_and_its_time_is_made_up_for() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let right = stack.parameter("STRIPE_SECRET_KEY").await;
    let mark = a_mark();
    stack.sandbox.write_unheard(a_payment(&mark, &json!({}))).await;
    let journey = EventId::of_foreign(&StripeId::parse(&format!("pi_{mark}")).unwrap());
    let test = async {
        for (wrong, why) in [
            ("pk_test_wrong", "Stripe refuses STRIPE_SECRET_KEY"),
            (concat!("sk_", "live_wrong"), "STRIPE_SECRET_KEY is of the other mode"),
            (" ", "STRIPE_SECRET_KEY is not set"),
        ] {
            stack.set_secret("STRIPE_SECRET_KEY", wrong).await;
            stack.restart("reconciler").await;
            let (line, lines) = reconcile(&stack).await;
            assert_eq!((&line["failed"], &line["seen"]), (&json!(1), &json!(0)), "{line}");
            let said = lines.iter().find(|line| line.contains(why));
            assert!(said.is_some_and(|line| line.contains("\"ERROR\"")), "{why}: {lines:#?}");
            assert!(!lines.concat().contains("_wrong"), "{lines:#?}");
        }
        assert!(stack.timeline(journey).await.facts.is_empty());
    };
    let mend = async {
        stack.set_secret("STRIPE_SECRET_KEY", &right).await;
        stack.restart("reconciler").await;
    };
    and_then(test, mend).await;
    assert_eq!(reconcile(&stack).await.0["failed"], 0);
    assert_eq!(stack.timeline(journey).await.facts.len(), 1);
}

#[tokio::test]
async fn days_without_a_run_are_made_up_for_and_the_cursor_only_moves_on() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let present = Timestamp::from_millisecond(now_ms()).unwrap();
    let mark = a_mark();
    let mut old = a_payment(&mark, &json!({}));
    old["created"] = (present - days(2)).as_second().into();
    stack.sandbox.write_unheard(old).await;
    set_cursor_by_hand(&stack, present - days(3)).await;
    // Stripe is down, then up: what was not recorded does not move the cursor.
    stack.sandbox.break_vendor("stripe", json!({"status": 503, "times": 3})).await;
    let (line, _) = reconcile(&stack).await;
    stack.sandbox.mend_vendor("stripe").await;
    assert_eq!(line["failed"], 1, "{line}");
    assert!(line["gap_seconds"].as_i64() >= Some(days(3).as_secs()), "{line}");
    let (line, _) = reconcile(&stack).await;
    assert!(line["gap_seconds"].as_i64() < Some(i64::from(2 * MARGIN)), "{line}");
    let journey = EventId::of_foreign(&StripeId::parse(&format!("pi_{mark}")).unwrap());
    assert_eq!(stack.timeline(journey).await.facts.len(), 1);
    // A run that is behind does not move it back.
    let cursor = stack.ledger().cursor().await.unwrap().unwrap();
    stack.ledger().advance_cursor(present - days(1)).await.unwrap();
    assert_eq!(stack.ledger().cursor().await.unwrap(), Some(cursor));
}

#[tokio::test]
async fn a_time_in_which_too_much_happened_is_worked_in_halves_and_oldest_first() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let begin = now() - 5 * 24 * 3600;
    // More than a window may hold, none of which is kept: refunds on their way.
    let pending = (0..2_100).map(|number| {
        let refund =
            json!({"id": format!("re_{}", a_mark()), "object": "refund", "status": "pending"});
        let event =
            json!({"type": "refund.created", "created": begin + 10 + number, "object": refund});
        stack.sandbox.write_unheard(event)
    });
    futures_util::stream::iter(pending).buffer_unordered(16).collect::<Vec<()>>().await;
    let (first, second, last) = (a_mark(), a_mark(), a_mark());
    for (mark, at) in [(&last, begin + 2_200), (&second, begin + 5), (&first, begin)] {
        let mut event = a_payment(mark, &json!({}));
        event["created"] = at.into();
        stack.sandbox.write_unheard(event).await;
    }
    set_cursor_by_hand(&stack, Timestamp::from_second(begin).unwrap()).await;
    let (line, lines) = reconcile(&stack).await;
    assert_eq!(line["failed"], 0, "{line}");
    assert!(line["seen"].as_u64() >= Some(2_103), "{line}");
    assert!(line["gap_seconds"].as_i64() < Some(i64::from(2 * MARGIN)), "{line}");
    let place = |mark: &str| lines.iter().position(|line| line.contains(mark)).unwrap();
    assert!(place(&first) < place(&second) && place(&second) < place(&last), "{lines:#?}");
}

/// As docs/deploy.md says it.
async fn set_cursor_by_hand(stack: &Stack, at: Timestamp) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = stack.dynamodb().put_item().table_name(stack.table());
    let put = put.item("pk", text("RECONCILER")).item("sk", text("CURSOR"));
    let at = AttributeValue::N(at.as_millisecond().to_string());
    put.item("reached_at", at).send().await.unwrap();
}
