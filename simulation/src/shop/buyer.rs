//! Somebody who has begun to pay, without the calls by which they did.

use super::Shop;
use crate::clock;
use crate::story::Visitor;
use domain::fact::{Fact, Happening, SCHEMA, Source};
use domain::id::{EventId, ProductId, SessionId, StripeId};
use domain::money::{Currency, Money};
use domain::order::Order;
use domain::pepper::Pepper;
use jiff::SignedDuration;
use ledger::Pointer;

impl Shop {
    /// What create-payment-intent leaves behind when somebody begins to pay: the pointer from the
    /// intent to the journey, and the fact. Its own calls
    /// are enumerated in a scene of their own.
    pub(crate) async fn begin_to_pay(&self, visitor: &Visitor, at: i64) {
        let pepper = Pepper::parse(&format!("v1:{}", "ab".repeat(32))).expect("a pepper");
        let email = domain::contact::EmailAddress::parse(&visitor.email).expect("an address");
        let event_id = EventId::parse(&visitor.event_id()).expect("a UUID");
        let session_id = SessionId::parse(&visitor.session()).expect("a UUID");
        let intent = StripeId::parse(&visitor.intent()).expect("an id");
        let person = pepper.person(&email);
        let now = clock::moment(clock::BEGINNING + at);
        let pointer = Pointer { event_id, session_id, person: person.clone() };
        let keep = SignedDuration::from_hours(24 * 730);
        let ledger = &self.dispatch.ledger;
        ledger.point(&intent, &pointer, now + keep).await.expect("a world without faults");
        let order = Order {
            product_id: ProductId::parse("cafe-com-vendas-ticket").expect("an id"),
            product_name: "Café com Vendas".to_owned(),
            quantity: 1,
            unit_price: Money {
                minor: 9700,
                currency: Currency::parse("EUR").expect("a currency"),
            },
        };
        let fact = Fact {
            schema: SCHEMA,
            event_id,
            session_id: Some(session_id),
            source: Source::Checkout(intent.clone()),
            occurred_at: now,
            recorded_at: now,
            person: Some(person),
            contact: Some(domain::contact::Contact {
                email,
                full_name: None,
                phone: None,
                language: domain::contact::Language::Portuguese,
            }),
            consent: None,
            context: domain::attribution::Context::default(),
            happening: Happening::CheckoutStarted { order, payment_intent: intent },
        };
        ledger.record(&fact, keep).await.expect("a world without faults");
    }
}
