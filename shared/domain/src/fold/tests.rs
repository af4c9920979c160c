//! The fold does not depend on the order in which facts arrive, nor on copies of them.

use super::{Person, Stage, effective_consent};
use crate::consent::{Consent, Method};
use crate::fact::{Fact, Happening, Payment, Source};
use crate::id::EventId;
use crate::journey::Journey;
use crate::money::{Currency, Money};
use crate::order::Order;
use crate::sample::{checkout, euros, failed, id, journey_id, key, lead, paid, refunded, stripe};
use jiff::Timestamp;
use proptest::prelude::*;

fn fold(facts: Vec<Fact>) -> Person {
    Person::fold(&key("ana"), &[Journey::new(journey_id(), facts)], None).unwrap()
}

#[test]
fn a_lead_that_pays_is_won_and_never_a_lead_again() {
    assert_eq!(fold(vec![lead(1, "ana", "912345678")]).stage, Stage::Lead);
    assert_eq!(fold(vec![lead(1, "ana", "912345678"), checkout()]).stage, Stage::Checkout);
    let won = fold(vec![paid(), checkout(), lead(1, "ana", "912345678")]);
    assert_eq!((won.stage, won.paid), (Stage::Won, Some(euros(9700))));
}

#[test]
fn refunds_add_up_and_only_a_whole_one_changes_the_stage() {
    let base = || vec![lead(1, "ana", "912345678"), checkout(), paid()];
    let mut half = base();
    half.push(refunded("re_1", 4000));
    assert_eq!(
        (fold(half.clone()).stage, fold(half.clone()).paid),
        (Stage::Won, Some(euros(5700)))
    );
    half.push(refunded("re_2", 5700));
    assert_eq!((fold(half.clone()).stage, fold(half).paid), (Stage::Refunded, Some(euros(0))));
}

#[test]
fn one_refund_described_by_two_events_counts_once() {
    let mut twice = vec![lead(1, "ana", "912345678"), paid(), refunded("re_1", 4000)];
    twice.push(Fact { source: Source::Stripe(id("evt_again")), ..refunded("re_1", 4000) });
    assert_eq!(fold(twice).paid, Some(euros(5700)));
}

#[test]
fn a_payment_clears_the_problem_of_an_earlier_try() {
    let tried = vec![lead(1, "ana", "912345678"), checkout(), failed()];
    assert_eq!(fold(tried.clone()).payment_problem.as_deref(), Some("card_declined"));
    let mut paid_after = tried.clone();
    paid_after.push(paid());
    assert_eq!(fold(paid_after).payment_problem, None);
    // Two tickets in place of one are another intent.
    let payment = another(19_400, "EUR");
    let later = stripe(35, "evt_2", Happening::PaymentSucceeded { payment });
    assert_eq!(fold([tried.clone(), vec![later.clone()]].concat()).payment_problem, None);
    let a_second_later = later.occurred_at + jiff::SignedDuration::from_secs(1);
    let refused_since = Fact { occurred_at: a_second_later, ..failed() };
    let person = fold([tried, vec![later, refused_since]].concat());
    assert_eq!(person.payment_problem.as_deref(), Some("card_declined"), "of what came after");
}

#[test]
fn a_refused_payment_makes_no_journey_the_latest() {
    let other = EventId::parse("7a2d2f0f-6ab5-4f1b-8e1d-3f7f4f0a8d22").unwrap();
    let later = Fact { event_id: other, ..lead(1, "ana", "912345678") };
    let later = Fact { occurred_at: Timestamp::from_second(22).unwrap(), ..later };
    let journeys = [
        Journey::new(journey_id(), vec![lead(1, "ana", "912345678"), checkout(), failed()]),
        Journey::new(other, vec![later]),
    ];
    let person = Person::fold(&key("ana"), &journeys, None).unwrap();
    assert_eq!(person.event_id, other, "whoever hears of no refusal would not hear of the change");
    assert_eq!(person.payment_problem.as_deref(), Some("card_declined"));
}

#[test]
fn a_refused_payment_says_nothing_of_how_to_reach_somebody_where_anything_else_does() {
    let written = |phone| lead(1, "ana", phone).contact;
    let checkout = Fact { contact: written("912345678"), ..checkout() };
    let refused = Fact { contact: written("913456789"), ..failed() };
    let phone = |facts| fold(facts).contact.phone.unwrap().expose().to_owned();
    assert_eq!(phone(vec![checkout, refused]), "+351912345678", "though it came later");
}

#[test]
fn a_corrected_address_takes_the_journey_with_it() {
    let facts = vec![lead(1, "typo", "912345678"), lead(2, "ana", "912345678"), checkout(), paid()];
    let journey = Journey::new(journey_id(), facts.clone());
    assert_eq!(journey.person(), Some(&key("ana")));
    assert_eq!(journey.superseded_persons().collect::<Vec<_>>(), [&key("typo")]);
    assert!(
        Person::fold(&key("typo"), &[journey], None).is_none(),
        "nobody is left under the wrong address"
    );
    assert_eq!(fold(facts).stage, Stage::Won);
}

#[test]
fn the_highest_revision_counts_whatever_its_clock_says() {
    let early =
        Fact { occurred_at: Timestamp::from_second(1).unwrap(), ..lead(2, "ana", "913456789") };
    let person = fold(vec![lead(1, "ana", "912345678"), early]);
    assert_eq!(person.contact.phone.unwrap().expose(), "+351913456789");
}

