//! One intent for one purchase, against a server that answers as Stripe would.

use super::{NoIntent, Wanted, find_or_make, known, room};
use domain::consent::{Consent, Method};
use domain::contact::{Contact, EmailAddress, Language, PhoneNumber};
use domain::fact::{Fact, Happening, Payment, SCHEMA, Source};
use domain::id::{EventId, ProductId, SessionId, StripeId};
use domain::journey::Journey;
use domain::money::{Currency, Money};
use domain::order::Order;
use jiff::Timestamp;
use lambda::http::Problem;
use ledger::Checkout;
use outbound::{Limits, Outbound, Roots};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use stripe::metadata::{Details, Ids};
use stripe::{Budget, Intent, Metadata, StripeClient, StripeError};
use testkit::vendor::{Reply, Request, Vendor, reply};
use uuid::Uuid;

const EVENT: &str = "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11";
const KEY: &str = "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11:cafe-com-vendas-ticket:1";

fn order(quantity: u32) -> Order {
    Order {
        product_id: ProductId::parse("cafe-com-vendas-ticket").unwrap(),
        product_name: "Café com Vendas – Lisboa".to_owned(),
        quantity,
        unit_price: Money { minor: 9700, currency: Currency::parse("EUR").unwrap() },
    }
}

fn metadata(ids: Ids<'_>, phone: &str) -> Metadata {
    let contact = Contact {
        email: EmailAddress::parse("ana.silva@example.pt").unwrap(),
        full_name: None,
        phone: PhoneNumber::parse(phone).ok(),
        language: Language::Portuguese,
    };
    let consent = Consent {
        marketing: true,
        analytics: true,
        preferences: false,
        method: Method::Modal,
        given_at: "2026-11-20T10:00:00Z".parse().unwrap(),
        version: "1".to_owned(),
        language: None,
        ip: None,
    };
    let context = domain::attribution::Context::default();
    let consent = Some(&consent);
    Metadata::of(Details {
        ids,
        contact: &contact,
        crm_contact_id: None,
        consent,
        context: &context,
    })
}

fn checkout(attempt: u32) -> Checkout {
    Checkout {
        product_id: order(1).product_id,
        quantity: 1,
        attempt,
        payment_intent: StripeId::parse("pi_1").unwrap(),
    }
}

/// The answer with an intent: everything we want beside it is there, unless said otherwise.
fn intent(id: &str, status: &str, change: impl FnOnce(&mut Value)) -> Reply {
    let mut body = json!({"id": id, "client_secret": format!("{id}_secret_x"), "status": status,
        "amount": 9700, "currency": "eur", "metadata": {
            "event_id": EVENT, "user_session_id": "8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422",
            "product_id": "cafe-com-vendas-ticket", "quantity": "1",
            "product_name": "Café com Vendas – Lisboa", "email": "ana.silva@example.pt",
            "phone": "+351912345678", "language": "pt-PT", "marketing_consent": "true",
            "analytics_consent": "true", "preferences_consent": "false", "consent_version": "1",
            "consent_method": "modal", "consent_timestamp": "2026-11-20T10:00:00Z"}});
    change(&mut body);
    reply(200).json(&body)
}

fn open(id: &str) -> Reply {
    intent(id, "requires_payment_method", |_| {})
}

/// Just created: the ids and nothing else beside it.
fn bare(id: &str) -> Reply {
    intent(id, "requires_payment_method", |body| {
        let metadata = body["metadata"].as_object_mut().unwrap();
        metadata.retain(|key, _| key.ends_with("_id") || key == "quantity");
    })
}

