//! A function in its world, and everything that may go wrong at its effects: alone, in pairs, and by
//! a schedule that somebody wrote. After each the world runs to rest and is judged.
//!
//! A schedule is a line: the scene's name, then faults by the number of the effect. `cargo xtask soak
//! --schedules FILE` runs the lines of a file; a failure prints its own.

use crate::{given, named, say, still};
use simulation::{Effect, Fault, Function, Lab, Options, Plan, Report, Said, Snapshot};
use std::time::{Duration, Instant};

/// A function with its world, and what must be true of it at rest beside what is always true.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) function: Function,
    pub(crate) options: Options,
    pub(crate) from: Snapshot,
    pub(crate) said: Vec<Said>,
    /// Of how many pairs one is run; `THROUGHLINE_PAIRS=1` runs all.
    pub(crate) pairs: u64,
}

/// Every scene, for whoever writes a schedule.
const NAMES: [&str; 25] = [
    "stripe-webhook",
    "lead-capture",
    "consent-capture",
    "create-payment-intent",
    "reconciler",
    "dispatcher",
    "dispatcher-batch",
    "notifier",
    "sgtm-forwarder",
    "crm-sync",
    "esp-sync",
    "esp-sync-return",
    "esp-sync-leave",
    "crm-sync-overtaken",
    "esp-sync-overtaken",
    "crm-sync-corrected",
    "esp-sync-corrected",
    "esp-sync-corrected-leave",
    "crm-sync-owned",
    "esp-sync-owned",
    "dispatcher-person",
    "sgtm-forwarder-down",
    "replay",
    "sweeper",
    "redrive",
];

/// Faults, by the number of the effect.
type Schedule = Vec<(usize, Fault)>;

/// How many pairs there are, and how many of them were run.
#[derive(Default)]
struct Pairs {
    all: u64,
    run: u64,
}

/// A line of progress after this long, for whoever waits.
const QUIET: Duration = Duration::from_secs(30);

impl Scene {
    fn run(&self, lab: &mut Lab, schedule: &[(usize, Fault)]) -> Report {
        let plan = Plan::of(self.function, schedule);
        lab.resume(&self.from, &self.options, plan, self.said.clone())
    }

    /// All single faults, and all pairs or a sample of them; or what a file of schedules says.
    pub(crate) fn enumerate(&self, lab: &mut Lab) {
        assert!(NAMES.contains(&self.name), "{} is not among the scenes' names", self.name);
        let expected = self.run(lab, &[]);
        self.judge(&expected, &expected, &[]);
        match named("THROUGHLINE_SCHEDULES") {
            Some(path) => self.follow(lab, &expected, &path),
            None => self.enumerate_all(lab, &expected),
        }
    }

    fn enumerate_all(&self, lab: &mut Lab, expected: &Report) {
        let (began, before) = (Instant::now(), (lab.histories, lab.faults));
        let places = self.places(expected, 0);
        assert!(!places.is_empty(), "{} makes no effect", self.name);
        let (mut pairs, mut told) = (Pairs::default(), Instant::now());
        for (at, effect) in places.iter().copied() {
            for fault in Fault::that_matter(effect) {
                let report = self.run(lab, &[(at, fault)]);
                self.judge(&report, expected, &[(at, fault)]);
                if Fault::that_differ(effect).contains(&fault) {
                    self.pairs_after((at, fault), &report, lab, expected, &mut pairs);
                }
            }
            if told.elapsed() > QUIET {
                told = Instant::now();
                let gone = began.elapsed();
                still(&format!("{}: effect {at} of {}, {gone:.0?}", self.name, places.len()));
            }
        }
        say(&format!(
            "{}: {} effects, every single fault and {} of {} pairs: {} histories, {} faults, {:.1?}",
            self.name,
            places.len(),
            pairs.run,
            pairs.all,
            lab.histories - before.0,
            lab.faults - before.1,
            began.elapsed(),
        ));
    }

    /// The pairs that begin with a fault, or a sample of them.
    fn pairs_after(
        &self,
        first: (usize, Fault),
        one: &Report,
        lab: &mut Lab,
        expected: &Report,
        pairs: &mut Pairs,
    ) {
        let every = given("THROUGHLINE_PAIRS").unwrap_or(self.pairs);
        let offset = given("THROUGHLINE_FIRST_SEED").unwrap_or(0);
        for two in self.second(one, first) {
            pairs.all += 1;
            if is_drawn(pairs.all + offset, every) {
                pairs.run += 1;
                self.judge(&self.run(lab, &two), expected, &two);
            }
        }
    }

