//! What a local stack is told: secrets into SSM, settings as template parameters. Every vendor is
//! the stand-in unless `.env` says otherwise.

use crate::place::repository;
use crate::say;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The secrets, by their names under `/throughline/<stage>/`.
const SECRETS: [&str; 8] = [
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "HUBSPOT_ACCESS_TOKEN",
    "MAILERLITE_API_KEY",
    "SGTM_API_SECRET",
    "SENDGRID_API_KEY",
    "SLACK_WEBHOOK_URL",
    "PEPPER",
];

/// The settings that `.env` may change, by their names in a function's environment.
const SETTINGS: [&str; 23] = [
    "DESTINATIONS",
    "REQUIRE_CONSENT",
    "CONSENT_VERSION",
    "CRM_ENABLE_LEAD_CAPTURE",
    "DLQ_MAX_RETRIES",
    "DLQ_BACKOFF_MULTIPLIER",
    "BREAKER_FAILURE_PERCENT",
    "BREAKER_MINIMUM_CALLS",
    "CALLS_PER_MINUTE",
    "PAYMENT_FAILED_DELAY_SECONDS",
    "FACT_RETENTION_DAYS",
    "STRIPE_BASE_URL",
    "STRIPE_LIVEMODE",
    "QUIET_HOURS",
    "HUBSPOT_BASE_URL",
    "MAILERLITE_BASE_URL",
    "MAILERLITE_GROUP_ID",
    "SGTM_ENDPOINT",
    "SGTM_MEASUREMENT_ID",
    "SENDGRID_BASE_URL",
    "SENDGRID_FROM_EMAIL",
    "SENDGRID_FROM_NAME",
    "FORM_REDIRECT_URLS",
];

/// What only the page is told: with it Stripe's own script takes the card.
pub(crate) const PUBLISHABLE_KEY: &str = "STRIPE_PUBLISHABLE_KEY";

/// The destinations, each with what says where it is.
const VENDORS: [(&str, &str); 5] = [
    ("hubspot", "HUBSPOT_BASE_URL"),
    ("mailerlite", "MAILERLITE_BASE_URL"),
    ("sgtm", "SGTM_ENDPOINT"),
    ("sendgrid", "SENDGRID_BASE_URL"),
    ("slack", "SLACK_WEBHOOK_URL"),
];

/// A setting's name → its value.
pub(crate) type Values = BTreeMap<String, String>;

/// Everything one start is told.
pub(crate) struct Settings {
    /// For SSM.
    pub(crate) secrets: Values,
    /// For the template, by parameter.
    pub(crate) parameters: Values,
}

/// A random `whsec_…` for this start.
pub(crate) fn new_webhook_secret() -> String {
    format!("whsec_{}", random_hex())
}

/// 64 random hexadecimal digits.
fn random_hex() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// The settings of a stack whose vendors all answer under one address.
pub(crate) fn local(vendors: &str, page: &str, webhook_secret: &str) -> Settings {
    let secrets = [
        ("STRIPE_SECRET_KEY", "sk_test_local".to_owned()),
        ("STRIPE_WEBHOOK_SECRET", webhook_secret.to_owned()),
        ("HUBSPOT_ACCESS_TOKEN", "pat-eu1-local".to_owned()),
        ("MAILERLITE_API_KEY", "mailerlite-local".to_owned()),
        ("SGTM_API_SECRET", "sgtm-local".to_owned()),
        ("SENDGRID_API_KEY", "SG.local".to_owned()),
        ("SLACK_WEBHOOK_URL", format!("{vendors}/slack/services/T/B/X")),
        ("PEPPER", format!("v1:{}", random_hex())),
    ];
    let parameters = [
        ("Stage", "local".to_owned()),
        ("Architecture", architecture().to_owned()),
        ("RequireTls", "false".to_owned()),
        ("AllowedOrigins", page.to_owned()),
        ("FormRedirectUrls", format!("{page}/thanks.html,{page}/thanks-en.html")),
        ("StripeBaseUrl", format!("{vendors}/stripe")),
        ("HubspotBaseUrl", format!("{vendors}/hubspot")),
        ("MailerliteBaseUrl", format!("{vendors}/mailerlite")),
        ("MailerliteGroupId", "1".to_owned()),
        ("SgtmEndpoint", format!("{vendors}/sgtm/mp/collect")),
        ("SgtmMeasurementId", "G-LOCAL00000".to_owned()),
        ("SendgridBaseUrl", format!("{vendors}/sendgrid")),
        ("SendgridFromEmail", "bilhetes@example.pt".to_owned()),
        ("SendgridFromName", "Throughline".to_owned()),
        // The engine never gives up a batch for failing too often, only for being too old.
        ("StreamRecordMaxAgeSeconds", "60".to_owned()),
    ];
    Settings { secrets: owned(secrets), parameters: owned(parameters) }
}

