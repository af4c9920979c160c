//! What a page may tell us. Bytes of strangers enter; leads, answers about consent and purchases
//! leave, in the domain's words, cut and scrubbed. What is refused is refused by the name of its
//! field, all fields at once, and never with a value.

mod answered;
mod body;
pub mod consent;
pub mod desk;
pub mod door;
mod fields;
mod form;
mod json;
pub mod lead;
pub mod moment;
pub mod purchase;

pub use answered::consent_changed;
pub use body::{Body, Malformed, Minted, Object};
pub use consent::{Answer, ConsentUpdate};
pub use desk::Desk;
pub use lead::Lead;
pub use purchase::Purchase;

#[cfg(test)]
mod tests;
