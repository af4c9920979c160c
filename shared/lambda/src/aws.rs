//! AWS's clients, opened once at start: no credential chain, no profile, timeouts below the function's.
//!
//! Lambda says all that is needed in the environment, so nothing is looked for elsewhere: a start costs
//! no file, no directory of certificates and no metadata service.

mod connector;
mod endpoint;

pub use endpoint::Service;

use crate::queue::Queues;
use crate::secret::{Secret, Unreadable};
use crate::settings;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_sdk_dynamodb::error::SdkError;
use aws_types::sdk_config::Builder;
use connector::{CONNECT, Connector};
use domain::pepper::Pepper;
use endpoint::Endpoints;
use futures_util::future::join_all;
use jiff::Timestamp;
use ledger::Ledger;
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::time::Duration;

/// The way to AWS's services.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    ssm: aws_sdk_ssm::Client,
    trusts_the_machine: bool,
    clock: fn() -> Timestamp,
}

/// Opens the way to AWS with the role and region that Lambda puts in the environment.
///
/// # Errors
/// Says so where there is no region.
pub fn open() -> Result<Aws, crate::Error> {
    let (aws, _) = open_towards(&[])?;
    Ok(aws)
}

/// The same, for a function that somebody waits for: while secrets are read, the second result opens a
/// connection to each of these services, which the first event would otherwise wait for. Where they
/// have one address with the secrets, as the local AWS has, reading those opens it.
///
/// # Errors
/// As [`open`].
pub fn open_towards(services: &[Service]) -> Result<(Aws, impl Future<Output = ()>), crate::Error> {
    let (endpoints, trusts_the_machine) = settings::read(|settings| {
        // Whoever sets one of these has the machine's certificates believed, not those built in.
        let given = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(|name| settings.optional(name).is_some());
        (Endpoints::read(settings), given.contains(&true))
    })?;
    let connector = Connector::new(trusts_the_machine)?;
    let secrets = endpoints.of(Service::Ssm);
    let mut others: BTreeSet<String> = services.iter().map(|one| endpoints.of(*one)).collect();
    others.remove(&secrets);
    let config = settings()
        .region(Region::new(endpoints.region().to_owned()))
        .service_config(endpoints)
        .http_client(SharedHttpClient::new(connector.clone()))
        .build();
    let opening = async move {
        join_all(others.iter().map(|address| connector.open(address))).await;
    };
    Ok((Aws::over(config, trusts_the_machine), opening))
}

/// How AWS is called: with which patience, and how often again.
#[must_use]
pub fn settings() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(9))
        .build();
    let credentials = EnvironmentVariableCredentialsProvider::new();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
}

impl Aws {
    /// Goes the way that a configuration says.
    #[must_use]
    pub fn over(config: SdkConfig, trusts_the_machine: bool) -> Self {
        let ssm = aws_sdk_ssm::Client::new(&config);
        Self { config, ssm, trusts_the_machine, clock: crate::clock::now }
    }

    /// The same, with secrets that grow old by another clock.
    #[must_use]
    pub fn by_the_clock(self, clock: fn() -> Timestamp) -> Self {
        Self { clock, ..self }
    }

    /// Whether the machine's certificates are believed, and not those that are built in: for vendors
    /// as for AWS.
    #[must_use]
    pub fn trusts_the_machine(&self) -> bool {
        self.trusts_the_machine
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
        Secret::open(self.ssm.clone(), prefix, name, self.clock).await
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
