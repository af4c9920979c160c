//! What becomes of dead letters that a person begins again, of facts that they wish told again, of a
//! destination that is filled again, and of one that is switched off.

use crate::{ana, id, lab, well};
use domain::destination::Destination::{Sendgrid, Slack};
use domain::id::EventId;
use jiff::Timestamp;
use operator::{Author, Dead, Fill, Filter, Intent, Outcome, Pace, Remedy};
use simulation::{
    Effect, Fault, Function, Lab, Mood, Options, Plan, Report, Said, Snapshot, Sweeping, Visitor,
};

const NOTIFIER: Function = Function::Consumer("notifier");

fn options(destinations: &'static str) -> Options {
    Options { destinations, sweeping: Sweeping::EachMinute, ..Options::default() }
}

fn went_on(lab: &mut Lab, from: &Snapshot, options: &Options, said: Vec<Said>) -> Report {
    well(lab.resume(from, options, Plan::default(), said))
}

fn ends(report: &Report) -> Vec<&str> {
    report.rest.deliveries.values().map(String::as_str).collect()
}

/// A payment of which its vendors would not hear, ten minutes later. Not on the minute: time goes by
/// before the sweeper looks.
fn refused(lab: &mut Lab, options: &Options) -> Snapshot {
    let from = lab.nowhere().with_vendors(Mood::Refusing);
    let report = went_on(lab, &from, options, vec![ana().pays(1_000, 1)]);
    assert!(ends(&report).iter().all(|end| *end == "dead rejected"), "{:?}", report.rest);
    lab.snapshot().with_vendors(Mood::Well).minutes_later(10)
}

/// The dead, as a person sees them at this moment.
fn listed(lab: &mut Lab, from: &Snapshot, options: &Options) -> Vec<Dead> {
    lab.command(from, options, async |operator, _, now| {
        operator.dead(&Filter::default(), now).await.unwrap()
    })
}

/// A person begins again what they have seen.
fn begun_again(lab: &mut Lab, from: &Snapshot, options: &Options, dead: &[Dead]) -> Outcome {
    lab.command(from, options, async |operator, _, now| {
        let author = Author::new("ana", "the vendor takes it again").unwrap();
        let remedy = Remedy::Redrive(Pace::per_minute(60));
        operator.mend(dead, remedy, &author, now, |_| {}).await.unwrap()
    })
}

/// A person wishes that people hear of a fact once more.
fn wished(lab: &mut Lab, from: &Snapshot, options: &Options, fact: &str) -> Snapshot {
    let outcome = lab.command(from, options, async |operator, _, now| {
        let author = Author::new("ana", "nobody saw it").unwrap();
        let intent = Intent { destinations: vec![Slack], again: true, even_if_it_happened: false };
        let plan = operator.plan_replay(id(&ana()), fact, intent).await.unwrap();
        operator.replay(&plan, Pace::per_minute(60), &author, now, |_| {}).await.unwrap()
    });
    assert_eq!(outcome.wished, 1);
    lab.snapshot()
}

/// Where a function has its first effect of a kind.
fn first(report: &Report, function: Function, effect: Effect) -> usize {
    report.effects_of(function).into_iter().position(|one| one == effect).unwrap()
}

/// The answer to the first letter is lost: nobody knows whether it went out.
fn a_lost_answer(calm: &Report) -> Plan {
    Plan::of(NOTIFIER, &[(first(calm, NOTIFIER, Effect::Vendor), Fault::LostForGood)])
}

#[test]
fn what_is_begun_again_days_later_outlives_an_outage_as_if_it_were_new() {
    let (mut lab, options) = (lab(), options("slack"));
    let from = refused(&mut lab, &options).days_later(2);
    let dead = listed(&mut lab, &from, &options);
    begun_again(&mut lab, &from, &options, &dead);
    // For half a day more.
    let from = lab.snapshot().with_vendors(Mood::Down(60 * 60));
    assert_eq!(ends(&went_on(&mut lab, &from, &options, Vec::new())), ["delivered"]);
}

#[test]
fn whoever_begins_two_deliveries_again_is_named_for_both() {
    let (mut lab, options) = (lab(), options("sendgrid,slack"));
    let from = refused(&mut lab, &options);
    let dead = listed(&mut lab, &from, &options);
    begun_again(&mut lab, &from, &options, &dead);
    let audits = lab.command(&lab.snapshot(), &options, async |_, ledger, _| {
        ledger.timeline(id(&ana())).await.unwrap().audits
    });
    let at = |subject: &str| subject.rsplit('#').next().unwrap().to_owned();
    let named: Vec<_> = audits.iter().map(|one| (one.who.as_str(), at(&one.subject))).collect();
    assert_eq!(named, ["sendgrid", "slack"].map(|to| ("ana", to.to_owned())));
}

/// Somebody else was faster, and nobody knows whether their letter went out.
#[test]
fn a_letter_that_died_again_since_it_was_listed_is_not_sent_by_an_old_list() {
    let (mut lab, options) = (lab(), options("sendgrid"));
    let from = refused(&mut lab, &options);
    let old = listed(&mut lab, &from, &options);
    begun_again(&mut lab, &from, &options, &old);
    let queued = lab.snapshot();
    let calm = went_on(&mut lab, &queued, &options, Vec::new());
    let report = well(lab.resume(&queued, &options, a_lost_answer(&calm), Vec::new()));
    assert_eq!(ends(&report), ["dead unknown_outcome"]);
    let from = lab.snapshot();
    let outcome = begun_again(&mut lab, &from, &options, &old);
    assert_eq!(outcome, Outcome { done: 0, changed_meanwhile: 1, copies_removed: 0 });
}

