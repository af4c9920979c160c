//! A visitor of the site: what their browser would send, with everything defaulted.

use crate::stack::{Answer, Stack};
use domain::id::EventId;
use serde_json::{Value, json};
use uuid::Uuid;

/// Somebody with a journey, a session and an address of their own.
pub(crate) struct Visitor {
    pub(crate) event_id: EventId,
    pub(crate) session: Uuid,
    pub(crate) email: String,
    pub(crate) ip: String,
    pub(crate) phone: String,
    consent: Option<Value>,
}

/// A visitor who allows everything.
pub(crate) fn a_visitor() -> Visitor {
    let mark = Uuid::new_v4();
    let [a, b, c, ..] = *mark.as_bytes();
    Visitor {
        event_id: EventId::minted(Uuid::new_v4()).unwrap(),
        session: Uuid::new_v4(),
        email: format!("ana.silva+{}@example.pt", &mark.simple().to_string()[..12]),
        ip: format!("10.{a}.{b}.{c}"),
        phone: "912 345 678".into(),
        consent: Some(consent(true, true)),
    }
}

fn consent(marketing: bool, analytics: bool) -> Value {
    json!({"marketing": marketing, "analytics": analytics, "preferences": false, "method": "modal",
        "timestamp": "2026-11-20T10:00:00Z", "version": "1"})
}

impl Visitor {
    pub(crate) fn without_consent(mut self) -> Self {
        self.consent = Some(consent(false, false));
        self
    }

    /// A vendor's fault that meets what is about this visitor alone.
    pub(crate) fn fault(&self, mut fault: Value) -> Value {
        fault["about"] = self.email.as_str().into();
        fault
    }

    pub(crate) fn lead(&self, revision: u32) -> Value {
        let mut body = json!({
            "event_id": self.event_id, "user_session_id": self.session, "revision": revision,
            "full_name": "Ana Silva", "email": self.email, "phone": self.phone,
            "lead_created_at": "2026-11-20T10:00:05Z", "language": "pt-PT",
            "utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "lisboa",
            "page_url": "https://example.pt/cafe?utm_source=newsletter",
            "client_id": "1234567890.1700000000", "ga_session_id": "1700000000",
        });
        self.add_consent(&mut body);
        body
    }

    pub(crate) fn purchase(&self) -> Value {
        let mut body = json!({
            "event_id": self.event_id, "user_session_id": self.session,
            "product_id": "cafe-com-vendas-ticket", "quantity": 1,
            "full_name": "Ana Silva", "email": self.email, "phone": self.phone, "language": "pt-PT",
            "client_id": "1234567890.1700000000", "ga_session_id": "1700000000",
        });
        self.add_consent(&mut body);
        body
    }

    fn add_consent(&self, body: &mut Value) {
        if let Some(consent) = &self.consent {
            body["consent"] = consent.clone();
        }
    }

    /// Sends the lead form; it must be taken.
    pub(crate) async fn leaves_a_lead(&self, stack: &Stack) {
        self.sends_revision(stack, 1).await;
    }

    pub(crate) async fn sends_revision(&self, stack: &Stack, revision: u32) {
        let answer = stack.post("/leads", &self.ip, &self.lead(revision)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }

    /// Begins to pay; answers with the intent.
    pub(crate) async fn checks_out(&self, stack: &Stack) -> String {
        let answer = stack.post("/payment-intents", &self.ip, &self.purchase()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json["payment_intent_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn answers_consent(&self, stack: &Stack, granted: bool, at: &str) -> Answer {
        let mut consent = consent(granted, granted);
        consent["timestamp"] = at.into();
        let body =
            json!({"event_id": self.event_id, "user_session_id": self.session, "consent": consent});
        stack.post("/consents", &self.ip, &body).await
    }
}
