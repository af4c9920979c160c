//! What HubSpot is sent, and what becomes of what it answers.

use super::{Call, Hubspot};
use delivery::courier::{Receipt, Synced};
use domain::destination::Destination;
use domain::fault::{Fault, Remedy, Taken};
use insta::assert_snapshot;
use outbound::{Limits, Outbound, Roots};
use serde_json::{Value, json};
use testkit::contract;
use testkit::facts::{
    Draft, a_checkout, a_checkout_of, a_correction, a_lead, a_payment, a_refund, a_refusal,
};
use testkit::scene::{Scene, told};
use testkit::secret::a_secret;
use testkit::vendor::{Reply, Request, Vendor, reply};

async fn hubspot(base_url: &str) -> Hubspot {
    let outbound = Outbound::new("hubspot", Limits::default(), Roots::BuiltIn).unwrap();
    Hubspot::new(base_url, outbound, a_secret("HUBSPOT_ACCESS_TOKEN", "pat-eu1-test").await)
}

fn call(hubspot: &Hubspot, facts: &[Draft], synced: Synced) -> Call {
    let scene = Scene::with(Destination::Hubspot, facts, synced);
    hubspot.prepare(&scene.errand()).unwrap()
}

/// Sends these facts to a HubSpot that gives these answers.
async fn told_of(
    facts: &[Draft],
    synced: Synced,
    replies: &[Reply],
) -> (Result<Receipt, Fault>, Vec<Request>) {
    let vendor = Vendor::answering(replies);
    let hubspot = hubspot(&vendor.url()).await;
    let outcome = hubspot.send(&call(&hubspot, facts, synced), 1).await;
    (outcome, vendor.requests())
}

fn upserted() -> Reply {
    let result = json!({ "id": "512", "new": true, "properties": {}, "archived": false });
    reply(200).json(&json!({ "status": "COMPLETE", "results": [result] }))
}

fn part_taken(category: &str, code: &str) -> Reply {
    let error = json!({
        "status": "error", "category": category, "message": "no",
        "errors": [{ "message": "no", "code": code }],
    });
    let body = json!({ "status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error] });
    reply(207).json(&body)
}

/// As HubSpot refuses a record: what is wrong with it is listed in the message, and quoted.
fn refused(code: &str, quoted: &str) -> Reply {
    let listed = json!([{ "isValid": false, "message": quoted, "error": code, "name": "email" }]);
    let message = format!("Property values were not valid: {listed}");
    let body = json!({ "status": "error", "message": message, "category": "VALIDATION_ERROR" });
    reply(400).json(&body)
}

fn problem(status: u16, category: &str) -> Reply {
    let body = json!({ "status": "error", "message": "no", "category": category });
    reply(status).json(&body)
}

#[tokio::test]
async fn a_lead_becomes_a_contact_whose_id_is_kept() {
    let (outcome, requests) = told_of(&[a_lead()], Synced::default(), &[upserted()]).await;
    assert_eq!(outcome.unwrap().vendor_id.as_deref(), Some("512"));
    assert_eq!(requests[0].headers["authorization"], "Bearer pat-eu1-test");
    assert_snapshot!(requests[0].shown());
}

#[tokio::test]
async fn a_buyer_is_won_for_the_amount_paid() {
    let facts = [a_lead(), a_refusal(), a_checkout(), a_payment()];
    let replies = [reply(200).json(&json!({ "id": "512", "properties": {} }))];
    let (outcome, requests) = told_of(&facts, told("512", None), &replies).await;
    assert_eq!(outcome.unwrap().vendor_id.as_deref(), Some("512"));
    assert_snapshot!(requests[0].shown());
}

#[tokio::test]
async fn stage_amount_and_problem_follow_the_money() {
    let hubspot = hubspot("http://127.0.0.1:9").await;
    let (lead, checkout, failed, paid) = (a_lead(), a_checkout(), a_refusal(), a_payment());
    let history = [lead, checkout, failed, paid, a_refund()];
    let expected = [
        ("lead", "0", ""),
        ("checkout", "0", ""),
        ("checkout", "0", "card_declined"),
        ("won", "97.00", ""),
        ("refunded", "0.00", ""),
    ];
    for (count, (stage, amount, problem)) in expected.into_iter().enumerate() {
        let call = call(&hubspot, &history[..=count], Synced::default());
        let said: Value = serde_json::from_slice(call.statement()).unwrap();
        assert_eq!(said["throughline_stage"], stage);
        assert_eq!(said["throughline_amount"], amount);
        assert_eq!(said["throughline_payment_problem"], problem);
        assert!(said.get("lifecyclestage").is_none(), "HubSpot never moves it back");
    }
}

#[tokio::test]
async fn what_was_paid_keeps_its_currency_whatever_is_ordered_next() {
    let hubspot = hubspot("http://127.0.0.1:9").await;
    let next = a_checkout_of(1, 10_500, "USD").under_intent("pi_2").at(600);
    let facts = [a_lead(), a_checkout(), a_payment(), next];
    let call = call(&hubspot, &facts, Synced::default());
    let said: Value = serde_json::from_slice(call.statement()).unwrap();
    assert_eq!(said["throughline_amount"], "97.00");
    assert_eq!(said["throughline_currency"], "EUR");
}

#[tokio::test]
async fn a_corrected_address_changes_the_same_contact() {
    let corrected = a_correction(2).at(60).with_email("ana.m.silva@example.pt").in_english();
    let replies = [reply(200).json(&json!({ "id": "512" }))];
    let (_, requests) = told_of(&[a_lead(), corrected], told("512", None), &replies).await;
    assert_eq!(requests[0].method, "PATCH");
    assert_eq!(requests[0].target, "/crm/v3/objects/contacts/512");
    assert_eq!(requests[0].json()["properties"]["email"], "ana.m.silva@example.pt");
    assert_eq!(requests[0].json()["properties"]["hs_language"], "en");
}

#[tokio::test]
async fn where_the_known_contact_is_not_the_one_the_address_decides() {
    for status in [404, 409] {
        let replies = [reply(status), upserted()];
        let (outcome, requests) = told_of(&[a_lead()], told("77", None), &replies).await;
        assert_eq!(outcome.unwrap().vendor_id.as_deref(), Some("512"), "the new id is kept");
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1].target, "/crm/v3/objects/contacts/batch/upsert");
    }
}

