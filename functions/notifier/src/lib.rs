//! notifier: queue → effect → e-mail to the buyer, messages to the people who run the business.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod config;
mod notify;

pub use config::Config;
pub use notify::Notify;
