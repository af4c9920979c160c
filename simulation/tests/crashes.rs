//! Every effect of every function, and everything that may go wrong at it: alone, and in pairs.

use crate::scene::Scene;
use crate::{ana, lab};
use jiff::SignedDuration;
use simulation::{Function, Lab, Mood, Options, Plan, Said, Snapshot, Sweeping, Visitor};

/// Nobody works the queues, and no minute goes by.
fn doors_alone() -> Options {
    Options {
        destinations: "hubspot,slack",
        sweeping: Sweeping::Off,
        stream: false,
        queues: Vec::new(),
        ..Options::default()
    }
}

/// The world after these words, of which nothing has become yet.
fn recorded(lab: &mut Lab, said: Vec<Said>) -> Snapshot {
    let report = lab.run(&doors_alone(), Plan::default(), &[], said);
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    lab.snapshot()
}

fn door(name: &'static str, function: Function, before: Vec<Said>, said: Vec<Said>, pairs: u64) {
    let mut lab = lab();
    let from = recorded(&mut lab, before);
    Scene { name, function, options: doors_alone(), from, said, pairs }.enumerate(&mut lab);
}

#[test]
fn stripe_webhook_keeps_what_it_acknowledges_whatever_goes_wrong() {
    let mut lab = lab();
    lab.run(&doors_alone(), Plan::default(), &[(ana(), 0)], Vec::new());
    let from = lab.snapshot();
    let said = vec![ana().pays(0, 1), ana().pays(1_000, 1), ana().is_refunded(2_000, 1, 100)];
    let (name, function) = ("stripe-webhook", Function::Webhook);
    Scene { name, function, options: doors_alone(), from, said, pairs: 1 }.enumerate(&mut lab);
}

#[test]
fn lead_capture_keeps_what_it_acknowledges_whatever_goes_wrong() {
    let said = vec![ana().lead(0, 1, (true, true)), ana().lead(1_000, 2, (true, false))];
    door("lead-capture", Function::Lead, Vec::new(), said, 1);
}

#[test]
fn consent_capture_keeps_what_it_acknowledges_whatever_goes_wrong() {
    let before = vec![ana().lead(0, 1, (true, true))];
    let said = vec![ana().answer(60_000, false, true), ana().answer(120_000, true, true)];
    door("consent-capture", Function::Consent, before, said, 1);
}

#[test]
fn create_payment_intent_makes_one_intent_for_one_order_whatever_goes_wrong() {
    let before = vec![ana().lead(0, 1, (true, false))];
    // The second time it finds what the first made.
    let said = vec![ana().begins_to_pay(60_000), ana().begins_to_pay(600_000)];
    door("create-payment-intent", Function::Checkout, before, said, 1);
}

#[test]
fn the_reconciler_records_what_no_webhook_brought_whatever_goes_wrong() {
    let mut lab = lab();
    let options = Options { reconciling: true, ..doors_alone() };
    // Its first run says where it begins.
    let report = lab.run(&options, Plan::default(), &[(ana(), 0)], Vec::new());
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    let told =
        [ana().pays(60_000, 1), ana().fails_to_pay(61_000, 1), ana().is_refunded(400_000, 1, 100)];
    let from = lab.snapshot().told_at_stripe(&told).after_minutes(15);
    // The webhook brings one of them, at the same time.
    let said = vec![ana().pays(60_000, 1).arriving(15 * 60_000)];
    let (name, function) = ("reconciler", Function::Reconciler);
    Scene { name, function, options: options.clone(), from, said, pairs: 1 }.enumerate(&mut lab);
    let reached = lab.command(&lab.snapshot(), &options, async |_, ledger, now| {
        now.duration_since(ledger.cursor().await.unwrap().unwrap())
    });
    assert!(reached < SignedDuration::from_mins(30), "it came no further: {reached:#}");
}

#[test]
fn the_dispatcher_opens_and_queues_every_delivery_whatever_goes_wrong() {
    let mut lab = lab();
    let from = recorded(&mut lab, vec![ana().pays(0, 1)]);
    let options = Options { stream: true, ..doors_alone() };
    let (name, function) = ("dispatcher", Function::Dispatcher);
    Scene { name, function, options, from, said: Vec::new(), pairs: 1 }.enumerate(&mut lab);
}

#[test]
fn facts_that_are_dispatched_together_do_not_keep_one_another_from_it() {
    let mut lab = lab();
    let other = |number| Visitor::new(number, &format!("ana.silva+{number}@example.pt"));
    let leads = [other(2).lead(0, 1, (true, false)), other(3).lead(0, 1, (true, true))];
    let from = recorded(&mut lab, [vec![ana().pays(0, 1)], leads.to_vec()].concat());
    let destinations = "hubspot,sgtm,slack";
    let options = Options { stream: true, facts: 3, destinations, ..doors_alone() };
    let (name, function) = ("dispatcher-batch", Function::Dispatcher);
    Scene { name, function, options, from, said: Vec::new(), pairs: 40 }.enumerate(&mut lab);
}

