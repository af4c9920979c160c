//! What went wrong at a vendor, told by what to do next. Holds no text of the vendor's: only a
//! status, a code and a request id, so that nothing personal can be in it.

use std::fmt;
use std::time::Duration;

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What to do about it.
    pub remedy: Remedy,
    /// What was seen.
    pub seen: Seen,
}

/// What to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try again later.
    Retry {
        /// How long the vendor asked us to wait.
        after: Option<Duration>,
        /// Whether the vendor may have taken the call.
        taken: Taken,
    },
    /// A person must change a key or a setting; the record is good.
    Setup,
    /// The vendor refuses this record and always will.
    Reject,
}

/// Whether a failed call took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It surely did not: never sent, or turned away at the door (429, 503).
    No,
    /// Nobody knows: cut, too slow, or an error in the middle.
    Unknown,
}

/// What was seen of a fault, safe to log and to store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The vendor's or the transport's code: `card_declined`, `timeout`. Identifier characters only.
    pub code: Option<String>,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
}

impl Seen {
    /// Something seen without an HTTP answer.
    #[must_use]
    pub fn code(code: &str) -> Self {
        Self { code: Some(safe_code(code)), ..Self::default() }
    }

    /// The same with the vendor's own code.
    #[must_use]
    pub fn with_code(mut self, code: &str) -> Self {
        self.code = Some(safe_code(code));
        self
    }
}

/// A vendor's code, reduced to identifier characters: an `@` or a blank cannot pass, so that no
/// e-mail address or name hides in it.
fn safe_code(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect()
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, "{status} {code}"),
            (Some(status), None) => write!(f, "{status}"),
            (None, Some(code)) => f.write_str(code),
            (None, None) => f.write_str("no answer"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.seen, f)
    }
}

impl std::error::Error for Fault {}