/// A letter about a refused payment waits for a quarter of an hour.
#[test]
fn what_waits_for_a_destination_that_is_switched_off_comes_to_its_end() {
    let mut lab = lab();
    let unswept = Options { sweeping: Sweeping::Off, ..options("sendgrid") };
    let from = lab.nowhere();
    let report = went_on(&mut lab, &from, &unswept, vec![ana().fails_to_pay(0, 1)]);
    assert_eq!(ends(&report), ["queued"]);
    let from = lab.snapshot();
    assert_eq!(ends(&went_on(&mut lab, &from, &options("slack"), Vec::new())), ["delivered"]);
}

#[test]
fn to_fill_a_destination_again_sends_no_letter_that_may_have_arrived() {
    let (mut lab, options) = (lab(), options("sendgrid"));
    let (from, other) = (lab.nowhere(), Visitor::new(2, "bea.costa@example.pt"));
    let said = vec![ana().pays(0, 1), other.pays(60_000, 1)];
    let calm = went_on(&mut lab, &from, &options, said.clone());
    let report = well(lab.resume(&from, &options, a_lost_answer(&calm), said));
    assert_eq!(ends(&report), ["dead unknown_outcome", "delivered"]);
    let fill = Fill {
        destination: Sendgrid,
        since: Timestamp::UNIX_EPOCH,
        until: Timestamp::MAX,
        again: true,
    };
    let facts = lab.command(&lab.snapshot(), &options, async |operator, _, _| {
        operator.plan_fill(&fill, |_| {}).await.unwrap().facts
    });
    let again: Vec<EventId> = facts.iter().map(|fact| fact.event_id).collect();
    assert_eq!(again, [id(&other)]);
}

/// The letter dies again while the command still looks for the copy of its first death.
#[test]
fn a_second_death_is_heard_of_however_slow_the_command_that_began_it_again() {
    let mut lab = lab();
    let options = Options { redriving: true, ..options("sendgrid") };
    let from = refused(&mut lab, &Options { redriving: false, ..options.clone() });
    let calm = went_on(&mut lab, &from, &options, Vec::new());
    let look = first(&calm, Function::Redrive, Effect::Queue);
    let plan = a_lost_answer(&calm).and(Function::Redrive, &[(look, Fault::SlowBefore)]);
    let report = well(lab.resume(&from, &options, plan, Vec::new()));
    assert_eq!(ends(&report), ["dead unknown_outcome"]);
    assert_eq!(lab.snapshot().dead_letters("notifier"), 1);
}

#[test]
fn who_began_a_delivery_again_is_known_as_long_as_its_journey_is() {
    let (mut lab, options) = (lab(), options("slack"));
    let from = refused(&mut lab, &options);
    let dead = listed(&mut lab, &from, &options);
    begun_again(&mut lab, &from, &options, &dead);
    let from = lab.snapshot().days_later(720);
    let audits = lab.command(&from, &options, async |_, ledger, _| {
        ledger.timeline(id(&ana())).await.unwrap().audits
    });
    assert_eq!(audits.len(), 1, "{audits:?}");
}

#[test]
fn what_is_replayed_and_dies_again_is_heard_of_again() {
    let (mut lab, options) = (lab(), options("slack"));
    let from = refused(&mut lab, &options);
    let from = wished(&mut lab, &from, &options, "stripe#evt_1_paid_1");
    let report = went_on(&mut lab, &from.with_vendors(Mood::Refusing), &options, Vec::new());
    assert_eq!(ends(&report), ["dead rejected"]);
    assert_eq!(lab.snapshot().dead_letters("notifier"), 2, "a letter for each death");
}

/// The sweeper was faster than the stream, and so was the person.
#[test]
fn a_wish_is_fulfilled_though_the_stream_tells_its_fact_meanwhile() {
    let mut lab = lab();
    let (from, unheard) = (lab.nowhere(), Options { stream: false, ..options("slack") });
    went_on(&mut lab, &from, &unheard, vec![ana().pays(1_000, 1)]);
    let from = lab.snapshot();
    let from = wished(&mut lab, &from, &unheard, "stripe#evt_1_paid_1");
    // Nobody but the person may have a letter sent twice, so that the oracle objects.
    let report = lab.resume(&from, &options("slack"), Plan::default(), Vec::new());
    let calls = report.told.iter().filter(|line| line.contains("POST /slack")).count();
    assert_eq!(calls, 1, "{}", report.told.join("\n"));
}

/// A newer version wrote it, and was rolled back meanwhile.
#[test]
fn a_journey_that_is_first_told_by_a_wish_is_known_to_be_its_persons() {
    let (mut lab, options) = (lab(), options("slack"));
    let doors = Options { stream: false, sweeping: Sweeping::Off, ..options.clone() };
    let from = lab.nowhere();
    went_on(&mut lab, &from, &doors, vec![ana().lead(0, 1, (true, true))]);
    let readable = lab.snapshot();
    let unreadable = readable.clone().from_a_newer_version();
    lab.resume(&unreadable, &options, Plan::default(), Vec::new());
    let from = lab.snapshot().with_facts_of(&readable);
    let from = wished(&mut lab, &from, &options, "lead#1");
    went_on(&mut lab, &from, &options, Vec::new());
    let journeys = lab.command(&lab.snapshot(), &options, async |_, ledger, _| {
        let journey = ledger.journey(id(&ana())).await.unwrap();
        ledger.person(journey.person().unwrap()).await.unwrap().journeys
    });
    let known: Vec<EventId> = journeys.iter().map(|one| one.event_id).collect();
    assert_eq!(known, [id(&ana())]);
}
