//! A fact once more, because a person wishes it: decided anew with the rules and the consent of now,
//! at the destinations they named. Every step may be repeated; the wish is taken away last.

use crate::{Dispatch, GRACE, Known, Undispatched, names};
use domain::delivery::{DeliveryId, SkipReason};
use domain::destination::{Destination, Style};
use domain::fact::Fact;
use domain::routing::{Decision, Route};
use jiff::Timestamp;
use ledger::{FactKey, Reopened, Reopening, Unavailable, Wish};

/// A fact, and what is wished for it.
struct Asked<'a> {
    fact: &'a Fact,
    key: FactKey,
    wish: &'a Wish,
    now: Timestamp,
}

impl Dispatch {
    /// Fulfils a wish: deliveries are opened where there were none, and begun again where the wish
    /// asks for it; the routing is corrected to say what is decided now.
    ///
    /// # Errors
    /// [`Undispatched`]: some of it may have happened; fulfil the same wish again.
    pub async fn replay(
        &self,
        fact: &Fact,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<(), Undispatched> {
        let asked = Asked { fact, key: FactKey::of(fact), wish, now };
        let known = self.known(fact).await?;
        let decided = self.rules.route(fact, known.subject());
        let mut routes =
            self.ledger.keep_route(&asked.key, decided.clone(), self.expiry(now)).await?;
        self.enrol(fact, &known, now).await?;
        let mut deliveries = Vec::new();
        for new in decided.iter().filter(|new| wish.destinations.contains(&new.destination)) {
            deliveries.extend(self.replay_at(&asked, &known, new, &mut routes).await?);
        }
        self.ledger.correct_route(&asked.key, &routes).await?;
        self.send(&deliveries).await.all(&deliveries)?;
        self.ledger.fulfilled(&asked.key, wish).await?;
        tracing::info!(
            event_id = fact.event_id.to_string(),
            kind = fact.happening.name(),
            sent = names(&deliveries),
            replays = 1,
            metrics = "replays:Count",
            "fact replayed"
        );
        Ok(())
    }

    /// One destination of a wish: the delivery whose message is to be sent, if there is one.
    async fn replay_at(
        &self,
        asked: &Asked<'_>,
        known: &Known,
        new: &Route,
        routes: &mut Vec<Route>,
    ) -> Result<Option<DeliveryId>, Unavailable> {
        if let Decision::Skip { .. } = new.decision {
            note(routes, new.clone());
            return Ok(None);
        }
        let id = DeliveryId {
            event_id: asked.fact.event_id,
            effect: asked.fact.effect(),
            destination: new.destination,
        };
        // What it was told last must not make the vendor's call look needless.
        if asked.wish.again && id.destination.style() == Style::State {
            self.doubt(known, id.destination).await?;
        }
        let reopening = Reopening {
            id: &id,
            fact: &asked.key,
            wish: asked.wish,
            now: asked.now,
            look_at: asked.now.checked_add(GRACE).unwrap_or(asked.now),
            keep: self.keep,
        };
        let (decision, sent) = match self.ledger.reopen(reopening).await? {
            // However long it was to wait the first time: that time is over.
            Reopened::Queued => (Decision::Send { delay_seconds: 0 }, true),
            Reopened::Over | Reopened::UnderWay | Reopened::Left => {
                (Decision::Send { delay_seconds: 0 }, false)
            }
            Reopened::ForAnotherFact => (duplicate(), false),
        };
        note(routes, Route { destination: new.destination, decision });
        Ok(sent.then_some(id))
    }

    async fn doubt(&self, known: &Known, destination: Destination) -> Result<(), Unavailable> {
        let Some(person) = &known.person else { return Ok(()) };
        if self.ledger.person(person).await?.synced.contains_key(&destination) {
            self.ledger.doubt_sync(person, destination).await?;
        }
        Ok(())
    }
}

/// Notes a decision of now among those that hold. What was sent once stays said, whatever is
/// decided now.
fn note(routes: &mut Vec<Route>, new: Route) {
    let skips = matches!(new.decision, Decision::Skip { .. });
    match routes.iter_mut().find(|route| route.destination == new.destination) {
        Some(Route { decision: Decision::Send { .. }, .. }) if skips => {}
        Some(held) => *held = new,
        // A destination that there was not when the fact was first dispatched.
        None => routes.push(new),
    }
}

fn duplicate() -> Decision {
    Decision::Skip {
        reason: SkipReason::Duplicate,
        detail: "another fact describes the same effect".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Route, duplicate, note};
    use domain::destination::Destination::{Hubspot, Slack};

    #[test]
    fn a_decision_of_now_replaces_a_skip_and_never_what_was_sent() {
        let send = Decision::Send { delay_seconds: 900 };
        let mut routes = vec![
            Route { destination: Hubspot, decision: duplicate() },
            Route { destination: Slack, decision: send.clone() },
        ];
        let now = Decision::Send { delay_seconds: 0 };
        note(&mut routes, Route { destination: Slack, decision: now.clone() });
        assert_eq!(routes[1].decision, now, "however long it was to wait the first time");
        note(&mut routes, Route { destination: Slack, decision: send.clone() });
        note(&mut routes, Route { destination: Hubspot, decision: send.clone() });
        note(&mut routes, Route { destination: Slack, decision: duplicate() });
        assert!(routes.iter().all(|route| route.decision == send), "{routes:?}");
    }
}
