//! Errors as RFC 9457 problems: what happened, which field, what to do. Never a value.

use serde::Serialize;

/// An answer that says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type", serialize_with = "as_urn")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
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
    /// A problem with its status, its stable kind (`invalid-field`) and its title.
    #[must_use]
    pub fn new(status: u16, kind: &'static str, title: &'static str) -> Self {
        Self { kind, title, status, detail: None, errors: Vec::new(), retry_after: None }
    }

    /// Fields that were refused: 422.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let problem = Self::new(422, "invalid-field", "Some fields are not valid");
        Self { errors, ..problem }
            .detail("mend the fields named in errors and send again; nothing was stored")
    }

    /// Something that cannot be done now; the caller comes back.
    #[must_use]
    pub fn unavailable(title: &'static str, seconds: u32) -> Self {
        Self::new(503, "unavailable", title)
            .detail("nothing was stored; send the same again after the time in Retry-After")
            .retry_after(seconds)
    }

    /// A fault of ours that nobody foresaw.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(500, "internal", "Something went wrong on our side").detail("send the same again")
    }

    /// Adds what to do.
    #[must_use]
    pub fn detail(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned());
        self
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
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A problem's `type`: a URN, since there is no page behind it.
fn as_urn<S: serde::Serializer>(kind: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:throughline:problem:{kind}"))
}

impl From<ledger::Unavailable> for Problem {
    fn from(_: ledger::Unavailable) -> Self {
        Self::unavailable("The ledger does not answer", 2)
    }
}
