//! Hostile input at every door, in memory: no panic, no 5xx, no answer out of proportion. The samples
//! of `events/` are where it begins; what a seed did it does again.

use crate::{given, say};
use serde_json::{Value, json};
use simulation::{Function, Lab, sign};
use std::time::{Duration, Instant};

/// The longest answer that is in proportion: it names fields, and repeats nothing.
const LONGEST: usize = 16 * 1024;

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn samples() -> Vec<(Function, Value)> {
    vec![
        (Function::Lead, sample(include_str!("../../events/lead-capture/lead.json"))),
        (Function::Lead, sample(include_str!("../../events/lead-capture/lead-from-a-form.json"))),
        (Function::Consent, sample(include_str!("../../events/consent-capture/consent.json"))),
        (
            Function::Webhook,
            sample(include_str!(
                "../../events/stripe-webhook/payment_intent.succeeded.endive.json"
            )),
        ),
        (
            Function::Webhook,
            sample(include_str!("../../events/stripe-webhook/refund.created.acacia.json")),
        ),
        (Function::Dispatcher, sample(include_str!("../../events/dispatcher/lead_captured.json"))),
        (
            Function::Consumer("crm-sync"),
            sample(include_str!("../../events/crm-sync/lead_captured.json")),
        ),
        (
            Function::Consumer("notifier"),
            sample(include_str!("../../events/notifier/payment_succeeded.json")),
        ),
    ]
}

/// A value that a good caller would not send.
fn nasty() -> Value {
    let long = "a".repeat(fastrand::usize(1..100_000));
    let deep = (0..fastrand::usize(1..100)).fold(json!(1), |inner, _| json!([inner]));
    let values = [
        json!(null),
        json!(true),
        json!(""),
        json!(-1),
        json!(1e308),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!("\u{0}"),
        json!("ção@\u{202e}"),
        json!("9999-12-31T23:59:59Z"),
        json!("-009999-01-01T00:00:00Z"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!(i64::MIN),
        json!(long),
        deep,
    ];
    values[fastrand::usize(0..values.len())].clone()
}

/// Changes one place of a value, at any depth.
fn change(value: &mut Value) {
    match value {
        Value::Object(map) if !map.is_empty() && fastrand::u8(0..10) > 0 => {
            let at = fastrand::usize(0..map.len());
            let Some((_, inner)) = map.iter_mut().nth(at) else { return };
            change(inner);
        }
        Value::Array(list) if !list.is_empty() && fastrand::u8(0..10) > 0 => {
            let at = fastrand::usize(0..list.len());
            change(&mut list[at]);
        }
        // A document inside a text: a body, or a fact.
        Value::String(text) if fastrand::bool() => match serde_json::from_str::<Value>(text) {
            Ok(mut inner) if inner.is_object() => {
                change(&mut inner);
                *text = inner.to_string();
            }
            Ok(_) | Err(_) => garble(text),
        },
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => *value = nasty(),
    }
}

/// Cuts, doubles or breaks a text.
fn garble(text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    for _ in 0..fastrand::usize(1..8) {
        let at = fastrand::usize(0..=bytes.len());
        match fastrand::u8(0..4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, fastrand::u8(..)),
            2 => bytes.extend_from_within(..at.min(4_096)),
            _ if at < bytes.len() => bytes[at] ^= 1 << fastrand::u8(0..8),
            _ => {}
        }
    }
    *text = String::from_utf8_lossy(&bytes).into_owned();
}

/// Half of what comes to the webhook is signed rightly, so that its body is read.
fn sign_some(event: &mut Value) {
    if event.is_object() && fastrand::bool() {
        let body = event["body"].as_str().unwrap_or_default().to_owned();
        event["headers"] = json!({"Stripe-Signature": sign(&body)});
    }
}

#[test]
fn no_input_makes_a_function_panic_or_fail() {
    let (mut lab, began, samples) = (Lab::new(), Instant::now(), samples());
    let seconds = given("THROUGHLINE_FUZZ_SECONDS").unwrap_or(6);
    fastrand::seed(given("THROUGHLINE_SEED").unwrap_or(1));
    let (mut tried, mut read) = (0_u64, 0_u64);
    while began.elapsed() < Duration::from_secs(seconds) {
        let (function, mut event) = samples[fastrand::usize(0..samples.len())].clone();
        for _ in 0..fastrand::usize(0..4) {
            change(&mut event);
        }
        if function == Function::Webhook {
            sign_some(&mut event);
        }
        let answer = lab.hand(function, event.clone());
        tried += 1;
        let status = answer["statusCode"].as_u64();
        read += u64::from(status.is_some_and(|status| status / 100 == 2));
        let shown = event.to_string();
        let shown = shown.chars().take(2_000).collect::<String>();
        assert!(status.is_none_or(|status| status < 500), "{function:?} {answer}\n{shown}");
        assert!(answer.to_string().len() < LONGEST, "{function:?}: a long answer\n{shown}");
    }
    assert!(read > 0, "nothing was ever accepted");
    say(&format!(
        "hostile input: {tried} events, {read} of them good enough to be kept, {:.1?}",
        began.elapsed()
    ));
}
