//! Fields: missing, unknown, of the wrong kind, out of range, of somebody else, from another time.

use super::answers::{Told, a_few_at_a_time, ask, lacking, with};
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::visitor::{Visitor, a_visitor};
use lambda::http::Kind;
use serde_json::{Value, json};
use uuid::Uuid;

impl Visitor {
    /// The body of `POST /consents`.
    pub(crate) fn consent_update(&self) -> Value {
        json!({"event_id": self.event_id, "user_session_id": self.session, "language": "pt-PT",
            "consent": self.lead(1)["consent"]})
    }
}

/// Each route with a body it takes, and the fields that must be in it.
fn routes(visitor: &Visitor) -> [(&'static str, Value, &'static [&'static str]); 3] {
    [
        ("/leads", visitor.lead(1), &["event_id", "user_session_id", "full_name", "email"]),
        ("/consents", visitor.consent_update(), &["event_id", "user_session_id", "consent"]),
        (
            "/payment-intents",
            visitor.purchase(),
            &["event_id", "user_session_id", "product_id", "full_name", "email"],
        ),
    ]
}

async fn refused(stack: &Stack, path: &str, body: &Value, field: &str) {
    let told = ask(path).json(body).post(stack).await;
    told.is_problem(Kind::InvalidField, &[field], &(path, field, &body[field]));
}

#[tokio::test]
async fn what_must_be_there_is_named_when_it_is_missing_null_or_blank() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    for (path, body, required) in routes(&visitor) {
        for field in required {
            refused(&stack, path, &lacking(&body, field), field).await;
            refused(&stack, path, &with(&body, field, Value::Null), field).await;
            if *field != "consent" {
                refused(&stack, path, &with(&body, field, " \t\u{a0} "), field).await;
            }
        }
        for field in ["consent.method", "consent.version"] {
            refused(&stack, path, &lacking(&body, field), field).await;
            refused(&stack, path, &with(&body, field, ""), field).await;
        }
        let told = ask(path).json(&json!({})).post(&stack).await;
        told.is_problem(Kind::InvalidField, required, &path);
    }
    assert!(stack.timeline(visitor.event_id).await.facts.is_empty());
}

/// A call with one value that is wrong, and the field that must be named for it.
type Wrong = (&'static str, Value, &'static str);

/// Texts that are none, or too long, in every field that is read as a text.
fn wrong_texts(visitor: &Visitor) -> Vec<Wrong> {
    let mut calls = Vec::new();
    for (path, body, required) in routes(visitor) {
        let optional: &[&str] = match path {
            "/leads" => &["phone", "language", "lead_created_at"],
            "/consents" => &["language"],
            _ => &["phone", "language"],
        };
        for field in required.iter().chain(optional).filter(|field| **field != "consent") {
            let wrong = [json!(7), json!(true), json!([]), json!({}), json!(["ana@example.pt"])];
            calls.extend(wrong.map(|value| (path, with(&body, field, value), *field)));
            calls.push((path, with(&body, field, "x".repeat(2001)), field));
        }
    }
    calls
}

fn wrong_consents(visitor: &Visitor) -> Vec<Wrong> {
    let wrong = [
        ("consent", json!(true)),
        ("consent", json!("yes")),
        ("consent", json!([])),
        ("consent.marketing", json!("perhaps")),
        ("consent.analytics", json!(1)),
        ("consent.preferences", json!({})),
        ("consent.method", json!("telepathy")),
        ("consent.method", json!(0)),
        ("consent.timestamp", json!("yesterday")),
        ("consent.version", json!("<b>1</b>")),
        ("consent.version", json!("1".repeat(33))),
        ("consent.version", json!(-1)),
        ("consent.version", json!(1.5)),
    ];
    let calls = routes(visitor).into_iter().flat_map(|(path, body, _)| {
        wrong.clone().map(|(field, value)| (path, with(&body, field, value), field))
    });
    calls.collect()
}

fn wrong_numbers_and_words(visitor: &Visitor) -> Vec<Wrong> {
    let (lead, purchase) = (visitor.lead(1), visitor.purchase());
    let numbers = [
        json!(0),
        json!(21),
        json!(-1),
        json!(1.5),
        json!("2"),
        json!(1e300),
        json!(true),
        json!([1]),
    ];
    let products = ["Café", "../x", "x_y", "UPPER", "a b"];
    let mut calls = Vec::new();
    for number in numbers {
        calls.push(("/leads", with(&lead, "revision", number.clone()), "revision"));
        calls.push(("/payment-intents", with(&purchase, "quantity", number), "quantity"));
    }
    for product in products {
        calls.push(("/payment-intents", with(&purchase, "product_id", product), "product_id"));
    }
    for tag in ["x".repeat(36), "é".repeat(18)] {
        calls.push(("/consents", with(&visitor.consent_update(), "language", tag), "language"));
    }
    calls
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_is_refused_and_not_guessed() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let mut calls = wrong_texts(&visitor);
    calls.extend(wrong_consents(&visitor));
    calls.extend(wrong_numbers_and_words(&visitor));
    a_few_at_a_time(calls.iter().map(async |(path, body, field)| {
        refused(&stack, path, body, field).await;
    }))
    .await;
    assert!(stack.timeline(visitor.event_id).await.facts.is_empty());
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let body = json!({"event_id": "nobodys", "user_session_id": Uuid::nil(), "revision": 21,
        "full_name": "\u{200b}\u{202e}", "email": "ana.silva.example.pt", "phone": "91x2345678",
        "lead_created_at": "the day before", "language": "x".repeat(50),
        "consent": {"marketing": "perhaps", "method": "telepathy", "version": "<script>"}});
    let told = ask("/leads").json(&body).post(&stack).await;
    let all = [
        "event_id",
        "user_session_id",
        "revision",
        "language",
        "full_name",
        "email",
        "phone",
        "lead_created_at",
        "consent.marketing",
        "consent.method",
        "consent.version",
    ];
    told.is_problem(Kind::InvalidField, &all, &"everything");
}

#[tokio::test]
async fn a_journeys_id_is_a_uuid_in_any_spelling_and_never_the_nil_one() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let nil = Uuid::nil();
    let stray = [
        "3f0e2a52".to_owned(),
        "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a1".to_owned(),
        "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a111".to_owned(),
        "gf0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11".to_owned(),
        "JOURNEY#3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11".to_owned(),
        "' OR 1=1 --".to_owned(),
        "../../etc/passwd".to_owned(),
        "３f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11".to_owned(),
        nil.to_string(),
        nil.simple().to_string(),
        nil.braced().to_string(),
    ];
    for (path, body, _) in routes(&visitor) {
        for text in &stray {
            for field in ["event_id", "user_session_id"] {
                refused(&stack, path, &with(&body, field, text.as_str()), field).await;
            }
        }
    }
    let id = Uuid::from(visitor.event_id);
    let spellings = [
        id.to_string().to_uppercase(),
        id.simple().to_string(),
        id.braced().to_string(),
        id.urn().to_string(),
        format!("  {id}\n"),
    ];
    for spelling in spellings {
        let body = with(&visitor.lead(1), "event_id", spelling.as_str());
        let told = ask("/leads").json(&body).post(&stack).await;
        told.is(202, &spelling);
        assert_eq!(told.json["event_id"], id.to_string(), "one journey, one spelling");
    }
    assert_eq!(stack.timeline(visitor.event_id).await.facts.len(), 1);
}

