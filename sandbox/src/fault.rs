//! Failing on command: one fault per vendor, for its next requests, in the vendor's own error shape.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exchange::Answer;
use crate::vendor::Vendor;
use crate::vendors::{hubspot, mailerlite, sendgrid, sgtm, slack, stripe};

/// How a vendor fails; with `latency_ms` alone it is only late.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) vendor: Vendor,
    /// Only what is asked under this path fails: `/v1/webhook_endpoints`.
    pub(crate) path: Option<String>,
    /// The status answered instead of doing the work.
    pub(crate) status: Option<u16>,
    /// How long the answer is held back.
    pub(crate) latency_ms: Option<u64>,
    /// The text answered instead of the vendor's own, with 200 unless `status` says otherwise.
    pub(crate) body: Option<String>,
    /// Close the connection without an answer.
    #[serde(default)]
    pub(crate) abort: bool,
    /// Close the connection in the middle of the answer.
    #[serde(default)]
    pub(crate) cut: bool,
    /// The value of `Stripe-Should-Retry`.
    pub(crate) should_retry: Option<bool>,
    /// The value of `Retry-After`: seconds, or the text of a date.
    pub(crate) retry_after: Option<Value>,
    /// For how many requests; 0 mends.
    #[serde(default = "once")]
    pub(crate) times: u64,
    /// The vendor does the work all the same: only its answer is lost.
    #[serde(default)]
    pub(crate) worked: bool,
}

fn once() -> u64 {
    1
}

impl Fault {
    /// What is wrong with the fault as it was asked for.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        let answers = self.status.is_some() || self.body.is_some();
        let breaks = self.abort || self.cut || self.latency_ms.is_some();
        if self.times > 0 && !answers && !breaks {
            return Some("a fault needs a status, a body, a latency_ms, abort or cut");
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Some("status must be 200 to 599");
        }
        let timed = |value: &Value| value.is_string() || value.is_u64();
        if self.retry_after.as_ref().is_some_and(|value| !timed(value)) {
            return Some("retry_after must be seconds or an HTTP date");
        }
        None
    }

    /// How long the answer is held back.
    pub(crate) fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms.unwrap_or(0))
    }

    /// True when the vendor does its work in spite of the fault.
    pub(crate) fn lets_work(&self) -> bool {
        self.worked || (self.status.is_none() && self.body.is_none() && !self.abort)
    }

    /// What is answered instead of the work: the fault's own text, or the refusal in the vendor's
    /// shape.
    pub(crate) fn answer(&self) -> Option<Answer> {
        let answer = match (&self.body, self.status) {
            (Some(text), status) => Answer::text(status.unwrap_or(200), text),
            (None, Some(status)) => self.refusal(status),
            (None, None) => return None,
        };
        let answer = match self.should_retry {
            Some(word) => answer.with_header("stripe-should-retry", word.to_string()),
            None => answer,
        };
        Some(match &self.retry_after {
            Some(Value::String(text)) => answer.with_header("retry-after", text.clone()),
            Some(seconds) => answer.with_header("retry-after", seconds.to_string()),
            None => answer,
        })
    }

    fn refusal(&self, status: u16) -> Answer {
        match self.vendor {
            Vendor::Stripe => stripe::fault(status),
            Vendor::Hubspot => hubspot::fault(status),
            Vendor::Mailerlite => mailerlite::fault(status),
            Vendor::Sgtm => sgtm::fault(status),
            Vendor::Sendgrid => sendgrid::fault(status),
            Vendor::Slack => slack::fault(status),
        }
    }
}

/// The faults that wait for requests.
#[derive(Default)]
pub(crate) struct Faults(HashMap<Vendor, Fault>);

impl Faults {
    /// Replaces the vendor's fault, or mends the vendor.
    pub(crate) fn set(&mut self, fault: Fault) {
        if fault.times == 0 {
            self.0.remove(&fault.vendor);
        } else {
            self.0.insert(fault.vendor, fault);
        }
    }

    /// The fault of this request, if there is one; it counts down.
    pub(crate) fn take(&mut self, vendor: Vendor, path: &str) -> Option<Fault> {
        let fault = self.0.get_mut(&vendor)?;
        if fault.path.as_deref().is_some_and(|under| !path.starts_with(under)) {
            return None;
        }
        fault.times -= 1;
        let taken = fault.clone();
        if taken.times == 0 {
            self.0.remove(&vendor);
        }
        Some(taken)
    }

    /// The faults still waiting.
    pub(crate) fn waiting(&self) -> Vec<&Fault> {
        self.0.values().collect()
    }

    /// Mends every vendor.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
