//! What becomes of facts where nothing goes wrong: how often vendors are told, with which words, and
//! how long what is known of it stays.

use crate::scene::Scene;
use crate::{ana, erase, id, lab, well};
use serde_json::{Value, json};
use simulation::{
    Effect, Fault, Function, Lab, Mood, Options, Plan, Report, Said, Snapshot, Sweeping, Visitor,
};

fn options(destinations: &'static str) -> Options {
    Options { destinations, sweeping: Sweeping::EachMinute, ..Options::default() }
}

/// Nobody works the queues.
fn doors_alone(destinations: &'static str) -> Options {
    Options { queues: Vec::new(), sweeping: Sweeping::Off, ..options(destinations) }
}

fn begun(lab: &mut Lab, options: &Options, said: Vec<Said>) -> Report {
    well(lab.run(options, Plan::default(), &[], said))
}

fn went_on(lab: &mut Lab, options: &Options, said: Vec<Said>) -> Report {
    well(lab.resume(&lab.snapshot(), options, Plan::default(), said))
}

/// The calls that vendors were asked to keep something with: method and path.
fn calls(report: &Report) -> Vec<&str> {
    let call = |line: &'_ String| line.find(": P").map(|at| at + 2);
    let vendors = ["/hubspot", "/mailerlite", "/sendgrid", "/sgtm", "/slack"];
    let lines = report.told.iter().filter_map(|line| line.get(call(line)?..));
    lines.filter(|line| vendors.iter().any(|vendor| line.contains(vendor))).collect()
}

/// When something was done, in milliseconds from the beginning.
fn moments(report: &Report) -> impl Iterator<Item = i64> {
    let at = |line: &String| line.split_whitespace().next().and_then(|at| at.parse().ok());
    report.told.iter().filter_map(at)
}

#[test]
fn facts_that_come_together_are_told_with_one_call() {
    let mut lab = lab();
    begun(
        &mut lab,
        &doors_alone("hubspot"),
        vec![ana().lead(0, 1, (true, true)), ana().pays(9, 1)],
    );
    let report = went_on(&mut lab, &Options { batch: 10, ..options("hubspot") }, Vec::new());
    assert_eq!(calls(&report).len(), 1, "the first call says it all: {:?}", calls(&report));
    assert_eq!(report.rest.deliveries.len(), 2);
}

#[test]
fn whom_a_vendor_knows_is_named_by_its_own_id() {
    let mut lab = lab();
    let all = options("hubspot,mailerlite");
    let first = begun(&mut lab, &all, vec![ana().lead(0, 1, (true, true))]);
    assert_eq!(first.told.iter().filter(|line| line.contains(": POST /")).count(), 2);
    let right = ana().at("ana.silva@example.com");
    let report = went_on(&mut lab, &all, vec![right.lead(600_000, 2, (true, true))]);
    let last = moments(&report).max().unwrap();
    assert!(last < 601_000, "somebody stood back, and told it at {last} ms");
    let (contact, subscriber) = (lab.snapshot().contact_id(), lab.snapshot().subscriber_id());
    let mut wanted = vec![
        format!("PATCH /hubspot/crm/v3/objects/contacts/{contact}"),
        format!("PUT /mailerlite/subscribers/{subscriber}"),
    ];
    let mut made = calls(&report);
    made.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(made, wanted);
    assert_eq!(lab.snapshot().newsletter_field("crm_contact_id"), contact.to_string());
}

#[test]
fn whoever_refuses_before_they_were_told_of_is_never_told_of() {
    let mut lab = lab();
    let said = vec![ana().lead(0, 1, (true, true)), ana().answer(60_000, false, false)];
    begun(&mut lab, &doors_alone("mailerlite"), said);
    let report = went_on(&mut lab, &options("mailerlite"), Vec::new());
    assert_eq!(calls(&report), [""; 0]);
    assert!(report.rest.deliveries.values().all(|end| end.starts_with("skipped")));
}

/// Who came back to us and left by the newsletter's own link afterwards has left.
#[test]
fn whoever_left_by_the_newsletters_own_link_is_not_brought_back_by_what_they_buy() {
    let mut lab = lab();
    let all = options("mailerlite");
    let answers = [(600_000, false), (1_200_000, true)];
    let answers = answers.map(|(at, marketing)| ana().answer(at, marketing, true));
    let said = [vec![ana().lead(0, 1, (true, true))], answers.to_vec()].concat();
    let back = begun(&mut lab, &all, said);
    assert_eq!(back.rest.state.len(), 1, "our own page brings them back: {:?}", back.rest.state);
    let from = lab.snapshot().left_by_the_newsletters_link();
    let bought = vec![ana().pays(1_800_000, 1)];
    let report = well(lab.resume(&from, &all, Plan::default(), bought));
    assert!(report.rest.state.is_empty(), "{:?}", report.rest.state);
}

