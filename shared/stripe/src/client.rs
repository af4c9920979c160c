//! The calls we make at Stripe. Each is repeated where Stripe says or its rules allow, within one
//! budget of time, and where it changes something under one idempotency key; each ends in what was
//! asked for or in a [`StripeError`].
//!
//! Retries follow Stripe's own SDK (`RequestSender` of stripe-node): `Stripe-Should-Retry` is
//! obeyed; else what did not connect, 409, and 500 and above; 429 is not.

mod endpoints;
mod events;
mod retry;
mod wire;

pub use endpoints::WebhookEndpoint;
pub use events::{EventPage, FetchedEvent, Window};
pub use retry::Budget;
pub use wire::{Intent, Standing};

use crate::API_VERSION;
use crate::metadata::{Ids, Metadata};
use domain::fault::{Fault, Remedy, Seen};
use domain::id::StripeId;
use domain::money::Money;
use outbound::{Answer, Body, Call, HeaderMap, HeaderName, HeaderValue, Method, Outbound, header};
use retry::{Next, Pace};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use url::form_urlencoded::Serializer;

/// Stripe's door: where it is, and the pool of connections to it.
#[derive(Debug, Clone)]
pub struct StripeClient {
    base_url: String,
    outbound: Outbound,
    pace: Pace,
}

/// The calls of one request to us: under one key of the account, within one budget.
#[derive(Debug)]
pub struct Calls<'a> {
    client: &'a StripeClient,
    key: &'a SecretString,
    budget: Budget,
}

/// An intent to create: ids and money alone, so that a repeat says the same.
#[derive(Debug, Clone, Copy)]
pub struct NewIntent<'a> {
    /// What is to be paid.
    pub amount: Money,
    /// What it is for.
    pub ids: Ids<'a>,
}

/// A call that did not give what was asked, told by what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// Stripe is down or cannot be reached.
    #[error("Stripe does not answer ({0})")]
    Unavailable(Report),
    /// Stripe did not answer in time.
    #[error("Stripe is too slow ({0})")]
    TooSlow(Report),
    /// Too many calls.
    #[error("Stripe takes no more calls for now ({0})")]
    RateLimited(Report),
    /// The key or the address is wrong: a person must mend it.
    #[error(
        "Stripe refuses STRIPE_SECRET_KEY, or what it may do, or STRIPE_BASE_URL is wrong ({0})"
    )]
    Misconfigured(Report),
    /// There is no such object under this key.
    #[error("Stripe knows no such object ({0})")]
    Unknown(Report),
    /// Stripe refuses what we asked.
    #[error("Stripe refuses the call ({0})")]
    Refused(Report),
    /// The same key is being worked on, still.
    #[error("Stripe is still at work on the same call ({0})")]
    Conflict(Report),
    /// The key was used for another call: a new key is needed.
    #[error("the idempotency key was used for another call ({0})")]
    KeyReused(Report),
    /// The first call under this key failed in the middle, and Stripe repeats its failure for 24
    /// hours: whether it took effect is unknown, and a new key is needed.
    #[error("Stripe failed in the middle of the first call under this key ({0})")]
    Indeterminate(Report),
    /// Stripe answered something that is no answer of Stripe's.
    #[error("the answer is not one of Stripe's ({0})")]
    Garbage(Report),
}

/// What is known of a call that failed; safe to log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Status, Stripe's or the transport's code, and Stripe's id of the request.
    pub seen: Seen,
    /// The parameter that Stripe names.
    pub param: Option<String>,
    /// How long Stripe asks us to wait.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.seen, f)?;
        self.param.as_ref().map_or(Ok(()), |param| write!(f, ", {param}"))
    }
}

impl StripeError {
    /// What was seen of it.
    #[must_use]
    pub fn report(&self) -> &Report {
        match self {
            Self::Unavailable(report)
            | Self::TooSlow(report)
            | Self::RateLimited(report)
            | Self::Misconfigured(report)
            | Self::Unknown(report)
            | Self::Refused(report)
            | Self::Conflict(report)
            | Self::KeyReused(report)
            | Self::Indeterminate(report)
            | Self::Garbage(report) => report,
        }
    }
}

impl StripeClient {
    /// Knows where Stripe is: its address without `/v1`.
    #[must_use]
    pub fn new(base_url: &str, outbound: Outbound) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { base_url, outbound, pace: Pace::default() }
    }

    /// The same door, with another wait before a call is made again.
    #[must_use]
    pub fn waiting_first(self, first: Duration) -> Self {
        Self { pace: Pace { first }, ..self }
    }

    /// Opens a connection before anybody needs it.
    pub async fn connect(&self) {
        self.outbound.connect(&self.base_url).await;
    }

    /// Makes calls under a key of the account, all within one budget.
    #[must_use]
    pub fn calls<'a>(&'a self, key: &'a SecretString, budget: Budget) -> Calls<'a> {
        Calls { client: self, key, budget }
    }
}

