//! Stripe as we use it: who signed a webhook, what its event says, what we write beside a payment,
//! and the calls we make. Raw bodies and answers enter, typed values leave; nothing of
//! Stripe's own text, which may name a person, gets past this crate.

pub mod client;
pub mod event;
pub mod metadata;
pub mod webhook;

pub use client::{
    Budget, EventPage, FetchedEvent, Intent, NewIntent, StripeClient, StripeError, WebhookEndpoint,
    Window,
};
pub use metadata::Metadata;

/// The API version of our calls (<https://docs.stripe.com/changelog>). Events keep the version of
/// the endpoint that sends them; [`event`] reads any since 2024-09.
pub const API_VERSION: &str = "2026-10-28.endive";