/// One delivery is queued for one destination.
fn queued(lab: &mut Lab, destinations: &'static str) -> Snapshot {
    let options = Options { stream: true, destinations, ..doors_alone() };
    let report = lab.run(&options, Plan::default(), &[], vec![ana().pays(0, 1)]);
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    lab.snapshot()
}

fn consumer(lab: &mut Lab, queue: &'static str, destination: &'static str, pairs: u64) -> Scene {
    let from = queued(lab, destination);
    let options = Options { destinations: destination, ..Options::default() };
    let function = Function::Consumer(queue);
    Scene { name: queue, function, options, from, said: Vec::new(), pairs }
}

#[test]
fn a_call_that_cannot_be_repeated_is_made_once_or_given_to_a_person() {
    let mut lab = lab();
    consumer(&mut lab, "notifier", "slack", 1).enumerate(&mut lab);
}

#[test]
fn a_worker_that_was_fenced_off_tells_of_a_death_that_nobody_else_told() {
    let mut lab = lab();
    let scene = consumer(&mut lab, "notifier", "slack", 1);
    assert!(scene.slow_and_then_a_death(&mut lab) > 0, "nobody gave the delivery up");
}

#[test]
fn a_call_with_a_key_is_made_until_it_is_taken() {
    let mut lab = lab();
    consumer(&mut lab, "sgtm-forwarder", "sgtm", 1).enumerate(&mut lab);
}

#[test]
fn a_crm_ends_as_the_facts_say() {
    let mut lab = lab();
    consumer(&mut lab, "crm-sync", "hubspot", 1).enumerate(&mut lab);
}

#[test]
fn a_newsletter_ends_as_the_facts_say() {
    let mut lab = lab();
    consumer(&mut lab, "esp-sync", "mailerlite", 1).enumerate(&mut lab);
}

/// Whoever left hears nothing, and whoever came back hears again, although nobody knows what the
/// newsletter tool took: its status stays until it is told another.
#[test]
fn a_newsletter_follows_a_change_of_mind_whatever_goes_wrong() {
    let mut lab = lab();
    let options = Options { destinations: "mailerlite", ..Options::default() };
    let before = vec![ana().lead(0, 1, (true, true))];
    let report = lab.run(&options, Plan::default(), &[], before);
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    let from = lab.snapshot();
    let minds = [[false, true], [true, false]];
    for (name, [first, second]) in ["esp-sync-return", "esp-sync-leave"].into_iter().zip(minds) {
        let answers = [(60_000, false), (70_000, first), (80_000, second)];
        let said = answers.map(|(at, marketing)| ana().answer(at, marketing, true)).to_vec();
        let calm = lab.resume(&from, &options, Plan::default(), said.clone());
        let hears = calm.rest.state.contains_key(&format!("mailerlite {}", ana().email));
        assert_eq!(hears, second, "{:?}", calm.rest.state);
        let function = Function::Consumer("esp-sync");
        Scene { name, function, options: options.clone(), from: from.clone(), said, pairs: 20 }
            .enumerate(&mut lab);
    }
}

/// Money is paid back twice, the second time while the first is being told.
fn overtaken(name: &'static str, destination: &'static str, queue: &'static str) {
    let mut lab = lab();
    let options = Options { destinations: destination, ..Options::default() };
    let before = vec![ana().lead(0, 1, (true, true)), ana().pays(1_000, 1)];
    let report = lab.run(&options, Plan::default(), &[(ana(), 500)], before);
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    let from = lab.snapshot();
    let said = vec![ana().is_refunded(60_000, 1, 4_700), ana().is_refunded(70_000, 2, 5_000)];
    let function = Function::Consumer(queue);
    Scene { name, function, options, from, said, pairs: 20 }.enumerate(&mut lab);
}

#[test]
fn a_crm_that_is_told_something_stale_is_told_again() {
    overtaken("crm-sync-overtaken", "hubspot", "crm-sync");
}

#[test]
fn a_newsletter_that_is_told_something_stale_is_told_again() {
    overtaken("esp-sync-overtaken", "mailerlite", "esp-sync");
}

