//! Hostile input at every door, in memory: no panic, no 5xx, no answer and no memory out of proportion.
//! It begins with `simulation/corpus` and the samples of `events/`, and changes them by luck; what was
//! answered in a new way is changed further. What a seed did it does again.
//!
//! A binary of its own, because it counts what is allocated.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

use peak_alloc::PeakAlloc;
use serde_json::Value;
use simulation::hostile::{Door, Handed, Input, change, corpus, garble};
use simulation::{Function, Lab};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How many inputs that were answered in a new way are kept to be changed further.
const KEPT: usize = 2_000;

/// A number from the environment: a seed, or how long a long run is.
#[expect(clippy::disallowed_methods, reason = "a test is told its seed and its length")]
fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// What a run has seen.
#[derive(Default)]
struct Seen {
    tried: u64,
    kept_by_us: u64,
    answers: BTreeSet<String>,
    most: usize,
    most_per_byte: usize,
    longest_input: usize,
}

impl Seen {
    /// Hands one input over. Answers whether it was answered in a new way.
    fn hand(&mut self, lab: &mut Lab, input: &Input) -> bool {
        let Handed { kind, is_taken, used, length } = input.hand(lab, &MEMORY);
        self.tried += 1;
        self.kept_by_us += u64::from(is_taken);
        self.longest_input = self.longest_input.max(length);
        self.most = self.most.max(used);
        if length > 64 * 1024 {
            self.most_per_byte = self.most_per_byte.max(used / length);
        }
        self.answers.insert(kind)
    }

    fn told(&self, began: Instant) -> String {
        format!(
            "proof: hostile input: {} events at {} doors, {} of them good enough to be kept, {} kinds of \
             answer, the longest {} bytes, at most {} KiB allocated for one (of the long ones, {} for a \
             byte), {:.1?}",
            self.tried,
            Door::ALL.len(),
            self.kept_by_us,
            self.answers.len(),
            self.longest_input,
            self.most / 1024,
            self.most_per_byte,
            began.elapsed()
        )
    }
}

/// Changes an input by luck: its structure, or its bytes.
fn changed(mut input: Input) -> Input {
    for _ in 0..fastrand::usize(1..5) {
        if let Value::String(text) = &mut input.value
            && fastrand::bool()
        {
            garble(text);
        } else {
            change(&mut input.value);
        }
    }
    input
}

#[test]
fn no_input_makes_a_function_panic_fail_or_allocate_out_of_proportion() {
    let mut pool = corpus();
    let mut lab = Lab::new();
    let mut seen = Seen::default();
    // The first call pays for what is made once in a process.
    lab.hand(Function::Consumer("crm-sync"), Value::Null);
    let began = Instant::now();
    let length = Duration::from_secs(given("THROUGHLINE_FUZZ_SECONDS", 6));
    fastrand::seed(given("THROUGHLINE_SEED", 1));
    for input in &pool {
        seen.hand(&mut lab, input);
    }
    let mut told = began;
    while began.elapsed() < length {
        let input = changed(pool[fastrand::usize(0..pool.len())].clone());
        if seen.hand(&mut lab, &input) && pool.len() < KEPT {
            pool.push(input);
        }
        if told.elapsed() > Duration::from_secs(30) {
            told = Instant::now();
            println!("{}", seen.told(began));
        }
    }
    assert!(seen.kept_by_us > 0, "nothing was ever accepted");
    println!("{}", seen.told(began));
}
