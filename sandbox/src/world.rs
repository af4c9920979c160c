//! Everything the sandbox knows, behind one lock that is never held across an await.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::exchange::{Answer, Request};
use crate::fault::Faults;
use crate::journal::Journal;
use crate::vendor::Vendor;
use crate::vendors::{hubspot, mailerlite, sendgrid, sgtm, slack, stripe};
use crate::webhook::{Endpoint, Sender};

/// The sandbox's memory and its webhook sender.
pub(crate) struct World {
    known: Mutex<Known>,
    pub(crate) sender: Sender,
}

/// What the lock protects.
pub(crate) struct Known {
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) endpoint: Endpoint,
    pub(crate) stripe: stripe::Account,
    pub(crate) hubspot: hubspot::Portal,
    pub(crate) mailerlite: mailerlite::Account,
    /// Grows with every reset, so that retries of webhooks from before it stop.
    pub(crate) generation: u64,
}

impl World {
    pub(crate) fn new(url: Option<String>, secret: String, sender: Sender) -> Self {
        let known = Known {
            journal: Journal::default(),
            faults: Faults::default(),
            endpoint: Endpoint { url, secret, enabled: true },
            stripe: stripe::Account::default(),
            hubspot: hubspot::Portal::default(),
            mailerlite: mailerlite::Account::default(),
            generation: 0,
        };
        Self { known: Mutex::new(known), sender }
    }

    /// The memory; a panic elsewhere does not take it away.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Lets the vendor do its work.
    pub(crate) fn answer(&mut self, vendor: Vendor, request: &Request, now: Timestamp) -> Answer {
        match vendor {
            Vendor::Stripe => self.stripe.answer(request, &self.endpoint, now),
            Vendor::Hubspot => self.hubspot.answer(request, now),
            Vendor::Mailerlite => self.mailerlite.answer(request, now),
            Vendor::Sgtm => sgtm::answer(request, now),
            Vendor::Sendgrid => sendgrid::answer(request, now),
            Vendor::Slack => slack::answer(request),
        }
    }

    /// Forgets requests, faults and what the vendors stored; the webhook endpoint stays.
    pub(crate) fn reset(&mut self) {
        self.journal.clear();
        self.faults.clear();
        self.stripe = stripe::Account::default();
        self.hubspot = hubspot::Portal::default();
        self.mailerlite = mailerlite::Account::default();
        self.generation += 1;
    }
}
