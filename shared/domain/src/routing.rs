//! Which destinations hear of a fact: a pure function of the fact, the person's consent and the
//! business's settings. Every destination gets a decision, and every skip a reason.

use crate::consent::{Consent, ConsentPolicy};
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

impl Rules {
    /// Decides for every destination. `erased` says that the person was erased.
    #[must_use]
    pub fn route(&self, fact: &Fact, consent: Option<&Consent>, erased: bool) -> Vec<Route> {
        Destination::ALL
            .into_iter()
            .map(|destination| Route {
                destination,
                decision: self.decide(destination, fact, consent, erased),
            })
            .collect()
    }

    fn decide(
        &self,
        destination: Destination,
        fact: &Fact,
        consent: Option<&Consent>,
        erased: bool,
    ) -> Decision {
        if fact.is_foreign() {
            return skip(
                SkipReason::NotOurs,
                "the payment belongs to another shop on this Stripe account",
            );
        }
        if erased {
            return skip(SkipReason::Erased, "the person was erased");
        }
        let Some(delay) = self.interest(destination, &fact.happening) else {
            return skip(
                SkipReason::NotApplicable,
                "this destination has no use for this kind of fact",
            );
        };
        if fact.person.is_none() && matches!(fact.happening, Happening::ConsentChanged) {
            return skip(
                SkipReason::NotApplicable,
                "nobody has left a contact in this journey yet",
            );
        }
        if !self.destinations.contains(&destination) {
            return skip(SkipReason::NotConfigured, "the destination is not among DESTINATIONS");
        }
        let withdrawal = matches!(fact.happening, Happening::ConsentChanged);
        match self.consent.permit(destination.purpose(), consent) {
            Err(denied) if !withdrawal => skip(SkipReason::Consent, &denied.to_string()),
            // A destination that knows the person must hear that they withdrew; whether it knows
            // them is for its function to see.
            Err(_) | Ok(_) => Decision::Send { delay_seconds: delay.as_secs() },
        }
    }

    /// Whether a destination has a use for a kind of fact, and how long it waits before it hears.
    /// The table of the design, row by row; a new kind or destination does not compile without one.
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

fn skip(reason: SkipReason, detail: &str) -> Decision {
    Decision::Skip { reason, detail: detail.to_owned() }
}