    /// A call that is slow past the lease, and then a death at every later effect in turn: all of
    /// them, also where pairs are drawn. Says how many deliveries were given up.
    pub(crate) fn slow_and_then_a_death(&self, lab: &mut Lab) -> usize {
        let expected = self.run(lab, &[]);
        let mut places = self.places(&expected, 0).into_iter();
        let call = places.find(|(_, effect)| *effect == Effect::Vendor).unwrap().0;
        let first = (call, Fault::SlowBefore);
        let slow = self.run(lab, &[first]);
        let mut dead = 0;
        for (at, _) in self.places(&slow, call + 1) {
            let two = [first, (at, Fault::CrashAfter)];
            let report = self.run(lab, &two);
            self.judge(&report, &expected, &two);
            dead += report.rest.deliveries.values().filter(|end| end.starts_with("dead")).count();
        }
        dead
    }

    /// Runs the schedules of a file that are for this scene.
    fn follow(&self, lab: &mut Lab, expected: &Report, path: &str) {
        let text = std::fs::read_to_string(path);
        let text = text.unwrap_or_else(|e| panic!("{path} cannot be read ({e}): name a file"));
        let mut run = 0;
        for line in text.lines() {
            let Some((scene, faults)) = line.trim().split_once(' ') else { continue };
            assert!(NAMES.contains(&scene), "{scene} is no scene: write one of {NAMES:?}");
            if scene == self.name {
                let schedule = schedule(faults);
                self.judge(&self.run(lab, &schedule), expected, &schedule);
                run += 1;
            }
        }
        if run > 0 {
            say(&format!("{}: {run} schedules of {path}", self.name));
        }
    }

    /// All that may go wrong after a first fault, in what that one led to.
    fn second(&self, one: &Report, first: (usize, Fault)) -> Vec<Schedule> {
        let places = self.places(one, first.0 + 1).into_iter();
        let faults = |(at, effect)| {
            let faults = Fault::that_differ(effect).into_iter();
            faults.map(move |fault| vec![first, (at, fault)])
        };
        places.flat_map(faults).collect()
    }

    /// The effects from one on. Of many looks at lists that are empty alike three stand for all.
    fn places(&self, report: &Report, from: usize) -> Vec<(usize, Effect)> {
        let mut looks = 0;
        let all = report.effects_of(self.function).into_iter().enumerate().skip(from);
        all.filter(|(_, effect)| {
            looks += usize::from(*effect == Effect::Look);
            *effect != Effect::Look || looks <= 3
        })
        .collect()
    }

    fn judge(&self, report: &Report, expected: &Report, schedule: &[(usize, Fault)]) {
        let mut wrong = report.wrong.clone();
        for (delivery, end) in &expected.rest.deliveries {
            match report.rest.deliveries.get(delivery).map(String::as_str) {
                Some(other) if other == end => {}
                // Somebody looks at the vendor: nobody knows whether it happened.
                Some("dead unknown_outcome")
                    if !schedule.is_empty() && is_at_most_once(delivery) => {}
                // Whether there was something left to say of an answer, or of anything else to somebody
                // who leaves, depends on which came first.
                Some("delivered" | "skipped consent")
                    if delivery.contains("consent_changed") || self.name.ends_with("-leave") => {}
                other => wrong.push(format!("{delivery} should be {end} and is {other:?}")),
            }
        }
        let more = report.rest.deliveries.iter().filter(|(delivery, end)| {
            !expected.rest.deliveries.contains_key(*delivery) && !end.starts_with("skipped")
        });
        wrong.extend(more.map(|(delivery, end)| format!("{delivery} should not be and is {end}")));
        if report.rest.state != expected.rest.state {
            wrong.push(format!("{:#?} instead of {:#?}", report.rest.state, expected.rest.state));
        }
        if !expected.rest.messages.is_subset(&report.rest.messages) {
            wrong.push("a delivery has no message".to_owned());
        }
        let faults: Vec<String> =
            schedule.iter().map(|(at, fault)| format!("{at}:{fault:?}")).collect();
        let line = format!("{} {}", self.name, faults.join(" "));
        assert!(
            wrong.is_empty(),
            "{line}: {wrong:#?}\n{}\nto see it again, put the line `{line}` into a file: cargo xtask soak --schedules FILE",
            report.told.join("\n")
        );
    }
}

/// `3:CrashAfter 7:Refused`
fn schedule(text: &str) -> Schedule {
    let fault = |word: &str| {
        let (at, fault) = word.split_once(':')?;
        Some((at.parse().ok()?, Fault::named(fault)?))
    };
    let known = Fault::ALL;
    text.split_whitespace()
        .map(|word| {
            fault(word).unwrap_or_else(|| {
                panic!("{word} is no fault: write the number of an effect, a colon, and one of {known:?}")
            })
        })
        .collect()
}

/// Whether this one of a row is among the sample: one of so many, and not at even distances, which
/// would always meet the same kind of fault.
fn is_drawn(place: u64, of: u64) -> bool {
    (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).is_multiple_of(of)
}

/// What its vendor would do again.
fn is_at_most_once(delivery: &str) -> bool {
    let purchase = delivery.contains("payment_succeeded") && delivery.ends_with("#sgtm");
    !purchase && !delivery.ends_with("#hubspot") && !delivery.ends_with("#mailerlite")
}
