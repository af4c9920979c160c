//! For tests only: facts and journeys with every field defaulted, vendors on a local port, a clock, a log.
#![expect(
    clippy::expect_used,
    reason = "a test's own data is right, or the test must stop where it is wrong"
)]

pub mod clock;
pub mod contract;
pub mod facts;
pub mod log;
pub mod vendor;

#[cfg(feature = "consumers")]
pub mod scene;
#[cfg(feature = "secrets")]
pub mod secret;
