//! Whole histories by luck: many journeys, few people, faults anywhere, clocks that disagree, words
//! that arrive late, twice and out of order. What a seed did it does again.
//!
//! `THROUGHLINE_SEED=<seed> cargo test --workspace --test proof -- luck` runs one
//! history; `cargo xtask soak --seconds <n>` runs new ones for so long.

use crate::{given, lab, say, still};
use simulation::{Function, Lab, Options, Plan, Report, Said, Sweeping, Visitor};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A history: who has begun to pay, and what is said.
struct History {
    buyers: Vec<(Visitor, i64)>,
    said: Vec<Said>,
}

const PEOPLE: [&str; 2] = ["ana.silva@example.pt", "ana.silva@example.com"];

fn yes(percent: u32) -> bool {
    fastrand::u32(0..100) < percent
}

/// When something that happens then is heard: at once, late, or very late.
fn heard(at: i64) -> i64 {
    at + match fastrand::u32(0..10) {
        0..6 => 0,
        6..9 => fastrand::i64(0..120_000),
        _ => fastrand::i64(0..1_200_000),
    }
}

/// Stripe's and the visitors' words arrive in any order, and some of them twice.
fn by_luck() -> History {
    let mut history = History { buyers: Vec::new(), said: Vec::new() };
    for journey in 1..=fastrand::u32(1..=3) {
        let visitor = Visitor::new(journey, PEOPLE[fastrand::usize(0..PEOPLE.len())]);
        let start = fastrand::i64(0..600) * 1_000;
        journey_of(&visitor, start, &mut history);
    }
    let said = history.said.clone();
    for word in said {
        if yes(25) {
            let again = heard(word.after_ms);
            history.said.push(word.arriving(again));
        }
    }
    history
}

fn journey_of(visitor: &Visitor, start: i64, history: &mut History) {
    let mut say = |said: Said| {
        let arrives = heard(said.after_ms);
        history.said.push(said.arriving(arrives));
    };
    // The lead is what opens a journey at the page; the rest may overtake each other.
    let lead = visitor.lead(start, 1, (yes(70), yes(70)));
    if yes(30) {
        say(visitor.lead(start + 20_000, 2, (yes(70), yes(70))));
    }
    if yes(40) {
        say(visitor.answer(start + 30_000, yes(50), yes(50)));
    }
    say(lead);
    if yes(30) {
        say(visitor.fails_to_pay(start + 60_000, 1));
    }
    if yes(70) {
        say(visitor.pays(start + 90_000, 1));
        if yes(30) {
            say(visitor.pays(start + 90_000, 2));
        }
        if yes(40) {
            say(visitor.is_refunded(start + 200_000, 1, 4_700));
            if yes(50) {
                say(visitor.is_refunded(start + 210_000, 2, 5_000));
            }
        }
    }
    history.buyers.push((visitor.clone(), start + 40_000));
}

fn unlucky() -> (Options, Plan) {
    // Not the doors that pages call: what a visitor says is never later than it was heard, by their
    // clocks, and would differ from what a right clock makes of it.
    let functions = [Function::Webhook, Function::Dispatcher, Function::Sweeper];
    let consumers = ["crm-sync", "esp-sync", "sgtm-forwarder", "notifier"].map(Function::Consumer);
    let mut skews = BTreeMap::new();
    if yes(50) {
        for function in functions.into_iter().chain(consumers) {
            skews.insert(function, fastrand::i64(-5_000..=5_000));
        }
    }
    let sweeping = if yes(50) { Sweeping::Last } else { Sweeping::EachMinute };
    let options = Options { sweeping, skews, stream: yes(90), ..Options::default() };
    let per_mille = [0, 5, 20, 60][fastrand::usize(0..4)];
    (options, Plan::by_luck(per_mille, 3_600_000))
}

