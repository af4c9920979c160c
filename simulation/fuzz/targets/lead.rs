//! Hostile input: leads.
#![no_main]

#[path = "door.rs"]
mod door;

door::open!(Lead);
