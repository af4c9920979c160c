//! A checkout as a fact.

use domain::consent::Consent;
use domain::fact::{Fact, Happening, SCHEMA, Source};
use domain::id::StripeId;
use domain::order::Order;
use domain::pepper::PersonKey;
use intake::Purchase;
use jiff::Timestamp;

/// Somebody has begun to pay.
pub(crate) struct Started<'a> {
    pub(crate) purchase: &'a Purchase,
    pub(crate) order: &'a Order,
    pub(crate) person: &'a PersonKey,
    pub(crate) consent: Option<&'a Consent>,
}

impl Started<'_> {
    /// What this states of an intent: once, however often the page asks for it.
    pub(crate) fn fact(&self, intent: &StripeId, now: Timestamp) -> Fact {
        Fact {
            schema: SCHEMA,
            event_id: self.purchase.event_id,
            session_id: Some(self.purchase.session_id),
            source: Source::Checkout(intent.clone()),
            occurred_at: now,
            recorded_at: now,
            person: Some(self.person.clone()),
            contact: Some(self.purchase.contact.clone()),
            consent: self.consent.cloned(),
            context: self.purchase.context.clone(),
            happening: Happening::CheckoutStarted {
                order: self.order.clone(),
                payment_intent: intent.clone(),
            },
        }
    }
}
