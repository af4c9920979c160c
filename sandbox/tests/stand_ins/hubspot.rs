//! HubSpot's contacts.

use serde_json::{Value, json};

use crate::playground::{Answer, Playground, send};

const UPSERT: &str = "/hubspot/crm/v3/objects/contacts/batch/upsert";

fn an_input(email: &str) -> Value {
    json!({
        "idProperty": "email",
        "id": email,
        "properties": { "email": email, "firstname": "Ana", "throughline_event_id": "e1", "lifecyclestage": "lead" },
        "objectWriteTraceId": email,
    })
}

async fn upsert(play: &Playground, inputs: Value) -> Answer {
    let body = json!({ "inputs": inputs });
    send(play.request("POST", UPSERT).bearer_auth("pat-x").json(&body)).await
}

async fn patch(play: &Playground, id: &str, properties: Value) -> Answer {
    let path = format!("/hubspot/crm/v3/objects/contacts/{id}");
    let body = json!({ "properties": properties });
    send(play.request("PATCH", &path).bearer_auth("pat-x").json(&body)).await
}

#[tokio::test]
async fn an_upsert_makes_a_contact_once_and_then_changes_it() {
    let play = Playground::open().await;
    let first = upsert(&play, json!([an_input("ana.silva@example.pt")])).await;
    assert_eq!((first.status, &first.json()["status"]), (200, &json!("COMPLETE")));
    let made = first.json()["results"][0].clone();
    assert_eq!(made["new"], true);
    assert_eq!(made["objectWriteTraceId"], "ana.silva@example.pt");
    let second = upsert(&play, json!([an_input("Ana.Silva@example.pt")])).await.json();
    assert_eq!(second["results"][0]["new"], false);
    assert_eq!(second["results"][0]["id"], made["id"]);
}

#[tokio::test]
async fn one_bad_input_does_not_spoil_the_others_when_all_are_traced() {
    let play = Playground::open().await;
    let mut bad = an_input("b@example.pt");
    bad["properties"]["shoe_size"] = json!("38");
    let answer =
        upsert(&play, json!([an_input("a@example.pt"), bad, an_input("not an address")])).await;
    assert_eq!(answer.status, 207);
    let body = answer.json();
    assert_eq!(body["results"].as_array().unwrap().len(), 1);
    assert_eq!(body["numErrors"], 2);
    assert_eq!(body["errors"][0]["errors"][0]["code"], "PROPERTY_DOESNT_EXIST");
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["b@example.pt"]));
    assert_eq!(body["errors"][1]["errors"][0]["code"], "INVALID_EMAIL");
}

#[tokio::test]
async fn one_bad_input_spoils_the_batch_when_one_is_not_traced() {
    let play = Playground::open().await;
    let mut bad = an_input("b@example.pt");
    bad["properties"]["lifecyclestage"] = json!("won");
    bad.as_object_mut().unwrap().remove("objectWriteTraceId");
    let answer = upsert(&play, json!([an_input("a@example.pt"), bad])).await;
    assert_eq!((answer.status, &answer.json()["category"]), (400, &json!("VALIDATION_ERROR")));
    assert!(answer.text.contains("INVALID_OPTION"));
}

#[tokio::test]
async fn a_batch_of_the_wrong_shape_is_refused_as_a_whole() {
    let play = Playground::open().await;
    let with = |change: fn(&mut Value)| {
        let mut input = an_input("a@example.pt");
        change(&mut input);
        json!([input])
    };
    let many: Vec<Value> = (0..101).map(|n| an_input(&format!("a{n}@example.pt"))).collect();
    for inputs in [
        json!([]),
        json!(many),
        json!([an_input("a@example.pt"), an_input("A@example.pt")]),
        with(|input| input["properties"]["firstname"] = json!(1)),
        with(|input| input["idProperty"] = json!("firstname")),
        with(|input| input["colour"] = json!("red")),
    ] {
        let answer = upsert(&play, inputs).await;
        assert_eq!((answer.status, &answer.json()["category"]), (400, &json!("VALIDATION_ERROR")));
    }
}

#[tokio::test]
async fn a_contact_is_changed_by_its_id_even_in_its_email() {
    let play = Playground::open().await;
    let made =
        upsert(&play, json!([an_input("a@example.pt"), an_input("b@example.pt")])).await.json();
    let id = made["results"][0]["id"].as_str().unwrap();
    let answer =
        patch(&play, id, json!({ "email": "c@example.pt", "phone": "+351912345678" })).await;
    assert_eq!(
        (answer.status, &answer.json()["properties"]["email"]),
        (200, &json!("c@example.pt"))
    );
    let taken = patch(&play, id, json!({ "email": "b@example.pt" })).await;
    assert_eq!((taken.status, &taken.json()["category"]), (409, &json!("CONFLICT")));
    let unknown = patch(&play, id, json!({ "shoe_size": "38" })).await;
    assert!(unknown.status == 400 && unknown.text.contains("PROPERTY_DOESNT_EXIST"));
    let missing = patch(&play, "7", json!({})).await;
    assert_eq!((missing.status, &missing.json()["category"]), (404, &json!("OBJECT_NOT_FOUND")));
}

#[tokio::test]
async fn hubspot_wants_a_token() {
    let play = Playground::open().await;
    let answer = send(play.request("POST", UPSERT).json(&json!({ "inputs": [] }))).await;
    assert_eq!(
        (answer.status, &answer.json()["category"]),
        (401, &json!("INVALID_AUTHENTICATION"))
    );
}
