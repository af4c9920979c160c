//! Facts of one sample journey: Ana Silva leaves a lead, pays for a ticket and gets it refunded.
//! Each builder defaults everything; a test names only what it is about.

use domain::attribution::{Context, Field};
use domain::consent::{Consent, Method};
use domain::contact::{Contact, EmailAddress, FullName, Language, PhoneNumber};
use domain::fact::{Fact, Happening, Payment, SCHEMA, Source};
use domain::id::{EventId, ProductId, SessionId, StripeId};
use domain::journey::Journey;
use domain::money::{Currency, Money};
use domain::order::Order;
use domain::pepper::{Pepper, PersonKey};
use jiff::Timestamp;

/// The sample journey's id.
pub const EVENT_ID: &str = "6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c11";
/// The sample session's id.
pub const SESSION_ID: &str = "0b8a2f7c-3c55-4a43-8b0e-6f6f6f2f9d01";
/// The sample person's address.
pub const EMAIL: &str = "ana.silva@example.pt";
/// When the sample journey begins: 2026-01-05 10:00:00 UTC.
pub const BEGINNING: i64 = 1_767_607_200;

/// A fact under construction.
#[derive(Debug, Clone)]
pub struct Draft(Fact);

/// Ana leaves her contact and allows everything.
#[must_use]
pub fn a_lead() -> Draft {
    let draft = draft(0, Source::Lead(1), Happening::LeadCaptured);
    draft.with_contact(ana()).with_consent(true, true).with_context(&[
        (Field::UtmSource, "instagram"),
        (Field::UtmMedium, "social"),
        (Field::UtmCampaign, "lisboa-2026"),
        (Field::PageUrl, "https://example.pt/cafe-com-vendas?utm_source=instagram"),
        (Field::Referrer, "https://l.instagram.com/"),
        (Field::ClientId, "1234567890.1767607100"),
        (Field::GaSessionId, "1767607100"),
    ])
}

/// Ana corrects her contact.
#[must_use]
pub fn a_correction(revision: u32) -> Draft {
    let mut lead = a_lead();
    lead.0.source = Source::Lead(revision);
    lead.0.happening = Happening::LeadCorrected { revision };
    lead
}

/// Ana answers the consent dialogue again, two minutes later.
#[must_use]
pub fn an_answer(marketing: bool, analytics: bool) -> Draft {
    let source = Source::Consent(format!("v1_{marketing}_{analytics}"));
    draft(120, source, Happening::ConsentChanged).with_consent(marketing, analytics).about_ana()
}

/// Ana begins to pay for one ticket of 97 EUR under `pi_1`.
#[must_use]
pub fn a_checkout() -> Draft {
    a_checkout_of(1, 9700, "EUR")
}

/// Ana begins to pay for so many tickets at a price.
#[must_use]
pub fn a_checkout_of(quantity: u32, minor: i64, currency: &str) -> Draft {
    let order = Order {
        product_id: ProductId::parse("cafe-com-vendas-ticket").expect("an id"),
        product_name: "Café com Vendas – Lisboa".to_owned(),
        quantity,
        unit_price: money(minor, currency),
    };
    let intent = stripe_id("pi_1");
    let happening = Happening::CheckoutStarted { order, payment_intent: intent.clone() };
    draft(300, Source::Checkout(intent), happening).with_contact(ana())
}

/// Ana's card pays 97 EUR under `pi_1`.
#[must_use]
pub fn a_payment() -> Draft {
    a_payment_of(9700, "EUR")
}

/// Ana's card pays an amount under `pi_1`.
#[must_use]
pub fn a_payment_of(minor: i64, currency: &str) -> Draft {
    let happening = Happening::PaymentSucceeded { payment: payment(minor, currency) };
    draft(360, Source::Stripe(stripe_id("evt_paid")), happening).about_ana()
}

/// Ana's card is refused, under `ch_1`.
#[must_use]
pub fn a_refusal() -> Draft {
    let mut payment = payment(9700, "EUR");
    payment.charge = Some(stripe_id("ch_1"));
    let code = Some("card_declined".to_owned());
    let happening = Happening::PaymentFailed { payment, code };
    draft(330, Source::Stripe(stripe_id("evt_failed")), happening).about_ana()
}

/// Ana gets 97 EUR back, as `re_1`.
#[must_use]
pub fn a_refund() -> Draft {
    a_refund_of(9700, "EUR")
}

/// Ana gets an amount back, as `re_1`.
#[must_use]
pub fn a_refund_of(minor: i64, currency: &str) -> Draft {
    let refund = stripe_id("re_1");
    let happening = Happening::PaymentRefunded { payment: payment(minor, currency), refund };
    draft(900, Source::Stripe(stripe_id("evt_refunded")), happening).about_ana()
}

/// The sample person.
#[must_use]
pub fn ana() -> Contact {
    Contact {
        email: EmailAddress::parse(EMAIL).expect("an address"),
        full_name: Some(FullName::parse("Ana Maria Silva").expect("a name")),
        phone: Some(PhoneNumber::parse("+351912345678").expect("a number")),
        language: Language::Portuguese,
    }
}

/// The key of the person behind an address, under the tests' own pepper.
#[must_use]
pub fn key_of(email: &EmailAddress) -> PersonKey {
    let pepper = format!("v1:{}", "ab".repeat(32));
    Pepper::parse(&pepper).expect("a pepper").person(email)
}

