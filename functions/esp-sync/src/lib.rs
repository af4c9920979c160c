//! esp-sync: queue → fold → the newsletter tool, for those who allowed marketing.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod config;
mod esp;

pub use config::Config;
pub use esp::Esp;
