//! Which pages may call us from a browser: an allow-list, answered by the function itself.

use super::{Kind, Problem};
use std::collections::BTreeMap;

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
            Some(origin) if !self.allows(origin) => Err(Problem::new(
                Kind::OriginNotAllowed,
                "add the page's origin to AllowedOrigins and deploy; nothing was stored",
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }

    /// Adds the headers that let an allowed page read the answer.
    pub(super) fn decorate(
        &self,
        origin: Option<&str>,
        is_preflight: bool,
        headers: &mut BTreeMap<&'static str, String>,
    ) {
        headers.insert("vary", "Origin".to_owned());
        let Some(origin) = origin.filter(|origin| self.allows(origin)) else { return };
        headers.insert("access-control-allow-origin", origin.to_owned());
        headers.insert("access-control-expose-headers", "Retry-After".to_owned());
        if is_preflight {
            headers.insert("access-control-allow-methods", "POST".to_owned());
            headers.insert("access-control-allow-headers", "Content-Type".to_owned());
            headers.insert("access-control-max-age", "7200".to_owned());
        }
    }
}
