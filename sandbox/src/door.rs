//! The way of every vendor request: read it, note it, fail if told to, else let the vendor answer.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::Request as HttpRequest;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock;
use crate::connection::Cut;
use crate::exchange::{Answer, Request};
use crate::fault::Fault;
use crate::task;
use crate::vendor::Vendor;
use crate::webhook::{self, Schedule};
use crate::world::World;

/// No vendor here takes more than a mail with attachments: 30 MB.
const BODY_LIMIT: usize = 30 * 1024 * 1024;

/// Answers one request to a vendor.
pub(crate) async fn serve(
    State(world): State<Arc<World>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    incoming: HttpRequest<Body>,
) -> Response {
    let full_path = incoming.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let Some((vendor, request)) = read(incoming).await else {
        return Answer::json(404, json!({ "error": "no vendor is played here" })).into_response();
    };
    let (line, fault) = {
        let mut known = world.known();
        let number = known.journal.open(vendor, &full_path, &request, clock::now());
        (
            Line { world: Arc::clone(&world), number, closed: false },
            known.faults.take(vendor, &request.path),
        )
    };
    match outcome(&world, vendor, &request, fault).await {
        Outcome::Answered(answer) => {
            line.close(json!(answer.status), &answer.problems);
            deliver_afterwards(&world, &answer);
            answer.into_response()
        }
        Outcome::Cut(answer) => {
            line.close(json!("cut"), &answer.problems);
            deliver_afterwards(&world, &answer);
            answer.into_cut_response()
        }
        Outcome::Aborted => {
            line.close(json!("aborted"), &[]);
            cut.now();
            Answer::empty(500).into_response()
        }
    }
}

async fn read(incoming: HttpRequest<Body>) -> Option<(Vendor, Request)> {
    let (parts, body) = incoming.into_parts();
    let (vendor, path) = Vendor::of_path(parts.uri.path())?;
    let request = Request {
        method: parts.method,
        path: path.to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: to_bytes(body, BODY_LIMIT).await.unwrap_or_default(),
    };
    Some((vendor, request))
}

enum Outcome {
    Answered(Answer),
    Cut(Answer),
    Aborted,
}

async fn outcome(
    world: &Arc<World>,
    vendor: Vendor,
    request: &Request,
    fault: Option<Fault>,
) -> Outcome {
    let Some(fault) = fault else {
        return Outcome::Answered(world.known().answer(vendor, request, clock::now()));
    };
    // Held while the answer is late, so that a second call with the same key meets the first.
    let (worked, held) = {
        let mut known = world.known();
        let worked = fault.lets_work().then(|| known.answer(vendor, request, clock::now()));
        (worked, known.stripe.hold(vendor, request))
    };
    let held = HeldKey { world: Arc::clone(world), key: held };
    sleep(fault.latency()).await;
    drop(held);
    if fault.abort {
        if let Some(answer) = &worked {
            deliver_afterwards(world, answer);
        }
        return Outcome::Aborted;
    }
    let told = fault.answer();
    if let (Some(refusal), Vendor::Stripe) = (&told, vendor) {
        world.known().stripe.remember_failure(request, refusal);
    }
    match told.or(worked) {
        Some(answer) if fault.cut => Outcome::Cut(answer),
        Some(answer) => Outcome::Answered(answer),
        None => Outcome::Aborted,
    }
}

fn deliver_afterwards(world: &Arc<World>, answer: &Answer) {
    if answer.events.is_empty() {
        return;
    }
    let (world, events) = (Arc::clone(world), answer.events.clone());
    task::background(async move { webhook::send(&world, &events, Schedule::default()).await });
}

/// A line of the journal that is closed whatever happens to the request.
struct Line {
    world: Arc<World>,
    number: u64,
    closed: bool,
}

impl Line {
    fn close(mut self, answered: Value, problems: &[String]) {
        self.closed = true;
        self.world.known().journal.close(self.number, answered, problems);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.closed {
            self.world.known().journal.close(self.number, json!("caller gone"), &[]);
        }
    }
}

/// A Stripe idempotency key in use, until dropped.
struct HeldKey {
    world: Arc<World>,
    key: Option<String>,
}

impl Drop for HeldKey {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.world.known().stripe.release(key);
        }
    }
}
