//! Two at once, in every order of their effects; and a lease that goes by at any point of it.

use crate::{given, lab, say};
use simulation::{Lab, Options, Plan, Said, Snapshot, Sweeping, Together, Visitor};
use std::time::Instant;

fn ana(journey: u32) -> Visitor {
    Visitor::new(journey, "ana.silva@example.pt")
}

fn waiting(lab: &mut Lab, destinations: &'static str, stream: bool, said: Vec<Said>) -> Snapshot {
    let options = Options {
        destinations,
        stream,
        sweeping: Sweeping::Off,
        queues: Vec::new(),
        ..Options::default()
    };
    let report = lab.run(&options, Plan::default(), &[], said);
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    lab.snapshot()
}

/// Runs a scene in every order (`THROUGHLINE_ORDERS` limits how many), and says how the world may end.
fn in_every_order(
    lab: &mut Lab,
    name: &str,
    (from, destinations): (&Snapshot, &'static str),
    scene: (Together, &[Said], bool),
) -> Vec<simulation::Rest> {
    let began = Instant::now();
    let options = Options { destinations, ..Options::default() };
    let most = given("THROUGHLINE_ORDERS").unwrap_or(u64::MAX);
    let explored = lab.explore(from, &options, scene, most);
    if let Some(report) = &explored.wrong {
        panic!("{name}: {:#?}\n{}", report.wrong, report.told.join("\n"));
    }
    assert!(explored.schedules > 1, "{name}: there is but one order");
    say(&format!(
        "{name}: {} orders{}, {} more known to be equal, {} ends, {:.1?}",
        explored.schedules,
        if explored.schedules < most { ", which are all" } else { ", where it was stopped" },
        explored.pruned,
        explored.ends.len(),
        began.elapsed()
    ));
    explored.ends
}

fn is_one_state(ends: &[simulation::Rest]) {
    assert!(ends.iter().all(|end| end.state == ends[0].state), "{ends:#?}");
}

#[test]
fn one_event_delivered_twice_at_once_is_one_fact() {
    let mut lab = lab();
    let from = waiting(&mut lab, "slack", false, Vec::new());
    let said = [ana(1).pays(0, 1), ana(1).pays(0, 1)];
    let ends = in_every_order(
        &mut lab,
        "stripe-webhook, one event twice",
        (&from, "slack"),
        (Together::Sayings, &said, false),
    );
    assert_eq!(ends.len(), 1, "{ends:#?}");
}

#[test]
fn two_events_of_one_payment_dispatched_at_once_are_one_effect() {
    let mut lab = lab();
    let from = waiting(&mut lab, "slack", false, vec![ana(1).pays(0, 1)]);
    let ends = in_every_order(
        &mut lab,
        "dispatcher, one fact twice",
        (&from, "slack"),
        (Together::Dispatches, &[], false),
    );
    assert_eq!(ends.len(), 1, "{ends:#?}");
}

#[test]
fn one_message_at_two_workers_is_one_call() {
    for (destination, queue) in
        [("slack", "notifier"), ("sgtm", "sgtm-forwarder"), ("hubspot", "crm-sync")]
    {
        let mut lab = lab();
        let from = waiting(&mut lab, destination, true, vec![ana(1).pays(0, 1)]);
        for lapse in [false, true] {
            let name = format!(
                "{queue}, one message twice{}",
                if lapse { ", a lease going by" } else { "" }
            );
            let scene = (Together::SameMessage(queue), &[] as &[Said], lapse);
            let ends = in_every_order(&mut lab, &name, (&from, destination), scene);
            assert_eq!(ends.len(), 1, "{ends:#?}");
        }
    }
}

#[test]
fn two_journeys_of_one_person_end_at_the_crm_as_the_facts_say() {
    let mut lab = lab();
    let said = vec![ana(1).lead(0, 1, (true, true)), ana(2).pays(1_000, 1)];
    let from = waiting(&mut lab, "hubspot", true, said);
    for lapse in [false, true] {
        let name = format!(
            "crm-sync, two journeys of one person{}",
            if lapse { ", a lease going by" } else { "" }
        );
        let scene = (Together::Batches("crm-sync"), &[] as &[Said], lapse);
        is_one_state(&in_every_order(&mut lab, &name, (&from, "hubspot"), scene));
    }
}
