//! How many unpaid checkouts a journey may have: exact, however many ask at once.

use super::answers::{Told, ask, with};
use super::contract::Contract;
use crate::sandbox::peace;
use crate::stack::Stack;
use crate::visitor::{Visitor, a_visitor};
use futures_util::future::join_all;
use lambda::http::Kind;
use std::collections::BTreeSet;
use tokio::sync::{Mutex, MutexGuard};

/// Many calls at once begin many processes of a function, and two cores begin two at a time: one
/// crowd after the other, each after somebody has woken its function up.
static CROWD: Mutex<()> = Mutex::const_new(());

async fn crowd(stack: &Stack) -> MutexGuard<'static, ()> {
    let guard = CROWD.lock().await;
    let nobody = serde_json::json!({});
    join_all((0..20).map(|_| async { ask("/payment-intents").json(&nobody).post(stack).await }))
        .await;
    guard
}

async fn check_out(stack: &Stack, visitor: &Visitor, quantity: usize) -> Told {
    ask("/payment-intents").json(&with(&visitor.purchase(), "quantity", quantity)).post(stack).await
}

fn intents(told: &[Told]) -> BTreeSet<&str> {
    let taken = told.iter().filter(|told| told.status == 200);
    taken.map(|told| told.json["payment_intent_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn of_twenty_checkouts_at_once_five_begin() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let _crowd = crowd(&stack).await;
    let most = Contract::read().open_checkouts();
    for _ in 0..3 {
        let visitor = a_visitor();
        let told = join_all((1..=20).map(|quantity| check_out(&stack, &visitor, quantity))).await;
        let refused = told.iter().filter(|told| told.status != 200);
        for told in refused {
            told.is_problem(Kind::TooManyOpenCheckouts, &[], &"one too many");
        }
        assert_eq!(intents(&told).len(), most, "{told:?}");
        let asked = stack.sandbox.seen("stripe", &visitor.event_id.to_string()).await;
        let keys: BTreeSet<_> = asked
            .iter()
            .filter(|seen| seen.path() == "/stripe/v1/payment_intents")
            .map(|seen| seen.0["headers"]["idempotency-key"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(keys.len(), most, "Stripe made {keys:?}");
        let again = join_all((1..=20).map(|quantity| check_out(&stack, &visitor, quantity))).await;
        assert_eq!(intents(&again), intents(&told), "what has begun goes on, and nothing else");
    }
}

#[tokio::test]
async fn the_same_checkout_at_once_is_one_checkout() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let _crowd = crowd(&stack).await;
    let visitor = a_visitor();
    let told = join_all((0..12).map(|_| check_out(&stack, &visitor, 1))).await;
    assert!(told.iter().all(|told| told.status == 200), "{told:?}");
    assert_eq!(intents(&told).len(), 1);
    for quantity in 2..=5 {
        check_out(&stack, &visitor, quantity).await.is(200, &"it took room once");
    }
    check_out(&stack, &visitor, 6).await.is_problem(Kind::TooManyOpenCheckouts, &[], &6);
}

#[tokio::test]
async fn what_is_paid_makes_room_for_one_more() {
    let (stack, _peace) = (Stack::running().await, peace().await);
    let visitor = a_visitor();
    for quantity in 1..=5 {
        check_out(&stack, &visitor, quantity).await.is(200, &quantity);
    }
    check_out(&stack, &visitor, 6).await.is_problem(Kind::TooManyOpenCheckouts, &[], &6);
    let paid = check_out(&stack, &visitor, 3).await;
    let intent = paid.json["payment_intent_id"].as_str().unwrap();
    stack.sandbox.pay(intent, "succeeded", 2).await;
    stack.settled(visitor.event_id, 6).await;
    let told = join_all((6..=9).map(|quantity| check_out(&stack, &visitor, quantity))).await;
    assert_eq!(intents(&told).len(), 1, "{told:?}");
    let again = check_out(&stack, &visitor, 3).await;
    again.is_problem(Kind::TooManyOpenCheckouts, &[], &"a second ticket is one more");
}
