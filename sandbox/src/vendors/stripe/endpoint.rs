//! Webhook endpoints (docs.stripe.com/api/webhook_endpoints): the one that the control API sets.

use serde_json::{Value, json};

use super::API_VERSION;
use super::params::Params;
use super::refusal::Refusal;
use crate::webhook::Endpoint;

const ID: &str = "we_1SandboxThroughline0000";
/// The parameters of `WebhookEndpointListParams` in the Node SDK of this API version.
const LIST: [&str; 4] = ["ending_before", "expand", "limit", "starting_after"];
/// What docs/deploy.md asks an endpoint to listen to.
const EVENTS: [&str; 4] = [
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "refund.created",
    "refund.updated",
];

/// The account's endpoints: one, or none where no address is set.
pub(super) fn list(params: &Params, endpoint: &Endpoint) -> Result<Value, Refusal> {
    params.only(&LIST)?;
    params.limit()?;
    params.not_both("starting_after", "ending_before")?;
    let cursors = ["starting_after", "ending_before"].map(|name| (name, params.one(name)));
    for (name, id) in cursors {
        if let Some(id) = id.filter(|id| *id != ID) {
            return Err(Refusal::no_such("webhook_endpoint", name, id));
        }
    }
    let is_behind_it = cursors.iter().any(|(_, id)| id.is_some());
    let shown = endpoint.url.as_deref().filter(|_| !is_behind_it).map(|url| show(url, endpoint));
    Ok(json!({
        "object": "list",
        "url": "/v1/webhook_endpoints",
        "has_more": false,
        "data": shown.into_iter().collect::<Vec<_>>(),
    }))
}

/// An endpoint as it is listed: without its secret, which Stripe shows once.
fn show(url: &str, endpoint: &Endpoint) -> Value {
    json!({
        "id": ID,
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": null,
        "created": 1_763_000_000,
        "description": null,
        "enabled_events": EVENTS,
        "livemode": false,
        "metadata": {},
        "status": if endpoint.enabled { "enabled" } else { "disabled" },
        "url": url,
    })
}
