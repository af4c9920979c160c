//! Gates: a vendor that is down for longer, a setting that is wrong, a limit of calls, and a
//! person's hand.

use crate::sandbox::war;
use crate::stack::{PATIENCE, Stack, delivery, pause, state};
use crate::stripe::now;
use crate::visitor::{Visitor, a_visitor};
use domain::delivery::State;
use domain::destination::Destination::{self, Hubspot, Mailerlite, Sendgrid, Sgtm, Slack};
use domain::gate::{Breaker, Cause, Pause, Trip};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::time::Instant;

fn at_present() -> Timestamp {
    Timestamp::from_second(now()).unwrap()
}

/// Waits until a destination's breaker is open.
async fn trip(stack: &Stack, destination: Destination) -> Trip {
    let began = Instant::now();
    loop {
        if let Breaker::Open(trip) = stack.ledger().gate(destination).await.unwrap().breaker {
            return trip;
        }
        assert!(began.elapsed() < PATIENCE, "the breaker of {destination} never opened");
        pause().await;
    }
}

/// What became of a gate since a moment, in its own words.
async fn history(stack: &Stack, destination: Destination, since: Timestamp) -> Vec<String> {
    let events = stack.ledger().gate_history(destination, since).await.unwrap();
    events.into_iter().map(|event| event.what).collect()
}

/// Waits until a lead's delivery waits for a reason.
async fn waits(stack: &Stack, visitor: &Visitor, destination: Destination, reason: &str) {
    let what = format!("{destination} waiting for {reason}");
    stack
        .wait_for(visitor.event_id, &what, |timeline| {
            state(timeline, "lead_captured", destination) == Some(State::Waiting)
                && delivery(timeline, "lead_captured", destination).reason == reason
        })
        .await;
}

async fn calls(stack: &Stack, vendor: &str) -> usize {
    stack.sandbox.seen(vendor, "").await.len()
}

#[tokio::test]
async fn a_vendor_that_stays_down_is_left_alone_and_hears_of_everybody_once_when_it_is_back() {
    let (stack, _war) = (Stack::running().await, war().await);
    let since = at_present();
    stack.sandbox.break_vendor("hubspot", json!({"status": 503, "times": 100_000})).await;
    let mut visitors: Vec<Visitor> = (0..12).map(|_| a_visitor()).collect();
    for visitor in &visitors {
        visitor.leaves_a_lead(&stack).await;
    }
    let trip = trip(&stack, Hubspot).await;
    assert_eq!(trip.cause, Cause::Outage);
    // What this instance and the others believed of the gate is two seconds old at most.
    let opened_at = Instant::now();
    while opened_at.elapsed().as_secs() < 3 {
        pause().await;
    }
    let before = calls(&stack, "hubspot").await;
    let late = a_visitor();
    late.leaves_a_lead(&stack).await;
    waits(&stack, &late, Hubspot, "breaker").await;
    let timeline = stack
        .wait_for(late.event_id, "the others done", |timeline| {
            [Mailerlite, Sgtm, Slack]
                .into_iter()
                .all(|d| state(timeline, "lead_captured", d).is_some_and(State::is_terminal))
        })
        .await;
    assert_eq!(delivery(&timeline, "lead_captured", Hubspot).attempts, 0, "it was not called");
    if at_present() < trip.until {
        assert_eq!(calls(&stack, "hubspot").await, before, "nobody else called it either");
    }
    stack.sandbox.mend_vendor("hubspot").await;
    visitors.push(late);
    for visitor in &visitors {
        let timeline = stack.settled(visitor.event_id, 1).await;
        assert_eq!(delivery(&timeline, "lead_captured", Hubspot).state, State::Delivered);
        let seen = stack.sandbox.seen("hubspot", &visitor.email).await;
        assert_eq!(seen.iter().filter(|seen| seen.was_taken()).count(), 1, "{seen:?}");
        assert!(stack.dead_letters("crm-sync", visitor.event_id).await.is_empty());
    }
    let history = history(&stack, Hubspot, since).await;
    assert_eq!(history.first().map(String::as_str), Some("opened"), "{history:?}");
    assert_eq!(history.last().map(String::as_str), Some("closed"), "{history:?}");
}

