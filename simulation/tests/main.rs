//! The proof: every crash, every order, by luck, and by hand.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, and says where"
)]

mod crashes;
