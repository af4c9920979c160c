//! A destination that keeps state: one worker at a time brings a person up to date, with what the
//! facts say while it holds them.

use crate::attempt::Tried;
use crate::consumer::Consumer;
use crate::courier::{Courier, Receipt};
use crate::ending::Verdict;
use crate::world::{self, Loaded};
use domain::delivery::{DeliveryId, Outcome, SkipReason, WaitReason};
use domain::journey::Journey;
use domain::pepper::PersonKey;
use ledger::{
    Claim, Completed, Enrolled, Statement, SyncClaim, SyncClaimed, SyncTimes, Unavailable,
};

/// How many leases after its own lease a call may still take effect. A function ends before its lease
/// does: the rest is the network's and the vendor's, who are given six minutes where a lease is one.
const DOUBT: i32 = 6;

/// A person, held at a destination.
pub(crate) struct Held {
    pub(crate) claim: SyncClaim,
}

/// An address that a correction replaced, held at a destination.
struct Old {
    claim: SyncClaim,
    /// Whether no other journey names it.
    is_only_ours: bool,
}

impl Held {
    /// Whether what was told last still covers the same.
    pub(crate) fn is_covered_by(&self, digest: Option<&String>) -> bool {
        digest.is_some() && self.claim.synced.digest.as_ref() == digest
    }

    /// Whether the vendor may know the person: then it must hear of a withdrawal.
    pub(crate) fn is_known(&self) -> bool {
        let synced = &self.claim.synced;
        synced.attempted || synced.vendor_id.is_some()
    }
}

impl<C: Courier> Consumer<C> {
    /// Takes the person first and reads the facts then: what is read under the claim is at least as
    /// new as what anybody sent before it.
    pub(crate) async fn tell_state(
        &self,
        id: &DeliveryId,
        claim: &mut Claim,
        receives: u32,
    ) -> Result<Tried, Unavailable> {
        let journey = self.ledger.journey(id.event_id).await?;
        let fact = world::fact(&journey, &claim.record().fact);
        let Some(person) = fact.and_then(|fact| journey.person_of(fact)) else {
            return Ok(Tried::skip(SkipReason::NotApplicable, world::NOBODY));
        };
        let busy = |detail| Ok(Tried::Untold(self.stand_back(receives, detail)));
        let Some(held) = self.hold(&journey, person, id).await? else {
            return busy("another call about this person is not over");
        };
        let tried = match world::load(&self.ledger, id, &claim.record().fact).await {
            Ok(Loaded::World(world)) if world.key == *person => {
                self.tell(id, claim, &world, Some(&held)).await
            }
            Ok(Loaded::World(_)) => busy("the address was corrected at this moment"),
            Ok(Loaded::Skip(reason, detail)) => Ok(Tried::skip(reason, detail)),
            Err(unavailable) => Err(unavailable),
        };
        match &tried {
            Ok(Tried::Told(_)) => {}
            Ok(Tried::Unknown(_)) => {
                self.ledger.leave_sync_in_doubt(&held.claim).await?;
            }
            Ok(Tried::Untold(_) | Tried::Lost) | Err(_) => {
                // Fenced off is as good as let go: somebody else holds the person.
                self.ledger.release_sync(&held.claim).await?;
            }
        }
        tried
    }

    /// Takes a person at a destination, and what addresses that the journey corrected have there;
    /// `None` while somebody else holds one of them.
    async fn hold(
        &self,
        journey: &Journey,
        person: &PersonKey,
        id: &DeliveryId,
    ) -> Result<Option<Held>, Unavailable> {
        let now = (self.clock)();
        let lease = self.config.lease;
        let times = SyncTimes { now, lease, doubt: lease * DOUBT, keep: self.config.keep };
        let SyncClaimed::Held(mut claim) =
            self.ledger.claim_sync(person, id.destination, times).await?
        else {
            return Ok(None);
        };
        let mut old = Vec::new();
        let inherited = match self.hold_old(journey, id, times, &mut old).await {
            Ok(true) => self.inherit(journey, &mut claim, &old).await,
            Ok(false) => Ok(false),
            Err(unavailable) => Err(unavailable),
        };
        if matches!(inherited, Ok(true)) {
            return Ok(Some(Held { claim }));
        }
        for old in &old {
            self.ledger.release_sync(&old.claim).await?;
        }
        self.ledger.release_sync(&claim).await?;
        inherited.map(|_| None)
    }

    /// Takes the addresses that the journey corrected, wherever anybody ever was about to call the vendor
    /// under one of them: whoever was slow is fenced off. `false` while a worker is at one of them, or
    /// nobody knows what became of a call.
    async fn hold_old(
        &self,
        journey: &Journey,
        id: &DeliveryId,
        times: SyncTimes,
        held: &mut Vec<Old>,
    ) -> Result<bool, Unavailable> {
        for key in journey.superseded_persons() {
            let record = self.ledger.person(key).await?;
            let Some(told) = record.synced.get(&id.destination) else { continue };
            if told.is_unsettled(times.now) {
                return Ok(false);
            }
            let SyncClaimed::Held(claim) =
                self.ledger.claim_sync(key, id.destination, times).await?
            else {
                return Ok(false);
            };
            let ours = |held: &Enrolled| held.event_id == journey.event_id();
            held.push(Old { claim, is_only_ours: record.journeys.iter().all(ours) });
        }
        Ok(held.iter().all(|old| old.claim.synced.doubt.is_none()))
    }

    /// Moves the contact of a corrected address to the person, in the ledger and before any call. One
    /// that other journeys name too is somebody's own, and stays theirs.
    async fn inherit(
        &self,
        journey: &Journey,
        claim: &mut SyncClaim,
        all: &[Old],
    ) -> Result<bool, Unavailable> {
        for Old { claim: old, is_only_ours } in all {
            let (theirs, ours) = (old.synced.vendor_id.as_ref(), claim.synced.vendor_id.as_ref());
            let moves = theirs.is_some() && (theirs == ours || ours.is_none() && *is_only_ours);
            let landed = if moves {
                self.ledger.inherit_sync(claim, old).await?
            } else {
                self.ledger.release_sync(old).await?
            };
            if landed == Completed::Fenced {
                tracing::info!(
                    event_id = journey.event_id().to_string(),
                    "another worker took a corrected address over"
                );
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Remembers what the vendor was told, and lets the person go. While a call of which nobody knows
    /// what became may still undo it, the vendor is told now and once more when that is over: somebody
    /// has to come for it, and this delivery does.
    pub(crate) async fn remember(
        &self,
        held: &Held,
        receipt: Receipt,
        statement: Statement,
        verdict: Verdict,
    ) -> Result<Tried, Unavailable> {
        let threatened_until = held.claim.threatened_until(statement.digest.as_deref());
        let told = ledger::Synced {
            vendor_id: receipt.vendor_id,
            status: receipt.status,
            digest: statement.digest,
            ..ledger::Synced::default()
        };
        if self.ledger.complete_sync(&held.claim, &told).await? == Completed::Fenced {
            let detail =
                "another worker took this person over in the middle of the call, and sees to it";
            return Ok(Tried::Untold(self.stand_back(1, detail)));
        }
        Ok(Tried::Told(match threatened_until {
            Some(until) => {
                let detail = "told, and to be told again: nobody knows what became of an earlier \
                              call that says something else";
                let outcome = Outcome::Waiting(WaitReason::Retry, until);
                Verdict { outcome, detail: detail.to_owned(), ..verdict }
            }
            None => verdict,
        }))
    }
}