fn owned<const N: usize>(pairs: [(&str, String); N]) -> Values {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn architecture() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" }
}

/// Whether a setting says where a vendor is.
pub(crate) fn is_address(name: &str) -> bool {
    name.ends_with("_BASE_URL") || ["SGTM_ENDPOINT", "SLACK_WEBHOOK_URL"].contains(&name)
}

/// What `.env` in the repository's root asks for.
pub(crate) fn read_env_file() -> Result<Values> {
    let path = repository().join(".env");
    if !path.exists() {
        return Ok(Values::new());
    }
    let values = parse(&std::fs::read_to_string(&path).context("cannot read .env")?)?;
    if !values.is_empty() {
        say::line(format!("               .env sets {} values", values.len()));
    }
    Ok(values)
}

impl Settings {
    /// These settings, with what somebody wishes in place of the defaults.
    pub(crate) fn with(mut self, wishes: &Values) -> Self {
        self.parameters.insert(parameter("CALLS_PER_MINUTE"), without_limits(wishes));
        for (name, value) in wishes {
            if SECRETS.contains(&name.as_str()) {
                self.secrets.insert(name.clone(), value.clone());
            } else {
                self.parameters.insert(parameter(name), value.clone());
            }
        }
        self
    }
}

/// Stand-ins take any number of calls; a vendor whose address is wished for keeps its own limit.
fn without_limits(wishes: &Values) -> String {
    let stand_ins = VENDORS.into_iter().filter(|(_, address)| !wishes.contains_key(*address));
    stand_ins.map(|(vendor, _)| format!("{vendor}=0")).collect::<Vec<_>>().join(",")
}

/// `STRIPE_BASE_URL` → `StripeBaseUrl`.
fn parameter(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            [first.to_owned(), rest.to_lowercase()]
        })
        .collect()
}

/// Lines of `NAME=value`; empty values, empty lines and comments say nothing.
fn parse(text: &str) -> Result<Values> {
    let mut values = Values::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .with_context(|| format!(".env line {number} is not NAME=value"))?;
        let (name, value) = (name.trim(), value.trim().trim_matches('"'));
        ensure!(
            SECRETS.contains(&name) || SETTINGS.contains(&name) || name == PUBLISHABLE_KEY,
            ".env names {name}, which is no setting of ours; .env.example lists them all"
        );
        if !value.is_empty() {
            values.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_the_env_file_is_a_parameter_of_the_template() {
        let template = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
        for name in SETTINGS {
            assert!(template.contains(&format!("\n  {}:\n", parameter(name))), "{name}");
        }
    }

    #[test]
    fn the_example_lists_every_name_and_sets_none() {
        let example = std::fs::read_to_string(repository().join(".env.example")).unwrap();
        for name in SECRETS.iter().chain(&SETTINGS).chain(&[PUBLISHABLE_KEY]) {
            assert!(example.contains(&format!("\n{name}=")), "{name}");
        }
        assert!(parse(&example).unwrap().is_empty());
    }

    #[test]
    fn a_misspelt_name_is_refused() {
        assert!(parse("STRIPE_SECRET=x").is_err());
        assert!(parse("STRIPE_SECRET_KEY").is_err());
    }

    #[test]
    fn a_wish_replaces_the_stand_in() {
        let wishes =
            parse("# real\nSTRIPE_SECRET_KEY=sk_test_x\nSTRIPE_BASE_URL=\"https://x\"").unwrap();
        let settings = local("http://127.0.0.1:1", "http://127.0.0.1:2", "whsec_x").with(&wishes);
        assert_eq!(settings.secrets["STRIPE_SECRET_KEY"], "sk_test_x");
        assert_eq!(settings.parameters["StripeBaseUrl"], "https://x");
        assert_eq!(settings.parameters["HubspotBaseUrl"], "http://127.0.0.1:1/hubspot");
    }

    #[test]
    fn a_real_vendor_keeps_its_limit_of_calls() {
        let real = parse("SLACK_WEBHOOK_URL=https://hooks.slack.com/x").unwrap();
        let settings = local("http://127.0.0.1:1", "http://127.0.0.1:2", "whsec_x").with(&real);
        let limits = &settings.parameters["CallsPerMinute"];
        assert_eq!(limits, "hubspot=0,mailerlite=0,sgtm=0,sendgrid=0");
    }
}
