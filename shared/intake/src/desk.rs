//! What every function that turns the outside world into facts works with, and its settings.

use crate::door::Caller;
use domain::fact::Fact;
use domain::pepper::Pepper;
use jiff::{SignedDuration, Timestamp};
use lambda::aws::Aws;
use lambda::http::Origins;
use lambda::settings::Settings;
use ledger::{Ledger, Recorded, Unavailable};
use std::net::IpAddr;

/// The ledger, the pepper, and how long facts are kept.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where facts are recorded.
    pub ledger: Ledger,
    /// What people and addresses are named by.
    pub pepper: Pepper,
    keep: SignedDuration,
}

/// What these functions read from their environment.
#[derive(Debug, Clone)]
pub struct Config {
    table: String,
    keep: SignedDuration,
    /// Where the secrets are: `/throughline/<stage>`.
    pub secrets_prefix: String,
}

impl Config {
    /// Reads `LEDGER_TABLE`, `SECRETS_PREFIX` and `FACT_RETENTION_DAYS`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        // Stripe's people resend events for up to 30 days: a fact is their idempotency mark.
        let days = settings.number("FACT_RETENTION_DAYS", 730, 30);
        Self {
            table: settings.text("LEDGER_TABLE"),
            keep: SignedDuration::from_hours(24 * i64::from(days)),
            secrets_prefix: settings.text("SECRETS_PREFIX"),
        }
    }

    /// Opens the ledger and reads the secret `PEPPER`.
    ///
    /// # Errors
    /// Says what is wrong with the secret, by its name in SSM.
    pub async fn open(&self, aws: &Aws) -> Result<Desk, lambda::Error> {
        let pepper = aws.pepper(&self.secrets_prefix).await?;
        Ok(Desk { ledger: aws.ledger(&self.table), pepper, keep: self.keep })
    }
}

/// Reads `ALLOWED_ORIGINS`: the pages that may call a route.
pub fn origins(settings: &mut Settings<'_>) -> Origins {
    Origins::new(settings.list("ALLOWED_ORIGINS"))
}

impl Desk {
    /// Records a fact for as long as facts are kept.
    ///
    /// # Errors
    /// [`Unavailable`]: nobody knows whether it is stored.
    pub async fn record(&self, fact: &Fact) -> Result<Recorded, Unavailable> {
        self.ledger.record(fact, self.keep).await
    }

    /// Until when something is kept that is written now.
    #[must_use]
    pub fn kept_until(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.keep).unwrap_or(Timestamp::MAX)
    }

    /// Whoever calls from an address.
    #[must_use]
    pub fn caller(&self, ip: Option<IpAddr>) -> Caller<'_> {
        Caller { pepper: &self.pepper, ip }
    }
}
