//! What a ledger must do, wherever its table is: the same trials are run in memory and at the local
//! AWS. Time is an argument. A trial that fails panics, and says where.

use domain::destination::Destination;
use domain::gate::{Breaker, BreakerPolicy, Budget, Calls, Cause, Pause, Trip};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use ledger::{Completed, Ledger, Probe, Probing};
use std::collections::BTreeSet;

/// The gate of one destination that nobody calls meanwhile.
pub struct Gates<'a> {
    /// The ledger that is tried.
    pub ledger: &'a Ledger,
    /// Whose gate.
    pub to: Destination,
    /// A moment that no other trial uses.
    pub now: Timestamp,
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl Gates<'_> {
    /// A trip that begins now, for the so-manieth time.
    #[must_use]
    pub fn trip(&self, count: u32) -> Trip {
        let until = self.now + BreakerPolicy::wait(Cause::Outage, count);
        let detail = format!("{} fails: 503", self.to);
        Trip { cause: Cause::Outage, detail, since: self.now, until, count }
    }

    async fn probes(&self, many: usize, at: Timestamp) -> Vec<Probe> {
        let asked = join_all((0..many).map(|_| self.ledger.probe(self.to, at))).await;
        let granted = asked.into_iter().filter_map(|probing| match probing {
            Ok(Probing::Granted(probe)) => Some(probe),
            Ok(Probing::Refused | Probing::Closed) => None,
            Err(unavailable) => panic!("{unavailable}"),
        });
        granted.collect()
    }

    async fn close(&self, probe: &Probe, after: i64) -> Completed {
        let closed = self.ledger.close_breaker(self.to, probe, self.now + seconds(after)).await;
        closed.expect("the ledger answers")
    }

    /// Of many who see an outage one opens the breaker; of many who ask, three may probe; the first
    /// result decides, and what an older round says counts no more.
    pub async fn breaker(&self) {
        let Self { ledger, to, now } = *self;
        let first = self.trip(1);
        let opened = join_all((0..8).map(|_| ledger.open_breaker(to, &first))).await;
        let opened = opened.into_iter().filter(|opened| *opened == Ok(Completed::Landed)).count();
        assert_eq!(opened, 1, "of many who see an outage one opens the breaker");

        assert!(self.probes(4, now + seconds(29)).await.is_empty(), "too early");
        let round = self.probes(12, now + seconds(31)).await;
        assert_eq!(round.len(), 3);
        assert!(round.iter().all(|probe| *probe == round[0]), "one round");
        assert!(self.probes(4, now + seconds(90)).await.is_empty(), "the round is under way");
        // Its workers vanished: their slots expire, and what they say later counts no more.
        let next = self.probes(12, now + seconds(92)).await;
        assert_eq!(next.len(), 3);
        assert_eq!(self.close(&round[0], 0).await, Completed::Fenced);

        let again = Trip { until: now + seconds(200), ..self.trip(2) };
        let reopened = ledger.reopen_breaker(to, &next[0], &again, now + seconds(1)).await;
        assert_eq!(reopened, Ok(Completed::Landed));
        assert_eq!(self.close(&next[1], 0).await, Completed::Fenced);
        let gate = ledger.gate(to).await.expect("the ledger answers");
        assert_eq!(gate.breaker, Breaker::Open(again.clone()));

        let last = self.probes(1, now + seconds(201)).await;
        let (by, why) = ("ana".to_owned(), "the vendor moves house".to_owned());
        let pause = Pause { since: now + seconds(1), by, why };
        assert_eq!(ledger.pause(to, &pause).await, Ok(Completed::Landed));
        assert_eq!(self.close(&last[0], 2).await, Completed::Landed);
        let gate = ledger.gate(to).await.expect("the ledger answers");
        let left = (gate.breaker, gate.paused);
        assert_eq!(left, (Breaker::Closed, Some(pause)), "a probe lifts no pause");
        let resumed = ledger.resume(to, "ana", "it has moved", now + seconds(3)).await;
        assert_eq!(resumed, Ok(Completed::Landed));
        assert_eq!(ledger.probe(to, now).await, Ok(Probing::Closed));
        let history = ledger.gate_history(to, now).await.expect("the ledger answers");
        let by_itself = history.iter().filter(|event| event.by == ledger::BREAKER);
        let known = by_itself.map(|event| {
            (event.at.duration_since(now).as_secs(), event.what.as_str(), event.detail.as_str())
        });
        let known: BTreeSet<_> = known.collect();
        let wanted = [
            (0, "opened", first.detail.as_str()),
            (1, "reopened", again.detail.as_str()),
            (2, "closed", "a probe succeeded"),
        ];
        assert!(wanted.iter().all(|event| known.contains(event)), "{known:?}");
        let later = ledger.gate_history(to, now + seconds(2)).await.expect("the ledger answers");
        assert!(later.iter().all(|event| event.at >= now + seconds(2)), "{later:?}");
    }

    /// Calls are counted together whoever makes them, and for as long as they may decide something.
    pub async fn counts(&self) {
        let Self { ledger, to, now } = *self;
        let bucket = BreakerPolicy::bucket(now);
        let calls = |made, failed| Calls { made, failed };
        let batches = (0..6).map(|_| ledger.count_calls(to, bucket + 1, calls(3, 1)));
        assert!(join_all(batches).await.iter().all(Result::is_ok));
        assert_eq!(ledger.count_calls(to, bucket, calls(100, 100)).await, Ok(()));
        let counted = ledger.recent_calls(to, now).await.expect("the ledger answers");
        assert_eq!(
            counted.last(),
            Some(&calls(18, 6)),
            "the moment's own bucket is not among them"
        );
    }

    /// A slot is drawn once, and an idle time is made up for in part.
    pub async fn slots(&self) {
        let Self { ledger, to, now } = *self;
        let budget = Budget::per_minute(60).expect("a limit");
        let drawn = join_all((0..40).map(|_| ledger.draw_slot(to, budget, now))).await;
        let slots: Result<BTreeSet<Timestamp>, _> = drawn.into_iter().collect();
        let slots = slots.expect("the ledger answers");
        assert_eq!(slots.len(), 40, "nobody shares a slot");
        assert_eq!(slots.iter().filter(|slot| **slot <= now).count(), 9, "ten seconds' worth");
        let last = slots.last().map(|slot| slot.duration_since(now)).unwrap_or_default();
        assert!((seconds(35)..seconds(36)).contains(&last), "{last:?}");
        let much_later = now + seconds(3_600);
        let slot = ledger.draw_slot(to, budget, much_later).await;
        assert_eq!(slot.map(|slot| much_later.duration_since(slot)), Ok(Budget::BURST));
    }
}
