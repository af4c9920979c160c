//! The settings that dispatcher and sweeper share.

use crate::{Dispatch, QueueUrls};
use domain::consent::ConsentPolicy;
use domain::destination::Destination;
use domain::routing::Rules;
use jiff::SignedDuration;
use lambda::aws::Aws;
use lambda::settings::Settings;

/// What both functions read from their environment.
#[derive(Debug, Clone)]
pub struct Config {
    table: String,
    urls: QueueUrls,
    rules: Rules,
    keep: SignedDuration,
}

impl Config {
    /// Reads the settings.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            table: settings.text("LEDGER_TABLE"),
            urls: QueueUrls::read(settings),
            rules: Rules {
                destinations: destinations(settings),
                consent: ConsentPolicy {
                    required: settings.flag("REQUIRE_CONSENT", true),
                    version: settings.text("CONSENT_VERSION"),
                },
                payment_failed_delay: SignedDuration::from_secs(i64::from(settings.number(
                    "PAYMENT_FAILED_DELAY_SECONDS",
                    900,
                    0,
                ))),
            },
            keep: SignedDuration::from_hours(
                24 * i64::from(settings.number("FACT_RETENTION_DAYS", 730, 30)),
            ),
        }
    }

    /// Opens the ledger and the queues for it.
    #[must_use]
    pub fn open(self, aws: &Aws) -> Dispatch {
        Dispatch {
            ledger: aws.ledger(&self.table),
            queues: aws.queues(),
            urls: self.urls,
            rules: self.rules,
            keep: self.keep,
        }
    }
}

fn destinations(settings: &mut Settings<'_>) -> Vec<Destination> {
    let mut known = Vec::new();
    for name in settings.list("DESTINATIONS") {
        match Destination::named(&name) {
            Some(destination) => known.push(destination),
            None => settings.fault(format!("DESTINATIONS names {name}, which is no destination")),
        }
    }
    known
}
