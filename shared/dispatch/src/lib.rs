//! From a recorded fact to routed, queued deliveries. Both the dispatcher (woken by the stream) and
//! the sweeper (woken by the clock) run these steps; each may be repeated, in any number, by anyone.

mod config;
mod queues;
mod replay;

pub use config::Config;
pub use queues::QueueUrls;

use domain::consent::Consent;
use domain::delivery::{DeliveryId, SkipReason};
use domain::destination::Queue;
use domain::fact::Fact;
use domain::fold::effective_consent;
use domain::id::EventId;
use domain::pepper::PersonKey;
use domain::routing::{Decision, Route, Rules, Subject};
use futures_util::future::{join_all, try_join_all};
use jiff::{SignedDuration, Timestamp};
use lambda::queue::{Message, NotSent, Queues};
use ledger::{
    Enrolment, FactKey, Ledger, MOST_JOURNEYS, Opened, OpeningTimes, PersonRecord, Unavailable,
};
use std::collections::{BTreeMap, BTreeSet};

/// How long a message has to arrive before the sweeper looks after its delivery.
pub const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// What dispatching needs.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// The table.
    pub ledger: Ledger,
    /// The queues' client.
    pub queues: Queues,
    /// The queues' addresses.
    pub urls: QueueUrls,
    /// The business's settings.
    pub rules: Rules,
    /// How long deliveries and routings are kept.
    pub keep: SignedDuration,
}

/// A fact is not dispatched yet; it stays on the agenda until it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undispatched {
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] Unavailable),
    /// A queue did not take every message.
    #[error(transparent)]
    Queue(#[from] NotSent),
}

impl Dispatch {
    /// Dispatches a fact: decide, keep the decision, enrol the person, open the deliveries, send
    /// their messages, and only then take the fact off the agenda.
    ///
    /// # Errors
    /// [`Undispatched`]: some of it may have happened; dispatch the same fact again.
    pub async fn dispatch(&self, fact: &Fact, now: Timestamp) -> Result<(), Undispatched> {
        let prepared = self.prepare(fact, now).await?;
        let sent = self.send(&prepared.deliveries).await;
        self.finish(prepared, &sent).await
    }

    /// Dispatches facts together, each step of all before the next: so a queue takes the messages of
    /// all, ten in a request. A fact that fails keeps none of its neighbours from being dispatched.
    ///
    /// Answers for each, in their order; an error is as that of [`Dispatch::dispatch`].
    pub async fn dispatch_all(
        &self,
        facts: &[Fact],
        now: Timestamp,
    ) -> Vec<Result<(), Undispatched>> {
        let prepared = join_all(facts.iter().map(|fact| self.prepare(fact, now))).await;
        let deliveries = prepared.iter().flatten().flat_map(|prepared| &prepared.deliveries);
        let sent = self.send(deliveries).await;
        let finished =
            prepared.into_iter().map(async |prepared| self.finish(prepared?, &sent).await);
        join_all(finished).await
    }

    /// All that comes before the messages of a fact.
    async fn prepare(&self, fact: &Fact, now: Timestamp) -> Result<Prepared, Unavailable> {
        let key = FactKey::of(fact);
        let known = self.known(fact).await?;
        let decided = self.rules.route(fact, known.subject());
        let mut routes = self.ledger.keep_route(&key, decided, self.expiry(now)).await?;
        self.enrol(fact, &known, now).await?;
        let deliveries = self.open(fact, &key, &mut routes, now).await?;
        Ok(Prepared { key, kind: fact.happening.name(), routes, deliveries })
    }

    /// All that comes after them: a fact whose messages are on their queues leaves the agenda.
    async fn finish(&self, prepared: Prepared, sent: &Sent) -> Result<(), Undispatched> {
        let Prepared { key, kind, routes, deliveries } = prepared;
        sent.all(&deliveries)?;
        self.ledger.mark_dispatched(&key).await?;
        tracing::info!(
            event_id = key.event_id.to_string(),
            kind,
            sent = names(&deliveries),
            skipped = skipped(&routes),
            "fact dispatched"
        );
        Ok(())
    }

