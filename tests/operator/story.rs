//! `trace`: what an operator reads of a journey.

use super::command::{json, throughline, told};
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::visitor::a_visitor;
use serde_json::Value;

/// The lines of a kind, in their order.
fn of_kind<'a>(story: &'a Value, kind: &str) -> Vec<&'a Value> {
    story["lines"].as_array().unwrap().iter().filter(|line| line["line"] == kind).collect()
}

#[tokio::test]
async fn a_purchase_is_told_line_by_line_by_whatever_name_it_is_looked_for() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 1).await;
    stack.settled(visitor.event_id, 3).await;

    let event_id = visitor.event_id.to_string();
    let told_by_id = json(&["trace", &event_id]).await;
    assert_eq!(told_by_id["looked_for"], "event_id");
    let story = &told_by_id["journeys"][0];
    let kinds: Vec<&str> =
        of_kind(story, "fact").iter().map(|fact| fact["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["lead_captured", "checkout_started", "payment_succeeded"]);
    let paid = of_kind(story, "fact")[2];
    assert_eq!(
        (&paid["money"]["text"], &paid["money"]["currency"]),
        (&"97.00".into(), &"EUR".into())
    );
    assert_eq!(
        of_kind(story, "route").len(),
        15,
        "three facts, each decided for five destinations"
    );
    let crm = of_kind(story, "delivery")
        .into_iter()
        .find(|delivery| delivery["delivery"] == format!("payment_succeeded:{intent}#hubspot"))
        .unwrap();
    assert_eq!(crm["state"], "delivered");
    let times: Vec<&str> = story["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by_key(|at| at.parse::<jiff::Timestamp>().unwrap()), "{times:?}");

    let by_payment = json(&["trace", &intent]).await;
    assert_eq!(by_payment["journeys"], told_by_id["journeys"]);
    let by_email = told(&["trace", "-", "--output", "json"], &format!("{}\n", visitor.email)).await;
    assert_eq!(by_email.well().json()["journeys"], told_by_id["journeys"]);

    let read = throughline(&["trace", &event_id]).await.well();
    for word in
        ["payment_succeeded 97.00 EUR", "not to sendgrid: not_applicable", "delivered", "ago"]
    {
        assert!(read.out.contains(word), "{word}: {}", read.out);
    }
    for secret in [visitor.email.as_str(), "Ana", "912 345 678", "+351912345678"] {
        assert!(!read.out.contains(secret) && !told_by_id.to_string().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_fact_that_cannot_be_read_is_shown_as_such_and_hides_nothing() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    stack.put_fact(visitor.event_id, "FACT#stripe#evt_tomorrow", r#"{"schema":99}"#).await;
    let event_id = visitor.event_id.to_string();
    let told = json(&["trace", &event_id]).await;
    let story = &told["journeys"][0];
    assert_eq!(story["unreadable"], 1);
    assert_eq!(of_kind(story, "unreadable")[0]["item"], "stripe#evt_tomorrow");
    assert_eq!(of_kind(story, "fact").len(), 1);
    let read = throughline(&["trace", &event_id]).await.well();
    assert!(read.out.contains("this version cannot read it"), "{}", read.out);
    // What decides, and does not only show, must not pass it over.
    assert!(stack.ledger().journey(visitor.event_id).await.is_err());
}

#[tokio::test]
async fn what_is_not_there_is_said_plainly_and_nothing_typed_is_repeated() {
    let _stack = Stack::running().await;
    let nobody = told(&["trace", "-"], "nobody.at.all@example.pt\n").await;
    assert_eq!(nobody.code, 1, "{nobody:?}");
    assert!(nobody.err.contains("knows no such email") && !nobody.err.contains("nobody.at.all"));
    let nonsense = throughline(&["trace", "ana silva"]).await;
    assert_eq!(nonsense.code, 1);
    assert!(!nonsense.err.contains("ana"), "{nonsense:?}");
    assert_eq!(throughline(&["trace"]).await.code, 2, "misused");
    assert_eq!(throughline(&["trace", "x", "--stage", "prod"]).await.code, 2, "two stages");
}
