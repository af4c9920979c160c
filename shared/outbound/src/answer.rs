//! What a vendor answered, and what a status means where a vendor says nothing special.

use domain::fault::{self, Fault, Remedy, Seen, Taken};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::time::Duration;

/// The most of an answer that is read, unless a door says otherwise: vendors' answers are a few
/// kilobytes.
pub(crate) const LARGEST_ANSWER: usize = 1 << 20;

/// An answer of any status. `Debug` shows no body and no header.
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} with {} bytes]", self.status, self.body.len())
    }
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, headers, body }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status / 100 == 2
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON of a shape; `None` where it is not.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text, for the vendors that answer with a word; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// What this status means at most vendors:
    ///
    /// | status | meaning |
    /// |---|---|
    /// | 429, 503 | turned away at the door: try later, as `Retry-After` says |
    /// | 408, 425, other 5xx | perhaps taken: try later |
    /// | 401, 403, 3xx | a key or an address is wrong: a person must mend it |
    /// | other 4xx | this record is refused |
    ///
    /// `request_id` names the header in which the vendor puts its id of the request.
    #[must_use]
    pub fn fault(&self, request_id: &str) -> Fault {
        let retry = |taken| Remedy::Retry { after: self.retry_after(), taken };
        let remedy = match self.status {
            429 | 503 => retry(Taken::No),
            408 | 425 | 500.. => retry(Taken::Unknown),
            401 | 403 | 300..400 => Remedy::Setup,
            400..500 => Remedy::Reject,
            // A success that the vendor's file did not expect: perhaps taken, never repeated blindly.
            0..300 => retry(Taken::Unknown),
        };
        let seen = Seen {
            status: Some(self.status),
            code: None,
            request_id: self.header(request_id).and_then(fault::request_id),
        };
        Fault { remedy, seen }
    }

    /// `Retry-After` in seconds. Its other form, a date, is rare at APIs and read as absent.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.header(header::RETRY_AFTER.as_str())?.trim().parse().ok().map(Duration::from_secs)
    }
}

/// Reads a body, up to the cap; what is beyond is not read, and JSON that was cut does not parse.
pub(crate) async fn read_capped(
    mut response: reqwest::Response,
    most: usize,
) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            body.truncate(most);
            break;
        }
    }
    Ok(body)
}
