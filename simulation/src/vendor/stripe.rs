//! Stripe: intents under idempotency keys, and the list of what it told. What it answered under a key
//! it answers again; the same key for another call it refuses, as <https://docs.stripe.com/api/idempotent_requests> says.

use super::server::Request;
use super::{Answer, Vendors};
use crate::clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::form_urlencoded::parse;

/// What Stripe holds.
#[derive(Default, Clone)]
pub(crate) struct Stripe {
    /// Intents, by id.
    pub(crate) intents: BTreeMap<String, Value>,
    /// What it told, or will have told when its time has come.
    pub(crate) events: Vec<Value>,
    /// What was answered under each key, and to what.
    answered: BTreeMap<String, (String, Value)>,
}

impl Vendors {
    /// Stripe's answer.
    pub(super) fn ask_stripe(&mut self, request: &Request) -> Answer {
        let path = request.path.trim_start_matches("/stripe/v1/");
        let stripe = &mut self.stripe;
        match (request.method.as_str(), path.split_once('/')) {
            ("GET", None) if path == "events" => stripe.list(&request.query),
            ("GET", None) if path == "webhook_endpoints" => found(json!({"data": [
                {"url": "https://api.example.pt/webhooks/stripe", "status": "enabled"}]})),
            ("GET", Some(("payment_intents", id))) => {
                stripe.intents.get(id).cloned().map_or_else(unknown, found)
            }
            ("POST", _) => stripe.once(request, path),
            _ => unknown(),
        }
    }
}

impl Stripe {
    /// A call under a key, carried out once.
    fn once(&mut self, request: &Request, path: &str) -> Answer {
        let call = format!("{path} {}", request.text);
        if let Some((before, answer)) = self.answered.get(&request.key) {
            let reused = json!({"error": {"type": "idempotency_error"}});
            let same = *before == call;
            return if same { found(answer.clone()) } else { Answer { status: 400, body: reused } };
        }
        let form: BTreeMap<String, String> = parse(request.text.as_bytes()).into_owned().collect();
        let answer = match path.split_once('/') {
            None => self.create(&form),
            Some((_, id)) => match self.intents.get_mut(id) {
                None => return unknown(),
                Some(intent) => {
                    note(intent, &form);
                    intent.clone()
                }
            },
        };
        self.answered.insert(request.key.clone(), (call, answer.clone()));
        found(answer)
    }

    /// The first intent of a journey has the journey's number, by which the other samples name it.
    fn create(&mut self, form: &BTreeMap<String, String>) -> Value {
        let journey = form.get("metadata[event_id]").map_or("", String::as_str);
        let digits = journey.get(journey.len().saturating_sub(8)..).unwrap_or_default();
        let mut id = format!("pi_{}", u64::from_str_radix(digits, 16).unwrap_or_default());
        while self.intents.contains_key(&id) {
            id.push_str("_again");
        }
        let amount = form.get("amount").and_then(|text| text.parse::<i64>().ok());
        let mut intent = json!({"id": id, "client_secret": format!("{id}_secret_1"),
            "status": "requires_payment_method", "amount": amount.unwrap_or_default(),
            "currency": form.get("currency"), "metadata": {}});
        note(&mut intent, form);
        self.intents.insert(id, intent.clone());
        intent
    }

    /// What happened until now, newest first.
    fn list(&self, query: &str) -> Answer {
        let asked: Vec<(String, String)> = parse(query.as_bytes()).into_owned().collect();
        let one = |name: &str| asked.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        let number = |name: &str| one(name).and_then(|text| text.parse::<i64>().ok());
        let (from, until) = (number("created[gte]"), number("created[lt]"));
        let most = usize::try_from(number("limit").unwrap_or(10)).unwrap_or(10);
        let is_asked = |event: &&Value| {
            let created = event["created"].as_i64().unwrap_or_default();
            let of_type =
                |(name, value): &(String, String)| name == "types[]" && event["type"] == **value;
            created * 1000 <= clock::now()
                && from.is_none_or(|from| created >= from)
                && until.is_none_or(|until| created < until)
                && asked.iter().any(of_type)
        };
        let mut events: Vec<&Value> = self.events.iter().filter(is_asked).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event["created"].as_i64()));
        let after =
            one("starting_after").and_then(|id| events.iter().position(|e| e["id"] == **id));
        let rest = &events[after.map_or(0, |at| at + 1)..];
        let page = &rest[..most.min(rest.len())];
        found(json!({"object": "list", "data": page, "has_more": page.len() < rest.len()}))
    }
}

/// Writes metadata beside an intent.
fn note(intent: &mut Value, form: &BTreeMap<String, String>) {
    for (name, value) in form {
        let key = name.strip_prefix("metadata[").and_then(|rest| rest.strip_suffix(']'));
        if let Some(key) = key {
            intent["metadata"][key] = json!(value);
        }
    }
}

fn found(body: Value) -> Answer {
    Answer { status: 200, body }
}

fn unknown() -> Answer {
    let error = json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}});
    Answer { status: 404, body: error }
}
