//! The proof: every crash, every order, by luck, and by hand. Each part prints what it did.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

mod crashes;
mod luck;
mod orders;
mod permutations;

/// Prints a line of the proof; `cargo xtask test` shows these.
#[expect(clippy::print_stdout, reason = "what the proof did is what it is read for")]
fn say(line: &str) {
    println!("proof: {line}");
}

/// A number from the environment: a seed, or how long a long run is.
#[expect(clippy::disallowed_methods, reason = "a test is told its seed and its length")]
fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}
