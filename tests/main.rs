//! The deployed whole, driven from outside: real binaries, the real template, a local AWS.
//!
//! `cargo xtask test` starts a stack and names its description in `THROUGHLINE_STACK`; by hand,
//! `cargo xtask up --detach` first, then `cargo test -p tests`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, and says where"
)]

mod architecture;
mod aws;
mod documents;
mod edge;
mod gates;
mod journeys;
mod model;
mod operator;
mod privacy;
mod privileges;
mod protocol;
mod reconciler;
mod sandbox;
mod stack;
mod storm;
mod stripe;
mod template;
mod visitor;
