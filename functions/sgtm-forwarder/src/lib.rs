//! sgtm-forwarder: queue → effect → server-side tagging, for those who allowed analytics.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod config;
mod tagging;

pub use config::Config;
pub use tagging::Tagging;
