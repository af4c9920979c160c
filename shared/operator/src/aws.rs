//! AWS's configuration for a person: the usual chain of profiles and variables, or the local stack's.

use crate::Fault;
use crate::stage::{Description, Whereabouts};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use std::time::Duration;

/// The configuration for a stage.
///
/// # Errors
/// [`Fault`] where the local stack is not described, or no region is named anywhere.
pub(crate) async fn config(whereabouts: &Whereabouts) -> Result<SdkConfig, Fault> {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(4))
                .operation_attempt_timeout(Duration::from_secs(10))
                .build(),
        )
        .retry_config(RetryConfig::standard().with_max_attempts(4));
    match whereabouts {
        Whereabouts::Local(file) => {
            let local = Description::read(file)?;
            // The local AWS knows one key, and nobody's own must be sent there.
            let credentials = Credentials::new("test", "test", None, None, "local stack");
            let loader = loader.credentials_provider(credentials).endpoint_url(local.aws_endpoint);
            Ok(loader.region(Region::new(local.region)).load().await)
        }
        Whereabouts::Deployed { profile, region, .. } => {
            let loader = match profile {
                Some(profile) => loader.profile_name(profile),
                None => loader,
            };
            let loader = match region {
                Some(region) => loader.region(Region::new(region.clone())),
                None => loader,
            };
            let config = loader.load().await;
            if config.region().is_none() {
                return Err(Fault::refused(
                    "no region is named: say --region, or set AWS_REGION or the profile's region",
                ));
            }
            Ok(config)
        }
    }
}
