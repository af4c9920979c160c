//! Hostile input: the table stream's events.
#![no_main]

#[path = "door.rs"]
mod door;

door::open!(Stream);