/// The sample journey with these facts.
#[must_use]
pub fn a_journey(drafts: &[Draft]) -> Journey {
    let facts = drafts.iter().map(|draft| draft.0.clone()).collect();
    Journey::new(EventId::parse(EVENT_ID).expect("a UUID"), facts)
}

/// So many seconds after the sample journey began.
#[must_use]
pub fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGINNING + seconds).expect("a moment")
}

impl Draft {
    /// The fact.
    #[must_use]
    pub fn fact(&self) -> &Fact {
        &self.0
    }

    /// The same so many seconds after the journey began; an answer it holds is given then too.
    #[must_use]
    pub fn at(mut self, seconds: i64) -> Self {
        if let Some(consent) = &mut self.0.consent {
            consent.given_at = after(seconds);
        }
        self.0.occurred_at = after(seconds);
        self.0.recorded_at = after(seconds);
        self
    }

    /// The same, but heard of only so many seconds after the journey began.
    #[must_use]
    pub fn heard_of_at(mut self, seconds: i64) -> Self {
        self.0.recorded_at = after(seconds);
        self
    }

    /// The same from another event of Stripe's.
    #[must_use]
    pub fn from_event(mut self, event: &str) -> Self {
        self.0.source = Source::Stripe(stripe_id(event));
        self
    }

    /// The same under another payment intent.
    #[must_use]
    pub fn under_intent(mut self, id: &str) -> Self {
        let id = stripe_id(id);
        match &mut self.0.happening {
            Happening::CheckoutStarted { payment_intent, .. } => {
                *payment_intent = id.clone();
                self.0.source = Source::Checkout(id);
            }
            Happening::PaymentSucceeded { payment }
            | Happening::PaymentFailed { payment, .. }
            | Happening::PaymentRefunded { payment, .. } => payment.payment_intent = id,
            Happening::LeadCaptured
            | Happening::LeadCorrected { .. }
            | Happening::ConsentChanged => {}
        }
        self
    }

    /// The same refusal of another charge.
    #[must_use]
    pub fn under_charge(mut self, id: &str) -> Self {
        if let Happening::PaymentFailed { payment, .. } = &mut self.0.happening {
            payment.charge = Some(stripe_id(id));
        }
        self
    }

    /// The same with how to reach the person.
    #[must_use]
    pub fn with_contact(mut self, contact: Contact) -> Self {
        self.0.person = Some(key_of(&contact.email));
        self.0.contact = Some(contact);
        self
    }

    /// The same under another address.
    #[must_use]
    pub fn with_email(self, email: &str) -> Self {
        let email = EmailAddress::parse(email).expect("an address");
        self.changed(|contact| contact.email = email)
    }

    /// The same under another name.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        let name = FullName::parse(name).expect("a name");
        self.changed(|contact| contact.full_name = Some(name))
    }

    /// The same in English.
    #[must_use]
    pub fn in_english(self) -> Self {
        self.changed(|contact| contact.language = Language::English)
    }

    /// The same with an answer to the consent dialogue, given when the fact happens.
    #[must_use]
    pub fn with_consent(mut self, marketing: bool, analytics: bool) -> Self {
        self.0.consent = Some(Consent {
            marketing,
            analytics,
            preferences: false,
            method: Method::Modal,
            given_at: self.0.occurred_at,
            version: "1".to_owned(),
            language: Some(Language::Portuguese),
            ip: Some("192.0.2.10".parse().expect("an address of the documentation's")),
        });
        self
    }

    /// The same without any answer.
    #[must_use]
    pub fn without_consent(mut self) -> Self {
        self.0.consent = None;
        self
    }

    /// The same with a context in place of the one it had.
    #[must_use]
    pub fn with_context(mut self, fields: &[(Field, &str)]) -> Self {
        self.0.context = Context::default();
        for (field, value) in fields {
            self.0.context.insert(*field, value);
        }
        self
    }

    fn about_ana(mut self) -> Self {
        self.0.person = Some(key_of(&ana().email));
        self
    }

    fn changed(self, change: impl FnOnce(&mut Contact)) -> Self {
        let mut contact = self.0.contact.clone().unwrap_or_else(ana);
        change(&mut contact);
        self.with_contact(contact)
    }
}

fn draft(seconds: i64, source: Source, happening: Happening) -> Draft {
    Draft(Fact {
        schema: SCHEMA,
        event_id: EventId::parse(EVENT_ID).expect("a UUID"),
        session_id: Some(SessionId::parse(SESSION_ID).expect("a UUID")),
        source,
        occurred_at: after(seconds),
        recorded_at: after(seconds),
        person: None,
        contact: None,
        consent: None,
        context: Context::default(),
        happening,
    })
}

fn payment(minor: i64, currency: &str) -> Payment {
    Payment {
        payment_intent: stripe_id("pi_1"),
        charge: None,
        amount: money(minor, currency),
        foreign: false,
    }
}

fn money(minor: i64, currency: &str) -> Money {
    Money { minor, currency: Currency::parse(currency).expect("a currency") }
}

fn stripe_id(text: &str) -> StripeId {
    StripeId::parse(text).expect("an id")
}
