//! Errors as RFC 9457 problems: what happened, which field, what to do. Never a value.

use super::Kind;
use serde::Serialize;

/// An answer that says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type", serialize_with = "as_urn")]
    kind: Kind,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// A field that was refused, and the rule it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name in the body.
    pub field: &'static str,
    /// The rule: `must be an e-mail address`.
    pub detail: &'static str,
}

impl Problem {
    /// A problem of a kind, with what to do about it.
    #[must_use]
    pub fn new(kind: Kind, detail: &str) -> Self {
        let (title, status) = (kind.title(), kind.status());
        let detail = detail.to_owned();
        Self { kind, title, status, detail, errors: Vec::new(), retry_after: None }
    }

    /// Fields that were refused: 422.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = "mend the fields named in errors and send again; nothing was stored";
        Self { errors, ..Self::new(Kind::InvalidField, detail) }
    }

    /// A fault of ours that nobody foresaw.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Kind::Internal, "send the same again")
    }

    /// Adds when to come back, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The stable kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after
    }

    pub(crate) fn body(&self) -> String {
        // Texts and numbers of our own always encode.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A problem's `type`: a URN, since there is no page behind it.
fn as_urn<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:throughline:problem:{}", kind.slug()))
}

impl From<ledger::Unavailable> for Problem {
    fn from(_: ledger::Unavailable) -> Self {
        let detail = "nobody knows whether it was stored; send the same again after Retry-After";
        Self::new(Kind::Unavailable, detail).retry_after(2)
    }
}
