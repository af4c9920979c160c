//! Metadata: within Stripe's limits whatever comes, and read again as it was written.

use super::{Details, Ids, LONGEST_KEY, LONGEST_VALUE, MOST_KEYS, Metadata};
use domain::attribution::{Context, Field};
use domain::consent::{Consent, Method};
use domain::contact::{Contact, EmailAddress, FullName, Language, PhoneNumber};
use domain::id::{EventId, ProductId, SessionId};
use domain::money::{Currency, Money};
use domain::order::Order;
use proptest::prelude::*;

fn order() -> Order {
    Order {
        product_id: ProductId::parse("cafe-com-vendas-ticket").unwrap(),
        product_name: "Café com Vendas – Lisboa".to_owned(),
        quantity: 2,
        unit_price: Money { minor: 9700, currency: Currency::parse("EUR").unwrap() },
    }
}

fn ids(order: &Order) -> Ids<'_> {
    Ids {
        event_id: EventId::parse("3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11").unwrap(),
        session_id: SessionId::parse("8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422").unwrap(),
        order,
    }
}

fn contact(name: &str) -> Contact {
    Contact {
        email: EmailAddress::parse("ana.silva@example.pt").unwrap(),
        full_name: FullName::parse(name).ok(),
        phone: PhoneNumber::parse("+351912345678").ok(),
        language: Language::Portuguese,
    }
}

fn consent() -> Consent {
    Consent {
        marketing: true,
        analytics: false,
        preferences: false,
        method: Method::Checkbox,
        given_at: "2026-11-21T09:58:31.204Z".parse().unwrap(),
        version: "1".to_owned(),
        language: Some(Language::Portuguese),
        ip: None,
    }
}

fn context(value: &str) -> Context {
    let mut context = Context::default();
    for field in Field::ALL {
        context.insert(field, value);
    }
    context
}

fn written(contact: &Contact, context: &Context, crm: Option<&str>) -> Metadata {
    let (order, consent) = (order(), consent());
    Metadata::of(Details {
        ids: ids(&order),
        contact,
        crm_contact_id: crm,
        consent: Some(&consent),
        context,
    })
}

#[test]
fn what_is_written_is_read_again() {
    let (contact, context) = (contact("Ana Silva"), context("instagram"));
    let metadata = written(&contact, &context, Some("151"));
    let order = order();
    assert_eq!(metadata.event_id(), Some(ids(&order).event_id));
    assert_eq!(metadata.session_id(), Some(ids(&order).session_id));
    assert_eq!(metadata.contact(), Some(contact));
    assert_eq!(metadata.consent(), Some(consent()));
    assert_eq!(metadata.context(), context);
}

#[test]
fn the_ids_alone_name_nobody() {
    let order = order();
    let metadata = Metadata::of_ids(ids(&order));
    let keys: Vec<&str> = metadata.pairs().map(|(key, _)| key).collect();
    assert_eq!(keys, ["event_id", "product_id", "quantity", "user_session_id"]);
}

#[test]
fn what_cannot_be_read_is_absent() {
    let read = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Metadata>();
    assert_eq!(read(&[("event_id", "nobody's")]).event_id(), None);
    assert_eq!(read(&[("email", "ana")]).contact(), None);
    let contact = read(&[("email", "ana.silva@example.pt"), ("phone", "abc")]).contact().unwrap();
    assert_eq!((contact.phone, contact.full_name), (None, None));
    let half = [("marketing_consent", "true"), ("analytics_consent", "true")];
    assert_eq!(read(&half).consent(), None, "no time, no version: half an answer");
}

#[test]
fn only_what_differs_is_news() {
    let old = written(&contact("Ana Silva"), &context("instagram"), None);
    let new = written(&contact("Ana Maria da Silva"), &context("instagram"), Some("151"));
    let news: Vec<(String, String)> =
        new.beyond(&old).pairs().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    assert_eq!(
        news,
        [
            ("crm_contact_id".to_owned(), "151".to_owned()),
            ("full_name".to_owned(), "Ana Maria da Silva".to_owned())
        ]
    );
    assert!(new.beyond(&new).is_empty());
}

#[test]
fn a_debug_print_shows_no_person() {
    let shown = format!("{:?}", written(&contact("Ana Silva"), &context("x"), None));
    assert!(!shown.contains("ana"), "{shown}");
}

fn within_limits(metadata: &Metadata) -> bool {
    metadata.pairs().count() <= MOST_KEYS
        && metadata.pairs().all(|(key, value)| {
            key.chars().count() <= LONGEST_KEY
                && !key.contains(['[', ']'])
                && (1..=LONGEST_VALUE).contains(&value.chars().count())
        })
}

#[test]
fn a_purchase_with_everything_fits() {
    let long = "é".repeat(900);
    let metadata = written(&contact(&"é".repeat(200)), &context(&long), Some(&long));
    assert!(within_limits(&metadata));
    assert_eq!(metadata.pairs().count(), 30, "every key is written");
}

proptest! {
    // Eighty pairs of hundreds of characters each: a few dozen cases are thorough enough.
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_pairs_at_all_stay_within_stripes_limits(
        pairs in proptest::collection::vec(("\\PC{0,60}", "\\PC{0,600}"), 0..80),
    ) {
        let metadata: Metadata = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        prop_assert!(within_limits(&metadata));
    }
}
