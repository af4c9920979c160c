//! One request as anybody may write it, and what its answer must be in any case.

use crate::stack::Stack;
use lambda::http::Kind;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::fmt::Debug;

/// The routes that pages call.
pub(crate) const PAGES: [&str; 3] = ["/leads", "/consents", "/payment-intents"];
/// The media type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A request with all of its parts in the caller's hands.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// JSON from an address of its own, so that no two requests share a rate limit.
pub(crate) fn ask(path: &str) -> Asking {
    let mut asking = Asking { path: path.into(), headers: HeaderMap::new(), body: Vec::new() };
    asking = asking.from(&an_address());
    asking.header("content-type", "application/json")
}

/// An address nobody else uses.
pub(crate) fn an_address() -> String {
    let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
    format!("10.{a}.{b}.{c}")
}

impl Asking {
    /// Sent from this address: the local gateway believes `X-Forwarded-For`.
    pub(crate) fn from(self, ip: &str) -> Self {
        self.header("x-forwarded-for", ip)
    }

    /// With a header, of any bytes.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        self
    }

    /// Without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With any body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// With a form's body.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        self.header("content-type", FORM).body(body)
    }

    /// Posts it.
    pub(crate) async fn post(&self, stack: &Stack) -> Told {
        self.send(stack, reqwest::Method::POST).await
    }

    pub(crate) async fn send(&self, stack: &Stack, method: reqwest::Method) -> Told {
        let request = stack.http.request(method, stack.url(&self.path));
        let request = request.headers(self.headers.clone()).body(self.body.clone());
        let response = request.send().await.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Told { status, headers, text, json, sent: self.body.clone() }
    }
}

/// An answer, with what it answers to.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
    sent: Vec<u8>,
}

impl Told {
    /// A header's text; empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whole seconds until it may be sent again.
    pub(crate) fn retry_after(&self) -> u64 {
        self.header("retry-after").parse().unwrap_or_else(|_| panic!("no Retry-After: {self:?}"))
    }

    /// A success with this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, of: &dyn Debug) {
        assert_eq!(self.status, status, "{of:?}: {self:?}");
    }

    /// A problem of this kind that names these fields, and is otherwise as every problem must be.
    #[track_caller]
    pub(crate) fn is_problem(&self, kind: Kind, fields: &[&str], of: &dyn Debug) {
        assert_eq!(self.kind(), Some(kind), "{of:?}: {self:?}");
        self.is_well_formed(of);
        self.repeats_nothing(of);
        let errors = self.json["errors"].as_array().into_iter().flatten();
        let named: Vec<&str> = errors.map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{of:?}: {self:?}");
    }

    /// The kind of problem it tells, where it tells one.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let slug = self.json["type"].as_str()?.strip_prefix("urn:throughline:problem:")?;
        Kind::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }

    /// Whether it is a problem as every problem must be.
    #[track_caller]
    pub(crate) fn is_well_formed(&self, of: &dyn Debug) {
        let kind = self.kind().unwrap_or_else(|| panic!("{of:?}: no known problem: {self:?}"));
        let told = (self.status, self.json["status"].as_u64(), self.json["title"].as_str());
        let status = kind.status();
        assert_eq!(told, (status, Some(status.into()), Some(kind.title())), "{of:?}");
        assert!(self.json["detail"].as_str().is_some_and(|detail| detail.len() > 5), "{of:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{of:?}");
        assert_eq!(self.header("cache-control"), "no-store", "{of:?}");
        let known = ["type", "title", "status", "detail", "errors"];
        let stray =
            self.json.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!(stray, None, "{of:?}");
        for error in self.json["errors"].as_array().into_iter().flatten() {
            assert!(error["detail"].as_str().is_some_and(|rule| rule.len() > 5), "{of:?}: {error}");
        }
        let waits = matches!(status, 429 | 502 | 503 | 504);
        assert_eq!(self.headers.contains_key("retry-after"), waits, "{of:?}: {self:?}");
        if waits {
            assert!((1..=3600).contains(&self.retry_after()), "{of:?}: {self:?}");
        }
    }

    /// No value that was sent is in the answer, neither as it was sent nor as it was read.
    #[track_caller]
    fn repeats_nothing(&self, of: &dyn Debug) {
        let sent: Value = serde_json::from_slice(&self.sent).unwrap_or(Value::Null);
        let mut values = Vec::new();
        gather(&sent, &mut values);
        let form = url::form_urlencoded::parse(&self.sent);
        values.extend(form.map(|(_, value)| value.into_owned()));
        for value in
            values.iter().filter(|value| value.len() > 4 && !OUR_WORDS.contains(&value.as_str()))
        {
            assert!(!self.text.contains(value.as_str()), "{of:?}: the answer repeats {value}");
            for header in self.headers.values() {
                let header = String::from_utf8_lossy(header.as_bytes()).into_owned();
                assert!(!header.contains(value.as_str()), "{of:?}: a header repeats {value}");
            }
        }
    }
}

/// What a body may say that our answers say too.
const OUR_WORDS: [&str; 5] = ["modal", "checkbox", "implied", "email", "event"];

fn gather(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| gather(field, into)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A body with one field set.
pub(crate) fn with(body: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut body = body.clone();
    match field.split_once('.') {
        Some((object, field)) => body[object][field] = value.into(),
        None => body[field] = value.into(),
    }
    body
}

/// A body without a field.
pub(crate) fn lacking(body: &Value, field: &str) -> Value {
    let mut body = body.clone();
    let (object, field) = match field.split_once('.') {
        Some((object, field)) => (&mut body[object], field),
        None => (&mut body, field),
    };
    object.as_object_mut().unwrap().remove(field).unwrap();
    body
}

/// Does pieces of work a few at a time: each parallel call is a process of the local AWS.
pub(crate) async fn a_few_at_a_time<T>(
    work: impl IntoIterator<Item = impl Future<Output = T>>,
) -> Vec<T> {
    use futures_util::StreamExt;
    futures_util::stream::iter(work).buffered(6).collect().await
}
