//! What MailerLite is sent, and what becomes of what it answers.

use super::{Call, Mailerlite};
use crate::config::Config;
use delivery::courier::{Receipt, Synced};
use domain::delivery::SkipReason;
use domain::destination::Destination;
use domain::fault::{Fault, Remedy};
use insta::assert_snapshot;
use lambda::secret::Secret;
use outbound::{Limits, Outbound, Roots};
use serde_json::{Value, json};
use testkit::contract;
use testkit::facts::{Draft, a_checkout, a_correction, a_lead, a_payment, a_refund, an_answer};
use testkit::scene::{Scene, told};
use testkit::secret::{a_secret, no_secret};
use testkit::vendor::{Reply, Request, Vendor, reply};

const GROUP: &str = "4243829086487936";

fn mailerlite(base_url: &str, api_key: Secret) -> Mailerlite {
    let config = Config {
        mailerlite_base_url: base_url.to_owned(),
        mailerlite_group_id: Some(GROUP.to_owned()),
    };
    Mailerlite::new(
        &config,
        Outbound::new("mailerlite", Limits::default(), Roots::BuiltIn).unwrap(),
        api_key,
    )
}

async fn key() -> Secret {
    a_secret("MAILERLITE_API_KEY", "ml-test").await
}

fn call(mailerlite: &Mailerlite, facts: &[Draft], synced: Synced) -> Call {
    let scene = Scene::with(Destination::Mailerlite, facts, synced).known_to_the_crm("512");
    mailerlite.prepare(&scene.errand()).unwrap()
}

/// Sends these facts to a MailerLite that gives these answers.
async fn told_of(
    facts: &[Draft],
    synced: Synced,
    replies: &[Reply],
) -> (Result<Receipt, Fault>, Vec<Request>) {
    let vendor = Vendor::answering(replies);
    let mailerlite = mailerlite(&vendor.url(), key().await);
    let outcome = mailerlite.send(&call(&mailerlite, facts, synced), 1).await;
    (outcome, vendor.requests())
}

fn subscribed(status: u16, id: &str) -> Reply {
    reply(status).json(&json!({ "data": { "id": id, "status": "active" } }))
}

fn refused(field: &str) -> Reply {
    let errors = json!({ field: ["The email has already been taken."] });
    reply(422).json(&json!({ "message": "The given data was invalid.", "errors": errors }))
}

#[tokio::test]
async fn a_lead_who_allows_it_becomes_a_subscriber() {
    let replies = [subscribed(201, "31986843064993537")];
    let (outcome, requests) = told_of(&[a_lead()], Synced::default(), &replies).await;
    let receipt = outcome.unwrap();
    assert_eq!(receipt.vendor_id.as_deref(), Some("31986843064993537"));
    assert_eq!(receipt.status.as_deref(), Some("active"));
    assert_eq!(requests[0].headers["accept"], "application/json");
    assert_snapshot!(requests[0].shown());
}

#[tokio::test]
async fn a_buyer_is_marked_paid_and_later_refunded() {
    let mut facts = vec![a_lead(), a_checkout(), a_payment()];
    let replies = [subscribed(200, "1")];
    let (_, requests) = told_of(&facts, told("1", Some("active")), &replies).await;
    assert_snapshot!(requests[0].shown());
    facts.push(a_refund());
    let (_, requests) = told_of(&facts, told("1", Some("active")), &replies).await;
    assert_eq!(requests[0].json()["fields"]["payment_status"], "refunded");
}

#[tokio::test]
async fn nobody_who_left_by_themselves_is_brought_back() {
    for synced in [Synced::default(), told("1", Some("active")), told("1", None)] {
        let (_, requests) = told_of(&[a_lead()], synced, &[subscribed(200, "1")]).await;
        assert!(requests[0].json().get("status").is_none(), "no status is sent");
        assert!(requests[0].json().get("resubscribe").is_none());
    }
}

#[tokio::test]
async fn a_withdrawal_is_told_and_nothing_else_of_the_person() {
    let facts = [a_lead(), an_answer(false, true)];
    let synced = told("31986843064993537", Some("active"));
    let (outcome, requests) = told_of(&facts, synced, &[subscribed(200, "1")]).await;
    assert_eq!(outcome.unwrap().status.as_deref(), Some("unsubscribed"));
    assert_snapshot!(requests[0].shown());
    let unknown_id = Synced { vendor_id: None, ..told("1", Some("active")) };
    let (_, requests) = told_of(&facts, unknown_id, &[subscribed(200, "1")]).await;
    let body = json!({ "email": "ana.silva@example.pt", "status": "unsubscribed" });
    assert_eq!((requests[0].method.as_str(), requests[0].json()), ("POST", body));
}

