//! One delivery, from its message to its verdict.

use crate::consumer::{Consumer, Fate};
use crate::courier::{Courier, Errand, Prepared, Receipt, Synced, Warrant};
use crate::ending::{Verdict, patience, waiting};
use crate::gate::Admission;
use crate::hold::Held;
use crate::world::{self, Loaded, World};
use domain::delivery::{DeathReason, DeliveryId, Outcome, SkipReason};
use domain::destination::{RetrySafety, Style};
use domain::fault;
use ledger::{Claim, Claimed, Completed, Statement, Unavailable};

/// What trying to deliver led to.
pub(crate) enum Tried {
    /// The vendor took it; the claim on the person, where there is one, is settled.
    Told(Verdict),
    /// The vendor was not told, or nothing can be noted of it; whoever holds the person must let them go.
    Untold(Verdict),
    /// Nobody knows whether the vendor took it; the person is let go, and the doubt stays.
    Unknown(Verdict),
    /// Somebody else goes on with this delivery.
    Lost,
}

impl Tried {
    pub(crate) fn skip(reason: SkipReason, detail: &str) -> Self {
        Self::Untold(Verdict::skip(reason, detail))
    }
}

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
            Claimed::NotYet(at) => return Ok(waiting(self.left(at))),
            Claimed::Missing => return Ok(Fate::Done),
        };
        let tried = if claim.is_poison() {
            let detail = "it was claimed again and again without an end; its worker dies of it";
            Tried::Untold(Verdict::dead(DeathReason::Poison, detail))
        } else {
            let tried = match id.destination.style() {
                Style::Event => self.tell_effect(id, &mut claim).await,
                Style::State => self.tell_state(id, &mut claim, receives).await,
            };
            match tried {
                // Nothing was called: what is read comes before. Left without an end, such claims
                // would count as workers that died.
                Err(strange) if strange.is_of_one_item() => Tried::Untold(self.wait_for(&strange)),
                tried => tried?,
            }
        };
        match tried {
            Tried::Told(verdict) | Tried::Untold(verdict) | Tried::Unknown(verdict) => {
                self.finish(&claim, verdict, began).await
            }
            Tried::Lost => self.bury(claim.record()).await,
        }
    }

    /// A destination that hears of effects.
    async fn tell_effect(&self, id: &DeliveryId, claim: &mut Claim) -> Result<Tried, Unavailable> {
        match world::load(&self.ledger, id, &claim.record().fact).await? {
            Loaded::World(world) => self.tell(id, claim, &world, None).await,
            Loaded::Skip(reason, detail) => Ok(Tried::skip(reason, detail)),
        }
    }

    /// Asks leave, prepares, and calls.
    pub(crate) async fn tell(
        &self,
        id: &DeliveryId,
        claim: &mut Claim,
        world: &World,
        held: Option<&Held>,
    ) -> Result<Tried, Unavailable> {
        let synced = held.map(|held| Synced::from(&held.claim.synced)).unwrap_or_default();
        let known = held.is_some_and(Held::is_known);
        let (policy, consent) = (&self.config.consent, world.consent.as_ref());
        let leave = match policy.leave(id.destination.purpose(), consent, known) {
            Ok(leave) => leave,
            Err(denied) => return Ok(Tried::skip(SkipReason::Consent, &denied.to_string())),
        };
        let errand = Errand {
            id,
            fact: &world.fact,
            journey: &world.journey,
            contact: &world.contact,
            person: &world.person,
            synced: &synced,
            crm_contact_id: world.crm_contact_id(),
            leave: &leave,
            now: (self.clock)(),
        };
        let (call, safety) = match self.courier.prepare(&errand) {
            Prepared::Send { call, safety } => (call, safety),
            Prepared::Skip(reason, detail) => return Ok(Tried::skip(reason, detail)),
        };
        let statement =
            Statement { digest: self.digest(&call), in_doubt: self.courier.in_doubt(&call) };
        if held.is_some_and(|held| held.is_covered_by(statement.digest.as_ref())) {
            let detail = "covered by a sync already made: there is nothing new to say";
            return Ok(Tried::Untold(Verdict::new(Outcome::Delivered, detail)));
        }
        let probe = match self.admit(claim.record()).await? {
            Admission::Call(probe) => probe,
            Admission::Wait(verdict) => return Ok(Tried::Untold(verdict)),
        };
        if let Some(held) = held
            && self.ledger.begin_sync(&held.claim, &statement).await? == Completed::Fenced
        {
            let detail = "another worker took this person over";
            return Ok(Tried::Untold(self.stand_back(1, detail)));
        }
        if !self.announce(claim, safety).await? {
            return Ok(Tried::Lost);
        }
        let warrant = Warrant::new(leave, claim.attempts());
        let result = self.courier.send(call, &warrant).await;
        self.heed(id.destination, probe.as_ref(), &result).await;
        match result {
            Ok(receipt) => self.told(receipt, statement, held).await,
            Err(fault) if fault.may_be_taken() => {
                Ok(Tried::Unknown(self.judge(&fault, claim, safety)))
            }
            Err(fault) => Ok(Tried::Untold(self.judge(&fault, claim, safety))),
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

    /// The vendor took it.
    async fn told(
        &self,
        receipt: Receipt,
        statement: Statement,
        held: Option<&Held>,
    ) -> Result<Tried, Unavailable> {
        let outcome =
            if receipt.unverifiable { Outcome::AcceptedUnverifiable } else { Outcome::Delivered };
        // A vendor names its requests as it likes: what is no id is not kept.
        let request_id = receipt.request_id.as_deref().and_then(fault::request_id);
        let verdict = Verdict { outcome, detail: String::new(), request_id };
        match held {
            None => Ok(Tried::Told(verdict)),
            Some(held) => self.remember(held, receipt, statement, verdict).await,
        }
    }
}
