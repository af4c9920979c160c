//! What the vendors were sent: the last hundred thousand requests, each with how it was answered.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::exchange::Request;
use crate::vendor::Vendor;

/// Enough for a soak of ten thousand events; the oldest go first.
const CAPACITY: usize = 100_000;

/// The requests, oldest first.
#[derive(Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    next: u64,
}

struct Entry {
    number: u64,
    vendor: Vendor,
    shown: Value,
}

impl Journal {
    /// Notes a request that has no answer yet; the number is for [`Journal::close`].
    pub(crate) fn open(
        &mut self,
        vendor: Vendor,
        full_path: &str,
        request: &Request,
        now: Timestamp,
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        let shown = json!({
            "vendor": vendor,
            "method": request.method.as_str(),
            "path": full_path,
            "headers": request.readable_headers(),
            "body": request.readable_body(),
            "at": now.to_string(),
            "answered": null,
        });
        self.entries.push_back(Entry { number, vendor, shown });
        number
    }

    /// Notes how a request was answered: a status, or a word where there was no answer.
    pub(crate) fn close(&mut self, number: u64, answered: Value, problems: &[String]) {
        let Some(oldest) = self.entries.front().map(|entry| entry.number) else { return };
        let place = number.checked_sub(oldest).and_then(|place| usize::try_from(place).ok());
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else { return };
        entry.shown["answered"] = answered;
        if !problems.is_empty() {
            entry.shown["problems"] = problems.into();
        }
    }

    /// The requests of one vendor, or of all, oldest first.
    pub(crate) fn shown(&self, vendor: Option<Vendor>) -> Vec<Value> {
        let wanted = |entry: &&Entry| vendor.is_none_or(|vendor| entry.vendor == vendor);
        self.entries.iter().filter(wanted).map(|entry| entry.shown.clone()).collect()
    }

    /// Forgets every request; numbers go on, so that one still open closes nothing else.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
