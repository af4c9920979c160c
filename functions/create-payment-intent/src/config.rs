//! What create-payment-intent reads from its environment and from SSM.

use crate::handler::{App, STRIPE_ATTEMPT};
use domain::catalogue::Catalogue;
use intake::{desk, door};
use lambda::aws::Aws;
use lambda::http::{Origins, Route};
use lambda::settings::Settings;
use outbound::{Limits, Outbound, Roots};
use secrecy::ExposeSecret;
use std::time::Duration;
use stripe::StripeClient;

/// The settings of create-payment-intent.
#[derive(Debug, Clone)]
pub struct Config {
    desk: desk::Config,
    /// `ALLOWED_ORIGINS`
    origins: Origins,
    /// `STRIPE_BASE_URL`, without `/v1`.
    stripe_base_url: String,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            desk: desk::Config::read(settings),
            origins: desk::origins(settings),
            stripe_base_url: settings.text("STRIPE_BASE_URL"),
        }
    }

    /// What is answered to whom.
    #[must_use]
    pub fn route(&self) -> Route {
        Route {
            name: "/payment-intents",
            accepts: &[door::JSON],
            origins: Some(self.origins.clone()),
        }
    }

    /// Opens the ledger and a connection to Stripe, and reads the catalogue. Without a key of Stripe's the
    /// function starts and says so to everybody who wants to pay.
    ///
    /// # Errors
    /// Says which secret or parameter is missing or wrong.
    pub async fn open(self, aws: &Aws) -> Result<App, lambda::Error> {
        let limits = Limits { connect: Duration::from_secs(2), total: STRIPE_ATTEMPT };
        let outbound = Outbound::new("stripe", limits, Roots::of(aws.trusts_the_machine()))?;
        let stripe = StripeClient::new(&self.stripe_base_url, outbound);
        let (app, ()) = tokio::join!(self.open_over(aws, stripe.clone()), stripe.connect());
        app
    }

    /// The same with a door to Stripe that is open already.
    ///
    /// # Errors
    /// As [`Config::open`].
    pub async fn open_over(self, aws: &Aws, stripe: StripeClient) -> Result<App, lambda::Error> {
        let desk = self.desk.open(aws).await?;
        let prefix = &self.desk.secrets_prefix;
        let stripe_key = aws.secret(prefix, "STRIPE_SECRET_KEY").await?;
        let catalogue = aws.secret(prefix, "CATALOGUE").await?;
        let json =
            catalogue.value().ok_or_else(|| format!("{} must be set", catalogue.parameter()))?;
        let catalogue = Catalogue::parse(json.expose_secret())?;
        Ok(App { desk, catalogue, stripe, stripe_key })
    }
}
