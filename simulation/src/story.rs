//! What visitors and Stripe say, and when: the events of API Gateway as the functions receive them.

use crate::fault::Function;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

pub(crate) const SIGNING_SECRET: &str = "whsec_simulation0123456789abcdef";

/// Something that is said to a function.
#[derive(Debug, Clone)]
pub struct Said {
    /// How long after the history's beginning.
    pub after_ms: i64,
    /// To whom.
    pub to: Function,
    /// The body, as sent.
    body: Value,
    /// The place of the fact that a 2xx promises.
    pub(crate) fact: (String, String),
    /// A word for whoever reads a failure.
    pub(crate) name: String,
}

/// Somebody on one journey.
#[derive(Debug, Clone)]
pub struct Visitor {
    journey: Uuid,
    session: Uuid,
    /// The address they give.
    pub email: String,
    number: u32,
}

/// When something was said by the visitor's own clock or Stripe's, in milliseconds after the
/// history's beginning.
fn stamp(ms: i64) -> String {
    crate::clock::moment(crate::clock::BEGINNING + ms).to_string()
}

impl Visitor {
    /// The visitor of one journey; two of them may be one person.
    #[must_use]
    pub fn new(number: u32, email: &str) -> Self {
        let id = |kind: u128| {
            Uuid::from_u128(
                (kind << 112)
                    | (0x4 << 76)
                    | (0x8 << 60)
                    | u128::from(number)
                    | (u128::from(number * 37 % 251) << 120),
            )
        };
        Self { journey: id(0x11), session: id(0x22), email: email.to_owned(), number }
    }

    /// The same visitor, who gives another address from here on.
    #[must_use]
    pub fn at(&self, email: &str) -> Self {
        Self { email: email.to_owned(), ..self.clone() }
    }

    /// The journey's id.
    #[must_use]
    pub fn event_id(&self) -> String {
        self.journey.to_string()
    }

    /// The session's id.
    #[must_use]
    pub(crate) fn session(&self) -> String {
        self.session.to_string()
    }

    /// The journey's payment intent.
    #[must_use]
    pub fn intent(&self) -> String {
        format!("pi_{}", self.number)
    }

    fn said(&self, after_ms: i64, to: Function, source: &str, body: Value) -> Said {
        Said {
            after_ms,
            to,
            body,
            fact: (format!("JOURNEY#{}", self.journey), format!("FACT#{source}")),
            name: format!("{source} of {}", self.number),
        }
    }

    fn consent(marketing: bool, analytics: bool, at: i64) -> Value {
        json!({"marketing": marketing, "analytics": analytics, "preferences": false,
            "method": "modal", "timestamp": stamp(at), "version": "1"})
    }

    /// Leaves a lead that allows these, at a time; a later revision is a correction.
    #[must_use]
    pub fn lead(&self, at: i64, revision: u32, (marketing, analytics): (bool, bool)) -> Said {
        let body = json!({
            "event_id": self.event_id(), "user_session_id": self.session(), "revision": revision,
            "full_name": format!("Ana Silva {revision}"), "email": self.email, "phone": "+351912345678",
            "language": "pt-PT", "lead_created_at": stamp(0), "client_id": format!("{}.1", self.number),
            "utm_source": format!("source-{}", self.number),
            "consent": Self::consent(marketing, analytics, at),
        });
        self.said(at, Function::Lead, &format!("lead#{revision}"), body)
    }

    /// Answers the consent dialogue anew.
    #[must_use]
    pub fn answer(&self, at: i64, marketing: bool, analytics: bool) -> Said {
        let body = json!({
            "event_id": self.event_id(), "user_session_id": self.session(), "language": "pt-PT",
            "consent": Self::consent(marketing, analytics, at),
        });
        self.said(at, Function::Consent, "consent#", body)
    }

    /// Wants to pay: the page asks for an intent.
    #[must_use]
    pub fn begins_to_pay(&self, at: i64) -> Said {
        let body = json!({
            "event_id": self.event_id(), "user_session_id": self.session(),
            "product_id": "cafe-com-vendas-ticket", "quantity": 1, "full_name": "Ana Silva",
            "email": self.email, "phone": "+351912345678", "language": "pt-PT",
            "consent": Self::consent(true, true, at),
        });
        self.said(at, Function::Checkout, "checkout#", body)
    }

