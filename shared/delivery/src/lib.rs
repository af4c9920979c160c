//! The consumers' loop: decode → claim → load → permit → prepare → gate → send → outcome → wait.
//!
//! All four consumers run it; what they do for their vendors is behind [`courier::Courier`].

mod attempt;
mod config;
mod consumer;
pub mod courier;
mod ending;
mod gate;
mod hold;
mod world;

pub use config::Config;
pub use consumer::Consumer;
