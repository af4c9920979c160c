//! The agenda: a sparse, sharded, keys-only index of what is still to do. Nothing is found by a scan.
//!
//! | agenda | holds | `agenda_at` |
//! |---|---|---|
//! | `undispatched#NN` | facts whose deliveries are not all queued | when recorded |
//! | `due#<destination>#NN` | deliveries that are not over | when the sweeper looks after them |
//! | `dead#<destination>#NN` | deliveries that were given up | when |
//! | `undecodable#NN` | facts that this version cannot read | when recorded |

use crate::fact::FactKey;
use crate::item::{Item, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, written};
use crate::{Ledger, Unavailable};
use domain::delivery::DeliveryId;
use domain::destination::Destination;
use domain::id::EventId;
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) const NAME: &str = "agenda";
pub(crate) const AT: &str = "agenda_at";

/// How many partitions each list is spread over: no key is hot at a thousand events a second.
pub const SHARDS: u32 = 16;

/// How many entries one look at a shard takes: the rest waits a minute.
const PAGE: u32 = 200;

fn shard(event_id: EventId) -> u32 {
    let [first, ..] = *Uuid::from(event_id).as_bytes();
    u32::from(first) % SHARDS
}

pub(crate) fn undispatched(event_id: EventId) -> String {
    format!("undispatched#{:02}", shard(event_id))
}

pub(crate) fn due(id: &DeliveryId) -> String {
    due_of(id.destination, shard(id.event_id))
}

fn due_of(destination: Destination, shard: u32) -> String {
    format!("due#{destination}#{shard:02}")
}

pub(crate) fn dead(destination: Destination, event_id: EventId) -> String {
    format!("dead#{destination}#{:02}", shard(event_id))
}

pub(crate) fn undecodable(event_id: EventId) -> String {
    format!("undecodable#{:02}", shard(event_id))
}

/// A delivery that the sweeper should look after, as the index shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub id: DeliveryId,
    /// The time it was listed under; the condition of what follows.
    pub listed_at: Timestamp,
}

impl Ledger {
    /// Facts of one shard (0 to [`SHARDS`] - 1) that were recorded before a time and never
    /// dispatched, oldest first. The index lags by moments: nothing follows from an absence.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn undispatched(
        &self,
        shard: u32,
        before: Timestamp,
    ) -> Result<Vec<FactKey>, Unavailable> {
        let items = self.agenda(&format!("undispatched#{shard:02}"), before, PAGE).await?;
        Ok(items.iter().filter_map(fact_key).collect())
    }

    /// Deliveries of one destination and shard that are due before a time, most overdue first, and
    /// at most so many. Each destination has lists of its own: one that is shut holds nobody up.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn due(
        &self,
        destination: Destination,
        shard: u32,
        before: Timestamp,
        most: Option<u32>,
    ) -> Result<Vec<Due>, Unavailable> {
        let most = most.unwrap_or(PAGE);
        let items = self.agenda(&due_of(destination, shard), before, most).await?;
        Ok(items.iter().filter_map(due_entry).collect())
    }

    async fn agenda(
        &self,
        name: &str,
        before: Timestamp,
        most: u32,
    ) -> Result<Vec<Item>, Unavailable> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(NAME)
            .key_condition_expression("agenda = :agenda AND agenda_at <= :before")
            .expression_attribute_values(":agenda", text(name))
            .expression_attribute_values(":before", time(before))
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| Unavailable::from_sdk("read the agenda", &error))?;
        Ok(page.items.unwrap_or_default())
    }

    /// Puts off when the sweeper looks at a delivery again, if it is still listed as it was read:
    /// of two sweepers, one goes on.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn put_off(&self, due: &Due, until: Timestamp) -> Result<bool, Unavailable> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(due.id.event_id)))
            .key(SK, text(key::delivery(&due.id)))
            .update_expression("SET agenda_at = :until")
            .condition_expression("agenda_at = :read AND begins_with(agenda, :due)")
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":read", number(due.listed_at.as_millisecond()))
            .expression_attribute_values(":due", text("due#"))
            .send()
            .await;
        match written("put a delivery off", update)? {
            Written::Landed(_) => Ok(true),
            Written::Refused(_) => Ok(false),
        }
    }
}

fn fact_key(item: &Item) -> Option<FactKey> {
    let event_id = key::journey_of(get_text(item, PK)?)?;
    Some(FactKey { event_id, sk: get_text(item, SK)?.to_owned() })
}

fn due_entry(item: &Item) -> Option<Due> {
    let event_id = key::journey_of(get_text(item, PK)?)?;
    let id = key::delivery_of(event_id, get_text(item, SK)?)?;
    Some(Due { id, listed_at: get_time(item, AT)? })
}

#[cfg(test)]
mod tests {
    use super::{SHARDS, shard};
    use domain::id::EventId;

    #[test]
    fn journeys_are_spread_over_all_lists_alike() {
        let mut lists = vec![0; SHARDS as usize];
        for first in 0..=u8::MAX {
            let journey = format!("{first:02x}1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c01");
            lists[shard(EventId::parse(&journey).unwrap()) as usize] += 1;
        }
        assert_eq!(lists, vec![16; SHARDS as usize]);
    }
}
