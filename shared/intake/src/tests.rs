//! Bodies of pages, of people who mistype, and of people who mean no good.

use crate::body::Minted;
use crate::{Body, ConsentUpdate, Lead, Malformed, Object, Purchase};
use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use domain::attribution::Field;
use domain::consent::Method;
use domain::contact::Language;
use jiff::Timestamp;
use lambda::http::FieldError;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn lead() -> Value {
    json!({
        "event_id": "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11",
        "user_session_id": "8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422",
        "full_name": "Ana Silva",
        "email": "ana.silva@example.pt",
        "phone": "912 345 678",
        "language": "pt-PT",
        "lead_created_at": "2026-11-21T09:59:58.120Z",
        "utm_source": "instagram",
        "consent": consent(),
    })
}

fn consent() -> Value {
    json!({"marketing": true, "analytics": false, "method": "modal",
        "timestamp": "2026-11-21T09:58:31.204Z", "version": "1"})
}

fn purchase() -> Value {
    with(lead(), "product_id", json!("cafe-com-vendas-ticket"))
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}

fn object(body: &Value) -> Object {
    Body::from_json(&serde_json::to_vec(body).unwrap()).unwrap().fields
}

fn read(body: &Value) -> Result<Lead, Vec<FieldError>> {
    Lead::read(&object(body), None)
}

fn refused(errors: Vec<FieldError>) -> Vec<&'static str> {
    errors.into_iter().map(|error| error.field).collect()
}

fn minted() -> Minted {
    Minted::from_random(Uuid::from_u128(1), Uuid::from_u128(2)).unwrap()
}

