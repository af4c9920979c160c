//! What one event costs: every call to the table and the queues that a function makes for it, and the
//! units they are billed as, beside what the protocol of the ledger needs. A call too many fails here.
//!
//! The counts are kept in one place, `cost/calls.snap`, from which `cargo xtask cost` takes them. A
//! count that changed on purpose: run with `INSTA_UPDATE=always`, and read the difference. Instances
//! begin cold: a warm one believes for two seconds what it read of a gate, and asks less.

use crate::{lab, say};
use serde_json::Value;
use simulation::{Function, Lab, Metered, Options, Plan, Said, Snapshot, Sweeping, Visitor};
use std::collections::BTreeMap;
use std::fmt::Write;

mod needed;

use needed::needed;

/// The four destinations of a purchase that the cost model speaks of.
const FOUR: &str = "hubspot,mailerlite,sgtm,sendgrid";

/// The queues, with the destination of the four that each serves.
const QUEUES: [(&str, &str); 4] = [
    ("crm-sync", "hubspot"),
    ("esp-sync", "mailerlite"),
    ("sgtm-forwarder", "sgtm"),
    ("notifier", "sendgrid"),
];

/// One kind of work, and the calls that were counted for it.
struct Scene {
    name: String,
    calls: Vec<Metered>,
    /// Over how many events the calls are spread.
    events: usize,
}

fn ana(number: u32) -> Visitor {
    Visitor::new(number, &format!("ana.silva+{number}@example.pt"))
}

/// Doors alone: nobody dispatches, consumes or sweeps.
fn doors() -> Options {
    Options {
        destinations: FOUR,
        sweeping: Sweeping::Off,
        stream: false,
        queues: Vec::new(),
        ..Options::default()
    }
}

/// The stream is on, its batches so large.
fn dispatching(facts: usize) -> Options {
    Options { stream: true, facts, ..doors() }
}

/// One queue is worked.
fn working(queue: &'static str, batch: usize) -> Options {
    Options { queues: vec![queue], batch, ..doors() }
}

/// A lab whose worlds go on from one another, and what was counted in them.
struct Desk {
    lab: Lab,
    scenes: Vec<Scene>,
}

impl Desk {
    /// Goes on from a world to the next, and counts nothing.
    fn go_on(&mut self, from: &Snapshot, options: &Options, said: &[Said]) -> Snapshot {
        let report = self.lab.resume(from, options, Plan::default(), said.to_vec());
        assert!(report.wrong.is_empty(), "{:#?}", report.wrong);
        self.lab.snapshot()
    }

    /// Goes on, and keeps what one function was billed, over so many events.
    fn play(
        &mut self,
        (name, function, events): (&str, Function, usize),
        from: &Snapshot,
        options: &Options,
        said: &[Said],
    ) -> Snapshot {
        let next = self.go_on(from, options, said);
        let calls = self.lab.metered().into_iter().filter(|call| call.by == Some(function));
        self.keep(name, calls.collect(), events);
        next
    }

    fn keep(&mut self, name: &str, calls: Vec<Metered>, events: usize) {
        assert!(!calls.is_empty(), "{name}: nothing was called");
        self.scenes.push(Scene { name: name.to_owned(), calls, events });
    }

    /// Dispatches what waits, then brings it to each destination that wants it; all are counted.
    fn follow(&mut self, what: &str, from: &Snapshot) -> Snapshot {
        let name = format!("dispatcher, {what}");
        let opened =
            self.play((name.as_str(), Function::Dispatcher, 1), from, &dispatching(1), &[]);
        let mut world = opened;
        for (queue, destination) in QUEUES {
            let next = self.go_on(&world, &working(queue, 1), &[]);
            let by = Some(Function::Consumer(queue));
            let calls: Vec<_> = self.lab.metered().into_iter().filter(|c| c.by == by).collect();
            if !calls.is_empty() {
                self.keep(&format!("{queue}, {what} to {destination}"), calls, 1);
            }
            world = next;
        }
        world
    }
}

