//! Stripe's bad days: whatever it answers, a buyer hears a documented problem in time, a call is
//! repeated only where that is safe, and afterwards the same checkout has one intent.

use super::answers::{Told, ask};
use crate::sandbox::{Seen, war};
use crate::stack::Stack;
use crate::visitor::{Visitor, a_visitor};
use lambda::http::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The function has 15 s; a buyer should hear before that.
const PATIENCE: Duration = Duration::from_secs(12);
/// What Stripe's own words may hold, and no answer of ours.
const STRIPES_WORDS: &str = "canario.amarelo@example.pt";

/// A fault, the problem it becomes, how often Stripe is called, and what `Retry-After` says.
type Day = (&'static str, Value, Kind, usize, u64);

/// Stripe understands, and says no.
fn refusals() -> Vec<Day> {
    use Kind::{PaymentsNotConfigured, StripeBusy, StripeRefused};
    let error = json!({"type": "card_error", "message": STRIPES_WORDS, "code": STRIPES_WORDS});
    let said = json!({ "error": error }).to_string();
    let date = "Fri, 20 Nov 2026 10:00:00 GMT";
    vec![
        ("400", json!({"status": 400}), StripeRefused, 1, 60),
        ("400 in words", json!({"status": 400, "body": said}), StripeRefused, 1, 60),
        ("400 again", json!({"status": 400, "should_retry": true}), StripeRefused, 3, 60),
        ("401", json!({"status": 401}), PaymentsNotConfigured, 1, 60),
        ("402", json!({"status": 402}), StripeRefused, 1, 60),
        ("403", json!({"status": 403}), PaymentsNotConfigured, 1, 60),
        ("404", json!({"status": 404}), StripeRefused, 1, 60),
        ("302", json!({"status": 302}), PaymentsNotConfigured, 1, 60),
        ("409", json!({"status": 409}), StripeBusy, 3, 5),
        ("409 not again", json!({"status": 409, "should_retry": false}), StripeBusy, 1, 5),
        ("429", json!({"status": 429}), StripeBusy, 1, 5),
        ("429 for a while", json!({"status": 429, "retry_after": 7}), StripeBusy, 1, 7),
        ("429 for a day", json!({"status": 429, "retry_after": 86_400}), StripeBusy, 1, 300),
        ("429 until a date", json!({"status": 429, "retry_after": date}), StripeBusy, 1, 5),
        ("429 again", json!({"status": 429, "should_retry": true}), StripeBusy, 3, 5),
    ]
}

/// Stripe does not do its work, or says what makes no sense.
fn failures() -> Vec<Day> {
    use Kind::{StripeTooSlow, StripeUnavailable, StripeUnreadable};
    let page = format!("<html>{STRIPES_WORDS}</html>");
    let stray = r#"{"id":"pi_1","amount":"much"}"#;
    vec![
        ("500", json!({"status": 500}), StripeUnavailable, 3, 5),
        ("500 not again", json!({"status": 500, "should_retry": false}), StripeUnavailable, 1, 5),
        ("503", json!({"status": 503}), StripeUnavailable, 3, 5),
        ("503 for long", json!({"status": 503, "retry_after": 30}), StripeUnavailable, 1, 30),
        ("a page", json!({ "body": page }), StripeUnreadable, 1, 5),
        ("JSON of something else", json!({ "body": stray }), StripeUnreadable, 1, 5),
        ("nothing", json!({"status": 200}), StripeUnreadable, 1, 5),
        ("no content", json!({"status": 204}), StripeUnreadable, 1, 5),
        ("no answer", json!({"abort": true}), StripeUnavailable, 3, 5),
        ("half an answer", json!({"cut": true}), StripeUnavailable, 3, 5),
        ("half a refusal", json!({"status": 400, "cut": true}), StripeUnavailable, 3, 5),
        ("too slow", json!({"latency_ms": 60_000}), StripeTooSlow, 2, 5),
    ]
}

async fn check_out(stack: &Stack, visitor: &Visitor) -> (Told, Duration) {
    let began = Instant::now();
    let told = ask("/payment-intents").json(&visitor.purchase()).post(stack).await;
    (told, began.elapsed())
}

async fn calls(stack: &Stack, visitor: &Visitor) -> Vec<Seen> {
    stack.sandbox.seen("stripe", &visitor.event_id.to_string()).await
}

/// The keys under which intents were asked for.
fn keys(calls: &[Seen]) -> BTreeSet<&str> {
    let creations = calls.iter().filter(|seen| seen.path() == "/stripe/v1/payment_intents");
    creations.map(|seen| seen.0["headers"]["idempotency-key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn whatever_stripe_answers_is_a_documented_problem_in_time() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let days = refusals().into_iter().chain(failures());
    for (name, mut fault, kind, expected, retry_after) in days {
        let visitor = a_visitor();
        fault["times"] = json!(50);
        stack.sandbox.break_vendor("stripe", fault).await;
        let (told, took) = check_out(&stack, &visitor).await;
        stack.sandbox.mend_vendor("stripe").await;
        told.is_problem(kind, &[], &name);
        assert!(took < PATIENCE, "{name} took {took:?}");
        assert_eq!(told.retry_after(), retry_after, "{name}");
        assert!(!told.text.contains(STRIPES_WORDS), "{name}: {told:?}");
        let asked = calls(&stack, &visitor).await;
        assert_eq!(asked.len(), expected, "{name}: {asked:?}");
        assert_eq!(keys(&asked).len(), 1, "{name}: a repeat is the same call");
        assert!(stack.timeline(visitor.event_id).await.facts.is_empty(), "{name}: nothing began");

        let (told, _) = check_out(&stack, &visitor).await;
        told.is(200, &name);
        let (again, _) = check_out(&stack, &visitor).await;
        assert_eq!(again.json["payment_intent_id"], told.json["payment_intent_id"], "{name}");
    }
}

#[tokio::test]
async fn what_stripe_gets_over_by_itself_no_buyer_hears_of() {
    let (stack, _alone) = (Stack::running().await, war().await);
    for (name, fault, attempts) in [
        ("409", json!({"status": 409}), 1),
        ("429 to be repeated", json!({"status": 429, "should_retry": true}), 1),
        ("503", json!({"status": 503, "retry_after": 1}), 1),
        ("an answer that is lost", json!({"abort": true, "worked": true}), 1),
        ("an answer that is cut", json!({"cut": true}), 1),
        ("an answer that is late", json!({"latency_ms": 4000}), 1),
        // Stripe repeats its failure under that key: only a new one helps.
        ("a failure that is kept", json!({"status": 500}), 2),
    ] {
        let visitor = a_visitor();
        stack.sandbox.break_vendor("stripe", fault).await;
        let (told, took) = check_out(&stack, &visitor).await;
        stack.sandbox.mend_vendor("stripe").await;
        told.is(200, &name);
        assert!(took < PATIENCE, "{name} took {took:?}");
        let asked = calls(&stack, &visitor).await;
        assert_eq!(keys(&asked).len(), attempts, "{name}: {asked:?}");
        let (again, _) = check_out(&stack, &visitor).await;
        assert_eq!(again.json["payment_intent_id"], told.json["payment_intent_id"], "{name}");
    }
}

#[tokio::test]
async fn an_open_checkout_outlives_stripes_bad_days() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    let (first, _) = check_out(&stack, &visitor).await;
    for (name, fault, kind) in [
        ("down", json!({"status": 503, "should_retry": false}), Kind::StripeUnavailable),
        ("a wrong key", json!({"status": 401}), Kind::PaymentsNotConfigured),
        ("a page", json!({"body": "<html>"}), Kind::StripeUnreadable),
    ] {
        stack.sandbox.break_vendor("stripe", fault).await;
        let (told, _) = check_out(&stack, &visitor).await;
        stack.sandbox.mend_vendor("stripe").await;
        told.is_problem(kind, &[], &name);
        let (again, _) = check_out(&stack, &visitor).await;
        assert_eq!(again.json, first.json, "{name}");
    }
}
