//! What AWS, Stripe, a page or a person makes of a run's end.

use super::{Ended, Run, Work};
use crate::clock;
use crate::fault::Function;
use crate::queue;
use crate::story::Said;
use crate::world;
use serde_json::Value;
use std::collections::BTreeSet;

/// How often the mapping of the stream repeats a batch, as `template.yaml` says.
const STREAM_TRIES: u32 = 11;
/// How often Stripe repeats an event, within three days.
const STRIPE_TRIES: u32 = 16;
/// How often a page repeats what was not answered.
const PAGE_TRIES: u32 = 40;
/// How long the reconciler's rule lets go by between two runs, as `template.yaml` says.
const QUARTER: i64 = 15 * 60_000;
/// After how long a person looks again whether their command did what they wanted.
const LOOKS_AGAIN: i64 = 10 * 60_000;

impl Run {
    /// What becomes of it; `None` where it died.
    pub(super) fn finish(&mut self, work: Work, ended: Option<Ended>) {
        match (work, ended) {
            (Work::Say(at), Some(Ended::Http(answer))) => self.answered(at, &answer),
            (Work::Say(at), _) => self.answered(at, &Value::Null),
            (Work::Dispatch { records, tries }, ended) => {
                if !matches!(ended, Some(Ended::Stream(true))) && tries + 1 < STREAM_TRIES {
                    self.retries.push((clock::now() + 1000, records, tries + 1));
                }
            }
            (Work::Consume { queue, ids, .. }, Some(Ended::Batch(answer))) => {
                batch_answered(queue, ids, &answer);
            }
            (Work::Reconcile, ended) => {
                let lived = matches!(ended, Some(Ended::Reconciled));
                let is_over = lived && world::with(|world| world.is_reconciled());
                self.reconciles_at = (!is_over).then_some(clock::now() + QUARTER);
            }
            (Work::Redrive, ended) => {
                let nothing_left = matches!(ended, Some(Ended::Redriven(Some(0))));
                self.redrives_at = (!nothing_left).then_some(clock::now() + LOOKS_AGAIN);
            }
            // Nothing is deleted: the messages come back when their time is over.
            (Work::Consume { .. } | Work::Sweep, _) => {}
        }
    }

    fn answered(&mut self, at: usize, answer: &Value) {
        let status = answer["statusCode"].as_u64().unwrap_or(0);
        let telling = &mut self.tellings[at];
        telling.tries += 1;
        let (most, wait) = match telling.said.to {
            Function::Webhook => (STRIPE_TRIES, 60_000 << telling.tries.min(8)),
            Function::Lead
            | Function::Consent
            | Function::Checkout
            | Function::Dispatcher
            | Function::Consumer(_)
            | Function::Sweeper
            | Function::Reconciler
            | Function::Redrive => (PAGE_TRIES, 1_000 << telling.tries.min(6)),
        };
        if status / 100 == 2 {
            (telling.over, telling.acknowledged) = (true, true);
            promise(&telling.said, &mut self.promised);
            if telling.said.to == Function::Checkout {
                can_be_paid(&telling.said, answer);
            }
            return;
        }
        if status / 100 == 4 && status != 429 {
            let what = format!("{} was refused with {status}", telling.said.name);
            world::with(|world| world.violations.push(what));
        }
        telling.over = telling.tries >= most;
        telling.next_at = clock::now() + wait;
    }
}

/// SQS deletes what was worked; an answer that names what was not in the batch fails it all.
fn batch_answered(queue: &'static str, mut ids: Vec<String>, answer: &Value) {
    let none = Vec::new();
    let failures = answer["batchItemFailures"].as_array().unwrap_or(&none);
    let named: Vec<&str> =
        failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str()).collect();
    if named.len() < failures.len() || named.iter().any(|name| !ids.iter().any(|id| id == name)) {
        let what = format!("a batch of {queue} was answered with a message that was not in it");
        world::with(|world| world.violations.push(what));
        return;
    }
    ids.retain(|id| !named.contains(&id.as_str()));
    world::with(|world| world.queues.delete(&queue::url(queue), &ids));
}

/// A 2xx is a promise: the fact must be there at this moment.
fn promise(said: &Said, promised: &mut BTreeSet<(String, String)>) {
    let (pk, sk) = &said.fact;
    let found = world::with(|world| {
        let range = world.table.items.range((pk.clone(), sk.clone())..);
        range.map(|(key, _)| key.clone()).find(|key| key.0 == *pk && key.1.starts_with(sk.as_str()))
    });
    match found {
        Some(key) => {
            promised.insert(key);
        }
        None => {
            let what = format!("{} was answered with 2xx and is not stored", said.name);
            world::with(|world| world.violations.push(what));
        }
    }
}

/// What a page was given to pay with must be open at Stripe, and the ledger must know whose it is:
/// Stripe's events about it carry no more.
fn can_be_paid(said: &Said, answer: &Value) {
    let body = answer["body"].as_str().unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let intent = body["payment_intent_id"].as_str().unwrap_or_default();
    world::with(|world| {
        let name = &said.name;
        if !world.vendors.stripe.intents.contains_key(intent) {
            world.violations.push(format!("{name} was given {intent}, which Stripe does not know"));
        }
        let pointer = (format!("PI#{intent}"), "-".to_owned());
        if !world.table.items.contains_key(&pointer) {
            let what = format!("{name} was given {intent}, and nobody knows whose it is");
            world.violations.push(what);
        }
    });
}