#[test]
fn somebody_is_a_lead_since_they_first_left_one() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let corrected = Fact { occurred_at: at(15), ..lead(2, "ana", "913456789") };
    let person = fold(vec![corrected, lead(1, "ana", "912345678"), checkout(), paid()]);
    assert_eq!(person.lead_created_at, Some(at(10)));
}

#[test]
fn a_payment_under_the_address_that_was_corrected_is_the_corrected_persons() {
    let typo = |fact: Fact| Fact { person: Some(key("typo")), ..fact };
    let facts = vec![
        lead(1, "typo", "912345678"),
        typo(checkout()),
        lead(2, "ana", "912345678"),
        typo(paid()),
    ];
    assert_eq!(fold(facts.clone()).stage, Stage::Won);
    let journey = Journey::new(journey_id(), facts);
    assert!(journey.facts().iter().all(|fact| journey.person_of(fact) == Some(&key("ana"))));
}

/// A payment of another intent.
fn another(minor: i64, currency: &str) -> Payment {
    let amount = Money { minor, currency: Currency::parse(currency).unwrap() };
    Payment { payment_intent: id("pi_2"), charge: None, amount, foreign: false }
}

#[test]
fn what_was_ordered_last_is_told() {
    let Happening::CheckoutStarted { order, .. } = checkout().happening else { unreachable!() };
    let happening = Happening::CheckoutStarted {
        order: Order { quantity: 2, ..order },
        payment_intent: id("pi_2"),
    };
    let source = Source::Checkout(id("pi_2"));
    let occurred_at = checkout().occurred_at + jiff::SignedDuration::from_mins(5);
    let later = Fact { source, occurred_at, happening, ..checkout() };
    let person = fold(vec![lead(1, "ana", "912345678"), checkout(), later]);
    assert_eq!(person.order.map(|order| order.quantity), Some(2));
    assert_eq!(person.checkout_started_at, Some(occurred_at));
}

#[test]
fn two_payments_add_up_and_each_counts_for_itself() {
    let base = || vec![lead(1, "ana", "912345678"), paid()];
    let and = |payment: Payment| {
        let mut facts = base();
        facts.push(stripe(35, "evt_2", Happening::PaymentSucceeded { payment }));
        facts
    };
    let both = fold(and(another(300, "EUR")));
    assert_eq!((both.stage, both.paid), (Stage::Won, Some(euros(10_000))));
    assert_eq!(fold(and(another(300, "USD"))).paid, Some(euros(9_700)), "no sum of two currencies");
    let mut the_first_is_back = and(another(300, "USD"));
    the_first_is_back.push(refunded("re_1", 9_700));
    let person = fold(the_first_is_back);
    let left = Money { minor: 300, currency: Currency::parse("USD").unwrap() };
    assert_eq!((person.stage, person.paid), (Stage::Won, Some(left)), "what is left is told");
    let mut one_is_back = and(another(300, "EUR"));
    one_is_back.push(refunded("re_1", 9_700));
    let person = fold(one_is_back.clone());
    assert_eq!((person.stage, person.paid), (Stage::Won, Some(euros(300))));
    let refund = id("re_2");
    let back = Happening::PaymentRefunded { payment: another(300, "EUR"), refund };
    one_is_back.push(stripe(50, "evt_3", back));
    let person = fold(one_is_back);
    assert_eq!((person.stage, person.paid), (Stage::Refunded, Some(euros(0))));
}

#[test]
fn a_refund_before_its_payment_is_heard_of_says_that_somebody_got_it_back() {
    let early = fold(vec![lead(1, "ana", "912345678"), checkout(), refunded("re_1", 9_700)]);
    assert_eq!((early.stage, early.paid), (Stage::Refunded, None));
}

#[test]
fn stripes_copy_of_an_answer_counts_only_where_nothing_else_is_recorded() {
    let answer = |second: i64, marketing: bool| Consent {
        marketing,
        analytics: true,
        preferences: false,
        method: Method::Modal,
        given_at: Timestamp::from_second(second).unwrap(),
        version: "1".into(),
        language: None,
        ip: None,
    };
    let journey = |facts| [Journey::new(journey_id(), facts)];
    let copied = Fact { consent: Some(answer(90, true)), ..paid() };
    let given = Fact { consent: Some(answer(20, false)), ..lead(1, "ana", "912345678") };
    let both = journey(vec![copied.clone(), given.clone()]);
    assert_eq!(effective_consent(None, &both), given.consent.as_ref(), "however late the copy");
    let profile = answer(30, true);
    assert_eq!(effective_consent(Some(&profile), &both), Some(&profile), "the later answer");
    let alone = journey(vec![copied.clone()]);
    assert_eq!(effective_consent(None, &alone), copied.consent.as_ref());
    assert_eq!(effective_consent(None, &journey(vec![paid()])), None);
}

proptest! {
    #[test]
    fn every_order_and_every_copy_of_a_history_folds_to_the_same_person(
        order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
        copies in prop::collection::vec(0..8usize, 0..6),
    ) {
        let history = [
            lead(1, "typo", "912345678"), lead(2, "ana", "912345678"), lead(3, "ana", "913456789"), checkout(),
            failed(), paid(), refunded("re_1", 4000), refunded("re_2", 5700),
        ];
        let mut facts: Vec<Fact> = order.iter().map(|at| history[*at].clone()).collect();
        facts.extend(copies.iter().map(|at| history[*at].clone()));
        prop_assert_eq!(fold(facts), fold(history.to_vec()));
    }
}
