//! No trace of a person, and no secret, where it does not belong: log lines (metrics are among
//! them), queue messages, dead letters, keys and outcomes in the table, answers, addresses that are
//! called. Marked people travel through the whole, and through everything that can go wrong; then
//! all of it is searched for the marks.

mod echo;
mod failures;
mod marks;
mod search;

use crate::aws::now_ms;
use crate::sandbox::{peace, war};
use crate::stack::Stack;
use echo::Echo;
use failures::Failures;
use futures_util::FutureExt;
use marks::Marks;
use search::Findings;
use serde_json::json;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, resume_unwind};

#[tokio::test]
async fn no_personal_data_is_in_a_log_line_or_a_key() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let (marks, since) = (Marks::new(), now_ms());
    let visitor = marks.visitor();
    let mut lead = visitor.lead(1);
    marks.fill(&mut lead);
    let answer = stack.post("/leads", &visitor.ip, &lead).await;
    assert_eq!(answer.status, 202);
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 1).await;
    stack.settled(visitor.event_id, 3).await;

    let told = stack.sandbox.seen("hubspot", &visitor.email).await;
    assert!(!told.is_empty(), "the CRM knows the person");
    let mut findings = Findings::of(&marks, &stack).await;
    findings.search_logs(&stack, since).await;
    assert!(
        findings.looked_at(&visitor.event_id.to_string()),
        "the logs are those of this journey"
    );
    findings.search_table(&stack).await;
    findings.search_addresses(&stack).await;
    findings.are_none();
}

#[tokio::test]
async fn no_failure_leaves_a_trace_of_a_person_or_a_secret() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let (marks, since) = (Marks::new(), now_ms());
    let mut failures = Failures::new(&stack, &marks);
    failures.hold_queues().await;
    failures.refuse_bodies().await;
    failures.forge_webhooks().await;
    failures.decline_cards().await;
    failures.poison_queues().await;
    failures.spoil_facts().await;
    failures.invoke_wrongly().await;
    let echo = Echo::start(&marks);
    let before = failures.point_vendors_at(&echo.url(&marks)).await;
    let broken = AssertUnwindSafe(failures.break_vendors(&echo)).catch_unwind().await;
    failures.point_vendors_back(before).await;
    broken.unwrap_or_else(|panic| resume_unwind(panic));

    let mut findings = Findings::of(&marks, &stack).await;
    findings.search_answers(&failures.answers);
    findings.search_messages(&failures.messages, &failures.poison);
    findings.search_messages(&stack.messages().await, &failures.poison);
    findings.search_logs(&stack, since).await;
    findings.search_table(&stack).await;
    findings.search_addresses(&stack).await;
    failures.clean_up().await;
    findings.are_none();
    for what in failures.expected_lines() {
        assert!(findings.looked_at(what), "nothing was logged of {what}");
    }
}

#[tokio::test]
async fn everything_that_is_kept_of_a_person_expires() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = Marks::new().visitor();
    visitor.leaves_a_lead(&stack).await;
    let intent = visitor.checks_out(&stack).await;
    stack.sandbox.pay(&intent, "succeeded", 1).await;
    let timeline = stack.settled(visitor.event_id, 3).await;
    let person = timeline.facts[0].person.as_ref().unwrap().as_str().to_owned();
    let journey = format!("JOURNEY#{}", visitor.event_id);
    let mut kinds = BTreeSet::new();
    for pk in [journey, format!("PERSON#{person}"), format!("PI#{intent}")] {
        for item in search::partition(&stack, &pk).await {
            let sk = item["sk"].as_s().unwrap().split('#').next().unwrap().to_owned();
            let expires_at = item.get("expires_at").map(|at| at.as_n().unwrap().parse::<i64>());
            let days = (expires_at.unwrap_or(Ok(0)).unwrap() - now_ms() / 1000) / 86_400;
            assert!((728..=731).contains(&days), "{pk} {sk} expires in {days} days");
            kinds.insert(sk);
        }
    }
    let all = ["-", "CHECKOUT", "DELIVERY", "FACT", "PROFILE", "ROUTE", "SYNC"];
    assert!(all.iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
}

#[tokio::test]
async fn a_mark_is_found_wherever_it_is() {
    // The search itself: what it does not find in a text that holds everything, it never finds.
    let stack = Stack::running().await;
    let marks = Marks::new();
    let texts = [
        json!({"message": format!("no such contact: {}", marks.email)}).to_string(),
        format!("the card of {} was declined", marks.name.to_uppercase()),
        format!("GET /subscribers/{}", marks.email.replace('@', "%40")),
        format!("call {}", marks.phone),
        format!("call +351{}", marks.phone.replace(' ', "")),
        format!("hash {}", marks.hashes()[0]),
        stack.parameter("PEPPER").await,
        stack.parameter("STRIPE_SECRET_KEY").await,
        "pi_1_secret_2".to_owned(),
    ];
    for text in texts {
        let mut findings = Findings::of(&marks, &stack).await;
        findings.search("a text", &text);
        assert_eq!(findings.count(), 1, "{text}");
    }
}
