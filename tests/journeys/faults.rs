//! Vendors that fail, one at a time.

use crate::sandbox::war;
use crate::stack::{PATIENCE, Stack, delivery, pause, state};
use crate::visitor::a_visitor;
use domain::delivery::State;
use domain::destination::Destination::{Hubspot, Mailerlite, Sendgrid, Sgtm, Slack};
use serde_json::json;
use std::time::Instant;

#[tokio::test]
async fn a_vendor_that_is_down_twice_hears_once_and_nobody_else_waits() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    stack.sandbox.break_vendor("hubspot", visitor.fault(json!({"status": 503, "times": 2}))).await;
    visitor.leaves_a_lead(&stack).await;
    let early = stack
        .wait_for(visitor.event_id, "the others done", |timeline| {
            [Mailerlite, Sgtm, Slack]
                .into_iter()
                .all(|d| state(timeline, "lead_captured", d).is_some_and(State::is_terminal))
        })
        .await;
    assert_eq!(delivery(&early, "lead_captured", Mailerlite).attempts, 1);
    let timeline = stack.settled(visitor.event_id, 1).await;
    let crm = delivery(&timeline, "lead_captured", Hubspot);
    assert_eq!((crm.state, crm.attempts), (State::Delivered, 3));
    let seen = stack.sandbox.seen("hubspot", &visitor.email).await;
    assert_eq!(seen.iter().filter(|seen| seen.was_taken()).count(), 1, "{seen:?}");
}

#[tokio::test]
async fn a_record_that_a_vendor_refuses_is_dead_and_its_dead_letter_holds_ids_only() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    stack.sandbox.break_vendor("hubspot", visitor.fault(json!({"status": 400, "times": 1}))).await;
    visitor.leaves_a_lead(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    let crm = delivery(&timeline, "lead_captured", Hubspot);
    assert_eq!((crm.state, crm.reason.as_str()), (State::Dead, "rejected"));
    let timeline = stack
        .wait_for(visitor.event_id, "a dead letter", |timeline| {
            delivery(timeline, "lead_captured", Hubspot).dead_lettered
        })
        .await;
    assert!(!delivery(&timeline, "lead_captured", Hubspot).detail.contains('@'));
    let letters = stack.dead_letters("crm-sync", visitor.event_id).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(
        !letters[0].contains("example.pt")
            && !letters[0].contains("Ana")
            && !letters[0].contains("912")
    );
}

#[tokio::test]
async fn no_older_state_overwrites_a_newer_one_at_the_crm() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    stack
        .sandbox
        .break_vendor("hubspot", visitor.fault(json!({"status": 503, "times": 1000})))
        .await;
    visitor.leaves_a_lead(&stack).await;
    stack
        .wait_for(visitor.event_id, "a first failed call", |timeline| {
            timeline
                .deliveries
                .iter()
                .any(|delivery| delivery.id.destination == Hubspot && delivery.attempts > 0)
        })
        .await;
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 2).await;
    stack.wait_for(visitor.event_id, "the payment", |timeline| timeline.facts.len() == 3).await;
    stack.sandbox.mend_vendor("hubspot").await;
    stack.settled(visitor.event_id, 3).await;
    let seen = stack.sandbox.seen("hubspot", &visitor.event_id.to_string()).await;
    let taken: Vec<String> =
        seen.iter().filter(|seen| seen.was_taken()).map(|seen| seen.body().to_string()).collect();
    assert!(taken.last().unwrap().contains(r#""throughline_stage":"won""#), "{taken:?}");
    assert!(taken.iter().all(|body| !body.contains(r#""throughline_stage":"lead""#)), "{taken:?}");
}

#[tokio::test]
async fn an_at_most_once_call_with_an_unknown_outcome_is_never_repeated() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    stack.sandbox.break_vendor("slack", visitor.fault(json!({"abort": true, "times": 1}))).await;
    visitor.leaves_a_lead(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    let operators = delivery(&timeline, "lead_captured", Slack);
    assert_eq!((operators.state, operators.reason.as_str()), (State::Dead, "unknown_outcome"));
    assert_eq!(operators.attempts, 1);
    assert_eq!(stack.sandbox.seen("slack", &visitor.event_id.to_string()).await.len(), 1);
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_of_an_e_mail_sends_no_second_one() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    let intent = visitor.checks_out(&stack).await;
    // SendGrid takes the letter, and its answer takes longer than the worker lives.
    let slow = visitor.fault(json!({"latency_ms": 4_000, "times": 1}));
    stack.sandbox.break_vendor("sendgrid", slow).await;
    stack.sandbox.pay(&intent, "succeeded", 1).await;
    let began = Instant::now();
    while stack.sandbox.seen("sendgrid", &visitor.email).await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "the letter was never sent");
        pause().await;
    }
    stack.kill("notifier");
    // The lease of a minute, the sweeper's minute, and a moment.
    let timeline = loop {
        let timeline = stack.timeline(visitor.event_id).await;
        let over = state(&timeline, "payment_succeeded", Sendgrid).is_some_and(State::is_terminal);
        if over || began.elapsed() > PATIENCE * 3 {
            break timeline;
        }
        pause().await;
    };
    let letter = delivery(&timeline, "payment_succeeded", Sendgrid);
    assert_eq!((letter.state, letter.reason.as_str()), (State::Dead, "unknown_outcome"));
    assert!(letter.detail.contains("look at the vendor"), "{}", letter.detail);
    assert_eq!(letter.attempts, 1);
    assert_eq!(stack.sandbox.seen("sendgrid", &visitor.email).await.len(), 1, "one letter");
    let letters = stack.dead_letters("notifier", visitor.event_id).await;
    assert_eq!(letters.len(), 1, "a person is told: {letters:?}");
}
