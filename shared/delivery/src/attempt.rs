//! One delivery, from its message to its outcome.

use crate::consumer::{Consumer, Fate};
use crate::courier::{Courier, Errand, Prepared, Receipt, Synced, Warrant};
use crate::world::{self, Loaded, Predecessor, World};
use domain::delivery::{Attempt, DeathReason, DeliveryId, Outcome, SkipReason, WaitReason};
use domain::destination::{RetrySafety, Style};
use domain::fault::Fault;
use domain::pepper::PersonKey;
use jiff::{SignedDuration, Timestamp};
use lambda::queue::Message;
use ledger::{
    Claim, Claimed, Completed, Completion, DeliveryRecord, SyncClaim, SyncClaimed, Unavailable,
};

/// Waits up to this are a message's own; longer ones are parked in the ledger.
const LONGEST_VISIBLE_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// How long a delivery stands back while another worker holds its person.
const PERSON_BUSY: SignedDuration = SignedDuration::from_secs(2);

/// How a delivery ends or waits, before it is written.
struct Verdict {
    outcome: Outcome,
    detail: String,
    request_id: Option<String>,
}

impl Verdict {
    fn skip(reason: SkipReason, detail: &str) -> Self {
        Self { outcome: Outcome::Skipped(reason), detail: detail.to_owned(), request_id: None }
    }

    fn wait(until: Timestamp, detail: &str) -> Self {
        let outcome = Outcome::Waiting(WaitReason::Retry, until);
        Self { outcome, detail: detail.to_owned(), request_id: None }
    }

    fn dead(reason: DeathReason, detail: &str) -> Self {
        Self { outcome: Outcome::Dead(reason), detail: detail.to_owned(), request_id: None }
    }
}

/// A destination that keeps state, held for one person.
struct Held {
    claim: SyncClaim,
    /// What it was told last, of the person or of the address that a correction replaced.
    synced: Synced,
    predecessor: Option<PersonKey>,
}

/// What trying to send led to: a verdict, or nothing more to say because somebody else goes on.
type Tried = Option<Verdict>;

impl<C: Courier> Consumer<C> {
    /// Delivers, or says why not. A ledger that does not answer costs only time.
    pub(crate) async fn deliver(&self, id: &DeliveryId, receives: u32) -> Fate {
        let delivered = self.claim_and_deliver(id, receives).await;
        delivered.unwrap_or_else(|unavailable| {
            tracing::warn!(
                error = unavailable.to_string(),
                event_id = id.event_id.to_string(),
                "the ledger failed"
            );
            Fate::Back(patience(receives))
        })
    }

    async fn claim_and_deliver(&self, id: &DeliveryId, receives: u32) -> Result<Fate, Unavailable> {
        let began = (self.clock)();
        let mut claim = match self.ledger.claim(id, began, self.config.lease).await? {
            Claimed::Held(claim) => claim,
            Claimed::Over(record) => return self.bury(&record).await,
            Claimed::Lapsed(record) => return self.settle(&record).await,
            Claimed::Busy(until) => {
                return Ok(Fate::Back(patience(receives).min(self.left(until))));
            }
            // A long wait is the sweeper's; this copy of the message is one too many.
            Claimed::NotYet(at) if self.left(at) > LONGEST_VISIBLE_WAIT => return Ok(Fate::Done),
            Claimed::NotYet(at) => return Ok(Fate::Back(self.left(at))),
            Claimed::Missing => return Ok(Fate::Done),
        };
        let verdict = if claim.is_poison() {
            Some(Verdict::dead(
                DeathReason::Poison,
                "it was claimed again and again without an end; its worker dies of it",
            ))
        } else {
            self.attempt(id, &mut claim).await?
        };
        match verdict {
            Some(verdict) => self.finish(&claim, verdict, began).await,
            None => Ok(Fate::Done),
        }
    }

