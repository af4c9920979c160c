//! What stripe-webhook reads from its environment.

use crate::handler::App;
use crate::signature::Signatures;
use intake::desk;
use lambda::aws::Aws;
use lambda::http::Route;
use lambda::settings::Settings;

/// The settings of stripe-webhook.
#[derive(Debug, Clone)]
pub struct Config {
    desk: desk::Config,
    /// `STRIPE_LIVEMODE`: whether events tell of real money.
    livemode: bool,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            desk: desk::Config::read(settings),
            livemode: settings.flag("STRIPE_LIVEMODE", false),
        }
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
        let desk = self.desk.open(aws).await?;
        let secret = aws.secret(&self.desk.secrets_prefix, "STRIPE_WEBHOOK_SECRET").await?;
        Ok(App { desk, signatures: Signatures::open(secret)?, livemode: self.livemode })
    }
}
