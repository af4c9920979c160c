//! What a lead states, and when two say the same.

use super::same_statement;
use crate::fact;
use domain::fact::{Fact, Happening};
use domain::pepper::Pepper;
use intake::door::Caller;
use intake::{Body, Lead, Minted};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::net::IpAddr;
use uuid::Uuid;

fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/lead-capture/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn body() -> Value {
    serde_json::from_str(sample("lead")["body"].as_str().unwrap()).unwrap()
}

fn read(body: &Value) -> Lead {
    let body = Body::from_json(body.to_string().as_bytes()).unwrap();
    Lead::read(&body.fields, None).unwrap()
}

fn heard(lead: &Lead, from: &str, at: &str) -> Fact {
    let pepper = Pepper::parse(&format!("v1:{}", "ab".repeat(32))).unwrap();
    let ip: IpAddr = from.parse().unwrap();
    fact::of(lead, Caller { ip: Some(ip), pepper: &pepper }, at.parse().unwrap())
}

const MORNING: &str = "2026-11-21T10:00:00Z";
const EVENING: &str = "2026-11-21T20:00:00Z";
const HOME: &str = "192.0.2.1";
const WORK: &str = "192.0.2.2";

fn is_same(first: &Value, again: &Value) -> bool {
    let known = heard(&read(first), HOME, MORNING);
    let again = heard(&read(again), WORK, &known.recorded_at.to_string());
    same_statement(&again, &known).is_ok()
}

#[test]
fn a_lead_becomes_a_fact_under_its_persons_key() {
    let fact = heard(&read(&body()), HOME, MORNING);
    assert_eq!(fact.happening, Happening::LeadCaptured);
    assert_eq!(fact.occurred_at.to_string(), "2026-11-20T09:59:58.12Z");
    assert!(fact.person.unwrap().as_str().starts_with("v1_"));
    let consent = fact.consent.unwrap();
    assert_eq!(consent.ip.map(|ip| ip.to_string()).as_deref(), Some(HOME));
    assert!(consent.marketing && consent.analytics);
}

#[test]
fn a_higher_revision_corrects_and_happened_when_the_first_did() {
    let mut correction = body();
    correction["revision"] = json!(3);
    let fact = heard(&read(&correction), HOME, EVENING);
    assert_eq!(fact.happening, Happening::LeadCorrected { revision: 3 });
    assert_eq!(fact.occurred_at, heard(&read(&body()), HOME, MORNING).occurred_at);
}

#[test]
fn the_same_lead_sent_again_says_the_same_whenever_and_from_wherever_it_comes() {
    assert!(is_same(&body(), &body()));
    let mut timeless = body();
    timeless.as_object_mut().unwrap().remove("lead_created_at");
    timeless["consent"].as_object_mut().unwrap().remove("timestamp");
    assert!(is_same(&timeless, &timeless));
    let mut early = body();
    early["lead_created_at"] = json!("2031-01-01T00:00:00Z");
    early["consent"]["timestamp"] = json!("2031-01-01T00:00:00Z");
    assert!(is_same(&early, &early), "a clock that runs ahead");
}

#[test]
fn another_name_under_the_same_revision_is_a_conflict() {
    for (field, value) in [
        ("full_name", json!("Outra Pessoa")),
        ("email", json!("ana@example.com")),
        ("utm_source", json!("elsewhere")),
    ] {
        let mut other = body();
        other[field] = value;
        assert!(!is_same(&body(), &other), "{field}");
    }
}

#[test]
fn every_sample_becomes_a_fact() {
    for (name, kind) in [
        ("lead", "lead_captured"),
        ("lead-corrected", "lead_corrected"),
        ("lead-from-a-form", "lead_captured"),
    ] {
        let request = sample(name);
        let bytes = request["body"].as_str().unwrap().as_bytes();
        let form = request["headers"]["Content-Type"] == json!(intake::door::FORM);
        let body = if form { Body::from_form(bytes) } else { Body::from_json(bytes) }.unwrap();
        let minted = Minted::from_random(Uuid::from_u128(1), Uuid::from_u128(2)).unwrap();
        let lead = Lead::read(&body.fields, form.then_some(minted)).unwrap();
        let now: Timestamp = MORNING.parse().unwrap();
        assert_eq!(heard(&lead, HOME, &now.to_string()).happening.name(), kind, "{name}");
    }
}
