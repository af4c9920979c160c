//! Facts: what happened, in the past tense and without a vendor's words. Written once, never changed.

use crate::attribution::Context;
use crate::consent::Consent;
use crate::contact::Contact;
use crate::id::{EventId, SessionId, StripeId};
use crate::money::Money;
use crate::order::Order;
use crate::pepper::PersonKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the stored shape. Readers take this and older ones.
pub const SCHEMA: u32 = 1;

/// The highest revision of a lead that is taken.
pub const HIGHEST_REVISION: u32 = 20;

/// One thing that happened in a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The version of this shape.
    pub schema: u32,
    /// The journey.
    pub event_id: EventId,
    /// The browser session; unknown where Stripe alone speaks.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// Who says so, with the source's own id: the fact's key, and so its idempotency.
    pub source: Source,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// When we stored it, by ours.
    pub recorded_at: Timestamp,
    /// Whom it is about; unknown where the source names nobody.
    #[serde(default)]
    pub person: Option<PersonKey>,
    /// How to reach them, as this source says.
    #[serde(default)]
    pub contact: Option<Contact>,
    /// What they allowed, as this source says.
    #[serde(default)]
    pub consent: Option<Consent>,
    /// Where they came from.
    #[serde(default)]
    pub context: Context,
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening,
}

/// Who reports a fact, and the id under which it reports it at most once. Of one moment, those that
/// come first in a visit come first, and a correction after what it corrects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Source {
    /// A lead form, by revision.
    Lead(u32),
    /// A consent dialogue, by the keyed digest of the answer.
    Consent(String),
    /// A checkout, by its payment intent.
    Checkout(StripeId),
    /// Stripe, by `event.id`.
    Stripe(StripeId),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lead(revision) => write!(f, "lead#{revision}"),
            Self::Consent(digest) => write!(f, "consent#{digest}"),
            Self::Checkout(intent) => write!(f, "checkout#{intent}"),
            Self::Stripe(event) => write!(f, "stripe#{event}"),
        }
    }
}

/// What happened, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "happened", rename_all = "snake_case")]
pub enum Happening {
    /// A visitor left their contact.
    LeadCaptured,
    /// They corrected it.
    LeadCorrected {
        /// Which correction; the highest wins.
        revision: u32,
    },
    /// They answered a consent dialogue.
    ConsentChanged,
    /// They began to pay.
    CheckoutStarted {
        /// What they are buying.
        order: Order,
        /// The intent they will pay.
        payment_intent: StripeId,
    },
    /// They paid.
    PaymentSucceeded {
        /// The payment.
        payment: Payment,
    },
    /// A payment was refused.
    PaymentFailed {
        /// The payment that was tried.
        payment: Payment,
        /// Stripe's code of the refusal (`card_declined`), for people who help the buyer.
        #[serde(default)]
        code: Option<String>,
    },
    /// Money went back.
    PaymentRefunded {
        /// The payment it came from; `amount` is what went back.
        payment: Payment,
        /// The refund.
        refund: StripeId,
    },
}

/// A movement of money at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The payment intent.
    pub payment_intent: StripeId,
    /// The charge, where there is one.
    #[serde(default)]
    pub charge: Option<StripeId>,
    /// How much moved.
    pub amount: Money,
    /// Whether the event belongs to a journey of ours, or to another shop on the same account.
    #[serde(default)]
    pub foreign: bool,
}

impl Fact {
    /// Whether a bank refused. Of the destinations that keep state the CRM alone hears of it: what the
    /// others hold must not depend on it, or it would depend on when they were told something else.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.happening, Happening::PaymentFailed { .. })
    }

    /// The effect this fact has: the unit that a destination hears of once.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let object = match (&self.happening, &self.source) {
            (Happening::LeadCaptured, _) => self.event_id.to_string(),
            (Happening::LeadCorrected { revision }, _) => format!("{}:{revision}", self.event_id),
            (Happening::ConsentChanged, source) => source.to_string().replace('#', ":"),
            (Happening::CheckoutStarted { payment_intent, .. }, _) => payment_intent.to_string(),
            (Happening::PaymentSucceeded { payment }, _) => payment.payment_intent.to_string(),
            // An authentication that failed leaves no charge: then the event is the effect.
            (Happening::PaymentFailed { payment, .. }, source) => payment
                .charge
                .as_ref()
                .map_or_else(|| source.to_string().replace('#', ":"), ToString::to_string),
            (Happening::PaymentRefunded { refund, .. }, _) => refund.to_string(),
        };
        Effect(format!("{}:{object}", self.happening.name()))
    }

    /// Whether the fact is another shop's, on the same Stripe account.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.happening.payment().is_some_and(|payment| payment.foreign)
    }

    /// The revision of the lead this fact states, if it states one.
    #[must_use]
    pub fn lead_revision(&self) -> Option<u32> {
        match self.happening {
            Happening::LeadCaptured => Some(1),
            Happening::LeadCorrected { revision } => Some(revision),
            Happening::ConsentChanged
            | Happening::CheckoutStarted { .. }
            | Happening::PaymentSucceeded { .. }
            | Happening::PaymentFailed { .. }
            | Happening::PaymentRefunded { .. } => None,
        }
    }

    /// Whether two facts state the same: all that the source said is equal, whatever we added
    /// (when it arrived, and from which address on the internet).
    #[must_use]
    pub fn states_the_same_as(&self, other: &Self) -> bool {
        let said = |fact: &Self| {
            let mut fact = fact.clone();
            fact.recorded_at = Timestamp::UNIX_EPOCH;
            if let Some(consent) = &mut fact.consent {
                consent.ip = None;
            }
            fact
        };
        said(self) == said(other)
    }
}

impl Happening {
    /// The name of the kind of fact.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeadCaptured => "lead_captured",
            Self::LeadCorrected { .. } => "lead_corrected",
            Self::ConsentChanged => "consent_changed",
            Self::CheckoutStarted { .. } => "checkout_started",
            Self::PaymentSucceeded { .. } => "payment_succeeded",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentRefunded { .. } => "payment_refunded",
        }
    }

    /// The movement of money, where there is one.
    #[must_use]
    pub fn payment(&self) -> Option<&Payment> {
        match self {
            Self::PaymentSucceeded { payment }
            | Self::PaymentFailed { payment, .. }
            | Self::PaymentRefunded { payment, .. } => Some(payment),
            Self::LeadCaptured
            | Self::LeadCorrected { .. }
            | Self::ConsentChanged
            | Self::CheckoutStarted { .. } => None,
        }
    }
}

/// An effect's name, as in `payment_succeeded:pi_…`: one destination, one effect, one delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Effect(String);

impl Effect {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes an effect that the ledger or a queue holds.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
