//! Stripe's API v1, as far as we use it: PaymentIntents, charges, refunds, events, webhook endpoints,
//! and the customer.
//!
//! docs.stripe.com/api (authentication, errors, idempotent requests, metadata, payment_intents,
//! refunds, events, webhook_endpoints), docs.stripe.com/currencies, docs.stripe.com/changelog (endive) and the
//! parameter types of the official Node SDK. The account's own API version, which shapes its
//! events, is [`API_VERSION`]. Stricter than Stripe: live keys are refused, and `confirm` is not
//! played, since the customer pays through `POST /_control/pay`.

mod charge;
mod endpoint;
mod event;
mod idempotency;
mod intent;
mod params;
mod payment;
mod refund;
mod refusal;

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::exchange::{Answer, Request};
use crate::vendor::Vendor;
use crate::webhook::Endpoint;
use event::Events;
use idempotency::{Keys, Use};
use params::Params;
use refusal::Refusal;

/// The version of the account and of its webhook endpoint.
pub(crate) const API_VERSION: &str = "2026-10-28.endive";
/// docs.stripe.com/api/idempotent_requests
const KEY_LIMIT: usize = 255;

/// One Stripe account in test mode.
#[derive(Default)]
pub(crate) struct Account {
    intents: BTreeMap<String, Value>,
    charges: BTreeMap<String, Value>,
    refunds: BTreeMap<String, Value>,
    keys: Keys,
    pub(crate) events: Events,
}

/// What the customer's attempt comes to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Succeeded,
    Declined,
    Processing,
}

/// What a control call did: something to show, and the events that tell of it.
pub(crate) struct Happening {
    pub(crate) about: Value,
    pub(crate) events: Vec<String>,
}

/// Why a control call did nothing.
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) why: String,
}

/// What an API call did: the object it answers, and the events that must be delivered.
struct Done {
    object: Value,
    events: Vec<String>,
}

impl From<Value> for Done {
    fn from(object: Value) -> Self {
        Self { object, events: Vec::new() }
    }
}

/// What a call is made under.
struct Context {
    now: Timestamp,
    /// The date of the API version: `2026-10-28`.
    version: String,
    request_id: String,
    key: Option<String>,
    /// Where webhooks go.
    endpoint: Endpoint,
}

impl Context {
    /// Who caused an event, as events tell it.
    fn cause(&self) -> Value {
        serde_json::json!({ "id": self.request_id, "idempotency_key": self.key })
    }
}

impl Account {
    /// Answers one request to Stripe.
    pub(crate) fn answer(
        &mut self,
        request: &Request,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Answer {
        let asked = request.header("stripe-version").unwrap_or(API_VERSION).to_owned();
        let context = Context {
            now,
            version: asked.chars().take(10).collect(),
            request_id: new_id("req", 14),
            key: request.header("idempotency-key").map(ToOwned::to_owned),
            endpoint: endpoint.clone(),
        };
        let answered = check_door(request, &asked).and_then(|()| self.dispatch(request, &context));
        let mut answer = answered.unwrap_or_else(|refusal| refusal.answer(&context.request_id));
        if let Some(key) = &context.key {
            answer = answer.with_header("idempotency-key", key.clone());
        }
        answer.with_header("request-id", context.request_id).with_header("stripe-version", asked)
    }

    fn dispatch(&mut self, request: &Request, context: &Context) -> Result<Answer, Refusal> {
        if request.method == Method::GET {
            return self.get(request, context).map(|object| Answer::json(200, object));
        }
        if request.method != Method::POST {
            return Err(Refusal::unknown_url(request));
        }
        if !request.body.is_empty() && request.media_type() != "application/x-www-form-urlencoded" {
            return Err(Refusal::validation(
                "Invalid request (check that your POST content type is application/x-www-form-urlencoded).",
            ));
        }
        let Some(key) = &context.key else { return self.post(request, context) };
        if key.is_empty() || key.chars().count() > KEY_LIMIT {
            return Err(Refusal::validation("Idempotency keys must be 1 to 255 characters long."));
        }
        let fingerprint = idempotency::fingerprint(request);
        match self.keys.look_up(key, &fingerprint) {
            Use::Replayed(answer) => return Ok(answer),
            Use::Taken => return Err(Refusal::key_in_use()),
            Use::OtherParameters => return Err(Refusal::other_parameters(key)),
            Use::First => {}
        }
        match self.post(request, context) {
            Err(refusal) if !refusal.executed => Err(refusal),
            answered => {
                let answer = answered.unwrap_or_else(|refusal| refusal.answer(&context.request_id));
                self.keys.store(key, fingerprint, &answer, &context.request_id);
                Ok(answer)
            }
        }
    }

    fn get(&self, request: &Request, context: &Context) -> Result<Value, Refusal> {
        let params = Params::read(request.query_pairs());
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["v1", "events"] => self.events.list(&params, context.now),
            ["v1", "events", id] => self.events.get(id, context.now),
            ["v1", "webhook_endpoints"] => endpoint::list(&params, &context.endpoint),
            ["v1", "payment_intents", id] => self.get_intent(id, &params),
            ["v1", "charges", id] => found(&self.charges, "charge", id),
            ["v1", "refunds", id] => found(&self.refunds, "refund", id),
            _ => Err(Refusal::unknown_url(request)),
        }
    }