fn sample(path: &str) -> Value {
    let path = format!("{}/../../events/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_lead_is_read_into_the_domains_words() {
    let lead = read(&lead()).unwrap();
    assert_eq!(lead.contact.phone.unwrap().expose(), "+351912345678");
    assert_eq!(lead.contact.language, Language::Portuguese);
    assert_eq!((lead.revision, lead.context.get(Field::UtmSource)), (1, Some("instagram")));
    let answer = lead.answer.unwrap();
    assert!(answer.marketing && !answer.analytics && !answer.preferences);
    assert_eq!((answer.method, answer.version.as_str()), (Method::Modal, "1"));
}

#[test]
fn what_may_be_missing_may_be_missing_or_null_or_blank() {
    for field in ["phone", "language", "lead_created_at", "utm_source", "consent", "revision"] {
        assert!(read(&without(lead(), field)).is_ok(), "{field} missing");
        assert!(read(&with(lead(), field, json!(null))).is_ok(), "{field} null");
    }
    for field in ["phone", "language", "lead_created_at", "utm_source"] {
        assert!(read(&with(lead(), field, json!("  "))).is_ok(), "{field} blank");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_without_values() {
    let errors = read(&json!({
        "event_id": "nobody's", "user_session_id": Uuid::nil(), "revision": 21,
        "full_name": "\u{200b}", "email": "ana.silva.example.pt", "phone": "91x",
        "lead_created_at": "yesterday",
        "consent": {"marketing": "perhaps", "method": "telepathy", "version": "<b>"},
    }))
    .unwrap_err();
    let told = format!("{errors:?}");
    for value in ["nobody", "ana.silva", "91x", "yesterday", "perhaps", "telepathy", "<b>"] {
        assert!(!told.contains(value), "{told}");
    }
    assert_eq!(
        refused(errors),
        [
            "event_id",
            "user_session_id",
            "revision",
            "full_name",
            "email",
            "phone",
            "lead_created_at",
            "consent.marketing",
            "consent.method",
            "consent.version",
        ]
    );
    assert_eq!(
        refused(read(&json!({})).unwrap_err()),
        ["event_id", "user_session_id", "full_name", "email"]
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused_and_not_guessed() {
    for field in ["event_id", "user_session_id", "full_name", "email", "phone", "lead_created_at"] {
        for value in [json!(7), json!(true), json!([]), json!({}), json!(["x"])] {
            let errors = read(&with(lead(), field, value.clone())).unwrap_err();
            assert_eq!(refused(errors), [field], "{value}");
        }
    }
    for value in [json!(true), json!("yes"), json!([]), json!(1)] {
        assert_eq!(refused(read(&with(lead(), "consent", value)).unwrap_err()), ["consent"]);
    }
}

#[test]
fn revisions_go_from_1_to_20() {
    for (revision, taken) in [
        (json!(1), true),
        (json!(20), true),
        (json!(2.0), true),
        (json!(0), false),
        (json!(21), false),
        (json!(-1), false),
        (json!(1.5), false),
        (json!("2"), false),
        (json!(u64::MAX), false),
        (json!(1e300), false),
        (json!(true), false),
    ] {
        assert_eq!(read(&with(lead(), "revision", revision.clone())).is_ok(), taken, "{revision}");
    }
}

#[test]
fn context_stands_beside_the_fields_or_in_an_object_and_never_costs_a_lead() {
    let nested =
        json!({"utm_source": "older", "utm_medium": "paid", "ga_session_id": 1_795_255_111});
    let body = with(with(lead(), "context", nested), "utm_term", json!(["odd"]));
    let context = read(&body).unwrap().context;
    assert_eq!(context.get(Field::UtmSource), Some("instagram"), "what is beside goes before");
    assert_eq!(context.get(Field::UtmMedium), Some("paid"));
    assert_eq!(context.get(Field::GaSessionId), Some("1795255111"));
    assert_eq!(context.get(Field::UtmTerm), None);
    assert!(read(&with(lead(), "context", json!("odd"))).is_ok());
    let page = json!("https://example.pt/?email=ana.silva@example.pt&secret=pi_1_secret_2");
    let context = read(&with(lead(), "page_url", page)).unwrap().context;
    assert_eq!(
        context.get(Field::PageUrl),
        Some("https://example.pt/?email=redacted&secret=redacted")
    );
}

#[test]
fn consent_is_read_in_every_spelling_and_denied_where_nothing_is_said() {
    for (spelling, granted) in [
        (json!(true), true),
        (json!("true"), true),
        (json!("granted"), true),
        (json!("on"), true),
        (json!("GRANTED"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!("denied"), false),
        (json!("off"), false),
        (json!(null), false),
        (json!(""), false),
    ] {
        let body = with(lead(), "consent", with(consent(), "marketing", spelling.clone()));
        let answer = read(&body).unwrap().answer.unwrap();
        assert_eq!(answer.marketing, granted, "{spelling}");
    }
    for spelling in [json!(1), json!("yes"), json!([]), json!({})] {
        let body = with(lead(), "consent", with(consent(), "analytics", spelling.clone()));
        assert_eq!(refused(read(&body).unwrap_err()), ["consent.analytics"], "{spelling}");
    }
    let nothing_granted = json!({"method": "modal", "version": 1});
    let answer = read(&with(lead(), "consent", nothing_granted)).unwrap().answer.unwrap();
    assert!(!answer.marketing && !answer.analytics && !answer.preferences);
    assert_eq!(answer.version, "1");
    for version in [json!(-1), json!(1.5), json!(1e300), json!(true), json!(u64::MAX)] {
        let body = with(lead(), "consent", with(consent(), "version", version.clone()));
        assert_eq!(refused(read(&body).unwrap_err()), ["consent.version"], "{version}");
    }
}

#[test]
fn an_answer_from_the_future_counts_from_when_it_was_heard() {
    let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let told = |time: &str| {
        let body = with(lead(), "consent", with(consent(), "timestamp", json!(time)));
        read(&body).unwrap().answer.unwrap().heard(now, None).given_at
    };
    assert_eq!(told("2031-01-01T00:00:00Z"), now);
    assert_eq!(told("2026-11-21T09:58:31.204Z").to_string(), "2026-11-21T09:58:31.204Z");
}

#[test]
fn a_consent_for_itself_needs_an_answer() {
    let update = ConsentUpdate::read(&object(&lead())).unwrap();
    assert!(update.answer.marketing);
    assert_eq!(update.answer.language, Some(Language::Portuguese));
    let errors = ConsentUpdate::read(&object(&without(lead(), "consent"))).unwrap_err();
    assert_eq!(refused(errors), ["consent"]);
    let errors = ConsentUpdate::read(&object(&with(lead(), "consent", json!({})))).unwrap_err();
    assert_eq!(refused(errors), ["consent.method", "consent.version"]);
}

#[test]
fn a_purchase_says_what_and_how_many_and_never_how_much() {
    let read = |body: Value| Purchase::read(&object(&body));
    let bought = read(with(purchase(), "amount", json!(1))).unwrap();
    assert_eq!((bought.product_id.as_str(), bought.quantity), ("cafe-com-vendas-ticket", 1));
    for (quantity, taken) in [(0, false), (1, true), (20, true), (21, false), (-3, false)] {
        let result = read(with(purchase(), "quantity", json!(quantity)));
        assert_eq!(result.is_ok(), taken, "{quantity}");
    }
    for product in [json!("Café"), json!("../x"), json!(""), json!(null), json!("x".repeat(65))] {
        let errors = read(with(purchase(), "product_id", product)).unwrap_err();
        assert_eq!(refused(errors), ["product_id"]);
    }
}

#[test]
fn a_body_that_cannot_be_read_is_refused_as_a_whole() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let deep_inside = format!("{{\"a\":{}{}}}", "{\"a\":".repeat(8), "}".repeat(8));
    let deepest = format!("{{\"a\":{}1{}}}", "[".repeat(7), "]".repeat(7));
    for (body, expected) in [
        ("", None),
        ("nonsense", None),
        ("{\"a\":1", None),
        ("{\"a\":1}{}", None),
        ("{\"a\":\"\\ud800\"}", None),
        ("{\"a\":1e999}", None),
        ("\u{feff}{}", None),
        ("[]", Some(Malformed::NotAnObject)),
        ("null", Some(Malformed::NotAnObject)),
        ("\"text\"", Some(Malformed::NotAnObject)),
        (&deep, Some(Malformed::TooDeep)),
        (&deep_inside, Some(Malformed::TooDeep)),
        ("{\"a\":1,\"a\":1}", Some(Malformed::DuplicateField)),
        ("{\"a\":1,\"\\u0061\":2}", Some(Malformed::DuplicateField)),
        ("{\"unknown\":[{\"b\":1,\"b\":2}]}", Some(Malformed::DuplicateField)),
    ] {
        let error = Body::from_json(body.as_bytes()).map(|_| ()).unwrap_err();
        match expected {
            Some(expected) => assert_eq!(error, expected, "{body:.40}"),
            None => assert!(matches!(error, Malformed::NotJson { .. }), "{body:.40}: {error:?}"),
        }
    }
    assert!(Body::from_json(deepest.as_bytes()).is_ok());
    assert!(Body::from_json(b"{\"a\":\"\xff\"}").is_err());
    assert!(Body::from_json(b"{\"unknown\":[1,{\"x\":null}]}").is_ok());
}

#[test]
fn a_form_is_read_as_if_it_were_json() {
    let form = b"full_name=Ana+Silva&email=ana.silva%40example.pt&phone=%2B351+912+345+678&revision=2&consent_marketing=on&consent_version=1&website=";
    let body = Body::from_form(form).unwrap();
    assert!(body.is_form && !body.fields.is_trapped());
    let lead = Lead::read(&body.fields, Some(minted())).unwrap();
    assert_eq!((lead.event_id, lead.session_id), (minted().event_id, minted().session_id));
    assert_eq!((lead.revision, lead.contact.full_name.unwrap().expose()), (2, "Ana Silva"));
    let answer = lead.answer.unwrap();
    assert_eq!((answer.marketing, answer.analytics), (true, false), "no tick is a refusal");
    assert_eq!(answer.method, Method::Checkbox);
    for form in ["a=1&a=2", "consent_version=1&consent_version=1"] {
        assert_eq!(
            Body::from_form(form.as_bytes()).map(|_| ()).unwrap_err(),
            Malformed::DuplicateField
        );
    }
    assert_eq!(Body::from_form(b"a=%ff").map(|_| ()).unwrap_err(), Malformed::NotUtf8);
    assert!(Body::from_form(b"").unwrap().fields.text("email").is_none());
}

#[test]
fn a_form_without_boxes_says_nothing_of_consent() {
    let body = Body::from_form(b"full_name=Ana+Silva&email=ana.silva%40example.pt").unwrap();
    assert!(Lead::read(&body.fields, Some(minted())).unwrap().answer.is_none());
}

#[test]
fn the_field_that_nobody_sees_catches_machines() {
    for (value, trapped) in [
        (json!(""), false),
        (json!("  "), false),
        (json!(null), false),
        (json!("https://example.com"), true),
        (json!(true), true),
        (json!([]), true),
    ] {
        assert_eq!(
            object(&with(lead(), "website", value.clone())).is_trapped(),
            trapped,
            "{value}"
        );
    }
    assert!(!object(&lead()).is_trapped());
}

#[test]
fn every_sample_is_read() {
    for (path, form) in [
        ("lead-capture/lead.json", false),
        ("lead-capture/lead-corrected.json", false),
        ("lead-capture/lead-from-a-form.json", true),
    ] {
        let request = sample(path);
        let body = request["body"].as_str().unwrap().as_bytes();
        let body = if form { Body::from_form(body) } else { Body::from_json(body) }.unwrap();
        Lead::read(&body.fields, form.then(minted)).unwrap();
    }
}

#[test]
fn every_sample_is_a_request_as_api_gateway_sends_it() {
    let events = format!("{}/../../events", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for (folder, path) in [
        ("lead-capture", "/leads"),
        ("consent-capture", "/consents"),
        ("create-payment-intent", "/payment-intents"),
        ("stripe-webhook", "/webhooks/stripe"),
    ] {
        for file in std::fs::read_dir(format!("{events}/{folder}")).unwrap() {
            let file = file.unwrap().path();
            if file.to_string_lossy().ends_with(".stripe.json") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let request: ApiGatewayProxyRequest = serde_json::from_str(&text).unwrap();
            assert_eq!(request.http_method, "POST", "{}", file.display());
            assert_eq!(request.path.as_deref(), Some(path), "{}", file.display());
            assert!(request.headers.contains_key("content-type"), "{}", file.display());
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen} samples");
}

proptest! {
    #[test]
    fn no_bytes_at_all_bring_the_reader_down(bytes: Vec<u8>) {
        if let Ok(body) = Body::from_json(&bytes) {
            let _errors = Lead::read(&body.fields, None);
        }
        if let Ok(body) = Body::from_form(&bytes) {
            let _errors = Lead::read(&body.fields, None);
        }
    }

    #[test]
    fn no_text_in_any_field_brings_the_reader_down_or_is_told(text in "\\PC{12,60}") {
        for field in ["event_id", "full_name", "email", "phone", "language", "lead_created_at", "page_url"] {
            if let Err(errors) = read(&with(lead(), field, json!(text))) {
                let told = format!("{errors:?}");
                prop_assert!(!told.contains(&text));
                prop_assert_eq!(refused(errors), [field]);
            }
        }
    }
}