#[tokio::test]
async fn a_withdrawal_of_a_deleted_subscriber_is_done() {
    let facts = [a_lead(), an_answer(false, true)];
    let (outcome, _) = told_of(&facts, told("1", Some("active")), &[reply(404)]).await;
    assert_eq!(outcome.unwrap().status.as_deref(), Some("unsubscribed"));
}

#[tokio::test]
async fn a_withdrawal_is_told_once() {
    let facts = [a_lead(), an_answer(false, true)];
    let synced = told("1", Some("unsubscribed"));
    let scene = Scene::with(Destination::Mailerlite, &facts, synced);
    let skip = mailerlite("http://127.0.0.1:9", key().await).prepare(&scene.errand()).err();
    assert_eq!(skip.unwrap().0, SkipReason::Consent);
}

#[tokio::test]
async fn a_withdrawal_that_is_doubted_is_told_again() {
    let facts = [a_lead(), an_answer(false, true)];
    let doubted = Synced { digest: None, ..told("1", Some("unsubscribed")) };
    for synced in [doubted, told("1", Some("unsure"))] {
        let (outcome, requests) = told_of(&facts, synced, &[subscribed(200, "1")]).await;
        assert_eq!(outcome.unwrap().status.as_deref(), Some("unsubscribed"));
        assert_eq!(requests[0].json(), json!({ "status": "unsubscribed" }));
    }
}

#[tokio::test]
async fn where_a_withdrawal_may_not_have_arrived_a_corrected_address_ends_it() {
    let facts = [a_lead(), a_correction(2).at(60).with_email("ana.m.silva@example.pt")];
    let replies = [subscribed(200, "2"), subscribed(200, "1")];
    let (outcome, requests) = told_of(&facts, told("1", Some("unsure")), &replies).await;
    assert_eq!(outcome.unwrap().vendor_id.as_deref(), Some("2"));
    assert_eq!(requests[0].json()["resubscribe"], true);
    assert_eq!(requests[1].target, "/subscribers/1");
    assert_eq!(
        requests[1].json(),
        json!({ "status": "unsubscribed" }),
        "the old one hears no more"
    );
}

#[tokio::test]
async fn whom_we_unsubscribed_comes_back_when_they_allow_it_again() {
    let facts = [a_lead(), an_answer(false, true), an_answer(true, true).at(300)];
    let synced = told("1", Some("unsubscribed"));
    let (outcome, requests) = told_of(&facts, synced, &[subscribed(200, "1")]).await;
    assert_eq!(outcome.unwrap().status.as_deref(), Some("active"));
    assert_eq!(requests[0].json()["status"], "active");
    assert_eq!(requests[0].json()["resubscribe"], true);
}

#[tokio::test]
async fn a_corrected_address_changes_the_same_subscriber() {
    let facts = [a_lead(), a_correction(2).at(60).with_email("ana.m.silva@example.pt")];
    let replies = [subscribed(200, "1")];
    let (outcome, requests) = told_of(&facts, told("1", Some("active")), &replies).await;
    assert!(outcome.is_ok());
    assert_eq!((requests.len(), requests[0].target.as_str()), (1, "/subscribers/1"));
    assert_eq!(requests[0].method, "PUT");
    assert_eq!(requests[0].json()["email"], "ana.m.silva@example.pt");
    assert!(requests[0].json().get("groups").is_none(), "PUT would drop the other groups");
}

#[tokio::test]
async fn an_address_that_is_taken_is_upserted_and_the_old_one_hears_no_more() {
    let facts = [a_lead(), a_correction(2).at(60).with_email("ana.m.silva@example.pt")];
    let replies = [refused("email"), subscribed(200, "2"), subscribed(200, "1")];
    let (outcome, requests) = told_of(&facts, told("1", Some("active")), &replies).await;
    assert_eq!(outcome.unwrap().vendor_id.as_deref(), Some("2"));
    let made: Vec<String> =
        requests.iter().map(|request| format!("{} {}", request.method, request.target)).collect();
    assert_eq!(made, ["PUT /subscribers/1", "POST /subscribers", "PUT /subscribers/1"]);
    assert_eq!(requests[2].json(), json!({ "status": "unsubscribed" }));
}