    /// Loads, asks leave, prepares and sends.
    async fn attempt(&self, id: &DeliveryId, claim: &mut Claim) -> Result<Tried, Unavailable> {
        let world = match world::load(&self.ledger, id, &claim.record().fact).await? {
            Loaded::World(world) => world,
            Loaded::Skip(reason, detail) => return Ok(Some(Verdict::skip(reason, detail))),
        };
        let held = match id.destination.style() {
            Style::Event => None,
            Style::State => match self.hold(&world, id).await? {
                Some(held) => Some(held),
                None => {
                    let until = (self.clock)() + PERSON_BUSY;
                    return Ok(Some(Verdict::wait(
                        until,
                        "another worker brings this person up to date",
                    )));
                }
            },
        };
        let tried = self.attempt_held(id, claim, &world, held.as_ref()).await;
        if let (Some(held), Ok(Attempted::Untold(_)) | Err(_)) = (&held, &tried) {
            self.ledger.release_sync(&held.claim).await?;
        }
        Ok(match tried? {
            Attempted::Told(verdict) => Some(verdict),
            Attempted::Untold(tried) => tried,
        })
    }

    /// Takes the person at a destination that keeps state; `None` while somebody else holds them.
    async fn hold(&self, world: &World, id: &DeliveryId) -> Result<Option<Held>, Unavailable> {
        let now = (self.clock)();
        let asked =
            self.ledger.claim_sync(&world.key, id.destination, now, self.config.lease).await?;
        let SyncClaimed::Held(claim) = asked else { return Ok(None) };
        let synced = Synced::from(&claim.synced);
        if synced.vendor_id.is_some() {
            return Ok(Some(Held { claim, synced, predecessor: None }));
        }
        match world::predecessor(&self.ledger, world, id.destination, now).await? {
            Predecessor::None => Ok(Some(Held { claim, synced, predecessor: None })),
            Predecessor::Found(key, synced) => {
                Ok(Some(Held { claim, synced, predecessor: Some(key) }))
            }
            Predecessor::Busy => {
                self.ledger.release_sync(&claim).await?;
                Ok(None)
            }
        }
    }

    async fn attempt_held(
        &self,
        id: &DeliveryId,
        claim: &mut Claim,
        world: &World,
        held: Option<&Held>,
    ) -> Result<Attempted, Unavailable> {
        let nothing = Synced::default();
        let synced = held.map_or(&nothing, |held| &held.synced);
        let known = synced.vendor_id.is_some() || synced.status.is_some();
        let leave = match self.config.consent.leave(
            id.destination.purpose(),
            world.consent.as_ref(),
            known,
        ) {
            Ok(leave) => leave,
            Err(denied) => return Ok(Attempted::skip(SkipReason::Consent, &denied.to_string())),
        };
        let errand = Errand {
            id,
            fact: &world.fact,
            journey: &world.journey,
            contact: &world.contact,
            person: &world.person,
            synced,
            crm_contact_id: world.crm_contact_id(),
            leave: &leave,
            now: (self.clock)(),
        };
        let (call, safety) = match self.courier.prepare(&errand) {
            Prepared::Send { call, safety } => (call, safety),
            Prepared::Skip(reason, detail) => return Ok(Attempted::skip(reason, detail)),
        };
        let digest = self.digest(&call);
        if held.is_some() && digest.is_some() && synced.digest == digest {
            let covered = Verdict {
                outcome: Outcome::Delivered,
                detail: "covered by a sync already made: there is nothing new to say".into(),
                request_id: None,
            };
            return Ok(Attempted::Untold(Some(covered)));
        }
        if !self.announce(claim, safety).await? {
            return Ok(Attempted::Untold(None));
        }
        let warrant = Warrant::new(leave, claim.attempts());
        match self.courier.send(call, &warrant).await {
            Ok(receipt) => self.told(receipt, digest, held).await,
            Err(fault) => Ok(Attempted::Untold(Some(self.judge(&fault, claim, safety)))),
        }
    }

    fn digest(&self, call: &C::Call) -> Option<String> {
        self.pepper.as_ref().map(|pepper| pepper.digest(self.courier.statement(call)))
    }

