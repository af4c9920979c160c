//! Facts dispatched once more, on purpose. Here only the wish is written, onto each fact: the stage's
//! own sweeper fulfils it, with the rules and the consent that hold then.

use crate::{Author, Fault, Operator, Pace, story};
use domain::consent::ConsentPolicy;
use domain::delivery::{DeliveryId, SkipReason};
use domain::destination::Destination;
use domain::fact::Fact;
use domain::id::EventId;
use domain::routing::{Decision, Route, Rules, Subject};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use ledger::{Condition, DeliveryRecord, FactKey, Found, Mended, Slice, Wish};
use serde::Serialize;

/// Into how many parts the table is cut to be read side by side.
const SEGMENTS: u32 = 8;
/// How many reads are under way together.
const TOGETHER: usize = 16;
/// The sweeper takes what has waited for its dispatch for this long.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// What is wished for each fact of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// Where to.
    pub destinations: Vec<Destination>,
    /// Whether destinations that were told are told again.
    pub again: bool,
    /// Whether calls of which nobody knows are made again.
    pub even_if_it_happened: bool,
}

/// Which facts fill a destination.
#[derive(Debug, Clone)]
pub struct Fill {
    /// The destination.
    pub destination: Destination,
    /// Recorded from here on.
    pub since: Timestamp,
    /// Recorded before this.
    pub until: Timestamp,
    /// Also those that it was told.
    pub again: bool,
}

/// A fact that is to be replayed, and what that means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its journey.
    pub event_id: EventId,
    /// The fact, as `trace` names it.
    pub fact: String,
    /// Its kind.
    pub kind: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What it means for each destination: its state now, and what happens.
    pub at: Vec<Told>,
    #[serde(skip)]
    key: FactKey,
    #[serde(skip)]
    expires_at: i64,
}

/// How a destination stands to a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The destination.
    pub destination: Destination,
    /// The state of its delivery; `None` where it has none.
    pub state: Option<&'static str>,
    /// What a replay does: `open`, `begin_again` or `leave`.
    pub does: &'static str,
}

/// Facts to be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayPlan {
    /// What is wished for each.
    pub intent: Intent,
    /// The facts, oldest first.
    pub facts: Vec<Asked>,
    /// How many items were looked at to find them.
    pub looked_at: u64,
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReplayOutcome {
    /// So many wishes are written, and recorded.
    pub wished: usize,
    /// So many facts wait for a dispatch or another replay already, or are no longer kept.
    pub left: usize,
}

impl Operator {
    /// Plans to replay one fact; without destinations, at all of them.
    ///
    /// # Errors
    /// Refuses a fact that is not there, that this version cannot read, or that waits already.
    pub async fn plan_replay(
        &self,
        event_id: EventId,
        fact: &str,
        mut intent: Intent,
    ) -> Result<ReplayPlan, Fault> {
        let sk = format!("{}{}", ledger::fact_key_prefix(), story::short(fact));
        let key = FactKey { event_id, sk };
        let found = self.ledger.open_fact(&key).await?.ok_or_else(|| {
            Fault::refused("the journey has no such fact: `throughline trace` names them")
        })?;
        let fact = found.fact.ok_or_else(|| {
            Fault::refused("this version cannot read that fact: use the one that the stage runs")
        })?;
        if found.wish.is_some() {
            return Err(Fault::refused("a replay of it is wished for already, and under way"));
        }
        let routes = self.ledger.timeline(event_id).await?.routes;
        if !routes.iter().any(|route| route.fact == key.sk) {
            // It was never dispatched: an older version could not read it. This is its first time.
            intent = Intent { destinations: Destination::ALL.to_vec(), again: false, ..intent };
        }
        let asked = self.ask(&fact, key, found.expires_at, &intent).await?;
        Ok(ReplayPlan { intent, facts: vec![asked], looked_at: 1 })
    }

