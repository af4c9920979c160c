//! What consent-capture reads from its environment.

use intake::{Desk, desk, door};
use lambda::aws::Aws;
use lambda::http::{Origins, Route};
use lambda::settings::Settings;

/// The settings of consent-capture.
#[derive(Debug, Clone)]
pub struct Config {
    desk: desk::Config,
    /// `ALLOWED_ORIGINS`
    origins: Origins,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self { desk: desk::Config::read(settings), origins: desk::origins(settings) }
    }

    /// What the route takes.
    #[must_use]
    pub fn route(&self) -> Route {
        Route { name: "/consents", accepts: &[door::JSON], origins: Some(self.origins.clone()) }
    }

    /// Opens what it works with.
    ///
    /// # Errors
    /// Says which secret is missing or wrong.
    pub async fn open(self, aws: &Aws) -> Result<Desk, lambda::Error> {
        self.desk.open(aws).await
    }
}