    /// Counts the call; before one that must not be repeated, says so in the ledger. `false` where
    /// the claim is somebody else's by now.
    async fn announce(&self, claim: &mut Claim, safety: RetrySafety) -> Result<bool, Unavailable> {
        match safety {
            RetrySafety::Safe | RetrySafety::Keyed => {
                claim.count_call();
                Ok(true)
            }
            RetrySafety::AtMostOnce => {
                Ok(self.ledger.begin_call(claim, (self.clock)()).await? == Completed::Landed)
            }
        }
    }

    /// The vendor took it: remembers what a destination that keeps state was told.
    async fn told(
        &self,
        receipt: Receipt,
        digest: Option<String>,
        held: Option<&Held>,
    ) -> Result<Attempted, Unavailable> {
        let outcome =
            if receipt.unverifiable { Outcome::AcceptedUnverifiable } else { Outcome::Delivered };
        let verdict = Verdict { outcome, detail: String::new(), request_id: receipt.request_id };
        let Some(held) = held else { return Ok(Attempted::Told(verdict)) };
        let told = ledger::Synced {
            vendor_id: receipt.vendor_id,
            status: receipt.status,
            digest,
            held_until: None,
        };
        let (person, destination) = (held.claim.person(), held.claim.destination());
        if self.ledger.complete_sync(&held.claim, &told).await? == Completed::Fenced {
            // Somebody else took the person meanwhile: our call may have overwritten theirs. The
            // next worker must call again, and this delivery sees to it that there is one.
            self.ledger.doubt_sync(person, destination).await?;
            let until = (self.clock)() + PERSON_BUSY;
            return Ok(Attempted::Told(Verdict::wait(
                until,
                "fenced off after the call; the person is told again",
            )));
        }
        if let Some(predecessor) = &held.predecessor {
            self.ledger.forget_vendor_id(predecessor, destination).await?;
        }
        Ok(Attempted::Told(verdict))
    }

    fn judge(&self, fault: &Fault, claim: &Claim, safety: RetrySafety) -> Verdict {
        let now = (self.clock)();
        let attempt = Attempt {
            safety,
            count: claim.attempts(),
            age: now.duration_since(claim.record().created_at),
            jitter: fastrand::u32(0..=1000),
            now,
        };
        Verdict {
            outcome: self.config.retry.after(fault, attempt),
            detail: fault.to_string(),
            request_id: fault.seen.request_id.clone(),
        }
    }

    /// Writes the outcome, logs it, and says what becomes of the message.
    async fn finish(
        &self,
        claim: &Claim,
        verdict: Verdict,
        began: Timestamp,
    ) -> Result<Fate, Unavailable> {
        let now = (self.clock)();
        let fate = self.fate(&verdict.outcome);
        let look_at = match (&verdict.outcome, fate) {
            // The message comes back by itself; the sweeper looks only if it does not.
            (Outcome::Waiting(_, at), Fate::Back(_)) => *at + LONGEST_VISIBLE_WAIT,
            (Outcome::Waiting(_, at), Fate::Done) => *at,
            (
                Outcome::Delivered
                | Outcome::AcceptedUnverifiable
                | Outcome::Skipped(_)
                | Outcome::Dead(_),
                _,
            ) => now,
        };
        let completion = Completion {
            outcome: verdict.outcome,
            detail: verdict.detail,
            request_id: verdict.request_id,
            look_at,
        };
        let completed = self.ledger.complete(claim, &completion, now).await?;
        report(claim, &completion, completed, now.duration_since(began), now);
        match (completed, &completion.outcome) {
            (Completed::Fenced, _) => Ok(Fate::Done),
            (Completed::Landed, Outcome::Dead(_)) => self.bury(claim.record()).await,
            (
                Completed::Landed,
                Outcome::Delivered
                | Outcome::AcceptedUnverifiable
                | Outcome::Skipped(_)
                | Outcome::Waiting(..),
            ) => Ok(fate),
        }
    }

