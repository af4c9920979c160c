//! Stripe's errors (docs.stripe.com/api/errors, docs.stripe.com/error-codes).

use serde_json::{Value, json};

use crate::exchange::{Answer, Request};

const INVALID_REQUEST: &str = "invalid_request_error";

/// Why a call was refused.
pub(super) struct Refusal {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
    payment_intent: Option<Value>,
    /// True once the endpoint began its work: such an answer is kept under its idempotency key.
    pub(super) executed: bool,
}

impl Refusal {
    /// Parameters that cannot be: nothing was begun.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: INVALID_REQUEST,
            code: None,
            param: None,
            message: message.into(),
            payment_intent: None,
            executed: false,
        }
    }

    /// A state of things that forbids the call.
    pub(super) fn execution(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), executed: true, ..Self::validation(message) }
    }

    pub(super) fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(super) fn with_param(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(super) fn with_intent(self, intent: &Value) -> Self {
        Self { payment_intent: Some(intent.clone()), ..self }
    }

    pub(super) fn unknown_parameter(name: &str) -> Self {
        Self::validation(format!("Received unknown parameter: {name}"))
            .with_code("parameter_unknown")
            .with_param(name)
    }

    pub(super) fn missing_parameter(name: &str) -> Self {
        Self::validation(format!("Missing required param: {name}."))
            .with_code("parameter_missing")
            .with_param(name)
    }

    pub(super) fn no_such(kind: &str, param: &str, id: &str) -> Self {
        let refusal = Self::execution("resource_missing", format!("No such {kind}: '{id}'"));
        Self { status: 404, ..refusal.with_param(param) }
    }

    pub(super) fn unknown_url(request: &Request) -> Self {
        let (method, path) = (&request.method, &request.path);
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Self { status: 404, ..Self::validation(message) }
    }

    pub(super) fn no_key() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
        Self { status: 401, ..Self::validation(message) }
    }

    pub(super) fn bad_key() -> Self {
        Self { status: 401, ..Self::validation("Invalid API Key provided: sk_****") }
    }

    pub(super) fn key_in_use() -> Self {
        let message = "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through). Please try again later.";
        Self { status: 409, ..Self::validation(message).with_code("idempotency_key_in_use") }
    }

    pub(super) fn other_parameters(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
        );
        Self { kind: "idempotency_error", ..Self::validation(message) }
    }

    /// The refusal that a fault asks for.
    pub(super) fn of_status(status: u16) -> Self {
        let (kind, code, message) = match status {
            401 => (INVALID_REQUEST, None, "Invalid API Key provided: sk_****"),
            402 => ("card_error", Some("card_declined"), "Your card was declined."),
            404 => (INVALID_REQUEST, Some("resource_missing"), "No such object."),
            409 => (
                INVALID_REQUEST,
                Some("lock_timeout"),
                "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.",
            ),
            429 => (INVALID_REQUEST, Some("rate_limit"), "Request rate limit exceeded."),
            400..=499 => (INVALID_REQUEST, None, "The request was refused."),
            _ => (
                "api_error",
                None,
                "Sorry! There was an error while talking to one of our backends.",
            ),
        };
        Self { status, kind, code, ..Self::validation(message) }
    }

    /// The answer that tells it.
    pub(super) fn answer(&self, request_id: &str) -> Answer {
        let mut error = json!({
            "type": self.kind,
            "message": self.message,
            "request_log_url": format!("https://dashboard.stripe.com/test/logs/{request_id}"),
        });
        if let Some(code) = self.code {
            error["code"] = code.into();
            error["doc_url"] =
                format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")).into();
        }
        if let Some(param) = &self.param {
            error["param"] = param.as_str().into();
        }
        if let Some(intent) = &self.payment_intent {
            error["payment_intent"] = intent.clone();
        }
        Answer::json(self.status, json!({ "error": error }))
    }
}
