//! What a function does for its destinations: the one interface between the shared loop and a vendor.

use domain::consent::Leave;
use domain::contact::Contact;
use domain::delivery::{DeliveryId, SkipReason};
use domain::destination::RetrySafety;
use domain::fact::Fact;
use domain::fault::Fault;
use domain::fold::Person;
use domain::journey::Journey;
use jiff::Timestamp;
use lambda::secret::Secret;

/// A function's destinations. `prepare` is the mapping, without I/O; `send` is the call.
pub trait Courier {
    /// A call that is ready to be made: at least the vendor's body.
    type Call;

    /// What the vendors know us by: read again before a batch where they are old.
    fn secrets(&self) -> Vec<&Secret>;

    /// Decides what this delivery sends, or why it sends nothing.
    fn prepare(&self, errand: &Errand<'_>) -> Prepared<Self::Call>;

    /// What a call says, byte for byte: a destination that keeps state, and was told the same last,
    /// is not called again.
    fn statement<'c>(&self, call: &'c Self::Call) -> &'c [u8];

    /// What to remember as [`Synced::status`] while nobody knows whether this call was taken; `None`
    /// where what is remembered stays true either way.
    fn in_doubt(&self, _call: &Self::Call) -> Option<&'static str> {
        None
    }

    /// Makes the call. The warrant shows that the delivery is claimed and the person allowed it.
    fn send(
        &self,
        call: Self::Call,
        warrant: &Warrant,
    ) -> impl Future<Output = Result<Receipt, Fault>>;
}

/// All that a mapping may look at.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// Which delivery.
    pub id: &'a DeliveryId,
    /// The fact behind it.
    pub fact: &'a Fact,
    /// The journey it belongs to.
    pub journey: &'a Journey,
    /// How to reach the person, as last corrected.
    pub contact: &'a Contact,
    /// The fold of all that is known of the person: what destinations that keep state are sent.
    pub person: &'a Person,
    /// What this destination was told last; empty for destinations that hear of effects.
    pub synced: &'a Synced,
    /// The person's id at the CRM, where known.
    pub crm_contact_id: Option<&'a str>,
    /// What is allowed.
    pub leave: &'a Leave,
    /// Now.
    pub now: Timestamp,
}

/// What a destination that keeps state was told last of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synced {
    /// The person's id at the vendor.
    pub vendor_id: Option<String>,
    /// A word of the provider's about what it sent last (`active`, `unsubscribed`), or its word for
    /// "nobody knows" (`unsure`).
    pub status: Option<String>,
    /// The digest of the last body, by which "nothing new to say" is known.
    pub digest: Option<String>,
}

impl From<&ledger::Synced> for Synced {
    fn from(told: &ledger::Synced) -> Self {
        Self {
            vendor_id: told.vendor_id.clone(),
            status: told.status.clone(),
            digest: told.digest.clone(),
        }
    }
}

/// What a delivery comes to.
#[derive(Debug)]
pub enum Prepared<C> {
    /// A call.
    Send {
        /// The call.
        call: C,
        /// Whether it may be repeated blindly.
        safety: RetrySafety,
    },
    /// Nothing, for a reason, with a sentence for a person.
    Skip(SkipReason, &'static str),
}

/// Leave to call a vendor once: made by the loop alone, from a claim that it holds.
#[derive(Debug)]
pub struct Warrant {
    leave: Leave,
    attempt: u32,
}

impl Warrant {
    pub(crate) fn new(leave: Leave, attempt: u32) -> Self {
        Self { leave, attempt }
    }

    /// What is allowed.
    #[must_use]
    pub fn leave(&self) -> &Leave {
        &self.leave
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// What a vendor answered to a call that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Whether the answer says that it worked, or comes to anything (as Google's collectors').
    pub unverifiable: bool,
    /// The vendor's id of the request or message.
    pub request_id: Option<String>,
    /// The person's id at the vendor, where the answer tells.
    pub vendor_id: Option<String>,
    /// What to remember as [`Synced::status`].
    pub status: Option<String>,
}
