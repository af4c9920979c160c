//! Hostile input at every door, in memory: no panic, no 5xx, no answer and no memory out of proportion.
//! It begins with `simulation/corpus` and the samples of `events/`, and changes them by luck; what was
//! answered in a new way is changed further. What a seed did it does again.
//!
//! A binary of its own, because it counts what is allocated.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

mod change;
mod door;

use change::{change, garble};
use door::Door;
use peak_alloc::PeakAlloc;
use serde_json::Value;
use simulation::Lab;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The longest answer that is in proportion: it names fields, and repeats nothing.
const LONGEST: usize = 16 * 1024;
/// What a call may allocate: so much whatever comes in, most of it the world in memory and its new
/// functions,
const ALLOWANCE: usize = 6 * 1024 * 1024;
/// and so much for each byte that comes in.
const PER_BYTE: usize = 16;
/// How many inputs that were answered in a new way are kept to be changed further.
const KEPT: usize = 2_000;

/// A number from the environment: a seed, or how long a long run is.
#[expect(clippy::disallowed_methods, reason = "a test is told its seed and its length")]
fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// An input and where it goes in.
#[derive(Clone)]
struct Input {
    door: Door,
    value: Value,
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
        let (function, event) = input.door.event(&input.value);
        let told = event.to_string();
        let shown = || told.chars().take(2_000).collect::<String>();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let answer = lab.hand(function, event);
        let used = MEMORY.peak_usage().saturating_sub(before);
        let status = answer["statusCode"].as_u64();
        self.tried += 1;
        self.kept_by_us += u64::from(status.is_some_and(|status| status / 100 == 2));
        self.longest_input = self.longest_input.max(told.len());
        self.most = self.most.max(used);
        if told.len() > 64 * 1024 {
            self.most_per_byte = self.most_per_byte.max(used / told.len());
        }
        assert!(status.is_none_or(|status| status < 500), "{function:?} {answer}\n{}", shown());
        // A batch's answer repeats the ids of the messages that failed, as SQS wants it.
        let repeated = if input.door == Door::Queue { told.len() } else { 0 };
        assert!(
            answer.to_string().len() < LONGEST + repeated,
            "{function:?}: a long answer\n{}",
            shown()
        );
        assert!(
            used <= ALLOWANCE + PER_BYTE * told.len(),
            "{function:?}: {used} bytes for {} that came in\n{}",
            told.len(),
            shown()
        );
        self.answers.insert(format!("{function:?} {}", in_kind(&answer)))
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

/// An answer without its numbers and ids, which differ where nothing else does.
fn in_kind(answer: &Value) -> String {
    let text = answer.to_string();
    text.chars().filter(|letter| !letter.is_ascii_hexdigit()).take(600).collect()
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
    let mut pool = door::corpus();
    let mut lab = Lab::new();
    let mut seen = Seen::default();
    // The first call pays for what is made once in a process.
    lab.hand(Door::Queue.function(), Value::Null);
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
