//! Vendors that are down, that do not know our key, and that take so many calls a minute: when they are
//! called, and that everybody is told in the end.

use crate::lab;
use crate::scene::Scene;
use domain::destination::Destination;
use jiff::Timestamp;
use simulation::{Function, Lab, Mood, Options, Plan, Report, Said, Sweeping, Visitor};

const MINUTE: i64 = 60_000;

/// What waits for a gate is sent out by the sweeper's minute after it may go.
const SWEPT: i64 = 2 * MINUTE;

fn options() -> Options {
    Options { destinations: "sgtm", sweeping: Sweeping::EachMinute, ..Options::default() }
}

/// So many people pay, one each so many milliseconds.
fn payments(people: u32, every: i64) -> Vec<Said> {
    let visitor = |number| Visitor::new(number, &format!("ana.silva{number}@example.pt"));
    (0..people).map(|number| visitor(number + 1).pays(i64::from(number) * every, 1)).collect()
}

/// What becomes of them with vendors that are so.
fn told(lab: &mut Lab, options: &Options, mood: Mood, said: Vec<Said>) -> Report {
    lab.run(options, Plan::default(), &[], Vec::new());
    let from = lab.snapshot().with_vendors(mood);
    let report = lab.resume(&from, options, Plan::default(), said);
    assert!(report.wrong.is_empty(), "{:#?}\n{}", report.wrong, report.told.join("\n"));
    assert!(
        report.rest.deliveries.values().all(|end| end == "accepted_unverifiable"),
        "{:?}",
        report.rest
    );
    report
}

/// When the tagging server was called, in milliseconds since the beginning.
fn calls(report: &Report) -> Vec<i64> {
    let calls = report.told.iter().filter(|line| line.contains("POST /sgtm"));
    calls.map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect()
}

/// Probes are made together: when each round of them was, and how many they were.
fn rounds(calls: &[i64]) -> Vec<(i64, usize)> {
    let mut rounds: Vec<(i64, usize)> = Vec::new();
    for at in calls {
        match rounds.last_mut() {
            Some((began, calls)) if at - *began < MINUTE / 2 => *calls += 1,
            Some(_) | None => rounds.push((*at, 1)),
        }
    }
    rounds
}

/// After how long each round follows the one before it, which must be as long as the breaker is open,
/// or by as little longer as the sweeper takes.
fn wait_for(waits: &[i64], rounds: &[(i64, usize)]) {
    let between = rounds.windows(2).map(|two| two[1].0 - two[0].0);
    for (found, wanted) in between.zip(waits) {
        assert!((*wanted..wanted + SWEPT).contains(&found), "{found} ms, not {wanted}: {rounds:?}");
    }
}

#[test]
fn a_vendor_that_is_down_is_left_alone_but_for_probes() {
    let mut lab = lab();
    let report = told(&mut lab, &options(), Mood::Down(15), payments(40, 100));
    let rounds = rounds(&calls(&report));
    let sizes: Vec<usize> = rounds.iter().map(|round| round.1).collect();
    // Twenty calls decide; then one after the other tries, until all the rest goes out.
    assert_eq!(sizes, [20, 1, 1, 1, 1, 1, 40], "{rounds:?}");
    wait_for(&[30_000, MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE], &rounds);
}

/// Who is turned away at the gate did not kill its worker, however often it comes back.
#[test]
fn a_long_outage_poisons_nobody() {
    let mut lab = lab();
    let few = Options { set: &[("BREAKER_MINIMUM_CALLS", "3")], ..options() };
    told(&mut lab, &few, Mood::Down(150), payments(8, 100));
}

#[test]
fn a_vendor_that_does_not_know_our_key_is_asked_again_every_five_minutes() {
    let mut lab = lab();
    let report = told(&mut lab, &options(), Mood::Locked(14), payments(40, 100));
    let rounds = rounds(&calls(&report));
    let sizes: Vec<usize> = rounds.iter().map(|round| round.1).collect();
    assert_eq!(sizes, [1, 1, 1, 40], "{rounds:?}");
    wait_for(&[5 * MINUTE; 3], &rounds);
}

