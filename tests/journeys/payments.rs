//! Checkouts, payments, refunds, and Stripe's habits.

use crate::sandbox::peace;
use crate::stack::{Stack, delivery, state};
use crate::stripe::{now, payment_event, send_event, signature};
use crate::visitor::a_visitor;
use domain::delivery::State;
use domain::destination::Destination::{self, Hubspot, Mailerlite, Sendgrid, Sgtm, Slack};
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test]
async fn a_purchase_and_its_refund_reach_every_destination_once() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 3).await;
    let timeline = stack.settled(visitor.event_id, 3).await;
    for destination in [Hubspot, Mailerlite, Sendgrid, Slack] {
        assert_eq!(delivery(&timeline, "payment_succeeded", destination).state, State::Delivered);
    }
    assert_eq!(delivery(&timeline, "payment_succeeded", Sgtm).state, State::AcceptedUnverifiable);

    stack.sandbox.refund(&intent, None).await;
    // Two of Stripe's events describe the refund: two facts, one effect.
    let timeline = stack.settled_refund(visitor.event_id).await;
    for destination in Destination::ALL {
        let refunds = timeline.deliveries.iter().filter(|delivery| {
            delivery.id.destination == destination
                && delivery.id.effect.as_str().starts_with("payment_refunded:")
        });
        assert_eq!(refunds.count(), 1, "{destination}");
    }
    let purchases = stack.sandbox.seen("sgtm", &intent).await;
    let names: Vec<&str> =
        purchases.iter().map(|seen| seen.body()["events"][0]["name"].as_str().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| **name == "purchase").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "refund").count(), 1, "{names:?}");
    assert_eq!(
        stack.sandbox.seen("sendgrid", &visitor.email).await.len(),
        2,
        "a receipt and a refund"
    );
    let crm = stack.sandbox.seen("hubspot", &visitor.event_id.to_string()).await;
    assert!(
        crm.last().unwrap().body().to_string().contains(r#""throughline_stage":"refunded""#),
        "{crm:?}"
    );
}

impl Stack {
    /// Waits until a refund's facts, of which there may be two, are worked.
    async fn settled_refund(&self, event_id: domain::id::EventId) -> ledger::Timeline {
        self.wait_for(event_id, "both refund facts and all deliveries", |timeline| {
            let refunds = timeline
                .facts
                .iter()
                .filter(|fact| fact.happening.name() == "payment_refunded")
                .count();
            refunds == 2
                && timeline.routes.len() == timeline.facts.len()
                && Destination::ALL.into_iter().all(|destination| {
                    state(timeline, "payment_refunded", destination).is_some_and(State::is_terminal)
                })
        })
        .await
    }
}

#[tokio::test]
async fn the_same_checkout_again_is_the_same_intent_and_a_corrected_phone_is_no_conflict() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let mut visitor = a_visitor();
    let first = visitor.checks_out(&stack).await;
    visitor.phone = "913 456 789".into();
    let second = visitor.checks_out(&stack).await;
    assert_eq!(first, second);
    let mut updates = stack.sandbox.seen("stripe", &first).await;
    updates.retain(|seen| seen.0.to_string().contains("+351913456789"));
    assert_eq!(updates.len(), 1, "{updates:?}");
    assert!(updates[0].was_taken());
}

#[tokio::test]
async fn an_answer_that_comes_with_a_repeated_checkout_is_kept() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.checks_out(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let mut again = visitor.purchase();
    again["consent"]["marketing"] = json!(false);
    again["consent"]["timestamp"] = json!("2026-11-20T10:30:00Z");
    for _ in 0..2 {
        assert_eq!(stack.post("/payment-intents", &visitor.ip, &again).await.status, 200);
    }
    let timeline = stack.settled(visitor.event_id, 2).await;
    assert!(timeline.facts.iter().any(|fact| fact.happening.name() == "consent_changed"));
}

#[tokio::test]
async fn a_price_comes_from_the_catalogue_and_an_unknown_product_is_404() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let mut body = visitor.purchase();
    body["amount"] = json!(1);
    body["quantity"] = json!(2);
    let answer = stack.post("/payment-intents", &visitor.ip, &body).await;
    assert_eq!(
        (answer.json["amount"].as_i64(), answer.json["currency"].as_str()),
        (Some(19400), Some("eur"))
    );
    body["product_id"] = json!("tea");
    assert_eq!(stack.post("/payment-intents", &visitor.ip, &body).await.status, 404);
}

