//! Stripe's webhooks, as Stripe sends them: signed, retried, and on request repeated and reordered.
//!
//! docs.stripe.com/webhooks: the signature is HMAC-SHA256 over `{t}.{raw body}` with the whole
//! `whsec_…` text, made anew for every attempt; what is not answered 2xx within 30 s is sent again,
//! later and later. Stripe waits hours; here it is seconds, so that a laptop sees it happen.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::time::sleep;

use crate::clock;
use crate::task;
use crate::world::World;

/// How long Stripe waits for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The first try and what follows it: after 1, 2, 4, 8 and 16 s.
const TRIES: u32 = 6;

/// Where webhooks go and what they are signed with.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: Option<String>,
    pub(crate) secret: String,
    /// Stripe sends nothing to an endpoint that it, or a person, has disabled.
    pub(crate) enabled: bool,
}

/// How often each event is delivered, and in which order.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    pub(crate) deliveries: u32,
    pub(crate) shuffle: bool,
    /// All at once instead of one after the other.
    pub(crate) concurrent: bool,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { deliveries: 1, shuffle: false, concurrent: false }
    }
}

/// The HTTP client of the webhooks.
pub(crate) struct Sender(reqwest::Client);

impl Sender {
    #[expect(
        clippy::disallowed_methods,
        reason = "outbound is the functions' door; the double plays Stripe and calls the functions"
    )]
    pub(crate) fn new() -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(5))
            .user_agent("Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .build()?;
        Ok(Self(client))
    }

    async fn attempt(&self, endpoint: &Endpoint, body: &str, now: Timestamp) -> Attempt {
        let Some(url) = &endpoint.url else { return Attempt::failed("no webhook url is set") };
        if !endpoint.enabled {
            return Attempt::failed("the endpoint is disabled");
        }
        let sent = self
            .0
            .post(url)
            .header("content-type", "application/json; charset=utf-8")
            .header("accept", "*/*; q=0.5, application/xml")
            .header("cache-control", "no-cache")
            .header("stripe-signature", signature(&endpoint.secret, body, now))
            .body(body.to_owned())
            .send()
            .await;
        match sent {
            Ok(answer) => Attempt { status: Some(answer.status().as_u16()), error: None },
            Err(error) if error.is_timeout() => Attempt::failed("no answer within 30 s"),
            Err(error) if error.is_connect() => Attempt::failed("nobody listens there"),
            Err(_) => Attempt::failed("the connection broke"),
        }
    }
}

struct Attempt {
    status: Option<u16>,
    error: Option<&'static str>,
}

impl Attempt {
    fn failed(why: &'static str) -> Self {
        Self { status: None, error: Some(why) }
    }

    fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    fn report(&self) -> Value {
        match self.error {
            Some(error) => json!({ "status": null, "error": error }),
            None => json!({ "status": self.status }),
        }
    }
}

/// The `Stripe-Signature` of a body at a moment.
fn signature(secret: &str, body: &str, now: Timestamp) -> String {
    let second = now.as_second();
    // HMAC takes a key of any length; the error of the constructor cannot happen.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return format!("t={second}");
    };
    mac.update(format!("{second}.{body}").as_bytes());
    format!("t={second},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// Delivers these events; reports the first attempt of each delivery and retries the rest later.
pub(crate) async fn send(world: &Arc<World>, events: &[String], schedule: Schedule) -> Vec<Value> {
    let (endpoint, generation, sent) = prepare(world, events);
    let mut plan: Vec<usize> = (0..sent.len())
        .flat_map(|event| std::iter::repeat_n(event, schedule.deliveries as usize))
        .collect();
    if schedule.shuffle {
        fastrand::shuffle(&mut plan);
    }
    let attempt = |event: usize| {
        let (endpoint, body) = (&endpoint, &sent[event].body);
        async move { (event, world.sender.attempt(endpoint, body, clock::now()).await) }
    };
    let mut attempts = Vec::with_capacity(plan.len());
    if schedule.concurrent {
        attempts = join_all(plan.into_iter().map(attempt)).await;
    } else {
        for event in plan {
            attempts.push(attempt(event).await);
        }
    }
    for (event, attempt) in &attempts {
        settle(world, &sent[*event], attempt, generation);
    }
    sent.iter().enumerate().map(|(place, event)| event.report(place, &attempts)).collect()
}

struct Sent {
    id: String,
    kind: Value,
    body: String,
}

impl Sent {
    fn report(&self, place: usize, attempts: &[(usize, Attempt)]) -> Value {
        let mine = attempts.iter().filter(|(event, _)| *event == place);
        let deliveries: Vec<Value> = mine.map(|(_, attempt)| attempt.report()).collect();
        json!({ "id": self.id, "type": self.kind, "deliveries": deliveries })
    }
}

fn prepare(world: &World, events: &[String]) -> (Endpoint, u64, Vec<Sent>) {
    let mut known = world.known();
    let mut sent = Vec::with_capacity(events.len());
    for id in events {
        if let Some(event) = known.stripe.events.begin_delivery(id) {
            let kind = event["type"].clone();
            // Stripe's bodies are indented; the signature covers them as they are.
            let body = serde_json::to_string_pretty(&event).unwrap_or_default();
            sent.push(Sent { id: id.clone(), kind, body });
        }
    }
    (known.endpoint.clone(), known.generation, sent)
}

fn settle(world: &Arc<World>, event: &Sent, attempt: &Attempt, generation: u64) {
    if attempt.succeeded() {
        world.known().stripe.events.delivered(&event.id);
        return;
    }
    let (world, id, body) = (Arc::clone(world), event.id.clone(), event.body.clone());
    task::background(async move { retry(&world, &id, &body, generation).await });
}

async fn retry(world: &World, id: &str, body: &str, generation: u64) {
    for try_number in 1..TRIES {
        sleep(Duration::from_secs(1 << (try_number - 1))).await;
        let endpoint = {
            let known = world.known();
            if known.generation != generation {
                return;
            }
            known.endpoint.clone()
        };
        if world.sender.attempt(&endpoint, body, clock::now()).await.succeeded() {
            world.known().stripe.events.delivered(id);
            return;
        }
    }
}
