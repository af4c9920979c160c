//! Whose journey an event of Stripe's belongs to, and the fact that it becomes there.

use domain::attribution::Context;
use domain::consent::Consent;
use domain::contact::Contact;
use domain::fact::{Fact, Happening, Payment, SCHEMA, Source};
use domain::id::{EventId, SessionId, StripeId};
use domain::money::Money;
use domain::pepper::{Pepper, PersonKey};
use jiff::Timestamp;
use ledger::Pointer;
use stripe::Metadata;
use stripe::event::{Told, What};

/// Whose journey an event belongs to, and what is known of them.
#[derive(Debug)]
pub(crate) struct Owner {
    event_id: EventId,
    session_id: Option<SessionId>,
    person: Option<PersonKey>,
    contact: Option<Contact>,
    consent: Option<Consent>,
    context: Context,
    foreign: bool,
}

/// The object whose owner is asked for: the payment intent, also of a refund.
pub(crate) fn object(what: &What) -> &StripeId {
    match what {
        What::Paid(intent) | What::NotPaid(intent, _) => &intent.id,
        What::Refunded(refund) => &refund.of,
    }
}

fn metadata(what: &What) -> Option<&Metadata> {
    match what {
        What::Paid(intent) | What::NotPaid(intent, _) => Some(&intent.metadata),
        // A refund carries metadata of its own, which is not ours.
        What::Refunded(_) => None,
    }
}

impl Owner {
    /// As we wrote beside the object; `None` where it is not ours, or carries no word of us.
    pub(crate) fn of_metadata(what: &What, pepper: &Pepper) -> Option<Self> {
        let metadata = metadata(what)?;
        let event_id = metadata.event_id()?;
        let contact = metadata.contact();
        Some(Self {
            event_id,
            session_id: metadata.session_id(),
            person: contact.as_ref().map(|contact| pepper.person(&contact.email)),
            contact,
            consent: metadata.consent(),
            context: metadata.context(),
            foreign: false,
        })
    }

    /// As the ledger remembers the checkout.
    pub(crate) fn of_pointer(pointer: Pointer) -> Self {
        let Pointer { event_id, session_id, person } = pointer;
        Self { session_id: Some(session_id), person: Some(person), ..Self::nobody(event_id) }
    }

    /// Another shop on the same account: a journey of its own, and nothing of the person.
    pub(crate) fn stranger(object: &StripeId) -> Self {
        Self { foreign: true, ..Self::nobody(EventId::of_foreign(object)) }
    }

    fn nobody(event_id: EventId) -> Self {
        Self {
            event_id,
            session_id: None,
            person: None,
            contact: None,
            consent: None,
            context: Context::default(),
            foreign: false,
        }
    }

    /// What an event tells, as a fact under the event's own id.
    pub(crate) fn fact(self, event: &StripeId, told: Told, now: Timestamp) -> Fact {
        let happening = happening(told.what, self.foreign);
        Fact {
            schema: SCHEMA,
            event_id: self.event_id,
            session_id: self.session_id,
            source: Source::Stripe(event.clone()),
            occurred_at: told.at,
            recorded_at: now,
            person: self.person,
            contact: self.contact,
            consent: self.consent,
            context: self.context,
            happening,
        }
    }
}

fn happening(what: What, foreign: bool) -> Happening {
    let payment =
        |payment_intent, charge, amount: Money| Payment { payment_intent, charge, amount, foreign };
    match what {
        What::Paid(intent) => Happening::PaymentSucceeded {
            payment: payment(intent.id, intent.charge, intent.amount),
        },
        What::NotPaid(intent, failure) => Happening::PaymentFailed {
            payment: payment(intent.id, intent.charge, intent.amount),
            code: failure.code,
        },
        What::Refunded(refund) => Happening::PaymentRefunded {
            payment: payment(refund.of, refund.charge, refund.amount),
            refund: refund.id,
        },
    }
}

#[cfg(test)]
mod tests;
