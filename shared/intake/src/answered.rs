//! An answer about consent as a fact, wherever on a page it was given.

use crate::consent::{Answer, ConsentUpdate};
use crate::door::Caller;
use domain::fact::{Fact, Happening, SCHEMA, Source};
use domain::journey::Journey;
use jiff::Timestamp;

/// What an answer states, heard from a caller at a moment, about whomever the journey is about.
#[must_use]
pub fn consent_changed(
    update: &ConsentUpdate,
    journey: &Journey,
    caller: Caller<'_>,
    heard: Timestamp,
) -> Fact {
    let consent = update.answer.heard(heard, caller.ip);
    Fact {
        schema: SCHEMA,
        event_id: update.event_id,
        session_id: Some(update.session_id),
        source: Source::Consent(caller.pepper.digest(&statement(&update.answer, heard))),
        occurred_at: consent.given_at,
        recorded_at: heard,
        person: journey.person().cloned(),
        contact: None,
        consent: Some(consent),
        context: domain::attribution::Context::default(),
        happening: Happening::ConsentChanged,
    }
}

/// All that the answer says, in one spelling. One without a time is a new answer whenever it comes:
/// yes, no, and yes again are three.
fn statement(answer: &Answer, heard: Timestamp) -> Vec<u8> {
    let Answer { marketing, analytics, preferences, method, told_at, version, language: _ } =
        answer;
    let given_at = told_at.unwrap_or(heard);
    let method = method.name();
    format!("{marketing} {analytics} {preferences} {method} {given_at} {version}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::consent_changed;
    use crate::door::Caller;
    use crate::{Body, ConsentUpdate};
    use domain::fact::{Fact, Happening};
    use domain::journey::Journey;
    use domain::pepper::Pepper;
    use serde_json::{Value, json};

    fn sample(name: &str) -> Value {
        let folder = format!("{}/../../events/consent-capture", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        let request: Value = serde_json::from_str(&text).unwrap();
        serde_json::from_str(request["body"].as_str().unwrap()).unwrap()
    }

    fn heard(body: &Value, at: &str) -> Fact {
        let body = Body::from_json(body.to_string().as_bytes()).unwrap();
        let update = ConsentUpdate::read(&body.fields).unwrap();
        let pepper = Pepper::parse(&format!("v1:{}", "ab".repeat(32))).unwrap();
        let caller = Caller { ip: "192.0.2.1".parse().ok(), pepper: &pepper };
        consent_changed(
            &update,
            &Journey::new(update.event_id, vec![]),
            caller,
            at.parse().unwrap(),
        )
    }

    const NOON: &str = "2026-11-21T12:00:00Z";
    const LATER: &str = "2026-11-21T12:00:01Z";

    #[test]
    fn the_same_answer_is_one_fact_and_another_is_another() {
        let granted = heard(&sample("consent"), NOON);
        assert_eq!(granted.happening, Happening::ConsentChanged);
        assert_eq!(granted.source, heard(&sample("consent"), LATER).source);
        assert_ne!(granted.source, heard(&sample("consent-withdrawn"), NOON).source);
    }

    #[test]
    fn the_key_of_an_answer_tells_nothing_of_it() {
        let key = heard(&sample("consent"), NOON).source.to_string();
        assert!(key.starts_with("consent#v1_") && key.len() == "consent#v1_".len() + 32, "{key}");
    }

    #[test]
    fn yes_no_and_yes_again_are_three_answers_even_without_a_clock() {
        let mut timeless = sample("consent");
        timeless["consent"].as_object_mut().unwrap().remove("timestamp");
        assert_ne!(heard(&timeless, NOON).source, heard(&timeless, LATER).source);
    }

    #[test]
    fn an_answer_from_the_future_stays_one_fact() {
        let mut ahead = sample("consent");
        ahead["consent"]["timestamp"] = json!("2031-01-01T00:00:00Z");
        let (first, again) = (heard(&ahead, NOON), heard(&ahead, LATER));
        assert_eq!(first.source, again.source);
        assert_eq!(first.occurred_at.to_string(), NOON);
    }
}
