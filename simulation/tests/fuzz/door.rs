//! The doors by which strangers, and queues, come in; and what is kept of hostile inputs for each.

use crate::Input;
use serde_json::{Value, json};
use simulation::{Function, sign};
use std::path::{Path, PathBuf};

/// Where an input goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The `Stripe-Signature` header.
    Signature,
    /// A body that Stripe signed.
    Webhook,
    /// A lead's body, JSON or a form.
    Lead,
    /// SQS's event.
    Queue,
    /// The table stream's event.
    Stream,
    /// All of API Gateway's event, at one of three functions.
    Gateway(Function),
}

impl Door {
    /// Those that have a folder of their own.
    pub(crate) const ALL: [Self; 5] =
        [Self::Signature, Self::Webhook, Self::Lead, Self::Queue, Self::Stream];

    fn folder(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Webhook => "webhook",
            Self::Lead => "lead",
            Self::Queue => "queue",
            Self::Stream => "stream",
            Self::Gateway(_) => "gateway",
        }
    }

    /// Who answers there. A message may be any consumer's.
    pub(crate) fn function(self) -> Function {
        match self {
            Self::Signature | Self::Webhook => Function::Webhook,
            Self::Lead => Function::Lead,
            Self::Queue => {
                let queues = ["crm-sync", "esp-sync", "sgtm-forwarder", "notifier"];
                Function::Consumer(queues[fastrand::usize(0..queues.len())])
            }
            Self::Stream => Function::Dispatcher,
            Self::Gateway(function) => function,
        }
    }

    /// The event in which a function meets an input.
    pub(crate) fn event(self, value: &Value) -> (Function, Value) {
        let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let event = match self {
            Self::Signature => {
                let mut event = sample("stripe-webhook/refund.created.acacia.json");
                event["headers"] = json!({"Stripe-Signature": text()});
                event
            }
            Self::Webhook => {
                let mut event = sample("stripe-webhook/refund.created.acacia.json");
                let body = text();
                event["headers"] = json!({"Stripe-Signature": sign(&body)});
                event["body"] = body.into();
                event
            }
            Self::Lead => {
                let form = !text().trim_start().starts_with(['{', '[']) && fastrand::bool();
                let kind = if form { "lead-from-a-form" } else { "lead" };
                let mut event = sample(&format!("lead-capture/{kind}.json"));
                event["body"] = text().into();
                event
            }
            Self::Queue | Self::Stream | Self::Gateway(_) => value.clone(),
        };
        (self.function(), event)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(name: &str) -> Value {
    let path = root().join("../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Everything that is kept: texts as they are, events as values.
pub(crate) fn corpus() -> Vec<Input> {
    let mut inputs = Vec::new();
    for door in Door::ALL {
        let folder = root().join("corpus").join(door.folder());
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let value = match door {
                Door::Queue | Door::Stream => serde_json::from_str(&text).unwrap(),
                Door::Signature | Door::Webhook | Door::Lead | Door::Gateway(_) => text.into(),
            };
            inputs.push(Input { door, value });
        }
    }
    let refund = sample("stripe-webhook/refund.created.acacia.json");
    let signed = sign(refund["body"].as_str().unwrap());
    inputs.push(Input { door: Door::Signature, value: signed.into() });
    for (function, name) in [
        (Function::Lead, "lead-capture/lead.json"),
        (Function::Lead, "lead-capture/lead-from-a-form.json"),
        (Function::Consent, "consent-capture/consent.json"),
        (Function::Webhook, "stripe-webhook/payment_intent.succeeded.endive.json"),
    ] {
        inputs.push(Input { door: Door::Gateway(function), value: sample(name) });
    }
    inputs
}
