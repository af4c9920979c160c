//! The door: what is refused before a handler sees it, in which order, and what an answer looks like.

use super::event::Event;
use super::{Caller, Kind, LARGEST_BODY, Method, Origins, Problem, Reply, Route, admit, respond};
use serde_json::{Value, json};

const PAGE: &str = "https://www.example.pt";

fn route() -> Route {
    Route {
        name: "/leads",
        accepts: &["application/json"],
        origins: Some(Origins::new(vec![format!("{PAGE}/")])),
    }
}

fn admitted(event: &Value) -> Result<bool, Kind> {
    let mut event: Event = serde_json::from_value(event.clone()).unwrap();
    let headers = event.take_headers();
    let admitted = admit(&route(), event, headers).map_err(|problem| problem.kind());
    admitted.map(|incoming| incoming.is_some())
}

fn request(origin: &str, media_type: &str, body: &str) -> Value {
    json!({"httpMethod": "POST", "headers": {"Origin": origin, "Content-Type": media_type}, "body": body})
}

#[test]
fn size_goes_before_origin_and_origin_before_everything_else() {
    let large = "x".repeat(LARGEST_BODY + 1);
    for (event, expected) in [
        (request(PAGE, "application/json", "{}"), Ok(true)),
        (request(PAGE, "application/json", &large[1..]), Ok(true)),
        (request("https://example.com", "text/plain", &large), Err(Kind::BodyTooLarge)),
        (request("https://example.com", "text/plain", "{}"), Err(Kind::OriginNotAllowed)),
        (request("https://éxample.pt", "application/json", "{}"), Err(Kind::OriginNotAllowed)),
        (request("", "application/json", "{}"), Err(Kind::OriginNotAllowed)),
        (request(PAGE, "text/plain", "{}"), Err(Kind::UnsupportedMediaType)),
        (request(PAGE, "APPLICATION/JSON ; charset=x", "{}"), Ok(true)),
        (json!({"httpMethod": "OPTIONS"}), Ok(false)),
        (json!({"httpMethod": "GET"}), Err(Kind::MethodNotAllowed)),
        (json!({"httpMethod": "POST"}), Err(Kind::UnsupportedMediaType)),
        (json!({}), Err(Kind::MethodNotAllowed)),
    ] {
        assert_eq!(admitted(&event), expected, "{:.200}", event.to_string());
    }
}

#[test]
fn an_encoded_body_is_counted_by_its_bytes() {
    let encoded = |length: usize| {
        let mut event = request(PAGE, "application/json", &"AAAA".repeat(length / 3));
        event["isBase64Encoded"] = json!(true);
        event
    };
    assert_eq!(admitted(&encoded(LARGEST_BODY)), Ok(true));
    assert_eq!(admitted(&encoded(LARGEST_BODY + 6)), Err(Kind::BodyTooLarge));
    let mut broken = request(PAGE, "application/json", "no base64");
    broken["isBase64Encoded"] = json!(true);
    assert_eq!(admitted(&broken), Err(Kind::MalformedBody));
}

fn answer(origin: Option<&str>, result: Result<Reply, Problem>) -> Value {
    let caller = Caller { method: Method::Post, origin: origin.map(str::to_owned) };
    serde_json::to_value(respond(&route(), &caller, result)).unwrap()
}

#[test]
fn an_answer_has_the_shape_that_api_gateway_takes() {
    let reply = answer(None, Ok(Reply::json(202, &json!({"a": 1}))));
    assert_eq!(
        reply,
        json!({"statusCode": 202, "body": "{\"a\":1}", "isBase64Encoded": false, "headers": {
            "cache-control": "no-store", "content-type": "application/json", "vary": "Origin"}})
    );
    let forward = answer(None, Ok(Reply::see_other("https://www.example.pt/obrigado".into())));
    assert_eq!(forward["headers"]["location"], "https://www.example.pt/obrigado");
    assert_eq!((&forward["body"], forward["headers"].get("content-type")), (&json!(""), None));
}

#[test]
fn a_problem_tells_its_kind_and_an_allowed_page_may_read_it() {
    let problem = answer(Some(PAGE), Err(Problem::new(Kind::RateLimited, "wait").retry_after(7)));
    let body: Value = serde_json::from_str(problem["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"type": "urn:throughline:problem:rate-limited", "status": 429, "detail": "wait",
            "title": "Too many requests from this address"})
    );
    let headers = &problem["headers"];
    assert_eq!(
        (&headers["retry-after"], &headers["content-type"]),
        (&json!("7"), &json!("application/problem+json"))
    );
    assert_eq!(headers["access-control-allow-origin"], PAGE);
    let foreign = answer(Some("https://example.com"), Err(Problem::internal()));
    assert_eq!(foreign["headers"].get("access-control-allow-origin"), None);
}
