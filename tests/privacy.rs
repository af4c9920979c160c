//! No personal data where it does not belong: logs, keys, queues.

use crate::sandbox::peace;
use crate::stack::Stack;
use crate::visitor::a_visitor;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

#[tokio::test]
async fn no_personal_data_is_in_a_log_line_or_a_key() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    let mut lead = visitor.lead(1);
    lead["full_name"] = json!("Canario Amarelo");
    let answer = stack.post("/leads", &visitor.ip, &lead).await;
    assert_eq!(answer.status, 202);
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 1).await;
    stack.settled(visitor.event_id, 3).await;

    let logs = stack.logs().await;
    assert!(logs.contains(&visitor.event_id.to_string()), "the logs are those of this journey");
    for mark in [
        visitor.email.as_str(),
        "Canario",
        "912345678",
        "912 345 678",
        "_secret_",
        "whsec_",
        &visitor.ip,
    ] {
        assert!(!logs.contains(mark), "a log line holds {mark}");
    }
    let mut from = None;
    loop {
        let page = stack
            .dynamodb()
            .scan()
            .table_name(stack.table())
            .set_exclusive_start_key(from)
            .send()
            .await
            .unwrap();
        for item in page.items() {
            for key in ["pk", "sk", "agenda", "effect"] {
                let text = item
                    .get(key)
                    .map(AttributeValue::as_s)
                    .and_then(Result::ok)
                    .cloned()
                    .unwrap_or_default();
                assert!(
                    !text.contains('@') && !text.contains("Canario") && !text.contains(&visitor.ip),
                    "{key} {text}"
                );
            }
        }
        from = page.last_evaluated_key().cloned();
        if from.is_none() {
            break;
        }
    }
}
