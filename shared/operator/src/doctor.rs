//! A check-up of a stage: what is there, what is missing, what is wrong, and what to do about each.

mod settings;
mod stock;
mod webhook;

use crate::{Fault, Operator};
use jiff::Timestamp;
use serde::Serialize;

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is looked at.
    pub check: String,
    /// What was seen.
    pub verdict: Verdict,
    /// What that means, and what to do.
    pub says: String,
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It may be meant so.
    Warn,
    /// It does not work.
    Fail,
}

impl Verdict {
    /// The word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Check {
    fn new(check: &str, verdict: Verdict, says: impl Into<String>) -> Self {
        Self { check: check.to_owned(), verdict, says: says.into() }
    }

    fn ok(check: &str, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, says)
    }

    fn warn(check: &str, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warn, says)
    }

    fn fail(check: &str, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fail, says)
    }

    /// A check that could not be made.
    fn impossible(check: &str, fault: &Fault) -> Self {
        Self::fail(check, fault.to_string())
    }
}

impl Operator {
    /// Looks at everything; what cannot be looked at is a check that failed. `now` is asked for
    /// when a clock is compared.
    pub async fn check_up(&self, now: impl Fn() -> Timestamp) -> Vec<Check> {
        let mut checks = self.check_secrets().await;
        checks.push(self.check_catalogue().await);
        checks.extend(self.check_settings());
        checks.extend(self.check_destinations(now()).await);
        checks.extend(self.check_stock(now()).await);
        checks.extend(self.check_webhook(now).await);
        checks
    }
}
