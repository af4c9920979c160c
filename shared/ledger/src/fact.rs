//! Facts: the one conditional write that is idempotency check, inbox and outbox in one.

use crate::agenda;
use crate::item::{Item, get_text, number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, unless_refused, written};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::fact::Fact;
use domain::id::EventId;
use domain::journey::Journey;
use jiff::SignedDuration;
use std::collections::HashMap;

/// What became of a fact. Either way it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    New,
    /// It was stored before: here is what was said then. It may be this very write, whose answer
    /// was lost on the way.
    Known(Box<Fact>),
}

/// A fact's place in the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FactKey {
    /// The journey.
    pub event_id: EventId,
    /// The sort key, `FACT#<source>#<id>`.
    pub sk: String,
}

impl FactKey {
    /// The place of a fact.
    #[must_use]
    pub fn of(fact: &Fact) -> Self {
        Self { event_id: fact.event_id, sk: key::fact(&fact.source) }
    }
}

impl Ledger {
    /// Records a fact: one conditional `PutItem`. A fact whose source says the same id again is not
    /// stored again. `keep` is how long it stays.
    ///
    /// # Errors
    /// [`Unavailable`]: nobody knows whether it is stored; say the same again.
    pub async fn record(&self, fact: &Fact, keep: SignedDuration) -> Result<Recorded, Unavailable> {
        const OPERATION: &str = "record a fact";
        let expires_at = fact.recorded_at.as_second().saturating_add(keep.as_secs());
        let document =
            serde_json::to_string(fact).map_err(|_| Unavailable::unreadable(OPERATION))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, text(key::journey(fact.event_id)))
            .item(SK, text(key::fact(&fact.source)))
            .item("fact", text(document))
            .item("kind", text(fact.happening.name()))
            .item("effect", text(fact.effect().as_str()))
            .item(agenda::NAME, text(agenda::undispatched(fact.event_id)))
            .item(agenda::AT, time(fact.recorded_at))
            .item("expires_at", number(expires_at))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match written(OPERATION, put)? {
            Written::Landed(_) => Ok(Recorded::New),
            Written::Refused(was) => {
                let known = was.as_ref().and_then(decode);
                known
                    .map(|fact| Recorded::Known(Box::new(fact)))
                    .ok_or(Unavailable::unreadable(OPERATION))
            }
        }
    }

    /// Takes a fact off the list of the undispatched, unless somebody wishes it to be replayed
    /// meanwhile. May be repeated.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn mark_dispatched(&self, fact: &FactKey) -> Result<(), Unavailable> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(fact.event_id)))
            .key(SK, text(&fact.sk))
            .update_expression("REMOVE agenda, agenda_at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(replay)")
            .send()
            .await;
        // Expired meanwhile: there is nothing left to mark, and an update must not make an
        // empty item. Or a replay is wished for: that takes it off the list when it is done.
        unless_refused("mark a fact as dispatched", update)
    }

    /// Marks a fact that this version cannot decode, so that it is passed and an alarm sees it. What
    /// is wished for it is forgotten: whoever deploys a version that can read it wishes it again.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn mark_undecodable(&self, fact: &FactKey) -> Result<(), Unavailable> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(fact.event_id)))
            .key(SK, text(&fact.sk))
            .update_expression("SET agenda = :undecodable REMOVE replay")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":undecodable", text(agenda::undecodable(fact.event_id)))
            .send()
            .await;
        // Expired meanwhile: there is nothing left to mark.
        unless_refused("mark a fact as undecodable", update)
    }

    /// Reads a journey's facts, as they are at this moment.
    ///
    /// # Errors
    /// [`Unavailable`], also where a fact has a shape that this version does not know.
    pub async fn journey(&self, event_id: EventId) -> Result<Journey, Unavailable> {
        let items = self.query_journey(event_id, key::fact_key_prefix()).await?;
        let facts: Option<Vec<Fact>> = items.iter().map(decode).collect();
        facts
            .map(|facts| Journey::new(event_id, facts))
            .ok_or(Unavailable::unreadable("read a journey"))
    }

    /// All items of a journey whose sort key begins with a prefix; a consistent read, page by page.
    pub(crate) async fn query_journey(
        &self,
        event_id: EventId,
        prefix: &str,
    ) -> Result<Vec<Item>, Unavailable> {
        self.query_all(&key::journey(event_id), prefix).await
    }

    /// All items of a partition whose sort key begins with a prefix.
    pub(crate) async fn query_all(&self, pk: &str, prefix: &str) -> Result<Vec<Item>, Unavailable> {
        let mut items = Vec::new();
        let mut from: Option<HashMap<String, _>> = None;
        loop {
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .expression_attribute_values(":pk", text(pk))
                .set_exclusive_start_key(from);
            query = if prefix.is_empty() {
                query.key_condition_expression("pk = :pk")
            } else {
                query
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix))
            };
            let page = query
                .send()
                .await
                .map_err(|error| Unavailable::from_sdk("read a partition", &error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(items);
            }
        }
    }
}

/// Reads a fact out of its item.
pub(crate) fn decode(item: &Item) -> Option<Fact> {
    serde_json::from_str(get_text(item, "fact")?).ok()
}
