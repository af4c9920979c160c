//! HTTP at the edge: what every route shares, so that a handler is left with its own flow.
//!
//! A request enters as bytes from API Gateway and leaves as a reply with its CORS headers and one
//! log line. Size, content type and origin are looked at before the handler sees anything.

mod cors;
mod problem;

pub use cors::Origins;
pub use problem::{FieldError, Problem};

use crate::Error;
use futures_util::FutureExt;
use lambda_http::http::{HeaderMap, HeaderValue, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;
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
#[derive(Debug)]
pub struct Incoming {
    /// The headers, by lower-case name.
    pub headers: HeaderMap,
    /// The body, decoded where API Gateway had encoded it.
    pub body: Vec<u8>,
    /// Where it came from, as API Gateway saw it.
    pub source_ip: Option<IpAddr>,
}

impl Incoming {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
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
    body: Vec<u8>,
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
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { body, ..Self::empty(status) }
    }

    /// An answer without a body.
    fn empty(status: u16) -> Self {
        Self { status, location: None, body: Vec::new(), notes: Notes::default() }
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
    Handled: Future<Output = Result<Reply, Problem>> + Send,
{
    let (route, handle) = (&route, &handle);
    lambda_http::run(lambda_http::service_fn(move |request: Request| {
        begin(&request);
        let started = Instant::now();
        let (method, origin) = (request.method().clone(), header_text(&request, header::ORIGIN));
        let admitted = admit(route, request).map(|incoming| incoming.map(handle));
        async move {
            let result = match admitted {
                Ok(Some(handled)) => AssertUnwindSafe(handled)
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Err(Problem::internal())),
                Ok(None) => Ok(Reply::empty(204)),
                Err(problem) => Err(problem),
            };
            let mut response = respond(route, &method, &result, started);
            if let Some(origins) = &route.origins {
                origins.decorate(origin.as_deref(), &method, response.headers_mut());
            }
            Ok::<_, Error>(response)
        }
    }))
    .await
}

fn begin(request: &Request) {
    if let Some(context) = request.lambda_context_ref() {
        crate::log::begin(&context.request_id, context.xray_trace_id.as_deref());
    }
}

/// Looks at what every route refuses: a foreign page, a body too large, a type it does not read.
/// `None` is a browser's preflight, which is answered at the door.
fn admit(route: &Route, request: Request) -> Result<Option<Incoming>, Problem> {
    let source_ip = source_ip(&request);
    let (parts, body) = request.into_parts();
    if let Some(origins) = &route.origins {
        let origin = parts.headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
        origins.check(origin)?;
    }
    if parts.method == Method::OPTIONS {
        return Ok(None);
    }
    if parts.method != Method::POST {
        return Err(Problem::new(405, "method-not-allowed", "Only POST is taken here"));
    }
    let body = match body {
        Body::Text(text) => text.into_bytes(),
        Body::Binary(bytes) => bytes,
        Body::Empty | _ => Vec::new(),
    };
    if body.len() > LARGEST_BODY {
        let problem = Problem::new(413, "body-too-large", "The body is larger than 256 KiB");
        return Err(problem.detail("send less; nothing was stored"));
    }
    let media_type = media_type(&parts.headers);
    if !route.accepts.is_empty() && !route.accepts.contains(&media_type.as_str()) {
        let problem =
            Problem::new(415, "unsupported-media-type", "The content type is not read here");
        return Err(problem.detail(&format!("send {}", route.accepts.join(" or "))));
    }
    Ok(Some(Incoming { headers: parts.headers, body, source_ip }))
}

fn media_type(headers: &HeaderMap) -> String {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

fn source_ip(request: &Request) -> Option<IpAddr> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => {
            context.identity.source_ip.as_deref()?.parse().ok()
        }
        _ => None,
    }
}

fn header_text(request: &Request, name: header::HeaderName) -> Option<String> {
    request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Writes the response and its one log line.
fn respond(
    route: &Route,
    method: &Method,
    result: &Result<Reply, Problem>,
    started: Instant,
) -> Response<Body> {
    let notes = result.as_ref().map_or_else(|_| Notes::default(), |reply| reply.notes.clone());
    let (status, problem) = match result {
        Ok(reply) => (reply.status, None),
        Err(problem) => (problem.status(), Some(problem.kind())),
    };
    tracing::info!(
        route = route.name,
        method = method.as_str(),
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
    let (body, media_type) = match result {
        Ok(reply) => (reply.body.clone(), "application/json"),
        Err(problem) => (problem.body(), "application/problem+json"),
    };
    let has_body = !body.is_empty();
    let mut response = Response::new(Body::Text(String::from_utf8(body).unwrap_or_default()));
    *response.status_mut() = status.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let location = result.as_ref().ok().and_then(|reply| reply.location.as_deref());
    let retry_after = result.as_ref().err().and_then(Problem::retry_after_seconds);
    for (name, value) in [
        (header::LOCATION, location.map(str::to_owned)),
        (header::RETRY_AFTER, retry_after.map(|seconds| seconds.to_string())),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}
