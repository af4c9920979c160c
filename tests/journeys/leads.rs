//! Leads, corrections and consent.

use crate::sandbox::peace;
use crate::stack::{Stack, delivery, state};
use crate::visitor::a_visitor;
use domain::delivery::State;
use domain::destination::Destination::{Hubspot, Mailerlite, Sgtm, Slack};
use serde_json::json;

#[tokio::test]
async fn a_lead_reaches_every_destination_once_under_one_event_id() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    for destination in [Hubspot, Mailerlite, Slack] {
        assert_eq!(delivery(&timeline, "lead_captured", destination).state, State::Delivered);
    }
    assert_eq!(delivery(&timeline, "lead_captured", Sgtm).state, State::AcceptedUnverifiable);
    let event_id = visitor.event_id.to_string();
    for vendor in ["hubspot", "mailerlite", "sgtm", "slack"] {
        let seen = stack.sandbox.seen(vendor, &event_id).await;
        assert_eq!(seen.len(), 1, "{vendor}: {seen:?}");
        assert_eq!(seen[0].0.get("problems"), None, "{vendor} was sent what it would not take");
    }
    assert!(stack.sandbox.seen("sendgrid", &event_id).await.is_empty());
}

#[tokio::test]
async fn the_same_lead_again_is_the_same_answer_and_one_fact() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    visitor.leaves_a_lead(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    assert_eq!(timeline.facts.len(), 1);
    assert_eq!(stack.sandbox.seen("hubspot", &visitor.email).await.len(), 1);
}

#[tokio::test]
async fn another_body_under_the_same_revision_is_a_conflict_and_nobody_elses_session_is_taken() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let mut other = visitor.lead(1);
    other["full_name"] = json!("Outra Pessoa");
    let answer = stack.post("/leads", &visitor.ip, &other).await;
    assert_eq!(
        (answer.status, answer.content_type.as_deref()),
        (409, Some("application/problem+json"))
    );
    let mut foreign = visitor.lead(2);
    foreign["user_session_id"] = json!(uuid::Uuid::new_v4());
    let answer = stack.post("/leads", &visitor.ip, &foreign).await;
    assert_eq!(answer.status, 409, "{answer:?}");
    assert!(!answer.text.contains("example.pt"), "a problem holds no value");
    assert_eq!(stack.settled(visitor.event_id, 1).await.facts.len(), 1);
}

#[tokio::test]
async fn a_corrected_phone_and_a_corrected_address_change_the_same_contact() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let mut visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    visitor.phone = "913 456 789".into();
    visitor.sends_revision(&stack, 2).await;
    stack.settled(visitor.event_id, 2).await;
    let wrong = visitor.email.clone();
    visitor.email = wrong.replace("ana.silva", "ana.s");
    visitor.sends_revision(&stack, 3).await;
    stack.settled(visitor.event_id, 3).await;

    let seen = stack.sandbox.seen("hubspot", &visitor.event_id.to_string()).await;
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[1].0.to_string().contains("+351913456789"));
    assert_eq!(
        seen[1].path(),
        seen[2].path(),
        "by the contact's own id, so that it stays one contact"
    );
    assert!(seen[2].0.to_string().contains(&visitor.email));
    assert!(seen.iter().all(crate::sandbox::Seen::was_taken));
}

#[tokio::test]
async fn a_visitor_who_refused_is_at_no_destination_that_needs_consent() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor().without_consent();
    visitor.leaves_a_lead(&stack).await;
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 1).await;
    let timeline = stack.settled(visitor.event_id, 3).await;
    for kind in ["lead_captured", "checkout_started", "payment_succeeded"] {
        assert_eq!(state(&timeline, kind, Sgtm), None, "routing skips {kind}");
        let newsletter = delivery(&timeline, kind, Mailerlite);
        assert_eq!((newsletter.state, newsletter.reason.as_str()), (State::Skipped, "consent"));
    }
    for vendor in ["sgtm", "mailerlite"] {
        for mark in [&visitor.email, &visitor.event_id.to_string()] {
            assert!(stack.sandbox.seen(vendor, mark).await.is_empty(), "{vendor} heard of {mark}");
        }
    }
    assert_eq!(state(&timeline, "payment_succeeded", Hubspot), Some(State::Delivered));
    assert_eq!(
        stack.sandbox.seen("sendgrid", &visitor.email).await.len(),
        1,
        "a receipt needs no consent"
    );
}

