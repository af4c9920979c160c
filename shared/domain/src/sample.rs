//! A journey for the tests of this crate, fact by fact. Nobody in it is real.

use crate::attribution::Context;
use crate::contact::{Contact, EmailAddress, Language, PhoneNumber};
use crate::fact::{Fact, Happening, Payment, SCHEMA, Source};
use crate::id::{EventId, ProductId, StripeId};
use crate::money::{Currency, Money};
use crate::order::Order;
use crate::pepper::PersonKey;
use jiff::Timestamp;

pub(crate) fn key(name: &str) -> PersonKey {
    PersonKey::stored(format!("v1_{name}"))
}

pub(crate) fn journey_id() -> EventId {
    EventId::parse("6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c11").unwrap()
}

pub(crate) fn fact(at: i64, source: Source, person: Option<&str>, happening: Happening) -> Fact {
    Fact {
        schema: SCHEMA,
        event_id: journey_id(),
        session_id: None,
        source,
        occurred_at: Timestamp::from_second(at).unwrap(),
        recorded_at: Timestamp::from_second(at).unwrap(),
        person: person.map(key),
        contact: None,
        consent: None,
        context: Context::default(),
        happening,
    }
}

pub(crate) fn lead(revision: u32, person: &str, phone: &str) -> Fact {
    let happening =
        if revision == 1 { Happening::LeadCaptured } else { Happening::LeadCorrected { revision } };
    let contact = Contact {
        email: EmailAddress::parse(&format!("{person}@example.pt")).unwrap(),
        full_name: None,
        phone: Some(PhoneNumber::parse(phone).unwrap()),
        language: Language::Portuguese,
    };
    Fact { contact: Some(contact), ..fact(10, Source::Lead(revision), Some(person), happening) }
}

pub(crate) fn id(text: &str) -> StripeId {
    StripeId::parse(text).unwrap()
}

pub(crate) fn euros(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("EUR").unwrap() }
}

pub(crate) fn payment(minor: i64) -> Payment {
    Payment { payment_intent: id("pi_1"), charge: None, amount: euros(minor), foreign: false }
}

pub(crate) fn stripe(at: i64, event: &str, happening: Happening) -> Fact {
    fact(at, Source::Stripe(id(event)), None, happening)
}

pub(crate) fn checkout() -> Fact {
    let order = Order {
        product_id: ProductId::parse("cafe-com-vendas-ticket").unwrap(),
        product_name: "Café com Vendas".into(),
        quantity: 1,
        unit_price: euros(9700),
    };
    fact(
        20,
        Source::Checkout(id("pi_1")),
        Some("ana"),
        Happening::CheckoutStarted { order, payment_intent: id("pi_1") },
    )
}

pub(crate) fn paid() -> Fact {
    stripe(30, "evt_paid", Happening::PaymentSucceeded { payment: payment(9700) })
}

pub(crate) fn refunded(refund: &str, minor: i64) -> Fact {
    stripe(
        40,
        &format!("evt_{refund}"),
        Happening::PaymentRefunded { payment: payment(minor), refund: id(refund) },
    )
}

pub(crate) fn failed() -> Fact {
    stripe(
        25,
        "evt_failed",
        Happening::PaymentFailed { payment: payment(9700), code: Some("card_declined".into()) },
    )
}
