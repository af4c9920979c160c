//! What the stage is told: secrets, catalogue, parameters, destinations.

use super::Check;
use crate::secrets::SecretName;
use crate::{Operator, Settings};
use domain::catalogue::Catalogue;
use jiff::Timestamp;
use secrecy::ExposeSecret;

/// Without these nobody is heard and nothing is sold.
const NEEDED: [SecretName; 3] =
    [SecretName::Pepper, SecretName::StripeSecretKey, SecretName::StripeWebhookSecret];

impl Operator {
    pub(super) async fn check_secrets(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for name in SecretName::ALL {
            let check = self.check_secret(name).await;
            checks.extend(check);
        }
        checks
    }

    async fn check_secret(&self, name: SecretName) -> Option<Check> {
        let what = name.name();
        let value = match self.secret(name).await {
            Ok(value) => value,
            Err(fault) => return Some(Check::impossible(what, &fault)),
        };
        let Some(value) = value else {
            // What a destination lacks, its own check says.
            return NEEDED
                .contains(&name)
                .then(|| Check::fail(what, format!("not set: `throughline secrets set {what}`")));
        };
        if let Err(fault) = name.check(&value) {
            return Some(Check::fail(what, format!("{fault}; `throughline secrets set {what}`")));
        }
        if name == SecretName::StripeSecretKey {
            return Some(self.check_mode(value.expose_secret()));
        }
        Some(Check::ok(what, "set, and of the right shape"))
    }

    /// A test key belongs to a test stage.
    fn check_mode(&self, key: &str) -> Check {
        let what = SecretName::StripeSecretKey.name();
        let key_is_live = key.contains("_live_");
        let mode = |live| if live { "live" } else { "test" };
        let Some(settings) = &self.stage.settings else {
            return Check::ok(what, format!("a {} key", mode(key_is_live)));
        };
        let stage_is_live = settings.stripe_livemode == "true";
        if key_is_live == stage_is_live {
            return Check::ok(what, format!("a {} key, as StripeLivemode says", mode(key_is_live)));
        }
        Check::fail(
            what,
            format!(
                "a {} key in a stage that takes {} events (StripeLivemode): change one of both",
                mode(key_is_live),
                mode(stage_is_live)
            ),
        )
    }

    pub(super) async fn check_catalogue(&self) -> Check {
        const WHAT: &str = "CATALOGUE";
        match self.catalogue().await {
            Err(fault) => Check::impossible(WHAT, &fault),
            Ok(None) => Check::fail(WHAT, "not set: `throughline catalogue push FILE`"),
            Ok(Some(json)) => match Catalogue::parse(&json) {
                Ok(_) => Check::ok(WHAT, "set, and every price can be charged"),
                Err(unusable) => Check::fail(WHAT, unusable.to_string()),
            },
        }
    }

    pub(super) fn check_settings(&self) -> Vec<Check> {
        let Some(settings) = &self.stage.settings else {
            let says = "the stage does not say how it is set up: deploy it once more";
            return vec![Check::warn("template", says)];
        };
        let traps = traps(settings, &self.stage.name, self.stage.is_local);
        if traps.is_empty() {
            return vec![Check::ok("template", "no trap among its parameters")];
        }
        traps
    }

    pub(super) async fn check_destinations(&self, now: Timestamp) -> Vec<Check> {
        let standings = match self.destinations(now).await {
            Ok(standings) => standings,
            Err(fault) => return vec![Check::impossible("destinations", &fault)],
        };
        let check = |standing: &crate::Standing| {
            let what = standing.destination.name();
            let because = standing.why.as_deref().unwrap_or_default();
            match (&standing.off, standing.gate) {
                (Some(off), _) => Check::warn(what, format!("off: {off}")),
                (None, "closed") => Check::ok(what, "on, and its gate is open"),
                (None, "paused") => Check::warn(what, format!("paused: {because}")),
                (None, _) => Check::fail(what, format!("its breaker is open: {because}")),
            }
        };
        standings.iter().map(check).collect()
    }
}

/// What looks right in a template and is not.
fn traps(settings: &Settings, stage: &str, is_local: bool) -> Vec<Check> {
    let mut traps = Vec::new();
    let mut warn = |what: &str, says: &str| traps.push(Check::warn(what, says));
    let origins = || settings.allowed_origins.split(',').map(str::trim);
    if origins().any(|origin| origin.ends_with('/')) {
        warn(
            "AllowedOrigins",
            "an origin ends with a slash: no browser sends it so, and every page is refused",
        );
    }
    if !is_local {
        if origins().any(|origin| origin.contains("example.com")) {
            warn(
                "AllowedOrigins",
                "still the placeholder of samconfig.toml: put your own site's origin",
            );
        }
        if settings.require_tls != "true" {
            warn("RequireTls", "queues answer plain HTTP: set it to true");
        }
        if settings.alarms_are_sent != "true" {
            warn("AlarmEmail", "empty: nobody is told of any alarm");
        }
        if settings.sendgrid_from_email.contains("example.com") {
            warn(
                "SendgridFromEmail",
                "still the placeholder of samconfig.toml: SendGrid sends for nobody else's domain",
            );
        }
        if stage == "prod" && settings.stripe_livemode != "true" {
            warn("StripeLivemode", "false in prod: live payments are refused");
        }
    }
    if settings.sgtm_endpoint.is_empty() != settings.sgtm_measurement_id.is_empty() {
        warn(
            "SgtmEndpoint",
            "of SgtmEndpoint and SgtmMeasurementId only one is set: tagging is off",
        );
    }
    traps
}

#[cfg(test)]
mod tests {
    use super::traps;
    use crate::Settings;

    fn sound() -> Settings {
        Settings {
            allowed_origins: "https://www.example.pt".into(),
            require_tls: "true".into(),
            alarms_are_sent: "true".into(),
            stripe_livemode: "true".into(),
            ..Settings::default()
        }
    }

    #[test]
    fn a_sound_stage_has_no_trap_and_each_trap_is_named() {
        assert_eq!(traps(&sound(), "prod", false), []);
        for (what, settings) in [
            (
                "AllowedOrigins",
                Settings { allowed_origins: "https://www.example.pt/".into(), ..sound() },
            ),
            (
                "AllowedOrigins",
                Settings { allowed_origins: "https://example.com".into(), ..sound() },
            ),
            ("RequireTls", Settings { require_tls: "false".into(), ..sound() }),
            ("AlarmEmail", Settings { alarms_are_sent: "false".into(), ..sound() }),
            ("StripeLivemode", Settings { stripe_livemode: "false".into(), ..sound() }),
            (
                "SgtmEndpoint",
                Settings { sgtm_endpoint: "https://sgtm.example.pt/mp".into(), ..sound() },
            ),
        ] {
            let found = traps(&settings, "prod", false);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].check, what);
        }
    }
}
