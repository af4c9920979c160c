//! Hostile input: the `Stripe-Signature` header.
#![no_main]

#[path = "door.rs"]
mod door;

door::open!(Signature);