/// Runs the history of a seed twice: as it should be, and as it may come.
fn play(lab: &mut Lab, seed: u64) -> (Report, Vec<String>) {
    fastrand::seed(seed);
    let history = by_luck();
    let (options, plan) = unlucky();
    let calm = Options::default();
    let mut in_order = history.said.clone();
    in_order.sort_by_key(|said| said.after_ms);
    lab.renew();
    let expected = lab.run(&calm, Plan::default(), &history.buyers, in_order);
    lab.renew();
    let report = lab.run(&options, plan, &history.buyers, history.said);
    let mut wrong = expected.wrong;
    wrong.extend(report.wrong.iter().cloned());
    if report.rest.state != expected.rest.state {
        let shown = format!("{:#?} instead of {:#?}", report.rest.state, expected.rest.state);
        wrong.push(shown);
    }
    (report, wrong)
}

/// What one thread did.
#[derive(Default)]
struct Done {
    histories: u64,
    effects: usize,
    faults: u64,
}

/// How many seeds are played where nobody says for how long: always the same ones, so that a test of
/// one tree says the same on every machine.
const SEEDS: u64 = 300;

/// Seeds, shared by threads until they are over or one of them finds something.
struct Seeds {
    next: AtomicU64,
    only: Option<u64>,
    last: Last,
    found: AtomicBool,
}

/// When seeds are over.
enum Last {
    Seed(u64),
    Moment(Instant),
}

impl Seeds {
    fn take(&self, first: bool) -> Option<u64> {
        if let Some(only) = self.only {
            return first.then_some(only);
        }
        if self.found.load(Ordering::Relaxed) && !first {
            return None;
        }
        let seed = self.next.fetch_add(1, Ordering::Relaxed);
        let goes_on = match self.last {
            Last::Seed(last) => seed <= last,
            Last::Moment(moment) => first || Instant::now() < moment,
        };
        goes_on.then_some(seed)
    }

    fn play(&self) -> Done {
        let (mut lab, mut done, mut told) = (lab(), Done::default(), Instant::now());
        while let Some(seed) = self.take(done.histories == 0) {
            let (report, wrong) = play(&mut lab, seed);
            done = Done {
                histories: lab.histories,
                effects: done.effects + report.effects(),
                faults: lab.faults,
            };
            self.found.fetch_or(!wrong.is_empty(), Ordering::Relaxed);
            assert!(
                wrong.is_empty(),
                "seed {seed}: {wrong:#?}\n{}\nto see it again: THROUGHLINE_SEED={seed} cargo test --workspace --test proof -- luck",
                report.told.join("\n")
            );
            if told.elapsed() > Duration::from_secs(30) {
                told = Instant::now();
                still(&format!("luck: seed {seed}, {} histories in this thread", lab.histories));
            }
        }
        done
    }
}

#[test]
fn luck_cannot_lose_double_or_wedge_anything() {
    let (began, only) = (Instant::now(), given("THROUGHLINE_SEED"));
    let soak = given("THROUGHLINE_SOAK_SECONDS");
    let first = given("THROUGHLINE_FIRST_SEED").unwrap_or(1);
    let seeds = Seeds {
        next: AtomicU64::new(first),
        only,
        last: soak.map_or(Last::Seed(first + SEEDS - 1), |seconds| {
            Last::Moment(began + Duration::from_secs(seconds))
        }),
        found: AtomicBool::new(false),
    };
    // Beside the other tests one thread is enough.
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if soak.is_some() && only.is_none() { all } else { 1 };
    let done: Vec<Done> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| seeds.play())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let took = began.elapsed();
    let histories: u64 = done.iter().map(|done| done.histories).sum();
    let hourly = u128::from(histories) * 3_600_000 / took.as_millis().max(1);
    say(&format!(
        "luck: {histories} histories from seed {}, {} effects, {} faults, {took:.1?} ({hourly} histories an hour)",
        only.unwrap_or(first),
        done.iter().map(|done| done.effects).sum::<usize>(),
        done.iter().map(|done| done.faults).sum::<u64>(),
    ));
}
