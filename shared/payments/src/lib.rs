//! What Stripe tells, as facts: the one door for what the webhook brings and what the reconciler
//! fetches. An [`Event`] enters, a fact goes into the ledger; the same event through either way is
//! the same fact under the same key. It calls no vendor.

mod config;
mod owner;

pub use config::Config;

use domain::id::EventId;
use intake::Desk;
use jiff::Timestamp;
use ledger::{Recorded, Unavailable};
use owner::Owner;
use stripe::event::{Event, Unreadable, What};

/// Where payments are recorded, and of which mode they must be.
#[derive(Debug)]
pub struct Payments {
    desk: Desk,
    livemode: bool,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It tells nothing that is kept.
    NothingToKeep,
    /// Its fact is new.
    New(EventId),
    /// Its fact was recorded before.
    Known(EventId),
}

/// Why an event is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    /// It tells of real money in a test, or the reverse.
    #[error("the event is of the other mode: live or test")]
    WrongMode,
    /// It is Stripe's, and this version cannot read it.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The ledger does not say whether it is stored.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Payments {
    /// Whether live events are taken, or test events.
    #[must_use]
    pub fn livemode(&self) -> bool {
        self.livemode
    }

    /// The ledger in which they are recorded.
    #[must_use]
    pub fn ledger(&self) -> &ledger::Ledger {
        &self.desk.ledger
    }

    /// Records what an event tells, once.
    ///
    /// # Errors
    /// [`Unheard`]; where the ledger is unavailable, say the same again.
    pub async fn hear(&self, event: &Event<'_>, now: Timestamp) -> Result<Heard, Unheard> {
        self.same_mode(event)?;
        let Some(told) = event.told()? else { return Ok(Heard::NothingToKeep) };
        let owner = self.owner(&told.what).await?;
        let fact = owner.fact(&event.id, told, now);
        Ok(match self.desk.record(&fact).await? {
            Recorded::New => Heard::New(fact.event_id),
            Recorded::Known(_) => Heard::Known(fact.event_id),
        })
    }

    /// Sees that test events do not reach a live shop, nor live ones a test.
    fn same_mode(&self, event: &Event<'_>) -> Result<(), Unheard> {
        if event.livemode == self.livemode { Ok(()) } else { Err(Unheard::WrongMode) }
    }

    /// Whose money it is: as our metadata says, or else as the ledger remembers.
    async fn owner(&self, what: &What) -> Result<Owner, Unavailable> {
        if let Some(owner) = Owner::of_metadata(what, &self.desk.pepper) {
            return Ok(owner);
        }
        let object = owner::object(what);
        let pointer = self.desk.ledger.pointer(object).await?;
        Ok(pointer.map_or_else(|| Owner::stranger(object), Owner::of_pointer))
    }
}
