//! A server-side GTM container that claims Measurement-Protocol hits at `/mp/collect`.
//!
//! developers.google.com/analytics/devguides/collection/protocol/ga4 (reference, events, limits,
//! user-provided data). Google's collectors answer 204 to anything and drop what they do not like
//! in silence, so the double answers 204 too and writes what would be dropped as `problems` beside
//! the request in the journal.

mod event;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::email;
use crate::exchange::{Answer, Request};

/// Documented as "less than 130 kB".
const BODY_LIMIT: usize = 130_000;
const EVENT_LIMIT: usize = 25;
const USER_PROPERTY_LIMIT: usize = 25;
const FIELDS: [&str; 12] = [
    "client_id",
    "user_id",
    "timestamp_micros",
    "user_properties",
    "consent",
    "user_data",
    "non_personalized_ads",
    "events",
    "validation_behavior",
    "user_location",
    "ip_override",
    "device",
];
const HASHED_ADDRESS: [&str; 3] = ["sha256_first_name", "sha256_last_name", "sha256_street"];
const PLAIN_ADDRESS: [&str; 4] = ["city", "region", "postal_code", "country"];

/// What is wrong with a hit, in words.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn note(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    fn unless(&mut self, good: bool, problem: impl Into<String>) {
        if !good {
            self.note(problem);
        }
    }
}

/// Answers one request to the tagging server.
pub(crate) fn answer(request: &Request, now: Timestamp) -> Answer {
    if request.segments() != ["mp", "collect"] {
        return Answer::empty(404);
    }
    if request.method != Method::POST {
        return Answer::empty(405);
    }
    let mut problems = Problems::default();
    check_query(request, &mut problems);
    problems.unless(request.body.len() < BODY_LIMIT, "body: 130 kB or more");
    match request.json() {
        Some(Value::Object(hit)) => check_hit(&hit, now, &mut problems),
        _ => problems.note("body: not a JSON object"),
    }
    let mut answer = Answer::empty(204);
    answer.problems = problems.0;
    answer
}

fn check_query(request: &Request, problems: &mut Problems) {
    let query = request.query_pairs();
    let measured = query.iter().any(|(name, value)| name == "measurement_id" && !value.is_empty());
    problems.unless(measured, "query: measurement_id is missing");
    for (name, value) in &query {
        problems.unless(!email::occurs_in(value), format!("query.{name}: a raw e-mail address"));
    }
}

fn check_hit(hit: &Map<String, Value>, now: Timestamp, problems: &mut Problems) {
    for name in hit.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        problems.note(format!("{name}: unknown field"));
    }
    let text =
        |name: &str| hit.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    problems.unless(text("client_id"), "client_id: missing");
    problems.unless(!hit.contains_key("user_id") || text("user_id"), "user_id: not a text");
    check_timestamp(hit.get("timestamp_micros"), now, problems);
    check_user_properties(hit.get("user_properties"), problems);
    check_consent(hit.get("consent"), problems);
    check_user_data(hit.get("user_data"), problems);
    for (name, value) in hit {
        check_personal(name, value, problems);
    }
    let events = hit.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    problems.unless((1..=EVENT_LIMIT).contains(&events.len()), "events: not 1 to 25");
    for (place, event) in events.iter().enumerate() {
        event::check(event, &format!("events.{place}"), problems);
    }
}

/// Hits may be dated back by 72 hours; they cannot come from the future.
fn check_timestamp(value: Option<&Value>, now: Timestamp, problems: &mut Problems) {
    let Some(value) = value else { return };
    let micros = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let oldest = now.as_microsecond() - 72 * 3_600 * 1_000_000;
    let newest = now.as_microsecond() + 15 * 60 * 1_000_000;
    let good = micros.is_some_and(|micros| (oldest..=newest).contains(&micros));
    problems.unless(good, "timestamp_micros: not microseconds within the last 72 hours");
}

fn check_user_properties(properties: Option<&Value>, problems: &mut Problems) {
    let Some(properties) = properties else { return };
    let Some(properties) = properties.as_object() else {
        return problems.note("user_properties: not an object");
    };
    problems.unless(properties.len() <= USER_PROPERTY_LIMIT, "user_properties: more than 25");
    for (name, property) in properties {
        let short = property["value"].as_str().is_none_or(|text| text.chars().count() <= 36);
        let good = name.chars().count() <= 24 && property.get("value").is_some() && short;
        problems.unless(
            good,
            format!("user_properties.{name}: name over 24, value missing or over 36"),
        );
    }
}

fn check_consent(consent: Option<&Value>, problems: &mut Problems) {
    let Some(consent) = consent else { return };
    let Some(consent) = consent.as_object() else { return problems.note("consent: not an object") };
    for (name, value) in consent {
        let known = matches!(name.as_str(), "ad_user_data" | "ad_personalization");
        let good = known && (value == "GRANTED" || value == "DENIED");
        problems.unless(good, format!("consent.{name}: unknown, or neither GRANTED nor DENIED"));
    }
}

fn check_user_data(data: Option<&Value>, problems: &mut Problems) {
    let Some(data) = data else { return };
    let Some(data) = data.as_object() else { return problems.note("user_data: not an object") };
    for (name, value) in data {
        let at = format!("user_data.{name}");
        match name.as_str() {
            "sha256_email_address" | "sha256_phone_number" => {
                problems.unless(
                    is_digest_or_digests(value),
                    format!("{at}: not SHA-256 in lower-case hex"),
                );
            }
            "address" => {
                one_or_many(value).iter().for_each(|one| check_address(one, &at, problems))
            }
            _ => problems.note(format!("{at}: unknown field")),
        }
    }
}

fn check_address(address: &Value, at: &str, problems: &mut Problems) {
    let Some(address) = address.as_object() else {
        return problems.note(format!("{at}: not an object"));
    };
    for (name, value) in address {
        if HASHED_ADDRESS.contains(&name.as_str()) {
            problems.unless(
                is_digest_or_digests(value),
                format!("{at}.{name}: not SHA-256 in lower-case hex"),
            );
        } else {
            problems.unless(
                PLAIN_ADDRESS.contains(&name.as_str()),
                format!("{at}.{name}: unknown field"),
            );
        }
    }
}

fn one_or_many(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn is_digest_or_digests(value: &Value) -> bool {
    let all = one_or_many(value);
    !all.is_empty() && all.iter().all(|one| one.as_str().is_some_and(is_digest))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|letter| matches!(letter, '0'..='9' | 'a'..='f'))
}

/// Google forbids personal data in the clear, wherever it stands.
fn check_personal(at: &str, value: &Value, problems: &mut Problems) {
    match value {
        Value::String(text) => {
            problems.unless(!email::occurs_in(text), format!("{at}: a raw e-mail address"));
            problems.unless(!is_phone(text), format!("{at}: a raw phone number"));
        }
        Value::Array(all) => {
            for (place, one) in all.iter().enumerate() {
                check_personal(&format!("{at}.{place}"), one, problems);
            }
        }
        Value::Object(object) => {
            for (name, one) in object {
                check_personal(&format!("{at}.{name}"), one, problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_phone(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (8..=15).contains(&digits.len()) && digits.chars().all(|digit| digit.is_ascii_digit())
}

/// A refusal of the tagging server, which says nothing.
pub(crate) fn fault(status: u16) -> Answer {
    Answer::empty(status)
}
