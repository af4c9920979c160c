//! The stage's secrets: put into SSM, and looked at without their values. No value leaves this file
//! but for the checks of `doctor`, and none is in any message.

use crate::{Fault, Operator, parameter};
use aws_sdk_ssm::types::ParameterType;
use domain::pepper::Pepper;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use stripe::webhook::SigningSecrets;

/// SSM's limit for a standard parameter, in bytes.
const LONGEST: usize = 4096;

/// A secret that the stage's functions read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretName {
    /// The pepper of all keyed hashes.
    Pepper,
    /// Stripe's API key.
    StripeSecretKey,
    /// What Stripe signs webhooks with.
    StripeWebhookSecret,
    /// HubSpot's token.
    HubspotAccessToken,
    /// MailerLite's key.
    MailerliteApiKey,
    /// The tagging server's secret, where it wants one.
    SgtmApiSecret,
    /// SendGrid's key.
    SendgridApiKey,
    /// Slack's address, which is its secret.
    SlackWebhookUrl,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// Its name.
    pub name: &'static str,
    /// Whether it is set.
    pub is_set: bool,
    /// When it was last changed.
    pub changed_at: Option<Timestamp>,
}

impl SecretName {
    /// Every secret.
    pub const ALL: [Self; 8] = [
        Self::Pepper,
        Self::StripeSecretKey,
        Self::StripeWebhookSecret,
        Self::HubspotAccessToken,
        Self::MailerliteApiKey,
        Self::SgtmApiSecret,
        Self::SendgridApiKey,
        Self::SlackWebhookUrl,
    ];

    /// The name under the stage's prefix.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pepper => "PEPPER",
            Self::StripeSecretKey => "STRIPE_SECRET_KEY",
            Self::StripeWebhookSecret => "STRIPE_WEBHOOK_SECRET",
            Self::HubspotAccessToken => "HUBSPOT_ACCESS_TOKEN",
            Self::MailerliteApiKey => "MAILERLITE_API_KEY",
            Self::SgtmApiSecret => "SGTM_API_SECRET",
            Self::SendgridApiKey => "SENDGRID_API_KEY",
            Self::SlackWebhookUrl => "SLACK_WEBHOOK_URL",
        }
    }

    /// Finds a secret by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|secret| secret.name() == name)
    }

    /// Whether a value can be this secret.
    ///
    /// # Errors
    /// Says what shape it must have, and nothing of the value.
    pub fn check(self, value: &SecretString) -> Result<(), Fault> {
        let value = value.expose_secret();
        let word = |starts: &[&str]| {
            !value.contains(char::is_whitespace)
                && (starts.is_empty() || starts.iter().any(|start| value.starts_with(start)))
        };
        let fault = |shape: &str| Err(Fault::refused(format!("{} {shape}", self.name())));
        if value.is_empty() || value.len() > LONGEST || value.chars().any(|c| c == '\0') {
            return fault("must hold something, and at most 4096 bytes");
        }
        match self {
            Self::Pepper => {
                Pepper::parse(value).map(|_| ()).or_else(|refusal| fault(&refusal.to_string()))
            }
            Self::StripeWebhookSecret => SigningSecrets::parse(value)
                .map(|_| ())
                .or_else(|refusal| fault(&refusal.to_string())),
            Self::StripeSecretKey if !word(&["sk_test_", "sk_live_", "rk_test_", "rk_live_"]) => {
                fault("must be one key: sk_test_…, sk_live_…, rk_test_… or rk_live_…")
            }
            Self::HubspotAccessToken if !word(&["pat-"]) => {
                fault("must be a private app's token: pat-…")
            }
            Self::SendgridApiKey if !word(&["SG."]) => fault("must be one key: SG.…"),
            Self::SlackWebhookUrl if !word(&["https://", "http://"]) => {
                fault("must be the incoming webhook's whole address: https://…")
            }
            Self::MailerliteApiKey | Self::SgtmApiSecret if !word(&[]) => {
                fault("must be one word, without blanks or line ends")
            }
            Self::StripeSecretKey
            | Self::HubspotAccessToken
            | Self::SendgridApiKey
            | Self::SlackWebhookUrl
            | Self::MailerliteApiKey
            | Self::SgtmApiSecret => Ok(()),
        }
    }
}