#[tokio::test]
async fn an_id_that_is_no_number_reaches_no_path() {
    let synced = told("../../oauth", None);
    let (_, requests) = told_of(&[a_lead()], synced, &[upserted()]).await;
    assert_eq!(requests[0].target, "/crm/v3/objects/contacts/batch/upsert");
}

#[tokio::test]
async fn the_same_facts_say_the_same_whether_the_contact_is_known_or_not() {
    let hubspot = hubspot("http://127.0.0.1:9").await;
    let unknown = call(&hubspot, &[a_lead()], Synced::default());
    let known = call(&hubspot, &[a_lead()], told("512", None));
    assert_eq!(unknown.statement(), known.statement());
}

#[tokio::test]
async fn answers_become_faults_by_what_is_to_be_done() {
    let retry = |taken| Remedy::Retry { after: None, taken };
    let table = [
        (part_taken("VALIDATION_ERROR", "INVALID_EMAIL"), Remedy::Reject),
        (part_taken("VALIDATION_ERROR", "PROPERTY_DOESNT_EXIST"), Remedy::Setup),
        (part_taken("MISSING_SCOPES", ""), Remedy::Setup),
        (part_taken("CONFLICT", "CONTACT_EXISTS"), retry(Taken::No)),
        (part_taken("RATE_LIMITS", ""), retry(Taken::No)),
        (part_taken("INTERNAL_ERROR", ""), retry(Taken::Unknown)),
        (reply(207).text("{"), retry(Taken::Unknown)),
        (reply(207).json(&json!({ "results": [] })), retry(Taken::Unknown)),
        (problem(400, "VALIDATION_ERROR"), Remedy::Reject),
        (refused("PROPERTY_DOESNT_EXIST", "no such property"), Remedy::Setup),
        (refused("INVALID_EMAIL", "PROPERTY_DOESNT_EXIST@x.invalid"), Remedy::Reject),
        (problem(403, "MISSING_SCOPES"), Remedy::Setup),
        (problem(404, "OBJECT_NOT_FOUND"), Remedy::Setup),
        (problem(409, "CONFLICT"), retry(Taken::No)),
        (reply(423), retry(Taken::No)),
        (reply(477), retry(Taken::No)),
    ];
    for (reply, remedy) in table {
        let shown = format!("{reply:?}");
        let (outcome, _) = told_of(&[a_lead()], Synced::default(), &[reply]).await;
        assert_eq!(outcome.unwrap_err().remedy, remedy, "{shown}");
    }
}

#[tokio::test]
async fn a_fault_holds_hubspots_category_and_no_text_of_its() {
    let body =
        json!({ "category": "VALIDATION_ERROR", "message": "ana.silva@example.pt is taken" });
    let refusal = reply(400).json(&body).header("x-hubspot-correlation-id", "c0ffee");
    let (outcome, _) = told_of(&[a_lead()], Synced::default(), &[refusal]).await;
    let fault = outcome.unwrap_err();
    assert_eq!(fault.to_string(), "400 VALIDATION_ERROR");
    assert_eq!(fault.seen.request_id.as_deref(), Some("c0ffee"));
}

#[tokio::test]
async fn hubspot_keeps_the_contract_of_every_provider() {
    for synced in [Synced::default(), told("512", None)] {
        contract::holds(async |base_url| {
            let hubspot = hubspot(&base_url).await;
            hubspot.send(&call(&hubspot, &[a_lead()], synced.clone()), 1).await
        })
        .await;
    }
}

/// What a person wrote in HubSpot is not cleared by what we do not know.
#[tokio::test]
async fn what_is_not_known_is_left_as_hubspot_has_it() {
    let (_, requests) =
        told_of(&[a_lead().with_name("Ana")], Synced::default(), &[upserted()]).await;
    let properties = &requests[0].json()["inputs"][0]["properties"];
    assert_eq!(properties["firstname"], "Ana");
    assert!(properties.get("lastname").is_none(), "{properties}");
}