#[tokio::test]
async fn a_hundred_deliveries_of_one_event_are_one_fact_and_one_call_each() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let intent = format!("pi_hundred{}", visitor.session.simple());
    let metadata = json!({"event_id": visitor.event_id, "user_session_id": visitor.session, "email": visitor.email,
        "product_id": "cafe-com-vendas-ticket", "product_name": "Café com Vendas", "quantity": "1"});
    let body =
        payment_event(&format!("evt_{}", visitor.session.simple()), &intent, &metadata).to_string();
    let signature = signature(stack.webhook_secret(), &body, now());
    let answers = join_all((0..100).map(|_| send_event(&stack, &body, &signature))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    let timeline = stack.settled(visitor.event_id, 2).await;
    assert_eq!(timeline.facts.len(), 2);
    assert_eq!(stack.sandbox.seen("sgtm", &intent).await.len(), 1);
    assert_eq!(stack.sandbox.seen("sendgrid", &visitor.email).await.len(), 1);
    let slack = stack.sandbox.seen("slack", &visitor.event_id.to_string()).await;
    assert_eq!(slack.len(), 2, "the lead and the payment: {slack:?}");
    let crm = stack.sandbox.seen("hubspot", &visitor.event_id.to_string()).await;
    assert_eq!(crm.len(), 2, "{crm:?}");
}

#[tokio::test]
async fn two_events_that_describe_one_payment_are_one_effect() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let intent = format!("pi_twice{}", visitor.session.simple());
    let metadata = json!({"event_id": visitor.event_id, "email": visitor.email});
    for copy in ["a", "b"] {
        let body =
            payment_event(&format!("evt_{copy}{}", visitor.session.simple()), &intent, &metadata)
                .to_string();
        let (status, _) =
            send_event(&stack, &body, &signature(stack.webhook_secret(), &body, now())).await;
        assert_eq!(status, 200);
    }
    let timeline = stack
        .wait_for(visitor.event_id, "a routing that records the duplicates", |timeline| {
            timeline
                .routes
                .iter()
                .any(|record| format!("{:?}", record.routes).contains("Duplicate"))
                && timeline.deliveries.iter().all(|delivery| delivery.state.is_terminal())
        })
        .await;
    assert_eq!(timeline.facts.len(), 3);
    assert_eq!(stack.sandbox.seen("sendgrid", &visitor.email).await.len(), 1);
}

#[tokio::test]
async fn a_payment_of_another_shop_is_recorded_and_told_to_nobody() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let mark = uuid::Uuid::new_v4().simple().to_string();
    let intent = format!("pi_other{mark}");
    let body = payment_event(&format!("evt_{mark}"), &intent, &json!({})).to_string();
    let (status, _) =
        send_event(&stack, &body, &signature(stack.webhook_secret(), &body, now())).await;
    assert_eq!(status, 200);
    let journey = domain::id::EventId::of_foreign(&domain::id::StripeId::parse(&intent).unwrap());
    let timeline = stack.settled(journey, 1).await;
    assert!(timeline.deliveries.is_empty());
    assert_eq!(format!("{:?}", timeline.routes).matches("NotOurs").count(), 5);
}

#[tokio::test]
async fn no_forgery_is_taken_and_none_is_stored() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let metadata = json!({"event_id": visitor.event_id});
    let body = payment_event("evt_forged", "pi_forged", &metadata).to_string();
    let (secret, at) = (stack.webhook_secret(), now());
    let good = signature(secret, &body, at);
    let forgeries = [
        String::new(),
        signature("whsec_wrong", &body, at),
        signature("", &body, at),
        signature(secret, &body, at - 330),
        signature(secret, &body, at + 330),
        good.replace("v1=", "v0="),
        good.replace("v1=", "v2="),
        good.replace(&format!("t={at}"), &format!("t={}", at + 1)),
        good.replace("t=", "t=-"),
        good[..good.len() - 2].to_owned(),
        format!("t={at}"),
        format!("v1={}", "0".repeat(64)),
        "t=99999999999999999999,v1=00".to_owned(),
    ];
    for forgery in forgeries {
        let (status, problem) = send_event(&stack, &body, &forgery).await;
        assert_eq!(status, 400, "{forgery} {problem}");
    }
    let (status, _) = send_event(&stack, &body.replace("9700", "1"), &good).await;
    assert_eq!(status, 400, "a changed body");
    assert!(stack.timeline(visitor.event_id).await.facts.is_empty());
}

#[tokio::test]
async fn what_we_do_not_use_is_answered_and_not_stored() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "processing", 2).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    assert_eq!(timeline.facts[0].happening.name(), "checkout_started");
}

#[tokio::test]
async fn a_refused_card_is_noted_at_the_crm_and_the_buyer_has_time_to_pay_after_all() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let intent = visitor.checks_out(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    stack.sandbox.pay(&intent, "declined", 2).await;
    let timeline = stack
        .wait_for(visitor.event_id, "the CRM's note", |timeline| {
            state(timeline, "payment_failed", Hubspot) == Some(State::Delivered)
        })
        .await;
    let mail = delivery(&timeline, "payment_failed", Sendgrid);
    assert_eq!((mail.state, mail.attempts), (State::Queued, 0));
    assert!(stack.sandbox.seen("sendgrid", &visitor.email).await.is_empty());
    let crm = stack.sandbox.seen("hubspot", &visitor.event_id.to_string()).await;
    assert!(crm.last().unwrap().body().to_string().contains("insufficient_funds"), "{crm:?}");
}
