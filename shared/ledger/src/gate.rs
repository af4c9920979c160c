//! A destination's gate, shared by all instances: its circuit breaker, a person's pause, the calls
//! that were counted, and the slots of its budget. Each is an item of its own, so that none is hot:
//!
//! | sk | holds | written |
//! |---|---|---|
//! | `GATE` | the breaker and the pause | when one changes |
//! | `CALLS#<bucket>` | calls made and failed in ten seconds | added to by each instance, once in ten seconds or after a failure |
//! | `BUDGET` | the next free slot | added to by each call of a vendor with a limit |
//! | `HISTORY#<time>#<what>` | what became of the gate, and by whom | with a person's change, after the breaker's |

mod breaker;
mod budget;

pub use breaker::{Probe, Probing};

use crate::item::{Item, get_count, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, written};
use crate::{Completed, Ledger, Mended, Unavailable};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, Update};
use domain::destination::Destination;
use domain::gate::{Breaker, Cause, Gate, Pause, Trip};
use jiff::{SignedDuration, Timestamp};

/// How long a gate's history is kept.
const HISTORY: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Who changes a gate where no person does.
pub const BREAKER: &str = "breaker";

/// Something that became of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateEvent {
    /// When.
    pub at: Timestamp,
    /// What: `opened`, `reopened`, `closed`, `paused`, `resumed`.
    pub what: String,
    /// Who did it: a person, or [`BREAKER`].
    pub by: String,
    /// A sentence for a person.
    pub detail: String,
}

impl Ledger {
    /// Reads a destination's gate.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn gate(&self, destination: Destination) -> Result<Gate, Unavailable> {
        let pk = key::destination(destination);
        let item = self.item("read a destination's gate", pk, key::GATE).await?;
        Ok(item.as_ref().map(decode).unwrap_or_default())
    }

    /// Pauses a destination, or keeps the pause that there is.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn pause(
        &self,
        destination: Destination,
        pause: &Pause,
    ) -> Result<Completed, Unavailable> {
        let update = self
            .update_gate(destination)
            .update_expression("SET paused_at = :at, paused_by = :by, paused_why = :why")
            .condition_expression("attribute_not_exists(paused_at)")
            .expression_attribute_values(":at", time(pause.since))
            .expression_attribute_values(":by", text(&pause.by))
            .expression_attribute_values(":why", text(&pause.why));
        let event = GateEvent { by: pause.by.clone(), ..event(pause.since, "paused", &pause.why) };
        self.by_hand(&update, destination, &event).await
    }

    /// Resumes a destination: takes a pause away, and closes its breaker. What waits for the gate
    /// goes out within minutes; where nothing was mended, the breaker opens again.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn resume(
        &self,
        destination: Destination,
        by: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<Completed, Unavailable> {
        let update = closing(self.update_gate(destination), now, PAUSE)
            .condition_expression("attribute_exists(paused_at) OR breaker = :open")
            .expression_attribute_values(":open", text(OPEN));
        let event = GateEvent { by: by.to_owned(), ..event(now, "resumed", why) };
        self.by_hand(&update, destination, &event).await
    }

    /// What became of a gate since a moment, in order of time.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn gate_history(
        &self,
        destination: Destination,
        since: Timestamp,
    ) -> Result<Vec<GateEvent>, Unavailable> {
        let items = self.query_all(&key::destination(destination), key::HISTORY).await?;
        let events = items.iter().filter_map(decode_event);
        Ok(events.filter(|event| event.at >= since).collect())
    }

    /// Makes a person's change of a gate together with its entry in the history: both are there, or
    /// none, so that nobody's name or reason is lost.
    async fn by_hand(
        &self,
        update: &UpdateItemFluentBuilder,
        destination: Destination,
        event: &GateEvent,
    ) -> Result<Completed, Unavailable> {
        let entry = Put::builder()
            .table_name(&self.table)
            .item(PK, text(key::destination(destination)))
            .item(SK, text(key::history(event.at, &event.what)));
        let entry = kept(event).into_iter().fold(entry, |put, (name, value)| put.item(name, value));
        let entry = entry.build().map_err(|_| Unavailable::unreadable(CHANGE))?;
        match self.with_audit(CHANGE, part(update), entry).await? {
            Mended::Done => Ok(Completed::Landed),
            Mended::Changed => Ok(Completed::Fenced),
        }
    }

    /// Sends a change that the breaker makes, and notes it where it landed: the role of whoever calls
    /// a vendor lets it update items, and put none.
    async fn change(
        &self,
        update: UpdateItemFluentBuilder,
        destination: Destination,
        event: GateEvent,
    ) -> Result<Completed, Unavailable> {
        match written(CHANGE, update.send().await)? {
            Written::Landed(_) => self.note(destination, &event).await.map(|()| Completed::Landed),
            Written::Refused(_) => Ok(Completed::Fenced),
        }
    }

    async fn note(&self, destination: Destination, event: &GateEvent) -> Result<(), Unavailable> {
        let update = self
            .update(destination, &key::history(event.at, &event.what))
            .update_expression(
                "SET #at = :at, what = :what, changed_by = :changed_by, detail = :detail, \
                 expires_at = :expires_at",
            )
            .expression_attribute_names("#at", "at");
        kept(event)
            .into_iter()
            .fold(update, |update, (name, value)| {
                update.expression_attribute_values(format!(":{name}"), value)
            })
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Unavailable::from_sdk("note a change of a gate", &error))
    }

    fn update_gate(&self, destination: Destination) -> UpdateItemFluentBuilder {
        self.update(destination, key::GATE)
    }

    fn update(&self, destination: Destination, sk: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::destination(destination)))
            .key(SK, text(sk))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

