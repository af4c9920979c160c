//! The destinations: one vendor with one kind of call each, and what follows from that.

use crate::consent::Purpose;
use crate::fault::Seen;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The code of a fault where the newsletter tool has no such group as is set.
pub const UNKNOWN_GROUP: &str = "unknown_group";

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

    /// The secret under which it is called, as SSM names it.
    #[must_use]
    pub fn secret(self) -> &'static str {
        match self {
            Self::Hubspot => "HUBSPOT_ACCESS_TOKEN",
            Self::Mailerlite => "MAILERLITE_API_KEY",
            Self::Sgtm => "SGTM_API_SECRET",
            Self::Sendgrid => "SENDGRID_API_KEY",
            Self::Slack => "SLACK_WEBHOOK_URL",
        }
    }

    /// What of the template's parameters, or else which secret, says where it is.
    #[must_use]
    pub fn address(self) -> &'static str {
        match self {
            Self::Hubspot => "HubspotBaseUrl",
            Self::Mailerlite => "MailerliteBaseUrl or MailerliteGroupId",
            Self::Sgtm => "SgtmEndpoint",
            Self::Sendgrid => "SendgridBaseUrl",
            Self::Slack => "SLACK_WEBHOOK_URL",
        }
    }

    /// Deliveries a minute that the vendor takes, where it says so; 0 where it does not.
    ///
    /// HubSpot allows a private app of its cheapest plans 100 calls in ten seconds
    /// (<https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines>), half of
    /// which are left to the business's other tools; MailerLite 120 calls a minute
    /// (<https://developers.mailerlite.com/docs/#rate-limits>); SendGrid 600 a minute
    /// (<https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits>);
    /// Slack one message a second to each channel (<https://docs.slack.dev/apis/web-api/rate-limits>).
    #[must_use]
    pub fn calls_per_minute(self) -> u32 {
        match self {
            Self::Hubspot => 300,
            Self::Mailerlite => 120,
            Self::Sgtm => 0,
            Self::Sendgrid => 600,
            Self::Slack => 60,
        }
    }

    /// What a person must mend where the destination refuses us, in a sentence.
    #[must_use]
    pub fn mend(self, seen: &Seen) -> String {
        let at_fault = match (seen.status, seen.code.as_deref()) {
            (_, Some(UNKNOWN_GROUP)) => format!("mend {}", self.address()),
            (Some(401 | 403), _) => format!("mend the secret {}", self.secret()),
            (None, Some(code)) if code != "bad_address" => {
                format!("mend the secret {}", self.secret())
            }
            (None, _) | (Some(300..=399 | 404 | 410), _) => format!("mend {}", self.address()),
            (Some(_), _) => "mend its set-up at the vendor".to_owned(),
        };
        format!("{self} answers {seen}: {at_fault}")
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

#[cfg(test)]
mod tests {
    use super::{Destination, Queue, UNKNOWN_GROUP};
    use crate::fault::Seen;

    #[test]
    fn a_destination_is_found_by_the_name_it_has_in_keys_and_settings() {
        let names = Destination::ALL.map(Destination::name);
        assert_eq!(names, ["hubspot", "mailerlite", "sgtm", "sendgrid", "slack"]);
        for destination in Destination::ALL {
            assert_eq!(Destination::named(&destination.to_string()), Some(destination));
        }
        assert_eq!(Destination::named("hub"), None);
        let functions = Queue::ALL.map(Queue::function);
        assert_eq!(functions, ["crm-sync", "esp-sync", "sgtm-forwarder", "notifier"]);
    }

    #[test]
    fn the_limits_are_those_that_vendors_publish() {
        let limits = Destination::ALL.map(Destination::calls_per_minute);
        assert_eq!(limits, [300, 120, 0, 600, 60]);
    }

    #[test]
    fn what_refuses_us_is_mended_where_it_is_wrong() {
        let status = |status| Seen { status: Some(status), ..Seen::default() };
        for destination in Destination::ALL {
            let (secret, address) = (destination.secret(), destination.address());
            for (seen, end) in [
                (status(401), format!("401: mend the secret {secret}")),
                (status(403), format!("403: mend the secret {secret}")),
                (Seen::code("no_key"), format!("no_key: mend the secret {secret}")),
                (Seen::code("bad_address"), format!("bad_address: mend {address}")),
                (Seen::default(), format!("no answer: mend {address}")),
                (status(404), format!("404: mend {address}")),
                (status(301), format!("301: mend {address}")),
                (status(400), "400: mend its set-up at the vendor".to_owned()),
                (
                    status(422).with_code(UNKNOWN_GROUP),
                    format!("422 unknown_group: mend {address}"),
                ),
            ] {
                assert_eq!(destination.mend(&seen), format!("{destination} answers {end}"));
            }
        }
        assert_eq!(Destination::Hubspot.secret(), "HUBSPOT_ACCESS_TOKEN");
        assert_eq!(Destination::Sgtm.address(), "SgtmEndpoint");
    }
}
