//! The JSON of Stripe's events, read so that a fault names its field and nothing else.

use super::{Failure, PaidIntent, Refund, Unreadable};
use crate::metadata::Metadata;
use domain::fault::Seen;
use domain::id::StripeId;
use domain::money::{Currency, Money};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A field as it came, read once it is known to be needed, and by whom: whatever kind of value it
/// holds, the fields beside it can be read.
pub(super) type Field<'a> = Option<&'a RawValue>;

/// A reference: the id of an object, or the object itself where a version or an option expands it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Id(String),
    Object { id: String },
}

#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow, rename = "type")]
    kind: Field<'a>,
    #[serde(borrow)]
    livemode: Field<'a>,
    #[serde(borrow)]
    created: Field<'a>,
    #[serde(borrow)]
    pub(super) data: Field<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: Field<'a>,
}

#[derive(Deserialize)]
pub(super) struct IntentObject<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    amount: Field<'a>,
    #[serde(borrow)]
    amount_received: Field<'a>,
    #[serde(borrow)]
    currency: Field<'a>,
    #[serde(borrow)]
    latest_charge: Field<'a>,
    #[serde(borrow)]
    last_payment_error: Field<'a>,
    #[serde(borrow)]
    metadata: Field<'a>,
}

#[derive(Deserialize)]
struct PaymentError<'a> {
    #[serde(borrow)]
    code: Field<'a>,
    #[serde(borrow)]
    decline_code: Field<'a>,
    #[serde(borrow)]
    charge: Field<'a>,
}

#[derive(Deserialize)]
pub(super) struct RefundObject<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    amount: Field<'a>,
    #[serde(borrow)]
    currency: Field<'a>,
    #[serde(borrow)]
    status: Field<'a>,
    #[serde(borrow)]
    charge: Field<'a>,
    #[serde(borrow)]
    payment_intent: Field<'a>,
}

pub(super) fn envelope(body: &[u8]) -> Result<Envelope<'_>, Unreadable> {
    serde_json::from_slice(body)
        .map_err(|error| Unreadable::NotJson { line: error.line(), column: error.column() })
}

pub(super) fn intent(data: Field<'_>) -> Result<IntentObject<'_>, Unreadable> {
    object(data)
}

pub(super) fn refund(data: Field<'_>) -> Result<RefundObject<'_>, Unreadable> {
    object(data)
}

fn object<'a, T: Deserialize<'a>>(data: Field<'a>) -> Result<T, Unreadable> {
    let data: Data<'a> = known(data, "data")?;
    known(data.object, "data.object")
}

impl Envelope<'_> {
    pub(super) fn id(&self) -> Result<StripeId, Unreadable> {
        id(self.id, "id")
    }

    pub(super) fn kind(&self) -> Result<String, Unreadable> {
        known(self.kind, "type")
    }

    pub(super) fn livemode(&self) -> Result<bool, Unreadable> {
        known(self.livemode, "livemode")
    }

    pub(super) fn created(&self) -> Result<Timestamp, Unreadable> {
        let seconds = known(self.created, "created")?;
        Timestamp::from_second(seconds).map_err(|_| Unreadable::Unfit("created"))
    }
}

impl IntentObject<'_> {
    /// The intent with what was received, which a partial capture makes less than was asked.
    pub(super) fn paid(&self) -> Result<PaidIntent, Unreadable> {
        let received = perhaps(self.amount_received).filter(|amount| *amount > 0);
        self.moved(received, reference(self.latest_charge))
    }

    /// The intent with what was asked, and the charge that was refused: none where it did not come to
    /// one, whatever was tried before.
    pub(super) fn asked(&self) -> Result<PaidIntent, Unreadable> {
        let refused = self.error().map(|error| reference(error.charge));
        self.moved(None, refused.unwrap_or_else(|| reference(self.latest_charge)))
    }

    fn moved(
        &self,
        received: Option<i64>,
        charge: Option<StripeId>,
    ) -> Result<PaidIntent, Unreadable> {
        let asked = money(self.amount, self.currency)?;
        Ok(PaidIntent {
            id: id(self.id, "data.object.id")?,
            amount: Money { minor: received.unwrap_or(asked.minor), ..asked },
            charge,
            metadata: self.metadata(),
        })
    }

    /// Why it was not paid.
    pub(super) fn failure(&self) -> Failure {
        let Some(error) = self.error() else { return Failure::default() };
        let code: Option<String> = perhaps(error.decline_code).or(perhaps(error.code));
        Failure {
            code: code.and_then(|code| Seen::code(&code).code).filter(|code| !code.is_empty()),
        }
    }

    fn error(&self) -> Option<PaymentError<'_>> {
        perhaps(self.last_payment_error)
    }

    fn metadata(&self) -> Metadata {
        let pairs: BTreeMap<String, &RawValue> = perhaps(self.metadata).unwrap_or_default();
        let texts = pairs.iter().filter_map(|(key, value)| Some((key, perhaps(Some(*value))?)));
        let texts: Vec<(&String, String)> = texts.collect();
        texts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
}

impl RefundObject<'_> {
    /// The refund, if the money is on its way for good.
    pub(super) fn succeeded(&self) -> Result<Option<Refund>, Unreadable> {
        if perhaps::<String>(self.status).is_none_or(|status| status != "succeeded") {
            return Ok(None);
        }
        let charge = reference(self.charge);
        let of = reference(self.payment_intent).or_else(|| charge.clone());
        Ok(Some(Refund {
            id: id(self.id, "data.object.id")?,
            of: of.ok_or(Unreadable::Missing("data.object.payment_intent"))?,
            charge,
            amount: money(self.amount, self.currency)?,
        }))
    }
}

fn known<'a, T: Deserialize<'a>>(field: Field<'a>, name: &'static str) -> Result<T, Unreadable> {
    let raw = field.ok_or(Unreadable::Missing(name))?;
    serde_json::from_str(raw.get()).map_err(|_| Unreadable::Unfit(name))
}

fn perhaps<'a, T: Deserialize<'a>>(field: Field<'a>) -> Option<T> {
    serde_json::from_str(field?.get()).ok()
}

fn id(field: Field<'_>, name: &'static str) -> Result<StripeId, Unreadable> {
    let text: String = known(field, name)?;
    StripeId::parse(&text).map_err(|_| Unreadable::Unfit(name))
}

fn reference(field: Field<'_>) -> Option<StripeId> {
    match perhaps(field)? {
        Reference::Id(id) | Reference::Object { id } => StripeId::parse(&id).ok(),
    }
}

fn money(amount: Field<'_>, currency: Field<'_>) -> Result<Money, Unreadable> {
    let minor = known(amount, "data.object.amount")?;
    let code: String = known(currency, "data.object.currency")?;
    let currency = Currency::parse(&code).map_err(|_| Unreadable::Unfit("data.object.currency"))?;
    if minor < 0 {
        Err(Unreadable::Unfit("data.object.amount"))
    } else {
        Ok(Money { minor, currency })
    }
}
