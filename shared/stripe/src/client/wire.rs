//! The JSON of Stripe's answers: what we use of an intent, of a list and of an error.

use super::Report;
use crate::metadata::Metadata;
use domain::id::StripeId;
use domain::money::{Currency, Money};
use outbound::Answer;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A payment intent as it is at Stripe. `Debug` shows no secret and no person.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Its id.
    pub id: StripeId,
    /// With which the buyer's browser pays it. Handed on, never stored.
    pub client_secret: SecretString,
    /// Whether it can still be paid.
    pub standing: Standing,
    /// How much is to be paid.
    pub amount: Money,
    /// What we wrote beside it.
    pub metadata: Metadata,
}

/// How an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits for the buyer, or for their bank.
    Open,
    /// It was paid.
    Succeeded,
    /// It was given up.
    Canceled,
}

impl Standing {
    fn parse(status: &str) -> Self {
        match status {
            "succeeded" => Self::Succeeded,
            "canceled" => Self::Canceled,
            // requires_payment_method, requires_confirmation, requires_action, requires_capture,
            // processing, and whatever comes: not over.
            _ => Self::Open,
        }
    }
}

#[derive(Deserialize)]
struct IntentWire {
    id: StripeId,
    client_secret: String,
    status: String,
    amount: i64,
    currency: Currency,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: ErrorWire,
}

#[derive(Deserialize)]
struct ErrorWire {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    param: Option<String>,
}

pub(super) fn intent(answer: &Answer) -> Option<Intent> {
    let wire: IntentWire = answer.json()?;
    Some(Intent {
        id: wire.id,
        client_secret: SecretString::from(wire.client_secret),
        standing: Standing::parse(&wire.status),
        amount: Money { minor: wire.amount, currency: wire.currency },
        metadata: wire.metadata.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
    })
}

pub(super) fn error_type(answer: &Answer) -> Option<String> {
    answer.json::<Refusal>()?.error.kind
}

/// What is safe to keep of an answer that is not what was asked for.
pub(super) fn report(answer: &Answer) -> Report {
    let error = answer.json::<Refusal>().map(|refusal| refusal.error);
    let (code, param) =
        error.map_or((None, None), |error| (error.code.or(error.kind), error.param));
    // The same characters as a code's, and the brackets of `metadata[email]`, which name a field.
    let plain = |c: &char| c.is_ascii_alphanumeric() || "_-.[]".contains(*c);
    let mut seen = answer.fault("request-id").seen;
    if let Some(code) = code {
        seen = seen.with_code(&code);
    }
    Report {
        seen,
        param: param.map(|param| param.chars().filter(plain).take(64).collect()),
        retry_after: answer.retry_after(),
    }
}
