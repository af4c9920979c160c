//! The vendors' stand-ins, from the side of a test: what they were sent, and how they fail.

use serde_json::{Value, json};
use std::sync::LazyLock;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A fault concerns everybody who talks to a vendor, and a permission that is missing everybody who
/// needs its function: tests with either run alone.
static PEACE: LazyLock<RwLock<()>> = LazyLock::new(|| RwLock::new(()));

/// Vendors and functions that work, as long as the guard lives.
pub(crate) async fn peace() -> RwLockReadGuard<'static, ()> {
    PEACE.read().await
}

/// Vendors and functions that this test alone may break.
pub(crate) async fn war() -> RwLockWriteGuard<'static, ()> {
    PEACE.write().await
}

/// The sandbox's control API.
pub(crate) struct Sandbox {
    http: reqwest::Client,
    url: String,
}

/// A request as a vendor saw it.
#[derive(Debug)]
pub(crate) struct Seen(pub(crate) Value);

impl Seen {
    pub(crate) fn body(&self) -> &Value {
        &self.0["body"]
    }

    pub(crate) fn path(&self) -> &str {
        self.0["path"].as_str().unwrap()
    }

    /// When it came.
    pub(crate) fn at(&self) -> jiff::Timestamp {
        self.0["at"].as_str().unwrap().parse().unwrap()
    }

    /// Whether the vendor took it.
    pub(crate) fn was_taken(&self) -> bool {
        self.0["answered"].as_u64().is_some_and(|status| status < 300)
    }
}

impl Sandbox {
    pub(crate) fn new(http: reqwest::Client, url: String) -> Self {
        Self { http, url }
    }

    /// What a vendor was sent that holds a mark (an e-mail address, an id), anywhere.
    pub(crate) async fn seen(&self, vendor: &str, mark: &str) -> Vec<Seen> {
        let url = format!("{}/_control/requests?vendor={vendor}", self.url);
        let requests: Vec<Value> = self.http.get(url).send().await.unwrap().json().await.unwrap();
        requests
            .into_iter()
            .filter(|request| request.to_string().contains(mark))
            .map(Seen)
            .collect()
    }

    pub(crate) async fn break_vendor(&self, vendor: &str, mut fault: Value) {
        fault["vendor"] = vendor.into();
        self.control("faults", &fault).await;
    }

    pub(crate) async fn mend_vendor(&self, vendor: &str) {
        self.control("faults", &json!({"vendor": vendor, "times": 0})).await;
    }

    /// Pays an intent, and has its events sent.
    pub(crate) async fn pay(&self, intent: &str, outcome: &str, deliveries: u32) -> Value {
        let order = json!({"payment_intent_id": intent, "outcome": outcome, "deliveries": deliveries, "shuffle": true});
        self.control("pay", &order).await
    }

    /// Refunds an intent, wholly or in part.
    pub(crate) async fn refund(&self, intent: &str, amount: Option<i64>) -> Value {
        let mut order = json!({"payment_intent_id": intent});
        if let Some(amount) = amount {
            order["amount"] = amount.into();
        }
        self.control("refund", &order).await
    }

    /// Pays an intent, so many seconds ago, and has nobody told of it.
    pub(crate) async fn pay_unheard(&self, intent: &str, ago_seconds: u32) -> Value {
        let order = json!({"payment_intent_id": intent, "outcome": "succeeded", "deliveries": 0, "ago_seconds": ago_seconds});
        self.control("pay", &order).await
    }

    /// Refunds an intent, so many seconds ago; Stripe tries to tell us.
    pub(crate) async fn refund_ago(&self, intent: &str, ago_seconds: u32) -> Value {
        let order = json!({"payment_intent_id": intent, "ago_seconds": ago_seconds});
        self.control("refund", &order).await
    }

    /// Writes an event that Stripe lists and never sends.
    pub(crate) async fn write_unheard(&self, mut event: Value) {
        event["deliveries"] = 0.into();
        self.control("event", &event).await;
    }

    /// An event as Stripe shows it.
    pub(crate) async fn event(&self, id: &str) -> String {
        let url = format!("{}/stripe/v1/events/{id}", self.url);
        let answer = self.http.get(url).bearer_auth("sk_test_tests").send().await.unwrap();
        assert!(answer.status().is_success(), "{id}");
        answer.text().await.unwrap()
    }

    /// Sets where Stripe sends, and whether it does.
    pub(crate) async fn set_webhook(&self, url: &str, enabled: bool) {
        self.control("webhook", &json!({"url": url, "enabled": enabled})).await;
    }

    /// Everything that a vendor was sent.
    pub(crate) async fn journal(&self, vendor: &str) -> Vec<Seen> {
        self.seen(vendor, "").await
    }

    /// What a vendor shows of itself, where it has it.
    pub(crate) async fn look(&self, path: &str) -> Option<Value> {
        let asked = self.http.get(format!("{}{path}", self.url)).bearer_auth("tests");
        let answer = asked.header("accept", "application/json").send().await.unwrap();
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    async fn control(&self, what: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{what}", self.url);
        let answer = self.http.post(url).json(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what} {body}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}