/// The history again, with a fault at the consumer's first call.
fn with_a_call_that(
    lab: &mut Lab,
    from: &Snapshot,
    options: &Options,
    said: Vec<Said>,
    fault: Fault,
) -> Report {
    let function = Function::Consumer("crm-sync");
    let calm = well(lab.resume(from, options, Plan::default(), said.clone()));
    let effects = calm.effects_of(function);
    let call = effects.iter().position(|effect| *effect == Effect::Vendor).unwrap();
    well(lab.resume(from, options, Plan::of(function, &[(call, fault)]), said))
}

/// What says something else after a call that was turned away is told once, and covers that call.
#[test]
fn a_call_that_was_turned_away_leaves_no_doubt() {
    let mut lab = lab();
    begun(&mut lab, &doors_alone("hubspot"), vec![ana().lead(0, 1, (true, true))]);
    let (from, said) = (lab.snapshot(), vec![ana().pays(100, 1)]);
    let report = with_a_call_that(&mut lab, &from, &options("hubspot"), said, Fault::Throttled);
    assert_eq!(calls(&report).len(), 2, "{:?}", calls(&report));
}

#[test]
fn a_worker_that_took_long_begins_nothing_new() {
    let mut lab = lab();
    let said = vec![ana().lead(0, 1, (true, true)), ana().pays(9, 1)];
    begun(&mut lab, &doors_alone("hubspot"), said);
    let (from, options) = (lab.snapshot(), Options { batch: 10, ..options("hubspot") });
    let report = with_a_call_that(&mut lab, &from, &options, Vec::new(), Fault::SlowBefore);
    let slow = report.told.iter().find(|line| line.contains("SlowBefore")).unwrap();
    let worker = slow.split_once(", effect").unwrap().0.rsplit(' ').next().unwrap();
    let by_it = report.told.iter().filter(|line| line.contains(&format!(") {worker}, effect")));
    let deliveries = by_it.filter(|line| line.contains("DELIVERY#"));
    let other = deliveries.filter(|line| line.contains("payment_succeeded")).count();
    assert_eq!(other, 0, "{}", report.told.join("\n"));
}

/// Somebody gives an address that is another's, and corrects it: the owner keeps it.
#[test]
fn an_address_that_somebody_else_gave_stays_theirs() {
    for (destination, queue) in [("hubspot", "crm-sync"), ("mailerlite", "esp-sync")] {
        let mut lab = lab();
        let (all, owner) = (options(destination), Visitor::new(2, &ana().email));
        let said = vec![owner.lead(0, 1, (true, true)), ana().lead(600_000, 1, (true, true))];
        begun(&mut lab, &all, said);
        let from = lab.snapshot();
        let right = ana().at("ana.silva@example.com");
        let said = vec![right.lead(1_200_000, 2, (true, true)), owner.pays(1_800_000, 1)];
        let each = [&right, &ana()].map(|visitor| format!("{destination} {}", visitor.email));
        let correction = said[..1].to_vec();
        let corrected = well(lab.resume(&from, &all, Plan::default(), correction)).rest.state;
        assert!(corrected.keys().eq(&each), "the owner's was taken: {corrected:?}");
        let calm = well(lab.resume(&from, &all, Plan::default(), said.clone()));
        assert!(calm.rest.state.keys().eq(&each), "{:?}", calm.rest.state);
        let theirs = [(&each[0], &right), (&each[1], &owner)];
        let theirs = theirs.map(|(at, who)| calm.rest.state[at].contains(&who.event_id()));
        assert_eq!(theirs, [true; 2], "{:?}", calm.rest.state);
        let name = if destination == "hubspot" { "crm-sync-owned" } else { "esp-sync-owned" };
        let function = Function::Consumer(queue);
        Scene { name, function, options: all, from, said, pairs: 2_000 }.enumerate(&mut lab);
    }
}

