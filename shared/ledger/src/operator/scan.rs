//! Facts by their time. There is no index for this by design (every fact would be written once more,
//! for ever): a person who replays a destination reads the whole table, in segments, when they must.

use crate::agenda;
use crate::fact::{self, FactKey};
use crate::item::{Item, get_number, get_text};
use crate::key::{self, PK, SK};
use crate::{Ledger, Unavailable};
use domain::fact::Fact;
use std::collections::HashMap;

/// One of several equal parts of the table, which are read side by side.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Which, from 0.
    pub segment: u32,
    /// Of how many.
    pub of: u32,
}

/// A fact that a scan met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place.
    pub key: FactKey,
    /// The fact; `None` where this version does not understand it.
    pub fact: Option<Fact>,
    /// Until when it is kept, in seconds.
    pub expires_at: i64,
    /// Whether it still waits for its first dispatch, or for a replay.
    pub is_open: bool,
}

/// Where a scan goes on.
type From = HashMap<String, aws_sdk_dynamodb::types::AttributeValue>;

impl Ledger {
    /// Reads the facts of a part of the table, page by page, and hands each page over with the
    /// number of items that were looked at for it.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn scan_facts(
        &self,
        slice: Slice,
        mut page: impl FnMut(Vec<Found>, u64),
    ) -> Result<(), Unavailable> {
        let mut from: Option<From> = None;
        loop {
            let answer = self
                .client
                .scan()
                .table_name(&self.table)
                .segment(i32::try_from(slice.segment).unwrap_or(0))
                .total_segments(i32::try_from(slice.of).unwrap_or(1))
                .projection_expression("pk, sk, fact, agenda, replay, expires_at")
                .filter_expression("begins_with(sk, :fact)")
                .expression_attribute_values(":fact", crate::item::text(key::fact_key_prefix()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| Unavailable::from_sdk("read through the facts", &error))?;
            let looked_at = u64::try_from(answer.scanned_count).unwrap_or(0);
            let items = answer.items.unwrap_or_default();
            page(items.iter().filter_map(found).collect(), looked_at);
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

fn found(item: &Item) -> Option<Found> {
    let event_id = key::journey_of(get_text(item, PK)?)?;
    let undecodable =
        get_text(item, agenda::NAME).is_some_and(|name| name.starts_with("undecodable#"));
    Some(Found {
        key: FactKey { event_id, sk: get_text(item, SK)?.to_owned() },
        fact: fact::decode(item),
        expires_at: get_number(item, "expires_at").unwrap_or_default(),
        is_open: item.contains_key("replay") || (item.contains_key(agenda::NAME) && !undecodable),
    })
}
