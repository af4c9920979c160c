//! What stripe-webhook reads from its environment.

use crate::handler::App;
use crate::signature::Signatures;
use lambda::aws::Aws;
use lambda::http::Route;
use lambda::settings::Settings;

/// The settings of stripe-webhook.
#[derive(Debug, Clone)]
pub struct Config {
    payments: payments::Config,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self { payments: payments::Config::read(settings) }
    }

    /// No browser calls it, and what Stripe says of the body's type is not looked at: it is signed.
    #[must_use]
    pub fn route() -> Route {
        Route { name: "/webhooks/stripe", accepts: &[], origins: None }
    }

    /// Opens the ledger; without a usable signing secret the function does not start.
    ///
    /// # Errors
    /// Says which secret is missing or wrong.
    pub async fn open(self, aws: &Aws) -> Result<App, lambda::Error> {
        let payments = self.payments.open(aws).await?;
        let prefix = self.payments.secrets_prefix();
        let secret = aws.secret(prefix, "STRIPE_WEBHOOK_SECRET").await?;
        Ok(App { payments, signatures: Signatures::open(secret)? })
    }
}