#[tokio::test]
async fn a_corrected_address_of_a_deleted_subscriber_is_upserted() {
    let facts = [a_lead(), a_correction(2).at(60).with_email("ana.m.silva@example.pt")];
    let replies = [reply(404), subscribed(201, "2")];
    let (outcome, requests) = told_of(&facts, told("1", Some("active")), &replies).await;
    assert_eq!((outcome.unwrap().vendor_id.as_deref(), requests.len()), (Some("2"), 2));
}

#[tokio::test]
async fn who_agrees_in_the_afternoon_has_not_agreed_in_the_morning() {
    let mailerlite = mailerlite("http://127.0.0.1:9", key().await);
    let call = call(&mailerlite, &[a_lead().at(4 * 3600)], Synced::default());
    let said: Value = serde_json::from_slice(call.statement()).unwrap();
    assert_eq!(said["opted_in_at"], "2026-01-05 14:00:00");
    for moment in ["consent_timestamp", "lead_created_at"] {
        assert_eq!(said["fields"][moment], "2026-01-05 14:00:00", "{moment}");
    }
}

#[tokio::test]
async fn unknown_values_are_left_as_mailerlite_has_them() {
    let mailerlite = mailerlite("http://127.0.0.1:9", key().await);
    let call = call(&mailerlite, &[a_lead().with_name("Ana").with_context(&[])], Synced::default());
    let said: Value = serde_json::from_slice(call.statement()).unwrap();
    for absent in ["last_name", "utm_source", "payment_status", "checkout_started_at"] {
        assert!(said["fields"].get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn without_a_key_mailerlite_is_off_and_says_so() {
    let off = mailerlite("http://127.0.0.1:9", no_secret("MAILERLITE_API_KEY").await);
    let scene = Scene::of(Destination::Mailerlite, &[a_lead()]);
    let (reason, detail) = off.prepare(&scene.errand()).err().unwrap();
    assert_eq!(reason, SkipReason::NotConfigured);
    assert!(detail.contains("MAILERLITE_API_KEY"), "{detail}");
}

#[tokio::test]
async fn answers_become_faults_by_what_is_to_be_done() {
    for (reply, remedy) in [(refused("email"), Remedy::Reject), (reply(404), Remedy::Setup)] {
        let (outcome, requests) = told_of(&[a_lead()], Synced::default(), &[reply]).await;
        assert_eq!((outcome.unwrap_err().remedy, requests.len()), (remedy, 1));
    }
    let facts = [a_lead(), a_correction(2).at(60).with_email("ana.m.silva@example.pt")];
    let (outcome, requests) = told_of(&facts, told("1", None), &[refused("fields.phone")]).await;
    assert_eq!((outcome.unwrap_err().remedy, requests.len()), (Remedy::Reject, 1));
}

#[tokio::test]
async fn a_group_that_mailerlite_does_not_have_is_a_setting_and_no_fault_of_the_record() {
    let (outcome, _) = told_of(&[a_lead()], Synced::default(), &[refused("groups.0")]).await;
    let fault = outcome.unwrap_err();
    let mend = Destination::Mailerlite.mend(&fault.seen);
    assert_eq!(fault.remedy, Remedy::Setup);
    assert!(mend.contains("MailerliteGroupId"), "{mend}");
}

/// Who leaves a lead today and agrees in summer has agreed in summer, whatever the clocks of those who
/// read it show.
#[tokio::test]
async fn somebody_has_opted_in_when_they_said_so_in_universal_time() {
    let summer = 180 * 86_400;
    let facts = [a_lead().with_consent(false, false), an_answer(true, true).at(summer)];
    let (_, requests) = told_of(&facts, Synced::default(), &[subscribed(200, "1")]).await;
    assert_eq!(requests[0].json()["opted_in_at"], "2026-07-04 10:00:00");
}

#[tokio::test]
async fn mailerlite_keeps_the_contract_of_every_provider() {
    let withdrawn = vec![a_lead(), an_answer(false, true)];
    let corrected = vec![a_lead(), a_correction(2).at(60).with_email("ana.m.silva@example.pt")];
    for facts in [vec![a_lead()], withdrawn, corrected] {
        contract::holds(async |base_url| {
            let mailerlite = mailerlite(&base_url, key().await);
            mailerlite.send(&call(&mailerlite, &facts, told("1", Some("active"))), 1).await
        })
        .await;
    }
}
