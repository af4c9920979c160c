//! The fold: what all facts together say of a person. It is what destinations that keep state are
//! sent, so that the order in which facts arrive, or are worked, cannot show at a vendor.

use crate::attribution::Context;
use crate::consent::Consent;
use crate::contact::Contact;
use crate::fact::{Fact, Happening};
use crate::id::{EventId, SessionId, StripeId};
use crate::journey::Journey;
use crate::money::Money;
use crate::order::Order;
use crate::pepper::PersonKey;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A person as the facts describe them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// How to reach them.
    pub contact: Contact,
    /// Their latest journey: a refused payment makes none the latest.
    pub event_id: EventId,
    /// The session of that journey.
    pub session_id: Option<SessionId>,
    /// What they allowed last.
    pub consent: Option<Consent>,
    /// Where they came from last.
    pub context: Context,
    /// How far they have come.
    pub stage: Stage,
    /// What they have paid and not got back; nothing before they pay.
    pub paid: Option<Money>,
    /// What they ordered last.
    pub order: Option<Order>,
    /// When they first left a lead.
    pub lead_created_at: Option<Timestamp>,
    /// When they last began to pay.
    pub checkout_started_at: Option<Timestamp>,
    /// The code of a refused payment, until one is paid.
    pub payment_problem: Option<String>,
}

/// How far somebody has come: ranked, so that nothing earlier overwrites something later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Left a lead.
    Lead,
    /// Began to pay.
    Checkout,
    /// Paid, and got all of it back.
    Refunded,
    /// Paid.
    Won,
}

/// What is known of one payment intent: sums, so that arrival order cannot matter.
#[derive(Debug, Default)]
struct Balance<'a> {
    paid: Option<Money>,
    refunds: BTreeMap<&'a StripeId, i64>,
}

impl Person {
    /// Folds all journeys of a person; `consent` is what [`effective_consent`] says. `None` where no
    /// fact says how to reach them.
    #[must_use]
    pub fn fold(key: &PersonKey, journeys: &[Journey], consent: Option<&Consent>) -> Option<Self> {
        let theirs: Vec<(&Journey, &Fact)> = journeys
            .iter()
            .flat_map(|journey| journey.facts().iter().map(move |fact| (journey, fact)))
            .filter(|(journey, fact)| journey.person_of(fact) == Some(key) && !fact.is_foreign())
            .collect();
        let (latest, _) = theirs.iter().max_by_key(|(journey, fact)| {
            (!fact.is_refusal(), fact.occurred_at, journey.event_id())
        })?;
        let contact = latest_contact(&theirs)?.clone();
        let facts = || theirs.iter().map(|(_, fact)| *fact);
        let balances = balances(facts());
        let checkout = facts()
            .filter(|fact| matches!(fact.happening, Happening::CheckoutStarted { .. }))
            .max_by_key(|fact| (fact.occurred_at, fact.source.to_string()));
        let stage = stage(&balances, checkout.is_some());
        Some(Self {
            contact,
            event_id: latest.event_id(),
            session_id: latest.session(),
            consent: consent.cloned(),
            context: latest.context(),
            stage,
            paid: outstanding(&balances),
            order: checkout.and_then(ordered).cloned(),
            lead_created_at: facts()
                .filter(|fact| fact.lead_revision().is_some())
                .map(|fact| fact.occurred_at)
                .min(),
            checkout_started_at: checkout.map(|fact| fact.occurred_at),
            payment_problem: payment_problem(facts(), &balances),
        })
    }
}

/// A person's latest answer: as their profile and their journeys hold it; Stripe's copy of it only
/// where nothing else is recorded.
#[must_use]
pub fn effective_consent<'a>(
    profile: Option<&'a Consent>,
    journeys: &'a [Journey],
) -> Option<&'a Consent> {
    let recorded = journeys.iter().filter_map(Journey::recorded_consent);
    profile
        .into_iter()
        .chain(recorded)
        .reduce(Consent::latest)
        .or_else(|| journeys.iter().filter_map(Journey::consent).reduce(Consent::latest))
}

/// The latest words on how to reach somebody: leads as last corrected first, then what Stripe and
/// checkouts say. Of a journey's revisions the highest counts, whatever its clock says.
fn latest_contact<'a>(theirs: &[(&'a Journey, &'a Fact)]) -> Option<&'a Contact> {
    let replaced = |journey: &Journey, fact: &Fact| {
        fact.lead_revision() < journey.lead().and_then(Fact::lead_revision)
            && fact.lead_revision().is_some()
    };
    theirs
        .iter()
        .filter(|(journey, fact)| fact.contact.is_some() && !replaced(journey, fact))
        .max_by_key(|(journey, fact)| {
            let is_lead = fact.lead_revision().is_some();
            let heard = (is_lead, !fact.is_refusal(), fact.occurred_at);
            (heard, journey.event_id(), fact.source.to_string())
        })
        .and_then(|(_, fact)| fact.contact.as_ref())
}

