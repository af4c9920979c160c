//! Visitors who insist, as browsers do, and Stripe, who does so too.

use crate::stack::Stack;
use crate::visitor::{Visitor, a_visitor};
use serde_json::Value;
use std::time::Duration;

/// What a visitor, or Stripe about them, tells us; in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Lead,
    Checkout,
    Payment,
    Refund,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Lead, Self::Checkout, Self::Payment, Self::Refund];

    /// The fact's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lead => "lead_captured",
            Self::Checkout => "checkout_started",
            Self::Payment => "payment_succeeded",
            Self::Refund => "payment_refunded",
        }
    }
}

/// Something that was told, and how often it took to be told.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    /// How often nobody, or nobody well, answered.
    pub(super) failed: u32,
    pub(super) acknowledged: bool,
    /// Stripe's events that tell of it.
    pub(super) events: Vec<String>,
}

/// A visitor's journey.
pub(super) struct Journey {
    pub(super) visitor: Visitor,
    pub(super) consents: bool,
    pub(super) steps: Vec<Step>,
    /// Answers that no fault explains.
    pub(super) wrong: Vec<String>,
    until: Kind,
    luck: fastrand::Rng,
}

/// Journeys with so many events in them.
pub(super) fn planned(seed: u64, events: u64) -> Vec<Journey> {
    let (mut luck, mut planned, mut sum) = (fastrand::Rng::with_seed(seed), Vec::new(), 0);
    while sum < events {
        let until = luck.choice(Kind::ALL).unwrap();
        let consents = luck.u8(0..5) > 0;
        let visitor = if consents { a_visitor() } else { a_visitor().without_consent() };
        let luck = luck.fork();
        sum += 1 + Kind::ALL.iter().position(|kind| *kind == until).unwrap() as u64;
        let (steps, wrong) = (Vec::new(), Vec::new());
        planned.push(Journey { visitor, consents, steps, wrong, until, luck });
    }
    planned
}

/// How often a visitor tries; then they have gone elsewhere.
const TRIES: u32 = 20;

impl Journey {
    /// Goes as far as it was planned to, or as somebody answers.
    pub(super) async fn happens(mut self, stack: &Stack) -> Self {
        let lead = self.visitor.lead(1);
        self.tells(stack, Kind::Lead, "/leads", &lead).await;
        let purchase = self.visitor.purchase();
        if self.until < Kind::Checkout {
            return self;
        }
        let answer = self.tells(stack, Kind::Checkout, "/payment-intents", &purchase).await;
        let intent = answer.and_then(|json| Some(json["payment_intent_id"].as_str()?.to_owned()));
        let Some(intent) = intent.filter(|_| self.until >= Kind::Payment) else { return self };
        let copies = self.luck.u32(1..4);
        let told = stack.sandbox.pay(&intent, "succeeded", copies).await;
        self.hears(Kind::Payment, &told);
        if self.until >= Kind::Refund {
            let told = stack.sandbox.refund(&intent, None).await;
            self.hears(Kind::Refund, &told);
        }
        self
    }

    /// Posts until it is acknowledged; one in five presses the button again afterwards.
    async fn tells(
        &mut self,
        stack: &Stack,
        kind: Kind,
        path: &str,
        body: &Value,
    ) -> Option<Value> {
        let mut step = Step { kind, failed: 0, acknowledged: false, events: Vec::new() };
        let mut answered: Option<Value> = None;
        let mut again = self.luck.u8(0..5) == 0;
        while step.failed < TRIES && (answered.is_none() || again) {
            match self.posts(stack, path, body).await {
                Some((200..300, json)) => {
                    again &= answered.is_none();
                    let first = answered.get_or_insert_with(|| json.clone());
                    if first["payment_intent_id"] != json["payment_intent_id"] {
                        self.wrong.push(format!("{}: a second intent", self.visitor.event_id));
                    }
                }
                Some((status @ 400..500, json)) if status != 429 => {
                    let wrong = format!("{} {path}: {status} {json}", self.visitor.event_id);
                    self.wrong.push(wrong);
                    step.failed = TRIES;
                }
                Some(_) | None => {
                    step.failed += 1;
                    let wait = (200_u64 << step.failed.min(4)) + self.luck.u64(0..300);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
            }
        }
        step.acknowledged = answered.is_some();
        self.steps.push(step);
        answered
    }

    async fn posts(&self, stack: &Stack, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = stack.http.post(stack.url(path)).header("x-forwarded-for", &self.visitor.ip);
        let answer = request.json(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.unwrap_or(Value::Null)))
    }

    /// Notes which events Stripe has begun to tell, and which first tries failed.
    fn hears(&mut self, kind: Kind, told: &Value) {
        let events = told["events"].as_array().unwrap();
        let tries = events.iter().flat_map(|event| event["deliveries"].as_array().unwrap());
        let failed =
            tries.filter(|tried| tried["status"].as_u64().is_none_or(|status| status >= 300));
        let failed = u32::try_from(failed.count()).unwrap();
        let events = events.iter().map(|event| event["id"].as_str().unwrap().to_owned());
        self.steps.push(Step { kind, failed, acknowledged: false, events: events.collect() });
    }
}
