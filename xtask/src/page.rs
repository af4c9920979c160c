//! The demonstration page: `web/` as files, and `/config.json`, which tells it where the API is.

use crate::place::repository;
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

/// A port of our own, taken before the deploy because the API must know the page's origin.
pub(crate) struct Page {
    listener: TcpListener,
    /// The page's origin.
    pub(crate) url: String,
}

/// Takes a port.
pub(crate) async fn open() -> Result<Page> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port for the page")?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok(Page { listener, url })
}

impl Page {
    /// Serves the page for as long as it is awaited.
    pub(crate) async fn serve(self, api_url: &str, sandbox_url: Option<&str>) -> Result<()> {
        let config = json!({ "api_url": api_url, "sandbox_url": sandbox_url });
        let routes = Router::new()
            .route("/", get(|| file("index.html".to_owned())))
            .route("/config.json", get(async move || Json(config)))
            .route("/{name}", get(|Path(name): Path<String>| file(name)));
        axum::serve(self.listener, routes).await.context("the page's server stopped")
    }
}

/// A file of `web/` itself; no folders, so no way out of it.
async fn file(name: String) -> Response {
    let kind = match name.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some(_) | None => return StatusCode::NOT_FOUND.into_response(),
    };
    if name.contains(['/', '\\']) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::fs::read(repository().join("web").join(name)).await {
        Ok(bytes) => ([(CONTENT_TYPE, kind)], bytes).into_response(),
        Err(_missing) => StatusCode::NOT_FOUND.into_response(),
    }
}
