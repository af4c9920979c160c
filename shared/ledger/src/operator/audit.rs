//! Audits: who did what to a journey by hand, when and why. They are part of its timeline.

use crate::item::{Item, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::Put;
use domain::id::EventId;
use jiff::Timestamp;

/// Who does something by hand, and why. Both are kept; neither may name a visitor.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// Who.
    pub who: &'a str,
    /// Why.
    pub why: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What can be done by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A dead delivery was queued again.
    Redriven,
    /// A dead delivery was given up for good.
    Dropped,
    /// A call of which nobody knew: it had happened.
    SettledAsHappened,
    /// A call of which nobody knew: it had not happened, and is made again.
    SettledAsNotHappened,
    /// A fact is dispatched once more.
    Replayed,
}

impl What {
    /// Every deed.
    pub const ALL: [Self; 5] = [
        Self::Redriven,
        Self::Dropped,
        Self::SettledAsHappened,
        Self::SettledAsNotHappened,
        Self::Replayed,
    ];

    /// The word in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redriven => "redriven",
            Self::Dropped => "dropped",
            Self::SettledAsHappened => "settled_as_happened",
            Self::SettledAsNotHappened => "settled_as_not_happened",
            Self::Replayed => "replayed",
        }
    }
}

/// One deed, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub at: Timestamp,
    /// The deed's word: [`What::name`], or that of a newer version.
    pub what: String,
    /// To which delivery (`effect#destination`) or fact (`FACT#…`).
    pub subject: String,
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// How it stood before.
    pub note: String,
}

/// What an audit is about.
pub(crate) struct Subject<'a> {
    pub(crate) event_id: EventId,
    pub(crate) name: &'a str,
    /// How it stands before.
    pub(crate) note: &'a str,
    /// Until when it is kept: as long as its subject.
    pub(crate) expires_at: i64,
}

impl Ledger {
    /// The audit of a deed, as an item to be put with it.
    pub(crate) fn audit(
        &self,
        what: What,
        subject: &Subject<'_>,
        deed: Deed<'_>,
    ) -> Result<Put, Unavailable> {
        Put::builder()
            .table_name(&self.table)
            .item(PK, text(key::journey(subject.event_id)))
            .item(SK, text(key::audit(deed.at, what.name(), subject.name)))
            .item("what", text(what.name()))
            .item("subject", text(subject.name))
            .item("who", text(deed.who))
            .item("why", text(deed.why))
            .item("note", text(subject.note))
            .item("at", time(deed.at))
            .item("expires_at", number(subject.expires_at))
            .build()
            .map_err(|_| Unavailable::unreadable("record a deed"))
    }
}

pub(crate) fn decode(item: &Item) -> Option<Audit> {
    let word = |name| get_text(item, name).unwrap_or_default().to_owned();
    Some(Audit {
        at: get_time(item, "at")?,
        what: word("what"),
        subject: word("subject"),
        who: word("who"),
        why: word("why"),
        note: word("note"),
    })
}