    /// Marks a fact that this version cannot decode, so that it is passed, and says so for an alarm.
    ///
    /// # Errors
    /// [`Undispatched`]: mark it again.
    pub async fn pass_undecodable(&self, fact: &FactKey) -> Result<(), Undispatched> {
        tracing::error!(
            event_id = fact.event_id.to_string(),
            fact = fact.sk,
            undecodable = 1,
            metrics = "undecodable:Count",
            "a fact cannot be decoded by this version and was passed; deploy one that can"
        );
        Ok(self.ledger.mark_undecodable(fact).await?)
    }

    /// What the ledger knows of the person whom a fact is about, this fact included.
    async fn known(&self, fact: &Fact) -> Result<Known, Unavailable> {
        let journey = self.ledger.journey(fact.event_id).await?;
        let person = journey.person_of(fact).cloned();
        let record = match &person {
            Some(person) => self.ledger.person(person).await?,
            None => PersonRecord::default(),
        };
        let profile = record.profile()?;
        let superseded = journey.superseded_persons().cloned().collect();
        let journeys = [journey.since(profile.erased_at)];
        let consent = effective_consent(profile.consent.as_ref(), &journeys).cloned();
        let [journey] = journeys;
        let news = journey.recorded_consent().filter(|said| profile.consent.as_ref() != Some(said));
        Ok(Known {
            erased: profile.erased_at.is_some_and(|erased_at| fact.occurred_at <= erased_at),
            news: news.cloned(),
            superseded,
            person,
            consent,
            record,
        })
    }

    /// Keeps the person's record, which consumers read: this journey, and what it says of consent.
    /// An address that a correction replaced loses both: it may be somebody else's.
    async fn enrol(&self, fact: &Fact, known: &Known, now: Timestamp) -> Result<(), Unavailable> {
        for replaced in &known.superseded {
            let own = self.own_answer(replaced, fact.event_id).await?;
            let own = own.as_ref().map(|(said_in, consent)| (*said_in, consent));
            self.ledger.disown(replaced, fact.event_id, own, self.expiry(now)).await?;
        }
        let Some(person) = known.person.as_ref().filter(|_| !known.erased) else { return Ok(()) };
        let enrolment = Enrolment {
            event_id: fact.event_id,
            seen_at: fact.recorded_at,
            pays: fact.happening.payment().is_some() && !fact.is_refusal(),
            consent: known.news.as_ref(),
            expires_at: self.expiry(now),
        };
        if enrolment.prolongs(&known.record) {
            self.ledger.prolong(person, enrolment.expires_at).await?;
        }
        if enrolment.is_in(&known.record) {
            return Ok(());
        }
        self.ledger.enrol(person, enrolment).await
    }

    /// What the person behind an address answered in journeys of their own, where a journey that only
    /// gave their address by mistake answered for them last.
    async fn own_answer(
        &self,
        person: &PersonKey,
        mistaken: EventId,
    ) -> Result<Option<(EventId, Consent)>, Unavailable> {
        let record = self.ledger.person(person).await?;
        let profile = record.profile()?;
        if profile.said_in != Some(mistaken) {
            return Ok(None);
        }
        let own = record.journeys.iter().map(|enrolled| enrolled.event_id);
        let own = own.filter(|event_id| *event_id != mistaken).take(MOST_JOURNEYS);
        let own = try_join_all(own.map(|event_id| self.ledger.journey(event_id))).await?;
        let own = own.into_iter().map(|journey| journey.since(profile.erased_at));
        let answers = own
            .filter_map(|journey| Some((journey.event_id(), journey.recorded_consent()?.clone())));
        Ok(answers.max_by_key(|(_, consent)| consent.rank()))
    }