    fn stripe(&self, at: i64, event: &str, kind: &str, object: &Value) -> Said {
        let body = json!({"id": event, "object": "event", "api_version": "2026-10-28.endive",
            "created": (crate::clock::BEGINNING + at) / 1000, "livemode": false, "pending_webhooks": 1,
            "request": {"id": null, "idempotency_key": null}, "type": kind, "data": {"object": object}});
        self.said(at, Function::Webhook, &format!("stripe#{event}"), body)
    }

    fn intent_object(&self, status: &str, charge: u32) -> Value {
        json!({"id": self.intent(), "object": "payment_intent", "amount": 9700, "amount_received": 9700,
            "currency": "eur", "status": status, "latest_charge": format!("ch_{}_{charge}", self.number),
            "livemode": false, "metadata": {
                "event_id": self.event_id(), "user_session_id": self.session(), "full_name": "Ana Silva",
                "email": self.email, "phone": "+351912345678", "language": "pt-PT",
                "product_id": "cafe-com-vendas-ticket", "quantity": "1",
                "marketing_consent": "true", "analytics_consent": "true",
                "consent_timestamp": stamp(0), "consent_version": "1", "consent_method": "modal"}})
    }

    /// Pays; Stripe may tell of it by several events.
    #[must_use]
    pub fn pays(&self, at: i64, event: u32) -> Said {
        let id = format!("evt_{}_paid_{event}", self.number);
        self.stripe(at, &id, "payment_intent.succeeded", &self.intent_object("succeeded", 1))
    }

    /// Is refused by their bank, under a charge of its own.
    #[must_use]
    pub fn fails_to_pay(&self, at: i64, charge: u32) -> Said {
        let id = format!("evt_{}_failed_{charge}", self.number);
        let mut object = self.intent_object("requires_payment_method", charge + 1);
        object["last_payment_error"] = json!({"type": "card_error", "code": "card_declined", "charge": format!("ch_{}_{}", self.number, charge + 1)});
        self.stripe(at, &id, "payment_intent.payment_failed", &object)
    }

    /// Gets money back.
    #[must_use]
    pub fn is_refunded(&self, at: i64, refund: u32, amount: i64) -> Said {
        let id = format!("evt_{}_refunded_{refund}", self.number);
        let object = json!({"id": format!("re_{}_{refund}", self.number), "object": "refund",
            "amount": amount, "charge": format!("ch_{}_1", self.number),
            "created": (crate::clock::BEGINNING + at) / 1000, "currency": "eur", "metadata": {},
            "payment_intent": self.intent(), "reason": "requested_by_customer", "status": "succeeded"});
        self.stripe(at, &id, "refund.created", &object)
    }
}

impl Said {
    /// The same, arriving at another time.
    #[must_use]
    pub fn arriving(mut self, after_ms: i64) -> Self {
        self.after_ms = after_ms;
        self
    }

    /// The same, with something else at a place of its body; null for nothing.
    #[must_use]
    pub fn saying(mut self, pointer: &str, value: Value) -> Self {
        let place = self.body.pointer_mut(pointer).expect("the body has such a place");
        *place = value;
        self
    }

    /// The event, as Stripe lists it for whoever asks.
    pub(crate) fn event(&self) -> Value {
        self.body.clone()
    }

    /// The request as API Gateway hands it over at this moment.
    pub(crate) fn request(&self) -> Value {
        let body = self.body.to_string();
        let mut headers =
            json!({"Content-Type": "application/json", "Origin": "https://example.pt"});
        if self.to == Function::Webhook {
            headers["Stripe-Signature"] = json!(sign(&body));
        }
        json!({"httpMethod": "POST", "headers": headers, "body": body, "isBase64Encoded": false,
            "requestContext": {"identity": {"sourceIp": "192.0.2.1"}}})
    }
}

/// Signs as Stripe does, at the true time.
#[must_use]
pub fn sign(body: &str) -> String {
    let at = crate::clock::now() / 1000;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).expect("keys of any length fit");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}
