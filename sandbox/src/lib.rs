//! The vendors' stand-ins: one loopback server that plays Stripe and every destination, strictly.
//!
//! This is a **test double**. It refuses what the vendor's documentation says the vendor refuses,
//! remembers every request it was sent, fails on command, and sends signed webhooks late, twice and
//! out of order. It keeps everything in memory, reaches nothing but the webhook address it was
//! given, and is never deployed. Each file under `vendors/` names the documents its strictness
//! comes from; where a double is stricter than its vendor, that file says so.
//!
//! What enters: HTTP on 127.0.0.1. What leaves: answers in the vendors' shapes, and webhooks.

// Stripe's charge is one `json!` of some fifty fields.
#![recursion_limit = "256"]

mod clock;
mod connection;
mod control;
mod currency;
mod door;
mod email;
mod exchange;
mod fault;
mod journal;
mod task;
mod vendor;
mod vendors;
mod webhook;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use connection::{Cut, CuttableListener};
use tokio::net::TcpListener;
use world::World;

/// What a sandbox is started with.
#[derive(Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// Where Stripe's webhooks go; may be told later through `POST /_control/webhook`.
    pub webhook_url: Option<String>,
    /// What Stripe's webhooks are signed with, the whole `whsec_…` text.
    pub webhook_secret: String,
}

/// A sandbox that answers.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
}

impl Running {
    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Starts a sandbox on the current runtime; it answers until that runtime ends.
///
/// # Errors
/// The port is taken, or no HTTP client could be built for the webhooks.
pub async fn start(options: Options) -> std::io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let sender = webhook::Sender::new().map_err(std::io::Error::other)?;
    let world = Arc::new(World::new(options.webhook_url, options.webhook_secret, sender));
    let service = router(world).into_make_service_with_connect_info::<Cut>();
    task::background(async move { axum::serve(CuttableListener(listener), service).await });
    Ok(Running { address })
}

fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/_control/health", get(control::health))
        .route("/_control/requests", get(control::requests))
        .route("/_control/faults", get(control::faults).post(control::set_fault))
        .route("/_control/reset", post(control::reset))
        .route("/_control/webhook", post(control::set_webhook))
        .route("/_control/pay", post(control::pay))
        .route("/_control/refund", post(control::refund))
        .route("/_control/event", post(control::event))
        .route("/_control/{*unknown}", axum::routing::any(control::unknown))
        .fallback(door::serve)
        .with_state(world)
}