/// An address is corrected after the vendor took it and a first correction, of something else, and
/// while it is told of a payment under the first one. Then somebody comes whose address that is, or
/// the person leaves.
fn corrected(name: &'static str, destination: &'static str, queue: &'static str, leaves: bool) {
    let mut lab = lab();
    // Whoever comes an hour later finds everything told.
    let sweeping = if leaves { Sweeping::Last } else { Sweeping::EachMinute };
    let options = Options { destinations: destination, sweeping, ..Options::default() };
    let before = [1, 2].map(|revision| ana().lead(0, revision, (true, true))).to_vec();
    let report = lab.run(&options, Plan::default(), &[(ana(), 500)], before);
    assert!(report.wrong.is_empty(), "{:?}", report.wrong);
    let from = lab.snapshot();
    let right = ana().at("ana.silva@example.com");
    let mut said = vec![ana().pays(60_000, 1), right.lead(70_000, 3, (true, true))];
    said.push(if leaves {
        right.answer(80_000, false, true)
    } else {
        Visitor::new(2, &ana().email).lead(3_600_000, 1, (true, true))
    });
    let calm = lab.resume(&from, &options, Plan::default(), said.clone());
    let each = [&right, &ana()].map(|visitor| format!("{destination} {}", visitor.email));
    let wanted = if leaves { Vec::new() } else { each.to_vec() };
    assert!(calm.rest.state.keys().eq(&wanted), "{:?}", calm.rest.state);
    let function = Function::Consumer(queue);
    Scene { name, function, options, from, said, pairs: 100 }.enumerate(&mut lab);
}

#[test]
fn a_crm_follows_a_corrected_address_whatever_goes_wrong() {
    corrected("crm-sync-corrected", "hubspot", "crm-sync", false);
}

#[test]
fn a_newsletter_follows_a_corrected_address_whatever_goes_wrong() {
    corrected("esp-sync-corrected", "mailerlite", "esp-sync", false);
}

#[test]
fn whoever_corrected_an_address_and_leaves_has_left_under_both_whatever_goes_wrong() {
    corrected("esp-sync-corrected-leave", "mailerlite", "esp-sync", true);
}

#[test]
fn the_sweeper_finds_what_was_forgotten_whatever_goes_wrong() {
    let mut lab = lab();
    let from = recorded(&mut lab, vec![ana().pays(0, 1), ana().fails_to_pay(1_000, 1)]);
    let options = Options {
        destinations: "sendgrid",
        sweeping: Sweeping::EachMinute,
        stream: false,
        ..Options::default()
    };
    let (name, function) = ("sweeper", Function::Sweeper);
    Scene { name, function, options, from, said: Vec::new(), pairs: 20 }.enumerate(&mut lab);
}

#[test]
fn what_is_dead_is_begun_again_once_whatever_goes_wrong() {
    let mut lab = lab();
    let from = queued(&mut lab, "slack").with_vendors(Mood::Refusing);
    let options = Options { destinations: "slack", ..Options::default() };
    let report = lab.resume(&from, &options, Plan::default(), Vec::new());
    let ends: Vec<&String> = report.rest.deliveries.values().collect();
    assert_eq!(ends, ["dead rejected"], "{:?}", report.wrong);
    let from = lab.snapshot().with_vendors(Mood::Well);
    let options = Options { redriving: true, ..options };
    let calm = lab.resume(&from, &options, Plan::default(), Vec::new());
    assert_eq!(calm.rest.deliveries.values().collect::<Vec<_>>(), ["delivered"]);
    let (name, function) = ("redrive", Function::Redrive);
    Scene { name, function, options, from, said: Vec::new(), pairs: 1 }.enumerate(&mut lab);
}

#[test]
fn a_purchase_comes_to_rest_and_stripe_may_say_it_all_again_for_a_month() {
    let mut lab = lab();
    let visitor = ana();
    let said = vec![
        visitor.lead(0, 1, (true, true)),
        visitor.pays(60_000, 1),
        visitor.is_refunded(120_000, 1, 9700),
    ];
    let options = Options::default();
    let report = lab.run(&options, Plan::default(), &[(visitor.clone(), 30_000)], said);
    assert!(report.wrong.is_empty(), "{:#?}", report.wrong);
    let (now, later) = (lab.snapshot(), lab.snapshot().days_later(29));
    assert_eq!(later.facts(), now.facts(), "a fact is gone while Stripe may still repeat it");
    let at = 29 * 24 * 3_600_000 + 200_000;
    let again = vec![visitor.pays(at, 1), visitor.is_refunded(at + 1000, 1, 9700)];
    let second = lab.resume(&later, &options, Plan::default(), again);
    assert!(second.wrong.is_empty(), "{:#?}", second.wrong);
    assert_eq!(second.rest.deliveries, report.rest.deliveries);
    let called = second.told.iter().filter(|line| line.contains("POST") || line.contains("PATCH"));
    assert_eq!(called.count(), 0, "a vendor was told again: {:#?}", second.told);
}
