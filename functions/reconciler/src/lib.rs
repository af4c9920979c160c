//! The reconciler: the clock comes in, Stripe is asked what it told, and what the webhook never
//! brought goes into the ledger. It changes nothing at Stripe and calls no other vendor.
//!
//! `main.rs` wires these parts; so does the simulation, which runs them against a world that fails.

mod config;
mod handler;
mod outlook;
mod report;
mod window;

pub use config::Config;
pub use handler::{App, reconcile};

#[cfg(test)]
mod tests {
    #[test]
    fn the_sample_is_a_tick_of_the_clock() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/reconciler/tick.json");
        let tick: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(
            (&tick["source"], &tick["detail-type"]),
            (&"aws.events".into(), &"Scheduled Event".into())
        );
    }
}
