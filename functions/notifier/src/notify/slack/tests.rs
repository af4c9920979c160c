//! What Slack is sent, and what becomes of what it answers.

use super::{Call, Slack};
use domain::attribution::Field;
use domain::delivery::SkipReason;
use domain::destination::Destination;
use domain::fault::Remedy;
use insta::assert_snapshot;
use outbound::{Limits, Outbound, Roots};
use serde_json::Value;
use testkit::contract;
use testkit::facts::{Draft, a_checkout, a_lead, a_payment, a_refund, a_refusal};
use testkit::scene::Scene;
use testkit::secret::{a_secret, no_secret};
use testkit::vendor::{Reply, Vendor, reply};

async fn slack(base_url: &str) -> Slack {
    let address = format!("{base_url}/services/T0/B0/x");
    let outbound = Outbound::new("slack", Limits::default(), Roots::BuiltIn).unwrap();
    Slack::new(outbound, a_secret("SLACK_WEBHOOK_URL", &address).await)
}

async fn prepared(facts: &[Draft]) -> Result<Call, (SkipReason, &'static str)> {
    let scene = Scene::of(Destination::Slack, facts);
    slack("http://127.0.0.1:9").await.prepare(&scene.errand())
}

async fn message(facts: &[Draft]) -> Value {
    serde_json::from_slice(prepared(facts).await.unwrap().statement()).unwrap()
}

async fn answered(with: Reply) -> Result<super::Receipt, super::Fault> {
    let vendor = Vendor::answering(&[with]);
    let slack = slack(&vendor.url()).await;
    slack.send(prepared(&[a_lead()]).await.unwrap(), 1).await
}

#[tokio::test]
async fn a_lead_is_posted_to_the_webhook() {
    let vendor = Vendor::answering(&[reply(200).text("ok")]);
    let slack = slack(&vendor.url()).await;
    let receipt = slack.send(prepared(&[a_lead()]).await.unwrap(), 1).await.unwrap();
    assert!(!receipt.unverifiable);
    assert_snapshot!(vendor.request().shown());
}

#[tokio::test]
async fn payments_and_refunds_are_posted_with_their_amount() {
    let facts = [a_lead(), a_checkout(), a_payment(), a_refund()];
    assert_snapshot!("payment", format!("{:#}", message(&facts[..3]).await));
    assert_snapshot!("refund", format!("{:#}", message(&facts).await));
}

#[tokio::test]
async fn what_people_typed_cannot_mention_link_or_mark_up() {
    let lead = a_lead()
        .with_name("<!channel> *Ana* & <https://example.com|here>")
        .with_context(&[(Field::UtmSource, "<@U123> `x`")]);
    let message = message(&[lead]).await;
    assert_eq!(message["mrkdwn"], false);
    let shown = message.to_string();
    assert!(!shown.contains('<') && !shown.contains('>'), "{shown}");
    assert!(shown.contains("&lt;!channel&gt; *Ana* &amp;"), "{shown}");
    let fields = message["blocks"][1]["fields"].as_array().unwrap();
    assert!(fields.iter().all(|field| field["type"] == "plain_text"));
}

#[tokio::test]
async fn long_texts_are_cut_to_what_slack_takes() {
    let long = "&".repeat(1000);
    let message = message(&[a_lead().with_context(&[(Field::UtmCampaign, &long)])]).await;
    let fields = message["blocks"][1]["fields"].as_array().unwrap();
    assert!(fields.len() <= 10);
    assert!(fields.iter().all(|field| field["text"].as_str().unwrap().len() <= 2000));
}

#[tokio::test]
async fn other_facts_are_not_posted() {
    for facts in [vec![a_lead(), a_checkout()], vec![a_lead(), a_checkout(), a_refusal()]] {
        assert_eq!(prepared(&facts).await.err().unwrap().0, SkipReason::NotApplicable);
    }
}

#[tokio::test]
async fn without_an_address_slack_is_off_and_says_so() {
    let outbound = Outbound::new("slack", Limits::default(), Roots::BuiltIn).unwrap();
    let off = Slack::new(outbound, no_secret("SLACK_WEBHOOK_URL").await);
    let scene = Scene::of(Destination::Slack, &[a_lead()]);
    let (reason, detail) = off.prepare(&scene.errand()).err().unwrap();
    assert_eq!(reason, SkipReason::NotConfigured);
    assert!(detail.contains("SLACK_WEBHOOK_URL"), "{detail}");
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_a_matter_of_setup() {
    for (status, word) in
        [(403, "action_prohibited"), (404, "no_service"), (410, "channel_is_archived")]
    {
        let fault = answered(reply(status).text(word)).await.unwrap_err();
        assert_eq!(fault.remedy, Remedy::Setup);
        assert_eq!(fault.to_string(), format!("{status} {word}"));
    }
}

#[tokio::test]
async fn only_ok_is_slacks_own_success() {
    assert!(answered(reply(200).text("<html>")).await.unwrap().unverifiable);
    let fault = answered(reply(400).text("Ana Silva <ana.silva@example.pt>")).await.unwrap_err();
    assert_eq!(fault.to_string(), "400", "no text of a body is kept");
}

#[tokio::test]
async fn slack_keeps_the_contract_of_every_provider() {
    contract::holds(async |base_url| {
        slack(&base_url).await.send(prepared(&[a_lead()]).await.unwrap(), 1).await
    })
    .await;
}
