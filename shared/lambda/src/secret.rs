//! Secrets: SSM SecureStrings, read at start, cached, and read again when a call says they are
//! wrong, at most once a minute.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use domain::fault::{Fault, Remedy, Seen};
use secrecy::SecretString;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The shortest time between two readings of one secret.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(60);

/// After this a value may have been taken away without any call that says so.
const OLD: Duration = Duration::from_secs(15 * 60);

/// One secret of one function. Clones share the cached value.
#[derive(Clone)]
pub struct Secret {
    ssm: Client,
    name: &'static str,
    parameter: String,
    held: Arc<RwLock<Held>>,
}

struct Held {
    value: Option<SecretString>,
    read_at: Instant,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[secret {}]", self.name)
    }
}

/// A secret could not be read: SSM refused or did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{parameter} could not be read from SSM ({kind}); check that it exists and that the function's role may read it"
)]
pub struct Unreadable {
    parameter: String,
    kind: &'static str,
}

impl Unreadable {
    /// A secret that is there and cannot be used, or is not there and must be.
    pub(crate) fn unusable(parameter: &str, kind: &'static str) -> Self {
        Self { parameter: parameter.to_owned(), kind }
    }
}

impl Secret {
    /// Reads a secret at start. One that does not exist, or is blank, is "not configured".
    ///
    /// # Errors
    /// [`Unreadable`] where SSM does not say whether it exists.
    pub async fn open(ssm: Client, prefix: &str, name: &'static str) -> Result<Self, Unreadable> {
        let parameter = format!("{}/{name}", prefix.trim_end_matches('/'));
        let value = fetch(&ssm, &parameter).await?;
        let held = Arc::new(RwLock::new(Held { value, read_at: Instant::now() }));
        Ok(Self { ssm, name, parameter, held })
    }

    /// The setting's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The whole name of the SSM parameter, for messages to operators.
    #[must_use]
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Whether there is a value.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.value().is_some()
    }

    /// The value now held.
    #[must_use]
    pub fn value(&self) -> Option<SecretString> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).value.clone()
    }

    /// Whether the value was read so long ago that it should be read again, though nothing says that
    /// it is wrong: a signing secret that was taken away must stop counting.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.held.read().unwrap_or_else(PoisonError::into_inner).read_at.elapsed() >= OLD
    }

    /// The value, for a call to a vendor.
    ///
    /// # Errors
    /// A setup fault that names the setting where there is none.
    pub fn expose(&self) -> Result<SecretString, Fault> {
        self.value().ok_or_else(|| Fault {
            remedy: Remedy::Setup,
            seen: Seen::code(&format!("{}_missing", self.name)),
        })
    }

    /// A call said that the value is wrong: reads it again, at most once a minute, and says whether
    /// it has changed.
    pub async fn refused(&self) -> bool {
        {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            if held.read_at.elapsed() < SHORTEST_INTERVAL {
                return false;
            }
            held.read_at = Instant::now();
        }
        let Ok(fresh) = fetch(&self.ssm, &self.parameter).await else { return false };
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let changed = text(held.value.as_ref()) != text(fresh.as_ref());
        held.value = fresh;
        changed
    }
}

fn text(value: Option<&SecretString>) -> Option<&str> {
    use secrecy::ExposeSecret;
    value.map(ExposeSecret::expose_secret)
}

async fn fetch(ssm: &Client, parameter: &str) -> Result<Option<SecretString>, Unreadable> {
    let answer = ssm.get_parameter().name(parameter).with_decryption(true).send().await;
    let output = match answer {
        Ok(output) => output,
        Err(error) => {
            if error.as_service_error().is_some_and(GetParameterError::is_parameter_not_found) {
                return Ok(None);
            }
            return Err(Unreadable {
                parameter: parameter.to_owned(),
                kind: crate::aws::kind(&error),
            });
        }
    };
    let value = output.parameter.and_then(|parameter| parameter.value);
    Ok(value.filter(|value| !value.trim().is_empty()).map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use super::{OLD, SHORTEST_INTERVAL, Secret};
    use aws_sdk_ssm::config::{BehaviorVersion, Credentials, Region};
    use futures_util::future::join_all;
    use serde_json::json;
    use testkit::vendor::{Vendor, reply};

    fn ssm(vendor: &Vendor) -> aws_sdk_ssm::Client {
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .region(Region::new("eu-west-1"))
            .endpoint_url(vendor.url())
            .build();
        aws_sdk_ssm::Client::from_conf(config)
    }

    #[tokio::test]
    async fn a_flood_of_refusals_reads_a_secret_once_a_minute() {
        let value = |value| reply(200).json(&json!({"Parameter": {"Value": value}}));
        let vendor = Vendor::answering(&[value("whsec_old"), value("whsec_new")]);
        let secret = Secret::open(ssm(&vendor), "/throughline/dev", "STRIPE_WEBHOOK_SECRET");
        let secret = secret.await.unwrap();
        let flood = || join_all((0..500).map(|_| secret.refused()));
        assert!(flood().await.iter().all(|changed| !changed), "it was read a moment ago");
        assert_eq!(vendor.requests().len(), 1);
        secret.held.write().unwrap().read_at -= SHORTEST_INTERVAL;
        assert_eq!(flood().await.iter().filter(|changed| **changed).count(), 1);
        assert_eq!(vendor.requests().len(), 2);
        assert!(flood().await.iter().all(|changed| !changed));
        assert_eq!(vendor.requests().len(), 2);
        assert!(!secret.is_old());
        secret.held.write().unwrap().read_at -= OLD;
        assert!(secret.is_old());
    }
}
