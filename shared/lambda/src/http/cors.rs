//! Which pages may call us from a browser: an allow-list, answered by the function itself.

use super::Problem;
use lambda_http::http::{HeaderMap, HeaderValue, Method, header};

/// The origins that are allowed (`https://example.pt`), as `ALLOWED_ORIGINS` lists them.
#[derive(Debug, Clone)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Takes the list; a trailing slash is forgiven.
    #[must_use]
    pub fn new(allowed: Vec<String>) -> Self {
        Self(allowed.into_iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect())
    }

    /// Refuses a page that is not on the list. A caller without an origin is no browser.
    pub(super) fn check(&self, origin: Option<&str>) -> Result<(), Problem> {
        match origin {
            Some(origin) if !self.allows(origin) => {
                let problem =
                    Problem::new(403, "origin-not-allowed", "This page may not call the API");
                Err(problem.detail("add the page's origin to AllowedOrigins and deploy"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }

    /// Adds the headers that let an allowed page read the answer.
    pub(super) fn decorate(&self, origin: Option<&str>, method: &Method, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin.filter(|origin| self.allows(origin)) else { return };
        let Ok(origin) = HeaderValue::from_str(origin) else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
        if method == Method::OPTIONS {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("Content-Type"),
            );
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        }
    }
}
