//! Stripe tells us what happened: signed bytes come in, facts go into the ledger. It calls no vendor.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod config;
mod handler;
mod signature;

pub use config::Config;
pub use handler::{App, handle};
