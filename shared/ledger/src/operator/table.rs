//! The table itself, as a check-up sees it.

use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::{TableStatus, TimeToLiveStatus};

/// How a table is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Whether it can be used.
    pub active: bool,
    /// About how many items it holds; DynamoDB counts every six hours.
    pub items: u64,
    /// About how many bytes they take.
    pub bytes: u64,
    /// Whether what expires is deleted.
    pub expires: bool,
    /// Whether its changes are streamed to the dispatcher.
    pub streams: bool,
}

impl Ledger {
    /// Looks at the table.
    ///
    /// # Errors
    /// [`Unavailable`], also where there is no such table.
    pub async fn condition(&self) -> Result<Condition, Unavailable> {
        const OPERATION: &str = "look at the table";
        let described = self
            .client
            .describe_table()
            .table_name(&self.table)
            .send()
            .await
            .map_err(|error| Unavailable::from_sdk(OPERATION, &error))?;
        let table = described.table.ok_or(Unavailable::unreadable(OPERATION))?;
        let ttl = self
            .client
            .describe_time_to_live()
            .table_name(&self.table)
            .send()
            .await
            .map_err(|error| Unavailable::from_sdk(OPERATION, &error))?;
        let ttl = ttl.time_to_live_description.and_then(|ttl| ttl.time_to_live_status);
        Ok(Condition {
            active: table.table_status == Some(TableStatus::Active),
            items: whole(table.item_count),
            bytes: whole(table.table_size_bytes),
            expires: matches!(ttl, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)),
            streams: table.stream_specification.is_some_and(|stream| stream.stream_enabled),
        })
    }
}

fn whole(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}
