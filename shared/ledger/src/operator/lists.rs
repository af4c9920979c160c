//! How long the agenda's lists are.

use crate::agenda::{self, SHARDS};
use crate::item::text;
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::Select;
use domain::destination::Destination;

/// A list of the agenda, all its shards together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Deliveries of a destination that are not over.
    Due(Destination),
    /// Deliveries of a destination that were given up.
    Dead(Destination),
    /// Facts that a version could not read.
    Undecodable,
}

impl Ledger {
    /// How many entries a list has. The index lags by moments.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn length(&self, list: List) -> Result<u64, Unavailable> {
        let mut sum = 0;
        for shard in 0..SHARDS {
            let name = match list {
                List::Due(to) => format!("due#{to}#{shard:02}"),
                List::Dead(to) => format!("dead#{to}#{shard:02}"),
                List::Undecodable => format!("undecodable#{shard:02}"),
            };
            let mut pages = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(agenda::NAME)
                .key_condition_expression("agenda = :agenda")
                .expression_attribute_values(":agenda", text(name))
                .select(Select::Count)
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| Unavailable::from_sdk("count the agenda", &e))?;
                sum += u64::try_from(page.count).unwrap_or(0);
            }
        }
        Ok(sum)
    }
}
