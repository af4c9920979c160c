//! Stripe's webhooks: signed over the raw body, repeated, reordered, retried.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::playground::{Playground, Received, SECRET};

fn is_signed(webhook: &Received) -> bool {
    let parts: HashMap<&str, &str> =
        webhook.signature.split(',').filter_map(|part| part.split_once('=')).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{}.{}", parts["t"], webhook.body).as_bytes());
    mac.verify_slice(&hex::decode(parts["v1"]).unwrap()).is_ok()
}

fn statuses(events: &Value, kind: &str) -> Vec<Value> {
    let events = events["events"].as_array().unwrap();
    let event = events.iter().find(|event| event["type"] == kind).unwrap();
    event["deliveries"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect()
}

#[tokio::test]
async fn a_payment_is_told_by_signed_events_about_the_intent_and_its_charge() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let id = play.intent().await;
    let told = play
        .control("pay", json!({ "payment_intent_id": id, "outcome": "succeeded" }))
        .await
        .json();
    assert_eq!(statuses(&told, "payment_intent.succeeded"), [200]);
    assert_eq!(statuses(&told, "charge.succeeded"), [200]);
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    for webhook in &received {
        assert!(is_signed(webhook));
        assert_eq!(webhook.content_type, "application/json; charset=utf-8");
    }
    let event = received
        .iter()
        .map(Received::event)
        .find(|event| event["type"] == "payment_intent.succeeded")
        .unwrap();
    assert_eq!(event["api_version"], "2026-10-28.endive");
    assert_eq!((&event["object"], &event["livemode"]), (&json!("event"), &json!(false)));
    let intent = &event["data"]["object"];
    assert_eq!(
        (&intent["amount_received"], &intent["status"]),
        (&json!(9700), &json!("succeeded"))
    );
    assert!(intent["latest_charge"].as_str().unwrap().starts_with("ch_"));
    assert_eq!(intent["metadata"]["event_id"], "018f2b7e-0000-4000-8000-000000000001");
}

#[tokio::test]
async fn deliveries_are_repeated_shuffled_and_may_come_at_once() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let id = play.intent().await;
    let pay = json!({ "payment_intent_id": id, "outcome": "succeeded", "deliveries": 10, "shuffle": true, "concurrent": true });
    let told = play.control("pay", pay).await.json();
    assert_eq!(statuses(&told, "payment_intent.succeeded"), vec![json!(200); 10]);
    let mut bodies: Vec<String> = receiver.received().into_iter().map(|one| one.body).collect();
    assert_eq!(bodies.len(), 20);
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 2, "a delivery repeats the event to the byte");
}

#[tokio::test]
async fn a_declined_payment_can_be_tried_again_and_a_processing_one_ends() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let id = play.intent().await;
    for outcome in ["declined", "processing", "succeeded"] {
        let told =
            play.control("pay", json!({ "payment_intent_id": id, "outcome": outcome })).await;
        assert_eq!(told.status, 200, "{outcome}: {}", told.text);
    }
    let again =
        play.control("pay", json!({ "payment_intent_id": id, "outcome": "succeeded" })).await;
    assert_eq!(again.status, 409);
    let kinds: Vec<Value> =
        receiver.received().iter().map(|one| one.event()["type"].clone()).collect();
    assert_eq!(
        kinds,
        [
            "payment_intent.payment_failed",
            "charge.failed",
            "payment_intent.processing",
            "charge.pending",
            "payment_intent.succeeded",
            "charge.succeeded",
        ]
    );
    let failed = receiver.received()[0].event();
    assert_eq!(
        failed["data"]["object"]["last_payment_error"]["decline_code"],
        "insufficient_funds"
    );
    assert_eq!(failed["data"]["object"]["status"], "requires_payment_method");
}