fn failed_before() -> Reply {
    reply(500).header("idempotent-replayed", "true").text(r#"{"error":{"type":"api_error"}}"#)
}

type Outcome = Result<(Intent, u32), StripeError>;

fn check_out(replies: &[Reply], known: Option<&Checkout>) -> (Outcome, Vec<Request>) {
    let (outcome, requests) = check_out_where(replies, known, async |_| Ok(()));
    let outcome = outcome.map_err(|none| match none {
        NoIntent::Stripe(error) => error,
        NoIntent::Refused(problem) => panic!("{problem:?}"),
    });
    (outcome, requests)
}

fn check_out_where(
    replies: &[Reply],
    known: Option<&Checkout>,
    begin: impl AsyncFnOnce(u32) -> Result<(), Problem>,
) -> (Result<(Intent, u32), NoIntent>, Vec<Request>) {
    let vendor = Vendor::answering(replies);
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(1) };
    let client =
        StripeClient::new(&vendor.url(), Outbound::new("stripe", limits, Roots::BuiltIn).unwrap());
    let (key, order) = (SecretString::from("sk_test_1"), order(1));
    let ids = Ids {
        event_id: EventId::parse(EVENT).unwrap(),
        session_id: SessionId::parse("8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422").unwrap(),
        order: &order,
    };
    let wanted =
        Wanted { ids, metadata: metadata(ids, "912345678"), random: || Uuid::from_u128(7) };
    let budget = Budget::starting_now(Duration::from_secs(10), limits.total);
    let calls = client.calls(&key, budget);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(find_or_make(&calls, &wanted, known, begin));
    (outcome, vendor.requests())
}

fn calls(requests: &[Request]) -> Vec<(&str, &str, Option<&str>)> {
    requests
        .iter()
        .map(|request| {
            let key = request.headers.get("idempotency-key").map(String::as_str);
            (request.method.as_str(), request.target.as_str(), key)
        })
        .collect()
}

#[test]
fn a_first_checkout_is_created_with_ids_and_then_told_of_the_buyer() {
    let (outcome, requests) = check_out(&[bare("pi_1"), open("pi_1")], None);
    let (intent, attempt) = outcome.unwrap();
    assert_eq!((intent.id.as_str(), attempt), ("pi_1", 1));
    let update = format!("pi_1:{}", Uuid::from_u128(7));
    assert_eq!(
        calls(&requests),
        [
            ("POST", "/v1/payment_intents", Some(format!("{KEY}:1").as_str())),
            ("POST", "/v1/payment_intents/pi_1", Some(update.as_str())),
        ]
    );
    assert!(!requests[0].body.contains("example.pt") && requests[1].body.contains("example.pt"));
}

#[test]
fn the_same_checkout_again_is_one_look_and_the_same_intent() {
    let (outcome, requests) = check_out(&[open("pi_1")], Some(&checkout(1)));
    assert_eq!(outcome.unwrap().1, 1);
    assert_eq!(calls(&requests), [("GET", "/v1/payment_intents/pi_1", None)]);
}

#[test]
fn a_corrected_phone_is_one_update_that_says_nothing_else() {
    let older = intent("pi_1", "requires_payment_method", |body| {
        body["metadata"]["phone"] = json!("+351910000000");
    });
    let (outcome, requests) = check_out(&[older, open("pi_1")], Some(&checkout(1)));
    assert_eq!(outcome.unwrap().0.id.as_str(), "pi_1");
    assert_eq!(requests[1].body, "metadata%5Bphone%5D=%2B351912345678");
}

#[test]
fn the_same_answer_at_another_time_is_no_news() {
    let earlier = intent("pi_1", "requires_payment_method", |body| {
        body["metadata"]["consent_timestamp"] = json!("2026-11-20T09:00:00Z");
    });
    let (outcome, requests) = check_out(&[earlier], Some(&checkout(1)));
    assert!(outcome.is_ok());
    assert_eq!(requests.len(), 1);
}

