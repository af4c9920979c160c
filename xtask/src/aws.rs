//! Calls to the local AWS, in the JSON that its SDKs speak.
//!
//! Without an SDK on purpose: this crate must compile in seconds. Without a signature, because the
//! engine takes its own key's word; the functions sign, and their permissions are enforced.

use crate::http;
use anyhow::{Context, Result};
use axum::http::HeaderMap;
use serde_json::Value;

/// The region of the local stack: one of those real stages use.
pub(crate) const REGION: &str = "eu-west-1";
/// The engine's own key, and its secret.
pub(crate) const KEY: &str = "test";

/// A service, as the JSON protocols name it.
#[derive(Clone, Copy)]
pub(crate) enum Service {
    /// Systems Manager: secrets and the catalogue.
    Ssm,
    /// The table.
    DynamoDb,
    /// What the functions printed.
    Logs,
}

impl Service {
    /// The name requests are signed for, the prefix of its operations, the version of its JSON.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Ssm => ("ssm", "AmazonSSM", "1.1"),
            Self::DynamoDb => ("dynamodb", "DynamoDB_20120810", "1.0"),
            Self::Logs => ("logs", "Logs_20140328", "1.1"),
        }
    }
}

/// Calls one operation.
pub(crate) async fn call(
    endpoint: &str,
    service: Service,
    operation: &str,
    input: &Value,
) -> Result<Value> {
    let (name, prefix, version) = service.names();
    let scope = format!("{KEY}/20260101/{REGION}/{name}/aws4_request");
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0").parse()?,
    );
    headers.insert("content-type", format!("application/x-amz-json-{version}").parse()?);
    headers.insert("x-amz-target", format!("{prefix}.{operation}").parse()?);
    http::post_json(&format!("{endpoint}/"), headers, input)
        .await
        .with_context(|| format!("{name} {operation} failed"))
}
