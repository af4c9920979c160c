//! `dlq`: what was given up, and how it is mended.

use super::command::{json, throughline};
use super::{done_by_hand, sweep};
use crate::sandbox::war;
use crate::stack::{Stack, delivery, state};
use crate::visitor::{Visitor, a_visitor};
use domain::delivery::State;
use domain::destination::Destination::{self, Hubspot, Mailerlite, Slack};
use ledger::{Deed, Mended};
use serde_json::{Value, json};

/// A visitor whose lead a vendor treats badly once: its delivery is dead, and its ids are among the
/// dead letters.
async fn treated_badly(stack: &Stack, to: Destination, how: Value) -> Visitor {
    let visitor = a_visitor();
    stack.sandbox.break_vendor(to.name(), visitor.fault(how)).await;
    visitor.leaves_a_lead(stack).await;
    stack
        .wait_for(visitor.event_id, "a dead letter", |timeline| {
            state(timeline, "lead_captured", to).is_some()
                && delivery(timeline, "lead_captured", to).dead_lettered
        })
        .await;
    visitor
}

/// The journeys that a list of the dead names.
fn named<'a>(listed: &'a Value, list: &str) -> Vec<&'a str> {
    let one = |entry: &'a Value| entry["event_id"].as_str().unwrap_or_default();
    listed[list].as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn only_what_is_asked_for_begins_again_at_its_pace_and_is_recorded() {
    let (stack, _war) = (Stack::running().await, war().await);
    let rejected = json!({"status": 400, "times": 1});
    let first = treated_badly(&stack, Hubspot, rejected.clone()).await;
    let second = treated_badly(&stack, Hubspot, rejected.clone()).await;
    let newsletter = treated_badly(&stack, Mailerlite, rejected).await;
    let unknown = treated_badly(&stack, Slack, json!({"abort": true, "times": 1})).await;
    let which = ["--destination", "hubspot", "--reason", "rejected"];
    let [one, other] = [&first, &second].map(|visitor| visitor.event_id.to_string());
    let listed = json(&[&["dlq", "list"], &which[..]].concat()).await;
    let dead = named(&listed, "dead");
    assert!(dead.contains(&one.as_str()) && dead.contains(&other.as_str()), "{listed}");
    assert!(!listed.to_string().contains(&newsletter.event_id.to_string()), "{listed}");

    let redrive =
        [&["dlq", "redrive", "--why", "the property exists now", "--rate", "60"], &which[..]];
    let redrive = redrive.concat();
    let planned = json(&redrive).await;
    assert_eq!((&planned["dry_run"], &planned["outcome"]), (&true.into(), &Value::Null));
    assert_eq!(named(&planned, "deliveries").len(), dead.len());
    let untouched = stack.timeline(first.event_id).await;
    assert_eq!(delivery(&untouched, "lead_captured", Hubspot).state, State::Dead, "a plan");

    let done = json(&[&redrive[..], &["--yes"]].concat()).await;
    assert_eq!(done["outcome"]["done"], dead.len(), "{done}");
    assert_eq!(done["outcome"]["copies_removed"], dead.len(), "{done}");
    let mut turns = Vec::new();
    for visitor in [&first, &second] {
        let timeline = stack.timeline(visitor.event_id).await;
        let crm = delivery(&timeline, "lead_captured", Hubspot);
        assert_eq!((crm.state, crm.attempts), (State::Queued, 0), "a new life");
        turns.push(crm.listed_at.unwrap());
        assert_eq!(done_by_hand(&timeline), ["redriven"]);
        let audit = &timeline.audits[0];
        assert_eq!(
            (audit.who.as_str(), audit.why.as_str()),
            ("operator", "the property exists now")
        );
        assert!(audit.note.contains("dead rejected after 1 call"), "{audit:?}");
        assert!(stack.dead_letters("crm-sync", visitor.event_id).await.is_empty());
    }
    assert!(turns[1].duration_since(turns[0]).as_secs() >= 1, "60 a minute: {turns:?}");
    sweep(&stack).await;
    for visitor in [&first, &second] {
        let timeline = stack.settled(visitor.event_id, 1).await;
        assert_eq!(delivery(&timeline, "lead_captured", Hubspot).state, State::Delivered);
    }
    for (visitor, function, at) in
        [(&newsletter, "esp-sync", Mailerlite), (&unknown, "notifier", Slack)]
    {
        let timeline = stack.timeline(visitor.event_id).await;
        assert_eq!(delivery(&timeline, "lead_captured", at).state, State::Dead);
        assert!(done_by_hand(&timeline).is_empty());
        assert_eq!(stack.dead_letters(function, visitor.event_id).await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_delivered_is_never_begun_again_from_the_dead() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = treated_badly(&stack, Hubspot, json!({"status": 400, "times": 1})).await;
    let before = stack.timeline(visitor.event_id).await;
    let read = delivery(&before, "lead_captured", Hubspot);
    let event_id = visitor.event_id.to_string();
    let redrive = ["dlq", "redrive", "--event", &event_id, "--why", "mended", "--yes"];
    throughline(&redrive).await.well();
    // Somebody who read it while it was dead, and is too late.
    let deed = Deed { who: "late", why: "too late", at: read.updated_at };
    let late = stack.ledger().redrive(read, read.updated_at, deed).await;
    assert_eq!(late, Ok(Mended::Changed));
    sweep(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    assert_eq!(delivery(&timeline, "lead_captured", Hubspot).state, State::Delivered);
    assert_eq!(done_by_hand(&timeline), ["redriven"], "what was not done is not recorded");
    let again = throughline(&redrive).await;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.contains("no dead delivery fits"), "{again:?}");
    assert_eq!(throughline(&["dlq", "redrive", "--why", "all?"]).await.code, 2, "which?");
}

#[tokio::test]
async fn a_call_of_which_nobody_knew_is_settled_by_a_person_either_way() {
    let (stack, _war) = (Stack::running().await, war().await);
    let cut = json!({"abort": true, "times": 1});
    let made = treated_badly(&stack, Slack, cut.clone()).await;
    let never = treated_badly(&stack, Slack, cut).await;
    let [made_id, never_id] = [&made, &never].map(|visitor| visitor.event_id.to_string());
    let refused =
        throughline(&["dlq", "redrive", "--event", &made_id, "--why", "send it", "--yes"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("dlq settle"), "{refused:?}");

    let name = |event_id: &str| format!("lead_captured:{event_id}#slack");
    let (made_name, never_name) = (name(&made_id), name(&never_id));
    let settle = ["dlq", "settle", &made_id, &made_name, "--why", "it is in the channel"];
    assert_eq!(throughline(&settle).await.code, 2, "happened, or not?");
    let settle = [&settle[..], &["--happened"]].concat();
    throughline(&settle).await.well();
    let timeline = stack.timeline(made.event_id).await;
    let operators = delivery(&timeline, "lead_captured", Slack);
    assert_eq!(operators.state, State::Delivered);
    assert_eq!(operators.detail, "it had happened: settled by operator");
    assert!(stack.dead_letters("notifier", made.event_id).await.is_empty());
    assert_eq!(throughline(&settle).await.code, 1, "it is settled");

    let settle = ["dlq", "settle", &never_id, &never_name, "--did-not-happen"];
    throughline(&[&settle[..], &["--why", "the channel has nothing", "--as", "ana"]].concat())
        .await
        .well();
    sweep(&stack).await;
    let timeline = stack.settled(never.event_id, 1).await;
    assert_eq!(delivery(&timeline, "lead_captured", Slack).state, State::Delivered);
    assert_eq!(done_by_hand(&timeline), ["settled_as_not_happened"]);
    assert_eq!(timeline.audits[0].who, "ana");
    assert_eq!(stack.sandbox.seen("slack", &never_id).await.len(), 2);
    assert_eq!(stack.sandbox.seen("slack", &made_id).await.len(), 1);
}

#[tokio::test]
async fn beginning_again_for_somebody_who_was_erased_does_nothing() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = treated_badly(&stack, Hubspot, json!({"status": 400, "times": 1})).await;
    let ledger = stack.ledger();
    let journey = ledger.journey(visitor.event_id).await.unwrap();
    let recorded_at = journey.facts()[0].recorded_at;
    let until = recorded_at.as_second() + 86_400;
    ledger.mark_erased(journey.person().unwrap(), recorded_at, until).await.unwrap();
    let event_id = visitor.event_id.to_string();
    throughline(&["dlq", "redrive", "--event", &event_id, "--why", "mended", "--yes"]).await.well();
    sweep(&stack).await;
    let timeline = stack.settled(visitor.event_id, 1).await;
    let crm = delivery(&timeline, "lead_captured", Hubspot);
    assert_eq!((crm.state, crm.reason.as_str()), (State::Skipped, "erased"));
    assert_eq!(stack.sandbox.seen("hubspot", &visitor.email).await.len(), 1, "the refused call");
    let told = json(&["trace", &event_id]).await;
    assert!(told["journeys"][0]["erased_at"].is_string());
}

#[tokio::test]
async fn what_is_dropped_stays_dead_and_is_asked_for_no_more() {
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = treated_badly(&stack, Hubspot, json!({"status": 400, "times": 1})).await;
    let event_id = visitor.event_id.to_string();
    let drop = ["dlq", "drop", "--event", &event_id, "--why", "a test record"];
    assert_eq!(json(&drop).await["dry_run"], true);
    let shown = throughline(&["dlq", "show", &event_id]).await.well();
    assert!(shown.out.contains("rejected") && shown.out.contains("dlq redrive"), "{shown:?}");
    throughline(&[&drop[..], &["--yes"]].concat()).await.well();
    let timeline = stack.timeline(visitor.event_id).await;
    assert_eq!(delivery(&timeline, "lead_captured", Hubspot).state, State::Dead);
    assert_eq!(done_by_hand(&timeline), ["dropped"]);
    let listed = json(&["dlq", "list", "--destination", "hubspot"]).await;
    assert!(!named(&listed, "dead").contains(&event_id.as_str()), "{listed}");
    assert!(stack.dead_letters("crm-sync", visitor.event_id).await.is_empty());
    assert_eq!(throughline(&["dlq", "show", &event_id]).await.code, 1);
}

#[tokio::test]
async fn how_long_a_delivery_is_dead_counts_from_when_it_was_given_up() {
    use aws_sdk_dynamodb::types::AttributeValue::{N, S};
    let (stack, _war) = (Stack::running().await, war().await);
    let visitor = treated_badly(&stack, Hubspot, json!({"status": 400, "times": 1})).await;
    let event_id = visitor.event_id.to_string();
    let id = delivery(&stack.timeline(visitor.event_id).await, "lead_captured", Hubspot).id.clone();
    let tried_for_years = stack.dynamodb().update_item().table_name(stack.table());
    tried_for_years
        .key("pk", S(format!("JOURNEY#{event_id}")))
        .key("sk", S(format!("DELIVERY#{}#hubspot", id.effect)))
        .update_expression("SET created_at = :then")
        .condition_expression("attribute_exists(created_at)")
        .expression_attribute_values(":then", N("1767607200000".into()))
        .send()
        .await
        .unwrap();
    let list = ["dlq", "list", "--event", &event_id];
    assert_eq!(named(&json(&list).await, "dead"), [event_id.as_str()]);
    let older = json(&[&list[..], &["--older-than", "1d"]].concat()).await;
    assert!(named(&older, "dead").is_empty(), "{older}");
}

#[tokio::test]
async fn a_message_that_is_no_delivery_is_listed_without_its_text_and_can_be_taken_away() {
    let (stack, _war) = (Stack::running().await, war().await);
    let url = stack.dead_letters_of("esp-sync");
    let sent = stack.sqs().send_message().queue_url(url);
    let sent = sent.message_body("no delivery, ana.silva@example.pt").send().await.unwrap();
    let message = sent.message_id().unwrap();
    let listed =
        throughline(&["dlq", "list", "--destination", "mailerlite", "--output", "json"]).await;
    assert!(!listed.out.contains("ana.silva"), "{listed:?}");
    let listed = listed.well().json();
    let stray = listed["strays"].as_array().unwrap().iter();
    let stray = stray.clone().find(|stray| stray["message_id"] == message).unwrap();
    assert_eq!((&stray["function"], &stray["event_id"]), (&"esp-sync".into(), &Value::Null));
    let take = ["dlq", "drop", "--message", message, "--why", "a script's mistake"];
    assert_eq!(json(&take).await["dry_run"], true);
    throughline(&[&take[..], &["--yes"]].concat()).await.well();
    let gone = throughline(&take).await;
    assert_eq!(gone.code, 1, "{gone:?}");
}

#[tokio::test]
async fn what_a_replay_leaves_among_the_dead_letters_is_taken_away_and_what_is_dead_stays() {
    let (stack, _war) = (Stack::running().await, war().await);
    let rejected = json!({"status": 400, "times": 1});
    let replayed = treated_badly(&stack, Hubspot, rejected.clone()).await;
    let dead = treated_badly(&stack, Hubspot, rejected).await;
    let [told, given_up] = [&replayed, &dead].map(|visitor| visitor.event_id.to_string());
    let replay =
        ["replay", &told, "lead#1", "--destination", "hubspot", "--why", "mended", "--yes"];
    throughline(&replay).await.well();
    sweep(&stack).await;
    stack
        .wait_for(replayed.event_id, "the CRM told", |timeline| {
            state(timeline, "lead_captured", Hubspot) == Some(State::Delivered)
        })
        .await;
    let copies =
        async |visitor: &Visitor| stack.dead_letters("crm-sync", visitor.event_id).await.len();
    let take = ["dlq", "drop", "--copies", "--destination", "hubspot", "--why", "replayed"];
    let planned = json(&take).await;
    assert_eq!((&planned["dry_run"], &planned["copies_removed"]), (&true.into(), &0.into()));
    let would = named(&planned, "copies");
    assert!(would.contains(&told.as_str()) && !would.contains(&given_up.as_str()), "{planned}");
    assert_eq!((copies(&replayed).await, copies(&dead).await), (1, 1), "a plan");
    let done = json(&[&take[..], &["--yes"]].concat()).await;
    assert_eq!(done["copies_removed"], would.len(), "{done}");
    assert_eq!((copies(&replayed).await, copies(&dead).await), (0, 1));
}
