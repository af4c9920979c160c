//! A journey: all facts under one `event_id`, read together.

use crate::attribution::Context;
use crate::consent::Consent;
use crate::contact::Contact;
use crate::fact::{Fact, Happening, Source};
use crate::id::{EventId, SessionId, StripeId};
use crate::order::Order;
use crate::pepper::PersonKey;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The facts of one journey, in the order in which they happened.
#[derive(Debug, Clone)]
pub struct Journey {
    event_id: EventId,
    facts: Vec<Fact>,
}

impl Journey {
    /// Gathers a journey's facts, in any order.
    #[must_use]
    pub fn new(event_id: EventId, mut facts: Vec<Fact>) -> Self {
        facts.sort_by(|a, b| (a.occurred_at, &a.source).cmp(&(b.occurred_at, &b.source)));
        Self { event_id, facts }
    }

    /// What is left of it where a person was erased: what happened after that.
    #[must_use]
    pub fn since(mut self, erased_at: Option<Timestamp>) -> Self {
        self.facts.retain(|fact| erased_at.is_none_or(|erased_at| fact.occurred_at > erased_at));
        self
    }

    /// The journey's id.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.event_id
    }

    /// Its facts, oldest first.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The session it belongs to: that of its first recorded fact that names one.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.facts
            .iter()
            .filter(|fact| fact.session_id.is_some())
            .min_by_key(|fact| fact.recorded_at)
            .and_then(|fact| fact.session_id)
    }

    /// The lead as last corrected: the fact with the highest revision.
    #[must_use]
    pub fn lead(&self) -> Option<&Fact> {
        self.facts
            .iter()
            .filter(|fact| fact.lead_revision().is_some())
            .max_by_key(|fact| fact.lead_revision())
    }

    /// Who the journey is about now: whom its lead names, or else the latest fact that names anybody.
    #[must_use]
    pub fn person(&self) -> Option<&PersonKey> {
        self.lead()
            .and_then(|lead| lead.person.as_ref())
            .or_else(|| self.facts.iter().rev().find_map(|fact| fact.person.as_ref()))
    }

    /// Whom one of its facts is about today: an address that a corrected lead replaced stands for
    /// the one that replaced it, also where Stripe still knows the old one; a fact that names nobody
    /// is about the journey's person.
    #[must_use]
    pub fn person_of<'a>(&'a self, fact: &'a Fact) -> Option<&'a PersonKey> {
        let named = fact.person.as_ref();
        named
            .filter(|person| !self.superseded_persons().any(|old| old == *person))
            .or_else(|| self.person())
    }

    /// The addresses that a corrected lead replaced, each once.
    pub fn superseded_persons(&self) -> impl Iterator<Item = &PersonKey> {
        let now = self.lead().and_then(|lead| lead.person.as_ref());
        let leads = self.facts.iter().filter(|fact| fact.lead_revision().is_some());
        let persons: BTreeSet<&PersonKey> = leads.filter_map(|fact| fact.person.as_ref()).collect();
        persons.into_iter().filter(move |person| Some(*person) != now)
    }

    /// How to reach the person a fact is about: the lead as last corrected if it is theirs, the
    /// fact's own words, or the latest words of anybody about them.
    #[must_use]
    pub fn contact_of<'a>(&'a self, fact: &'a Fact) -> Option<&'a Contact> {
        let person = self.person_of(fact);
        let about_them =
            |other: &&'a Fact| self.person_of(other) == person && other.contact.is_some();
        self.lead()
            .filter(about_them)
            .or(Some(fact).filter(|fact| fact.contact.is_some()))
            .or_else(|| self.facts.iter().rev().find(about_them))
            .and_then(|found| found.contact.as_ref())
    }

    /// What the person answered last in this journey. Stripe's copy counts only where nothing else does.
    #[must_use]
    pub fn consent(&self) -> Option<&Consent> {
        self.recorded_consent().or_else(|| self.latest_consent(true))
    }

    /// What the person answered last in this journey, to a page of ours.
    #[must_use]
    pub fn recorded_consent(&self) -> Option<&Consent> {
        self.latest_consent(false)
    }

    fn latest_consent(&self, from_stripe: bool) -> Option<&Consent> {
        self.facts
            .iter()
            .filter(|fact| matches!(fact.source, Source::Stripe(_)) == from_stripe)
            .filter_map(|fact| fact.consent.as_ref())
            .reduce(Consent::latest)
    }

    /// Where the visitor came from: the latest word of our pages on each field. Stripe's copy, whose
    /// values end after 500 characters, counts only where nothing else does, and beside a refused
    /// payment not at all ([`Fact::is_refusal`]).
    #[must_use]
    pub fn context(&self) -> Context {
        let (copies, told): (Vec<&Fact>, Vec<&Fact>) =
            self.facts.iter().partition(|fact| matches!(fact.source, Source::Stripe(_)));
        let copies = copies.into_iter().filter(|fact| !fact.is_refusal());
        copies.chain(told).fold(Context::default(), |known, fact| fact.context.or(&known))
    }

    /// What was ordered under a payment intent.
    #[must_use]
    pub fn order_of(&self, intent: &StripeId) -> Option<&Order> {
        self.facts.iter().find_map(|fact| match &fact.happening {
            Happening::CheckoutStarted { order, payment_intent } if payment_intent == intent => {
                Some(order)
            }
            Happening::CheckoutStarted { .. }
            | Happening::LeadCaptured
            | Happening::LeadCorrected { .. }
            | Happening::ConsentChanged
            | Happening::PaymentSucceeded { .. }
            | Happening::PaymentFailed { .. }
            | Happening::PaymentRefunded { .. } => None,
        })
    }

    /// Whether anything was paid in this journey.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact.happening, Happening::PaymentSucceeded { .. }))
    }

    /// The last failed payment of the journey: the one that is worth writing to the buyer about.
    #[must_use]
    pub fn last_failure(&self) -> Option<&Fact> {
        self.facts.iter().rev().find(|fact| fact.is_refusal())
    }
}

#[cfg(test)]
mod tests;
