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
