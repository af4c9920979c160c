//! The JSON of Stripe's events, read so that a fault names its field and nothing else.

use super::{Failure, PaidIntent, Refund, Unreadable};
use crate::metadata::Metadata;
use domain::fault::Seen;
use domain::id::StripeId;
use domain::money::{Currency, Money};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::BTreeMap;

/// A field of the kind we know, or of any other: only what is needed is missed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose<T> {
    Fits(T),
    Other(IgnoredAny),
}

type Field<T> = Option<Loose<T>>;

/// A reference: the id of an object, or the object itself where a version or an option expands it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Id(String),
    Object { id: String },
}

#[derive(Deserialize)]
pub(super) struct Envelope {
    id: Field<String>,
    #[serde(rename = "type")]
    kind: Field<String>,
    livemode: Field<bool>,
    created: Field<i64>,
}

#[derive(Deserialize)]
struct Carrying<T> {
    data: Field<Data<T>>,
}

#[derive(Deserialize)]
struct Data<T> {
    object: Field<T>,
}

#[derive(Deserialize)]
pub(super) struct IntentObject {
    id: Field<String>,
    amount: Field<i64>,
    amount_received: Field<i64>,
    currency: Field<String>,
    latest_charge: Field<Reference>,
    last_payment_error: Field<PaymentError>,
    metadata: Field<BTreeMap<String, Loose<String>>>,
}

#[derive(Deserialize)]
struct PaymentError {
    code: Field<String>,
    decline_code: Field<String>,
    charge: Field<Reference>,
}

#[derive(Deserialize)]
pub(super) struct RefundObject {
    id: Field<String>,
    amount: Field<i64>,
    currency: Field<String>,
    status: Field<String>,
    charge: Field<Reference>,
    payment_intent: Field<Reference>,
}

pub(super) fn envelope(body: &[u8]) -> Result<Envelope, Unreadable> {
    read(body)
}

pub(super) fn intent(body: &[u8]) -> Result<IntentObject, Unreadable> {
    object(body)
}

pub(super) fn refund(body: &[u8]) -> Result<RefundObject, Unreadable> {
    object(body)
}

fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    let carrying: Carrying<T> = read(body)?;
    let data = owned(carrying.data, "data")?;
    owned(data.object, "data.object")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body)
        .map_err(|error| Unreadable::NotJson { line: error.line(), column: error.column() })
}

impl Envelope {
    pub(super) fn id(&self) -> Result<StripeId, Unreadable> {
        id(&self.id, "id")
    }

    pub(super) fn kind(&self) -> Result<&str, Unreadable> {
        known(&self.kind, "type").map(String::as_str)
    }

    pub(super) fn livemode(&self) -> Result<bool, Unreadable> {
        known(&self.livemode, "livemode").copied()
    }

    pub(super) fn created(&self) -> Result<Timestamp, Unreadable> {
        let seconds = known(&self.created, "created")?;
        Timestamp::from_second(*seconds).map_err(|_| Unreadable::Unfit("created"))
    }
}

impl IntentObject {
    /// The intent with what was received, which a partial capture makes less than was asked.
    pub(super) fn paid(&self) -> Result<PaidIntent, Unreadable> {
        let received = perhaps(&self.amount_received).copied().filter(|amount| *amount > 0);
        self.moved(received)
    }

    /// The intent with what was asked.
    pub(super) fn asked(&self) -> Result<PaidIntent, Unreadable> {
        self.moved(None)
    }

    fn moved(&self, received: Option<i64>) -> Result<PaidIntent, Unreadable> {
        let asked = money(&self.amount, &self.currency)?;
        let tried = perhaps(&self.last_payment_error).and_then(|error| reference(&error.charge));
        Ok(PaidIntent {
            id: id(&self.id, "data.object.id")?,
            amount: Money { minor: received.unwrap_or(asked.minor), ..asked },
            charge: reference(&self.latest_charge).or(tried),
            metadata: self.metadata(),
        })
    }

    /// Why it was not paid.
    pub(super) fn failure(&self) -> Failure {
        let Some(error) = perhaps(&self.last_payment_error) else { return Failure::default() };
        let code = perhaps(&error.decline_code).or(perhaps(&error.code));
        Failure {
            code: code.and_then(|code| Seen::code(code).code).filter(|code| !code.is_empty()),
        }
    }

    fn metadata(&self) -> Metadata {
        let pairs = perhaps(&self.metadata).into_iter().flatten();
        pairs
            .filter_map(|(key, value)| match value {
                Loose::Fits(value) => Some((key.as_str(), value.as_str())),
                Loose::Other(IgnoredAny) => None,
            })
            .collect()
    }
}

impl RefundObject {
    /// The refund, if the money is on its way for good.
    pub(super) fn succeeded(&self) -> Result<Option<Refund>, Unreadable> {
        if perhaps(&self.status).is_none_or(|status| status != "succeeded") {
            return Ok(None);
        }
        let charge = reference(&self.charge);
        let of = reference(&self.payment_intent).or_else(|| charge.clone());
        Ok(Some(Refund {
            id: id(&self.id, "data.object.id")?,
            of: of.ok_or(Unreadable::Missing("data.object.payment_intent"))?,
            charge,
            amount: money(&self.amount, &self.currency)?,
        }))
    }
}

fn known<'a, T>(field: &'a Field<T>, name: &'static str) -> Result<&'a T, Unreadable> {
    match field {
        Some(Loose::Fits(value)) => Ok(value),
        Some(Loose::Other(IgnoredAny)) => Err(Unreadable::Unfit(name)),
        None => Err(Unreadable::Missing(name)),
    }
}

fn owned<T>(field: Field<T>, name: &'static str) -> Result<T, Unreadable> {
    match field {
        Some(Loose::Fits(value)) => Ok(value),
        Some(Loose::Other(IgnoredAny)) => Err(Unreadable::Unfit(name)),
        None => Err(Unreadable::Missing(name)),
    }
}

fn perhaps<T>(field: &Field<T>) -> Option<&T> {
    match field {
        Some(Loose::Fits(value)) => Some(value),
        Some(Loose::Other(IgnoredAny)) | None => None,
    }
}

fn id(field: &Field<String>, name: &'static str) -> Result<StripeId, Unreadable> {
    let text = known(field, name)?;
    StripeId::parse(text).map_err(|_| Unreadable::Unfit(name))
}

fn reference(field: &Field<Reference>) -> Option<StripeId> {
    match perhaps(field)? {
        Reference::Id(id) | Reference::Object { id } => StripeId::parse(id).ok(),
    }
}

fn money(amount: &Field<i64>, currency: &Field<String>) -> Result<Money, Unreadable> {
    let minor = *known(amount, "data.object.amount")?;
    let code = known(currency, "data.object.currency")?;
    let currency = Currency::parse(code).map_err(|_| Unreadable::Unfit("data.object.currency"))?;
    if minor < 0 {
        Err(Unreadable::Unfit("data.object.amount"))
    } else {
        Ok(Money { minor, currency })
    }
}
