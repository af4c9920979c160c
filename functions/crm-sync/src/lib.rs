//! crm-sync: queue → fold → the CRM. Keeps each contact as the facts say it is.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod config;
mod crm;

pub use config::Config;
pub use crm::Crm;
