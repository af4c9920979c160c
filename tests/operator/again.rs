//! `replay`: past idempotency, on purpose.

use super::command::{json, throughline};
use super::{done_by_hand, sweep};
use crate::sandbox::war;
use crate::stack::{Stack, delivery, state};
use crate::visitor::a_visitor;
use domain::delivery::State;
use domain::destination::Destination::{Hubspot, Sgtm, Slack};
use domain::routing::Decision;
use serde_json::Value;
use std::time::Duration;

/// Says to dispatcher and sweeper which destinations there are.
async fn switch_on(stack: &Stack, destinations: &str) {
    for function in ["dispatcher", "sweeper"] {
        let mut variables = stack.environment(function).await;
        variables.insert("DESTINATIONS".into(), destinations.into());
        stack.set_environment(function, &variables).await;
    }
}

/// Whether a plan names a journey.
fn names(plan: &Value, event_id: &str) -> bool {
    plan["facts"].as_array().unwrap().iter().any(|fact| fact["event_id"] == event_id)
}

#[tokio::test]
async fn a_destination_that_was_switched_on_later_is_filled_and_the_ledger_says_so() {
    let (stack, _war) = (Stack::running().await, war().await);
    switch_on(&stack, "hubspot,mailerlite,sendgrid,slack").await;
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    switch_on(&stack, "hubspot,mailerlite,sgtm,sendgrid,slack").await;
    assert_eq!(state(&timeline, "lead_captured", Sgtm), None, "it was off");
    let event_id = visitor.event_id.to_string();
    let fill = ["replay", "--destination", "sgtm", "--since", "1h", "--why", "switched on today"];
    let asked = throughline(&fill).await.well();
    assert!(asked.out.contains("the whole table is read"), "{asked:?}");
    let found = json(&[&fill[..], &["--dry-run"]].concat()).await;
    assert!(names(&found, &event_id), "{found}");
    let done = json(&[&fill[..], &["--rate", "3000", "--yes"]].concat()).await;
    assert_eq!(done["outcome"]["wished"], done["facts"].as_array().unwrap().len(), "{done}");
    let told = json(&["trace", &event_id]).await;
    let waits = told["journeys"][0]["lines"].as_array().unwrap().iter();
    assert!(waits.clone().any(|line| line["waits_for"] == "replay"), "{told}");

    // Each fact has a turn of its own, and this one is the last.
    let lasts = done["lasts_seconds"].as_u64().unwrap();
    tokio::time::sleep(Duration::from_secs(lasts + 1)).await;
    sweep(&stack).await;
    let timeline = stack
        .wait_for(visitor.event_id, "tagging told", |timeline| {
            state(timeline, "lead_captured", Sgtm).is_some_and(State::is_terminal)
        })
        .await;
    assert_eq!(delivery(&timeline, "lead_captured", Sgtm).state, State::AcceptedUnverifiable);
    assert_eq!(stack.sandbox.seen("sgtm", &event_id).await.len(), 1);
    assert_eq!(stack.sandbox.seen("slack", &event_id).await.len(), 1, "nobody else is told again");
    assert_eq!(done_by_hand(&timeline), ["replayed"]);
    let routes = &timeline.routes[0].routes;
    let sent = |route: &&domain::routing::Route| route.destination == Sgtm;
    let sgtm = routes.iter().find(sent).unwrap();
    assert!(matches!(sgtm.decision, Decision::Send { .. }), "{sgtm:?}");
    assert!(timeline.open.is_empty(), "the wish is fulfilled: {:?}", timeline.open);

    let again = throughline(&[&fill[..], &["--dry-run", "--output", "json"]].concat()).await;
    assert!(again.code == 1 || !names(&again.json(), &event_id), "{again:?}");
}

#[tokio::test]
async fn one_fact_is_told_again_where_it_is_named_and_nowhere_else() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let event_id = visitor.event_id.to_string();
    let replay =
        ["replay", &event_id, "lead#1", "--destination", "hubspot", "--why", "restored a backup"];
    let planned = json(&replay).await;
    assert_eq!(planned["facts"][0]["at"][0]["does"], "begin_again");
    assert_eq!(stack.sandbox.seen("hubspot", &visitor.email).await.len(), 1, "a plan");
    throughline(&[&replay[..], &["--yes"]].concat()).await.well();
    let twice = throughline(&[&replay[..], &["--yes"]].concat()).await;
    assert_eq!(twice.code, 1, "one wish at a time: {twice:?}");
    sweep(&stack).await;
    let timeline = stack
        .wait_for(visitor.event_id, "the CRM told again", |timeline| {
            let crm = delivery(timeline, "lead_captured", Hubspot);
            crm.replays == 1 && crm.state.is_terminal()
        })
        .await;
    let crm = delivery(&timeline, "lead_captured", Hubspot);
    assert_eq!((crm.state, crm.attempts), (State::Delivered, 1), "called, not covered: {crm:?}");
    assert_eq!(stack.sandbox.seen("hubspot", &visitor.email).await.len(), 2);
    assert_eq!(delivery(&timeline, "lead_captured", Slack).replays, 0);
    // The sweeper looks again and again: a wish is fulfilled once.
    sweep(&stack).await;
    assert_eq!(stack.sandbox.seen("hubspot", &visitor.email).await.len(), 2);
    let unknown = throughline(&["replay", &event_id, "stripe#evt_none", "--why", "x"]).await;
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert_eq!(throughline(&["replay", "--destination", "hubspot", "--why", "x"]).await.code, 2);
}

#[tokio::test]
async fn what_a_person_no_longer_allows_is_not_replayed() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    stack.settled(visitor.event_id, 1).await;
    let said = visitor.answers_consent(&stack, false, "2026-11-20T12:00:00Z").await;
    assert_eq!(said.status, 202);
    stack.settled(visitor.event_id, 2).await;
    let event_id = visitor.event_id.to_string();
    let replay =
        ["replay", &event_id, "lead#1", "--destination", "sgtm", "--why", "for the report"];
    throughline(&[&replay[..], &["--yes"]].concat()).await.well();
    sweep(&stack).await;
    let timeline = stack
        .wait_for(visitor.event_id, "the wish taken up", |timeline| timeline.open.is_empty())
        .await;
    assert_eq!(delivery(&timeline, "lead_captured", Sgtm).replays, 0);
    assert_eq!(stack.sandbox.seen("sgtm", &event_id).await.len(), 1, "the first time");
}
