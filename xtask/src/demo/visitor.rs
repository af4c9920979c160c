//! A visitor of the demo: what their browser sends, and what the sandbox is told to do for them.

use crate::http;
use crate::stack::Stack;
use anyhow::{Context, Result};
use axum::http::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

/// Somebody made up for this run.
pub(crate) struct Visitor {
    pub(crate) name: &'static str,
    pub(crate) event_id: Uuid,
    session: Uuid,
    email: String,
    pub(crate) phone: &'static str,
    consents: bool,
}

impl Visitor {
    pub(crate) fn new(name: &'static str, consents: bool) -> Self {
        let event_id = Uuid::new_v4();
        let mark = event_id.simple().to_string();
        Self {
            name,
            event_id,
            session: Uuid::new_v4(),
            email: format!("ana.silva+{}@example.pt", mark.get(..8).unwrap_or_default()),
            phone: "912 345 678",
            consents,
        }
    }

    /// Whether a vendor's request is about them.
    pub(crate) fn is_in(&self, request: &Value) -> bool {
        let text = request.to_string();
        text.contains(&self.email) || text.contains(&self.event_id.to_string())
    }

    /// The lead form, for the first time or corrected.
    pub(crate) async fn leave_lead(&self, stack: &Stack, revision: u32) -> Result<()> {
        let mut body = self.form();
        body["revision"] = revision.into();
        body["lead_created_at"] = json!("2026-11-20T10:00:05Z");
        self.post(stack, "/leads", &body).await?;
        Ok(())
    }

    /// The checkout; gives the payment intent.
    pub(crate) async fn check_out(&self, stack: &Stack) -> Result<String> {
        let mut body = self.form();
        body["product_id"] = json!("cafe-com-vendas-ticket");
        let answer = self.post(stack, "/payment-intents", &body).await?;
        let intent = answer["payment_intent_id"].as_str().context("no payment_intent_id")?;
        Ok(intent.to_owned())
    }

    fn form(&self) -> Value {
        json!({
            "event_id": self.event_id,
            "user_session_id": self.session,
            "full_name": "Ana Silva",
            "email": self.email,
            "phone": self.phone,
            "language": "pt-PT",
            "utm_source": "newsletter",
            "utm_medium": "email",
            "utm_campaign": "lisboa",
            "page_url": "https://example.pt/cafe-com-vendas",
            "client_id": "1234567890.1700000000",
            "ga_session_id": "1700000000",
            "consent": {
                "marketing": self.consents,
                "analytics": self.consents,
                "preferences": false,
                "method": "modal",
                "timestamp": "2026-11-20T10:00:00Z",
                "version": "1",
            },
        })
    }

    /// Each visitor comes from an address of their own: the local gateway believes the header.
    async fn post(&self, stack: &Stack, path: &str, body: &Value) -> Result<Value> {
        let [a, b, c, ..] = *self.session.as_bytes();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse()?);
        headers.insert("x-forwarded-for", format!("10.{a}.{b}.{c}").parse()?);
        http::post_json(&format!("{}{path}", stack.api_url), headers, body).await
    }
}

/// Has an intent paid, and its events sent so many times.
pub(crate) async fn pay(sandbox: &str, intent: &str, deliveries: u32) -> Result<()> {
    let order = json!({
        "payment_intent_id": intent,
        "outcome": "succeeded",
        "deliveries": deliveries,
        "shuffle": true,
    });
    http::post_json(&format!("{sandbox}/_control/pay"), HeaderMap::new(), &order).await?;
    Ok(())
}

/// Has an intent refunded.
pub(crate) async fn refund(sandbox: &str, intent: &str) -> Result<()> {
    let order = json!({"payment_intent_id": intent});
    http::post_json(&format!("{sandbox}/_control/refund"), HeaderMap::new(), &order).await?;
    Ok(())
}
