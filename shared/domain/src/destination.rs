//! The destinations: one vendor with one kind of call each, and what follows from that.

use crate::consent::Purpose;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where facts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// The CRM.
    Hubspot,
    /// The newsletter tool.
    Mailerlite,
    /// Server-side tagging (server-side Google Tag Manager).
    Sgtm,
    /// E-mail to the buyer.
    Sendgrid,
    /// Messages to the people who run the business.
    Slack,
}

/// The queue a destination's deliveries wait on, named after its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// `crm-sync`.
    CrmSync,
    /// `esp-sync`.
    EspSync,
    /// `sgtm-forwarder`.
    SgtmForwarder,
    /// `notifier`.
    Notifier,
}

/// Whether a vendor keeps a state that we bring up to date, or hears of each effect by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// It keeps state: what is sent is the fold of all that is known of the person.
    State,
    /// It hears of effects: one call for each.
    Event,
}

/// Whether a call may be repeated when nobody knows whether it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetrySafety {
    /// Repeating changes nothing (an upsert by key).
    Safe,
    /// The vendor recognises a repetition by a key we send.
    Keyed,
    /// Repeating does it again: never, unless the vendor surely did not take it.
    AtMostOnce,
}

impl Destination {
    /// Every destination.
    pub const ALL: [Self; 5] =
        [Self::Hubspot, Self::Mailerlite, Self::Sgtm, Self::Sendgrid, Self::Slack];

    /// The name in keys, settings and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hubspot => "hubspot",
            Self::Mailerlite => "mailerlite",
            Self::Sgtm => "sgtm",
            Self::Sendgrid => "sendgrid",
            Self::Slack => "slack",
        }
    }

    /// Finds a destination by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|destination| destination.name() == name)
    }

    /// The queue its deliveries wait on.
    #[must_use]
    pub fn queue(self) -> Queue {
        match self {
            Self::Hubspot => Queue::CrmSync,
            Self::Mailerlite => Queue::EspSync,
            Self::Sgtm => Queue::SgtmForwarder,
            Self::Sendgrid | Self::Slack => Queue::Notifier,
        }
    }

    /// Why it is told of anybody.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        match self {
            Self::Hubspot | Self::Sendgrid | Self::Slack => Purpose::Contract,
            Self::Mailerlite => Purpose::Marketing,
            Self::Sgtm => Purpose::Analytics,
        }
    }

    /// Whether it keeps state.
    #[must_use]
    pub fn style(self) -> Style {
        match self {
            Self::Hubspot | Self::Mailerlite => Style::State,
            Self::Sgtm | Self::Sendgrid | Self::Slack => Style::Event,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 4] = [Self::CrmSync, Self::EspSync, Self::SgtmForwarder, Self::Notifier];

    /// The name of the function it belongs to.
    #[must_use]
    pub fn function(self) -> &'static str {
        match self {
            Self::CrmSync => "crm-sync",
            Self::EspSync => "esp-sync",
            Self::SgtmForwarder => "sgtm-forwarder",
            Self::Notifier => "notifier",
        }
    }
}
