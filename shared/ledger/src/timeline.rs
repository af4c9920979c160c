//! A journey's timeline: its facts, how each was routed, and what became of every delivery. One query.

use crate::delivery::{self, DeliveryRecord};
use crate::fact::{self, FactKey};
use crate::item::{Item, get_text, text};
use crate::key::{self, PK, SK};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::fact::Fact;
use domain::id::EventId;
use domain::routing::Route;

/// Everything that happened in a journey.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// The facts, in the order of the table.
    pub facts: Vec<Fact>,
    /// The routing of each.
    pub routes: Vec<RouteRecord>,
    /// The deliveries.
    pub deliveries: Vec<DeliveryRecord>,
}

/// How one fact was routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRecord {
    /// The sort key of the fact.
    pub fact: String,
    /// The decision for every destination.
    pub routes: Vec<Route>,
}

impl Ledger {
    /// Reads a journey's timeline.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn timeline(&self, event_id: EventId) -> Result<Timeline, Unavailable> {
        let mut timeline = Timeline::default();
        for item in self.query_journey(event_id, "").await? {
            let sk = get_text(&item, SK).unwrap_or_default();
            if sk.starts_with(key::fact_key_prefix()) {
                timeline.facts.extend(fact::decode(&item));
            } else if let Some(fact) = sk.strip_prefix(key::ROUTE) {
                let routes = decode_routes(&item).unwrap_or_default();
                timeline.routes.push(RouteRecord { fact: fact.to_owned(), routes });
            } else if let Some(id) = key::delivery_of(event_id, sk) {
                timeline.deliveries.extend(delivery::decode(id, &item));
            }
        }
        Ok(timeline)
    }

    /// Keeps the routing of a fact if there is none, and says what holds: this one, or the one that
    /// was kept first.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn keep_route(
        &self,
        fact: &FactKey,
        routes: Vec<Route>,
        expires_at: i64,
    ) -> Result<Vec<Route>, Unavailable> {
        const OPERATION: &str = "keep a routing";
        let document =
            serde_json::to_string(&routes).map_err(|_| Unavailable::unreadable(OPERATION))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, text(key::journey(fact.event_id)))
            .item(SK, text(key::route(&fact.sk)))
            .item("routes", text(document))
            .item("expires_at", crate::item::number(expires_at))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put {
            Ok(_) => Ok(routes),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item().and_then(decode_routes).ok_or(Unavailable::unreadable(OPERATION))
                }
                _ => Err(Unavailable::from_sdk(OPERATION, &error)),
            },
        }
    }

    /// Replaces the routing of a fact: for what only the opening of deliveries shows, duplicates.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn correct_route(&self, fact: &FactKey, routes: &[Route]) -> Result<(), Unavailable> {
        const OPERATION: &str = "correct a routing";
        let document =
            serde_json::to_string(routes).map_err(|_| Unavailable::unreadable(OPERATION))?;
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(fact.event_id)))
            .key(SK, text(key::route(&fact.sk)))
            .update_expression("SET routes = :routes")
            .expression_attribute_values(":routes", text(document))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Unavailable::from_sdk(OPERATION, &error))
    }
}

fn decode_routes(item: &Item) -> Option<Vec<Route>> {
    serde_json::from_str(get_text(item, "routes")?).ok()
}
