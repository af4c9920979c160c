//! The watch over leases: it sees every write that lands, and says which should not have. It knows
//! who wrote which token, and trusts none of the ledger's own conditions.

use super::{Item, int, text};
use crate::clock;
use std::collections::BTreeMap;

/// Who wrote which fencing token, and what was done that must not be.
#[derive(Default, Clone)]
pub(crate) struct Watch {
    owners: BTreeMap<String, Option<u64>>,
    pub(crate) violations: Vec<String>,
    /// How far two functions' clocks may be apart: a lease that one thinks over may have so much left.
    pub(crate) tolerance: i64,
}

/// How long a function may run, in milliseconds (`Timeout` in template.yaml): a lease lasts longer.
const FUNCTION: i64 = 30_000;
const TERMINAL: [&str; 4] = ["delivered", "accepted_unverifiable", "skipped", "dead"];

impl Watch {
    pub(super) fn see(
        &mut self,
        key: &(String, String),
        old: Option<&Item>,
        new: &Item,
        by: Option<u64>,
    ) {
        let none = Item::new();
        let old = old.unwrap_or(&none);
        let wrong = if key.1.starts_with("DELIVERY#") {
            self.delivery(old, new, by)
        } else if key.1.starts_with("SYNC#") {
            self.person(old, new, by)
        } else if key.1.starts_with("FACT#")
            && !old.is_empty()
            && old.get("fact") != new.get("fact")
        {
            Some("a stored fact was changed")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let journey = key.0.get(..16).unwrap_or(&key.0);
            self.violations.push(format!("fencing: {wrong}: {journey} {}", key.1));
        }
        let token = text(new, "token");
        if !token.is_empty() && text(old, "token") != token {
            self.owners.insert(token.to_owned(), by);
        }
    }

    fn is_own(&self, old: &Item, by: Option<u64>) -> bool {
        self.owners.get(text(old, "token")).is_none_or(|owner| *owner == by)
    }

    fn lease_is_over(&self, old: &Item) -> bool {
        int(old, "lease_until").is_none_or(|until| until < clock::now() + self.tolerance)
    }

    fn delivery(&self, old: &Item, new: &Item, by: Option<u64>) -> Option<&'static str> {
        if old.is_empty() {
            return None;
        }
        let (was, is) = (text(old, "state"), text(new, "state"));
        let claims = text(old, "token") != text(new, "token");
        let changed = |name| int(old, name) != int(new, name);
        let may_live = was == "dead" || TERMINAL.contains(&was) && changed("replayed_for");
        if may_live && is == "queued" && changed("revived_at") {
            return None;
        }
        if TERMINAL.contains(&was) {
            return (was != is || claims).then_some("what was over was begun again");
        }
        if claims {
            if !outlasts_its_worker(new) {
                return Some("a lease ends while its worker may still work");
            }
            let due = int(old, "next_at").is_none_or(|at| at <= clock::now() + self.tolerance);
            let gate = ["breaker", "paused"].contains(&text(old, "reason"));
            return match was {
                "queued" => None,
                "waiting" if due || gate => None,
                "waiting" => Some("a delivery was claimed before its time"),
                "in_flight" if self.lease_is_over(old) => None,
                "in_flight" => Some("a delivery was claimed under another's lease"),
                _ => Some("a delivery in the middle of an at-most-once call was claimed"),
            };
        }
        if was == is && old.get("attempts") == new.get("attempts") {
            return None;
        }
        let settles = was == "calling" && is == "dead" && self.lease_is_over(old);
        let may_go_on = ["in_flight", "calling"].contains(&was);
        (!(may_go_on && self.is_own(old, by) || settles))
            .then_some("an outcome landed without the delivery's own claim")
    }

    fn person(&self, old: &Item, new: &Item, by: Option<u64>) -> Option<&'static str> {
        let (was, is) = (text(old, "token"), text(new, "token"));
        if !was.is_empty() && !is.is_empty() && was != is {
            return (!self.lease_is_over(old))
                .then_some("a person was taken under another's lease");
        }
        let changed =
            ["vendor_id", "status", "digest", "lease_until", "in_doubt_until", "in_doubt_digest"]
                .iter()
                .any(|name| old.get(*name) != new.get(*name) && new.contains_key(*name));
        (was == is && !was.is_empty() && changed && !self.is_own(old, by))
            .then_some("what a vendor was told was noted without the claim on the person")
    }
}

/// By the worker's own clock: the write itself may have been under way for long.
fn outlasts_its_worker(claimed: &Item) -> bool {
    let lease = int(claimed, "lease_until").zip(int(claimed, "updated_at"));
    lease.is_some_and(|(until, since)| until - since > FUNCTION)
}
