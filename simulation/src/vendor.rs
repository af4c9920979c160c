//! The vendors: one server on a local port, with memory. HubSpot and MailerLite keep one record for
//! a person; the others hear of effects. Stricter stand-ins are in `sandbox`; here it matters what a
//! vendor holds, how often it was called, and that a call is one effect at which things go wrong.

mod record;
mod server;
mod stripe;

pub(crate) use record::{Contact, Subscriber};
pub(crate) use server::{land, open};
pub(crate) use stripe::Stripe;

use crate::clock;
use crate::world::Actor;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the vendors hold, and what they were sent.
#[derive(Default, Clone)]
pub(crate) struct Vendors {
    pub(crate) address: String,
    pub(crate) contacts: BTreeMap<u64, Contact>,
    pub(crate) subscribers: BTreeMap<u64, Subscriber>,
    pub(crate) stripe: Stripe,
    /// How destinations that hear of effects are.
    pub(crate) mood: Mood,
    /// Calls of destinations that hear of effects, in order.
    pub(crate) calls: Vec<Heard>,
    /// Requests whose callers gave up waiting, and that are carried out all the same.
    late: Vec<server::Late>,
    ids: u64,
    /// Which delivery an actor works on: with one message for each batch it is known.
    pub(crate) errands: BTreeMap<Actor, String>,
}

/// How the vendors of effects are, all of them, whatever a plan says of single calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// They take what they are told.
    #[default]
    Well,
    /// They refuse it, for good.
    Refusing,
    /// They fail until so many minutes after the history's beginning.
    Down(i64),
    /// Until then they do not know our key.
    Locked(i64),
}

impl Mood {
    /// What they answer at this moment in place of their own answer.
    fn status(self) -> Option<u16> {
        let before = |minutes| clock::now() < clock::BEGINNING + minutes * 60_000;
        match self {
            Self::Refusing => Some(400),
            Self::Down(minutes) if before(minutes) => Some(503),
            Self::Locked(minutes) if before(minutes) => Some(401),
            Self::Well | Self::Down(_) | Self::Locked(_) => None,
        }
    }
}

/// A call that an effect's vendor received.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The delivery's id.
    pub(crate) delivery: String,
    /// Whether it took effect.
    pub(crate) applied: bool,
    /// Whether the caller was told for sure that it did not.
    pub(crate) turned_away: bool,
    /// Whether the vendor would recognise a repetition.
    pub(crate) keyed: bool,
}

/// What a vendor answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Vendors {
    /// A vendor's base address.
    pub(crate) fn url(&self, vendor: &str) -> String {
        format!("http://{}/{vendor}", self.address)
    }

    /// When the next request that was given up is carried out.
    pub(crate) fn next_landing(&self) -> Option<i64> {
        self.late.iter().map(|late| late.at).min()
    }

    fn new_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}
