//! Dead deliveries: listed, begun again, dropped, settled. Nothing that lives or is done is touched.

use super::audit::Subject;
use super::{Deed, Mended, What};
use crate::agenda::{self, Due, SHARDS};
use crate::delivery::DeliveryRecord;
use crate::item::{Item, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use domain::delivery::State;
use domain::destination::Destination;
use jiff::Timestamp;

impl Ledger {
    /// The dead deliveries of a destination in one shard (0 to [`SHARDS`] - 1), all of them, oldest
    /// first. The index lags by moments, and says where to look: what holds is the record.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn dead(&self, to: Destination, shard: u32) -> Result<Vec<Due>, Unavailable> {
        debug_assert!(shard < SHARDS, "there are {SHARDS} shards");
        let name = format!("dead#{to}#{shard:02}");
        let pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(agenda::NAME)
            .key_condition_expression("agenda = :agenda")
            .expression_attribute_values(":agenda", text(name))
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(|error| Unavailable::from_sdk("list the dead deliveries", &error))?;
        Ok(pages.iter().filter_map(entry).collect())
    }

    /// Begins a dead delivery again: queued, with a new age and no attempts, to be sent at a time.
    ///
    /// # Errors
    /// [`Unavailable`]: look whether it is done, and ask again.
    pub async fn redrive(
        &self,
        dead: &DeliveryRecord,
        at: Timestamp,
        deed: Deed<'_>,
    ) -> Result<Mended, Unavailable> {
        self.revive(dead, at, What::Redriven, deed).await
    }

    /// Takes a dead delivery off the list for good: it stays dead, and nobody is asked any more.
    ///
    /// # Errors
    /// [`Unavailable`]: look whether it is done, and ask again.
    pub async fn drop_dead(
        &self,
        dead: &DeliveryRecord,
        deed: Deed<'_>,
    ) -> Result<Mended, Unavailable> {
        let change = self
            .amend_dead(dead, deed)
            .update_expression("SET updated_at = :now REMOVE agenda, agenda_at");
        self.done_to(dead, change, What::Dropped, deed).await
    }

    /// Ends a call of which nobody knew: somebody looked, and it had happened.
    ///
    /// # Errors
    /// [`Unavailable`]: look whether it is done, and ask again.
    pub async fn settle_as_happened(
        &self,
        dead: &DeliveryRecord,
        deed: Deed<'_>,
    ) -> Result<Mended, Unavailable> {
        let detail = format!("it had happened: settled by {}", deed.who);
        let change = self
            .amend_dead(dead, deed)
            .update_expression(
                "SET #state = :delivered, reason = :none, detail = :detail, updated_at = :now \
                 REMOVE agenda, agenda_at",
            )
            .expression_attribute_values(":delivered", text(State::Delivered.name()))
            .expression_attribute_values(":none", text(""))
            .expression_attribute_values(":detail", text(detail));
        self.done_to(dead, change, What::SettledAsHappened, deed).await
    }

    /// Ends a call of which nobody knew: somebody looked, and it had not happened. It is made again.
    ///
    /// # Errors
    /// [`Unavailable`]: look whether it is done, and ask again.
    pub async fn settle_as_not_happened(
        &self,
        dead: &DeliveryRecord,
        deed: Deed<'_>,
    ) -> Result<Mended, Unavailable> {
        self.revive(dead, deed.at, What::SettledAsNotHappened, deed).await
    }

    async fn revive(
        &self,
        dead: &DeliveryRecord,
        at: Timestamp,
        what: What,
        deed: Deed<'_>,
    ) -> Result<Mended, Unavailable> {
        let detail = format!("begun again by {}", deed.who);
        let change = self
            .amend_dead(dead, deed)
            .update_expression(
                "SET #state = :queued, reason = :none, detail = :detail, attempts = :zero, \
                 claims = :zero, updated_at = :now, revived_at = :now, agenda = :due, agenda_at = :at \
                 REMOVE next_at, dead_lettered",
            )
            .expression_attribute_values(":queued", text(State::Queued.name()))
            .expression_attribute_values(":none", text(""))
            .expression_attribute_values(":detail", text(detail))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":due", text(agenda::due(&dead.id)))
            .expression_attribute_values(":at", time(at));
        self.done_to(dead, change, what, deed).await
    }

    /// A change of a delivery that is dead, and as it was read.
    fn amend_dead(&self, dead: &DeliveryRecord, deed: Deed<'_>) -> UpdateBuilder {
        self.amend(key::journey(dead.id.event_id), &key::delivery(&dead.id))
            .condition_expression("#state = :dead AND updated_at = :read")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":dead", text(State::Dead.name()))
            .expression_attribute_values(":read", time(dead.updated_at))
            .expression_attribute_values(":now", time(deed.at))
    }

    async fn done_to(
        &self,
        dead: &DeliveryRecord,
        change: UpdateBuilder,
        what: What,
        deed: Deed<'_>,
    ) -> Result<Mended, Unavailable> {
        let calls = if dead.attempts == 1 { "call" } else { "calls" };
        let subject = Subject {
            event_id: dead.id.event_id,
            name: &dead.id.to_string(),
            note: &format!("dead {} after {} {calls}: {}", dead.reason, dead.attempts, dead.detail),
            expires_at: dead.expires_at,
        };
        let audit = self.audit(what, &subject, deed)?;
        self.with_audit("change a dead delivery", change, audit).await
    }
}

fn entry(item: &Item) -> Option<Due> {
    let event_id = key::journey_of(get_text(item, PK)?)?;
    let id = key::delivery_of(event_id, get_text(item, SK)?)?;
    Some(Due { id, listed_at: get_time(item, agenda::AT)? })
}
