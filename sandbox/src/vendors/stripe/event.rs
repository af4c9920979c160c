//! Events: written when something happens, kept for 30 days, listed newest first
//! (docs.stripe.com/api/events).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::params::Params;
use super::refusal::Refusal;
use super::{API_VERSION, Happening, new_id};
use crate::control::AnyEvent;

const LIST: [&str; 8] = [
    "created",
    "delivery_success",
    "ending_before",
    "expand",
    "limit",
    "starting_after",
    "type",
    "types",
];
const TYPES_LIMIT: usize = 20;
/// Older events are neither listed nor read.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// The account's events by the second they carry, oldest first.
#[derive(Default)]
pub(crate) struct Events(Vec<Record>);

struct Record {
    id: String,
    event: Value,
    delivery: Delivery,
}

/// How far an event has come to our endpoint.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Delivery {
    NotSubscribed,
    Pending,
    Done,
}

impl Record {
    fn shown(&self) -> Value {
        let mut event = self.event.clone();
        event["pending_webhooks"] = i64::from(self.delivery == Delivery::Pending).into();
        event
    }

    fn created(&self) -> i64 {
        self.event["created"].as_i64().unwrap_or(0)
    }

    fn is_kept(&self, now: Timestamp) -> bool {
        now.as_second() - self.created() <= KEPT_SECONDS
    }

    fn matches(&self, wanted: &Wanted<'_>) -> bool {
        let kind = self.event["type"].as_str().unwrap_or_default();
        let created = self.created();
        let delivered = match wanted.delivery_success {
            None => true,
            Some(true) => self.delivery == Delivery::Done,
            Some(false) => self.delivery == Delivery::Pending,
        };
        let typed = wanted.types.is_empty() || wanted.types.iter().any(|one| is_of(kind, one));
        typed && delivered && wanted.created.iter().all(|bound| bound.holds(created))
    }
}

/// `type` may end in a star: `charge.*`.
fn is_of(kind: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => kind == pattern,
    }
}

struct Wanted<'a> {
    types: Vec<&'a str>,
    delivery_success: Option<bool>,
    created: Vec<Bound>,
}

struct Bound {
    name: &'static str,
    second: i64,
}

impl Bound {
    fn holds(&self, created: i64) -> bool {
        match self.name {
            "created[gt]" => created > self.second,
            "created[gte]" => created >= self.second,
            "created[lt]" => created < self.second,
            "created[lte]" => created <= self.second,
            _ => created == self.second,
        }
    }
}

impl Events {
    /// Writes that something happened; the answer is the event's id.
    pub(super) fn record(
        &mut self,
        kind: &str,
        object: &Value,
        previous: Option<Value>,
        cause: Value,
        now: Timestamp,
    ) -> String {
        let mut data = json!({ "object": object });
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let id = new_id("evt", 24);
        let event = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": now.as_second(),
            "data": data,
            "livemode": false,
            "pending_webhooks": 1,
            "request": cause,
            "type": kind,
        });
        self.keep(Record { id: id.clone(), event, delivery: Delivery::NotSubscribed });
        id
    }

    /// Puts an event behind all that are as old or older.
    fn keep(&mut self, record: Record) {
        let place = self.0.partition_point(|known| known.created() <= record.created());
        self.0.insert(place, record);
    }

    /// Writes an event that a control call made up; a known id stays the event it was.
    pub(crate) fn invent(&mut self, asked: AnyEvent, now: Timestamp) -> Happening {
        if let Some(known) = asked.id.as_deref().filter(|id| self.find(id).is_some()) {
            return Happening { about: json!({}), events: vec![known.to_owned()] };
        }
        let cause = json!({ "id": null, "idempotency_key": null });
        let written =
            self.record(&asked.kind, &asked.object, asked.previous_attributes, cause, now);
        let place = self.find(&written);
        let id = asked.id.unwrap_or(written);
        if let Some(place) = place {
            let mut record = self.0.remove(place);
            record.id.clone_from(&id);
            record.event["id"] = id.as_str().into();
            record.event["livemode"] = asked.livemode.into();
            record.event["api_version"] =
                asked.api_version.as_deref().unwrap_or(API_VERSION).into();
            record.event["created"] = asked.created.unwrap_or(now.as_second()).into();
            self.keep(record);
        }
        Happening { about: json!({}), events: vec![id] }
    }

    /// The event's envelope for its webhook; from now on it counts as pending.
    pub(crate) fn begin_delivery(&mut self, id: &str) -> Option<Value> {
        let place = self.find(id)?;
        let record = self.0.get_mut(place)?;
        if record.delivery == Delivery::NotSubscribed {
            record.delivery = Delivery::Pending;
        }
        Some(record.event.clone())
    }

    /// Our endpoint answered 2xx.
    pub(crate) fn delivered(&mut self, id: &str) {
        if let Some(record) = self.find(id).and_then(|place| self.0.get_mut(place)) {
            record.delivery = Delivery::Done;
        }
    }

    pub(super) fn get(&self, id: &str, now: Timestamp) -> Result<Value, Refusal> {
        let record = self.find(id).and_then(|place| self.0.get(place));
        let record = record.filter(|record| record.is_kept(now));
        record.map(Record::shown).ok_or_else(|| Refusal::no_such("event", "id", id))
    }

    pub(super) fn list(&self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        params.only(&LIST)?;
        let wanted = read_wanted(params)?;
        let limit = params.limit()?;
        params.not_both("starting_after", "ending_before")?;
        let (older_than, newer_than) =
            (self.cursor(params, "starting_after")?, self.cursor(params, "ending_before")?);
        let matching = |record: &&Record| record.is_kept(now) && record.matches(&wanted);
        let (data, has_more): (Vec<Value>, bool) = match newer_than {
            // The page just before the cursor: its oldest are nearest, and it is still newest first.
            Some(place) => {
                let newer: Vec<&Record> = self.0[place + 1..].iter().filter(matching).collect();
                (
                    newer.iter().take(limit).rev().map(|one| one.shown()).collect(),
                    newer.len() > limit,
                )
            }
            None => {
                let end = older_than.unwrap_or(self.0.len());
                let older: Vec<&Record> = self.0[..end].iter().rev().filter(matching).collect();
                (older.iter().take(limit).map(|one| one.shown()).collect(), older.len() > limit)
            }
        };
        Ok(json!({ "object": "list", "url": "/v1/events", "has_more": has_more, "data": data }))
    }

    fn cursor(&self, params: &Params, name: &str) -> Result<Option<usize>, Refusal> {
        let Some(id) = params.one(name) else { return Ok(None) };
        self.find(id).map(Some).ok_or_else(|| Refusal::no_such("event", name, id))
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.0.iter().rposition(|record| record.id == id)
    }
}

fn read_wanted(params: &Params) -> Result<Wanted<'_>, Refusal> {
    params.not_both("type", "types")?;
    if params.one("created").is_none() {
        params.only_within("created", &["gt", "gte", "lt", "lte"])?;
    }
    let mut types = params.list("types");
    if types.len() > TYPES_LIMIT {
        return Err(Refusal::validation("You may pass up to 20 types.").with_param("types"));
    }
    types.extend(params.one("type"));
    let delivery_success = params.word("delivery_success", &["true", "false"])?;
    let mut created = Vec::new();
    for name in ["created", "created[gt]", "created[gte]", "created[lt]", "created[lte]"] {
        if let Some(second) = params.integer(name)? {
            created.push(Bound { name, second });
        }
    }
    Ok(Wanted { types, delivery_success: delivery_success.map(|word| word == "true"), created })
}
