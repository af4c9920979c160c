//! The tagging server: it answers 204 to anything, and the journal tells what it would have dropped.

use serde_json::{Value, json};

use crate::playground::{Playground, send};

fn a_purchase() -> Value {
    json!({
        "client_id": "123.456",
        "consent": { "ad_user_data": "GRANTED", "ad_personalization": "DENIED" },
        "user_data": { "sha256_email_address": ["542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"] },
        "events": [{ "name": "purchase", "params": {
            "session_id": "1700000000", "engagement_time_msec": 100, "transaction_id": "pi_1",
            "value": 97.0, "currency": "EUR", "page_location": format!("https://example.pt/{}", "a".repeat(200)),
            "items": [{ "item_id": "cafe", "item_name": "Café com Vendas – Lisbon", "price": 97.0, "quantity": 1 }],
        }}],
    })
}

async fn problems(play: &Playground, path: &str, body: &Value) -> Vec<String> {
    let answer = send(play.request("POST", path).json(body)).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let told = play.requests("sgtm").await.last().unwrap()["problems"].clone();
    serde_json::from_value(told).unwrap_or_default()
}

const COLLECT: &str = "/sgtm/mp/collect?measurement_id=G-1&api_secret=s";

#[tokio::test]
async fn a_good_purchase_has_no_problems() {
    let play = Playground::open().await;
    assert_eq!(problems(&play, COLLECT, &a_purchase()).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_google_would_drop_is_told() {
    type Spoil = fn(&mut Value);
    let spoilt: [(Spoil, &str); 16] = [
        (|hit| hit["client_id"] = json!(""), "client_id"),
        (|hit| hit["events"] = json!([]), "events"),
        (|hit| hit["events"][0]["name"] = json!("session_start"), "reserved"),
        (|hit| hit["events"][0]["name"] = json!("a".repeat(41)), "events.0.name"),
        (|hit| hit["events"][0]["params"]["ga_x"] = json!("1"), "ga_x"),
        (|hit| hit["events"][0]["params"]["coupon"] = Value::Null, "null"),
        (|hit| hit["events"][0]["params"]["coupon"] = json!({}), "an object"),
        (|hit| hit["events"][0]["params"]["coupon"] = json!("a".repeat(101)), "over 100"),
        (|hit| hit["events"][0]["params"]["page_title"] = json!("a".repeat(301)), "over 300"),
        (|hit| hit["events"][0]["params"]["currency"] = json!("eur"), "ISO 4217"),
        (|hit| hit["events"][0]["params"]["value"] = json!("97"), "value: not a number"),
        (|hit| hit["events"][0]["params"]["transaction_id"] = json!(""), "transaction_id"),
        (|hit| hit["user_data"]["sha256_email_address"] = json!("ana"), "SHA-256"),
        (|hit| hit["user_id"] = json!("ana.silva@example.pt"), "raw e-mail"),
        (|hit| hit["events"][0]["params"]["x"] = json!("+351912345678"), "raw phone"),
        (|hit| hit["timestamp_micros"] = json!("1700000000000000"), "72 hours"),
    ];
    let play = Playground::open().await;
    for (spoil, word) in spoilt {
        let mut body = a_purchase();
        spoil(&mut body);
        let told = problems(&play, COLLECT, &body).await;
        assert!(told.iter().any(|problem| problem.contains(word)), "{word}: {told:?}");
    }
    let told = problems(&play, "/sgtm/mp/collect", &a_purchase()).await;
    assert!(told[0].contains("measurement_id"));
}

#[tokio::test]
async fn too_many_parameters_are_told() {
    let play = Playground::open().await;
    let mut body = a_purchase();
    for n in 0..25 {
        body["events"][0]["params"][format!("p{n}")] = json!(n);
    }
    let told = problems(&play, COLLECT, &body).await;
    assert!(told.iter().any(|problem| problem.contains("more than 25")), "{told:?}");
}
