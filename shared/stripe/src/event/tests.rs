//! Events: the samples of two API versions, every shape a field may have, and faults that name it.

use super::{Kind, Told, Unreadable, What};
use crate::webhook::{SigningSecrets, VerifiedEvent, verify};
use domain::id::StripeId;
use serde_json::{Value, json};

const SECRET: &str = "whsec_sample0123456789sample0123456789";

fn sample(name: &str) -> String {
    let path = format!("{}/../../events/stripe-webhook/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// As if Stripe had signed it.
fn trusted(body: &[u8]) -> VerifiedEvent<'_> {
    VerifiedEvent::trusted(body)
}

fn told(event: &Value) -> Result<Option<Told>, Unreadable> {
    let body = serde_json::to_vec(event).unwrap();
    trusted(&body).event().and_then(|event| event.told())
}

fn event(kind: &str, object: Value) -> Value {
    json!({"id": "evt_1", "type": kind, "created": 1_700_000_000, "livemode": false,
        "data": {"object": object}})
}

fn intent() -> Value {
    json!({"id": "pi_1", "amount": 9700, "currency": "eur", "latest_charge": "ch_1", "metadata": {}})
}

fn refund() -> Value {
    json!({"id": "re_1", "amount": 500, "currency": "eur", "status": "succeeded",
        "charge": "ch_1", "payment_intent": "pi_1"})
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

fn without(mut object: Value, field: &str) -> Value {
    object.as_object_mut().unwrap().remove(field);
    object
}

fn id(text: &str) -> StripeId {
    StripeId::parse(text).unwrap()
}

#[test]
fn every_sample_of_both_versions_says_the_same() {
    for version in ["endive", "acacia"] {
        let read = |kind: &str| -> Told {
            let body = sample(&format!("{kind}.{version}.stripe.json"));
            let verified = trusted(body.as_bytes());
            let event = verified.event().unwrap();
            assert_eq!((event.kind.name(), event.livemode), (kind, false));
            event.told().unwrap().unwrap()
        };
        let What::Paid(paid) = read("payment_intent.succeeded").what else { panic!("{version}") };
        assert_eq!((paid.id.as_str(), paid.amount.minor), ("pi_3SVq0pSAMPLE0001", 9700));
        assert_eq!(paid.metadata.contact().unwrap().email.expose(), "ana.silva@example.pt");
        assert!(paid.metadata.consent().unwrap().marketing);
        let What::NotPaid(intent, failure) = read("payment_intent.payment_failed").what else {
            panic!("{version}")
        };
        assert_eq!(failure.code.as_deref(), Some("insufficient_funds"));
        assert_eq!(intent.charge, Some(id("ch_3SVq0pSAMPLE0001")));
        for kind in ["refund.created", "refund.updated"] {
            let What::Refunded(refund) = read(kind).what else { panic!("{version}") };
            assert_eq!((refund.of.as_str(), refund.amount.minor), ("pi_3SVq0pSAMPLE0001", 9700));
        }
    }
}

#[test]
fn every_sample_of_api_gateway_carries_its_event_signed() {
    let folder = format!("{}/../../events/stripe-webhook", env!("CARGO_MANIFEST_DIR"));
    let secrets = SigningSecrets::parse(SECRET).unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".json").filter(|stem| !stem.ends_with(".stripe"))
        else {
            continue;
        };
        let request: Value = serde_json::from_str(&sample(&name)).unwrap();
        let body = request["body"].as_str().unwrap();
        assert_eq!(body, sample(&format!("{stem}.stripe.json")).trim_end(), "{name}");
        let header = request["headers"]["Stripe-Signature"].as_str().unwrap();
        let second = header[2..].split(',').next().unwrap().parse().unwrap();
        let now = jiff::Timestamp::from_second(second).unwrap();
        verify(Some(header), body.as_bytes(), &secrets, now).unwrap();
        seen += 1;
    }
    assert_eq!(seen, 8);
}

#[test]
fn references_may_be_ids_or_objects_or_missing() {
    let charge = |latest: Value| {
        let object = with(intent(), "latest_charge", latest);
        let Some(Told { what: What::Paid(paid), .. }) =
            told(&event("payment_intent.succeeded", object)).unwrap()
        else {
            panic!("a payment")
        };
        paid.charge
    };
    assert_eq!(charge(json!("ch_1")), Some(id("ch_1")));
    assert_eq!(charge(json!({"id": "ch_2", "object": "charge", "paid": true})), Some(id("ch_2")));
    assert_eq!(charge(json!(null)), None);
    assert_eq!(charge(json!(7)), None);
    let of = |object: Value| match told(&event("refund.created", object)) {
        Ok(Some(Told { what: What::Refunded(refund), .. })) => refund.of,
        other => panic!("{other:?}"),
    };
    assert_eq!(of(refund()), id("pi_1"));
    assert_eq!(of(with(refund(), "payment_intent", json!({"id": "pi_2"}))), id("pi_2"));
    assert_eq!(of(with(refund(), "payment_intent", json!(null))), id("ch_1"));
}

#[test]
fn the_charge_of_a_failure_may_stand_in_its_error_alone() {
    let object = with(
        without(intent(), "latest_charge"),
        "last_payment_error",
        json!({"code": "card_declined", "charge": "ch_9"}),
    );
    match told(&event("payment_intent.payment_failed", object)).unwrap().unwrap().what {
        What::NotPaid(intent, failure) => {
            assert_eq!(intent.charge, Some(id("ch_9")));
            assert_eq!(failure.code.as_deref(), Some("card_declined"));
        }
        What::Paid(_) | What::Refunded(_) => panic!("a failure"),
    }
}

