//! What the first random number of a process costs. TLS draws it in every cold start, so this is a
//! process of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and says where")]

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The CPU that this process has spent, whatever the clock on the wall says.
fn spent() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

#[test]
fn the_first_random_number_takes_less_than_two_milliseconds_of_cpu() {
    let before = spent();
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    let took = spent() - before;
    assert_ne!(bytes, [0; 32]);
    assert!(
        took < Duration::from_millis(2),
        "it took {took:?}: aws-lc gathers jitter, which .cargo/config.toml switches off"
    );
}
