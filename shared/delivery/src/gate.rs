//! The gates of a consumer's destinations: whether one may be called now, and what its answers say
//! of it. What the ledger says is believed for two seconds; what was seen is counted here, and added
//! to the ledger's count at most once in ten seconds or when a call has failed.

use crate::consumer::Consumer;
use crate::courier::Courier;
use crate::ending::Verdict;
use domain::delivery::{Outcome, WaitReason};
use domain::destination::Destination;
use domain::fault::Fault;
use domain::gate::{Breaker, BreakerPolicy, Budget, Calls, Cause, Gate, Health, Passage, Trip};
use jiff::{SignedDuration, Timestamp};
use ledger::{Completed, DeliveryRecord, Probe, Probing, Unavailable};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long what the ledger said of a gate is believed.
const BELIEVED: SignedDuration = SignedDuration::from_secs(2);

/// How long the others wait while a few probe.
const WHILE_PROBED: SignedDuration = SignedDuration::from_secs(10);

/// What this instance knows of its destinations.
#[derive(Debug, Default)]
pub struct Gates {
    read: Mutex<BTreeMap<Destination, (Gate, Timestamp)>>,
    counted: Mutex<BTreeMap<(Destination, i64), Calls>>,
}

/// Whether a vendor may be called.
pub(crate) enum Admission {
    /// It may; as a probe, whose result decides, or as any other call.
    Call(Option<Probe>),
    /// Not now.
    Wait(Verdict),
}

impl Gates {
    fn read(&self) -> MutexGuard<'_, BTreeMap<Destination, (Gate, Timestamp)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self) -> MutexGuard<'_, BTreeMap<(Destination, i64), Calls>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn believed(&self, destination: Destination, now: Timestamp) -> Option<Gate> {
        let known = self.read();
        let (gate, read_at) = known.get(&destination)?;
        (now.duration_since(*read_at) < BELIEVED).then(|| gate.clone())
    }

    fn believe(&self, destination: Destination, gate: &Gate, now: Timestamp) {
        self.read().insert(destination, (gate.clone(), now));
    }

    fn forget(&self, destination: Destination) {
        self.read().remove(&destination);
    }

    fn count(&self, destination: Destination, bucket: i64, failed: bool) {
        let mut counted = self.counted();
        let calls = counted.entry((destination, bucket)).or_default();
        calls.made += 1;
        calls.failed += u32::from(failed);
    }

    /// Takes the counts that are to be added to the ledger's: where something failed, and those of
    /// ten seconds that are over.
    fn ripe(&self, bucket: i64) -> BTreeMap<(Destination, i64), Calls> {
        self.counted().extract_if(.., |key, calls| calls.failed > 0 || key.1 < bucket).collect()
    }
}

impl<C: Courier> Consumer<C> {
    /// Asks whether a delivery's destination may be called now: its gate first, then its budget.
    pub(crate) async fn admit(&self, record: &DeliveryRecord) -> Result<Admission, Unavailable> {
        let (destination, now) = (record.id.destination, (self.clock)());
        let gate = self.gate(destination, now).await?;
        match gate.passage(now) {
            Passage::Open => self.draw(record, now).await,
            Passage::Paused(pause) => {
                let detail = format!("paused by {}: {}", pause.by, pause.why);
                Ok(wait(WaitReason::Paused, now, &detail))
            }
            Passage::Shut(trip) => Ok(wait(WaitReason::Breaker, trip.until, &trip.detail)),
            Passage::Probe(trip) => match self.ledger.probe(destination, now).await? {
                Probing::Granted(probe) => Ok(Admission::Call(Some(probe))),
                Probing::Refused => Ok(wait(WaitReason::Breaker, now + WHILE_PROBED, &trip.detail)),
                Probing::Closed => {
                    self.gates.forget(destination);
                    self.draw(record, now).await
                }
            },
        }
    }

    async fn gate(&self, destination: Destination, now: Timestamp) -> Result<Gate, Unavailable> {
        if let Some(gate) = self.gates.believed(destination, now) {
            return Ok(gate);
        }
        let gate = self.ledger.gate(destination).await?;
        self.gates.believe(destination, &gate, now);
        Ok(gate)
    }

    /// Draws a call from the vendor's budget, unless the delivery has waited for the one it drew.
    async fn draw(
        &self,
        record: &DeliveryRecord,
        now: Timestamp,
    ) -> Result<Admission, Unavailable> {
        let destination = record.id.destination;
        let Some(budget) = self.config.budgets.get(&destination) else {
            return Ok(Admission::Call(None));
        };
        if holds_slot(record, now) {
            return Ok(Admission::Call(None));
        }
        let slot = self.ledger.draw_slot(destination, *budget, now).await?;
        if slot <= now {
            return Ok(Admission::Call(None));
        }
        Ok(wait(
            WaitReason::Budget,
            slot,
            "the vendor takes so many calls a minute; this one's turn comes",
        ))
    }