#[tokio::test]
async fn a_wrong_key_shuts_the_destination_says_what_to_mend_and_loses_nothing() {
    let (stack, _war) = (Stack::running().await, war().await);
    let first = a_visitor();
    stack.sandbox.break_vendor("mailerlite", json!({"status": 401, "times": 100_000})).await;
    first.leaves_a_lead(&stack).await;
    let trip = trip(&stack, Mailerlite).await;
    assert_eq!(trip.cause, Cause::Setup);
    assert_eq!(trip.detail, "mailerlite answers 401: mend the secret MAILERLITE_API_KEY");
    assert!(trip.until.duration_since(trip.since) >= SignedDuration::from_secs(299));
    waits(&stack, &first, Mailerlite, "breaker").await;
    let second = a_visitor();
    second.leaves_a_lead(&stack).await;
    waits(&stack, &second, Mailerlite, "breaker").await;

    stack.sandbox.mend_vendor("mailerlite").await;
    stack.opens_gates().await;
    stack.invoke("sweeper", &json!({})).await;
    for visitor in [&first, &second] {
        let timeline = stack.settled(visitor.event_id, 1).await;
        let newsletter = delivery(&timeline, "lead_captured", Mailerlite);
        assert_eq!(newsletter.state, State::Delivered);
        let step = &newsletter.steps[0];
        assert_eq!((step.state, step.reason.as_str()), (State::Waiting, "breaker"));
        let seen = stack.sandbox.seen("mailerlite", &visitor.email).await;
        assert_eq!(seen.iter().filter(|seen| seen.was_taken()).count(), 1, "{seen:?}");
    }
}

#[tokio::test]
async fn a_paused_destination_is_resumed_by_hand_alone_and_loses_nothing() {
    let (stack, _war) = (Stack::running().await, war().await);
    let (ledger, since) = (stack.ledger(), at_present());
    let pause = Pause { since, by: "ana".into(), why: "the wording is wrong".into() };
    ledger.pause(Slack, &pause).await.unwrap();
    stack.forgets_gates().await;
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    waits(&stack, &visitor, Slack, "paused").await;
    stack.invoke("sweeper", &json!({})).await;
    let timeline = stack
        .wait_for(visitor.event_id, "the others done", |timeline| {
            [Hubspot, Mailerlite, Sgtm]
                .into_iter()
                .all(|d| state(timeline, "lead_captured", d).is_some_and(State::is_terminal))
        })
        .await;
    let chat = delivery(&timeline, "lead_captured", Slack);
    assert_eq!((chat.state, chat.attempts), (State::Waiting, 0));
    assert_eq!(chat.detail, "paused by ana: the wording is wrong");

    ledger.resume(Slack, "ana", "it was corrected", at_present()).await.unwrap();
    stack.forgets_gates().await;
    stack.invoke("sweeper", &json!({})).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    assert_eq!(delivery(&timeline, "lead_captured", Slack).state, State::Delivered);
    assert_eq!(stack.sandbox.seen("slack", &visitor.event_id.to_string()).await.len(), 1);
    assert_eq!(history(&stack, Slack, since).await, ["paused", "resumed"]);
}

#[tokio::test]
async fn a_burst_waits_for_its_turn_at_a_vendor_with_a_limit() {
    let (stack, _war) = (Stack::running().await, war().await);
    let usual = stack.environment("esp-sync").await;
    let mut limited = usual.clone();
    limited.insert("CALLS_PER_MINUTE".into(), json!("mailerlite=60"));
    stack.set_environment("esp-sync", &limited).await;
    let visitors: Vec<Visitor> = (0..24).map(|_| a_visitor()).collect();
    for visitor in &visitors {
        visitor.leaves_a_lead(&stack).await;
    }
    let mut called_at = Vec::new();
    for visitor in &visitors {
        let timeline = stack.settled(visitor.event_id, 1).await;
        let newsletter = delivery(&timeline, "lead_captured", Mailerlite);
        assert_eq!((newsletter.state, newsletter.attempts), (State::Delivered, 1));
        let seen = stack.sandbox.seen("mailerlite", &visitor.email).await;
        assert_eq!(seen.len(), 1, "{seen:?}");
        called_at.push(seen[0].at());
    }
    stack.set_environment("esp-sync", &usual).await;
    called_at.sort_unstable();
    // Ten seconds' worth at once, and then one slot after the other.
    let took = called_at[23].duration_since(called_at[0]);
    assert!(took >= SignedDuration::from_secs(13), "24 calls took {took:?}");
    assert_eq!(stack.ledger().gate(Sendgrid).await.unwrap().breaker, Breaker::Closed);
}
