//! A journey's story: everything that happened to it, in the order of time, each line by itself.

use crate::{Fault, Operator};
use domain::delivery::State;
use domain::destination::Destination;
use domain::fact::{Fact, Happening};
use domain::id::EventId;
use domain::money::Money;
use domain::routing::Decision;
use jiff::Timestamp;
use ledger::{Audit, DeliveryRecord, FactKey, GateEvent, Open, RouteRecord, Timeline, Undecodable};
use serde::Serialize;
use std::collections::BTreeMap;

/// A journey, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// The journey.
    pub event_id: EventId,
    /// Whom it is about, by their key.
    pub person: Option<String>,
    /// When they were erased, if they were.
    pub erased_at: Option<Timestamp>,
    /// How many of its items this version cannot read; they are among the lines.
    pub unreadable: usize,
    /// What happened, in the order of time.
    pub lines: Vec<Line>,
}

/// An amount, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Minor units.
    pub amount: i64,
    /// The currency's code.
    pub currency: String,
    /// In major units, as in `97.00`.
    pub text: String,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A fact was recorded.
    Fact {
        /// When it was recorded.
        at: Timestamp,
        /// When it happened, by its source's clock.
        occurred_at: Timestamp,
        /// Its source and the source's id, as in `stripe#evt_…`: what `replay` takes.
        fact: String,
        /// Its kind.
        kind: String,
        /// The effect it has.
        effect: String,
        /// Whom it names, by their key.
        person: Option<String>,
        /// The money that it is about.
        money: Option<Amount>,
        /// Stripe's code of a refused payment.
        code: Option<String>,
        /// What it waits for: `dispatch` or `replay`.
        waits_for: Option<&'static str>,
    },
    /// Something is stored that this version cannot read.
    Unreadable {
        /// When it was recorded, where that is known.
        at: Option<Timestamp>,
        /// Its key.
        item: String,
        /// The kind of fact that it says it is.
        kind: Option<String>,
    },
    /// A fact was routed to a destination, or past it.
    Route {
        /// When its fact was recorded.
        at: Timestamp,
        /// Its fact.
        fact: String,
        /// The destination.
        destination: String,
        /// `send` or `skip`.
        decision: &'static str,
        /// Why it is skipped.
        reason: Option<&'static str>,
        /// The same in a sentence.
        detail: Option<String>,
        /// Seconds that it waits first.
        delay_seconds: i64,
    },
    /// A delivery, as it stands.
    Delivery {
        /// When it last changed.
        at: Timestamp,
        /// When it was opened.
        opened_at: Timestamp,
        /// Its name: `effect#destination`.
        delivery: String,
        /// Its effect.
        effect: String,
        /// Its destination.
        destination: String,
        /// Where it stands.
        state: &'static str,
        /// Why.
        reason: Option<String>,
        /// The same in a sentence.
        detail: Option<String>,
        /// Calls to the vendor in its present life.
        attempts: u32,
        /// When it is tried, or looked after, next.
        next_at: Option<Timestamp>,
        /// The vendor's id of the request.
        request_id: Option<String>,
        /// When a person had it begin again, if one did.
        revived_at: Option<Timestamp>,
        /// How often it was made again on purpose.
        replays: u32,
    },
    /// A delivery waited, or was given up, before it came to where it stands.
    Step {
        /// When.
        at: Timestamp,
        /// Its name: `effect#destination`.
        delivery: String,
        /// Where it stood.
        state: &'static str,
        /// Why.
        reason: String,
        /// The same in a sentence.
        detail: String,
        /// Calls to the vendor by then.
        attempts: u32,
    },
    /// A destination was shut or opened while a delivery to it was under way.
    Gate {
        /// When.
        at: Timestamp,
        /// The destination.
        destination: String,
        /// What: `opened`, `reopened`, `closed` (the breaker), `paused`, `resumed` (a person).
        what: String,
        /// Who did it: `breaker`, or a person.
        by: String,
        /// Why.
        detail: String,
    },
    /// Something was done by hand.
    Audit {
        /// When.
        at: Timestamp,
        /// What: `redriven`, `dropped`, …
        what: String,
        /// To what: a delivery or a fact.
        subject: String,
        /// Who.
        who: String,
        /// Why.
        why: String,
        /// How it stood before.
        note: String,
    },
}