/// A payment is told after a correction was recorded, and before the dispatcher has heard of it.
#[test]
fn a_contact_follows_its_corrected_address_with_whatever_is_told_next() {
    for destination in ["hubspot", "mailerlite"] {
        let mut lab = lab();
        begun(&mut lab, &options(destination), vec![ana().lead(0, 1, (true, true))]);
        went_on(&mut lab, &doors_alone(destination), vec![ana().pays(60_000, 1)]);
        let right = ana().at("ana.silva@example.com");
        let unheard = Options { stream: false, ..options(destination) };
        let nobody = Options { stream: false, ..doors_alone(destination) };
        went_on(&mut lab, &nobody, vec![right.lead(70_000, 2, (true, true))]);
        let report = went_on(&mut lab, &unheard, Vec::new());
        let wanted = format!("{destination} {}", right.email);
        assert!(report.rest.state.keys().eq([&wanted]), "{:?}", report.rest.state);
    }
}

/// The first lead is still being told when its address is corrected.
#[test]
fn whoever_is_slow_tells_nobody_of_an_address_that_was_corrected() {
    for (destination, queue) in [("hubspot", "crm-sync"), ("mailerlite", "esp-sync")] {
        let mut lab = lab();
        let (from, all, consumer) =
            (lab.nowhere(), options(destination), Function::Consumer(queue));
        let right = ana().at("ana.silva@example.com");
        let said = vec![ana().lead(0, 1, (true, true)), right.lead(70_000, 2, (true, true))];
        let calm = well(lab.resume(&from, &all, Plan::default(), said.clone()));
        for at in 0..calm.effects_of(consumer).len() {
            let slow = Plan::of(consumer, &[(at, Fault::SlowBefore)]);
            let report = well(lab.resume(&from, &all, slow, said.clone()));
            assert_eq!(report.rest, calm.rest, "slow at {at}:\n{}", report.told.join("\n"));
        }
    }
}

/// Somebody who agreed under an address that is another's has not agreed for its owner, who refused
/// before, or said so with their payment alone.
#[test]
fn a_mistyped_address_agrees_to_nothing() {
    let (all, owner) = (options("sgtm"), Visitor::new(2, &ana().email));
    let refusal = owner.lead(0, 1, (false, false));
    for theirs in [refusal.clone(), refusal.saying("/consent", Value::Null)] {
        let mut lab = lab();
        begun(&mut lab, &all, vec![theirs, ana().lead(600_000, 1, (true, true))]);
        let right = ana().at("ana.silva@example.com");
        let refused = ("/data/object/metadata/analytics_consent", json!("false"));
        let paid = owner.pays(1_800_000, 1).saying(refused.0, refused.1);
        let report = went_on(&mut lab, &all, vec![right.lead(1_200_000, 2, (true, true)), paid]);
        let payment = format!("DELIVERY#payment_succeeded:{}#sgtm", owner.intent());
        let end = report.rest.deliveries.get(&payment);
        assert!(end.is_none_or(|end| end == "skipped consent"), "{end:?}");
    }
}

/// What the dispatcher writes of a person, which consumers read: a second journey of theirs, and what
/// it says of consent.
#[test]
fn what_a_person_says_in_one_journey_holds_in_all_whatever_goes_wrong() {
    let mut lab = lab();
    let options = options("hubspot,sgtm");
    let said = vec![ana().lead(0, 1, (true, true))];
    well(lab.run(&options, Plan::default(), &[(ana(), 500)], said));
    let (from, second) = (lab.snapshot(), Visitor::new(2, &ana().email));
    let said = vec![second.lead(600_000, 1, (true, false)), ana().pays(1_200_000, 1)];
    let calm = well(lab.resume(&from, &options, Plan::default(), said.clone()));
    let payment = |to: &str| format!("DELIVERY#payment_succeeded:{}#{to}", ana().intent());
    let end = |to| calm.rest.deliveries.get(&payment(to)).map(String::as_str);
    // Measurement is refused by now; a delivery is not even opened, or is skipped.
    assert!(end("sgtm").is_none_or(|end| end == "skipped consent"), "{:?}", calm.rest);
    assert_eq!(end("hubspot"), Some("delivered"));
    let (name, function) = ("dispatcher-person", Function::Dispatcher);
    Scene { name, function, options, from, said, pairs: 20 }.enumerate(&mut lab);
}

#[test]
fn what_is_known_of_a_journey_is_kept_for_two_years_and_then_gone() {
    let mut lab = lab();
    let said = vec![ana().lead(0, 1, (true, true)), ana().pays(60_000, 1)];
    well(lab.run(&Options::default(), Plan::default(), &[(ana(), 30_000)], said));
    let kept = |snapshot: &Snapshot| ["JOURNEY#", "PERSON#"].map(|part| snapshot.items_like(part));
    let now = lab.snapshot();
    assert_eq!(kept(&now.clone().days_later(729)), kept(&now));
    assert_eq!(kept(&now.days_later(731)), [0, 0]);
}

