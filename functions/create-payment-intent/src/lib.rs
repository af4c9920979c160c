//! A visitor wants to pay: a price comes from the catalogue, an intent from Stripe, a fact goes into
//! the ledger. The client secret passes through and is stored nowhere.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod checkout;
mod config;
mod fact;
mod handler;
mod problem;

pub use config::Config;
pub use handler::{App, handle};
