//! What a person allowed, and the permits that follow from it.
//!
//! A [`Permit`] is the only way to a vendor, and only [`ConsentPolicy::permit`] makes one.

use crate::contact::{Contact, Language};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::net::IpAddr;

/// A person's answer, purpose by purpose. What is necessary needs none; the rest is denied by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Newsletters, and hashed data for advertising.
    pub marketing: bool,
    /// Measurement of visits and purchases.
    pub analytics: bool,
    /// Remembered choices. No destination of ours needs it.
    #[serde(default)]
    pub preferences: bool,
    /// How the answer was given.
    pub method: Method,
    /// When, by the visitor's clock, never later than we heard of it.
    pub given_at: Timestamp,
    /// The version of the text that was answered.
    pub version: String,
    /// The language of that text.
    #[serde(default)]
    pub language: Option<Language>,
    /// Where the answer came from, for the record of consent.
    #[serde(default)]
    pub ip: Option<IpAddr>,
}

/// How an answer was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// In a dialogue or banner.
    Modal,
    /// By ticking a box.
    Checkbox,
    /// By going on. Grants nothing while consent is required.
    Implied,
}

impl Method {
    /// The word used in bodies and at vendors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Modal => "modal",
            Self::Checkbox => "checkbox",
            Self::Implied => "implied",
        }
    }
}

impl Consent {
    /// By what a record is held against another: the higher holds. Whoever just goes on allows nothing
    /// that they were asked about before. Then the later is higher, and of the same millisecond the
    /// refusing one, first of all to be written to.
    #[must_use]
    pub fn rank(&self) -> (bool, i64, bool, bool) {
        let is_said = self.method != Method::Implied || !(self.marketing || self.analytics);
        (is_said, self.given_at.as_millisecond(), !self.marketing, !self.analytics)
    }

    /// The one of two records that holds.
    #[must_use]
    pub fn latest<'a>(a: &'a Self, b: &'a Self) -> &'a Self {
        if b.rank() > a.rank() { b } else { a }
    }
}

/// Why somebody is told of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To carry out what the person asked for: the CRM, receipts, the people who run the business.
    Contract,
    /// To write to the person about other things.
    Marketing,
    /// To measure.
    Analytics,
}

/// How the business reads answers: `REQUIRE_CONSENT` and `CONSENT_VERSION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentPolicy {
    /// Whether a missing answer is a refusal.
    pub required: bool,
    /// The version of the text now shown; answers to older ones count as missing.
    pub version: String,
}

/// Leave to tell a vendor of a person for one purpose. Made by [`ConsentPolicy::permit`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    purpose: Purpose,
    marketing: bool,
}

/// A contact that may be used for marketing. Made by [`Permit::for_marketing`] alone.
#[derive(Debug, Clone, Copy)]
pub struct MarketingContact<'a>(&'a Contact);

/// Leave to tell a vendor, which has been told of a person before, that they withdrew. Made by
/// [`ConsentPolicy::leave`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal(());

/// Leave to call a vendor about a person: to go on, or to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leave {
    /// The purpose is allowed.
    Permit(Permit),
    /// It was, and is no more: the vendor may hear that, and nothing else.
    Withdrawal(Withdrawal),
}

/// Why no permit was given, in a word for the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The person said no.
    #[error("the person refused {0}")]
    Refused(&'static str),
    /// No answer is recorded, or none that counts.
    #[error("no valid consent for {0} is recorded")]
    Missing(&'static str),
}

impl Permit {
    /// The purpose this permit is for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The contact, where marketing is allowed too.
    #[must_use]
    pub fn for_marketing<'a>(&self, contact: &'a Contact) -> Option<MarketingContact<'a>> {
        self.marketing.then_some(MarketingContact(contact))
    }
}

impl<'a> MarketingContact<'a> {
    /// The contact itself.
    #[must_use]
    pub fn contact(&self) -> &'a Contact {
        self.0
    }
}

impl ConsentPolicy {
    /// Gives a permit for a purpose, or says why not.
    ///
    /// # Errors
    /// [`Denied`] with the purpose's name.
    pub fn permit(&self, purpose: Purpose, consent: Option<&Consent>) -> Result<Permit, Denied> {
        let marketing = self.allows(Purpose::Marketing, consent).is_ok();
        self.allows(purpose, consent).map(|()| Permit { purpose, marketing })
    }

    /// Gives leave to call a vendor: a permit, or where marketing is denied and the vendor knows the
    /// person (`known`), leave to tell it of the withdrawal.
    ///
    /// # Errors
    /// [`Denied`] with the purpose's name.
    pub fn leave(
        &self,
        purpose: Purpose,
        consent: Option<&Consent>,
        known: bool,
    ) -> Result<Leave, Denied> {
        match self.permit(purpose, consent) {
            Ok(permit) => Ok(Leave::Permit(permit)),
            Err(Denied::Refused(_)) if known && purpose == Purpose::Marketing => {
                Ok(Leave::Withdrawal(Withdrawal(())))
            }
            Err(denied) => Err(denied),
        }
    }

    fn allows(&self, purpose: Purpose, consent: Option<&Consent>) -> Result<(), Denied> {
        let name = match purpose {
            Purpose::Contract => return Ok(()),
            Purpose::Marketing => "marketing",
            Purpose::Analytics => "analytics",
        };
        let granted = |consent: &Consent| match purpose {
            Purpose::Contract => true,
            Purpose::Marketing => consent.marketing,
            Purpose::Analytics => consent.analytics,
        };
        match consent {
            Some(consent) if !granted(consent) => Err(Denied::Refused(name)),
            Some(consent) if self.counts(consent) => Ok(()),
            Some(_) | None if self.required => Err(Denied::Missing(name)),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a granting answer is worth anything: to today's text, and given rather than implied.
    fn counts(&self, consent: &Consent) -> bool {
        compare_versions(&consent.version, &self.version) != Ordering::Less
            && (!self.required || consent.method != Method::Implied)
    }
}

/// Compares versions by their runs of digits: `2` < `10`, `1.9` < `1.10`, `2025-12` < `2026-01`.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|run| run.parse().ok()).collect()
    };
    numbers(a).cmp(&numbers(b))
}

#[cfg(test)]
mod tests;
