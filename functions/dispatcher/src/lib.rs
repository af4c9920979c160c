//! The dispatcher: a batch of the table's stream comes in, routed and queued deliveries go out.
//! It calls no vendor.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod handler;
mod stream;

pub use handler::{Incomplete, handle};
pub use stream::Batch;
