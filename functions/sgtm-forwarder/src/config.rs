//! What sgtm-forwarder reads from its environment for its vendors.

use lambda::settings::Settings;
use url::Url;

/// The settings of server-side tagging.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SGTM_ENDPOINT`: the tagging server's whole address (`https://sgtm.example.com/mp/collect`);
    /// off where it is empty.
    pub(crate) endpoint: Option<Url>,
    /// `SGTM_MEASUREMENT_ID`: the web stream (`G-…`), where the address does not name it.
    pub(crate) measurement_id: Option<String>,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let endpoint = settings.optional("SGTM_ENDPOINT").map(|text| Url::parse(&text));
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let endpoint = endpoint.map(|parsed| parsed.ok().filter(is_web));
        if endpoint == Some(None) {
            settings
                .fault("SGTM_ENDPOINT must be a whole address, as in https://…/mp/collect".into());
        }
        let measurement_id = settings.optional("SGTM_MEASUREMENT_ID");
        Self { endpoint: endpoint.flatten(), measurement_id }
    }
}
