//! Events and endpoints that are listed: what is asked, and what comes out.

use super::{Asked, Play, Server, StripeError, error, with_calls};
use crate::client::{Budget, EventPage, StripeClient, WebhookEndpoint, Window};
use crate::event::What;
use domain::id::StripeId;
use jiff::Timestamp;
use outbound::{Limits, Outbound, Roots};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;

fn window() -> Window {
    let at = |second| Timestamp::from_second(second).unwrap();
    Window { from: at(1_700_000_000), until: at(1_700_003_600) }
}

fn list(data: Value, has_more: bool) -> Play {
    let list = json!({"object": "list", "url": "/v1/events", "has_more": has_more, "data": data});
    Play::Answer(200, vec![], list.to_string())
}

fn page(play: Play, after: Option<&str>) -> (Result<EventPage, StripeError>, Vec<Asked>) {
    let after = after.map(|id| StripeId::parse(id).unwrap());
    with_calls(vec![play], 5_000, async |calls| calls.list_events(window(), after.as_ref()).await)
}

/// What was asked for, as Stripe reads it.
fn query(asked: &Asked) -> Vec<(String, String)> {
    let address = asked.line.split(' ').nth(1).unwrap();
    let query = address.strip_prefix("/v1/events?").unwrap();
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[test]
fn a_page_is_asked_for_by_its_window_our_types_and_the_event_before_it() {
    let (_, asked) = page(list(json!([]), false), Some("evt_9"));
    assert_eq!(
        query(&asked[0]),
        [
            ("types[]", "payment_intent.succeeded"),
            ("types[]", "payment_intent.payment_failed"),
            ("types[]", "refund.created"),
            ("types[]", "refund.updated"),
            ("created[gte]", "1700000000"),
            ("created[lt]", "1700003600"),
            ("limit", "100"),
            ("starting_after", "evt_9"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(asked[0].header("idempotency-key"), None);
    let (_, asked) = page(list(json!([]), false), None);
    assert!(!asked[0].line.contains("starting_after"), "{asked:?}");
}

#[test]
fn a_page_says_behind_which_event_the_next_one_begins() {
    let data = json!([{"id": "evt_2", "created": 1_700_000_009}, {"id": "evt_1"}]);
    let (result, _) = page(list(data.clone(), true), None);
    let found = result.unwrap();
    assert_eq!(found.next, StripeId::parse("evt_1").ok());
    assert_eq!(found.events[0].created(), Timestamp::from_second(1_700_000_009).ok());
    assert_eq!(page(list(data, false), None).0.unwrap().next, None);
}

#[test]
fn a_page_of_a_hundred_long_events_needs_a_door_that_is_wide_enough() {
    let long = json!({"id": "evt_1", "metadata": "x".repeat(27_000)});
    let key = SecretString::from("sk_test_1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (largest, is_read) in [(1 << 20, false), (8 << 20, true)] {
        let server = Server::playing(vec![list(vec![long.clone(); 100].into(), false)]);
        let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(5) };
        let outbound =
            Outbound::new("stripe", limits, Roots::BuiltIn).unwrap().reading_up_to(largest);
        let client = StripeClient::new(&server.url, outbound);
        let calls = client.calls(&key, Budget::starting_now(2 * limits.total, limits.total));
        let result = runtime.block_on(calls.list_events(window(), None));
        assert_eq!(result.is_ok_and(|page| page.events.len() == 100), is_read, "{largest}");
    }
}

#[test]
fn an_event_without_an_id_does_not_hide_its_page() {
    let data = json!([{"id": "evt_1"}, {"id": "no id of Stripe's"}, 7]);
    let found = page(list(data, true), None).0.unwrap();
    assert_eq!((found.events.len(), found.next), (3, StripeId::parse("evt_1").ok()));
    // More is promised, and nobody knows behind what: asking again would give the same page for ever.
    let (result, _) = page(list(json!([]), true), None);
    assert!(matches!(result, Err(StripeError::Garbage(_))), "{result:?}");
}

#[test]
fn a_fetched_event_says_what_a_signed_one_says_and_shows_nobody() {
    let folder = format!("{}/../../events/stripe-webhook", env!("CARGO_MANIFEST_DIR"));
    let sample =
        std::fs::read_to_string(format!("{folder}/payment_intent.succeeded.endive.stripe.json"));
    let sample: Value = serde_json::from_str(&sample.unwrap()).unwrap();
    let found = page(list(json!([sample]), false), None).0.unwrap();
    let event = found.events[0].event().unwrap();
    let What::Paid(paid) = event.told().unwrap().unwrap().what else { panic!("a payment") };
    assert_eq!((event.kind.name(), paid.amount.minor), ("payment_intent.succeeded", 9700));
    assert_eq!(paid.metadata.contact().unwrap().email.expose(), "ana.silva@example.pt");
    assert_eq!(Some(&event.id), found.events[0].id());
    for shown in [format!("{event:?}"), format!("{found:?}")] {
        assert!(!shown.contains("ana.silva"), "{shown}");
    }
}

#[test]
fn the_newest_event_is_asked_for_alone() {
    let data = json!([{"id": "evt_1", "created": 1_700_000_009}]);
    let (newest, asked) =
        with_calls(vec![list(data, true)], 5_000, async |calls| calls.newest_event().await);
    assert_eq!(newest.unwrap().unwrap().id().unwrap().as_str(), "evt_1");
    assert_eq!(query(&asked[0]).last().unwrap().1, "1");
    let (none, _) =
        with_calls(vec![list(json!([]), false)], 5_000, async |calls| calls.newest_event().await);
    assert_eq!(none.unwrap(), None);
}

#[test]
fn endpoints_are_listed_with_whether_they_are_enabled() {
    let data = json!([
        {"id": "we_1", "url": "https://api.example.com/webhooks/stripe", "status": "enabled"},
        {"id": "we_2", "url": "https://old.example.com/hook", "status": "disabled"},
    ]);
    let (endpoints, asked) = with_calls(vec![list(data, false)], 5_000, async |calls| {
        calls.list_webhook_endpoints().await
    });
    let endpoint = |url: &str, enabled| WebhookEndpoint { url: url.to_owned(), enabled };
    assert_eq!(
        endpoints.unwrap(),
        [
            endpoint("https://api.example.com/webhooks/stripe", true),
            endpoint("https://old.example.com/hook", false),
        ]
    );
    assert_eq!(asked[0].line, "GET /v1/webhook_endpoints?limit=100 HTTP/1.1");
}

#[test]
fn a_key_that_is_refused_is_told_by_its_name() {
    for status in [401, 403] {
        let (result, asked) = page(error(status, &[], ""), None);
        let refused = result.unwrap_err();
        assert!(matches!(refused, StripeError::Misconfigured(_)), "{refused:?}");
        assert!(refused.to_string().contains("STRIPE_SECRET_KEY"), "{refused}");
        assert_eq!(asked.len(), 1, "it is not asked again");
    }
}
