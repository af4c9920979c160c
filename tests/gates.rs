//! Gates on a real table: of many who ask, how many may call. Time is an argument.

use crate::sandbox::war;
use crate::stack::Stack;
use crate::stripe;
use domain::destination::Destination;
use domain::gate::{Breaker, BreakerPolicy, Budget, Calls, Cause, Trip};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use ledger::{Completed, Ledger, Probe, Probing};
use std::collections::BTreeSet;

/// Tests of one gate take turns, and nobody calls this vendor meanwhile.
const DESTINATION: Destination = Destination::Sendgrid;

fn now() -> Timestamp {
    Timestamp::from_second(stripe::now()).unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn trip(since: Timestamp, count: u32) -> Trip {
    let until = since + BreakerPolicy::wait(Cause::Outage, count);
    Trip { cause: Cause::Outage, detail: "sendgrid fails: 503".into(), since, until, count }
}

async fn probes(ledger: &Ledger, many: usize, at: Timestamp) -> Vec<Probe> {
    let asked = join_all((0..many).map(|_| ledger.probe(DESTINATION, at))).await;
    let granted = asked.into_iter().filter_map(|probing| match probing.unwrap() {
        Probing::Granted(probe) => Some(probe),
        Probing::Refused | Probing::Closed => None,
    });
    granted.collect()
}

#[tokio::test]
async fn of_many_probes_three_are_made_and_the_first_result_decides() {
    let (stack, _war) = (Stack::running().await, war().await);
    let (ledger, now) = (stack.ledger(), now());
    stack.opens_gates().await;
    let first = trip(now, 1);
    let opened = join_all((0..8).map(|_| ledger.open_breaker(DESTINATION, &first))).await;
    let opened = opened.into_iter().filter(|opened| *opened == Ok(Completed::Landed)).count();
    assert_eq!(opened, 1, "of many who see an outage one opens the breaker");

    assert!(probes(&ledger, 4, now + seconds(29)).await.is_empty(), "too early");
    let round = probes(&ledger, 12, now + seconds(31)).await;
    assert_eq!(round.len(), 3);
    assert!(round.iter().all(|probe| *probe == round[0]), "one round");
    assert!(probes(&ledger, 4, now + seconds(90)).await.is_empty(), "the round is under way");
    // Its workers vanished: their slots expire, and what they say later counts no more.
    let next = probes(&ledger, 12, now + seconds(92)).await;
    assert_eq!(next.len(), 3);
    assert_eq!(ledger.close_breaker(DESTINATION, &round[0], now).await, Ok(Completed::Fenced));

    let again = Trip { until: now + seconds(200), ..trip(now, 2) };
    let reopened = ledger.reopen_breaker(DESTINATION, &next[0], &again, now).await;
    assert_eq!(reopened, Ok(Completed::Landed));
    assert_eq!(ledger.close_breaker(DESTINATION, &next[1], now).await, Ok(Completed::Fenced));
    assert_eq!(ledger.gate(DESTINATION).await.unwrap().breaker, Breaker::Open(again));

    let last = probes(&ledger, 1, now + seconds(201)).await;
    assert_eq!(ledger.close_breaker(DESTINATION, &last[0], now).await, Ok(Completed::Landed));
    assert_eq!(ledger.probe(DESTINATION, now).await, Ok(Probing::Closed));
    let history = ledger.gate_history(DESTINATION, now).await.unwrap();
    let history: Vec<&str> = history.iter().map(|event| event.what.as_str()).collect();
    for what in ["opened", "reopened", "closed"] {
        assert!(history.contains(&what), "{history:?}");
    }
    stack.forgets_gates().await;
}

#[tokio::test]
async fn calls_are_counted_together_whoever_makes_them() {
    let (stack, _war) = (Stack::running().await, war().await);
    // Long past, where nobody has called anybody: what is counted now is newer, and comes first.
    let then = Timestamp::from_second(fastrand::i64(1_000_000_000..1_500_000_000)).unwrap();
    let (ledger, bucket) = (stack.ledger(), BreakerPolicy::bucket(then));
    let calls = |made, failed| Calls { made, failed };
    let batches = (0..6).map(|_| ledger.count_calls(DESTINATION, bucket + 1, calls(3, 1)));
    assert!(join_all(batches).await.iter().all(Result::is_ok));
    ledger.count_calls(DESTINATION, bucket, calls(100, 100)).await.unwrap();
    let counted = ledger.recent_calls(DESTINATION, then).await.unwrap();
    assert_eq!(counted.last(), Some(&calls(18, 6)), "the moment's own bucket is not among them");
}

#[tokio::test]
async fn a_slot_is_drawn_once_and_an_idle_time_is_made_up_for_in_part() {
    let (stack, _war) = (Stack::running().await, war().await);
    let (ledger, now) = (stack.ledger(), now() + seconds(86_400));
    let budget = Budget::per_minute(60).unwrap();
    let drawn = join_all((0..40).map(|_| ledger.draw_slot(DESTINATION, budget, now))).await;
    let slots: BTreeSet<Timestamp> = drawn.into_iter().map(Result::unwrap).collect();
    assert_eq!(slots.len(), 40, "nobody shares a slot");
    assert_eq!(slots.iter().filter(|slot| **slot <= now).count(), 9, "ten seconds' worth");
    let last = slots.last().unwrap().duration_since(now);
    assert!((seconds(35)..seconds(36)).contains(&last), "{last:?}");
    let much_later = now + seconds(3_600);
    let slot = ledger.draw_slot(DESTINATION, budget, much_later).await.unwrap();
    assert_eq!(much_later.duration_since(slot), Budget::BURST);
}
