//! Stripe's events as a test writes and signs them.

use crate::stack::Stack;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A Stripe event about an intent that no metadata ties to us, unless some is given.
pub(crate) fn payment_event(event: &str, intent: &str, metadata: &Value) -> Value {
    json!({"id": event, "object": "event", "api_version": "2026-10-28.endive", "created": now(), "livemode": false,
        "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "type": "payment_intent.succeeded",
        "data": {"object": {"id": intent, "object": "payment_intent", "amount": 9700, "amount_received": 9700,
            "currency": "eur", "status": "succeeded", "latest_charge": format!("ch_{intent}"), "livemode": false,
            "metadata": metadata}}})
}

#[expect(clippy::disallowed_methods, reason = "a signature holds for five minutes around now")]
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub(crate) fn signature(secret: &str, body: &str, at: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

pub(crate) async fn send_event(stack: &Stack, body: &str, signature: &str) -> (u16, Value) {
    let request =
        stack.http.post(stack.url("/webhooks/stripe")).header("stripe-signature", signature);
    let answer = request
        .header("content-type", "application/json; charset=utf-8")
        .body(body.to_owned())
        .send()
        .await;
    let answer = answer.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}
