//! Which destinations hear of a fact: a pure function of the fact, the person's consent and the
//! business's settings. Every destination gets a decision, and every skip a reason.

use crate::consent::{Consent, ConsentPolicy, Denied, Purpose};
use crate::delivery::SkipReason;
use crate::destination::Destination;
use crate::fact::{Fact, Happening};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The business's settings that routing follows.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The destinations that are switched on.
    pub destinations: Vec<Destination>,
    /// How answers about consent are read.
    pub consent: ConsentPolicy,
    /// How long a buyer has to pay after all, before we write that a payment failed.
    pub payment_failed_delay: SignedDuration,
}

/// What is decided for one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It hears of the effect.
    Send {
        /// Seconds to wait first.
        #[serde(default)]
        delay_seconds: i64,
    },
    /// It does not.
    Skip {
        /// The reason's word.
        reason: SkipReason,
        /// A sentence for a person.
        detail: String,
    },
}

/// The decision for one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The destination.
    pub destination: Destination,
    /// What is decided.
    #[serde(flatten)]
    pub decision: Decision,
}

/// What is known of the person whom a fact is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// Whether anybody is known at all.
    pub known: bool,
    /// What they allow.
    pub consent: Option<&'a Consent>,
    /// Whether they were erased.
    pub erased: bool,
}

impl Rules {
    /// Decides for every destination.
    #[must_use]
    pub fn route(&self, fact: &Fact, subject: Subject<'_>) -> Vec<Route> {
        Destination::ALL
            .into_iter()
            .map(|destination| Route {
                destination,
                decision: self.decide(destination, fact, subject),
            })
            .collect()
    }

    fn decide(&self, destination: Destination, fact: &Fact, subject: Subject<'_>) -> Decision {
        if fact.is_foreign() {
            return skip(
                SkipReason::NotOurs,
                "the payment belongs to another shop on this Stripe account",
            );
        }
        if subject.erased {
            return skip(SkipReason::Erased, "the person was erased");
        }
        let Some(delay) = self.interest(destination, &fact.happening) else {
            return skip(
                SkipReason::NotApplicable,
                "this destination has no use for this kind of fact",
            );
        };
        if !subject.known && matches!(fact.happening, Happening::ConsentChanged) {
            return skip(
                SkipReason::NotApplicable,
                "nobody has left a contact in this journey yet",
            );
        }
        if !self.destinations.contains(&destination) {
            return skip(SkipReason::NotConfigured, "the destination is not among DESTINATIONS");
        }
        match self.consent.permit(destination.purpose(), subject.consent) {
            // Who was subscribed must be unsubscribed, in whatever form the refusal came. Whether
            // they were, only the destination's own function sees, under its claim on the person.
            Err(Denied::Refused(_)) if destination.purpose() == Purpose::Marketing => send(delay),
            Err(denied) => skip(SkipReason::Consent, &denied.to_string()),
            Ok(_) => send(delay),
        }
    }

    /// Whether a destination has a use for a kind of fact, and how long it waits before it hears.
    /// The README's table "Destinations", row by row; a new kind or destination does not compile
    /// without one.
    fn interest(&self, destination: Destination, happening: &Happening) -> Option<SignedDuration> {
        use Destination::{Hubspot, Mailerlite, Sendgrid, Sgtm, Slack};
        let now = Some(SignedDuration::ZERO);
        match (happening, destination) {
            (Happening::LeadCaptured, Hubspot | Mailerlite | Sgtm | Slack) => now,
            (Happening::LeadCaptured, Sendgrid) => None,
            (Happening::LeadCorrected { .. } | Happening::ConsentChanged, Hubspot | Mailerlite) => {
                now
            }
            (
                Happening::LeadCorrected { .. } | Happening::ConsentChanged,
                Sgtm | Sendgrid | Slack,
            ) => None,
            (Happening::CheckoutStarted { .. }, Hubspot | Mailerlite | Sgtm) => now,
            (Happening::CheckoutStarted { .. }, Sendgrid | Slack) => None,
            (
                Happening::PaymentSucceeded { .. } | Happening::PaymentRefunded { .. },
                Hubspot | Mailerlite | Sgtm | Sendgrid | Slack,
            ) => now,
            (Happening::PaymentFailed { .. }, Hubspot) => now,
            (Happening::PaymentFailed { .. }, Sendgrid) => Some(self.payment_failed_delay),
            (Happening::PaymentFailed { .. }, Mailerlite | Sgtm | Slack) => None,
        }
    }
}

fn send(delay: SignedDuration) -> Decision {
    Decision::Send { delay_seconds: delay.as_secs() }
}

fn skip(reason: SkipReason, detail: &str) -> Decision {
    Decision::Skip { reason, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Rules, Subject};
    use crate::consent::{Consent, ConsentPolicy, Method};
    use crate::delivery::SkipReason;
    use crate::destination::Destination::{self, Mailerlite, Sgtm};
    use crate::sample::lead;
    use jiff::{SignedDuration, Timestamp};

    fn decided(destination: Destination, marketing: bool, analytics: bool) -> Decision {
        let rules = Rules {
            destinations: vec![destination],
            consent: ConsentPolicy { required: true, version: "1".into() },
            payment_failed_delay: SignedDuration::ZERO,
        };
        let consent = Consent {
            marketing,
            analytics,
            preferences: false,
            given_at: Timestamp::UNIX_EPOCH,
            version: "1".into(),
            method: Method::Modal,
            language: None,
            ip: None,
        };
        let subject = Subject { known: true, consent: Some(&consent), erased: false };
        let routes = rules.route(&lead(1, "ana", "912345678"), subject);
        routes.into_iter().find(|route| route.destination == destination).unwrap().decision
    }

    #[test]
    fn a_refusal_is_told_to_the_newsletter_and_to_nobody_else() {
        let skipped = |decision| match decision {
            Decision::Skip { reason, .. } => Some(reason),
            Decision::Send { .. } => None,
        };
        assert_eq!(skipped(decided(Sgtm, false, true)), None);
        assert_eq!(skipped(decided(Sgtm, true, false)), Some(SkipReason::Consent));
        assert_eq!(skipped(decided(Mailerlite, true, false)), None);
        assert_eq!(skipped(decided(Mailerlite, false, true)), None, "to be unsubscribed");
    }
}
