//! What strangers and queues could send, and what must be true of every answer to it: a function
//! neither panics nor fails, and neither its answer nor its memory is out of proportion.

mod change;

use crate::{Function, Lab, sign};
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub use change::{change, garble};

/// The longest answer that is in proportion: it names fields, and repeats nothing.
const LONGEST: usize = 16 * 1024;
/// What a call may allocate: so much whatever comes in, most of it the world in memory and its new
/// functions,
const ALLOWANCE: usize = 6 * 1024 * 1024;
/// and so much for each byte that comes in.
const PER_BYTE: usize = 16;

/// An input and where it goes in.
#[derive(Debug, Clone)]
pub struct Input {
    /// Where it goes in.
    pub door: Door,
    /// A text, or the whole event of a queue, the stream or the gateway.
    pub value: Value,
}

/// What became of an input.
#[derive(Debug)]
pub struct Handed {
    /// Whose answer it is, without its numbers and ids, which differ where nothing else does.
    pub kind: String,
    /// Whether it was taken for something that is to be kept.
    pub is_taken: bool,
    /// How many bytes were allocated at most.
    pub used: usize,
    /// How many bytes came in.
    pub length: usize,
}

impl Input {
    /// What a fuzzer's bytes are at a door; `None` where the runtime would not hand them over.
    #[must_use]
    pub fn of(door: Door, bytes: &[u8]) -> Option<Self> {
        let value = match door {
            Door::Queue | Door::Stream | Door::Gateway(_) => serde_json::from_slice(bytes).ok()?,
            Door::Signature | Door::Webhook | Door::Lead => std::str::from_utf8(bytes).ok()?.into(),
        };
        Some(Self { door, value })
    }

    /// Hands it over, and looks at what came of it.
    ///
    /// # Panics
    /// Where an answer or the memory it took must not be.
    pub fn hand(&self, lab: &mut Lab, memory: &PeakAlloc) -> Handed {
        let (function, event) = self.door.event(&self.value);
        let told = event.to_string();
        let shown = || told.chars().take(2_000).collect::<String>();
        let before = memory.current_usage();
        memory.reset_peak_usage();
        let answer = lab.hand(function, event);
        let used = memory.peak_usage().saturating_sub(before);
        let (status, said) = (answer["statusCode"].as_u64(), answer.to_string());
        assert!(status.is_none_or(|status| status < 500), "{function:?} {said}\n{}", shown());
        // A batch's answer repeats the ids of the messages that failed, as SQS wants it.
        let repeated = if self.door == Door::Queue { told.len() } else { 0 };
        assert!(said.len() < LONGEST + repeated, "{function:?}: a long answer\n{}", shown());
        assert!(
            used <= ALLOWANCE + PER_BYTE * told.len(),
            "{function:?}: {used} bytes for {} that came in\n{}",
            told.len(),
            shown()
        );
        let words = said.chars().filter(|letter| !letter.is_ascii_hexdigit()).take(600);
        Handed {
            kind: format!("{function:?} {}", words.collect::<String>()),
            is_taken: status.is_some_and(|status| status / 100 == 2),
            used,
            length: told.len(),
        }
    }
}

/// Where an input goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
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
    pub const ALL: [Self; 5] =
        [Self::Signature, Self::Webhook, Self::Lead, Self::Queue, Self::Stream];

    /// Its folder in `simulation/corpus`.
    #[must_use]
    pub fn folder(self) -> &'static str {
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
    fn function(self) -> Function {
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
    fn event(self, value: &Value) -> (Function, Value) {
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

/// What a fuzzer's bytes become where they are changed as a document, or as a text: half of the time
/// neither.
#[must_use]
pub fn changed(bytes: &[u8]) -> Option<Vec<u8>> {
    if fastrand::bool() {
        return None;
    }
    let mut text = std::str::from_utf8(bytes).ok()?.to_owned();
    match serde_json::from_str(&text) {
        Ok(mut document) => {
            change(&mut document);
            text = document.to_string();
        }
        Err(_) => garble(&mut text),
    }
    Some(text.into_bytes())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(name: &str) -> Value {
    let path = root().join("../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("a sample")).expect("JSON")
}

/// Everything that is kept: texts as they are, events as values.
#[must_use]
pub fn corpus() -> Vec<Input> {
    let mut inputs = Vec::new();
    for door in Door::ALL {
        let folder = root().join("corpus").join(door.folder());
        let files = std::fs::read_dir(folder).expect("a folder of each door");
        let mut files: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let bytes = std::fs::read(&file).expect("a file");
            inputs.push(Input::of(door, &bytes).expect("what was handed over once"));
        }
    }
    let refund = sample("stripe-webhook/refund.created.acacia.json");
    let signed = sign(refund["body"].as_str().expect("a body"));
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
