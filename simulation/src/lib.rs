//! For tests only: the functions that ship, whole and unchanged, in one thread with an AWS, vendors
//! and a clock that do as they are told. The seam is below the SDK (an HTTP client that answers from
//! memory) and below `outbound` (a local port): everything above it is what is deployed.
//!
//! A [`Lab`] runs histories; a [`Plan`] says what goes wrong in them; a [`Report`] says what came of it.
#![expect(
    clippy::expect_used,
    reason = "the world's own data is right, or a test must stop where it is wrong"
)]

pub mod assumption;
mod aws;
mod clock;
mod fault;
pub mod hostile;
mod lab;
mod meter;
mod oracle;
mod orders;
mod queue;
mod run;
mod shop;
mod snapshot;
mod story;
mod table;
pub mod trial;
mod vendor;
mod world;

pub use fault::{Effect, Fault, Function, Plan};
pub use lab::{Lab, Report};
pub use meter::Metered;
pub use oracle::Rest;
pub use orders::{Explored, Together};
pub use run::{Options, Sweeping};
pub use snapshot::Snapshot;
pub use story::{Said, Visitor, sign};
pub use vendor::Mood;
