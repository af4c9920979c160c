//! Secrets as functions hold them, read from an SSM on a local port.

use crate::clock;
use crate::vendor::{Reply, Vendor, reply};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::{BehaviorVersion, Config, Credentials, Region};
use lambda::secret::Secret;
use serde_json::json;

/// A secret with a value.
pub async fn a_secret(name: &'static str, value: &str) -> Secret {
    open(name, &Vendor::answering(&[holding(value)])).await
}

/// A secret that nobody has filled in.
pub async fn no_secret(name: &'static str) -> Secret {
    open(name, &Vendor::answering(&[missing()])).await
}

/// A secret that is first this and then that, read by [`clock`], and the SSM that it is read from.
pub async fn a_changed_secret(
    name: &'static str,
    first: Option<&str>,
    then: Option<&str>,
) -> (Secret, Vendor) {
    let values = [first, then].map(|value| value.map_or_else(missing, holding));
    let ssm = Vendor::answering(&values);
    (open(name, &ssm).await, ssm)
}

fn holding(value: &str) -> Reply {
    reply(200).json(&json!({ "Parameter": { "Type": "SecureString", "Value": value } }))
}

fn missing() -> Reply {
    reply(400).json(&json!({ "__type": "ParameterNotFound" }))
}

async fn open(name: &'static str, ssm: &Vendor) -> Secret {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
        .endpoint_url(ssm.url())
        .build();
    Secret::open(Client::from_conf(config), "/throughline/test", name, clock::now)
        .await
        .expect("the local SSM answers")
}
