//! Secrets: SSM SecureStrings, read at start, cached, and read again when they are old, or when a call
//! says that they are wrong.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use domain::fault::{Fault, Remedy, Seen};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::sync::{Arc, PoisonError, RwLock};

/// The shortest time between two readings of one secret.
const SHORTEST_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// After this a value may have been set or taken away without any call that says so.
const OLD: SignedDuration = SignedDuration::from_mins(5);

/// One secret of one function. Clones share the cached value.
#[derive(Clone)]
pub struct Secret {
    ssm: Client,
    name: &'static str,
    parameter: String,
    clock: fn() -> Timestamp,
    held: Arc<RwLock<Held>>,
}

struct Held {
    value: Option<SecretString>,
    read_at: Timestamp,
}

impl Held {
    /// Whether it was read at least so long ago, or at a time that the clock has been set back from.
    fn is_older(&self, age: SignedDuration, now: Timestamp) -> bool {
        now < self.read_at || now.duration_since(self.read_at) >= age
    }
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
    /// Reads a secret at start. One that does not exist, or is blank, is "not configured". By the
    /// clock it grows old: the wall's, since a monotonic one stands still in a frozen function.
    ///
    /// # Errors
    /// [`Unreadable`] where SSM does not say whether it exists.
    pub async fn open(
        ssm: Client,
        prefix: &str,
        name: &'static str,
        clock: fn() -> Timestamp,
    ) -> Result<Self, Unreadable> {
        let parameter = format!("{}/{name}", prefix.trim_end_matches('/'));
        let value = fetch(&ssm, &parameter).await?;
        let held = Arc::new(RwLock::new(Held { value, read_at: clock() }));
        Ok(Self { ssm, name, parameter, clock, held })
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

    /// Reads the value again where it is older than five minutes, and says whether it has changed.
    /// Nothing else would say that a missing secret was set, or that a signing secret was taken away.
    pub async fn refresh(&self) -> bool {
        self.reread(OLD).await
    }

    /// A call said that the value is wrong: reads it again, at most once a minute, and says whether
    /// it has changed.
    pub async fn refused(&self) -> bool {
        self.reread(SHORTEST_INTERVAL).await
    }

    async fn reread(&self, age: SignedDuration) -> bool {
        {
            let now = (self.clock)();
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            if !held.is_older(age, now) {
                return false;
            }
            held.read_at = now;
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
    use super::{OLD, SHORTEST_INTERVAL, Secret, text};
    use aws_sdk_ssm::config::{BehaviorVersion, Credentials, Region};
    use futures_util::future::join_all;
    use jiff::SignedDuration;
    use serde_json::json;
    use testkit::clock;
    use testkit::vendor::{Reply, Vendor, reply};

    fn ssm(vendor: &Vendor) -> aws_sdk_ssm::Client {
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .region(Region::new("eu-west-1"))
            .endpoint_url(vendor.url())
            .build();
        aws_sdk_ssm::Client::from_conf(config)
    }

    async fn opened(vendor: &Vendor) -> Secret {
        let name = "STRIPE_WEBHOOK_SECRET";
        Secret::open(ssm(vendor), "/throughline/dev", name, clock::now).await.unwrap()
    }

    fn value(value: &str) -> Reply {
        reply(200).json(&json!({"Parameter": {"Value": value}}))
    }

    #[tokio::test]
    async fn a_flood_of_refusals_reads_a_secret_once_a_minute() {
        let vendor = Vendor::answering(&[value("whsec_old"), value("whsec_new")]);
        let secret = opened(&vendor).await;
        let flood = || join_all((0..500).map(|_| secret.refused()));
        assert!(flood().await.iter().all(|changed| !changed), "it was read a moment ago");
        assert_eq!(vendor.requests().len(), 1);
        clock::pass(SHORTEST_INTERVAL);
        assert_eq!(flood().await.iter().filter(|changed| **changed).count(), 1);
        assert_eq!(vendor.requests().len(), 2);
        assert!(flood().await.iter().all(|changed| !changed));
        assert_eq!(vendor.requests().len(), 2);
    }

    #[tokio::test]
    async fn a_secret_that_is_old_is_read_again_though_nothing_says_that_it_is_wrong() {
        let gone = reply(400).json(&json!({ "__type": "ParameterNotFound" }));
        let vendor = Vendor::answering(&[gone, value("set"), reply(403)]);
        let secret = opened(&vendor).await;
        let held = || text(secret.value().as_ref()).map(ToOwned::to_owned);
        clock::pass(OLD - SignedDuration::from_millis(1));
        assert!(!secret.refresh().await && vendor.requests().len() == 1, "it is not old yet");
        clock::pass(SignedDuration::from_millis(1));
        assert!(secret.refresh().await && held().as_deref() == Some("set"));
        clock::pass(OLD);
        let read = vendor.requests().len();
        assert!(!secret.refresh().await && vendor.requests().len() > read);
        assert_eq!(held().as_deref(), Some("set"), "what cannot be read stays as it was");
    }

    /// A clock that ran ahead at the first reading would keep a secret for as long as it ran ahead.
    #[tokio::test]
    async fn a_clock_that_is_set_back_makes_a_secret_old() {
        let vendor = Vendor::answering(&[value("whsec_old"), value("whsec_new")]);
        let secret = opened(&vendor).await;
        clock::pass(SignedDuration::from_hours(-1));
        assert!(secret.refresh().await);
        assert!(!secret.refresh().await, "from here on it is as young as any");
    }
}
