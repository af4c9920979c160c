//! Content types, pages of others, methods, headers, and bodies that the gateway has encoded.

use super::answers::{FORM, PAGES, ask, with};
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::visitor::a_visitor;
use lambda::http::Kind;
use reqwest::Method;
use serde_json::{Value, json};

impl Stack {
    /// The page that may call the API.
    async fn page(&self) -> String {
        self.environment("lead-capture").await["ALLOWED_ORIGINS"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_content_type_that_is_not_read_here_is_refused() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let body = json!({});
    for path in PAGES {
        for media_type in [
            "text/plain",
            "text/json",
            "application/jsonx",
            "application/problem+json",
            "application/ld+json",
            "multipart/form-data; boundary=x",
            "application/xml",
            "*/*",
            "application/json, text/plain",
            "",
            ";",
            "application / json",
        ] {
            let told = ask(path).header("content-type", media_type).json(&body).post(&stack).await;
            told.is_problem(Kind::UnsupportedMediaType, &[], &(path, media_type));
        }
        let told = ask(path).without("content-type").json(&body).post(&stack).await;
        told.is_problem(Kind::UnsupportedMediaType, &[], &(path, "none"));
        for media_type in
            ["APPLICATION/Json", "application/json;charset=utf-8", " application/json ; x=\"y\""]
        {
            let told = ask(path).header("content-type", media_type).json(&body).post(&stack).await;
            assert_eq!(told.kind(), Some(Kind::InvalidField), "{path} {media_type}: {told:?}");
        }
    }
    for path in ["/consents", "/payment-intents"] {
        let told = ask(path).form(&[("full_name", "Ana Silva")]).post(&stack).await;
        told.is_problem(Kind::UnsupportedMediaType, &[], &(path, FORM));
    }
}

#[tokio::test]
async fn a_browser_is_told_that_an_allowed_page_may_call() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let page = stack.page().await;
    for path in PAGES {
        let preflight = ask(path)
            .without("content-type")
            .header("origin", &page)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let told = preflight.send(&stack, Method::OPTIONS).await;
        told.is(204, &path);
        assert_eq!(told.text, "");
        for (name, value) in [
            ("access-control-allow-origin", page.as_str()),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "Content-Type"),
            ("access-control-max-age", "7200"),
            ("vary", "Origin"),
        ] {
            assert_eq!(told.header(name), value, "{path} {name}: {told:?}");
        }
        let told = ask(path).header("origin", &page).json(&json!({})).post(&stack).await;
        told.is_problem(Kind::InvalidField, &told_fields(path), &path);
        assert_eq!(told.header("access-control-allow-origin"), page, "a page may read its errors");
        assert_eq!(told.header("access-control-expose-headers"), "Retry-After");
        assert_eq!(told.header("vary"), "Origin");
    }
}

/// What a body without any field lacks.
fn told_fields(path: &str) -> Vec<&'static str> {
    match path {
        "/leads" => vec!["event_id", "user_session_id", "full_name", "email"],
        "/consents" => vec!["event_id", "user_session_id", "consent"],
        _ => vec!["event_id", "user_session_id", "product_id", "full_name", "email"],
    }
}

#[tokio::test]
async fn a_page_of_others_may_neither_ask_nor_call() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (page, visitor) = (stack.page().await, a_visitor());
    let foreign = [
        "https://example.com".to_owned(),
        "null".to_owned(),
        String::new(),
        "*".to_owned(),
        format!("{page}/"),
        format!("{page}.example.com"),
        format!("{page}@example.com"),
        format!("{page}, https://example.com"),
        format!("https://example.com, {page}"),
        page.replace("http:", "https:"),
        page.to_uppercase(),
        page[..page.len() - 1].to_owned(),
        "https://éxample.pt".to_owned(),
    ];
    for path in PAGES {
        for origin in &foreign {
            for method in [Method::OPTIONS, Method::POST] {
                let asking = ask(path).header("origin", origin).json(&visitor.lead(1));
                let told = asking.send(&stack, method).await;
                told.is_problem(Kind::OriginNotAllowed, &[], &(path, origin));
                assert_eq!(told.header("access-control-allow-origin"), "", "{origin}");
            }
        }
    }
    assert!(stack.timeline(visitor.event_id).await.facts.is_empty());
    let told = ask("/leads").json(&visitor.lead(1)).post(&stack).await;
    told.is(202, &"a caller without an origin is no browser");
    let told = ask("/webhooks/stripe").header("origin", "https://example.com").post(&stack).await;
    assert_eq!(told.kind(), Some(Kind::SignatureMissing), "no browser calls it: {told:?}");
    assert_eq!(told.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn other_methods_and_paths_are_the_gateways_to_refuse() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    for (method, path) in [
        (Method::GET, "/leads"),
        (Method::PUT, "/consents"),
        (Method::DELETE, "/payment-intents"),
        (Method::PATCH, "/webhooks/stripe"),
        (Method::OPTIONS, "/webhooks/stripe"),
        (Method::POST, "/"),
        (Method::POST, "/leads/1"),
        (Method::POST, "/webhooks"),
        (Method::POST, "/%2e%2e/leads"),
    ] {
        let told = ask(path).json(&json!({})).send(&stack, method.clone()).await;
        assert!((400..500).contains(&told.status), "{method} {path}: {told:?}");
    }
}