    /// Opens the deliveries that the routing asks for. Where another fact of the same effect has
    /// opened one already, the routing is corrected to say so.
    async fn open(
        &self,
        fact: &Fact,
        key: &FactKey,
        routes: &mut [Route],
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, Unavailable> {
        let opened =
            join_all(routes.iter().map(|route| self.open_one(fact, key, route, now))).await;
        let mut deliveries = Vec::new();
        let mut corrected = false;
        for (route, opened) in routes.iter_mut().zip(opened) {
            match opened? {
                Step::Nothing => {}
                Step::Send(id) => deliveries.push(id),
                Step::Duplicate => {
                    corrected = true;
                    route.decision = Decision::Skip {
                        reason: SkipReason::Duplicate,
                        detail: "another fact describes the same effect".to_owned(),
                    };
                }
            }
        }
        if corrected {
            self.ledger.correct_route(key, routes).await?;
        }
        Ok(deliveries)
    }

    async fn open_one(
        &self,
        fact: &Fact,
        key: &FactKey,
        route: &Route,
        now: Timestamp,
    ) -> Result<Step, Unavailable> {
        let Decision::Send { delay_seconds } = route.decision else { return Ok(Step::Nothing) };
        let id = DeliveryId {
            event_id: fact.event_id,
            effect: fact.effect(),
            destination: route.destination,
        };
        let delay = SignedDuration::from_secs(delay_seconds);
        let look_at = now.checked_add(if delay.is_zero() { GRACE } else { delay }).unwrap_or(now);
        let times = OpeningTimes { now, look_at, keep: self.keep };
        match self.ledger.open_delivery(&id, key, times).await? {
            Opened::ForAnotherFact => Ok(Step::Duplicate),
            // A delayed delivery waits in the ledger; the sweeper sends its message when it is due.
            Opened::ForThisFact if !delay.is_zero() => Ok(Step::Nothing),
            Opened::ForThisFact => Ok(Step::Send(id)),
        }
    }

    /// Sends the messages of deliveries, those of a queue together.
    async fn send(&self, deliveries: impl IntoIterator<Item = &DeliveryId>) -> Sent {
        let mut by_queue = BTreeMap::<Queue, Vec<Message>>::new();
        for delivery in deliveries {
            let messages = by_queue.entry(delivery.destination.queue()).or_default();
            messages.push(message(delivery, SignedDuration::ZERO));
        }
        let sent = by_queue.into_iter().map(async |(queue, messages)| {
            (queue, self.queues.send(self.urls.of(queue), &messages).await)
        });
        Sent(join_all(sent).await.into_iter().collect())
    }

    fn expiry(&self, now: Timestamp) -> i64 {
        now.as_second().saturating_add(self.keep.as_secs())
    }
}

/// A fact with its deliveries opened, whose messages are to be sent.
struct Prepared {
    key: FactKey,
    kind: &'static str,
    routes: Vec<Route>,
    deliveries: Vec<DeliveryId>,
}

/// Whether each queue took what it was sent. Where one did not take it all, nobody asks which messages
/// it took: each of their facts is dispatched again.
struct Sent(BTreeMap<Queue, Result<(), NotSent>>);

impl Sent {
    /// Whether the queues of these deliveries took everything.
    fn all(&self, deliveries: &[DeliveryId]) -> Result<(), NotSent> {
        let queues = deliveries.iter().map(|delivery| delivery.destination.queue());
        queues.filter_map(|queue| self.0.get(&queue)).try_for_each(Clone::clone)
    }
}

/// What is known of a person before a fact is routed.
struct Known {
    person: Option<PersonKey>,
    /// Their record, before this fact.
    record: PersonRecord,
    /// What they allow, as far as anybody says.
    consent: Option<Consent>,
    /// An answer to a page of ours that their record does not hold yet.
    news: Option<Consent>,
    /// Addresses that a corrected lead of this journey replaced.
    superseded: BTreeSet<PersonKey>,
    erased: bool,
}

impl Known {
    fn subject(&self) -> Subject<'_> {
        Subject {
            known: self.person.is_some(),
            consent: self.consent.as_ref(),
            erased: self.erased,
        }
    }
}

/// What opening a delivery leads to.
enum Step {
    Nothing,
    Send(DeliveryId),
    Duplicate,
}

/// The message of a delivery: its id and nothing else.
#[must_use]
pub fn message(delivery: &DeliveryId, delay: SignedDuration) -> Message {
    // An id of plain texts always encodes.
    Message { body: serde_json::to_string(delivery).unwrap_or_default(), delay }
}

/// Where deliveries go, for the log: `hubspot,slack`.
fn names(deliveries: &[DeliveryId]) -> String {
    let names = deliveries.iter().map(|delivery| delivery.destination.name());
    names.collect::<Vec<_>>().join(",")
}

/// The skips of a routing for the log: `sgtm:consent,slack:not_applicable`.
fn skipped(routes: &[Route]) -> String {
    let skips = routes.iter().filter_map(|route| match &route.decision {
        Decision::Skip { reason, .. } => Some(format!("{}:{}", route.destination, reason.name())),
        Decision::Send { .. } => None,
    });
    skips.collect::<Vec<_>>().join(",")
}
