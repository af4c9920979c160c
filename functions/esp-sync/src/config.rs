//! What esp-sync reads from its environment for its vendors.

use lambda::settings::Settings;

/// The settings of the newsletter tools.
#[derive(Debug, Clone)]
pub struct Config {
    /// `MAILERLITE_BASE_URL`: MailerLite's API, with its path (`…/api`).
    pub(crate) mailerlite_base_url: String,
    /// `MAILERLITE_GROUP_ID`: the group that subscribers join; none where it is empty.
    pub(crate) mailerlite_group_id: Option<String>,
}

impl Config {
    /// Reads the settings; faults are reported together by whoever made `settings`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let mailerlite_group_id = settings.optional("MAILERLITE_GROUP_ID");
        let is_id = |id: &String| id.bytes().all(|byte| byte.is_ascii_digit());
        if !mailerlite_group_id.as_ref().is_none_or(is_id) {
            settings.fault("MAILERLITE_GROUP_ID must be digits, as in the group's address".into());
        }
        Self { mailerlite_base_url: settings.text("MAILERLITE_BASE_URL"), mailerlite_group_id }
    }
}
