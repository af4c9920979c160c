//! MailerLite's subscribers.

use serde_json::{Value, json};

use crate::playground::{Answer, Playground, send};

async fn call(play: &Playground, method: &str, path: &str, body: Value) -> Answer {
    let request = play
        .request(method, &format!("/mailerlite/subscribers{path}"))
        .bearer_auth("key")
        .header("accept", "application/json");
    send(if body.is_null() { request } else { request.json(&body) }).await
}

fn ana() -> Value {
    json!({
        "email": "ana.silva@example.pt",
        "fields": { "name": "Ana", "event_id": "e1", "payment_status": "paid", "utm_term": null },
        "groups": ["4243829086487936"],
        "status": "active",
        "subscribed_at": "2026-11-01 10:00:00",
        "optin_ip": "192.0.2.1",
    })
}

#[tokio::test]
async fn an_upsert_creates_and_then_adds_without_removing() {
    let play = Playground::open().await;
    let first = call(&play, "POST", "", ana()).await;
    assert_eq!(first.status, 201);
    let more = json!({ "email": "Ana.Silva@example.pt", "fields": { "last_name": "Silva" }, "groups": ["5"] });
    let second = call(&play, "POST", "", more).await;
    assert_eq!(second.status, 200);
    let data = second.json()["data"].clone();
    assert_eq!(data["id"], first.json()["data"]["id"]);
    assert_eq!(data["fields"]["name"], "Ana");
    assert_eq!(data["fields"]["last_name"], "Silva");
    assert_eq!(data["groups"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn nobody_who_left_is_brought_back_by_a_status() {
    let play = Playground::open().await;
    call(&play, "POST", "", ana()).await;
    let gone = json!({ "email": "ana.silva@example.pt", "status": "unsubscribed" });
    assert_eq!(call(&play, "POST", "", gone).await.json()["data"]["status"], "unsubscribed");
    assert_eq!(call(&play, "POST", "", ana()).await.json()["data"]["status"], "unsubscribed");
    let mut wanted = ana();
    wanted["resubscribe"] = json!(true);
    assert_eq!(call(&play, "POST", "", wanted).await.json()["data"]["status"], "active");
}

#[tokio::test]
async fn an_update_by_id_changes_the_email_and_drops_unlisted_groups() {
    let play = Playground::open().await;
    let id = call(&play, "POST", "", ana()).await.json()["data"]["id"].clone();
    let path = format!("/{}", id.as_str().unwrap());
    let change = json!({ "email": "ana@example.com", "groups": ["5"] });
    let answer = call(&play, "PUT", &path, change).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"]["groups"][0]["id"], "5");
    let read = call(&play, "GET", "/ana%40example.com", Value::Null).await;
    assert_eq!((read.status, &read.json()["data"]["id"]), (200, &id));
    let added = call(&play, "POST", &format!("{path}/groups/77"), Value::Null).await;
    assert_eq!((added.status, &added.json()["data"]["id"]), (200, &json!("77")));
    assert_eq!(call(&play, "GET", "/nobody@example.pt", Value::Null).await.status, 404);
    assert_eq!(call(&play, "PUT", "/1", json!({})).await.status, 404);
}

#[tokio::test]
async fn mailerlite_names_the_parameter_it_refuses() {
    let play = Playground::open().await;
    for (name, value, at) in [
        ("email", json!("ana"), "email"),
        ("status", json!("subscribed"), "status"),
        ("fields", json!({ "shoe_size": "38" }), "fields.shoe_size"),
        ("fields", json!({ "name": ["Ana"] }), "fields.name"),
        ("groups", json!([5]), "groups.0"),
        ("groups", json!(["leads"]), "groups.0"),
        ("subscribed_at", json!("2026-11-01T10:00:00Z"), "subscribed_at"),
        ("ip_address", json!("localhost"), "ip_address"),
        ("colour", json!("red"), "colour"),
    ] {
        let mut body = ana();
        body[name] = value;
        let answer = call(&play, "POST", "", body).await;
        assert_eq!(answer.status, 422, "{at}");
        assert!(answer.json()["errors"][at][0].is_string(), "{at}: {}", answer.text);
    }
}

#[tokio::test]
async fn mailerlite_wants_a_token_and_an_accept_header() {
    let play = Playground::open().await;
    let request = || play.request("POST", "/mailerlite/subscribers").json(&ana());
    let answer = send(request().header("accept", "application/json")).await;
    assert_eq!((answer.status, &answer.json()["message"]), (401, &json!("Unauthenticated.")));
    assert_eq!(send(request().bearer_auth("key").header("accept", "text/html")).await.status, 406);
}
