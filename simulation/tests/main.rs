//! The proof: every crash, every order, by luck, and by hand. Each part prints what it did.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

mod calls;
mod crashes;
mod luck;
mod orders;
mod permutations;
mod scene;

/// Prints a line of the proof; `cargo xtask test` shows these.
#[expect(clippy::print_stdout, reason = "what the proof did is what it is read for")]
fn say(line: &str) {
    println!("proof: {line}");
}

/// Prints that a long part is still at work; for whoever sits before it.
#[expect(clippy::print_stdout, reason = "what takes long shows that it goes on")]
fn still(line: &str) {
    println!("  ... {line}");
}

/// A number from the environment: a seed, or how long a long run is.
fn given(name: &str) -> Option<u64> {
    let number = |text: String| {
        text.parse().unwrap_or_else(|_| panic!("{name}={text} is no whole number: give one"))
    };
    named(name).map(number)
}

/// A text from the environment: the path of a file of schedules.
#[expect(clippy::disallowed_methods, reason = "a test is told its seed and its length")]
fn named(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
