//! What lead-capture reads from its environment.

use crate::handler::App;
use intake::{desk, door};
use lambda::aws::Aws;
use lambda::http::{Origins, Route};
use lambda::settings::Settings;

/// The settings of lead-capture.
#[derive(Debug, Clone)]
pub struct Config {
    desk: desk::Config,
    /// `ALLOWED_ORIGINS`
    origins: Origins,
    /// `FORM_REDIRECT_URLS`: where forms may go on; the first is where they go if they do not say.
    form_redirect_urls: Vec<String>,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            desk: desk::Config::read(settings),
            origins: desk::origins(settings),
            form_redirect_urls: settings.list("FORM_REDIRECT_URLS"),
        }
    }

    /// What the route takes.
    #[must_use]
    pub fn route(&self) -> Route {
        Route {
            name: "/leads",
            accepts: &[door::JSON, door::FORM],
            origins: Some(self.origins.clone()),
        }
    }

    /// Opens what it works with.
    ///
    /// # Errors
    /// Says which secret is missing or wrong.
    pub async fn open(self, aws: &Aws) -> Result<App, lambda::Error> {
        let desk = self.desk.open(aws).await?;
        Ok(App { desk, form_redirect_urls: self.form_redirect_urls })
    }
}
