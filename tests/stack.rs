//! The running stack: its addresses, its table, its queues, and waiting for a condition.

use crate::sandbox::Sandbox;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use domain::delivery::State;
use domain::destination::Destination;
use domain::id::EventId;
use ledger::{DeliveryRecord, Ledger, Timeline};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long anything on a laptop may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What `up` wrote.
#[derive(Debug, Deserialize)]
struct Description {
    api_url: String,
    sandbox_url: Option<String>,
    faults_url: Option<String>,
    aws_endpoint: String,
    region: String,
    table_name: String,
    queues: BTreeMap<String, String>,
    dead_letters: BTreeMap<String, String>,
    functions: BTreeMap<String, String>,
    stripe_webhook_secret: String,
}

/// A stack to test.
pub(crate) struct Stack {
    description: Description,
    config: SdkConfig,
    /// The vendors' stand-ins.
    pub(crate) sandbox: Sandbox,
    /// For plain HTTP.
    pub(crate) http: reqwest::Client,
}

impl Stack {
    /// Finds the running stack.
    pub(crate) async fn running() -> Self {
        let path = stack_file();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| {
            panic!("no stack is described in {path}; run `cargo xtask up --detach` first")
        });
        let description: Description = serde_json::from_str(&text).unwrap();
        let http = client();
        let sandbox_url = description
            .sandbox_url
            .clone()
            .expect("these tests need the sandbox: start without --vendors-url");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(description.region.clone()))
            .endpoint_url(&description.aws_endpoint)
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .load()
            .await;
        Self { sandbox: Sandbox::new(http.clone(), sandbox_url), description, config, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.description.api_url)
    }

    pub(crate) fn webhook_secret(&self) -> &str {
        &self.description.stripe_webhook_secret
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.dynamodb(), &self.description.table_name)
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    pub(crate) fn table(&self) -> &str {
        &self.description.table_name
    }

    pub(crate) async fn timeline(&self, event_id: EventId) -> Timeline {
        self.ledger().timeline(event_id).await.unwrap()
    }

    /// Puts a fact into the table as it is, listed as one that no version here can read.
    pub(crate) async fn put_fact(&self, event_id: EventId, sk: &str, document: &str) {
        use aws_sdk_dynamodb::types::AttributeValue::{N, S};
        let put = self.dynamodb().put_item().table_name(self.table());
        put.item("pk", S(format!("JOURNEY#{event_id}")))
            .item("sk", S(sk.into()))
            .item("fact", S(document.into()))
            .item("kind", S("seat_chosen".into()))
            .item("agenda", S("undecodable#00".into()))
            .item("agenda_at", N("1790000000000".into()))
            .send()
            .await
            .unwrap();
    }

    /// The id under which a vendor knows the person of a journey.
    pub(crate) async fn vendor_id(&self, event_id: EventId, vendor: Destination) -> String {
        let journey = self.ledger().journey(event_id).await.unwrap();
        let person = self.ledger().person(journey.person().unwrap()).await.unwrap();
        person.vendor_id(vendor).unwrap().to_owned()
    }

    /// Posts JSON to the API from an address of the caller's own, so that no two tests share a
    /// rate limit. The local gateway believes `X-Forwarded-For`.
    pub(crate) async fn post(&self, path: &str, ip: &str, body: &Value) -> Answer {
        let request = self.http.post(self.url(path)).header("x-forwarded-for", ip).json(body);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let content_type =
            response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let text = response.text().await.unwrap();
        Answer {
            status,
            content_type,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// Opens every destination, as an operator does who has mended its vendor.
    pub(crate) async fn opens_gates(&self) {
        for destination in Destination::ALL {
            let now = jiff::Timestamp::from_second(crate::stripe::now()).unwrap();
            self.ledger().resume(destination, "a test", "it is over", now).await.unwrap();
        }
        self.forgets_gates().await;
    }

    /// Waits for as long as a function believes what it has read of a gate: two seconds.
    pub(crate) async fn forgets_gates(&self) {
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }

    /// Waits until a journey's deliveries satisfy a condition, and shows them if they never do.
    pub(crate) async fn wait_for(
        &self,
        event_id: EventId,
        what: &str,
        holds: impl Fn(&Timeline) -> bool,
    ) -> Timeline {
        let began = Instant::now();
        loop {
            let timeline = self.timeline(event_id).await;
            if holds(&timeline) {
                return timeline;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{event_id}: never saw {what}; deliveries: {}",
                show(&timeline)
            );
            pause().await;
        }
    }

    /// Waits until so many facts are recorded, all are routed and no delivery is under way.
    pub(crate) async fn settled(&self, event_id: EventId, facts: usize) -> Timeline {
        self.wait_for(event_id, &format!("{facts} settled facts"), |timeline| {
            timeline.facts.len() == facts && is_at_rest(timeline)
        })
        .await
    }

    /// The address of a function's dead letters.
    pub(crate) fn dead_letters_of(&self, function: &str) -> &str {
        &self.description.dead_letters[function]
    }

    /// The messages on a function's dead-letter queue that name a journey.
    pub(crate) async fn dead_letters(&self, function: &str, event_id: EventId) -> Vec<String> {
        let url = &self.description.dead_letters[function];
        let peek =
            format!("{}/_ministack/sqs/messages?QueueUrl={url}", self.description.aws_endpoint);
        let answer = self.http.get(peek).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        let mut bodies = Vec::new();
        gather_bodies(&json, &mut bodies);
        bodies.retain(|body| body.contains(&event_id.to_string()));
        bodies
    }

    /// Switches the mapping from the table's stream to the dispatcher on or off.
    pub(crate) async fn switch_stream(&self, enabled: bool) {
        self.switch_source("dispatcher", enabled).await;
    }

    /// Switches what wakes a function, a stream or its queue, on or off.
    pub(crate) async fn switch_source(&self, function: &str, enabled: bool) {
        let base = format!("{}/2015-03-31/event-source-mappings", self.description.aws_endpoint);
        let function = &self.description.functions[function];
        let signed = |request: reqwest::RequestBuilder| {
            request.header("authorization", self.authorization("lambda"))
        };
        let listed =
            signed(self.http.get(format!("{base}/?FunctionName={function}"))).send().await.unwrap();
        let listed: Value = listed.json().await.unwrap();
        let uuid = listed["EventSourceMappings"][0]["UUID"].as_str().unwrap();
        let switched = signed(self.http.put(format!("{base}/{uuid}")))
            .json(&serde_json::json!({"Enabled": enabled}));
        assert!(switched.send().await.unwrap().status().is_success());
    }

    /// The local AWS's address.
    pub(crate) fn aws_endpoint(&self) -> &str {
        &self.description.aws_endpoint
    }

    /// The proxy that fails on command, which the functions take for AWS after `up --faults`.
    pub(crate) fn faults_url(&self) -> Option<&str> {
        self.description.faults_url.as_deref()
    }

    /// The functions' folders.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        self.description.functions.keys().map(String::as_str)
    }

    /// A function's name in the local AWS.
    pub(crate) fn deployed(&self, function: &str) -> &str {
        &self.description.functions[function]
    }

    /// The address of a function's queue.
    pub(crate) fn queue(&self, function: &str) -> &str {
        &self.description.queues[function]
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// The local AWS takes its own key's word for it: no signature.
    pub(crate) fn authorization(&self, service: &str) -> String {
        let region = &self.description.region;
        format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) json: Value,
    pub(crate) text: String,
}

#[expect(clippy::disallowed_methods, reason = "the tests call the API as a browser does")]
fn client() -> reqwest::Client {
    let seen_as_it_is = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(seen_as_it_is);
    client.timeout(Duration::from_secs(30)).build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "where the stack is described")]