    fn fate(&self, outcome: &Outcome) -> Fate {
        match outcome {
            Outcome::Waiting(_, at) if self.left(*at) <= LONGEST_VISIBLE_WAIT => {
                Fate::Back(self.left(*at))
            }
            Outcome::Waiting(..)
            | Outcome::Delivered
            | Outcome::AcceptedUnverifiable
            | Outcome::Skipped(_)
            | Outcome::Dead(_) => Fate::Done,
        }
    }

    /// The time left until then, in whole seconds rounded up, at least one.
    fn left(&self, until: Timestamp) -> SignedDuration {
        let left = until.duration_since((self.clock)());
        SignedDuration::from_secs(left.as_secs().max(0) + 1)
    }

    /// A worker vanished in the middle of an at-most-once call: nobody makes it again.
    async fn settle(&self, lapsed: &DeliveryRecord) -> Result<Fate, Unavailable> {
        let settled = self.ledger.settle_lapsed(lapsed, (self.clock)()).await?;
        tracing::error!(
            event_id = lapsed.id.event_id.to_string(),
            effect = lapsed.id.effect.as_str(),
            destination = lapsed.id.destination.name(),
            outcome = "dead",
            reason = "unknown_outcome",
            "delivery ended"
        );
        match settled {
            Completed::Landed => self.bury(lapsed).await,
            Completed::Fenced => Ok(Fate::Done),
        }
    }

    /// Copies a dead delivery's ids to the dead letters, once they are needed there.
    async fn bury(&self, record: &DeliveryRecord) -> Result<Fate, Unavailable> {
        let dead = self.ledger.delivery(&record.id).await?.filter(DeliveryRecord::is_unburied);
        let Some(dead) = dead else { return Ok(Fate::Done) };
        let body = serde_json::json!({
            "event_id": dead.id.event_id,
            "effect": dead.id.effect,
            "destination": dead.id.destination,
            "reason": dead.reason,
        });
        let message = Message { body: body.to_string(), delay: SignedDuration::ZERO };
        match self.queues.send(&self.config.dead_letter_url, &[message]).await {
            Ok(()) => {
                self.ledger.mark_dead_lettered(&dead.id).await?;
                Ok(Fate::Done)
            }
            Err(_) => Ok(Fate::Back(PERSON_BUSY)),
        }
    }
}

/// Whether a destination that keeps state was told, which settles the claim on the person.
enum Attempted {
    /// It was; the claim on the person is completed.
    Told(Verdict),
    /// It was not; the person must be let go.
    Untold(Tried),
}

impl Attempted {
    fn skip(reason: SkipReason, detail: &str) -> Self {
        Self::Untold(Some(Verdict::skip(reason, detail)))
    }
}

/// How long a message stands back after so many receives: 1, 2, 4, … at most 30 s.
fn patience(receives: u32) -> SignedDuration {
    SignedDuration::from_secs(1 << receives.saturating_sub(1).min(5))
        .min(SignedDuration::from_secs(30))
}

/// The one log line of a delivery: ids, the outcome and its reason.
fn report(
    claim: &Claim,
    completion: &Completion,
    completed: Completed,
    took: SignedDuration,
    now: Timestamp,
) {
    let id = &claim.record().id;
    let (outcome, fenced) = (completion.outcome.state().name(), completed == Completed::Fenced);
    let retry_in_ms = match &completion.outcome {
        Outcome::Waiting(_, at) => {
            Some(i64::try_from(at.duration_since(now).as_millis()).unwrap_or(i64::MAX))
        }
        Outcome::Delivered
        | Outcome::AcceptedUnverifiable
        | Outcome::Skipped(_)
        | Outcome::Dead(_) => None,
    };
    tracing::info!(
        event_id = id.event_id.to_string(),
        effect = id.effect.as_str(),
        destination = id.destination.name(),
        outcome,
        reason = completion.outcome.reason(),
        detail = completion.detail,
        attempt = claim.attempts(),
        retry_in_ms,
        fenced,
        duration_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        metrics = "duration_ms:Milliseconds",
        dimensions = "destination,outcome",
        "delivery ended"
    );
}
