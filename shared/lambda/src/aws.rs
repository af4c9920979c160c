//! AWS's clients, opened once at start: no credential chain, no profile, timeouts below the function's.

use crate::queue::Queues;
use crate::secret::{Secret, Unreadable};
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_dynamodb::error::SdkError;
use domain::pepper::Pepper;
use ledger::Ledger;
use secrecy::ExposeSecret;
use std::time::Duration;

/// The way to AWS's services.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    ssm: aws_sdk_ssm::Client,
}

/// Opens the way to AWS with the role and region that Lambda puts in the environment.
pub async fn open() -> Aws {
    Aws::over(settings().load().await)
}

/// How AWS is called: with which patience, and how often again.
#[must_use]
pub fn settings() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(9))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
}

impl Aws {
    /// Goes the way that a configuration says.
    #[must_use]
    pub fn over(config: SdkConfig) -> Self {
        let ssm = aws_sdk_ssm::Client::new(&config);
        Self { config, ssm }
    }

    /// The ledger in a table.
    #[must_use]
    pub fn ledger(&self, table: &str) -> Ledger {
        Ledger::new(aws_sdk_dynamodb::Client::new(&self.config), table)
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> Queues {
        Queues::new(aws_sdk_sqs::Client::new(&self.config))
    }

    /// A secret under the stage's prefix (`SECRETS_PREFIX`).
    ///
    /// # Errors
    /// [`Unreadable`] where SSM refuses or does not answer.
    pub async fn secret(&self, prefix: &str, name: &'static str) -> Result<Secret, Unreadable> {
        let secret = self.optional_secret(prefix, name).await?;
        if !secret.is_configured() {
            let parameter = secret.parameter();
            tracing::warn!(setting = name, parameter, "a secret is not set: what needs it is off");
        }
        Ok(secret)
    }

    /// A secret that nothing needs.
    ///
    /// # Errors
    /// [`Unreadable`] where SSM refuses or does not answer.
    pub async fn optional_secret(
        &self,
        prefix: &str,
        name: &'static str,
    ) -> Result<Secret, Unreadable> {
        Secret::open(self.ssm.clone(), prefix, name).await
    }

    /// The pepper of all keyed hashes (`PEPPER`). Without one nobody can be named, so the function
    /// must not start.
    ///
    /// # Errors
    /// [`Unreadable`] where it is missing, or no pepper.
    pub async fn pepper(&self, prefix: &str) -> Result<Pepper, Unreadable> {
        let secret = self.secret(prefix, "PEPPER").await?;
        let unusable = |kind| Unreadable::unusable(secret.parameter(), kind);
        let value = secret.value().ok_or_else(|| unusable("it is missing or blank"))?;
        Pepper::parse(value.expose_secret()).map_err(|refusal| unusable(refusal.0))
    }
}

/// What went wrong in a call to AWS, in a word. The SDK's own text ends here: it may hold what was sent.
pub(crate) fn kind<E>(error: &SdkError<E>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "bad request",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "unreadable answer",
        SdkError::ServiceError(_) => "refused",
        _ => "unknown",
    }
}
