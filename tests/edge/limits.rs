//! How often one address may call: exact, whoever counts, and what happens when nobody can.

use super::answers::{Asking, PAGES, Told, an_address, ask};
use super::contract::Contract;
use crate::sandbox::{peace, war};
use crate::stack::Stack;
use crate::stripe::now;
use crate::visitor::a_visitor;
use futures_util::{FutureExt, StreamExt};
use lambda::http::{Kind, LARGEST_BODY};
use serde_json::json;
use std::panic::{AssertUnwindSafe, resume_unwind};

/// Makes calls at once, all within one minute, and tells the answers with the minute's seconds.
async fn within_a_minute(stack: &Stack, calls: impl Fn() -> Vec<Asking>) -> Vec<(i64, Told)> {
    for _ in 0..5 {
        let began = now();
        let work = calls().into_iter().map(async |asking| {
            let told = asking.post(stack).await;
            (now(), told)
        });
        let told: Vec<_> = futures_util::stream::iter(work).buffered(10).collect().await;
        if now() / 60 == began / 60 {
            return told;
        }
    }
    panic!("no minute was long enough");
}

fn count(told: &[(i64, Told)], is: impl Fn(&Told) -> bool) -> usize {
    told.iter().filter(|(_, told)| is(told)).count()
}

#[tokio::test]
async fn an_address_is_let_in_exactly_as_often_as_the_contract_says() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let contract = Contract::read();
    for path in PAGES {
        let limit = contract.requests_per_minute(path);
        let told = within_a_minute(&stack, || {
            let ip = an_address();
            vec![ask(path).from(&ip).json(&json!({})); limit + 25]
        })
        .await;
        assert_eq!(count(&told, |told| told.kind() == Some(Kind::InvalidField)), limit, "{path}");
        assert_eq!(count(&told, |told| told.kind() == Some(Kind::RateLimited)), 25, "{path}");
        for (at, told) in told.iter().filter(|(_, told)| told.status == 429) {
            told.is_problem(Kind::RateLimited, &[], &path);
            let left = 60 - u64::try_from(at % 60).unwrap();
            let after = told.retry_after();
            assert!((left..=left + 20).contains(&after) && after <= 60, "{path} {after} {left}");
        }
    }
}

#[tokio::test]
async fn each_route_and_each_address_is_counted_by_itself() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let limit = Contract::read().requests_per_minute("/payment-intents");
    let full = |ip: &str| vec![ask("/payment-intents").from(ip).json(&json!({})); limit];
    let told = within_a_minute(&stack, || {
        let id = uuid::Uuid::new_v4();
        let [a, b, ..] = *id.as_bytes();
        let (house, neighbour) =
            (format!("2001:db8:{a:x}:{b:x}:"), format!("2001:db8:{b:x}:ff{a:x}:"));
        let v4 = an_address();
        let mut calls = full(&format!("{house}:1"));
        calls.push(ask("/payment-intents").from(&format!("{house}ffff:1:2:3")).json(&json!({})));
        calls.push(ask("/payment-intents").from(&format!("{neighbour}:1")).json(&json!({})));
        calls.push(ask("/leads").from(&format!("{house}:1")).json(&json!({})));
        calls.push(ask("/consents").from(&format!("{house}:1")).json(&json!({})));
        calls.extend(full(&v4));
        calls.push(ask("/payment-intents").from(&format!("::ffff:{v4}")).json(&json!({})));
        calls.push(ask("/payment-intents").from(&an_address()).json(&json!({})));
        calls
    })
    .await;
    let kinds: Vec<_> = told.iter().map(|(_, told)| told.kind().unwrap()).collect();
    let (house, rest) = kinds.split_at(limit + 1);
    let refused = |kinds: &[Kind]| kinds.iter().filter(|kind| **kind == Kind::RateLimited).count();
    assert_eq!(refused(house), 1, "a /64 is one caller: {kinds:?}");
    assert_eq!(refused(&rest[..3]), 0, "another /64, and other routes: {kinds:?}");
    assert_eq!(refused(&rest[3..]), 1, "IPv4 in IPv6 is IPv4: {kinds:?}");
}

#[tokio::test]
async fn what_is_refused_at_the_door_does_not_count_and_stripe_is_never_limited() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let limit = Contract::read().requests_per_minute("/payment-intents");
    let told = within_a_minute(&stack, || {
        let call = ask("/payment-intents").from(&an_address());
        let mut calls = vec![call.clone().header("content-type", "text/plain"); limit];
        calls.extend(vec![call.clone().header("origin", "https://example.com"); limit]);
        calls.push(call.clone().body("x".repeat(LARGEST_BODY + 1)));
        calls.extend(vec![call.body("no JSON"); limit + 1]);
        calls
    })
    .await;
    assert_eq!(count(&told, |told| told.kind() == Some(Kind::MalformedBody)), limit);
    assert_eq!(count(&told, |told| told.kind() == Some(Kind::RateLimited)), 1);

    let ip = an_address();
    let forgeries = (0..150).map(|_| ask("/webhooks/stripe").from(&ip).body("{}"));
    let work = forgeries.map(async |asking| asking.post(&stack).await.status);
    let told: Vec<u16> = futures_util::stream::iter(work).buffered(10).collect().await;
    assert!(told.iter().all(|status| *status == 400), "{told:?}");
}

#[tokio::test]
async fn when_nobody_can_count_a_lead_is_still_a_lead_and_a_card_is_not_tried() {
    let (stack, _alone) = (Stack::running().await, war().await);
    let mut roles = Vec::new();
    for function in ["lead-capture", "consent-capture", "create-payment-intent"] {
        let role = stack.role(function).await;
        let grants = role.grants();
        let count = grants.iter().find(|grant| grant.action == "dynamodb:UpdateItem").unwrap();
        stack.put_policy(&role, &role.without(count)).await;
        roles.push(role);
    }
    let uncounted = AssertUnwindSafe(uncounted(&stack)).catch_unwind().await;
    for role in &roles {
        stack.put_policy(role, &role.document).await;
    }
    uncounted.unwrap_or_else(|panic| resume_unwind(panic));
}

async fn uncounted(stack: &Stack) {
    let visitor = a_visitor();
    ask("/leads").json(&visitor.lead(1)).post(stack).await.is(202, &"open");
    ask("/consents").json(&visitor.consent_update()).post(stack).await.is(202, &"open");
    let told = ask("/payment-intents").json(&visitor.purchase()).post(stack).await;
    told.is_problem(Kind::Unavailable, &[], &"closed");
    let asked = stack.sandbox.seen("stripe", &visitor.event_id.to_string()).await;
    assert!(asked.is_empty(), "Stripe is not asked: {asked:?}");
}