    /// What a call's end says of its vendor. A ledger that does not answer changes nothing about
    /// the delivery.
    pub(crate) async fn heed<T>(
        &self,
        destination: Destination,
        probe: Option<&Probe>,
        result: &Result<T, Fault>,
    ) {
        let now = (self.clock)();
        let health = Health::of(result);
        let heeded = match (result, health) {
            (Err(fault), Health::Setup) => {
                let trip = self.trip(destination, Cause::Setup, destination.mend(&fault.seen), now);
                self.open(destination, probe, trip, now).await
            }
            (Err(fault), Health::Failed) if probe.is_some() => {
                let detail = format!("{destination} fails: {fault}");
                let trip = self.trip(destination, Cause::Outage, detail, now);
                self.open(destination, probe, trip, now).await
            }
            (Ok(_) | Err(_), Health::Well) if let Some(probe) = probe => {
                self.close(destination, probe, now).await
            }
            (Ok(_) | Err(_), Health::Well | Health::Failed | Health::Setup) => {
                let bucket = BreakerPolicy::bucket(now);
                self.gates.count(destination, bucket, health == Health::Failed);
                Ok(())
            }
        };
        forgive(heeded);
    }

    /// Adds what was counted to the ledger's count, and opens the breakers of vendors that fail.
    pub(crate) async fn count_calls(&self) {
        let now = (self.clock)();
        for ((destination, bucket), calls) in self.gates.ripe(BreakerPolicy::bucket(now)) {
            forgive(self.add_calls(destination, bucket, calls, now).await);
        }
    }

    async fn add_calls(
        &self,
        destination: Destination,
        bucket: i64,
        calls: Calls,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        self.ledger.count_calls(destination, bucket, calls).await?;
        if calls.failed == 0 {
            return Ok(());
        }
        let gate = self.gate(destination, now).await?;
        let oldest = now.saturating_sub(BreakerPolicy::WINDOW).unwrap_or(Timestamp::MIN);
        let after = gate.closed_at.map_or(oldest, |closed_at| closed_at.max(oldest));
        let recent = self.ledger.recent_calls(destination, after).await?;
        if gate.breaker != Breaker::Closed || !self.config.breaker.opens(recent) {
            return Ok(());
        }
        let detail = format!("{destination} fails: too many of its last calls did");
        self.open(destination, None, self.trip(destination, Cause::Outage, detail, now), now).await
    }

    /// A trip that begins now, or goes on from the one that is believed.
    fn trip(&self, destination: Destination, cause: Cause, detail: String, now: Timestamp) -> Trip {
        let before = match self.gates.read().get(&destination).map(|(gate, _)| &gate.breaker) {
            Some(Breaker::Open(trip)) => Some((trip.since, trip.count)),
            Some(Breaker::Closed) | None => None,
        };
        let (since, count) = before.unwrap_or((now, 0));
        let wait = BreakerPolicy::wait(cause, count + 1);
        Trip { cause, detail, since, until: now + wait, count: count + 1 }
    }

    async fn open(
        &self,
        destination: Destination,
        probe: Option<&Probe>,
        trip: Trip,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let opened = match probe {
            None => self.ledger.open_breaker(destination, &trip).await?,
            Some(probe) => self.ledger.reopen_breaker(destination, probe, &trip, now).await?,
        };
        self.gates.forget(destination);
        if opened == Completed::Landed {
            report_opened(destination, &trip);
        }
        Ok(())
    }

    async fn close(
        &self,
        destination: Destination,
        probe: &Probe,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let closed = self.ledger.close_breaker(destination, probe, now).await?;
        self.gates.forget(destination);
        if closed == Completed::Landed {
            tracing::info!(
                destination = destination.name(),
                "the breaker closed: what waits goes out"
            );
        }
        Ok(())
    }
}

fn wait(reason: WaitReason, until: Timestamp, detail: &str) -> Admission {
    Admission::Wait(Verdict::new(Outcome::Waiting(reason, until), detail))
}

/// Whether a delivery has waited for its slot, and comes in time.
fn holds_slot(record: &DeliveryRecord, now: Timestamp) -> bool {
    let waited_for = record.next_at.filter(|_| record.reason == WaitReason::Budget.name());
    waited_for.is_some_and(|slot| slot <= now && now.duration_since(slot) <= Budget::SLOT_LIFE)
}

/// An opened breaker is an error: a vendor is down for longer, or a person must mend a setting.
fn report_opened(destination: Destination, trip: &Trip) {
    let (outages, setup_faults) = match trip.cause {
        Cause::Outage => (1, 0),
        Cause::Setup => (0, 1),
    };
    tracing::error!(
        destination = destination.name(),
        cause = trip.cause.name(),
        detail = trip.detail,
        probe_at = trip.until.to_string(),
        trips = trip.count,
        outages,
        setup_faults,
        metrics = "outages:Count,setup_faults:Count",
        "the breaker opened: deliveries wait in the ledger until a probe succeeds"
    );
}

fn forgive(heeded: Result<(), Unavailable>) {
    if let Err(unavailable) = heeded {
        tracing::warn!(error = unavailable.to_string(), "a vendor's state could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::{Calls, Gates};
    use domain::destination::Destination::{Sgtm, Slack};

    #[test]
    fn failures_are_told_at_once_and_successes_when_their_ten_seconds_are_over() {
        let gates = Gates::default();
        for _ in 0..3 {
            gates.count(Slack, 7, false);
        }
        assert!(gates.ripe(7).is_empty(), "they may become more");
        gates.count(Sgtm, 7, true);
        gates.count(Sgtm, 7, false);
        let failed = gates.ripe(7);
        assert_eq!(
            failed.into_iter().collect::<Vec<_>>(),
            [((Sgtm, 7), Calls { made: 2, failed: 1 })]
        );
        let over = gates.ripe(8);
        assert_eq!(
            over.into_iter().collect::<Vec<_>>(),
            [((Slack, 7), Calls { made: 3, failed: 0 })]
        );
        assert!(gates.ripe(9).is_empty(), "they are told once");
    }
}
