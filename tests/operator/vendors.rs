//! `destinations`: how they stand, and a person's hand on them.

use super::command::{json, throughline, told};
use super::sweep;
use crate::sandbox::{peace, war};
use crate::stack::{Stack, delivery, state};
use crate::visitor::a_visitor;
use domain::delivery::State;
use domain::destination::Destination::Slack;
use serde_json::Value;

async fn standing(of: &str) -> Value {
    let listed = json(&["destinations", "list"]).await;
    let mut all = listed["destinations"].as_array().unwrap().iter();
    all.find(|one| one["destination"] == of).unwrap().clone()
}

#[tokio::test]
async fn a_paused_destination_hears_nothing_and_misses_nothing() {
    let (stack, _war) = (Stack::running().await, war().await);
    stack.opens_gates().await;
    throughline(&["destinations", "pause", "slack", "--why", "the channel moves", "--as", "ana"])
        .await
        .well();
    stack.forgets_gates().await;
    let slack = standing("slack").await;
    assert_eq!((&slack["gate"], &slack["by"]), (&"paused".into(), &"ana".into()), "{slack}");
    assert!(slack["off"].is_null() && slack["per_minute"].is_u64(), "{slack}");
    let twice = throughline(&["destinations", "pause", "slack", "--why", "again"]).await;
    assert_eq!(twice.code, 1);
    assert!(twice.err.contains("by ana: the channel moves"), "{twice:?}");

    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let timeline = stack
        .wait_for(visitor.event_id, "a parked message", |timeline| {
            state(timeline, "lead_captured", Slack) == Some(State::Waiting)
        })
        .await;
    assert_eq!(delivery(&timeline, "lead_captured", Slack).reason, "paused");
    assert!(standing("slack").await["backlog"]["due"].as_u64().unwrap() >= 1);
    let read = throughline(&["destinations", "list"]).await.well();
    assert!(read.out.contains("the channel moves (ana)"), "{read:?}");

    throughline(&["destinations", "resume", "slack", "--why", "it has moved"]).await.well();
    stack.forgets_gates().await;
    sweep(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    assert_eq!(delivery(&timeline, "lead_captured", Slack).state, State::Delivered);
    assert_eq!(stack.sandbox.seen("slack", &visitor.event_id.to_string()).await.len(), 1);
    let idle = throughline(&["destinations", "resume", "slack", "--why", "again"]).await;
    assert_eq!(idle.code, 1, "{idle:?}");
}

#[tokio::test]
async fn a_destination_is_tried_with_one_marked_lead() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let address = a_visitor().email;
    let words = ["destinations", "test", "hubspot", "--to", "-", "--output", "json"];
    let tried = told(&words, &address).await;
    assert!(!tried.out.contains(&address) && !tried.err.contains(&address), "{tried:?}");
    let tried = tried.well().json();
    assert_eq!(tried["delivery"]["state"], "delivered", "{tried}");
    let seen = stack.sandbox.seen("hubspot", &address).await;
    assert!(seen[0].body().to_string().contains("Throughline"), "{seen:?}");
    let words = ["destinations", "test", "sendgrid", "--to", &address];
    let refused = throughline(&words).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("payments alone"), "{refused:?}");
}