#[tokio::test]
async fn a_withdrawal_unsubscribes_and_a_new_grant_subscribes_again() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let subscriber = stack.vendor_id(visitor.event_id, Mailerlite).await;
    let answer = visitor.answers_consent(&stack, false, "2026-11-20T11:00:00Z").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    stack.settled(visitor.event_id, 2).await;
    let told = stack.sandbox.seen("mailerlite", &subscriber).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].body(),
        &json!({"status": "unsubscribed"}),
        "and nothing else of the person"
    );

    // An older answer that arrives late changes nothing.
    visitor.answers_consent(&stack, true, "2026-11-20T10:30:00Z").await;
    stack.settled(visitor.event_id, 3).await;
    assert_eq!(stack.sandbox.seen("mailerlite", &subscriber).await.len(), 1);
    assert_eq!(stack.sandbox.seen("mailerlite", &visitor.email).await.len(), 1);

    visitor.answers_consent(&stack, true, "2026-11-20T12:00:00Z").await;
    stack.settled(visitor.event_id, 4).await;
    let seen = stack.sandbox.seen("mailerlite", &visitor.email).await;
    assert_eq!(seen.last().unwrap().body()["resubscribe"], true, "{seen:?}");
}

#[tokio::test]
async fn a_refusal_in_a_corrected_lead_unsubscribes_too() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let subscriber = stack.vendor_id(visitor.event_id, Mailerlite).await;
    let mut corrected = visitor.lead(2);
    corrected["consent"]["marketing"] = json!(false);
    corrected["consent"]["timestamp"] = json!("2026-11-20T10:05:00Z");
    assert_eq!(stack.post("/leads", &visitor.ip, &corrected).await.status, 202);
    stack.settled(visitor.event_id, 2).await;
    let told = stack.sandbox.seen("mailerlite", &subscriber).await;
    assert_eq!(told.last().unwrap().body(), &json!({"status": "unsubscribed"}), "{told:?}");
}

#[tokio::test]
async fn an_answer_given_before_the_lead_counts_for_it() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let answer = visitor.answers_consent(&stack, false, "2026-11-20T09:00:00Z").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let mut lead = visitor.lead(1);
    lead["consent"] = json!(null);
    assert_eq!(stack.post("/leads", &visitor.ip, &lead).await.status, 202);
    let timeline = stack.settled(visitor.event_id, 2).await;
    assert_eq!(state(&timeline, "lead_captured", Sgtm), None);
    assert_eq!(state(&timeline, "lead_captured", Mailerlite), Some(State::Skipped));
    assert!(stack.sandbox.seen("mailerlite", &visitor.email).await.is_empty());
}

#[tokio::test]
async fn who_owns_a_mistyped_address_inherits_no_consent() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (mut typist, owner) = (a_visitor(), a_visitor());
    let own = std::mem::replace(&mut typist.email, owner.email.clone());
    typist.leaves_a_lead(&stack).await;
    stack.settled(typist.event_id, 1).await;
    typist.email = own;
    typist.sends_revision(&stack, 2).await;
    stack.settled(typist.event_id, 2).await;
    let mut lead = owner.lead(1);
    lead["consent"] = json!(null);
    assert_eq!(stack.post("/leads", &owner.ip, &lead).await.status, 202);
    let timeline = stack.settled(owner.event_id, 1).await;
    let skipped = format!("{:?}", timeline.routes);
    assert!(skipped.contains("no valid consent for marketing is recorded"), "{skipped}");
}

#[tokio::test]
async fn invalid_fields_are_named_together_and_nothing_is_stored() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let mut body = visitor.lead(1);
    body["email"] = json!("not an address");
    body["phone"] = json!("12");
    let answer = stack.post("/leads", &visitor.ip, &body).await;
    assert_eq!(answer.status, 422);
    let fields: Vec<&str> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["email", "phone"]);
    assert!(!answer.text.contains("not an address"));
    assert!(stack.timeline(visitor.event_id).await.facts.is_empty());
}

#[tokio::test]
async fn a_hundred_leads_a_minute_are_taken_from_one_address_and_no_more() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    // Invalid bodies count too, and cost no deliveries. A minute may end in the middle: then the
    // second one has room again, so the limit is looked for within 250 calls.
    let mut refused = None;
    for _ in 0..250 {
        let answer = stack.post("/leads", &visitor.ip, &json!({})).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 422);
    }
    assert_eq!(refused.unwrap().json["type"], "urn:throughline:problem:rate-limited");
}
