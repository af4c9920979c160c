//! How an input is made worse: a value that nobody would send, a text cut, doubled or broken.

use serde_json::{Value, json};

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
pub fn change(value: &mut Value) {
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
pub fn garble(text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    for _ in 0..fastrand::usize(1..8) {
        let at = fastrand::usize(0..=bytes.len());
        match fastrand::u8(0..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, fastrand::u8(..)),
            2 => bytes.extend_from_within(..at.min(4_096)),
            3 => bytes = double(bytes, at),
            _ if at < bytes.len() => bytes[at] ^= 1 << fastrand::u8(0..8),
            _ => {}
        }
    }
    *text = String::from_utf8_lossy(&bytes).into_owned();
}

/// Says a part in the middle many times over.
fn double(bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let end = (at + fastrand::usize(1..64)).min(bytes.len());
    let part = bytes[at..end].repeat(fastrand::usize(1..1_000));
    [&bytes[..at], &part[..], &bytes[end..]].concat()
}