/// The charge of an earlier try is still the latest there was.
#[test]
fn an_authentication_that_failed_after_a_refused_card_is_a_failure_of_its_own() {
    let error = json!({"code": "payment_intent_authentication_failure"});
    let object = with(intent(), "last_payment_error", error);
    let told = told(&event("payment_intent.payment_failed", object)).unwrap().unwrap();
    assert!(matches!(told.what, What::NotPaid(intent, _) if intent.charge.is_none()));
}

#[test]
fn a_failure_without_a_reason_is_still_a_failure() {
    for error in [json!(null), json!({}), json!({"code": null}), json!("odd"), json!({"code": 7})] {
        let object = with(intent(), "last_payment_error", error);
        let told = told(&event("payment_intent.payment_failed", object)).unwrap().unwrap();
        assert!(matches!(told.what, What::NotPaid(_, failure) if failure.code.is_none()));
    }
}

#[test]
fn what_was_received_counts_and_not_what_was_asked() {
    let object = with(intent(), "amount_received", json!(5000));
    let told = told(&event("payment_intent.succeeded", object)).unwrap().unwrap();
    assert!(matches!(told.what, What::Paid(paid) if paid.amount.minor == 5000));
}

#[test]
fn a_refund_counts_once_it_succeeded() {
    for status in ["pending", "requires_action", "failed", "canceled", "tomorrow's"] {
        let object = with(refund(), "status", json!(status));
        assert_eq!(told(&event("refund.updated", object)), Ok(None), "{status}");
    }
    assert_eq!(told(&event("refund.created", with(refund(), "status", json!(null)))), Ok(None));
}

#[test]
fn other_types_are_not_looked_at() {
    for kind in ["charge.refunded", "payment_intent.created", "v2.core.account.created"] {
        let odd = json!({"id": "evt_1", "object": "v2.core.event", "type": kind,
            "created": "2026-11-21T10:00:00Z", "livemode": true, "related_object": {"id": "x"}});
        let body = serde_json::to_vec(&odd).unwrap();
        let verified = trusted(&body);
        let event = verified.event().unwrap();
        assert_eq!((event.kind, event.livemode), (Kind::Other, true));
        assert_eq!(event.told(), Ok(None));
    }
}

#[test]
fn a_fault_names_its_field_and_nothing_of_its_value() {
    let good = event("payment_intent.succeeded", intent());
    for (body, fault) in [
        (without(good.clone(), "id"), Unreadable::Missing("id")),
        (with(good.clone(), "id", json!("ana@example.pt")), Unreadable::Unfit("id")),
        (without(good.clone(), "type"), Unreadable::Missing("type")),
        (with(good.clone(), "livemode", json!("no")), Unreadable::Unfit("livemode")),
        (with(good.clone(), "created", json!("yesterday")), Unreadable::Unfit("created")),
        (with(good.clone(), "created", json!(i64::MAX)), Unreadable::Unfit("created")),
        (without(good.clone(), "data"), Unreadable::Missing("data")),
        (with(good.clone(), "data", json!({})), Unreadable::Missing("data.object")),
        (with(good.clone(), "data", json!("x")), Unreadable::Unfit("data")),
        (with(good, "data", json!({"object": 5})), Unreadable::Unfit("data.object")),
    ] {
        assert_eq!(told(&body), Err(fault));
    }
    for (field, value, fault) in [
        ("id", json!(null), Unreadable::Missing("data.object.id")),
        ("amount", json!("97.00"), Unreadable::Unfit("data.object.amount")),
        ("amount", json!(-1), Unreadable::Unfit("data.object.amount")),
        ("currency", json!("euro"), Unreadable::Unfit("data.object.currency")),
    ] {
        let object = with(intent(), field, value);
        assert_eq!(told(&event("payment_intent.succeeded", object)), Err(fault));
    }
    let nothing = with(with(refund(), "payment_intent", json!(null)), "charge", json!(null));
    assert_eq!(
        told(&event("refund.created", nothing)),
        Err(Unreadable::Missing("data.object.payment_intent"))
    );
}

#[test]
fn what_is_no_json_says_where_it_stopped() {
    for body in ["", "{", "nonsense", "[]", "{\"id\":\"evt_1\"", "\u{feff}{}"] {
        let error = trusted(body.as_bytes()).event().map(|_| ()).unwrap_err();
        assert!(matches!(error, Unreadable::NotJson { .. }), "{body:?}: {error:?}");
    }
    let deep = "[".repeat(100_000);
    assert!(trusted(deep.as_bytes()).event().is_err());
}

#[test]
fn metadata_of_others_is_read_as_far_as_it_can_be() {
    let object =
        with(intent(), "metadata", json!({"order": "7", "odd": 7, "event_id": "nobody's"}));
    let told = told(&event("payment_intent.succeeded", object)).unwrap().unwrap();
    match told.what {
        What::Paid(paid) => {
            assert_eq!(paid.metadata.event_id(), None);
            assert_eq!(paid.metadata.pairs().count(), 2);
        }
        What::NotPaid(..) | What::Refunded(_) => panic!("a payment"),
    }
}