#[test]
fn what_is_over_gone_or_at_another_price_starts_a_new_attempt() {
    for last in [
        intent("pi_1", "succeeded", |_| {}),
        intent("pi_1", "canceled", |_| {}),
        intent("pi_1", "requires_payment_method", |body| body["amount"] = json!(8700)),
        intent("pi_1", "requires_payment_method", |body| body["currency"] = json!("usd")),
        reply(404).text(r#"{"error":{"code":"resource_missing"}}"#),
    ] {
        let (outcome, requests) = check_out(&[last, open("pi_2")], Some(&checkout(4)));
        let (intent, attempt) = outcome.unwrap();
        assert_eq!((intent.id.as_str(), attempt), ("pi_2", 5));
        assert_eq!(calls(&requests)[1].2, Some(format!("{KEY}:5").as_str()));
    }
}

#[test]
fn an_intent_that_waits_for_a_bank_is_still_the_one() {
    for status in ["processing", "requires_action", "requires_capture"] {
        let (outcome, _) = check_out(&[intent("pi_1", status, |_| {})], Some(&checkout(1)));
        assert_eq!(outcome.unwrap().1, 1, "{status}");
    }
}

#[test]
fn a_key_under_which_stripe_failed_gives_way_to_the_next() {
    let other_price = reply(400).text(r#"{"error":{"type":"idempotency_error"}}"#);
    let (outcome, requests) = check_out(&[failed_before(), other_price, open("pi_3")], None);
    assert_eq!(outcome.unwrap().1, 3);
    let keys: Vec<_> = calls(&requests).into_iter().filter_map(|(_, _, key)| key).collect();
    assert_eq!(keys, [format!("{KEY}:1"), format!("{KEY}:2"), format!("{KEY}:3")]);
}

#[test]
fn stripe_failing_under_every_key_ends_after_a_few() {
    let (outcome, requests) = check_out(&[failed_before()], None);
    assert!(matches!(outcome, Err(StripeError::Indeterminate(_))), "{outcome:?}");
    assert_eq!(requests.len(), 4);
}

#[test]
fn an_intent_that_cannot_be_seen_is_not_replaced() {
    let (outcome, requests) = check_out(&[reply(401)], Some(&checkout(1)));
    assert!(matches!(outcome, Err(StripeError::Misconfigured(_))), "{outcome:?}");
    assert_eq!(requests.len(), 1);
}

fn journey(happenings: Vec<Happening>) -> Journey {
    let event_id = EventId::parse(EVENT).unwrap();
    let facts = happenings.into_iter().enumerate().map(|(at, happening)| Fact {
        schema: SCHEMA,
        event_id,
        session_id: None,
        source: Source::Stripe(StripeId::parse(&format!("evt_{at}")).unwrap()),
        occurred_at: Timestamp::UNIX_EPOCH,
        recorded_at: Timestamp::UNIX_EPOCH,
        person: None,
        contact: None,
        consent: None,
        context: domain::attribution::Context::default(),
        happening,
    });
    Journey::new(event_id, facts.collect())
}

fn started(intent: &str) -> Happening {
    let payment_intent = StripeId::parse(intent).unwrap();
    Happening::CheckoutStarted { order: order(1), payment_intent }
}

fn paid(intent: &str) -> Happening {
    let payment_intent = StripeId::parse(intent).unwrap();
    let amount = order(1).unit_price;
    Happening::PaymentSucceeded {
        payment: Payment { payment_intent, charge: None, amount, foreign: false },
    }
}

#[test]
fn a_journey_may_begin_five_checkouts_and_one_for_each_that_is_paid() {
    assert_eq!(room(&journey(vec![])), 5);
    assert_eq!(room(&journey(vec![started("pi_1"), started("pi_2")])), 5);
    let twice_told = vec![started("pi_1"), started("pi_2"), paid("pi_2"), paid("pi_2")];
    assert_eq!(room(&journey(twice_told)), 6);
    assert_eq!(room(&journey(vec![paid("pi_9")])), 5, "it was never begun here");
}

#[test]
fn the_same_order_is_the_same_checkout() {
    let checkouts: Vec<Checkout> =
        (1..=5).map(|quantity| Checkout { quantity, ..checkout(quantity) }).collect();
    assert_eq!(known(&checkouts, &order(3)).map(|known| known.attempt), Some(3));
    assert_eq!(known(&checkouts, &order(6)), None);
}

#[test]
fn where_there_is_no_room_stripe_is_not_asked_for_more() {
    let full = async |_| Err(crate::problem::too_many_open());
    let (outcome, requests) = check_out_where(&[open("pi_1")], None, full);
    let Err(NoIntent::Refused(problem)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((problem.status(), requests.len()), (429, 0));
    let (outcome, _) = check_out_where(&[open("pi_1")], Some(&checkout(1)), full);
    assert_eq!(outcome.unwrap().1, 1, "what is open stays open");
}

#[test]
fn room_is_taken_for_the_attempt_that_is_made() {
    let over = intent("pi_1", "canceled", |_| {});
    let second = async |attempt| {
        assert_eq!(attempt, 5);
        Ok(())
    };
    let (outcome, _) = check_out_where(&[over, open("pi_2")], Some(&checkout(4)), second);
    assert_eq!(outcome.unwrap().1, 5);
}
