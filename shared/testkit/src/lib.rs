//! For tests only: facts and journeys with every field defaulted, and vendors on a local port.
#![expect(
    clippy::expect_used,
    reason = "a test's own data is right, or the test must stop where it is wrong"
)]

pub mod contract;
pub mod facts;
pub mod vendor;

#[cfg(feature = "consumers")]
pub mod scene;
#[cfg(feature = "consumers")]
pub mod secret;
