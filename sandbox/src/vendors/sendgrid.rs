//! SendGrid's `POST /v3/mail/send`.
//!
//! twilio.com/docs/sendgrid/api-reference/mail-send and its page of errors, and the official API
//! description (github.com/twilio/sendgrid-oai, `tsg_mail_v3`).

mod mail;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::exchange::{Answer, Request};

/// Answers one request to SendGrid.
pub(crate) fn answer(request: &Request, now: Timestamp) -> Answer {
    if request.segments() != ["v3", "mail", "send"] {
        return errors(404, "not found", None);
    }
    if request.method != Method::POST {
        return errors(405, "method not allowed", None);
    }
    if request.bearer().is_none() {
        return errors(401, "Permission denied, wrong credentials", None);
    }
    if request.media_type() != "application/json" {
        return errors(415, "Content-Type should be application/json.", None);
    }
    let Some(Value::Object(mail)) = request.json() else {
        return errors(400, "Bad Request", None);
    };
    match mail::check(&mail, now) {
        Err(fault) => errors(400, &fault.message, fault.field.as_deref()),
        Ok(()) => accepted(&mail),
    }
}

fn accepted(mail: &Map<String, Value>) -> Answer {
    let only_tried = mail
        .get("mail_settings")
        .is_some_and(|settings| settings["sandbox_mode"]["enable"] == Value::Bool(true));
    let id = std::iter::repeat_with(fastrand::alphanumeric).take(22).collect::<String>();
    Answer::empty(if only_tried { 200 } else { 202 }).with_header("x-message-id", id)
}

fn errors(status: u16, message: &str, field: Option<&str>) -> Answer {
    let help = field.map(|field| {
        let root = field.split('.').next().unwrap_or(field);
        format!("http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message.{root}")
    });
    Answer::json(
        status,
        json!({ "errors": [{ "message": message, "field": field, "help": help }] }),
    )
}

/// A refusal in SendGrid's shape.
pub(crate) fn fault(status: u16) -> Answer {
    let message = match status {
        400 => "Bad Request",
        401 => "The provided authorization grant is invalid, expired, or revoked",
        403 => "The from address does not match a verified Sender Identity.",
        404 => "not found",
        413 => "payload too large",
        429 => "too many requests",
        _ => "Internal Server Error",
    };
    if status < 400 {
        return Answer::empty(status);
    }
    errors(status, message, None)
}
