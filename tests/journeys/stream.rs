//! The sweeper alone, without the stream.

use crate::sandbox::war;
use crate::stack::{Stack, delivery, pause};
use crate::visitor::a_visitor;
use domain::delivery::State;
use domain::destination::Destination::Hubspot;
use std::time::{Duration, Instant};

#[tokio::test]
async fn no_stored_fact_stays_undispatched_when_the_stream_is_off() {
    // It takes the sweeper up to four minutes: two of grace, and two ticks of its clock.
    let (stack, _alone) = (Stack::running().await, war().await);
    stack.switch_stream(false).await;
    let visitor = a_visitor();
    visitor.leaves_a_lead(&stack).await;
    let began = Instant::now();
    let swept = loop {
        let timeline = stack.timeline(visitor.event_id).await;
        let done = !timeline.deliveries.is_empty()
            && timeline.deliveries.iter().all(|d| d.state.is_terminal());
        if done || began.elapsed() > Duration::from_secs(280) {
            break timeline;
        }
        pause().await;
    };
    stack.switch_stream(true).await;
    assert!(began.elapsed() > Duration::from_secs(60), "the stream was off");
    assert_eq!(delivery(&swept, "lead_captured", Hubspot).state, State::Delivered);
    assert_eq!(stack.sandbox.seen("hubspot", &visitor.email).await.len(), 1);
}
