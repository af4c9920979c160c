//! What consent-capture reads from its environment.

use intake::{Desk, desk, door};
use lambda::aws::Aws;
use lambda::http::{Origins, Route};
use lambda::settings::Settings;

/// The settings of consent-capture.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    desk: desk::Config,
    /// `ALLOWED_ORIGINS`
    origins: Origins,
}

impl Config {
    pub(crate) fn read(settings: &mut Settings<'_>) -> Self {
        Self { desk: desk::Config::read(settings), origins: desk::origins(settings) }
    }

    pub(crate) fn route(&self) -> Route {
        Route { name: "/consents", accepts: &[door::JSON], origins: Some(self.origins.clone()) }
    }

    pub(crate) async fn open(self, aws: &Aws) -> Result<Desk, lambda::Error> {
        self.desk.open(aws).await
    }
}