pub(crate) fn stack_file() -> String {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../.local/stack.json");
    std::env::var("THROUGHLINE_STACK").unwrap_or_else(|_| beside.to_owned())
}

/// Whether every fact is routed and no delivery is under way.
pub(crate) fn is_at_rest(timeline: &Timeline) -> bool {
    timeline.routes.len() == timeline.facts.len()
        && routed(timeline) == timeline.deliveries.len()
        && timeline.deliveries.iter().all(|delivery| delivery.state.is_terminal())
}

/// How many deliveries a timeline's routings ask for, each effect and destination once.
fn routed(timeline: &Timeline) -> usize {
    let mut asked = std::collections::BTreeSet::new();
    for record in &timeline.routes {
        for route in &record.routes {
            if matches!(route.decision, domain::routing::Decision::Send { .. }) {
                asked.insert((record.fact.clone(), route.destination));
            }
        }
    }
    asked.len()
}

fn gather_bodies(json: &Value, bodies: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(text) = value.as_str().filter(|_| name.eq_ignore_ascii_case("body")) {
                    bodies.push(text.to_owned());
                } else {
                    gather_bodies(value, bodies);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather_bodies(item, bodies)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The delivery of an effect's kind to a destination.
pub(crate) fn delivery<'a>(
    timeline: &'a Timeline,
    kind: &str,
    destination: Destination,
) -> &'a DeliveryRecord {
    timeline
        .deliveries
        .iter()
        .find(|delivery| {
            delivery.id.destination == destination
                && delivery.id.effect.as_str().starts_with(&format!("{kind}:"))
        })
        .unwrap_or_else(|| panic!("no delivery of {kind} to {destination}: {}", show(timeline)))
}

/// The state of a delivery, where there is one.
pub(crate) fn state(timeline: &Timeline, kind: &str, destination: Destination) -> Option<State> {
    let prefix = format!("{kind}:");
    let mut found = timeline.deliveries.iter().filter(|delivery| {
        delivery.id.destination == destination && delivery.id.effect.as_str().starts_with(&prefix)
    });
    found.next().map(|delivery| delivery.state)
}

/// A timeline's deliveries in a few words each.
pub(crate) fn show(timeline: &Timeline) -> String {
    let line = |delivery: &DeliveryRecord| {
        format!("{} {} {} {}", delivery.id, delivery.state.name(), delivery.reason, delivery.detail)
    };
    timeline.deliveries.iter().map(line).collect::<Vec<_>>().join("\n  ")
}

/// A moment between two looks.
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}
