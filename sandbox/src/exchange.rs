//! One exchange with a vendor's stand-in: what it is asked, what it answers.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::time::Duration;

/// How long the first half of a broken answer has to leave.
const FIRST_HALF: Duration = Duration::from_millis(30);

/// A request to a vendor, its body read whole.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path at the vendor, without the sandbox's prefix: `/v1/payment_intents`.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// Whether a text is in the address or the body, as it is written there.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let parts = [self.path.as_bytes(), self.query.as_bytes(), &self.body];
        parts
            .into_iter()
            .any(|part| part.windows(text.len().max(1)).any(|at| at == text.as_bytes()))
    }

    /// A header's text, when it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer …`, when there is one.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let token = self.header("authorization")?.strip_prefix("Bearer ")?.trim();
        (!token.is_empty()).then_some(token)
    }

    /// The media type of the body, without parameters, in lower case.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The path's segments, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        self.path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
    }

    /// The query's names and values, decoded, in order.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The body as form fields, decoded, in order.
    pub(crate) fn form_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The body as JSON, when it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as the journal shows it: JSON, a form as an object of strings, or text.
    pub(crate) fn readable_body(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        if self.media_type() == "application/x-www-form-urlencoded" {
            return self
                .form_pairs()
                .into_iter()
                .map(|(name, text)| (name, Value::from(text)))
                .collect();
        }
        self.json().unwrap_or_else(|| String::from_utf8_lossy(&self.body).into_owned().into())
    }

    /// The headers as the journal shows them: names in lower case.
    pub(crate) fn readable_headers(&self) -> Value {
        let show = |value: &axum::http::HeaderValue| {
            Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let pairs = self.headers.iter().map(|(name, value)| (name.to_string(), show(value)));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}

/// What a stand-in answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: Content,
    /// What the vendor would have dropped without a word; shown in the journal, not in the answer.
    pub(crate) problems: Vec<String>,
    /// Ids of Stripe events that this call caused and that must be delivered after the answer.
    pub(crate) events: Vec<String>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Nothing,
    Text(String),
    Json(Value),
}

impl Answer {
    fn new(status: u16, content: Content) -> Self {
        Self { status, headers: Vec::new(), content, problems: Vec::new(), events: Vec::new() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Content::Nothing)
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, Content::Text(text.to_owned()))
    }

    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self::new(status, Content::Json(value))
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer, broken off in the middle of its body.
    pub(crate) fn into_cut_response(self) -> Response {
        let text = match &self.content {
            Content::Nothing => String::new(),
            Content::Text(text) => text.clone(),
            Content::Json(value) => value.to_string(),
        };
        let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
        // The server drops what it has not sent yet when a body fails: the first half needs a moment.
        let broken = stream::once(async {
            tokio::time::sleep(FIRST_HALF).await;
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
        });
        let mut response = self.into_response();
        *response.body_mut() = Body::from_stream(stream::once(async { Ok(half) }).chain(broken));
        response
    }

    /// The answer as the server sends it.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        let built = match self.content {
            Content::Nothing => response.body(Body::empty()),
            Content::Text(text) => {
                response.header(header::CONTENT_TYPE, "text/html").body(Body::from(text))
            }
            Content::Json(value) => response
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(value.to_string())),
        };
        built.unwrap_or_else(|_| {
            let mut refused = Response::new(Body::from("the sandbox built no answer"));
            *refused.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            refused
        })
    }
}
