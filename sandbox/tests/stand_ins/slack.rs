//! Slack's incoming webhooks.

use serde_json::json;

use crate::playground::{Playground, send};

#[tokio::test]
async fn slack_takes_a_text_with_blocks() {
    let play = Playground::open().await;
    let body = json!({
        "text": "Venda nova",
        "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "*97,00 €*" } }],
    });
    let answer = send(play.request("POST", "/slack/services/T/B/X").json(&body)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
}

#[tokio::test]
async fn slack_says_in_a_word_what_is_wrong() {
    let play = Playground::open().await;
    for (path, body, status, word) in [
        ("/slack/services/T/B", json!({ "text": "x" }), 404, "no_service"),
        ("/slack/elsewhere", json!({ "text": "x" }), 404, "no_service"),
        ("/slack/services/T/B/X", json!(["x"]), 400, "invalid_payload"),
        ("/slack/services/T/B/X", json!({ "txt": "x" }), 400, "invalid_payload"),
        ("/slack/services/T/B/X", json!({}), 400, "no_text"),
        ("/slack/services/T/B/X", json!({ "text": 1 }), 400, "invalid_payload"),
        ("/slack/services/T/B/X", json!({ "text": "x", "blocks": [{}] }), 400, "invalid_blocks"),
    ] {
        let answer = send(play.request("POST", path).json(&body)).await;
        assert_eq!((answer.status, answer.text.as_str()), (status, word), "{path} {body}");
    }
}