impl Calls<'_> {
    /// Creates an intent, or finds the one that the same key created before.
    ///
    /// # Errors
    /// [`StripeError`] says what can be done.
    pub async fn create_intent(
        &self,
        intent: NewIntent<'_>,
        idempotency_key: &str,
    ) -> Result<Intent, StripeError> {
        let request = Request {
            verb: "create_intent",
            path: "/v1/payment_intents".to_owned(),
            form: Some(intent.form()),
            idempotency_key: Some(idempotency_key),
        };
        self.asked(request, wire::intent).await
    }

    /// Adds to an intent's metadata. `idempotency_key` must be new for every update: one that was
    /// used before would repeat Stripe's answer of then and change nothing.
    ///
    /// # Errors
    /// [`StripeError`] says what can be done.
    pub async fn update_intent(
        &self,
        id: &StripeId,
        metadata: &Metadata,
        idempotency_key: &str,
    ) -> Result<Intent, StripeError> {
        let request = Request {
            verb: "update_intent",
            path: format!("/v1/payment_intents/{id}"),
            form: Some(append(Serializer::new(String::new()), metadata).finish()),
            idempotency_key: Some(idempotency_key),
        };
        self.asked(request, wire::intent).await
    }

    /// Reads an intent as it is now, with its client secret.
    ///
    /// # Errors
    /// [`StripeError`] says what can be done.
    pub async fn retrieve_intent(&self, id: &StripeId) -> Result<Intent, StripeError> {
        let request = Request {
            verb: "retrieve_intent",
            path: format!("/v1/payment_intents/{id}"),
            form: None,
            idempotency_key: None,
        };
        self.asked(request, wire::intent).await
    }

    /// Makes a call until it has an answer, or until another try makes no sense, and reads what was
    /// asked for.
    async fn asked<T>(
        &self,
        request: Request<'_>,
        read: impl Fn(&Answer) -> Option<T>,
    ) -> Result<T, StripeError> {
        let answer = self.answered(request).await?;
        read(&answer).ok_or_else(|| StripeError::Garbage(wire::report(&answer)))
    }

    async fn answered(&self, request: Request<'_>) -> Result<Answer, StripeError> {
        if !self.budget.holds(Duration::ZERO) {
            let seen = Seen::code("budget_spent");
            return Err(StripeError::TooSlow(Report { seen, ..Report::default() }));
        }
        let headers = self.headers(request.idempotency_key)?;
        let url = format!("{}{}", self.client.base_url, request.path);
        let mut attempt = 1;
        loop {
            let call = request.call(&url, headers.clone(), attempt);
            let result = self.client.outbound.call(call).await;
            let wait = match self.client.pace.next(&result, attempt, &self.budget) {
                Next::Stop => return outcome(result),
                Next::Again(wait) => wait,
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    fn headers(&self, idempotency_key: Option<&str>) -> Result<HeaderMap, StripeError> {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", self.key.expose_secret().trim());
        let mut bearer = header_value(&bearer)?;
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
        headers.insert(
            HeaderName::from_static("stripe-version"),
            HeaderValue::from_static(API_VERSION),
        );
        if let Some(key) = idempotency_key {
            headers.insert(HeaderName::from_static("idempotency-key"), header_value(key)?);
        }
        Ok(headers)
    }
}

/// A key with characters that no header may hold was mistyped by a person.
fn header_value(text: &str) -> Result<HeaderValue, StripeError> {
    HeaderValue::from_str(text).map_err(|_| {
        let seen = Seen::code("unsendable_key");
        StripeError::Misconfigured(Report { seen, ..Report::default() })
    })
}

/// One call, to be made once or again.
struct Request<'a> {
    verb: &'static str,
    path: String,
    form: Option<String>,
    idempotency_key: Option<&'a str>,
}

impl Request<'_> {
    /// A reading call: its query is encoded.
    fn get(verb: &'static str, path: &str, query: &str) -> Self {
        Self { verb, path: format!("{path}?{query}"), form: None, idempotency_key: None }
    }

    fn call<'u>(&self, url: &'u str, headers: HeaderMap, attempt: u32) -> Call<'u> {
        let (method, body) = match &self.form {
            Some(form) => (Method::POST, Body::Form(form.clone())),
            None => (Method::GET, Body::Empty),
        };
        Call { verb: self.verb, method, url, headers, body, attempt }
    }
}

impl NewIntent<'_> {
    /// Which ways of paying there are is for the account's settings to say.
    fn form(&self) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("amount", &self.amount.minor.to_string())
            .append_pair("currency", &self.amount.currency.code().to_ascii_lowercase())
            .append_pair("automatic_payment_methods[enabled]", "true");
        append(form, &Metadata::of_ids(self.ids)).finish()
    }
}

fn append<'a>(mut form: Serializer<'a, String>, metadata: &Metadata) -> Serializer<'a, String> {
    for (key, value) in metadata.pairs() {
        form.append_pair(&format!("metadata[{key}]"), value);
    }
    form
}

/// The table of statuses: <https://docs.stripe.com/api/errors>.
fn outcome(result: Result<Answer, Fault>) -> Result<Answer, StripeError> {
    let answer = result.map_err(|fault| without_answer(&fault))?;
    let report = wire::report(&answer);
    let code = report.seen.code.as_deref();
    Err(match answer.status() {
        200..300 => return Ok(answer),
        401 | 403 | 300..400 => StripeError::Misconfigured(report),
        404 => StripeError::Unknown(report),
        409 => StripeError::Conflict(report),
        429 => StripeError::RateLimited(report),
        400 if code == Some("rate_limit") => StripeError::RateLimited(report),
        400 if wire::error_type(&answer).as_deref() == Some("idempotency_error") => {
            StripeError::KeyReused(report)
        }
        400..500 => StripeError::Refused(report),
        500.. if retry::is_replayed(&answer) => StripeError::Indeterminate(report),
        0..200 | 500.. => StripeError::Unavailable(report),
    })
}

fn without_answer(fault: &Fault) -> StripeError {
    let report = Report { seen: fault.seen.clone(), ..Report::default() };
    match (fault.remedy, fault.seen.code.as_deref()) {
        (Remedy::Setup, _) => StripeError::Misconfigured(report),
        (Remedy::Retry { .. } | Remedy::Reject, Some("timeout")) => StripeError::TooSlow(report),
        (Remedy::Retry { .. } | Remedy::Reject, _) => StripeError::Unavailable(report),
    }
}

#[cfg(test)]
mod tests;
