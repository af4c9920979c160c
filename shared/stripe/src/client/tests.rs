//! The client against a server that answers as told: what is asked, what is repeated, what comes out.

mod lists;
mod server;

use super::{Calls, NewIntent, Standing, StripeClient, StripeError};
use crate::client::Budget;
use crate::metadata::{Ids, Metadata};
use domain::id::{EventId, ProductId, SessionId, StripeId};
use domain::money::{Currency, Money};
use domain::order::Order;
use outbound::{Limits, Outbound, Roots};
use secrecy::{ExposeSecret, SecretString};
use server::{Asked, Play, Server};
use std::time::Duration;

const INTENT: &str = r#"{"id":"pi_1","object":"payment_intent","client_secret":"pi_1_secret_2","status":"requires_payment_method","amount":9700,"currency":"eur","livemode":false,"metadata":{"event_id":"3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11"}}"#;

fn intent() -> Play {
    Play::Answer(200, vec![], INTENT.to_owned())
}

fn error(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Play {
    Play::Answer(status, headers.to_vec(), body.to_owned())
}

fn order() -> Order {
    Order {
        product_id: ProductId::parse("cafe-com-vendas-ticket").unwrap(),
        product_name: "Café com Vendas – Lisboa".to_owned(),
        quantity: 1,
        unit_price: Money { minor: 9700, currency: Currency::parse("EUR").unwrap() },
    }
}

fn client(server: &Server) -> StripeClient {
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_millis(400) };
    let client =
        StripeClient::new(&server.url, Outbound::new("stripe", limits, Roots::BuiltIn).unwrap());
    client.waiting_first(Duration::from_millis(2))
}

fn budget(milliseconds: u64) -> Budget {
    Budget::starting_now(Duration::from_millis(milliseconds), Duration::from_millis(400))
}

/// Creates an intent at a server that plays these answers, and says what came of it and what was asked.
fn create(plays: Vec<Play>) -> (Result<super::Intent, StripeError>, Vec<Asked>) {
    create_within(plays, 5_000)
}

fn create_within(
    plays: Vec<Play>,
    milliseconds: u64,
) -> (Result<super::Intent, StripeError>, Vec<Asked>) {
    with_calls(plays, milliseconds, async |calls| {
        let order = order();
        let ids = Ids {
            event_id: EventId::parse("3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11").unwrap(),
            session_id: SessionId::parse("8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422").unwrap(),
            order: &order,
        };
        let new = NewIntent { amount: order.total().unwrap(), ids };
        calls.create_intent(new, "key-1").await
    })
}

