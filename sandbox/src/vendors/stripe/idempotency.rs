//! Idempotency keys (docs.stripe.com/api/idempotent_requests): the first answer, kept and replayed.

use std::collections::HashMap;

use crate::exchange::{Answer, Request};

/// The answers kept under their keys.
#[derive(Default)]
pub(super) struct Keys(HashMap<String, Kept>);

struct Kept {
    fingerprint: String,
    answer: Answer,
    original: String,
    in_use: bool,
}

/// What a key was used for before.
pub(super) enum Use {
    First,
    Replayed(Answer),
    Taken,
    OtherParameters,
}

/// What Stripe compares: the endpoint and the parameters, in any order.
pub(super) fn fingerprint(request: &Request) -> String {
    let mut pairs = request.form_pairs();
    pairs.sort_unstable();
    format!("{} {} {pairs:?}", request.method, request.path)
}

impl Keys {
    pub(super) fn look_up(&self, key: &str, fingerprint: &str) -> Use {
        match self.0.get(key) {
            None => Use::First,
            Some(kept) if kept.fingerprint != fingerprint => Use::OtherParameters,
            Some(kept) if kept.in_use => Use::Taken,
            Some(kept) => Use::Replayed(replay(kept)),
        }
    }

    pub(super) fn store(
        &mut self,
        key: &str,
        fingerprint: String,
        answer: &Answer,
        original: &str,
    ) {
        // What the first call caused is delivered once, not again with every replay.
        let answer = Answer { events: Vec::new(), ..answer.clone() };
        let kept = Kept { fingerprint, answer, original: original.to_owned(), in_use: false };
        self.0.insert(key.to_owned(), kept);
    }

    pub(super) fn store_if_absent(&mut self, key: &str, fingerprint: String, answer: &Answer) {
        if !self.0.contains_key(key) {
            let original = answer.headers.iter().find(|(name, _)| *name == "request-id");
            let original = original.map(|(_, id)| id.clone()).unwrap_or_default();
            // The replay has a request id of its own.
            let answer = Answer { headers: Vec::new(), ..answer.clone() };
            self.store(key, fingerprint, &answer, &original);
        }
    }

    /// Marks a known key as in use; false when it is unknown or in use already.
    pub(super) fn hold(&mut self, key: &str) -> bool {
        let Some(kept) = self.0.get_mut(key).filter(|kept| !kept.in_use) else { return false };
        kept.in_use = true;
        true
    }

    pub(super) fn release(&mut self, key: &str) {
        if let Some(kept) = self.0.get_mut(key) {
            kept.in_use = false;
        }
    }
}

fn replay(kept: &Kept) -> Answer {
    let answer = kept.answer.clone().with_header("idempotent-replayed", "true");
    answer.with_header("original-request", kept.original.clone())
}