const CHANGE: &str = "change a destination's gate";
const OPEN: &str = "open";
const CLOSED: &str = "closed";
/// What a pause consists of, behind other names of attributes.
const PAUSE: &str = ", paused_at, paused_by, paused_why";

fn opening(update: UpdateItemFluentBuilder, trip: &Trip) -> UpdateItemFluentBuilder {
    update
        .update_expression(
            "SET breaker = :open, cause = :cause, detail = :detail, since_at = :since, \
             until_at = :until, trips = :trips REMOVE #round, round_ends, probes",
        )
        .expression_attribute_names("#round", "round")
        .expression_attribute_values(":open", text(OPEN))
        .expression_attribute_values(":cause", text(trip.cause.name()))
        .expression_attribute_values(":detail", text(&trip.detail))
        .expression_attribute_values(":since", time(trip.since))
        .expression_attribute_values(":until", time(trip.until))
        .expression_attribute_values(":trips", number(i64::from(trip.count)))
}

/// Closes a breaker, and takes away what else is named: a pause is lifted by a person alone.
fn closing(
    update: UpdateItemFluentBuilder,
    now: Timestamp,
    removed: &str,
) -> UpdateItemFluentBuilder {
    update
        .update_expression(format!(
            "SET breaker = :closed, closed_at = :now REMOVE cause, detail, since_at, until_at, \
             trips, #round, round_ends, probes{removed}",
        ))
        .expression_attribute_names("#round", "round")
        .expression_attribute_values(":closed", text(CLOSED))
        .expression_attribute_values(":now", time(now))
}

/// An update as a part of a transaction.
fn part(update: &UpdateItemFluentBuilder) -> UpdateBuilder {
    Update::builder()
        .set_table_name(update.get_table_name().clone())
        .set_key(update.get_key().clone())
        .set_update_expression(update.get_update_expression().clone())
        .set_condition_expression(update.get_condition_expression().clone())
        .set_expression_attribute_names(update.get_expression_attribute_names().clone())
        .set_expression_attribute_values(update.get_expression_attribute_values().clone())
}

/// What the history keeps of a change, attribute by attribute, its own end among them.
fn kept(event: &GateEvent) -> [(&'static str, AttributeValue); 5] {
    let gone = event.at.saturating_add(HISTORY).unwrap_or(Timestamp::MAX);
    [
        ("at", time(event.at)),
        ("what", text(&event.what)),
        ("changed_by", text(&event.by)),
        ("detail", text(&event.detail)),
        ("expires_at", number(gone.as_second())),
    ]
}

fn event(at: Timestamp, what: &str, detail: &str) -> GateEvent {
    GateEvent { at, what: what.to_owned(), by: BREAKER.to_owned(), detail: detail.to_owned() }
}

fn decode_event(item: &Item) -> Option<GateEvent> {
    Some(GateEvent {
        at: get_time(item, "at")?,
        what: get_text(item, "what")?.to_owned(),
        by: get_text(item, "changed_by").unwrap_or(BREAKER).to_owned(),
        detail: get_text(item, "detail").unwrap_or_default().to_owned(),
    })
}

fn decode(item: &Item) -> Gate {
    let word = |name| get_text(item, name).unwrap_or_default().to_owned();
    let paused = get_time(item, "paused_at");
    Gate {
        breaker: decode_trip(item).map_or(Breaker::Closed, Breaker::Open),
        closed_at: get_time(item, "closed_at"),
        paused: paused.map(|since| Pause { since, by: word("paused_by"), why: word("paused_why") }),
    }
}

fn decode_trip(item: &Item) -> Option<Trip> {
    if get_text(item, "breaker") != Some(OPEN) {
        return None;
    }
    Some(Trip {
        cause: Cause::named(get_text(item, "cause")?)?,
        detail: get_text(item, "detail").unwrap_or_default().to_owned(),
        since: get_time(item, "since_at")?,
        until: get_time(item, "until_at")?,
        count: get_count(item, "trips"),
    })
}
