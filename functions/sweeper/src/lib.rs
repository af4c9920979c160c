//! The sweeper: the clock comes in, messages for what was forgotten or is due go out.
//! It calls no vendor.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod handler;

pub use handler::sweep;
