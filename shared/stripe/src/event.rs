//! What an event says, in any API version from 2024-09 to today: only the fields we use are read, and
//! whatever Stripe added, moved or expanded beside them does not matter. An event is signed
//! ([`VerifiedEvent`]) or was fetched by ourselves ([`FetchedEvent`]); other bytes cannot become one.

mod wire;

use crate::client::FetchedEvent;
use crate::metadata::Metadata;
use crate::webhook::VerifiedEvent;
use domain::id::StripeId;
use domain::money::Money;
use jiff::Timestamp;

/// An event's envelope; its object is read by [`Event::told`].
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Stripe's id of the event: the same in every delivery of it.
    pub id: StripeId,
    /// Its type.
    pub kind: Kind,
    /// Whether it tells of real money.
    pub livemode: bool,
    /// Read only where it is needed: events of other families write it otherwise.
    created: Result<Timestamp, Unreadable>,
    data: Data<'a>,
}

/// What the event is about, as it came and not yet read. `Debug` shows none of it.
#[derive(Clone, Copy)]
struct Data<'a>(wire::Field<'a>);

impl std::fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes]", self.0.map_or(0, |data| data.get().len()))
    }
}

/// The types we listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `payment_intent.succeeded`
    PaymentSucceeded,
    /// `payment_intent.payment_failed`
    PaymentFailed,
    /// `refund.created`
    RefundCreated,
    /// `refund.updated`
    RefundUpdated,
    /// Any other, today's and tomorrow's.
    Other,
}

impl Kind {
    /// The types that tell of money: what an endpoint listens to, and what is asked for.
    pub const OF_MONEY: [Self; 4] =
        [Self::PaymentSucceeded, Self::PaymentFailed, Self::RefundCreated, Self::RefundUpdated];

    fn parse(text: &str) -> Self {
        match text {
            "payment_intent.succeeded" => Self::PaymentSucceeded,
            "payment_intent.payment_failed" => Self::PaymentFailed,
            "refund.created" => Self::RefundCreated,
            "refund.updated" => Self::RefundUpdated,
            _ => Self::Other,
        }
    }

    /// The type as Stripe writes it; `other` where it is none of ours.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PaymentSucceeded => "payment_intent.succeeded",
            Self::PaymentFailed => "payment_intent.payment_failed",
            Self::RefundCreated => "refund.created",
            Self::RefundUpdated => "refund.updated",
            Self::Other => "other",
        }
    }
}

/// Something happened to money, with the second in which Stripe saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When, to the second.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What an event of ours tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A payment intent was paid; `amount` is what was received.
    Paid(PaidIntent),
    /// A try to pay it failed; `amount` is what was asked.
    NotPaid(PaidIntent, Failure),
    /// Money went back for good.
    Refunded(Refund),
}

/// The parts of a payment intent that an event tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidIntent {
    /// The intent.
    pub id: StripeId,
    /// How much.
    pub amount: Money,
    /// The charge, where there is one.
    pub charge: Option<StripeId>,
    /// What we wrote beside it, or what another shop did.
    pub metadata: Metadata,
}

/// Why a payment failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The bank's reason where it gives one, or else Stripe's: `insufficient_funds`,
    /// `card_declined`. Identifier characters only.
    pub code: Option<String>,
}

/// A refund that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The refund.
    pub id: StripeId,
    /// The intent whose money went back; for charges made without one, the charge.
    pub of: StripeId,
    /// The charge.
    pub charge: Option<StripeId>,
    /// How much went back.
    pub amount: Money,
}

/// A body of Stripe's that we cannot read. Names the field; owns none of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON at all, or cut.
    #[error("the body is not JSON: line {line}, column {column}")]
    NotJson {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// A field that every version has is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field has another type than in every version we know.
    #[error("{0} is not of the kind we know")]
    Unfit(&'static str),
}

impl VerifiedEvent<'_> {
    /// Reads the envelope.
    ///
    /// # Errors
    /// [`Unreadable`] names the field.
    pub fn event(&self) -> Result<Event<'_>, Unreadable> {
        Event::read(self.body())
    }
}

impl FetchedEvent {
    /// Reads the envelope.
    ///
    /// # Errors
    /// [`Unreadable`] names the field.
    pub fn event(&self) -> Result<Event<'_>, Unreadable> {
        Event::read(self.body())
    }
}

impl<'a> Event<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Unreadable> {
        let envelope = wire::envelope(body)?;
        Ok(Self {
            id: envelope.id()?,
            kind: Kind::parse(&envelope.kind()?),
            livemode: envelope.livemode()?,
            created: envelope.created(),
            data: Data(envelope.data),
        })
    }

    /// Reads what the event tells; `None` where it is nothing that we keep: another type, whose
    /// object is not looked at, or a refund that has not succeeded.
    ///
    /// # Errors
    /// [`Unreadable`] names the field.
    pub fn told(&self) -> Result<Option<Told>, Unreadable> {
        let Data(data) = self.data;
        let what = match self.kind {
            Kind::PaymentSucceeded => Some(What::Paid(wire::intent(data)?.paid()?)),
            Kind::PaymentFailed => {
                let intent = wire::intent(data)?;
                Some(What::NotPaid(intent.asked()?, intent.failure()))
            }
            Kind::RefundCreated | Kind::RefundUpdated => {
                wire::refund(data)?.succeeded()?.map(What::Refunded)
            }
            Kind::Other => None,
        };
        what.map(|what| Ok(Told { at: self.created?, what })).transpose()
    }
}

#[cfg(test)]
mod tests;
