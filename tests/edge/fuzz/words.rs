//! What a random body is made of. Every text that is made up holds the mark.

use super::MARK;
use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Any bytes.
pub(super) fn bytes(random: &mut Rng, most: usize) -> Vec<u8> {
    let length = random.usize(..most);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

/// Any JSON, at most so many levels deep.
pub(super) fn json(random: &mut Rng, levels: u8) -> Value {
    match random.u8(..if levels == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => number(random),
        3..=5 => json!(text(random)),
        6 => (0..random.u8(..5)).map(|_| json(random, levels - 1)).collect(),
        _ => {
            let fields = (0..random.u8(..6)).map(|_| (name(random), json(random, levels - 1)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn number(random: &mut Rng) -> Value {
    match random.u8(..6) {
        0 => json!(random.u64(..)),
        1 => json!(random.i64(..)),
        2 => json!(f64::from_bits(random.u64(..))),
        3 => json!(random.i8(..)),
        4 => json!(random.f64()),
        _ => json!(random.u32(..25)),
    }
}

/// Texts that have hurt others.
const STRAY: [&str; 24] = [
    "",
    " ",
    "\u{0}",
    "\u{202e}",
    "\u{feff}",
    "\u{200b}",
    "👩\u{200d}👧",
    "ﷺ",
    "Ǆ",
    "ß",
    "null",
    "undefined",
    "NaN",
    "-0",
    "1e400",
    "../../etc/passwd",
    "{{7*7}}",
    "${jndi:ldap://example.com}",
    "'; DROP TABLE leads;--",
    "<script>alert(1)</script>",
    "%00%ff%zz",
    "\r\nset-cookie: a=b",
    "\\u0000\\ud800",
    "=cmd|' /C calc'!A0",
];

fn text(random: &mut Rng) -> String {
    let stray = STRAY[random.usize(..STRAY.len())];
    match random.u8(..6) {
        0 => stray.to_owned(),
        1 => format!("{MARK}{stray}@example.pt"),
        2 => format!("{stray}{MARK}{stray}"),
        3 => (0..random.usize(..300)).map(|_| random.char('\u{0}'..)).collect::<String>() + MARK,
        4 => format!("{MARK}{}", "é".repeat(random.usize(..2500))),
        _ => MARK.to_owned(),
    }
}

fn name(random: &mut Rng) -> String {
    const NAMES: [&str; 12] = [
        "event_id",
        "email",
        "consent",
        "revision",
        "website",
        "context",
        "data",
        "object",
        "metadata",
        "id",
        "__proto__",
        "",
    ];
    if random.bool() { NAMES[random.usize(..NAMES.len())].to_owned() } else { text(random) }
}

/// A body that was valid, with some values of it replaced.
pub(super) fn mutated(random: &mut Rng, mut body: Value) -> Value {
    for _ in 0..random.u8(1..4) {
        replace(random, &mut body);
    }
    body
}

/// Replaces a leaf, or now and then something above it.
fn replace(random: &mut Rng, place: &mut Value) {
    let inside = place.as_object_mut().filter(|fields| !fields.is_empty());
    if let Some(fields) = inside
        && random.u8(..6) > 0
    {
        let at = random.usize(..fields.len());
        return fields.values_mut().nth(at).map_or((), |inner| replace(random, inner));
    }
    *place = match random.u8(..4) {
        0 => json!(text(random)),
        1 => number(random),
        2 => Value::Null,
        _ => json(random, 3),
    };
}

/// Bytes that were something, with some of them flipped, lost, doubled or cut off.
pub(super) fn damaged(random: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..random.u8(1..6) {
        let at = random.usize(..bytes.len().max(1)).min(bytes.len().saturating_sub(1));
        match random.u8(..5) {
            _ if bytes.is_empty() => {}
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, random.u8(..)),
            3 => bytes.extend_from_within(at..),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// A form of a body's fields, and of others.
pub(super) fn form(random: &mut Rng, body: &Value) -> Vec<u8> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().into_iter().flatten() {
        match (random.u8(..6), value.as_str()) {
            (0, _) => form.append_pair(name, &text(random)),
            (1, _) => &mut form,
            (_, Some(value)) => form.append_pair(name, value),
            (_, None) => form.append_pair(&format!("consent_{name}"), "on"),
        };
    }
    form.append_pair(&self::name(random), &text(random));
    let form = form.finish().into_bytes();
    if random.bool() { form } else { damaged(random, form) }
}

/// A body that is much larger than it was, about as large as may be.
pub(super) fn long(random: &mut Rng, mut body: Value) -> Vec<u8> {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name(random), json!(MARK.repeat(random.usize(..300_000 / MARK.len()))));
    }
    body.to_string().into_bytes()
}

/// A header's value: what HTTP allows, and that is more than letters.
pub(super) fn header(random: &mut Rng) -> Vec<u8> {
    let length = random.usize(..60);
    let any = std::iter::repeat_with(|| random.u8(..));
    let fit = any.filter(|byte| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f));
    fit.take(length).collect()
}
