//! What SendGrid is sent, and what becomes of what it answers.

use super::{Call, Sendgrid};
use crate::config::Config;
use domain::contact::EmailAddress;
use domain::delivery::SkipReason;
use domain::destination::Destination;
use insta::assert_snapshot;
use lambda::secret::Secret;
use outbound::{Limits, Outbound, Roots};
use serde_json::Value;
use testkit::contract;
use testkit::facts::{
    Draft, a_checkout, a_checkout_of, a_lead, a_payment, a_payment_of, a_refund, a_refund_of,
    a_refusal,
};
use testkit::scene::Scene;
use testkit::secret::{a_secret, no_secret};
use testkit::vendor::{Vendor, reply};

fn sendgrid(base_url: &str, from: Option<&str>, api_key: Secret) -> Sendgrid {
    let config = Config {
        sendgrid_base_url: base_url.to_owned(),
        from_email: from.map(|from| EmailAddress::parse(from).unwrap()),
        from_name: Some("Café com Vendas".to_owned()),
    };
    Sendgrid::new(
        &config,
        Outbound::new("sendgrid", Limits::default(), Roots::BuiltIn).unwrap(),
        api_key,
    )
}

async fn at(base_url: &str) -> Sendgrid {
    let key = a_secret("SENDGRID_API_KEY", "SG.test").await;
    sendgrid(base_url, Some("ola@example.pt"), key)
}

async fn prepared(facts: &[Draft]) -> Result<Call, (SkipReason, &'static str)> {
    let scene = Scene::of(Destination::Sendgrid, facts);
    at("http://127.0.0.1:9").await.prepare(&scene.errand())
}

async fn mail(facts: &[Draft]) -> Value {
    serde_json::from_slice(prepared(facts).await.unwrap().statement()).unwrap()
}

fn letter(mail: &Value) -> String {
    let part = |at: usize| mail["content"][at]["value"].as_str().unwrap();
    format!("{}\n---\n{}\n---\n{}", mail["subject"].as_str().unwrap(), part(0), part(1))
}

#[tokio::test]
async fn a_payment_is_receipted_and_nothing_is_tracked() {
    let vendor = Vendor::answering(&[reply(202).header("x-message-id", "14c5d75ce93")]);
    let sendgrid = at(&vendor.url()).await;
    let scene = Scene::of(Destination::Sendgrid, &[a_lead(), a_checkout(), a_payment()]);
    let receipt = sendgrid.send(sendgrid.prepare(&scene.errand()).unwrap(), 1).await.unwrap();
    assert_eq!(receipt.request_id.as_deref(), Some("14c5d75ce93"));
    assert!(!receipt.unverifiable);
    assert_eq!(vendor.request().headers["authorization"], "Bearer SG.test");
    assert_snapshot!(vendor.request().shown());
}

#[tokio::test]
async fn a_receipt_names_the_price_of_one_and_the_sum_of_all() {
    let facts = [a_lead().in_english(), a_checkout_of(2, 9700, "EUR"), a_payment_of(19_400, "EUR")];
    let letter = letter(&mail(&facts).await);
    assert!(letter.contains("97.00") && letter.contains("194.00"), "{letter}");
}

#[tokio::test]
async fn letters_are_written_in_the_buyers_language() {
    for (language, lead) in [("pt", a_lead()), ("en", a_lead().in_english())] {
        let facts = [lead.clone(), a_checkout(), a_payment()];
        assert_snapshot!(format!("paid_{language}"), letter(&mail(&facts).await));
        let facts = [lead.clone(), a_checkout(), a_refusal()];
        assert_snapshot!(format!("failed_{language}"), letter(&mail(&facts).await));
        let facts = [lead, a_checkout(), a_payment(), a_refund_of(4050, "EUR")];
        assert_snapshot!(format!("refunded_{language}"), letter(&mail(&facts).await));
    }
}

#[tokio::test]
async fn nobody_who_paid_after_all_is_told_that_it_failed() {
    let of_the_order_before = a_refusal().under_intent("pi_0");
    for refusal in [a_refusal(), of_the_order_before] {
        let facts = [a_lead(), a_checkout(), a_payment(), refusal];
        let skip = prepared(&facts).await.err().unwrap();
        assert_eq!(skip, (SkipReason::NotApplicable, "the buyer has paid since"));
    }
}

#[tokio::test]
async fn of_several_failures_the_last_alone_is_written_about() {
    let later = a_refusal().under_charge("ch_2").at(500);
    let earlier = prepared(&[a_lead(), a_checkout(), later.clone(), a_refusal()]).await;
    let skip = earlier.err().unwrap();
    assert_eq!(skip, (SkipReason::NotApplicable, "a later failure is written about"));
    assert!(prepared(&[a_lead(), a_checkout(), a_refusal(), later]).await.is_ok());
}

#[tokio::test]
async fn two_events_of_one_failure_are_one_failure() {
    let facts = [a_lead(), a_checkout(), a_refusal().from_event("evt_again").at(340), a_refusal()];
    assert!(prepared(&facts).await.is_ok());
}

#[tokio::test]
async fn a_name_that_is_a_link_is_not_written() {
    let lead = a_lead().with_name("http://example.com/<b> now");
    let letter = letter(&mail(&[lead, a_checkout(), a_payment()]).await);
    assert!(!letter.contains("example.com") && letter.contains("Olá!"), "{letter}");
}

#[tokio::test]
async fn other_facts_are_not_written_about() {
    for facts in [vec![a_lead()], vec![a_lead(), a_checkout()]] {
        assert_eq!(prepared(&facts).await.err().unwrap().0, SkipReason::NotApplicable);
    }
}

#[tokio::test]
async fn a_missing_setting_turns_e_mail_off_and_is_named() {
    let scene = Scene::of(Destination::Sendgrid, &[a_lead(), a_payment(), a_refund()]);
    let keyless = no_secret("SENDGRID_API_KEY").await;
    let key = a_secret("SENDGRID_API_KEY", "SG.test").await;
    for (from, key, setting) in
        [(Some("ola@example.pt"), keyless, "SENDGRID_API_KEY"), (None, key, "SENDGRID_FROM_EMAIL")]
    {
        let off = sendgrid("http://127.0.0.1:9", from, key);
        let (reason, detail) = off.prepare(&scene.errand()).err().unwrap();
        assert_eq!(reason, SkipReason::NotConfigured);
        assert!(detail.contains(setting), "{detail}");
    }
}

#[tokio::test]
async fn sendgrid_keeps_the_contract_of_every_provider() {
    contract::holds(async |base_url| {
        let sendgrid = at(&base_url).await;
        let scene = Scene::of(Destination::Sendgrid, &[a_lead(), a_checkout(), a_payment()]);
        sendgrid.send(sendgrid.prepare(&scene.errand()).unwrap(), 1).await
    })
    .await;
}