impl Operator {
    /// Tells a journey's story; `None` where there is no such journey.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn story(&self, event_id: EventId) -> Result<Option<Story>, Fault> {
        let timeline = self.ledger.timeline(event_id).await?;
        let gates = self.gates_meanwhile(&timeline).await?;
        let mut story = Story::of(event_id, &timeline, gates);
        if story.lines.is_empty() {
            return Ok(None);
        }
        if let Some(key) = person(event_id, &timeline) {
            story.erased_at = self.ledger.person(&key).await?.profile()?.erased_at;
            story.person = Some(key.as_str().to_owned());
        }
        Ok(Some(story))
    }
}

impl Operator {
    /// What became of the gates of a journey's destinations while its deliveries were under way.
    async fn gates_meanwhile(&self, timeline: &Timeline) -> Result<Vec<Dated>, Fault> {
        let mut spans: BTreeMap<Destination, (Timestamp, Timestamp)> = BTreeMap::new();
        for record in &timeline.deliveries {
            let until = if record.state.is_terminal() { record.updated_at } else { Timestamp::MAX };
            let span = spans.entry(record.id.destination).or_insert((record.created_at, until));
            *span = (span.0.min(record.created_at), span.1.max(until));
        }
        let mut lines = Vec::new();
        for (destination, (since, until)) in spans {
            let events = self.ledger.gate_history(destination, since).await?;
            let meanwhile = events.into_iter().filter(|event| event.at <= until);
            lines.extend(meanwhile.map(|event| (event.at, gate_line(destination, event))));
        }
        Ok(lines)
    }
}

fn person(event_id: EventId, timeline: &Timeline) -> Option<domain::pepper::PersonKey> {
    domain::journey::Journey::new(event_id, timeline.facts.clone()).person().cloned()
}

impl Story {
    /// Puts a timeline, and what became of gates meanwhile, into the order of time.
    fn of(event_id: EventId, timeline: &Timeline, gates: Vec<Dated>) -> Self {
        let mut lines: Vec<(Option<Timestamp>, u8, Line)> = Vec::new();
        for fact in &timeline.facts {
            lines.push((Some(fact.recorded_at), 0, fact_line(fact, &timeline.open)));
        }
        for item in &timeline.undecodable {
            lines.push((item.recorded_at, 0, unreadable(item)));
        }
        for record in &timeline.routes {
            let fact = timeline.facts.iter().find(|fact| FactKey::of(fact).sk == record.fact);
            let at = fact.map_or(Timestamp::UNIX_EPOCH, |fact| fact.recorded_at);
            lines.extend(route_lines(at, record).map(|line| (Some(at), 1, line)));
        }
        for record in &timeline.deliveries {
            lines.extend(step_lines(record).map(|(at, line)| (Some(at), 2, line)));
            lines.push((Some(record.updated_at), 2, delivery_line(record)));
        }
        lines.extend(gates.into_iter().map(|(at, line)| (Some(at), 2, line)));
        lines.extend(timeline.audits.iter().map(|audit| (Some(audit.at), 3, audit_line(audit))));
        // What has no time comes last.
        lines.sort_by_key(|(at, rank, _)| (at.is_none(), *at, *rank));
        Self {
            event_id,
            person: None,
            erased_at: None,
            unreadable: timeline.undecodable.len(),
            lines: lines.into_iter().map(|(_, _, line)| line).collect(),
        }
    }
}

/// What a person calls a fact: `lead#1` for `FACT#lead#1`.
pub(crate) fn short(sk: &str) -> &str {
    sk.strip_prefix(ledger::fact_key_prefix()).unwrap_or(sk)
}

