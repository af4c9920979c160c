//! Samples of Stripe's events become facts of the right journey.

use super::{Owner, object};
use domain::fact::{Fact, Happening};
use domain::id::{EventId, SessionId, StripeId};
use domain::pepper::{Pepper, PersonKey};
use jiff::Timestamp;
use ledger::Pointer;
use serde_json::Value;
use stripe::webhook::{SigningSecrets, verify};

const EVENT: &str = "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11";
const SESSION: &str = "8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422";
/// What the samples are signed with; no deployment knows it.
const SAMPLE_SECRET: &str = "whsec_sample0123456789sample0123456789";

fn pepper() -> Pepper {
    Pepper::parse(&format!("v1:{}", "ab".repeat(32))).unwrap()
}

fn pointer() -> Pointer {
    Pointer {
        event_id: EventId::parse(EVENT).unwrap(),
        session_id: SessionId::parse(SESSION).unwrap(),
        person: PersonKey::stored("v1_ana".to_owned()),
    }
}

/// The fact of a sample, as it comes through API Gateway; `pointer` is what the ledger remembers.
fn fact(sample: &str, pointer: Option<Pointer>) -> Fact {
    let folder = format!("{}/../../events/stripe-webhook", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(format!("{folder}/{sample}.json")).unwrap();
    let request: Value = serde_json::from_str(&text).unwrap();
    let header = request["headers"]["Stripe-Signature"].as_str().unwrap();
    let body = request["body"].as_str().unwrap().as_bytes();
    let second = header[2..].split(',').next().unwrap().parse().unwrap();
    let now = Timestamp::from_second(second).unwrap();
    let secrets = SigningSecrets::parse(SAMPLE_SECRET).unwrap();
    let verified = verify(Some(header), body, &secrets, now).unwrap();
    let event = verified.event().unwrap();
    let told = event.told().unwrap().unwrap();
    let owner = Owner::of_metadata(&told.what, &pepper())
        .or(pointer.map(Owner::of_pointer))
        .unwrap_or_else(|| Owner::stranger(object(&told.what)));
    owner.fact(&event.id, told, now)
}

#[test]
fn every_sample_becomes_a_fact_of_the_journey_that_began_it() {
    for version in ["endive", "acacia"] {
        for (kind, name) in [
            ("payment_intent.succeeded", "payment_succeeded"),
            ("payment_intent.payment_failed", "payment_failed"),
            ("refund.created", "payment_refunded"),
            ("refund.updated", "payment_refunded"),
        ] {
            let fact = fact(&format!("{kind}.{version}"), Some(pointer()));
            assert_eq!(fact.happening.name(), name, "{kind} {version}");
            assert_eq!(fact.event_id.to_string(), EVENT);
            assert_eq!(fact.session_id.map(|id| id.to_string()).as_deref(), Some(SESSION));
            assert!(fact.person.is_some() && !fact.is_foreign());
        }
    }
}

#[test]
fn a_payment_knows_its_person_without_asking_the_ledger() {
    let fact = fact("payment_intent.succeeded.endive", None);
    let contact = fact.contact.unwrap();
    assert_eq!(fact.person, Some(pepper().person(&contact.email)));
    assert_eq!(contact.phone.unwrap().expose(), "+351912345678");
    assert!(fact.consent.unwrap().analytics);
    assert_eq!(fact.happening.payment().unwrap().amount.minor, 9700);
}

#[test]
fn a_failure_keeps_the_banks_reason() {
    let failed = fact("payment_intent.payment_failed.endive", None).happening;
    let Happening::PaymentFailed { code, payment } = failed else { panic!("{}", failed.name()) };
    assert_eq!(code.as_deref(), Some("insufficient_funds"));
    assert!(payment.charge.is_some());
}

#[test]
fn both_events_of_one_refund_have_one_effect() {
    let created = fact("refund.created.endive", Some(pointer()));
    let updated = fact("refund.updated.endive", Some(pointer()));
    assert_ne!(created.source, updated.source);
    assert_eq!(created.effect(), updated.effect());
}

#[test]
fn what_nobody_here_began_is_anothers_and_names_nobody() {
    let first = fact("refund.created.endive", None);
    let again = fact("refund.updated.endive", None);
    assert!(first.is_foreign() && again.is_foreign());
    assert_eq!(first.event_id, again.event_id, "one payment, one journey");
    let intent = StripeId::parse("pi_3SVq0pSAMPLE0001").unwrap();
    assert_eq!(first.event_id, EventId::of_foreign(&intent));
    assert_eq!((first.person, first.contact, first.consent), (None, None, None));
}
