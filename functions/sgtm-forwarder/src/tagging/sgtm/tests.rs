//! What the tagging server is sent, and what becomes of what it answers.

use super::{Call, Sgtm};
use crate::config::Config;
use domain::attribution::Field;
use domain::delivery::SkipReason;
use domain::destination::{Destination, RetrySafety};
use domain::fault::Remedy;
use insta::assert_snapshot;
use lambda::secret::Secret;
use outbound::{Limits, Outbound, Roots};
use serde_json::Value;
use testkit::contract;
use testkit::facts::{
    Draft, a_checkout, a_checkout_of, a_correction, a_lead, a_payment, a_payment_of, a_refund,
    a_refund_of, a_refusal, after, an_answer,
};
use testkit::scene::Scene;
use testkit::secret::{a_secret, no_secret};
use testkit::vendor::{Vendor, reply};
use url::Url;

fn sgtm(endpoint: Option<&str>, measurement_id: Option<&str>, api_secret: Secret) -> Sgtm {
    let config = Config {
        endpoint: endpoint.map(|endpoint| Url::parse(endpoint).unwrap()),
        measurement_id: measurement_id.map(str::to_owned),
    };
    Sgtm::new(
        &config,
        Outbound::new("sgtm", Limits::default(), Roots::BuiltIn).unwrap(),
        api_secret,
    )
}

async fn at(base_url: &str) -> Sgtm {
    let secret = a_secret("SGTM_API_SECRET", "s3cret").await;
    sgtm(Some(&format!("{base_url}/mp/collect")), Some("G-TEST123"), secret)
}

async fn call(scene: &Scene) -> Call {
    at("http://127.0.0.1:9").await.prepare(&scene.errand()).unwrap()
}

async fn hit(scene: &Scene) -> Value {
    serde_json::from_slice(call(scene).await.statement()).unwrap()
}

async fn hit_of(facts: &[Draft]) -> Value {
    hit(&Scene::of(Destination::Sgtm, facts)).await
}

fn shown(hit: &Value) -> String {
    format!("{hit:#}")
}

#[tokio::test]
async fn a_lead_is_generated() {
    assert_snapshot!(shown(&hit_of(&[a_lead()]).await));
}

#[tokio::test]
async fn a_checkout_is_begun_with_its_items() {
    let facts = [a_lead(), a_checkout_of(2, 9700, "eur")];
    assert_snapshot!(shown(&hit_of(&facts).await));
}

#[tokio::test]
async fn a_purchase_carries_its_id_value_and_items() {
    let facts = [a_lead(), a_checkout(), a_payment()];
    assert_snapshot!(shown(&hit_of(&facts).await));
}

#[tokio::test]
async fn a_refund_takes_back_the_same_transaction() {
    let facts = [a_lead(), a_checkout(), a_payment(), a_refund_of(4050, "EUR")];
    let hit = hit_of(&facts).await;
    assert_eq!(hit["events"][0]["name"], "refund");
    assert_eq!(hit["events"][0]["params"]["transaction_id"], "pi_1");
    assert_eq!(hit["events"][0]["params"]["value"].to_string(), "40.5");
}

#[tokio::test]
async fn values_are_in_major_units_of_their_own_currency() {
    for (minor, currency, value) in [
        (9700, "JPY", "9700"),
        (9705, "KWD", "9.705"),
        (9999, "EUR", "99.99"),
        (5, "USD", "0.05"),
        (99_999_999, "EUR", "999999.99"),
    ] {
        let facts = [a_lead(), a_checkout_of(1, minor, currency), a_payment_of(minor, currency)];
        let params = &hit_of(&facts).await["events"][0]["params"];
        assert_eq!(params["value"].to_string(), value, "{currency}");
        assert_eq!(params["items"][0]["price"].to_string(), value, "{currency}");
        assert_eq!(params["currency"], currency);
    }
}

#[tokio::test]
async fn a_purchase_is_worth_what_was_received_and_not_what_was_ordered() {
    let facts = [a_lead(), a_checkout_of(2, 9700, "EUR"), a_payment_of(14_550, "EUR")];
    let params = &hit_of(&facts).await["events"][0]["params"];
    assert_eq!(params["value"].to_string(), "145.5");
}

#[tokio::test]
async fn without_marketing_consent_no_user_data_leaves_and_google_is_told_so() {
    let facts = [a_lead().with_consent(false, true), a_checkout(), a_payment()];
    let hit = hit_of(&facts).await;
    assert!(hit.get("user_data").is_none() && hit.get("user_id").is_none());
    assert_eq!(hit["consent"]["ad_user_data"], "DENIED");
    assert_eq!(hit["consent"]["ad_personalization"], "DENIED");
}