fn fact_line(fact: &Fact, open: &[Open]) -> Line {
    let key = FactKey::of(fact);
    let waits = open.iter().find(|open| open.key == key);
    Line::Fact {
        at: fact.recorded_at,
        occurred_at: fact.occurred_at,
        fact: short(&key.sk).to_owned(),
        kind: fact.happening.name().to_owned(),
        effect: fact.effect().to_string(),
        person: fact.person.as_ref().map(|person| person.as_str().to_owned()),
        money: money(&fact.happening).map(Amount::from),
        code: match &fact.happening {
            Happening::PaymentFailed { code, .. } => code.clone(),
            Happening::LeadCaptured
            | Happening::LeadCorrected { .. }
            | Happening::ConsentChanged
            | Happening::CheckoutStarted { .. }
            | Happening::PaymentSucceeded { .. }
            | Happening::PaymentRefunded { .. } => None,
        },
        waits_for: waits.map(|open| if open.wish.is_some() { "replay" } else { "dispatch" }),
    }
}

fn money(happening: &Happening) -> Option<Money> {
    match happening {
        Happening::CheckoutStarted { order, .. } => order.total(),
        Happening::LeadCaptured
        | Happening::LeadCorrected { .. }
        | Happening::ConsentChanged
        | Happening::PaymentSucceeded { .. }
        | Happening::PaymentFailed { .. }
        | Happening::PaymentRefunded { .. } => happening.payment().map(|payment| payment.amount),
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self {
            amount: money.minor,
            currency: money.currency.code().to_owned(),
            text: money.major(),
        }
    }
}

fn unreadable(item: &Undecodable) -> Line {
    Line::Unreadable {
        at: item.recorded_at,
        item: short(&item.sk).to_owned(),
        kind: item.kind.clone(),
    }
}

fn route_lines(at: Timestamp, record: &RouteRecord) -> impl Iterator<Item = Line> {
    record.routes.iter().map(move |route| {
        let (decision, reason, detail, delay_seconds) = match &route.decision {
            Decision::Send { delay_seconds } => ("send", None, None, *delay_seconds),
            Decision::Skip { reason, detail } => {
                ("skip", Some(reason.name()), Some(detail.clone()), 0)
            }
        };
        Line::Route {
            at,
            fact: short(&record.fact).to_owned(),
            destination: route.destination.to_string(),
            decision,
            reason,
            detail,
            delay_seconds,
        }
    })
}

/// A delivery as a line, alone or among a journey's.
pub(crate) fn delivery_line(record: &DeliveryRecord) -> Line {
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let next_at = match record.state {
        State::Waiting => record.next_at.or(record.listed_at),
        State::Queued => record.listed_at,
        State::InFlight | State::Calling => record.lease_until,
        State::Delivered | State::AcceptedUnverifiable | State::Skipped | State::Dead => None,
    };
    Line::Delivery {
        at: record.updated_at,
        opened_at: record.created_at,
        delivery: record.id.to_string(),
        effect: record.id.effect.to_string(),
        destination: record.id.destination.to_string(),
        state: record.state.name(),
        reason: said(&record.reason),
        detail: said(&record.detail),
        attempts: record.attempts,
        next_at,
        request_id: record.request_id.clone(),
        revived_at: record.revived_at,
        replays: record.replays,
    }
}

/// A line with its time.
type Dated = (Timestamp, Line);

fn gate_line(destination: Destination, event: GateEvent) -> Line {
    Line::Gate {
        at: event.at,
        destination: destination.to_string(),
        what: event.what,
        by: event.by,
        detail: event.detail,
    }
}

/// How a delivery stood before; how it stands is a line of its own.
fn step_lines(record: &DeliveryRecord) -> impl Iterator<Item = Dated> {
    let past = record.steps.iter().filter(|step| step.at < record.updated_at);
    past.map(|step| {
        let line = Line::Step {
            at: step.at,
            delivery: record.id.to_string(),
            state: step.state.name(),
            reason: step.reason.clone(),
            detail: step.detail.clone(),
            attempts: step.attempts,
        };
        (step.at, line)
    })
}

fn audit_line(audit: &Audit) -> Line {
    Line::Audit {
        at: audit.at,
        what: audit.what.clone(),
        subject: short(&audit.subject).to_owned(),
        who: audit.who.clone(),
        why: audit.why.clone(),
        note: audit.note.clone(),
    }
}
