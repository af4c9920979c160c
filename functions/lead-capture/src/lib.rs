//! A lead comes in from a page, a fact goes into the ledger. It calls no vendor.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod config;
mod exit;
mod fact;
mod handler;

pub use config::Config;
pub use handler::{App, handle};
