//! What the doors take, whenever and however often they hear of it, and what the dispatcher keeps.

use crate::{ana, erase, id, lab, well};
use domain::consent::Consent;
use domain::id::EventId;
use jiff::SignedDuration;
use ledger::Ledger;
use serde_json::{Value, json};
use simulation::{Lab, Options, Plan, Report, Said, Snapshot, Sweeping, Visitor};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A second visit under an address.
fn again_as(email: &str) -> Visitor {
    Visitor::new(2, email)
}

fn doors_alone() -> Options {
    Options { queues: Vec::new(), stream: false, sweeping: Sweeping::Off, ..Options::default() }
}

fn told_of(destinations: &'static str) -> Options {
    Options { destinations, sweeping: Sweeping::EachMinute, ..Options::default() }
}

fn heard(lab: &mut Lab, options: &Options, said: Vec<Said>) -> Report {
    well(lab.run(options, Plan::default(), &[], said))
}

fn asked<T>(lab: &mut Lab, from: &Snapshot, ask: impl AsyncFnOnce(&Ledger) -> T) -> T {
    lab.command(from, &Options::default(), async |_, ledger, _| ask(ledger).await)
}

#[test]
fn when_something_happened_is_said_by_stripe_however_late_it_is_heard() {
    let mut lab = lab();
    let said = vec![ana().pays(MINUTE, 1), ana().pays(2 * MINUTE, 2).arriving(180 * MINUTE)];
    heard(&mut lab, &doors_alone(), said);
    let from = lab.snapshot();
    let journey = asked(&mut lab, &from, async |ledger| ledger.journey(id(&ana())).await.unwrap());
    let [first, second] = journey.facts() else { panic!("{journey:?}") };
    let between = second.occurred_at.duration_since(first.occurred_at);
    assert_eq!(between, SignedDuration::from_mins(1));
    let late = second.recorded_at.duration_since(second.occurred_at);
    assert_eq!(late, SignedDuration::from_mins(178));
}

/// What we add to a lead that says no time of its own follows from when it was first heard.
#[test]
fn a_lead_that_is_sent_again_later_is_the_same_lead() {
    let mut lab = lab();
    let lead = ana().lead(0, 1, (true, true)).saying("/lead_created_at", Value::Null);
    heard(&mut lab, &doors_alone(), vec![lead.clone(), lead.arriving(10 * MINUTE)]);
    assert_eq!(lab.snapshot().facts(), 1);
}

#[test]
fn each_door_counts_its_own_callers() {
    let mut lab = lab();
    let said = vec![
        ana().lead(0, 1, (true, true)),
        ana().answer(MINUTE, true, false),
        ana().begins_to_pay(2 * MINUTE),
    ];
    let report = heard(&mut lab, &doors_alone(), said);
    let counted = report.told.iter().filter_map(|line| line.split_once("RATE#")?.1.split_once('#'));
    let counted: Vec<&str> = counted.map(|(door, _)| door).collect();
    assert_eq!(counted, ["leads", "consents", "payment-intents"]);
}

#[test]
fn a_refusal_that_comes_with_an_order_placed_again_is_heard() {
    for refused in ["marketing", "analytics", "preferences"] {
        let mut lab = lab();
        let allowed = ana().begins_to_pay(MINUTE).saying("/consent/preferences", json!(true));
        let later = ana().begins_to_pay(10 * MINUTE).saying("/consent/preferences", json!(true));
        let later = later.saying(&format!("/consent/{refused}"), json!(false));
        heard(&mut lab, &doors_alone(), vec![ana().lead(0, 1, (true, true)), allowed, later]);
        let from = lab.snapshot();
        let answer = asked(&mut lab, &from, async |ledger| {
            ledger.journey(id(&ana())).await.unwrap().recorded_consent().cloned().unwrap()
        });
        let answers = [answer.marketing, answer.analytics, answer.preferences];
        assert_eq!(answers.iter().filter(|allowed| !**allowed).count(), 1, "{refused}: {answer:?}");
    }
}

#[test]
fn whoever_refuses_before_they_leave_a_lead_has_refused_in_all_their_journeys() {
    let mut lab = lab();
    let second = again_as(&ana().email);
    let lead = ana().lead(20 * MINUTE, 1, (true, true)).saying("/consent", Value::Null);
    let said = vec![
        second.lead(0, 1, (true, true)),
        ana().answer(10 * MINUTE, false, false),
        lead,
        second.pays(30 * MINUTE, 1),
    ];
    let report = heard(&mut lab, &told_of("hubspot,sgtm"), said);
    let payment = |to: &str| format!("DELIVERY#payment_succeeded:{}#{to}", second.intent());
    let end = |to| report.rest.deliveries.get(&payment(to)).map(String::as_str);
    assert!(end("sgtm").is_none_or(|end| end == "skipped consent"), "{:?}", report.rest);
    assert_eq!(end("hubspot"), Some("delivered"));
}