#[tokio::test]
async fn no_header_and_no_address_of_a_caller_brings_a_function_down() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let long = "x".repeat(6000);
    let headers: [(&str, &[u8]); 13] = [
        ("host", b"a b"),
        ("host", b"example.pt:99999"),
        ("host", "éxample.pt".as_bytes()),
        ("x-forwarded-proto", b"no scheme"),
        ("x-forwarded-proto", b""),
        ("x-forwarded-port", b"-1"),
        ("x-forwarded-for", b"not an address"),
        ("x-forwarded-for", b"2001:db8::1, 10.0.0.1"),
        ("user-agent", b"caf\xe9"),
        ("referer", "https://example.pt/?nome=Inês".as_bytes()),
        ("x-long", long.as_bytes()),
        ("cookie", b"=;=;;"),
        ("authorization", b"Bearer \"\""),
    ];
    for path in PAGES {
        for (name, value) in headers {
            let told = ask(path).header(name, value).json(&json!({})).post(&stack).await;
            assert_eq!(told.kind(), Some(Kind::InvalidField), "{path} {name}: {told:?}");
        }
        for query in ["?a=%ff", "?%zz", "?a=1&a=2", "?=", "?a=%00", "?a[]=1", "?é=ü"] {
            let told = ask(&format!("{path}{query}")).json(&json!({})).post(&stack).await;
            assert_eq!(told.kind(), Some(Kind::InvalidField), "{path} {query}: {told:?}");
        }
    }
}

/// A request as API Gateway hands it over.
fn event(path: &str, headers: &Value, body: &str, encoded: bool) -> Value {
    json!({"resource": path, "path": path, "httpMethod": "POST", "headers": headers, "body": body,
        "isBase64Encoded": encoded, "requestContext": {"identity": {"sourceIp": super::answers::an_address()}}})
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks(3).flat_map(|three| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        let digit = move |at: usize| char::from(DIGITS[bits >> (18 - 6 * at) & 63]);
        (0..4).map(move |at| if at <= three.len() { digit(at) } else { '=' })
    });
    digits.collect()
}

#[tokio::test]
async fn a_body_that_the_gateway_has_encoded_is_read_by_its_bytes() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let json_type = json!({"Content-Type": "application/json"});
    let visitor = a_visitor();
    let lead = with(&visitor.lead(1), "full_name", "Inês d’Ávila").to_string();
    let sent = event("/leads", &json_type, &base64(lead.as_bytes()), true);
    let invoked = stack.invoke("lead-capture", &sent).await;
    assert_eq!(invoked.answer["statusCode"], 202, "{invoked:?}");
    let facts = stack.settled(visitor.event_id, 1).await.facts;
    let contact = facts[0].contact.as_ref().unwrap();
    assert_eq!(contact.full_name.as_ref().unwrap().expose(), "Inês d’Ávila");

    let form = base64(b"full_name=Ana+Silva&email=not-an-address");
    let sent = event("/leads", &json!({"content-type": FORM}), &form, true);
    let invoked = stack.invoke("lead-capture", &sent).await;
    assert_eq!(invoked.answer["statusCode"], 422, "{invoked:?}");

    let body = crate::stripe::payment_event("evt_encoded", "pi_encoded", &json!({})).to_string();
    let signature = crate::stripe::signature(stack.webhook_secret(), &body, crate::stripe::now());
    let headers = json!({"Stripe-Signature": signature});
    let sent = event("/webhooks/stripe", &headers, &base64(body.as_bytes()), true);
    let invoked = stack.invoke("stripe-webhook", &sent).await;
    assert_eq!(invoked.answer["statusCode"], 200, "{invoked:?}");
    let sent = event("/webhooks/stripe", &headers, &base64(body.as_bytes()), false);
    let invoked = stack.invoke("stripe-webhook", &sent).await;
    assert_eq!(
        invoked.answer["statusCode"], 400,
        "the digits are not what was signed: {invoked:?}"
    );
}

#[tokio::test]
async fn an_event_of_any_shape_is_answered() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let json_type = json!({"content-type": "application/json"});
    for (name, function, event, status) in [
        ("nothing", "lead-capture", json!({}), 405),
        ("no base64", "lead-capture", event("/leads", &json_type, "no base64", true), 400),
        ("half of it", "stripe-webhook", event("/webhooks/stripe", &json_type, "YQ", true), 400),
        (
            "too large when decoded",
            "consent-capture",
            event("/consents", &json_type, &"AAAA".repeat(90_000), true),
            413,
        ),
        (
            "no headers",
            "consent-capture",
            json!({"httpMethod": "POST", "headers": null, "body": null}),
            415,
        ),
        (
            "another method",
            "create-payment-intent",
            json!({"httpMethod": "TRACE", "body": "x"}),
            405,
        ),
        (
            "headers that no HTTP holds",
            "lead-capture",
            event(
                "/leads",
                &json!({"X": "\u{1}\n", "é ü": "x", "": "", "content-type": "application/json", "host": null}),
                "{}",
                false,
            ),
            422,
        ),
        (
            "no body",
            "create-payment-intent",
            json!({"httpMethod": "POST", "headers": json_type}),
            400,
        ),
    ] {
        let invoked = stack.invoke(function, &event).await;
        assert!(!invoked.failed, "{name}: {invoked:?}");
        assert_eq!(invoked.answer["statusCode"], status, "{name}: {invoked:?}");
        assert_eq!(invoked.answer["headers"]["content-type"], "application/problem+json", "{name}");
    }
}
