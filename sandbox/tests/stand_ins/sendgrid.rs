//! SendGrid's mail send.

use serde_json::{Value, json};

use crate::playground::{Answer, Playground, send};

fn a_receipt() -> Value {
    json!({
        "personalizations": [{
            "to": [{ "email": "ana.silva@example.pt", "name": "Ana Silva" }],
            "custom_args": { "event_id": "018f2b7e", "effect": "payment_succeeded:pi_1" },
        }],
        "from": { "email": "ola@example.com", "name": "Throughline" },
        "subject": "O seu recibo",
        "content": [
            { "type": "text/plain", "value": "Obrigado" },
            { "type": "text/html", "value": "<p>Obrigado</p>" },
        ],
    })
}

async fn mail(play: &Playground, body: &Value) -> Answer {
    send(play.request("POST", "/sendgrid/v3/mail/send").bearer_auth("SG.x").json(body)).await
}

#[tokio::test]
async fn sendgrid_accepts_a_receipt_and_names_the_message() {
    let play = Playground::open().await;
    let answer = mail(&play, &a_receipt()).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert!(!answer.header("x-message-id").is_empty());
}

#[tokio::test]
async fn sendgrid_refuses_without_a_key() {
    let play = Playground::open().await;
    let answer = send(play.request("POST", "/sendgrid/v3/mail/send").json(&a_receipt())).await;
    assert_eq!(answer.status, 401);
    assert!(answer.json()["errors"][0]["message"].is_string());
}

#[tokio::test]
async fn sendgrid_names_the_field_it_refuses() {
    type Spoil = fn(&mut Value);
    let spoilt: [(Spoil, Value); 9] = [
        (|mail| mail["tags"] = json!([]), Value::Null),
        (|mail| mail["personalizations"] = json!([]), json!("personalizations")),
        (|mail| mail["personalizations"][0]["to"] = json!([]), json!("personalizations.0.to")),
        (
            |mail| mail["personalizations"][0]["to"][0]["email"] = json!("ana"),
            json!("personalizations.0.to.0.email"),
        ),
        (
            |mail| mail["personalizations"][0]["custom_args"]["event_id"] = json!(1),
            json!("personalizations.0.custom_args.event_id"),
        ),
        (|mail| mail["subject"] = json!(""), json!("subject")),
        (|mail| mail["from"] = json!("ola@example.com"), json!("from")),
        (|mail| mail["content"].as_array_mut().unwrap().reverse(), json!("content")),
        (|mail| mail["content"][0]["value"] = json!(""), json!("content.0.value")),
    ];
    let play = Playground::open().await;
    for (spoil, field) in spoilt {
        let mut body = a_receipt();
        spoil(&mut body);
        let answer = mail(&play, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{}", answer.text);
    }
}