    /// Plans to fill a destination with the facts of a time. It reads through the whole table,
    /// because nothing lists facts by their time, and tells how far it is.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn plan_fill(
        &self,
        fill: &Fill,
        mut progress: impl FnMut(u64),
    ) -> Result<ReplayPlan, Fault> {
        let intent = Intent {
            destinations: vec![fill.destination],
            again: fill.again,
            even_if_it_happened: false,
        };
        let parts = stream::iter(0..SEGMENTS).map(|segment| self.part(segment, fill));
        let mut parts = parts.buffer_unordered(SEGMENTS as usize);
        let (mut found, mut looked_at) = (Vec::new(), 0);
        while let Some((facts, items)) = parts.try_next().await? {
            found.extend(facts);
            looked_at += items;
            progress(looked_at);
        }
        let asked = stream::iter(found)
            .map(|(fact, found)| {
                let intent = &intent;
                async move { self.ask(&fact, found.key, found.expires_at, intent).await }
            })
            .buffer_unordered(TOGETHER);
        let mut facts: Vec<Asked> = asked.try_collect().await?;
        facts.retain(|asked| asked.at.iter().any(|told| told.does != "leave"));
        facts.sort_by_key(|asked| asked.recorded_at);
        Ok(ReplayPlan { intent, facts, looked_at })
    }

    /// The facts of a part of the table that a destination has a use for.
    async fn part(&self, segment: u32, fill: &Fill) -> Result<(Vec<(Fact, Found)>, u64), Fault> {
        let (mut facts, mut items) = (Vec::new(), 0);
        let page = |page: Vec<Found>, looked_at: u64| {
            items += looked_at;
            for found in page {
                let Some(fact) = found.fact.clone() else { continue };
                let of_its_time = (fill.since..fill.until).contains(&fact.recorded_at);
                if of_its_time && !found.is_open && concerns(fill.destination, &fact) {
                    facts.push((fact, found));
                }
            }
        };
        self.ledger.scan_facts(Slice { segment, of: SEGMENTS }, page).await?;
        Ok((facts, items))
    }

    async fn ask(
        &self,
        fact: &Fact,
        key: FactKey,
        expires_at: i64,
        intent: &Intent,
    ) -> Result<Asked, Fault> {
        let mut at = Vec::new();
        for destination in &intent.destinations {
            let effect = fact.effect();
            let id = DeliveryId { event_id: key.event_id, effect, destination: *destination };
            let record = self.ledger.delivery(&id).await?;
            at.push(told(*destination, record.as_ref(), fact, &key, intent));
        }
        Ok(Asked {
            event_id: key.event_id,
            fact: story::short(&key.sk).to_owned(),
            kind: fact.happening.name().to_owned(),
            recorded_at: fact.recorded_at,
            at,
            key,
            expires_at,
        })
    }

    /// Writes the wishes of a plan, one fact after the other, each with a time of its own.
    ///
    /// # Errors
    /// [`Fault`]: what was wished until then is wished; plan the rest again.
    pub async fn replay(
        &self,
        plan: &ReplayPlan,
        pace: Pace,
        author: &Author,
        now: Timestamp,
        mut progress: impl FnMut(usize),
    ) -> Result<ReplayOutcome, Fault> {
        let mut outcome = ReplayOutcome::default();
        let wish = Wish {
            destinations: plan.intent.destinations.clone(),
            again: plan.intent.again,
            even_if_it_happened: plan.intent.even_if_it_happened,
            who: author.who().to_owned(),
            why: author.why().to_owned(),
            at: now,
        };
        for (place, asked) in plan.facts.iter().enumerate() {
            // The sweeper dispatches what has been listed for its grace: this one has, at its turn.
            let turn = pace.turn(now, outcome.wished);
            let from = turn.checked_sub(GRACE).unwrap_or(turn);
            match self.ledger.wish(&asked.key, &wish, from, asked.expires_at).await? {
                Mended::Done => outcome.wished += 1,
                Mended::Changed => outcome.left += 1,
            }
            progress(place + 1);
        }
        Ok(outcome)
    }

    /// How the stage's table is set up, and about how large it is.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn table(&self) -> Result<Condition, Fault> {
        Ok(self.ledger.condition().await?)
    }
}

/// Whether a destination has a use for a fact at all, whatever the person allows.
fn concerns(destination: Destination, fact: &Fact) -> bool {
    let rules = Rules {
        destinations: vec![destination],
        consent: ConsentPolicy { required: false, version: "0".to_owned() },
        payment_failed_delay: SignedDuration::ZERO,
    };
    let subject = Subject { known: true, consent: None, erased: false };
    let routes = rules.route(fact, subject);
    routes.iter().any(|Route { destination: at, decision }| {
        let no_use = matches!(
            decision,
            Decision::Skip { reason: SkipReason::NotApplicable | SkipReason::NotOurs, .. }
        );
        *at == destination && !no_use
    })
}

fn told(
    destination: Destination,
    record: Option<&DeliveryRecord>,
    fact: &Fact,
    key: &FactKey,
    intent: &Intent,
) -> Told {
    let wish = Wish {
        destinations: Vec::new(),
        again: intent.again,
        even_if_it_happened: intent.even_if_it_happened,
        who: String::new(),
        why: String::new(),
        at: Timestamp::UNIX_EPOCH,
    };
    let does = match record {
        _ if !concerns(destination, fact) => "leave",
        None => "open",
        Some(record) if record.fact != key.sk => "leave",
        Some(record) if wish.begins_again(record.state, &record.reason) => "begin_again",
        Some(_) => "leave",
    };
    Told { destination, state: record.map(|record| record.state.name()), does }
}