impl Scene {
    /// One row: calls and units for one event, beside what is needed.
    fn row(&self) -> String {
        let mut operations: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &self.calls {
            *operations.entry(&call.operation).or_default() += 1;
        }
        let operations: Vec<String> = operations
            .into_iter()
            .map(|(operation, count)| format!("{operation} {}", self.each(count)))
            .collect();
        let writes = self.calls.iter().map(|call| call.writes).sum();
        let half_reads: usize = self.calls.iter().map(|call| call.half_reads).sum();
        let needed = needed(&self.name);
        format!(
            "{} | {} | {} | {} | {} | {} | {} | {} | {}",
            self.name,
            self.each(self.calls.len()),
            self.each(writes),
            hundredths(half_reads * 50 / self.events),
            needed.calls,
            needed.writes,
            needed.reads,
            operations.join(", "),
            needed.because,
        )
    }

    /// For one event, to the hundredth.
    fn each(&self, count: usize) -> String {
        hundredths(count * 100 / self.events)
    }
}

fn hundredths(count: usize) -> String {
    match count % 100 {
        0 => (count / 100).to_string(),
        rest => format!("{}.{rest:02}", count / 100),
    }
}

#[test]
fn no_event_costs_more_calls_or_units_than_it_did() {
    let mut desk = Desk { lab: lab(), scenes: Vec::new() };
    desk.lab.run(&doors(), Plan::default(), &[], Vec::new());
    let nothing = desk.lab.snapshot();
    one_purchase(&mut desk, &nothing);
    ten_at_once(&mut desk, &nothing);
    desk.lab.hand(Function::Sweeper, Value::Null);
    let idle = desk.lab.metered();
    desk.keep("sweeper, nothing to do", idle, 1);
    let mut table = String::from(
        "event | calls | writes | reads | needed calls | needed writes | needed reads | operations | because\n",
    );
    for scene in &desk.scenes {
        let row = scene.row();
        say(&row);
        writeln!(table, "{row}").unwrap();
    }
    let mut kept = insta::Settings::clone_current();
    kept.set_snapshot_path("../../cost");
    kept.set_prepend_module_to_snapshot(false);
    kept.set_omit_expression(true);
    kept.bind(|| insta::assert_snapshot!("calls", table));
}

/// A lead, a checkout and a payment of one visitor, and everything that follows from each.
fn one_purchase(desk: &mut Desk, nothing: &Snapshot) {
    let ana = ana(1);
    let lead = [ana.lead(0, 1, (true, true))];
    let led = desk.play(("lead", Function::Lead, 1), nothing, &doors(), &lead);
    desk.play(("lead, again", Function::Lead, 1), &led, &doors(), &lead);
    let consent = [ana.answer(1_000, true, false)];
    desk.play(("consent", Function::Consent, 1), &led, &doors(), &consent);
    let told = desk.follow("lead", &led);
    let begins = [ana.begins_to_pay(0)];
    let begun = desk.play(("checkout", Function::Checkout, 1), &told, &doors(), &begins);
    let told = desk.follow("checkout", &begun);
    let pays = [ana.pays(60_000, 1)];
    let paid = desk.play(("webhook", Function::Webhook, 1), &told, &doors(), &pays);
    desk.play(("webhook, again", Function::Webhook, 1), &paid, &doors(), &pays);
    let told = desk.follow("payment", &paid);
    let refunded = [ana.is_refunded(120_000, 1, 9_700)];
    desk.play(("webhook, refund", Function::Webhook, 1), &told, &doors(), &refunded);
}

/// Ten visitors leave a lead, and all of it is worked in batches.
fn ten_at_once(desk: &mut Desk, nothing: &Snapshot) {
    let leads: Vec<Said> = (1..=10).map(|number| ana(number).lead(0, 1, (true, true))).collect();
    let led = desk.go_on(nothing, &doors(), &leads);
    let name = ("dispatcher, ten leads", Function::Dispatcher, 10);
    let opened = desk.play(name, &led, &dispatching(10), &[]);
    let crm = ("crm-sync, ten leads", Function::Consumer("crm-sync"), 10);
    desk.play(crm, &opened, &working("crm-sync", 10), &[]);
    let esp = ("esp-sync, ten leads", Function::Consumer("esp-sync"), 10);
    desk.play(esp, &opened, &working("esp-sync", 10), &[]);
}
