//! The control API: what tests and the demo use to look, to break things and to play the customer.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::clock;
use crate::exchange::Answer;
use crate::fault::Fault;
use crate::vendor::Vendor;
use crate::vendors::stripe::{Happening, Outcome, Refused};
use crate::webhook::{self, Schedule};
use crate::world::World;

type Shared = State<Arc<World>>;

/// Why a control call was not done.
pub(crate) struct Complaint(u16, String);

impl Complaint {
    fn new(text: impl Into<String>) -> Self {
        Self(400, text.into())
    }
}

impl From<Refused> for Complaint {
    fn from(refused: Refused) -> Self {
        Self(refused.status, refused.why)
    }
}

impl IntoResponse for Complaint {
    fn into_response(self) -> Response {
        Answer::json(self.0, json!({ "error": self.1 })).into_response()
    }
}

type Reply = Result<Response, Complaint>;

fn reply(value: Value) -> Response {
    Answer::json(200, value).into_response()
}

/// Scripts send JSON with and without a content type; both are read.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Complaint> {
    serde_json::from_slice(body).map_err(|error| Complaint::new(error.to_string()))
}

/// `GET /_control/health`
pub(crate) async fn health() -> Response {
    reply(json!({ "ok": true }))
}

/// Any other path of the control API.
pub(crate) async fn unknown() -> Complaint {
    Complaint(404, "the control API has no such call".to_owned())
}

/// `GET /_control/requests?vendor=V`: a list, oldest first.
pub(crate) async fn requests(
    State(world): Shared,
    Query(query): Query<HashMap<String, String>>,
) -> Reply {
    let vendor = match query.get("vendor") {
        Some(name) => Some(Vendor::named(name).ok_or_else(|| Complaint::new("unknown vendor"))?),
        None => None,
    };
    Ok(reply(world.known().journal.shown(vendor).into()))
}

/// `GET /_control/faults`: those that still wait for requests.
pub(crate) async fn faults(State(world): Shared) -> Response {
    reply(json!(world.known().faults.waiting()))
}

/// `POST /_control/faults`
pub(crate) async fn set_fault(State(world): Shared, body: Bytes) -> Reply {
    let fault: Fault = read(&body)?;
    if let Some(complaint) = fault.complaint() {
        return Err(Complaint::new(complaint));
    }
    let mut known = world.known();
    known.faults.set(fault);
    Ok(reply(json!({ "faults": known.faults.waiting() })))
}

/// `POST /_control/reset`
pub(crate) async fn reset(State(world): Shared) -> Response {
    world.known().reset();
    reply(json!({ "reset": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetWebhook {
    url: Option<String>,
    secret: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// `POST /_control/webhook`: where Stripe's events go from now on; null stops them, and so does
/// `enabled: false`, as if Stripe had disabled the endpoint.
pub(crate) async fn set_webhook(State(world): Shared, body: Bytes) -> Reply {
    let wanted: SetWebhook = read(&body)?;
    if wanted.url.as_deref().is_some_and(|url| reqwest::Url::parse(url).is_err()) {
        return Err(Complaint::new("url is not an address"));
    }
    if wanted.secret.as_deref().is_some_and(|secret| !secret.starts_with("whsec_")) {
        return Err(Complaint::new("secret must begin with whsec_"));
    }
    let mut known = world.known();
    known.endpoint.url = wanted.url;
    known.endpoint.enabled = wanted.enabled;
    if let Some(secret) = wanted.secret {
        known.endpoint.secret = secret;
    }
    Ok(reply(json!({ "url": known.endpoint.url, "enabled": known.endpoint.enabled })))
}

/// The parts of a call that say how its events are delivered.
#[derive(Deserialize)]
struct Delivery {
    /// With 0 the events are written and never sent: Stripe could not reach us.
    #[serde(default = "one")]
    deliveries: u32,
    #[serde(default)]
    shuffle: bool,
    #[serde(default)]
    concurrent: bool,
}

fn one() -> u32 {
    1
}

impl Delivery {
    fn schedule(&self) -> Result<Schedule, Complaint> {
        if self.deliveries > 1_000 {
            return Err(Complaint::new("deliveries must be at most 1000"));
        }
        Ok(Schedule {
            deliveries: self.deliveries,
            shuffle: self.shuffle,
            concurrent: self.concurrent,
        })
    }
}

#[derive(Deserialize)]
struct Pay {
    payment_intent_id: String,
    outcome: Outcome,
    /// How long ago it happened.
    #[serde(default)]
    ago_seconds: u32,
    #[serde(flatten)]
    delivery: Delivery,
}

/// `POST /_control/pay`: the customer pays, or tries to, in the browser.
pub(crate) async fn pay(State(world): Shared, body: Bytes) -> Reply {
    let wanted: Pay = read(&body)?;
    let schedule = wanted.delivery.schedule()?;
    let at = ago(wanted.ago_seconds);
    let happening = world.known().stripe.pay(&wanted.payment_intent_id, wanted.outcome, at)?;
    Ok(tell(&world, happening, schedule).await)
}

#[derive(Deserialize)]
struct Refund {
    payment_intent_id: String,
    amount: Option<i64>,
    /// How long ago it happened.
    #[serde(default)]
    ago_seconds: u32,
    #[serde(flatten)]
    delivery: Delivery,
}

/// `POST /_control/refund`: somebody refunds in Stripe's dashboard; all that is left, by default.
pub(crate) async fn refund(State(world): Shared, body: Bytes) -> Reply {
    let wanted: Refund = read(&body)?;
    let schedule = wanted.delivery.schedule()?;
    let happening = world.known().stripe.refund_by_hand(
        &wanted.payment_intent_id,
        wanted.amount,
        ago(wanted.ago_seconds),
    )?;
    Ok(tell(&world, happening, schedule).await)
}

fn ago(seconds: u32) -> Timestamp {
    clock::now() - SignedDuration::from_secs(i64::from(seconds))
}

/// An event of any type, with any object.
#[derive(Deserialize)]
pub(crate) struct AnyEvent {
    pub(crate) id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) object: Value,
    pub(crate) previous_attributes: Option<Value>,
    pub(crate) api_version: Option<String>,
    pub(crate) created: Option<i64>,
    #[serde(default)]
    pub(crate) livemode: bool,
    #[serde(flatten)]
    delivery: Delivery,
}

/// `POST /_control/event`: sends any signed event; the same `id` again is the same event again.
pub(crate) async fn event(State(world): Shared, body: Bytes) -> Reply {
    let wanted: AnyEvent = read(&body)?;
    let schedule = wanted.delivery.schedule()?;
    let happening = world.known().stripe.events.invent(wanted, clock::now());
    Ok(tell(&world, happening, schedule).await)
}

async fn tell(world: &Arc<World>, happening: Happening, schedule: Schedule) -> Response {
    let events = webhook::send(world, &happening.events, schedule).await;
    let mut told = happening.about;
    told["events"] = events.into();
    reply(told)
}