#[tokio::test]
async fn a_refund_is_told_by_two_events_of_its_own_and_one_of_the_charge() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let id = play.intent().await;
    play.control("pay", json!({ "payment_intent_id": id, "outcome": "succeeded" })).await;
    let told =
        play.control("refund", json!({ "payment_intent_id": id, "amount": 700 })).await.json();
    assert_eq!(told["refund"]["amount"], 700);
    let refunds: Vec<Value> = receiver.received().iter().skip(2).map(Received::event).collect();
    let kinds: Vec<&Value> = refunds.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["refund.created", "refund.updated", "charge.refunded"]);
    assert_eq!(refunds[0]["data"]["object"]["id"], refunds[1]["data"]["object"]["id"]);
    assert_eq!(refunds[2]["data"]["object"]["amount_refunded"], 700);
    let rest = play.control("refund", json!({ "payment_intent_id": id })).await.json();
    assert_eq!(rest["refund"]["amount"], 9000);
    assert_eq!(play.control("refund", json!({ "payment_intent_id": id })).await.status, 409);
}

#[tokio::test]
async fn what_was_not_answered_2xx_is_sent_again_later() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[503]).await;
    let event =
        json!({ "type": "customer.created", "object": { "id": "cus_1", "object": "customer" } });
    let told = play.control("event", event).await.json();
    assert_eq!(statuses(&told, "customer.created"), [503]);
    let received = receiver.wait_for(2).await;
    assert_eq!(received[0].body, received[1].body);
    assert!(is_signed(&received[1]));
}

#[tokio::test]
async fn any_event_can_be_sent_and_its_id_again_is_the_same_event() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let event = json!({
        "id": "evt_1", "type": "payment_intent.succeeded", "object": { "id": "pi_1" },
        "livemode": true, "api_version": "2024-09-30.acacia", "created": 1_700_000_000,
    });
    play.control("event", event.clone()).await;
    play.control("event", event).await;
    let received = receiver.received();
    assert_eq!(received[0].body, received[1].body);
    let event = received[0].event();
    assert_eq!((&event["id"], &event["livemode"]), (&json!("evt_1"), &json!(true)));
    assert_eq!(event["api_version"], "2024-09-30.acacia");
}

#[tokio::test]
async fn without_an_address_nothing_is_sent_and_the_answer_says_so() {
    let play = Playground::open().await;
    let id = play.intent().await;
    let told = play
        .control("pay", json!({ "payment_intent_id": id, "outcome": "succeeded" }))
        .await
        .json();
    assert_eq!(told["events"][0]["deliveries"][0]["status"], Value::Null);
    assert!(told["events"][0]["deliveries"][0]["error"].is_string());
}

#[tokio::test]
async fn a_payment_may_never_be_told_and_may_have_happened_a_while_ago() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let id = play.intent().await;
    let pay = json!({ "payment_intent_id": id, "outcome": "succeeded", "deliveries": 0, "ago_seconds": 300 });
    let told = play.control("pay", pay).await.json();
    assert_eq!(statuses(&told, "payment_intent.succeeded"), Vec::<Value>::new());
    let refund = json!({ "payment_intent_id": id, "deliveries": 0, "ago_seconds": 200 });
    assert_eq!(play.control("refund", refund).await.status, 200);
    let kept = play.stripe_get("/events?types[]=payment_intent.succeeded").await.json();
    let event = &kept["data"][0];
    assert_eq!(event["pending_webhooks"], 1);
    let made = play.stripe_get("/events?types[]=payment_intent.created").await.json();
    let made = made["data"][0]["created"].as_i64().unwrap();
    let ago = made - event["created"].as_i64().unwrap();
    assert!((290..=300).contains(&ago), "{ago}");
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_disabled_endpoint_is_sent_nothing_and_listed_as_such() {
    let play = Playground::open().await;
    let receiver = play.receiver(&[]).await;
    let off = json!({ "url": receiver.url, "enabled": false });
    assert_eq!(play.control("webhook", off).await.json()["enabled"], false);
    let listed = play.stripe_get("/webhook_endpoints").await.json();
    assert_eq!(listed["data"][0]["status"], "disabled");
    let id = play.intent().await;
    let pay = json!({ "payment_intent_id": id, "outcome": "succeeded" });
    let told = play.control("pay", pay).await.json();
    assert_eq!(told["events"][0]["deliveries"][0]["error"], "the endpoint is disabled");
    assert!(receiver.received().is_empty());
}
