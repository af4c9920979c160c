//! HTTP at the edge: what every route shares, so that a handler is left with its own flow.
//!
//! A request enters as bytes from API Gateway and leaves as a reply with its CORS headers and one
//! log line. Size, origin and content type are looked at before the handler sees anything.

mod cors;
mod event;
mod kind;
mod problem;

pub use cors::Origins;
pub use kind::Kind;
pub use problem::{FieldError, Problem};

use crate::Error;
use event::Headers;
pub use event::{Answer, Event};

use futures_util::FutureExt;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// The largest body that is read: a lead is a kilobyte, Stripe's events are at most some tens.
pub const LARGEST_BODY: usize = 256 * 1024;

/// What a route takes.
#[derive(Debug, Clone)]
pub struct Route {
    /// The name, for logs and rate limits: `leads`.
    pub name: &'static str,
    /// The content types it reads; empty for any.
    pub accepts: &'static [&'static str],
    /// The pages that may call it from a browser; `None` where no browser does.
    pub origins: Option<Origins>,
}

/// A request as a handler sees it.
pub struct Incoming {
    headers: Headers,
    /// The body, decoded where API Gateway had encoded it.
    pub body: Vec<u8>,
    /// Where it came from, as API Gateway saw it.
    pub source_ip: Option<IpAddr>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[request of {} bytes]", self.body.len())
    }
}

impl Incoming {
    /// A header as text, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The media type of the body, in lower case and without parameters.
    #[must_use]
    pub fn media_type(&self) -> String {
        media_type(&self.headers)
    }
}

/// What a handler answers.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    location: Option<String>,
    body: String,
    notes: Notes,
}

/// What a reply adds to its log line: ids only.
#[derive(Debug, Default, Clone)]
pub struct Notes {
    /// The journey.
    pub event_id: Option<String>,
    /// Stripe's event.
    pub stripe_event_id: Option<String>,
    /// Its type.
    pub stripe_event_type: Option<String>,
    /// Whether it was known already.
    pub duplicate: Option<bool>,
}

impl Reply {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // Our own replies are structs of texts and numbers, which always encode.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self { body, ..Self::empty(status) }
    }

    /// An answer without a body.
    fn empty(status: u16) -> Self {
        Self { status, location: None, body: String::new(), notes: Notes::default() }
    }

    /// `303 See Other`: where a form goes on.
    #[must_use]
    pub fn see_other(location: String) -> Self {
        Self { location: Some(location), ..Self::empty(303) }
    }

    /// Adds ids to the reply's log line.
    #[must_use]
    pub fn noting(mut self, notes: Notes) -> Self {
        self.notes = notes;
        self
    }
}

/// Serves a route until Lambda ends the process.
///
/// # Errors
/// Only where the Runtime API itself cannot be reached.
pub async fn serve<Handled>(route: Route, handle: impl Fn(Incoming) -> Handled) -> Result<(), Error>
where
    Handled: Future<Output = Result<Reply, Problem>>,
{
    let (route, handle) = (&route, &handle);
    crate::serve(move |event: Event| async move { Ok(answer(route, event, handle).await) }).await
}

/// Answers one event of API Gateway's: what [`serve`] does with each.
pub async fn answer<Handled>(
    route: &Route,
    mut event: Event,
    handle: &impl Fn(Incoming) -> Handled,
) -> Answer
where
    Handled: Future<Output = Result<Reply, Problem>>,
{
    let (started, headers) = (Instant::now(), event.take_headers());
    let caller = Caller::of(&event, &headers);
    let result = match admit(route, event, headers) {
        Ok(Some(incoming)) => AssertUnwindSafe(handle(incoming))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Problem::internal())),
        Ok(None) => Ok(Reply::empty(204)),
        Err(problem) => Err(problem),
    };
    log(route, &caller, &result, started);
    respond(route, &caller, result)
}

/// What the log line and the CORS headers need of a request that is gone by then.
struct Caller {
    method: Method,
    origin: Option<String>,
}

/// The methods we know; the rest is the caller's own text, which no log line repeats.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Post,
    Options,
    Other,
}

impl Caller {
    fn of(event: &Event, headers: &Headers) -> Self {
        Self {
            method: Method::parse(event.method()),
            origin: headers.get("origin").map(str::to_owned),
        }
    }
}

impl Method {
    fn parse(text: &str) -> Self {
        match text {
            "POST" => Self::Post,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Options => "OPTIONS",
            Self::Other => "other",
        }
    }
}

/// Looks at what every route refuses: a body too large, a foreign page, a type it does not read.
/// `None` is a browser's preflight, which is answered at the door.
fn admit(route: &Route, mut event: Event, headers: Headers) -> Result<Option<Incoming>, Problem> {
    if event.body_length() > LARGEST_BODY {
        return Err(Problem::new(Kind::BodyTooLarge, "send less; nothing was stored"));
    }
    if let Some(origins) = &route.origins {
        origins.check(headers.get("origin"))?;
    }
    match Method::parse(event.method()) {
        Method::Post => {}
        Method::Options => return Ok(None),
        Method::Other => return Err(Problem::new(Kind::MethodNotAllowed, "send it by POST")),
    }
    if !route.accepts.is_empty() && !route.accepts.contains(&media_type(&headers).as_str()) {
        let detail = format!("send {}; nothing was stored", route.accepts.join(" or "));
        return Err(Problem::new(Kind::UnsupportedMediaType, &detail));
    }
    let source_ip = event.source_ip();
    let body = event.take_body().ok_or_else(|| {
        Problem::new(Kind::MalformedBody, "the body must be base64 where it is said to be")
    })?;
    Ok(Some(Incoming { headers, body, source_ip }))
}

fn media_type(headers: &Headers) -> String {
    let content_type = headers.get("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

/// Writes the one log line of a request.
fn log(route: &Route, caller: &Caller, result: &Result<Reply, Problem>, started: Instant) {
    let notes = result.as_ref().map_or_else(|_| Notes::default(), |reply| reply.notes.clone());
    let (status, problem) = match result {
        Ok(reply) => (reply.status, None),
        Err(problem) => (problem.status(), Some(problem.kind().slug())),
    };
    tracing::info!(
        route = route.name,
        method = caller.method.name(),
        status,
        status_class = format!("{}xx", status / 100),
        problem,
        event_id = notes.event_id,
        stripe_event_id = notes.stripe_event_id,
        stripe_event_type = notes.stripe_event_type,
        duplicate = notes.duplicate,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        metrics = "duration_ms:Milliseconds",
        dimensions = "route,status_class",
        "request answered"
    );
}

fn respond(route: &Route, caller: &Caller, result: Result<Reply, Problem>) -> Answer {
    let mut headers = BTreeMap::from([("cache-control", "no-store".to_owned())]);
    if let Some(origins) = &route.origins {
        let is_preflight = caller.method == Method::Options;
        origins.decorate(caller.origin.as_deref(), is_preflight, &mut headers);
    }
    let (status_code, body, media_type) = match result {
        Ok(reply) => {
            headers.extend(reply.location.map(|location| ("location", location)));
            (reply.status, reply.body, "application/json")
        }
        Err(problem) => {
            let seconds = problem.retry_after_seconds().map(|seconds| seconds.to_string());
            headers.extend(seconds.map(|seconds| ("retry-after", seconds)));
            (problem.status(), problem.body(), "application/problem+json")
        }
    };
    if !body.is_empty() {
        headers.insert("content-type", media_type.to_owned());
    }
    Answer { status_code, headers, body, is_base64_encoded: false }
}

#[cfg(test)]
mod tests;
