//! What notifier reads from its environment for its vendors.

use domain::contact::EmailAddress;
use lambda::settings::Settings;

/// The settings of the messengers.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SENDGRID_BASE_URL`: SendGrid's API without a trailing path; the EU's own where data must stay.
    pub(crate) sendgrid_base_url: String,
    /// `SENDGRID_FROM_EMAIL`: a sender that SendGrid has verified; e-mail is off where it is empty.
    pub(crate) from_email: Option<EmailAddress>,
    /// `SENDGRID_FROM_NAME`: the business, as buyers know it.
    pub(crate) from_name: Option<String>,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let from_email = settings.optional("SENDGRID_FROM_EMAIL").map(|text| {
            let parsed = EmailAddress::parse(&text);
            parsed.map_err(|refusal| settings.fault(format!("SENDGRID_FROM_EMAIL {refusal}"))).ok()
        });
        Self {
            sendgrid_base_url: settings.text("SENDGRID_BASE_URL"),
            from_email: from_email.flatten(),
            from_name: settings.optional("SENDGRID_FROM_NAME"),
        }
    }
}
