//! What a browser may do on the page: the headers that `docs/browser.md` asks of a site.

use super::Site;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Adds the headers. A request that names another host than this page's was brought here by a name
/// of somebody else's, and sees nothing.
pub(super) async fn hold(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host.is_none_or(|host| !site.stack.page_url.ends_with(&format!("//{host}"))) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&site.policy()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

impl Site {
    /// No inline code, no `eval`, nobody called but this page, the API, and Stripe where it is real.
    fn policy(&self) -> String {
        let api = origin(&self.stack.api_url);
        let (script, connect, frame) = match &self.stripe_key {
            Some(_) => (
                " https://js.stripe.com https://*.js.stripe.com",
                " https://api.stripe.com",
                "https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com",
            ),
            None => ("", "", "'none'"),
        };
        format!(
            "default-src 'none'; script-src 'self'{script}; style-src 'self'; img-src 'self' data:; \
             connect-src 'self' {api}{connect}; frame-src {frame}; form-action 'self' {api}; \
             base-uri 'none'; frame-ancestors 'none'"
        )
    }
}

/// `http://host:port` of an address.
fn origin(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_is_an_address_without_its_path() {
        assert_eq!(origin("http://127.0.0.1:4566/restapis/x"), "http://127.0.0.1:4566");
        assert_eq!(origin("https://api.example.pt"), "https://api.example.pt");
    }
}
