//! The demonstration page: `web/page` with the API's address written into it, and what was built into
//! `web/dist`. Beside a sandbox also what only a laptop has: see `page/laptop.rs`.

mod laptop;
mod policy;

use crate::place::repository;
use crate::stack::Stack;
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
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

/// What a page is made with.
pub(crate) struct Site {
    /// What runs.
    stack: Stack,
    /// Stripe's publishable key, where the real Stripe.js shall take the card.
    stripe_key: Option<String>,
}

impl Page {
    /// Serves the page for as long as it is awaited.
    pub(crate) async fn serve(self, stack: &Stack, stripe_key: Option<&String>) -> Result<()> {
        let site = Arc::new(Site { stack: stack.clone(), stripe_key: stripe_key.cloned() });
        let mut routes = Router::new()
            .route("/", get(|site| file(site, Path("index.html".to_owned()))))
            .route("/{name}", get(file));
        if site.stack.sandbox_url.is_some() {
            routes = routes.merge(laptop::routes());
        }
        let policy = axum::middleware::from_fn_with_state(Arc::clone(&site), policy::hold);
        axum::serve(self.listener, routes.layer(policy).with_state(site))
            .await
            .context("the page's server stopped")
    }
}

/// A file of `web/page` or `web/dist` itself; no folders, so no way out of them.
async fn file(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Response {
    let (folder, kind) = match name.rsplit_once('.') {
        Some((_, "html")) => ("web/page", "text/html; charset=utf-8"),
        Some((_, "css")) => ("web/page", "text/css; charset=utf-8"),
        Some((_, "js" | "mjs")) => ("web/dist", "text/javascript; charset=utf-8"),
        Some(_) | None => return StatusCode::NOT_FOUND.into_response(),
    };
    if name.contains(['/', '\\']) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::fs::read_to_string(repository().join(folder).join(name)).await {
        Ok(text) if folder == "web/page" => {
            ([(CONTENT_TYPE, kind)], site.fill(&text)).into_response()
        }
        Ok(text) => ([(CONTENT_TYPE, kind)], text).into_response(),
        Err(_missing) => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Site {
    /// Writes into a page what only this stack knows.
    fn fill(&self, text: &str) -> String {
        let laptop = self.stack.sandbox_url.is_some();
        let script = r#"<script src="/sandbox.js" defer></script>"#;
        let tags = if laptop { r#" data-tags="/tags.js""# } else { "" };
        let key = self.stripe_key.as_ref().map(|key| format!(r#" data-stripe-key="{key}""#));
        text.replace("{{api}}", &self.stack.api_url)
            .replace("{{page}}", &self.stack.page_url)
            .replace("{{sandbox}}", if laptop { script } else { "" })
            .replace("{{options}}", &format!("{tags}{}", key.unwrap_or_default()))
    }
}
