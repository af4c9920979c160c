//! Vendors: Stripe, which makes payment intents, and a tagging server, which takes anything. Each
//! call is counted; an answer comes after the vendor's own delay.

use crate::aws::{self, Shared};
use crate::http::{self, Request, Server};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// Stripe's memory: intents by their ids.
type Known = Mutex<HashMap<String, Value>>;

/// Serves the vendors of one account.
pub(crate) async fn serve(
    account: Shared,
    tls: Option<TlsAcceptor>,
    delay: Duration,
) -> Result<Server> {
    let known = Arc::new(Known::default());
    http::serve(tls, move |request| {
        let (account, known) = (Arc::clone(&account), Arc::clone(&known));
        async move {
            // Who opens a connection beforehand asks for nothing.
            if request.method != hyper::Method::HEAD {
                *aws::look(&account).counts.calls.entry("vendor".to_owned()).or_default() += 1;
            }
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            // stripe-node knows no path before its own.
            if request.path.contains("/v1/payment_intents") {
                return http::json(200, intent(&request, &known));
            }
            http::json(204, String::new())
        }
    })
    .await
}

/// A payment intent for whatever was asked, as Stripe shows one: what was said of it before, and what
/// is said of it now.
fn intent(request: &Request, known: &Known) -> String {
    let fields: Vec<_> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let named = request.path.rsplit('/').next().filter(|name| name.starts_with("pi_"));
    let id = named.map_or_else(|| format!("pi_{}", uuid::Uuid::new_v4().simple()), str::to_owned);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let intent = known.entry(id.clone()).or_insert_with(|| {
        json!({
            "id": id, "object": "payment_intent", "client_secret": format!("{id}_secret_bench"),
            "status": "requires_payment_method", "livemode": false, "metadata": {},
            "created": crate::clock::now_ms() / 1000,
        })
    });
    for (name, value) in fields {
        match name.strip_prefix("metadata[").and_then(|name| name.strip_suffix(']')) {
            Some(name) => intent["metadata"][name] = json!(value),
            None if name == "amount" => intent["amount"] = json!(value.parse::<i64>().unwrap_or(0)),
            None if name == "currency" => intent["currency"] = json!(value),
            None => {}
        }
    }
    intent.to_string()
}