#[test]
fn a_dead_delivery_has_one_letter_however_often_its_message_comes() {
    let mut lab = lab();
    begun(&mut lab, &doors_alone("slack"), vec![ana().pays(0, 1)]);
    let from = lab.snapshot().with_vendors(Mood::Refusing).with_every_message_twice();
    let report = well(lab.resume(&from, &options("slack"), Plan::default(), Vec::new()));
    assert_eq!(report.rest.deliveries.values().collect::<Vec<_>>(), ["dead rejected"]);
    assert_eq!(lab.snapshot().dead_letters("notifier"), 1);
}

#[test]
fn an_order_that_is_placed_again_finds_its_intent_without_making_one() {
    let mut lab = lab();
    let said = vec![ana().begins_to_pay(0), ana().begins_to_pay(600_000)];
    let report = begun(&mut lab, &doors_alone("hubspot"), said);
    let made = report.told.iter().filter(|line| line.ends_with("POST /stripe/v1/payment_intents"));
    assert_eq!(made.count(), 1, "{}", report.told.join("\n"));
}

/// The bank refused: a letter says so a quarter of an hour later, unless the visitor paid meanwhile.
#[test]
fn whoever_pays_at_the_second_try_is_not_told_that_the_first_failed() {
    let mut lab = lab();
    let refused = ana().fails_to_pay(60_000, 1);
    let report = begun(&mut lab, &options("sendgrid"), vec![refused.clone()]);
    let letters = report.told.iter().filter(|line| line.contains("POST /sendgrid"));
    let at = letters.map(|line| line.split_whitespace().next().unwrap().parse::<i64>().unwrap());
    let at: Vec<i64> = at.collect();
    assert!(at.len() == 1 && (960_000..1_200_000).contains(&at[0]), "{at:?}");
    let report = begun(&mut lab, &options("sendgrid"), vec![refused, ana().pays(300_000, 1)]);
    let ends = &report.rest.deliveries;
    let of =
        |kind: &str| ends.iter().find(|(one, _)| one.contains(kind)).map(|(_, end)| end.as_str());
    assert_eq!(of("payment_succeeded"), Some("delivered"));
    assert!(of("payment_failed").is_some_and(|end| end.starts_with("skipped")), "{ends:?}");
}

/// A delivery lives for a day's outage and a night's sleep, however often it was tried.
#[test]
fn an_outage_of_a_day_kills_nothing() {
    let mut lab = lab();
    let patient = [("BREAKER_MINIMUM_CALLS", "1000000"), ("DLQ_MAX_RETRIES", "1")];
    let options = Options { set: Box::leak(Box::new(patient)), ..options("slack") };
    begun(
        &mut lab,
        &Options { queues: Vec::new(), sweeping: Sweeping::Off, ..options.clone() },
        vec![ana().pays(0, 1)],
    );
    let from = lab.snapshot();
    let day = from.clone().with_vendors(Mood::Down(24 * 60));
    let report = well(lab.resume(&day, &options, Plan::default(), Vec::new()));
    assert_eq!(report.rest.deliveries.values().collect::<Vec<_>>(), ["delivered"]);
    let days = from.with_vendors(Mood::Down(5 * 24 * 60));
    let report = well(lab.resume(&days, &options, Plan::default(), Vec::new()));
    assert_eq!(report.rest.deliveries.values().collect::<Vec<_>>(), ["dead exhausted"]);
}

/// Who corrects an address and takes the correction back has the first one again.
#[test]
fn an_address_that_is_given_back_is_theirs_again() {
    let mut lab = lab();
    let other = ana().at("ana.silva@example.com");
    let said = vec![
        ana().lead(0, 1, (true, true)),
        other.lead(600_000, 2, (true, true)),
        ana().lead(1_200_000, 3, (true, true)),
        ana().pays(1_800_000, 1),
        Visitor::new(2, &ana().email).lead(2_400_000, 1, (true, true)),
    ];
    let report = begun(&mut lab, &options("hubspot"), said);
    let mut theirs = report.rest.state.values().filter(|state| state.contains(&ana().email));
    let stage = r#""throughline_stage": "won""#;
    assert!(theirs.next().is_some_and(|state| state.contains(stage)), "{:?}", report.rest.state);
}

