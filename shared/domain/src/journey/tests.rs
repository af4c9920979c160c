//! Whose a journey is, and what one fact says of another.

use super::Journey;
use crate::attribution::{Context, Field};
use crate::fact::{Fact, Happening, Payment, Source};
use crate::id::SessionId;
use crate::order::Order;
use crate::sample::{checkout, failed, id, journey_id, key, lead, paid, payment, refunded, stripe};
use jiff::Timestamp;

fn journey(facts: Vec<Fact>) -> Journey {
    Journey::new(journey_id(), facts)
}

fn session(digit: &str) -> Option<SessionId> {
    Some(SessionId::parse(&format!("8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d42{digit}")).unwrap())
}

#[test]
fn a_journey_belongs_to_the_session_that_was_recorded_first() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let facts = vec![
        Fact { session_id: session("2"), recorded_at: at(60), ..lead(1, "ana", "912345678") },
        Fact { session_id: session("1"), recorded_at: at(50), ..checkout() },
        Fact { session_id: None, recorded_at: at(40), ..paid() },
    ];
    assert_eq!(journey(facts).session(), session("1"));
    assert_eq!(journey(vec![paid()]).session(), None);
}

/// All revisions of a lead have one time: that at which the form was first sent.
#[test]
fn the_tenth_correction_comes_after_the_ninth() {
    let revisions = [10, 2, 9, 1].map(|revision| lead(revision, "ana", "912345678"));
    let journey = journey(revisions.to_vec());
    let order: Vec<_> = journey.facts().iter().filter_map(Fact::lead_revision).collect();
    assert_eq!(order, [1, 2, 9, 10]);
}

#[test]
fn an_order_belongs_to_its_own_payment_intent() {
    let checkout = |intent: &str, quantity| {
        let Happening::CheckoutStarted { order, .. } = checkout().happening else { unreachable!() };
        let order = Order { quantity, ..order };
        let payment_intent = id(intent);
        let happening =
            Happening::CheckoutStarted { order, payment_intent: payment_intent.clone() };
        Fact { source: Source::Checkout(payment_intent), happening, ..checkout() }
    };
    let journey = journey(vec![checkout("pi_1", 1), checkout("pi_2", 2)]);
    let quantity = |intent: &str| journey.order_of(&id(intent)).map(|order| order.quantity);
    assert_eq!(["pi_1", "pi_2", "pi_3"].map(quantity), [Some(1), Some(2), None]);
}

#[test]
fn a_fact_is_told_to_whom_it_is_about() {
    let (ana, rita) = (lead(1, "ana", "912345678"), lead(1, "rita", "913456789"));
    let phone = |journey: &Journey, fact: &Fact| {
        journey
            .contact_of(fact)
            .and_then(|contact| contact.phone.clone())
            .map(|p| p.expose().to_owned())
    };
    // What Stripe says of a payment names nobody: it is about the lead's person.
    let whole = journey(vec![ana.clone(), paid()]);
    assert_eq!(phone(&whole, &paid()).as_deref(), Some("+351912345678"));
    // Whoever paid under another address is not the lead's person, and is reached as they said.
    let theirs = Fact { person: Some(key("rita")), contact: rita.contact.clone(), ..paid() };
    let mixed = journey(vec![ana.clone(), theirs.clone()]);
    assert_eq!(phone(&mixed, &theirs).as_deref(), Some("+351913456789"));
    // Where a fact does not say how, another word about the same person does, and never one about
    // somebody else.
    let silent = Fact { contact: None, ..theirs.clone() };
    let told = Fact { contact: rita.contact, person: Some(key("rita")), ..checkout() };
    assert_eq!(
        phone(&journey(vec![told, silent.clone()]), &silent).as_deref(),
        Some("+351913456789")
    );
    assert_eq!(phone(&journey(vec![ana, silent.clone()]), &silent), None);
}

#[test]
fn the_latest_word_of_our_pages_says_where_somebody_came_from_and_stripes_copy_only_the_rest() {
    let saying = |fact: Fact, said: &[(Field, &str)]| {
        let mut context = Context::default();
        said.iter().for_each(|(field, value)| context.insert(*field, value));
        Fact { context, ..fact }
    };
    let facts = [
        saying(lead(1, "ana", "912345678"), &[(Field::UtmSource, "news"), (Field::UtmTerm, "a")]),
        saying(checkout(), &[(Field::UtmSource, "search")]),
        saying(paid(), &[(Field::UtmSource, "sea"), (Field::UtmMedium, "cpc")]),
        saying(failed(), &[(Field::UtmCampaign, "refused")]),
    ];
    let context = journey(facts.to_vec()).context();
    let fields = [Field::UtmSource, Field::UtmTerm, Field::UtmMedium, Field::UtmCampaign];
    assert_eq!(
        fields.map(|field| context.get(field)),
        [Some("search"), Some("a"), Some("cpc"), None]
    );
}

#[test]
fn two_facts_state_the_same_whenever_they_arrived() {
    let later = Timestamp::from_second(99).unwrap();
    let again = Fact { recorded_at: later, ..lead(1, "ana", "912345678") };
    assert!(again.states_the_same_as(&lead(1, "ana", "912345678")));
    assert!(!again.states_the_same_as(&lead(1, "ana", "913456789")));
    assert!(!again.states_the_same_as(&paid()));
}

#[test]
fn a_payment_of_another_shop_is_foreign_and_whatever_has_no_payment_is_not() {
    let foreign = Payment { foreign: true, ..payment(9_700) };
    assert!(stripe(30, "evt_1", Happening::PaymentSucceeded { payment: foreign }).is_foreign());
    for fact in [paid(), failed(), refunded("re_1", 100)] {
        assert!(fact.happening.payment().is_some() && !fact.is_foreign());
    }
    for fact in [lead(1, "ana", "912345678"), checkout()] {
        assert!(fact.happening.payment().is_none() && !fact.is_foreign());
    }
}

#[test]
fn sources_and_effects_have_the_names_that_the_table_knows() {
    for (fact, source, effect) in [
        (lead(1, "ana", "912345678"), "lead#1", format!("lead_captured:{}", journey_id())),
        (lead(2, "ana", "912345678"), "lead#2", format!("lead_corrected:{}:2", journey_id())),
        (checkout(), "checkout#pi_1", "checkout_started:pi_1".to_owned()),
        (paid(), "stripe#evt_paid", "payment_succeeded:pi_1".to_owned()),
        (failed(), "stripe#evt_failed", "payment_failed:stripe:evt_failed".to_owned()),
        (refunded("re_1", 100), "stripe#evt_re_1", "payment_refunded:re_1".to_owned()),
    ] {
        assert_eq!(fact.source.to_string(), source);
        assert_eq!(
            (fact.effect().as_str(), fact.effect().to_string()),
            (effect.as_str(), effect.clone())
        );
    }
}
