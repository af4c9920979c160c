//! The ledger: one DynamoDB table that holds the truth and the calendar.
//!
//! Every write is one conditional call whose condition is the protocol. Where the SDK may have
//! repeated a write whose answer was lost, the condition's failure brings the old item back
//! (`ALL_OLD`), and it is compared with what was written.
//!
//! Keys and everything a condition looks at are attributes; what a fact or a decision says is one
//! JSON text beside them, so that the stream, a query and a test decode it in one way.

mod agenda;
mod changes;
mod checkout;
mod claim;
mod cursor;
mod delivery;
mod fact;
mod gate;
mod item;
mod key;
mod operator;
mod person;
mod rate;
mod sync;
mod timeline;
mod write;

pub use agenda::{Due, SHARDS};
pub use checkout::{Attempt, Checkout, Pointer, Room};
pub use claim::{Claim, Claimed, Completed, Completion};
pub use delivery::{DeliveryRecord, Opened, OpeningTimes, Step};
pub use fact::{FactKey, Recorded};
pub use gate::{BREAKER, GateEvent, Probe, Probing};
pub use key::fact_key_prefix;
pub use operator::{
    Audit, Condition, Deed, Found, List, Mended, Open, Reopened, Reopening, Slice, What, Wish,
};
pub use person::{Enrolled, Enrolment, MOST_JOURNEYS, PersonRecord, Profile};
pub use rate::Admission;
pub use sync::{Doubt, Statement, SyncClaim, SyncClaimed, SyncTimes, Synced};
pub use timeline::{RouteRecord, Timeline, Undecodable};

use crate::item::{Item, text};
use crate::key::{PK, SK};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;

/// The way to the table.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// The ledger did not do what was asked, and did not say that it would not.
///
/// The write may or may not have happened: every operation may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger could not {operation}: {kind}; the same may be tried again")]
pub struct Unavailable {
    operation: &'static str,
    kind: &'static str,
}

impl Ledger {
    /// Wraps a client and a table's name.
    #[must_use]
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// Reads one item, as it is at this moment.
    async fn item(
        &self,
        operation: &'static str,
        pk: String,
        sk: &str,
    ) -> Result<Option<Item>, Unavailable> {
        let read = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = read.key(PK, text(pk)).key(SK, text(sk)).send().await;
        let answer = answer.map_err(|error| Unavailable::from_sdk(operation, &error))?;
        Ok(answer.item)
    }
}

/// What is said of an item that a newer version wrote.
const STRANGE: &str = "an item has a shape that this version does not know";

impl Unavailable {
    /// Whether it is one item that this version cannot read: it will not be otherwise the next time,
    /// and other items are no worse for it.
    #[must_use]
    pub fn is_of_one_item(&self) -> bool {
        self.kind == STRANGE
    }

    /// Reduces what the SDK says to a word: its own text may hold what was sent.
    fn from_sdk<E>(operation: &'static str, error: &SdkError<E>) -> Self
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata,
    {
        let kind = match error {
            SdkError::ConstructionFailure(_) => "the request could not be built",
            SdkError::TimeoutError(_) => "timeout",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ResponseError(_) => "unreadable answer",
            SdkError::ServiceError(context) => match context.err().code() {
                Some("AccessDeniedException") => "the function's role may not do this",
                Some("ResourceNotFoundException") => "there is no such table or index",
                Some("ValidationException") => "the request is not valid",
                Some(
                    "ProvisionedThroughputExceededException"
                    | "ThrottlingException"
                    | "RequestLimitExceeded",
                ) => "throttled",
                Some(_) | None => "refused",
            },
            _ => "unknown",
        };
        Self { operation, kind }
    }

    /// An item that was changed by somebody else between two steps.
    fn changed(operation: &'static str) -> Self {
        Self { operation, kind: "it was changed meanwhile" }
    }

    /// Others changed the same item each time it was tried.
    fn contended(operation: &'static str) -> Self {
        Self { operation, kind: "others were faster" }
    }

    /// An item that is there and cannot be understood.
    fn unreadable(operation: &'static str) -> Self {
        Self { operation, kind: STRANGE }
    }
}

#[cfg(test)]
mod tests {
    use super::Unavailable;

    #[test]
    fn only_an_item_that_cannot_be_read_is_no_reason_to_wait_with_others() {
        assert!(Unavailable::unreadable("read a fact").is_of_one_item());
        assert!(!Unavailable::changed("read a fact").is_of_one_item());
        assert!(!Unavailable::contended("read a fact").is_of_one_item());
    }
}
