//! Vendors: Stripe, which makes payment intents, and a tagging server, which takes anything. Each
//! call is counted; an answer comes after the vendor's own delay.

use crate::aws::{self, Shared};
use crate::http::{self, Request, Server};
use anyhow::Result;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// Serves the vendors of one account.
pub(crate) async fn serve(
    account: Shared,
    tls: Option<TlsAcceptor>,
    delay: Duration,
) -> Result<Server> {
    http::serve(tls, move |request| {
        let account = Arc::clone(&account);
        async move {
            *aws::look(&account).counts.calls.entry("vendor".to_owned()).or_default() += 1;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            // stripe-node knows no path before its own.
            if request.path.contains("/v1/payment_intents") {
                return http::json(200, intent(&request));
            }
            http::json(204, String::new())
        }
    })
    .await
}

/// A payment intent for whatever was asked, as Stripe shows a new one.
fn intent(request: &Request) -> String {
    let form = String::from_utf8_lossy(&request.body);
    let field = |name: &str| {
        form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
    };
    let id = format!("pi_{}", uuid::Uuid::new_v4().simple());
    json!({
        "id": id, "object": "payment_intent", "client_secret": format!("{id}_secret_bench"),
        "amount": field("amount").parse::<i64>().unwrap_or(9700),
        "currency": "eur", "status": "requires_payment_method", "livemode": false,
        "created": crate::clock::now_ms() / 1000, "metadata": {},
    })
    .to_string()
}
