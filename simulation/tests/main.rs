//! The proof: every crash, every order, by luck, and by hand. Each part prints what it did.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

mod calls;
mod crashes;
mod deeds;
mod gates;
mod heard;
mod ledger;
mod luck;
mod operator;
mod orders;
mod permutations;
mod scene;
mod settings;
mod told;

use domain::id::EventId;
use simulation::{Lab, Options, Report, Snapshot, Visitor};
use std::sync::Once;

/// A world for one test. Whoever asks only whether all is well says `THROUGHLINE_FIRST_FAULT=1`: then
/// the first fault of any test ends them all.
fn lab() -> Lab {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if given("THROUGHLINE_FIRST_FAULT").is_some() {
            let told = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                told(panic);
                std::process::exit(101);
            }));
        }
    });
    Lab::new()
}

/// Whom most of it is about.
fn ana() -> Visitor {
    Visitor::new(1, "ana.silva@example.pt")
}

/// A visitor's journey.
fn id(visitor: &Visitor) -> EventId {
    EventId::parse(&visitor.event_id()).unwrap()
}

/// A history in which nothing is wrong.
fn well(report: Report) -> Report {
    assert!(report.wrong.is_empty(), "{:#?}\n{}", report.wrong, report.told.join("\n"));
    report
}

/// Erases the visitor, at the moment of a snapshot.
fn erase(lab: &mut Lab, from: &Snapshot) {
    lab.command(from, &Options::default(), async |_, ledger, now| {
        let journey = ledger.journey(id(&ana())).await.unwrap();
        let until = now.as_second() + 730 * 86_400;
        ledger.mark_erased(journey.person().unwrap(), now, until).await.unwrap();
    });
}

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
