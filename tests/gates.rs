//! Gates on a real table: the trials that the proof runs in memory.

use crate::sandbox::war;
use crate::stack::Stack;
use crate::stripe;
use domain::destination::Destination;
use jiff::{SignedDuration, Timestamp};
use simulation::trial::Gates;

/// Tests of one gate take turns, and nobody calls this vendor meanwhile.
const DESTINATION: Destination = Destination::Sendgrid;

fn now() -> Timestamp {
    Timestamp::from_second(stripe::now()).unwrap()
}

#[tokio::test]
async fn of_many_probes_three_are_made_and_the_first_result_decides() {
    let (stack, _war) = (Stack::running().await, war().await);
    stack.opens_gates().await;
    Gates { ledger: &stack.ledger(), to: DESTINATION, now: now() }.breaker().await;
    stack.forgets_gates().await;
}

#[tokio::test]
async fn calls_are_counted_together_whoever_makes_them() {
    let (stack, _war) = (Stack::running().await, war().await);
    // Long past, where nobody has called anybody: what is counted now is newer, and comes first.
    let now = Timestamp::from_second(fastrand::i64(1_000_000_000..1_500_000_000)).unwrap();
    Gates { ledger: &stack.ledger(), to: DESTINATION, now }.counts().await;
}

#[tokio::test]
async fn a_slot_is_drawn_once_and_an_idle_time_is_made_up_for_in_part() {
    let (stack, _war) = (Stack::running().await, war().await);
    let now = now() + SignedDuration::from_hours(24);
    Gates { ledger: &stack.ledger(), to: DESTINATION, now }.slots().await;
}