/// A bank's refusal moves no money: of many journeys those with a payment are folded first.
#[test]
fn a_journey_whose_payment_was_refused_is_not_one_that_pays() {
    let mut lab = lab();
    let said = vec![ana().lead(0, 1, (true, true)), ana().fails_to_pay(60_000, 1)];
    let pays = |lab: &mut Lab| {
        let from = lab.snapshot();
        lab.command(&from, &options("slack"), async |_, ledger, _| {
            let journey = ledger.journey(id(&ana())).await.unwrap();
            let record = ledger.person(journey.person().unwrap()).await.unwrap();
            record.journeys.iter().map(|journey| journey.pays).collect::<Vec<_>>()
        })
    };
    begun(&mut lab, &doors_alone("slack"), said);
    assert_eq!(pays(&mut lab), [false]);
    went_on(&mut lab, &doors_alone("slack"), vec![ana().pays(120_000, 2)]);
    assert_eq!(pays(&mut lab), [true]);
}

/// Who comes back after an erasure is told of by what they say from then on.
#[test]
fn what_was_said_before_an_erasure_is_in_nothing_that_is_told_after_it() {
    let mut lab = lab();
    begun(&mut lab, &doors_alone("slack"), vec![ana().lead(0, 1, (true, true))]);
    let from = lab.snapshot().after_minutes(5);
    erase(&mut lab, &from);
    let report = went_on(&mut lab, &options("hubspot"), vec![ana().pays(600_000, 1)]);
    let told: Vec<&String> = report.rest.state.values().collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("won") && !told[0].contains("source-1"), "{told:?}");
}

#[test]
fn what_was_said_before_an_erasure_is_told_to_nobody() {
    let mut lab = lab();
    let said = [ana().lead(0, 1, (true, true)), ana().pays(60_000, 1)];
    // The lead is queued; the payment is not even dispatched.
    begun(&mut lab, &doors_alone("hubspot,slack"), said[..1].to_vec());
    let doors = Options { stream: false, ..doors_alone("hubspot,slack") };
    went_on(&mut lab, &doors, said[1..].to_vec());
    let from = lab.snapshot();
    erase(&mut lab, &from);
    let later = Visitor::new(2, &ana().email).pays(3_600_000, 1);
    let report = went_on(&mut lab, &options("hubspot,slack"), vec![later]);
    for (delivery, end) in &report.rest.deliveries {
        let wanted = if delivery.contains("payment") { "delivered" } else { "skipped erased" };
        assert_eq!(end, wanted, "{delivery}");
    }
    assert_eq!(report.rest.deliveries.len(), 4, "{:?}", report.rest.deliveries);
}

/// A version was rolled back, and the answer that it cannot read may be a refusal, though the journey
/// at hand allows it all.
#[test]
fn an_answer_that_this_version_cannot_read_is_waited_for() {
    let mut lab = lab();
    let options = options("sgtm");
    let elsewhere = Visitor::new(2, &ana().email);
    for (allowed, calls_made) in [((false, false), 0), ((true, true), 1)] {
        let leads = [ana().lead(0, 1, (true, true)), elsewhere.lead(60_000, 1, allowed)];
        begun(&mut lab, &options, leads.to_vec());
        let readable = lab.snapshot();
        let strange = readable.clone().with_answers_of_a_newer_version();
        let paid = ana().pays(10 * 60_000, 1);
        let rolled_back = Options { sweeping: Sweeping::Off, ..options.clone() };
        let report = lab.resume(&strange, &rolled_back, Plan::default(), vec![paid]);
        assert!(calls(&report).is_empty(), "{}", report.told.join("\n"));
        let from = lab.snapshot().with_answers_of(&readable);
        let report = well(lab.resume(&from, &options, Plan::default(), Vec::new()));
        assert_eq!(calls(&report).len(), calls_made, "{}", report.told.join("\n"));
    }
}

/// A version was rolled back while deliveries were open. Whoever cannot read a journey has not died of it.
#[test]
fn what_is_open_while_nobody_can_read_its_journey_is_told_when_somebody_can() {
    let mut lab = lab();
    begun(&mut lab, &doors_alone("hubspot,slack"), vec![ana().pays(0, 1)]);
    let readable = lab.snapshot();
    let options = options("hubspot,slack");
    let report =
        lab.resume(&readable.clone().from_a_newer_version(), &options, Plan::default(), Vec::new());
    assert!(calls(&report).is_empty(), "{}", report.told.join("\n"));
    let from = lab.snapshot().with_facts_of(&readable);
    let report = well(lab.resume(&from, &options, Plan::default(), Vec::new()));
    assert_eq!(calls(&report).len(), 2, "{}", report.told.join("\n"));
}