#[test]
fn who_paid_under_another_address_is_known_to_have_paid_there() {
    let mut lab = lab();
    let other = "ana.silva@example.com";
    let paid = ana().pays(MINUTE, 1).saying("/data/object/metadata/email", json!(other));
    let lead = again_as(other).lead(20 * MINUTE, 1, (true, true));
    let said = vec![ana().lead(0, 1, (true, true)), paid, lead];
    let report = heard(&mut lab, &told_of("hubspot"), said);
    let mut theirs = report.rest.state.values().filter(|state| state.contains(other));
    let stage = r#""throughline_stage": "won""#;
    assert!(theirs.next().is_some_and(|state| state.contains(stage)), "{:?}", report.rest.state);
}

#[test]
fn a_payment_of_before_an_erasure_that_is_heard_of_after_it_is_told_to_nobody() {
    let mut lab = lab();
    let said = vec![ana().lead(0, 1, (true, true))];
    heard(&mut lab, &told_of("hubspot,slack"), said);
    let from = lab.snapshot().after_minutes(10);
    erase(&mut lab, &from);
    let late = vec![ana().pays(5 * MINUTE, 1).arriving(20 * MINUTE)];
    let from = lab.snapshot();
    let report = well(lab.resume(&from, &told_of("hubspot,slack"), Plan::default(), late));
    let told = report.rest.deliveries.keys().filter(|delivery| delivery.contains("payment"));
    assert_eq!(told.count(), 0, "{:?}", report.rest.deliveries);
}

/// Every fact about somebody keeps longer what they answered: else a refusal would end before the facts
/// that it is about.
#[test]
fn a_refusal_is_kept_as_long_as_anything_is_known_of_who_refused() {
    let mut lab = lab();
    let refused = ana().lead(0, 1, (false, false));
    let lead = again_as(&ana().email).lead(30 * DAY, 1, (true, true));
    let said = vec![refused, lead.saying("/consent", Value::Null)];
    heard(&mut lab, &Options { stream: true, ..doors_alone() }, said);
    let answer_after = |lab: &mut Lab, days| {
        let from = lab.snapshot();
        let person = asked(lab, &from, async |ledger| {
            ledger.journey(id(&ana())).await.unwrap().person().cloned().unwrap()
        });
        asked(lab, &from.days_later(days), async |ledger| {
            ledger.person(&person).await.unwrap().profile().unwrap().consent.clone()
        })
    };
    assert!(answer_after(&mut lab, 720).is_some_and(|answer| !answer.marketing));
}

#[test]
fn a_refund_finds_its_journey_as_long_as_the_journey_is_kept() {
    let mut lab = lab();
    let said = vec![ana().lead(0, 1, (true, true)), ana().begins_to_pay(MINUTE)];
    heard(&mut lab, &doors_alone(), said);
    let now = lab.snapshot();
    let pointers = now.items_like("PI#");
    assert_eq!((pointers, now.days_later(729).items_like("PI#")), (1, 1));
}

#[test]
fn a_live_shop_hears_of_real_money_alone() {
    let mut lab = lab();
    let live = Options { set: &[("STRIPE_LIVEMODE", "true")], ..doors_alone() };
    let test = ana().pays(0, 1);
    lab.run(&live, Plan::default(), &[], vec![test.clone()]);
    assert_eq!(lab.snapshot().facts(), 0, "a test is no sale");
    heard(&mut lab, &live, vec![test.saying("/livemode", json!(true))]);
    assert_eq!(lab.snapshot().facts(), 1);
}

/// What the person behind a journey's address has answered, as far as their record says.
fn answered(lab: &mut Lab, journey: EventId) -> Option<Consent> {
    let from = lab.snapshot();
    asked(lab, &from, async |ledger| {
        let person = ledger.journey(journey).await.unwrap().person().cloned().unwrap();
        ledger.person(&person).await.unwrap().profile().unwrap().consent.clone()
    })
}

/// Somebody gives an address that is another's, and corrects it, whether its owner answers for
/// themselves before or meanwhile.
#[test]
fn an_address_that_is_corrected_leaves_its_owner_their_own_answer() {
    let (owner, right) = (again_as(&ana().email), ana().at("ana.silva@example.com"));
    for (mistaken_at, answers_at) in [(0, 10 * MINUTE), (10 * MINUTE, 0)] {
        let mut lab = lab();
        let mut said = vec![
            ana().lead(mistaken_at, 1, (true, true)),
            owner.lead(answers_at, 1, (false, false)),
            right.lead(20 * MINUTE, 2, (true, true)),
        ];
        said.sort_by_key(|said| said.after_ms);
        heard(&mut lab, &Options { stream: true, ..doors_alone() }, said);
        let answer = answered(&mut lab, id(&owner));
        assert!(answer.as_ref().is_some_and(|answer| !answer.marketing), "{answer:?}");
    }
}

/// Whoever refused on their telephone, and goes on to a form on their laptop, has refused.
#[test]
fn who_only_goes_on_allows_nothing_that_they_refused() {
    let mut lab = lab();
    let laptop = again_as(&ana().email).lead(10 * MINUTE, 1, (true, true));
    let going_on = laptop.saying("/consent/method", json!("implied"));
    let said = vec![ana().lead(0, 1, (false, false)), going_on];
    heard(&mut lab, &Options { stream: true, ..doors_alone() }, said);
    let answer = answered(&mut lab, id(&ana()));
    assert!(answer.as_ref().is_some_and(|answer| !answer.marketing), "{answer:?}");
}