#[tokio::test]
async fn nobody_goes_on_with_the_journey_of_somebody_else() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let mut thief = a_visitor();
    thief.event_id = visitor.event_id;
    let bodies = [
        ("/leads", thief.lead(1)),
        ("/leads", thief.lead(2)),
        ("/consents", thief.consent_update()),
        ("/payment-intents", thief.purchase()),
    ];
    for (path, body) in bodies {
        let told = ask(path).json(&body).post(&stack).await;
        told.is_problem(Kind::SessionMismatch, &[], &path);
        assert!(!told.text.contains(&visitor.session.to_string()), "nor is told which is right");
    }
    assert_eq!(stack.settled(visitor.event_id, 1).await.facts.len(), 1);
    assert!(stack.sandbox.seen("stripe", &visitor.event_id.to_string()).await.is_empty());
}

#[tokio::test]
async fn the_twentieth_revision_is_the_last_and_none_is_told_twice() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    visitor.sends_revision(&stack, 20).await;
    refused(&stack, "/leads", &visitor.lead(21), "revision").await;
    let other = with(&visitor.lead(20), "full_name", "Maria Silva");
    let told = ask("/leads").json(&other).post(&stack).await;
    told.is_problem(Kind::RevisionConflict, &[], &20);
    let told = ask("/leads").json(&with(&visitor.lead(20), "revision", 20.0)).post(&stack).await;
    told.is(202, &"20.0 is 20");
    assert_eq!(stack.settled(visitor.event_id, 2).await.facts.len(), 2);
}

