//! Hostile input: SQS's events.
#![no_main]

#[path = "door.rs"]
mod door;

door::open!(Queue);