fn at_most_six_a_minute(calls: &[i64]) {
    assert!(calls.len() > 6, "{calls:?}");
    for (at, call) in calls.iter().enumerate() {
        let within = calls[at..].iter().filter(|other| **other - call < MINUTE).count();
        assert!(within <= 6, "{within} calls within a minute of {call}: {calls:?}");
    }
}

#[test]
fn a_vendor_is_called_as_often_as_it_allows() {
    let mut lab = lab();
    let options = Options { set: &[("CALLS_PER_MINUTE", "sgtm=6")], ..options() };
    let report = told(&mut lab, &options, Mood::Well, payments(30, 10));
    let calls = calls(&report);
    assert_eq!(calls.len(), 30, "each is told with one call");
    at_most_six_a_minute(&calls);
    let needed = 30 * MINUTE / 6;
    assert!(*calls.last().unwrap() < needed * 3 / 2, "calls are left unused: {calls:?}");
}

/// Slots that were drawn for deliveries which nobody worked are over: they are not used together.
#[test]
fn a_slot_that_was_missed_is_drawn_again() {
    let mut lab = lab();
    let options = Options { set: &[("CALLS_PER_MINUTE", "sgtm=6")], ..options() };
    let nobody_sweeps = Options { sweeping: Sweeping::Off, ..options.clone() };
    lab.run(&nobody_sweeps, Plan::default(), &[], payments(30, 10));
    let from = lab.snapshot().after_minutes(60);
    let report = lab.resume(&from, &options, Plan::default(), Vec::new());
    assert!(report.wrong.is_empty(), "{:#?}", report.wrong);
    at_most_six_a_minute(&calls(&report));
}

/// A vendor comes back while the breaker is open, and everything goes wrong that may.
#[test]
fn who_waits_for_a_vendor_is_told_whatever_goes_wrong() {
    let mut lab = lab();
    let options = Options { set: &[("BREAKER_MINIMUM_CALLS", "2")], ..options() };
    lab.run(&options, Plan::default(), &[], Vec::new());
    let from = lab.snapshot().with_vendors(Mood::Down(1));
    let (name, function) = ("sgtm-forwarder-down", Function::Consumer("sgtm-forwarder"));
    Scene { name, function, options, from, said: payments(2, 1_000), pairs: 500 }
        .enumerate(&mut lab);
}

/// Two failures open the breaker: those of an outage, and not one of them with one of later. Whoever
/// failed once calls again a second later at the soonest, when the vendor is well.
#[test]
fn a_failure_after_an_outage_is_the_first_of_its_own() {
    let mut lab = lab();
    let few = Options { set: &[("BREAKER_MINIMUM_CALLS", "2")], ..options() };
    told(&mut lab, &few, Mood::Down(3), payments(1, 0));
    let from = lab.snapshot().with_vendors(Mood::Down(8));
    let later = Visitor::new(2, "bea.costa@example.pt").pays(8 * MINUTE - 500, 1);
    let report = lab.resume(&from, &few, Plan::default(), vec![later]);
    assert_eq!((calls(&report).len(), report.wrong), (2, Vec::new()), "it failed once");
    let history = lab.command(&lab.snapshot(), &few, async |_, ledger, _| {
        ledger.gate_history(Destination::Sgtm, Timestamp::UNIX_EPOCH).await.unwrap()
    });
    let opened = history.iter().filter(|event| event.what == "opened").count();
    assert_eq!(opened, 1, "{history:?}");
}

/// Whoever failed together would call again together, and meet the same trouble: waits are spread over
/// their second half, which is whole seconds by the third attempt.
#[test]
fn those_that_failed_together_come_back_apart() {
    let mut lab = lab();
    let patient = Options { set: &[("BREAKER_MINIMUM_CALLS", "1000")], ..options() };
    let report = told(&mut lab, &patient, Mood::Down(2), payments(8, 0));
    let mut times = calls(&report);
    assert!(times.len() > 8 * 5, "{times:?}");
    times.dedup_by_key(|at| *at / 1000);
    assert!(times.len() > 8 * 2, "they come in {} rounds: {times:?}", times.len());
}