fn with_calls<T>(
    plays: Vec<Play>,
    milliseconds: u64,
    work: impl AsyncFnOnce(Calls<'_>) -> T,
) -> (T, Vec<Asked>) {
    let server = Server::playing(plays);
    let key = SecretString::from("sk_test_1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done =
        runtime.block_on(async { work(client(&server).calls(&key, budget(milliseconds))).await });
    (done, server.asked())
}

#[test]
fn creating_says_money_and_ids_and_nothing_of_the_person() {
    let (result, asked) = create(vec![intent()]);
    let intent = result.unwrap();
    assert_eq!((intent.id.as_str(), intent.standing), ("pi_1", Standing::Open));
    assert_eq!(intent.client_secret.expose_secret(), "pi_1_secret_2");
    assert!(intent.metadata.event_id().is_some());
    assert!(!format!("{intent:?}").contains("secret_2"));
    let [asked] = asked.as_slice() else { panic!("one call") };
    assert_eq!(asked.line, "POST /v1/payment_intents HTTP/1.1");
    assert_eq!(asked.header("authorization"), Some("Bearer sk_test_1"));
    assert_eq!(asked.header("stripe-version"), Some("2026-10-28.endive"));
    assert_eq!(asked.header("idempotency-key"), Some("key-1"));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        asked.form(),
        [
            ("amount", "9700"),
            ("currency", "eur"),
            ("automatic_payment_methods[enabled]", "true"),
            ("metadata[event_id]", "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11"),
            ("metadata[product_id]", "cafe-com-vendas-ticket"),
            ("metadata[quantity]", "1"),
            ("metadata[user_session_id]", "8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
}

#[test]
fn updating_says_metadata_and_reading_says_nothing() {
    let id = StripeId::parse("pi_1").unwrap();
    let metadata: Metadata = [("phone", "+351912345678")].into_iter().collect();
    let (result, asked) = with_calls(vec![intent(), intent()], 5_000, async |calls| {
        calls.update_intent(&id, &metadata, "key-2").await?;
        calls.retrieve_intent(&id).await
    });
    result.unwrap();
    assert_eq!(asked[0].line, "POST /v1/payment_intents/pi_1 HTTP/1.1");
    assert_eq!(asked[0].form(), [("metadata[phone]".to_owned(), "+351912345678".to_owned())]);
    assert_eq!(asked[1].line, "GET /v1/payment_intents/pi_1 HTTP/1.1");
    assert_eq!((asked[1].header("idempotency-key"), asked[1].body.as_str()), (None, ""));
}

#[test]
fn what_may_pass_is_tried_again_under_the_same_key() {
    for first in [
        Play::Nothing,
        Play::Raw("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"id\":\"pi_"),
        Play::Raw("garbage\r\n\r\n"),
        Play::Silence,
        error(500, &[], ""),
        error(503, &[], "<html>down</html>"),
        error(
            409,
            &[],
            r#"{"error":{"type":"invalid_request_error","code":"idempotency_key_in_use"}}"#,
        ),
        error(429, &[("Stripe-Should-Retry", "true")], r#"{"error":{"code":"lock_timeout"}}"#),
    ] {
        let described = format!("{first:?}");
        let (result, asked) = create(vec![first, intent()]);
        assert!(result.is_ok(), "{described}: {result:?}");
        let keys: Vec<_> = asked.iter().map(|asked| asked.header("idempotency-key")).collect();
        assert_eq!(keys, [Some("key-1"), Some("key-1")], "{described}");
        assert_eq!(asked[0].body, asked[1].body, "{described}");
    }
}

#[test]
fn three_attempts_are_all() {
    let (result, asked) = create((0..5).map(|_| error(500, &[], "")).collect());
    assert!(matches!(result, Err(StripeError::Unavailable(_))), "{result:?}");
    assert_eq!(asked.len(), 3);
}

#[test]
fn stripes_word_on_retries_goes_before_the_rules() {
    for status in [409, 500, 503] {
        let (result, asked) = create(vec![error(status, &[("Stripe-Should-Retry", "false")], "")]);
        assert!(result.is_err());
        assert_eq!(asked.len(), 1, "{status}");
    }
}

#[test]
fn every_refusal_has_its_name_and_is_not_repeated() {
    type Named = fn(&StripeError) -> bool;
    let table: [(u16, &str, Named); 10] = [
        (
            400,
            r#"{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"foo"}}"#,
            |e| matches!(e, StripeError::Refused(_)),
        ),
        (400, r#"{"error":{"type":"idempotency_error"}}"#, |e| {
            matches!(e, StripeError::KeyReused(_))
        }),
        (400, r#"{"error":{"type":"invalid_request_error","code":"rate_limit"}}"#, |e| {
            matches!(e, StripeError::RateLimited(_))
        }),
        (401, r#"{"error":{"type":"invalid_request_error"}}"#, |e| {
            matches!(e, StripeError::Misconfigured(_))
        }),
        (402, r#"{"error":{"type":"card_error","code":"card_declined"}}"#, |e| {
            matches!(e, StripeError::Refused(_))
        }),
        (403, "", |e| matches!(e, StripeError::Misconfigured(_))),
        (404, r#"{"error":{"code":"resource_missing","param":"intent"}}"#, |e| {
            matches!(e, StripeError::Unknown(_))
        }),
        (429, r#"{"error":{"code":"rate_limit"}}"#, |e| matches!(e, StripeError::RateLimited(_))),
        (302, "", |e| matches!(e, StripeError::Misconfigured(_))),
        (200, "<html>hello</html>", |e| matches!(e, StripeError::Garbage(_))),
    ];
    for (status, body, named) in table {
        let (result, asked) = create(vec![error(status, &[], body), intent()]);
        let error = result.unwrap_err();
        assert!(named(&error), "{status} {body}: {error:?}");
        assert_eq!(asked.len(), 1, "{status}");
    }
}

#[test]
fn a_stored_failure_is_known_as_such_at_once() {
    let replayed =
        error(500, &[("Idempotent-Replayed", "true")], r#"{"error":{"type":"api_error"}}"#);
    let (result, asked) = create(vec![error(500, &[], ""), replayed, intent()]);
    assert!(matches!(result, Err(StripeError::Indeterminate(_))), "{result:?}");
    assert_eq!(asked.len(), 2);
}

#[test]
fn what_stripe_says_is_reduced_to_words() {
    let body = r#"{"error":{"type":"invalid_request_error","code":"email_invalid","param":"metadata[email]","message":"Invalid email: ana.silva@example.pt"}}"#;
    let (result, _) =
        create(vec![error(400, &[("Request-Id", "req_1"), ("Retry-After", "7")], body)]);
    let error = result.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("ana.silva"), "{shown}");
    assert_eq!(error.to_string(), "Stripe refuses the call (400 email_invalid, metadata[email])");
    assert_eq!(error.report().seen.request_id.as_deref(), Some("req_1"));
    assert_eq!(error.report().retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn no_attempt_begins_that_could_end_beyond_the_budget() {
    let (result, asked) =
        create_within(vec![error(503, &[("Retry-After", "30")], ""), intent()], 5_000);
    assert!(matches!(result, Err(StripeError::Unavailable(_))), "{result:?}");
    assert_eq!(asked.len(), 1, "a wait of 30 s does not fit");
    let (result, asked) = create_within(vec![Play::Silence, intent()], 500);
    assert!(matches!(result, Err(StripeError::TooSlow(_))), "{result:?}");
    assert_eq!(asked.len(), 1);
    let (result, asked) = create_within(vec![intent()], 100);
    assert!(matches!(result, Err(StripeError::TooSlow(_))), "{result:?}");
    assert_eq!(asked.len(), 0, "not even a first attempt fits");
}

#[test]
fn a_key_that_no_header_can_hold_is_a_persons_mistake() {
    let server = Server::playing(vec![]);
    let key = SecretString::from("sk_test_\u{e9}\n1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let id = StripeId::parse("pi_1").unwrap();
    let result = runtime.block_on(client(&server).calls(&key, budget(5_000)).retrieve_intent(&id));
    assert!(matches!(result, Err(StripeError::Misconfigured(_))), "{result:?}");
}

/// A file that is piped into the parameter brings its line end.
#[test]
fn a_key_may_end_with_a_line_end() {
    let server = Server::playing(vec![intent()]);
    let key = SecretString::from("sk_test_1\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let id = StripeId::parse("pi_1").unwrap();
    let result = runtime.block_on(client(&server).calls(&key, budget(5_000)).retrieve_intent(&id));
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn intents_that_are_over_are_told_from_open_ones() {
    for (status, standing) in [
        ("requires_payment_method", Standing::Open),
        ("requires_action", Standing::Open),
        ("processing", Standing::Open),
        ("requires_capture", Standing::Open),
        ("succeeded", Standing::Succeeded),
        ("canceled", Standing::Canceled),
    ] {
        let body = INTENT.replace("requires_payment_method", status);
        let (result, _) = create(vec![Play::Answer(200, vec![], body)]);
        assert_eq!(result.unwrap().standing, standing, "{status}");
    }
}
