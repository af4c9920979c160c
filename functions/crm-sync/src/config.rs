//! What crm-sync reads from its environment for its vendors.

use lambda::settings::Settings;

/// The settings of the CRMs.
#[derive(Debug, Clone)]
pub struct Config {
    /// `HUBSPOT_BASE_URL`: HubSpot's API without a trailing path.
    pub(crate) hubspot_base_url: String,
    /// `CRM_ENABLE_LEAD_CAPTURE`: whether people who have not paid yet are in the CRM too.
    pub(crate) enable_lead_capture: bool,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            hubspot_base_url: settings.text("HUBSPOT_BASE_URL"),
            enable_lead_capture: settings.flag("CRM_ENABLE_LEAD_CAPTURE", true),
        }
    }
}
