//! Which vendors are played, and under which first segment of the path.

use serde::{Deserialize, Serialize};

/// A vendor that the sandbox plays.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Vendor {
    Stripe,
    Hubspot,
    Mailerlite,
    Sgtm,
    Sendgrid,
    Slack,
}

impl Vendor {
    /// The vendor with this name, as the control API and the paths spell it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "stripe" => Self::Stripe,
            "hubspot" => Self::Hubspot,
            "mailerlite" => Self::Mailerlite,
            "sgtm" => Self::Sgtm,
            "sendgrid" => Self::Sendgrid,
            "slack" => Self::Slack,
            _ => return None,
        })
    }

    /// Splits `/stripe/v1/events` into the vendor and `/v1/events`.
    pub(crate) fn of_path(path: &str) -> Option<(Self, &str)> {
        let trimmed = path.strip_prefix('/')?;
        let end = trimmed.find('/').unwrap_or(trimmed.len());
        let (name, rest) = trimmed.split_at(end);
        Some((Self::named(name)?, rest))
    }
}