impl Operator {
    /// The secrets of the stage, without their values. A blank one is not set.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn secrets(&self) -> Result<Vec<Secret>, Fault> {
        let mut secrets = Vec::new();
        for name in SecretName::ALL {
            let path = self.stage.parameter(name.name());
            let found = parameter::look_at(&self.ssm, &path).await?;
            let changed = found.as_ref().and_then(|parameter| parameter.last_modified_date);
            secrets.push(Secret {
                name: name.name(),
                is_set: found.is_some(),
                changed_at: changed
                    .and_then(|at| Timestamp::from_millisecond(at.to_millis().ok()?).ok()),
            });
        }
        Ok(secrets)
    }

    /// Puts secrets, each over the one that there is, and tells of each that is written. All that can
    /// be checked is checked before the first one is. The pepper is replaced only where that is said:
    /// nobody who is known under the old one would be found again.
    ///
    /// # Errors
    /// Refuses a value of another shape, a name that comes twice and a second pepper, with nothing
    /// written. Where SSM fails later, says what is written and what is not.
    pub async fn set_secrets(
        &self,
        wanted: &[(SecretName, SecretString)],
        replace_pepper: bool,
        mut written: impl FnMut(SecretName),
    ) -> Result<(), Fault> {
        check_each(wanted)?;
        let pepper = wanted.iter().find(|(name, _)| *name == SecretName::Pepper);
        if let Some((_, pepper)) = pepper
            && !replace_pepper
        {
            self.check_pepper(pepper).await?;
        }
        for (place, (name, value)) in wanted.iter().enumerate() {
            let (path, value) = (self.stage.parameter(name.name()), value.expose_secret());
            let put = parameter::write(&self.ssm, &path, ParameterType::SecureString, value).await;
            put.map_err(|fault| halfway(&fault, wanted, place))?;
            written(*name);
        }
        Ok(())
    }

    /// Refuses a second pepper. The same one again changes nothing.
    async fn check_pepper(&self, pepper: &SecretString) -> Result<(), Fault> {
        let Some(held) = self.secret(SecretName::Pepper).await? else { return Ok(()) };
        if held.expose_secret().trim() == pepper.expose_secret().trim() {
            return Ok(());
        }
        Err(Fault::refused(
            "there is a PEPPER: everybody's key in the ledger follows from it. With another one nobody \
             is found again by their address: consent that was refused is forgotten, and people are told \
             to the CRM and the newsletter as if they were new. If that is what you want, say \
             --replace-pepper",
        ))
    }

    /// A secret's value, for a check.
    pub(crate) async fn secret(&self, name: SecretName) -> Result<Option<SecretString>, Fault> {
        let path = self.stage.parameter(name.name());
        Ok(parameter::read(&self.ssm, &path).await?.map(SecretString::from))
    }
}

/// Whether each can be the secret that it is named as, and each is named once.
fn check_each(wanted: &[(SecretName, SecretString)]) -> Result<(), Fault> {
    for (place, (name, value)) in wanted.iter().enumerate() {
        name.check(value)?;
        if wanted[..place].iter().any(|(other, _)| other == name) {
            return Err(Fault::refused(format!("{} is named twice", name.name())));
        }
    }
    Ok(())
}

/// What to say where SSM fails at the one of this place: those before it cannot be taken back, and
/// where its answer was lost, nobody knows whether it is written itself.
fn halfway(fault: &Fault, wanted: &[(SecretName, SecretString)], place: usize) -> Fault {
    let names = |secrets: &[(SecretName, SecretString)]| match secrets {
        [] => "none".to_owned(),
        [..] => secrets.iter().map(|(name, _)| name.name()).collect::<Vec<_>>().join(", "),
    };
    Fault::refused(format!(
        "{fault}. Written: {}. Not written, as far as is known: {}. Once that is mended, set all of them \
         again",
        names(&wanted[..place]),
        names(&wanted[place..])
    ))
}

#[cfg(test)]
mod tests {
    use super::{SecretName, check_each};
    use secrecy::SecretString;

    #[test]
    fn of_a_secret_that_is_named_twice_nobody_knows_which_is_meant() {
        let one = || SecretString::from("one");
        let both = |names: [SecretName; 2]| check_each(&names.map(|name| (name, one())));
        assert!(both([SecretName::SgtmApiSecret, SecretName::MailerliteApiKey]).is_ok());
        let fault = both([SecretName::SgtmApiSecret; 2]).unwrap_err().to_string();
        assert_eq!(fault, "SGTM_API_SECRET is named twice");
    }

    #[test]
    fn a_value_of_another_shape_is_refused_and_not_repeated() {
        for (name, good, bad) in [
            (SecretName::Pepper, format!("v1:{}", "ab".repeat(32)), "v1:wrong-value"),
            (SecretName::StripeWebhookSecret, "whsec_0123456789abcdef".into(), "wrong-value"),
            (SecretName::StripeSecretKey, "sk_test_123".into(), "pk_test_wrong-value"),
            (SecretName::HubspotAccessToken, "pat-eu1-1".into(), "wrong-value"),
            (SecretName::SendgridApiKey, "SG.a.b".into(), "wrong-value"),
            (SecretName::SlackWebhookUrl, "https://hooks.example.com/x".into(), "wrong-value"),
            (SecretName::MailerliteApiKey, "eyJ0".into(), "two wrong-value"),
            (SecretName::SgtmApiSecret, "abc".into(), "wrong-value\nmore"),
        ] {
            assert!(name.check(&SecretString::from(good)).is_ok(), "{name:?}");
            let fault = name.check(&SecretString::from(bad)).unwrap_err().to_string();
            assert!(fault.starts_with(name.name()) && !fault.contains("wrong-value"), "{fault}");
            assert!(name.check(&SecretString::from("")).is_err());
        }
    }
}
