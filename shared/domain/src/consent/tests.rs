//! When a permit is given.

use super::{Consent, ConsentPolicy, Denied, Leave, Method, Purpose};
use jiff::Timestamp;
use proptest::prelude::*;

fn answer(marketing: bool, analytics: bool) -> Consent {
    Consent {
        marketing,
        analytics,
        preferences: false,
        method: Method::Modal,
        given_at: Timestamp::UNIX_EPOCH,
        version: "3".into(),
        language: None,
        ip: None,
    }
}

fn policy(required: bool) -> ConsentPolicy {
    ConsentPolicy { required, version: "3".into() }
}

#[test]
fn a_contract_needs_no_consent_and_the_rest_does() {
    assert!(policy(true).permit(Purpose::Contract, None).is_ok());
    assert_eq!(policy(true).permit(Purpose::Marketing, None), Err(Denied::Missing("marketing")));
    assert!(policy(true).permit(Purpose::Marketing, Some(&answer(true, false))).is_ok());
    assert_eq!(
        policy(true).permit(Purpose::Analytics, Some(&answer(true, false))),
        Err(Denied::Refused("analytics"))
    );
}

#[test]
fn an_answer_to_an_older_text_counts_as_missing_and_a_refusal_always_holds() {
    let old = |marketing| Consent { version: "2".into(), ..answer(marketing, true) };
    assert_eq!(
        policy(true).permit(Purpose::Marketing, Some(&old(true))),
        Err(Denied::Missing("marketing"))
    );
    assert!(policy(false).permit(Purpose::Marketing, Some(&old(true))).is_ok());
    assert_eq!(
        policy(false).permit(Purpose::Marketing, Some(&old(false))),
        Err(Denied::Refused("marketing"))
    );
}

#[test]
fn implied_consent_grants_nothing_while_consent_is_required() {
    let implied = Consent { method: Method::Implied, ..answer(true, true) };
    assert!(policy(true).permit(Purpose::Analytics, Some(&implied)).is_err());
    assert!(policy(false).permit(Purpose::Analytics, Some(&implied)).is_ok());
}

#[test]
fn analytics_alone_gives_no_contact_for_marketing() {
    let contact = crate::contact::Contact {
        email: crate::contact::EmailAddress::parse("ana.silva@example.pt").unwrap(),
        full_name: None,
        phone: None,
        language: crate::contact::Language::English,
    };
    let permit = policy(true).permit(Purpose::Analytics, Some(&answer(false, true))).unwrap();
    assert!(permit.for_marketing(&contact).is_none());
    let permit = policy(true).permit(Purpose::Analytics, Some(&answer(true, true))).unwrap();
    assert!(permit.for_marketing(&contact).is_some());
}

#[test]
fn who_withdrew_is_told_of_to_a_vendor_that_knows_them_and_to_no_other() {
    let leave =
        |purpose, consent: Option<&Consent>, known| policy(true).leave(purpose, consent, known);
    let refused = answer(false, false);
    let withdrawn = leave(Purpose::Marketing, Some(&refused), true);
    assert!(matches!(withdrawn, Ok(Leave::Withdrawal(_))));
    let denied = Err(Denied::Refused("marketing"));
    assert_eq!(leave(Purpose::Marketing, Some(&refused), false), denied);
    let denied = Err(Denied::Refused("analytics"));
    assert_eq!(leave(Purpose::Analytics, Some(&refused), true), denied);
    let denied = Err(Denied::Missing("marketing"));
    assert_eq!(leave(Purpose::Marketing, None, true), denied, "no answer takes nothing back");
    let Ok(Leave::Permit(permit)) = leave(Purpose::Marketing, Some(&answer(true, true)), true)
    else {
        panic!("no permit")
    };
    assert_eq!(permit.purpose(), Purpose::Marketing);
}

#[test]
fn of_two_answers_of_one_moment_the_one_that_refuses_more_holds() {
    let grants = [(true, true), (true, false), (false, true), (false, false)];
    let answers = grants.map(|(marketing, analytics)| answer(marketing, analytics));
    for pair in answers.windows(2) {
        assert_eq!(Consent::latest(&pair[0], &pair[1]), &pair[1]);
        assert_eq!(Consent::latest(&pair[1], &pair[0]), &pair[1]);
    }
    let later = Consent { given_at: Timestamp::from_second(1).unwrap(), ..answer(true, true) };
    assert_eq!(Consent::latest(&later, &answer(false, false)), &later, "a later one counts first");
}

#[test]
fn who_only_goes_on_takes_back_no_answer_and_may_still_refuse() {
    let later = Timestamp::from_second(1).unwrap();
    let going_on = |marketing, analytics| Consent {
        given_at: later,
        method: Method::Implied,
        ..answer(marketing, analytics)
    };
    for said in [answer(false, false), answer(true, true)] {
        for implied in [going_on(true, true), going_on(true, false), going_on(false, true)] {
            assert_eq!(Consent::latest(&said, &implied), &said);
            assert_eq!(Consent::latest(&implied, &said), &said);
        }
        assert_eq!(Consent::latest(&said, &going_on(false, false)), &going_on(false, false));
    }
}

#[test]
fn a_method_has_the_name_that_vendors_are_told() {
    let names = [Method::Modal, Method::Checkbox, Method::Implied].map(Method::name);
    assert_eq!(names, ["modal", "checkbox", "implied"]);
}

#[test]
fn versions_compare_by_their_numbers() {
    let granted = |version: &str, current: &str| {
        let policy = ConsentPolicy { required: true, version: current.into() };
        policy
            .permit(
                Purpose::Marketing,
                Some(&Consent { version: version.into(), ..answer(true, true) }),
            )
            .is_ok()
    };
    assert!(
        granted("10", "9")
            && granted("1.10", "1.9")
            && granted("2026-01", "2025-12")
            && granted("v3", "3")
    );
    assert!(!granted("9", "10") && !granted("", "1"));
}

proptest! {
    #[test]
    fn no_policy_overrides_a_refusal(required: bool, version in "[0-9.]{0,6}", implied: bool) {
        let method = if implied { Method::Implied } else { Method::Checkbox };
        let refusal = Consent { method, version: version.clone(), ..answer(false, false) };
        let policy = ConsentPolicy { required, version };
        prop_assert!(policy.permit(Purpose::Marketing, Some(&refusal)).is_err());
        prop_assert!(policy.permit(Purpose::Analytics, Some(&refusal)).is_err());
    }

    #[test]
    fn the_latest_of_two_answers_does_not_depend_on_their_order(a: bool, b: bool, at in -2i64..2, bt in -2i64..2) {
        let first = Consent { given_at: Timestamp::from_second(at).unwrap(), ..answer(a, a) };
        let second = Consent { given_at: Timestamp::from_second(bt).unwrap(), ..answer(b, b) };
        prop_assert_eq!(Consent::latest(&first, &second), Consent::latest(&second, &first));
    }
}
