//! After the storm: Stripe says again what was not taken, the sweeper runs, and everything ends.

use super::clients::{Journey, Kind};
use crate::stack::{Stack, is_at_rest};
use crate::stripe::{now, send_event, signature};
use domain::delivery::State;
use ledger::Timeline;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long between two looks; at each the sweeper runs, which in AWS it does once a minute.
const PACE: Duration = Duration::from_secs(3);

/// How it all ended.
pub(super) struct Rested {
    /// Each journey's timeline, in the journeys' order.
    pub(super) timelines: Vec<Timeline>,
    /// How long that took after the last fault.
    pub(super) took: Duration,
    /// Whether every journey came to rest.
    pub(super) all: bool,
}

/// Waits until every journey is at rest, but not for ever.
pub(super) async fn comes(stack: &Stack, journeys: &mut [Journey], patience: Duration) -> Rested {
    let began = Instant::now();
    let mut timelines: Vec<Timeline> = journeys.iter().map(|_| Timeline::default()).collect();
    loop {
        stack.sweeps().await;
        let mut all = true;
        for (journey, timeline) in journeys.iter_mut().zip(&mut timelines) {
            let heard = is_heard(stack, journey).await;
            if !holds(journey, timeline) {
                *timeline = stack.timeline(journey.visitor.event_id).await;
            }
            all &= heard && holds(journey, timeline);
        }
        if all || began.elapsed() > patience {
            return Rested { timelines, took: began.elapsed(), all };
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Stripe's events that nobody took are sent again, as Stripe does for three days.
async fn is_heard(stack: &Stack, journey: &mut Journey) -> bool {
    let mut all = true;
    let open = journey.steps.iter_mut().filter(|step| step.kind >= Kind::Payment);
    for step in open.filter(|step| !step.acknowledged) {
        let mut taken = 0;
        for id in &step.events {
            taken += usize::from(is_taken(stack, id).await);
        }
        step.acknowledged = taken == step.events.len();
        all &= step.acknowledged;
    }
    all
}

async fn is_taken(stack: &Stack, id: &str) -> bool {
    let body = stack.sandbox.event(id).await;
    let event: Value = serde_json::from_str(&body).unwrap();
    if event["pending_webhooks"] == 0 {
        return true;
    }
    let signed = signature(stack.webhook_secret(), &body, now());
    send_event(stack, &body, &signed).await.0 == 200
}

/// Whether what was acknowledged is there, nothing is under way, and who died has a letter.
fn holds(journey: &Journey, timeline: &Timeline) -> bool {
    let mut told = journey.steps.iter().filter(|step| step.acknowledged);
    let facts: Vec<&str> = timeline.facts.iter().map(|fact| fact.happening.name()).collect();
    told.all(|step| facts.contains(&step.kind.name()))
        && is_at_rest(timeline)
        && timeline.deliveries.iter().all(|end| end.state != State::Dead || end.dead_lettered)
}
