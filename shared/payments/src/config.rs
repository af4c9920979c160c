//! What whoever records payments reads from its environment and from SSM.

use crate::Payments;
use intake::desk;
use lambda::aws::Aws;
use lambda::settings::Settings;

/// The settings of the door.
#[derive(Debug, Clone)]
pub struct Config {
    desk: desk::Config,
    /// `STRIPE_LIVEMODE`: whether events tell of real money.
    livemode: bool,
}

impl Config {
    /// Reads `STRIPE_LIVEMODE` and the desk's settings.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            desk: desk::Config::read(settings),
            livemode: settings.flag("STRIPE_LIVEMODE", false),
        }
    }

    /// Where the secrets are: `/throughline/<stage>`.
    #[must_use]
    pub fn secrets_prefix(&self) -> &str {
        &self.desk.secrets_prefix
    }

    /// Opens the ledger and reads the secret `PEPPER`.
    ///
    /// # Errors
    /// Says what is wrong with the secret, by its name in SSM.
    pub async fn open(&self, aws: &Aws) -> Result<Payments, lambda::Error> {
        Ok(Payments { desk: self.desk.open(aws).await?, livemode: self.livemode })
    }
}
