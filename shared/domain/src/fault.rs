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

impl Fault {
    /// Whether the vendor may have taken the call, or may take it yet.
    #[must_use]
    pub fn may_be_taken(&self) -> bool {
        matches!(self.remedy, Remedy::Retry { taken: Taken::Unknown, .. })
    }
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
    /// The vendor's or the transport's code: `card_declined`, `timeout`. A code and never a text.
    pub code: Option<String>,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
}

impl Seen {
    /// Something seen without an HTTP answer.
    #[must_use]
    pub fn code(code: &str) -> Self {
        Self { code: safe_code(code), ..Self::default() }
    }

    /// The same with the vendor's own code, where it is one.
    #[must_use]
    pub fn with_code(mut self, code: &str) -> Self {
        self.code = safe_code(code).or(self.code);
        self
    }
}

/// The longest code or id that is kept.
const LONGEST: usize = 64;

/// As many digits as a short telephone number has: no vendor's code has so many in a row.
const LONGEST_NUMBER: usize = 6;

/// A vendor's code, or nothing where it is none: a text with a blank or an `@`, or with a telephone
/// number in it, may name somebody, and what is left of it without those would name them still.
fn safe_code(code: &str) -> Option<String> {
    let is_word = (1..=LONGEST).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let mut numbers = code.split(|c: char| !c.is_ascii_digit());
    (is_word && numbers.all(|digits| digits.len() <= LONGEST_NUMBER)).then(|| code.to_owned())
}

/// A vendor's id of a request, to be kept beside a delivery: without blanks and `@`, else none.
#[must_use]
pub fn request_id(id: &str) -> Option<String> {
    let fits = (1..=2 * LONGEST).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_graphic() && b != b'@');
    fits.then(|| id.to_owned())
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

#[cfg(test)]
mod tests {
    use super::{Fault, LONGEST, Remedy, Seen, request_id};

    #[test]
    fn a_code_is_kept_and_a_text_is_not() {
        for code in ["card_declined", "timeout", "PROPERTY_DOESNT_EXIST", "invalid-key.2", "v3_404"]
        {
            assert_eq!(Seen::code(code).code.as_deref(), Some(code));
        }
        let address = "ana.silva@example.pt";
        let texts = ["", "Ana Silva", address, "tel.912345678", "+351912345678", "cartão_recusado"];
        for text in texts.into_iter().chain(["x".repeat(65).as_str()]) {
            assert_eq!(Seen::code(text).code, None, "{text}");
            let seen = Seen { status: Some(400), ..Seen::code("declined") };
            assert_eq!(seen.with_code(text).to_string(), "400 declined", "{text}");
        }
    }

    #[test]
    fn an_id_of_a_request_is_kept_and_an_address_is_not() {
        let trace = "105445aa7843bc8bf206b12000100000/1;o=1";
        assert_eq!(request_id(trace).as_deref(), Some(trace));
        let longest = "x".repeat(2 * LONGEST);
        assert_eq!(request_id(&longest).as_deref(), Some(longest.as_str()));
        for text in ["", "Ana Silva", "ana.silva@example.pt", "é", &format!("{longest}x")] {
            assert_eq!(request_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_fault_says_what_was_seen() {
        let seen = Seen { status: Some(402), ..Seen::code("card_declined") };
        let fault = Fault { remedy: Remedy::Reject, seen };
        assert_eq!(fault.to_string(), "402 card_declined");
    }
}