#[tokio::test]
async fn fields_that_nobody_knows_are_ignored() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let mut bodies = routes(&visitor).map(|(path, body, _)| (path, body));
    for (path, body) in &mut bodies {
        for name in [
            "amount",
            "price",
            "__proto__",
            "constructor",
            "",
            " ",
            "event_id ",
            "EMAIL",
            "$where",
            "a.b",
            "é",
        ] {
            body[name] = json!({"a": [1, null, {"b": "c"}]});
        }
        body["context"] = json!(["odd"]);
        body["utm_term"] = json!({"odd": true});
        body["gclid"] = json!(17);
        body["many"] = json!((0..2000).collect::<Vec<_>>());
        let told = ask(path).json(body).post(&stack).await;
        assert!(told.status < 300, "{path}: {told:?}");
    }
    let told: Told = ask("/payment-intents").json(&bodies[2].1).post(&stack).await;
    assert_eq!(told.json["amount"], 9700, "the price is the catalogue's");
}

#[tokio::test]
async fn a_clock_that_is_years_off_does_not_move_what_happened() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    for time in [
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "2019-12-31T23:59:59Z",
        "2099-12-31T23:59:59Z",
        "9999-12-30T22:00:00Z",
        "2038-01-19T03:14:08+14:00",
    ] {
        let visitor = a_visitor();
        let lead = with(&visitor.lead(1), "lead_created_at", time);
        let lead = with(&lead, "consent.timestamp", time);
        ask("/leads").json(&lead).post(&stack).await.is(202, &time);
        ask("/leads").json(&lead).post(&stack).await.is(202, &"and again");
        let facts = stack.timeline(visitor.event_id).await.facts;
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0].occurred_at, facts[0].recorded_at, "{time}");
        assert_eq!(facts[0].consent.as_ref().unwrap().given_at, facts[0].recorded_at, "{time}");
    }
    let visitor = a_visitor();
    for time in [
        "2026-11-20",
        "2026-11-20T10:00:00",
        "20/11/2026",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "1795168800",
        "10000-01-01T00:00:00Z",
        "now",
    ] {
        refused(
            &stack,
            "/leads",
            &with(&visitor.lead(1), "lead_created_at", time),
            "lead_created_at",
        )
        .await;
    }
}

#[tokio::test]
async fn a_machine_that_fills_in_the_hidden_field_is_thanked_and_dropped() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    for website in [json!("https://example.com"), json!(1), json!(true), json!([]), json!({})] {
        let told =
            ask("/leads").json(&with(&visitor.lead(1), "website", website)).post(&stack).await;
        told.is(202, &"as if it were taken");
        assert_eq!(told.json, json!({"event_id": visitor.event_id, "status": "accepted"}));
    }
    let told = ask("/leads").json(&json!({"website": "x", "email": 1})).post(&stack).await;
    told.is(202, &"nor is it told what would be wrong");
    assert!(Uuid::try_parse(told.json["event_id"].as_str().unwrap()).is_ok());
    assert!(stack.timeline(visitor.event_id).await.facts.is_empty());
    for website in [json!(""), json!("  "), Value::Null] {
        let told =
            ask("/leads").json(&with(&visitor.lead(1), "website", website)).post(&stack).await;
        told.is(202, &"what a person leaves blank");
    }
    assert_eq!(stack.timeline(visitor.event_id).await.facts.len(), 1);
}
