//! What a person does to the ledger by hand: dead deliveries begun again, dropped or settled, facts
//! replayed. Each deed is one conditional write, and its audit is part of it: both are there, or none.

mod audit;
mod dead;
mod lists;
mod scan;
mod table;
mod wish;

pub use audit::{Audit, Deed, What};
pub use lists::List;
pub use scan::{Found, Slice};
pub use table::Condition;
pub use wish::{Open, Reopened, Reopening, Wish};

pub(crate) use audit::decode as decode_audit;
pub(crate) use wish::decode as decode_open;

use crate::item::text;
use crate::key::{PK, SK};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};

/// What became of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// It is done, and recorded.
    Done,
    /// What it was to change is no longer as it was read: nothing was changed.
    Changed,
}

impl Ledger {
    /// Starts an update of one item, to be made with its audit.
    fn amend(&self, pk: String, sk: &str) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key(PK, text(pk)).key(SK, text(sk))
    }

    /// Makes a change together with its audit. The SDK names each try by one token, so that an
    /// answer that was lost is no second deed.
    pub(crate) async fn with_audit(
        &self,
        operation: &'static str,
        change: UpdateBuilder,
        audit: Put,
    ) -> Result<Mended, Unavailable> {
        let change = change.build().map_err(|_| Unavailable::unreadable(operation))?;
        let sent = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(change).build())
            .transact_items(TransactWriteItem::builder().put(audit).build())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Mended::Done),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled))
                    if canceled
                        .cancellation_reasons()
                        .iter()
                        .any(|reason| reason.code() == Some("ConditionalCheckFailed")) =>
                {
                    Ok(Mended::Changed)
                }
                _ => Err(Unavailable::from_sdk(operation, &error)),
            },
        }
    }
}
