//! What the page has beside a sandbox alone: the journey's timeline out of the local ledger, and the
//! customer's and the vendors' part, played through the sandbox's control API. None of it is deployed.

use super::Site;
use crate::demo::timeline::Timeline;
use crate::http;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use axum::{Router, body::Bytes};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// What the drawer may ask of the sandbox.
const CALLS: [&str; 3] = ["pay", "refund", "faults"];

/// The routes.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/sandbox/timeline/{event_id}", get(timeline))
        .route("/sandbox/payments/{id}", get(payment))
        .route("/sandbox/{call}", post(play))
}

/// `GET /sandbox/timeline/<event_id>`: facts and deliveries, as `demo --json` shows them.
async fn timeline(State(site): State<Arc<Site>>, Path(event_id): Path<Uuid>) -> Response {
    match Timeline::read(&site.stack, &event_id.to_string()).await {
        Ok(timeline) => Json(timeline.as_json()).into_response(),
        Err(_unreadable) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// `GET /sandbox/payments/<payment intent>`: how it stands, and nothing else of it.
async fn payment(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Response {
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer sk_test_local"));
    let path = format!("/stripe/v1/payment_intents/{id}");
    match ask(&site, Method::GET, &path, headers, Vec::new()).await {
        Some((200, intent)) => Json(json!({ "status": intent["status"] })).into_response(),
        Some(_) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `POST /sandbox/pay`, `refund`, `faults`: handed on. Only JSON, which no other site can post here.
async fn play(
    State(site): State<Arc<Site>>,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let json = headers.get("content-type").is_some_and(|kind| kind == "application/json");
    if !json || !CALLS.contains(&call.as_str()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let path = format!("/_control/{call}");
    match ask(&site, Method::POST, &path, HeaderMap::new(), body.to_vec()).await {
        Some((status, said)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, Json(said)).into_response()
        }
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn ask(
    site: &Site,
    method: Method,
    path: &str,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Option<(u16, Value)> {
    let url = format!("{}{path}", site.stack.sandbox_url.as_deref()?);
    let answer = http::send(method, &url, headers, body).await.ok()?;
    Some((answer.status, serde_json::from_slice(&answer.body).ok()?))
}
