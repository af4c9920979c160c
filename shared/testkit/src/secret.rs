//! Secrets as functions hold them, read from an SSM on a local port.

use crate::vendor::{Vendor, reply};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::{BehaviorVersion, Config, Credentials, Region};
use lambda::secret::Secret;
use serde_json::json;

/// A secret with a value.
pub async fn a_secret(name: &'static str, value: &str) -> Secret {
    let parameter =
        json!({ "Parameter": { "Name": name, "Type": "SecureString", "Value": value } });
    open(name, &Vendor::answering(&[reply(200).json(&parameter)])).await
}

/// A secret that nobody has filled in.
pub async fn no_secret(name: &'static str) -> Secret {
    let missing = reply(400).json(&json!({ "__type": "ParameterNotFound" }));
    open(name, &Vendor::answering(&[missing])).await
}

async fn open(name: &'static str, ssm: &Vendor) -> Secret {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
        .endpoint_url(ssm.url())
        .build();
    Secret::open(Client::from_conf(config), "/throughline/test", name)
        .await
        .expect("the local SSM answers")
}
