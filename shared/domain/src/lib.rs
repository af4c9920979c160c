//! Words and decisions of Throughline: contact, consent, money, facts, journeys, routing, faults.
//!
//! Values enter through `parse` and are trusted afterwards. Nothing here does I/O, reads a clock or
//! the environment, or draws a random number: time and jitter are arguments.

pub mod attribution;
pub mod catalogue;
pub mod consent;
pub mod contact;
pub mod delivery;
pub mod destination;
pub mod fact;
pub mod fault;
pub mod fold;
pub mod gate;
pub mod id;
pub mod journey;
pub mod money;
pub mod order;
pub mod pepper;
pub mod routing;
#[cfg(test)]
mod sample;

/// Why a value was refused: the rule it broke, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub &'static str);
