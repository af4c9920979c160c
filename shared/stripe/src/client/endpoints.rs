//! Where Stripe sends its webhooks: <https://docs.stripe.com/api/webhook_endpoints/list>.

use super::{Calls, Request, StripeError};
use outbound::Answer;
use serde::Deserialize;

/// An endpoint of the account's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Where it sends.
    pub url: String,
    /// Whether it sends; Stripe disables one that has failed for days.
    pub enabled: bool,
}

impl Calls<'_> {
    /// The account's endpoints, a hundred of them: more than anybody may have.
    ///
    /// # Errors
    /// [`StripeError`] says what can be done. [`StripeError::Misconfigured`] is also a restricted
    /// key that may not read endpoints.
    pub async fn list_webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, StripeError> {
        let request = Request::get("list_webhook_endpoints", "/v1/webhook_endpoints", "limit=100");
        self.asked(request, endpoints).await
    }
}

#[derive(Deserialize)]
struct ListWire {
    data: Vec<EndpointWire>,
}

#[derive(Deserialize)]
struct EndpointWire {
    url: String,
    status: String,
}

fn endpoints(answer: &Answer) -> Option<Vec<WebhookEndpoint>> {
    let list: ListWire = answer.json()?;
    let endpoint =
        |wire: EndpointWire| WebhookEndpoint { url: wire.url, enabled: wire.status == "enabled" };
    Some(list.data.into_iter().map(endpoint).collect())
}