    fn post(&mut self, request: &Request, context: &Context) -> Result<Answer, Refusal> {
        let params = Params::read(request.form_pairs());
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let done = match path.as_slice() {
            ["v1", "payment_intents"] => self.create_intent(&params, context),
            ["v1", "payment_intents", id] => self.update_intent(id, &params, context),
            ["v1", "payment_intents", id, "cancel"] => self.cancel_intent(id, &params, context),
            ["v1", "refunds"] => self.create_refund(&params, context),
            _ => Err(Refusal::unknown_url(request)),
        }?;
        let mut answer = Answer::json(200, done.object);
        answer.events = done.events;
        Ok(answer)
    }

    /// Marks the call's key as in use; `None` when there is nothing to mark.
    pub(crate) fn hold(&mut self, vendor: Vendor, request: &Request) -> Option<String> {
        let key = request.header("idempotency-key").filter(|_| vendor == Vendor::Stripe)?;
        self.keys.hold(key).then(|| key.to_owned())
    }

    /// Ends what [`Account::hold`] began.
    pub(crate) fn release(&mut self, key: &str) {
        self.keys.release(key);
    }

    /// Stripe stores a 500 under its key like any other answer; what never reached it, it cannot.
    pub(crate) fn remember_failure(&mut self, request: &Request, answer: &Answer) {
        let key = request.header("idempotency-key");
        if let Some(key) = key.filter(|_| request.method == Method::POST && answer.status == 500) {
            self.keys.store_if_absent(key, idempotency::fingerprint(request), answer);
        }
    }
}

fn check_door(request: &Request, version: &str) -> Result<(), Refusal> {
    let key = request.bearer().ok_or_else(Refusal::no_key)?;
    let secret = key.starts_with("sk_") || key.starts_with("rk_");
    if !secret || key.contains("_live_") {
        return Err(Refusal::bad_key());
    }
    let date = version.split('.').next().unwrap_or_default();
    if date.parse::<jiff::civil::Date>().is_err() || date.len() != 10 {
        return Err(Refusal::validation(format!("Invalid Stripe API version: {version}")));
    }
    Ok(())
}

fn found(all: &BTreeMap<String, Value>, kind: &str, id: &str) -> Result<Value, Refusal> {
    all.get(id).cloned().ok_or_else(|| Refusal::no_such(kind, "id", id))
}

/// A new id in Stripe's manner: `pi_` and letters and digits.
fn new_id(prefix: &str, length: usize) -> String {
    let tail: String = std::iter::repeat_with(fastrand::alphanumeric).take(length).collect();
    format!("{prefix}_{tail}")
}

/// A refusal in Stripe's shape.
pub(crate) fn fault(status: u16) -> Answer {
    if status < 400 {
        return Answer::empty(status);
    }
    let request_id = new_id("req", 14);
    Refusal::of_status(status).answer(&request_id).with_header("request-id", request_id)
}