fn balances<'a>(facts: impl Iterator<Item = &'a Fact>) -> BTreeMap<&'a StripeId, Balance<'a>> {
    let mut balances: BTreeMap<&StripeId, Balance<'_>> = BTreeMap::new();
    for fact in facts {
        match &fact.happening {
            Happening::PaymentSucceeded { payment } => {
                balances.entry(&payment.payment_intent).or_default().paid = Some(payment.amount);
            }
            Happening::PaymentRefunded { payment, refund } => {
                let balance = balances.entry(&payment.payment_intent).or_default();
                balance.refunds.insert(refund, payment.amount.minor);
            }
            Happening::LeadCaptured
            | Happening::LeadCorrected { .. }
            | Happening::ConsentChanged
            | Happening::CheckoutStarted { .. }
            | Happening::PaymentFailed { .. } => {}
        }
    }
    balances
}

impl Balance<'_> {
    fn refunded(&self) -> i64 {
        self.refunds.values().sum()
    }

    /// What is paid and not returned; nothing while the payment itself is unknown.
    fn outstanding(&self) -> Option<Money> {
        let paid = self.paid?;
        Some(Money { minor: (paid.minor - self.refunded()).max(0), ..paid })
    }
}

fn stage(balances: &BTreeMap<&StripeId, Balance<'_>>, checkout: bool) -> Stage {
    let paid = balances.values().filter_map(Balance::outstanding);
    let (mut won, mut refunded) = (false, false);
    for amount in paid {
        won |= amount.minor > 0;
        refunded |= amount.minor == 0;
    }
    // A refund whose payment has not been heard of yet still says that somebody paid and got it back.
    refunded |= balances.values().any(|balance| balance.paid.is_none());
    match (won, refunded, checkout) {
        (true, _, _) => Stage::Won,
        (false, true, _) => Stage::Refunded,
        (false, false, true) => Stage::Checkout,
        (false, false, false) => Stage::Lead,
    }
}

/// The sum over all payments in the currency of the first of which anything is left; another currency
/// is not added to it.
fn outstanding(balances: &BTreeMap<&StripeId, Balance<'_>>) -> Option<Money> {
    let amounts = || balances.values().filter_map(Balance::outstanding);
    let first = amounts().find(|amount| amount.minor > 0).or_else(|| amounts().next())?;
    let same = amounts().filter(|amount| amount.currency == first.currency);
    Some(Money { minor: same.map(|amount| amount.minor).sum(), ..first })
}

fn ordered(fact: &Fact) -> Option<&Order> {
    match &fact.happening {
        Happening::CheckoutStarted { order, .. } => Some(order),
        Happening::LeadCaptured
        | Happening::LeadCorrected { .. }
        | Happening::ConsentChanged
        | Happening::PaymentSucceeded { .. }
        | Happening::PaymentFailed { .. }
        | Happening::PaymentRefunded { .. } => None,
    }
}

/// The latest refusal of an intent that was never paid, where nothing was paid since: whoever changes
/// their order pays under another intent.
fn payment_problem<'a>(
    facts: impl Iterator<Item = &'a Fact> + Clone,
    balances: &BTreeMap<&StripeId, Balance<'_>>,
) -> Option<String> {
    let unpaid =
        |intent: &StripeId| balances.get(intent).is_none_or(|balance| balance.paid.is_none());
    let is_paid = |fact: &&Fact| matches!(fact.happening, Happening::PaymentSucceeded { .. });
    let paid_at = facts.clone().filter(is_paid).map(|fact| fact.occurred_at).max();
    facts
        .filter(|fact| paid_at.is_none_or(|paid_at| fact.occurred_at > paid_at))
        .filter_map(|fact| match &fact.happening {
            Happening::PaymentFailed { payment, code } if unpaid(&payment.payment_intent) => {
                Some((fact.occurred_at, fact.source.to_string(), code.clone()))
            }
            Happening::PaymentFailed { .. }
            | Happening::LeadCaptured
            | Happening::LeadCorrected { .. }
            | Happening::ConsentChanged
            | Happening::CheckoutStarted { .. }
            | Happening::PaymentSucceeded { .. }
            | Happening::PaymentRefunded { .. } => None,
        })
        .max()
        .map(|(_, _, code)| code.unwrap_or_else(|| "payment_failed".to_owned()))
}

#[cfg(test)]
mod tests;
