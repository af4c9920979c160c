//! The deployed whole while AWS, the vendors and the functions fail: what was acknowledged, and what
//! became of it at every vendor.
//!
//! It needs `cargo xtask up --faults`, a stack of its own; `cargo xtask test --only faults` and
//! `cargo xtask soak --whole` bring one.

mod clients;
mod report;
mod rest;
mod vendors;
mod weather;

use crate::stack::Stack;
use clients::Journey;
use futures_util::StreamExt;
use futures_util::stream;
use report::Report;
use std::time::{Duration, Instant};
use weather::Weather;

/// How many visitors are busy at once.
const AT_ONCE: usize = 8;
/// After how many events a run says how far it is.
const STRIDE: usize = 100;

/// A number from the environment: a seed, or how long a run is.
#[expect(clippy::disallowed_methods, reason = "a test is told its seed and its length")]
fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Has all of them happen, and says how far they are.
#[expect(clippy::print_stdout, reason = "a long run says that it is at work")]
async fn visits(stack: &Stack, planned: Vec<Journey>) -> Vec<Journey> {
    let visits = stream::iter(planned).map(|journey| journey.happens(stack));
    let (mut visits, began) = (visits.buffer_unordered(AT_ONCE), Instant::now());
    let (mut over, mut sent) = (Vec::new(), 0);
    while let Some(journey) = visits.next().await {
        let before = sent / STRIDE;
        sent += journey.steps.len();
        over.push(journey);
        if sent / STRIDE > before {
            println!("storm: {sent} events sent after {:.0} s", began.elapsed().as_secs_f32());
        }
    }
    over
}

#[tokio::test]
async fn what_was_acknowledged_is_at_every_vendor_once_whatever_fails() {
    let stack = Stack::running().await;
    let (seed, events) = (given("THROUGHLINE_SEED", 1), given("THROUGHLINE_EVENTS", 200));
    // A call whose worker was killed is in doubt for seven minutes, and its delivery open so long.
    let patience = Duration::from_secs(given("THROUGHLINE_PATIENCE", 600));
    let began = Instant::now();
    let mut weather = Weather::begin(&stack, seed, given("THROUGHLINE_PERCENT", 8)).await;
    let mut journeys = tokio::select! {
        journeys = visits(&stack, clients::planned(seed, events)) => journeys,
        () = weather.blows(&stack) => unreachable!("the weather does not end by itself"),
    };
    let stormed = began.elapsed();
    weather.ends(&stack).await;
    let rested = rest::comes(&stack, &mut journeys, patience).await;
    let report = Report::of(&stack, &journeys, &rested).await;
    println!(
        "storm: seed {seed}: {} journeys, {:.0} s of faults, {:.0} s until all was at rest\n{}\n{report}",
        journeys.len(),
        stormed.as_secs_f32(),
        rested.took.as_secs_f32(),
        weather.told(&stack).await,
    );
    assert!(
        report.wrong.is_empty(),
        "seed {seed} (THROUGHLINE_SEED={seed} repeats its faults):\n{}",
        report.wrong.join("\n")
    );
}