#[tokio::test]
async fn no_person_leaves_in_the_clear() {
    let facts = [a_lead(), a_checkout(), a_payment()];
    let call = call(&Scene::of(Destination::Sgtm, &facts)).await;
    let body = String::from_utf8(call.statement().to_vec()).unwrap();
    for personal in ["ana.silva", "912345678", "Ana", "192.0.2.10"] {
        assert!(!body.contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn a_purchase_alone_may_be_repeated() {
    let history = [a_lead(), a_checkout(), a_payment(), a_refund()];
    let once = RetrySafety::AtMostOnce;
    for (count, safety) in [once, once, RetrySafety::Keyed, once].into_iter().enumerate() {
        let scene = Scene::of(Destination::Sgtm, &history[..=count]);
        assert_eq!(call(&scene).await.safety(), safety, "{count}");
    }
}

#[tokio::test]
async fn a_hit_is_dated_only_as_far_back_as_google_takes_it() {
    let scene = Scene::of(Destination::Sgtm, &[a_lead()]);
    let hours = |hours: i64| scene.clone().worked_at(hours * 3600);
    let dated = after(0).as_microsecond();
    assert_eq!(hit(&hours(71)).await["timestamp_micros"], dated);
    assert!(hit(&hours(72)).await.get("timestamp_micros").is_none(), "too old");
    assert!(hit(&hours(-1)).await.get("timestamp_micros").is_none(), "from the future");
}

#[tokio::test]
async fn a_purchase_that_is_heard_of_a_day_later_is_dated_when_it_happened() {
    let facts = [a_lead(), a_checkout(), a_payment().heard_of_at(86_400)];
    let scene = Scene::of(Destination::Sgtm, &facts).worked_at(86_500);
    assert_eq!(hit(&scene).await["timestamp_micros"], after(360).as_microsecond());
}

#[tokio::test]
async fn values_are_cut_to_googles_limits_and_nothing_is_null() {
    let long = format!("https://example.pt/{}", "x".repeat(1500));
    let context = [
        (Field::PageUrl, long.as_str()),
        (Field::Referrer, long.as_str()),
        (Field::GaSessionId, "not a number"),
        (Field::ClientId, "GA1.1.1234567890.1767607100"),
    ];
    let facts = [a_lead().with_context(&context), a_checkout(), a_payment()];
    let hit = hit_of(&facts).await;
    let params = hit["events"][0]["params"].as_object().unwrap();
    assert_eq!(params["page_location"].as_str().unwrap().len(), 1000);
    assert_eq!(params["page_referrer"].as_str().unwrap().len(), 420);
    assert!(!params.contains_key("session_id"));
    assert!(params.len() <= 25 && params.values().all(|value| !value.is_null()));
    assert!(params.iter().all(|(name, value)| name == "items" || !value.is_array()));
    assert_eq!(hit["client_id"], "1234567890.1767607100", "the cookie's prefix is cut");
}

#[tokio::test]
async fn a_page_without_a_client_id_is_counted_by_its_session() {
    let scene = Scene::of(Destination::Sgtm, &[a_lead().with_context(&[])]);
    let hit = hit(&scene).await;
    let client_id = hit["client_id"].as_str().unwrap();
    let (left, right) = client_id.split_once('.').unwrap();
    assert!(left.parse::<u64>().is_ok() && right.parse::<u64>().is_ok(), "{client_id}");
}

#[tokio::test]
async fn a_hit_is_of_the_page_at_hand_and_else_of_the_first_one() {
    let (page, landing) = ("https://example.pt/oferta", "https://example.pt/?utm_source=news");
    for (said, location) in [
        (vec![(Field::PageUrl, page), (Field::LandingPage, landing)], page),
        (vec![(Field::LandingPage, landing)], landing),
    ] {
        let hit = hit_of(&[a_lead().with_context(&said)]).await;
        assert_eq!(hit["events"][0]["params"]["page_location"], location);
    }
}

/// Also whoever allowed more when they came, and allows measurement alone by now.
#[tokio::test]
async fn without_marketing_no_address_holds_a_clicks_id() {
    let page = "https://example.pt/oferta?utm_source=a&gclid=Cj0";
    let lead = a_lead().with_context(&[(Field::PageUrl, page), (Field::Referrer, page)]);
    for (marketing, told) in [(true, page), (false, "https://example.pt/oferta?utm_source=a")] {
        let paid = a_payment().with_consent(marketing, true);
        let facts = [lead.clone(), an_answer(marketing, true), a_checkout(), paid];
        let params = &hit_of(&facts).await["events"][0]["params"];
        assert_eq!(
            (&params["page_location"], &params["page_referrer"]),
            (&told.into(), &told.into())
        );
    }
}

#[tokio::test]
async fn the_address_names_the_stream_and_the_secret_once() {
    let vendor = Vendor::answering(&[reply(204)]);
    let scene = Scene::of(Destination::Sgtm, &[a_lead()]);
    let plain = at(&vendor.url()).await;
    let receipt = plain.send(plain.prepare(&scene.errand()).unwrap(), 1).await.unwrap();
    assert!(receipt.unverifiable, "a collector answers 2xx to anything");
    let named = format!("{}/mp/collect?measurement_id=G-OTHER&api_secret=own", vendor.url());
    // A file that is piped into the parameter brings its line end.
    let secret = a_secret("SGTM_API_SECRET", "s3cret\n").await;
    let piped = format!("{}/mp/collect", vendor.url());
    let piped = sgtm(Some(&piped), Some("G-TEST123"), secret.clone());
    piped.send(piped.prepare(&scene.errand()).unwrap(), 1).await.unwrap();
    let named = sgtm(Some(&named), Some("G-TEST123"), secret);
    named.send(named.prepare(&scene.errand()).unwrap(), 1).await.unwrap();
    let targets: Vec<String> =
        vendor.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(
        targets,
        [
            "/mp/collect?measurement_id=G-TEST123&api_secret=s3cret",
            "/mp/collect?measurement_id=G-TEST123&api_secret=s3cret",
            "/mp/collect?measurement_id=G-OTHER&api_secret=own",
        ]
    );
}

#[tokio::test]
async fn a_missing_setting_turns_tagging_off_and_is_named() {
    let scene = Scene::of(Destination::Sgtm, &[a_lead()]);
    let address = Some("http://127.0.0.1:9/mp/collect");
    for (endpoint, id, setting) in
        [(None, Some("G-TEST123"), "SGTM_ENDPOINT"), (address, None, "SGTM_MEASUREMENT_ID")]
    {
        let off = sgtm(endpoint, id, no_secret("SGTM_API_SECRET").await);
        let (reason, detail) = off.prepare(&scene.errand()).err().unwrap();
        assert_eq!(reason, SkipReason::NotConfigured);
        assert!(detail.contains(setting), "{detail}");
    }
}

#[tokio::test]
async fn the_secret_is_optional() {
    let vendor = Vendor::answering(&[reply(200)]);
    let endpoint = format!("{}/mp/collect", vendor.url());
    let secret = no_secret("SGTM_API_SECRET").await;
    let sgtm = sgtm(Some(&endpoint), Some("G-TEST123"), secret);
    let scene = Scene::of(Destination::Sgtm, &[a_lead()]);
    sgtm.send(sgtm.prepare(&scene.errand()).unwrap(), 1).await.unwrap();
    assert_eq!(vendor.request().target, "/mp/collect?measurement_id=G-TEST123");
}

#[tokio::test]
async fn facts_that_google_has_no_event_for_are_skipped() {
    let sgtm = at("http://127.0.0.1:9").await;
    for facts in [vec![a_lead(), a_correction(2).at(60)], vec![a_lead(), a_refusal()]] {
        let scene = Scene::of(Destination::Sgtm, &facts);
        let skip = sgtm.prepare(&scene.errand()).err().unwrap();
        assert_eq!(skip.0, SkipReason::NotApplicable);
    }
}

#[tokio::test]
async fn an_address_that_nobody_claims_is_a_matter_of_setup() {
    let vendor = Vendor::answering(&[reply(404)]);
    let sgtm = at(&vendor.url()).await;
    let scene = Scene::of(Destination::Sgtm, &[a_lead()]);
    let fault = sgtm.send(sgtm.prepare(&scene.errand()).unwrap(), 1).await.unwrap_err();
    assert_eq!(fault.remedy, Remedy::Setup);
}

#[tokio::test]
async fn sgtm_keeps_the_contract_of_every_provider() {
    contract::holds(async |base_url| {
        let sgtm = at(&base_url).await;
        let scene = Scene::of(Destination::Sgtm, &[a_lead()]);
        sgtm.send(sgtm.prepare(&scene.errand()).unwrap(), 1).await
    })
    .await;
}
