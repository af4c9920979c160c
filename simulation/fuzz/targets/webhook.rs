//! Hostile input: bodies that Stripe signed.
#![no_main]

#[path = "door.rs"]
mod door;

door::open!(Webhook);
