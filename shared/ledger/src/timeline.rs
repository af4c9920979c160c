//! A journey's timeline: its facts, how each was routed, what became of every delivery, and what was
//! done by hand. One query.

use crate::agenda;
use crate::delivery::{self, DeliveryRecord};
use crate::fact::FactKey;
use crate::item::{Item, get_text, get_time, text};
use crate::key::{self, PK, SK};
use crate::operator::{self, Audit, Open};
use crate::write::{Written, written};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::fact::Fact;
use domain::id::EventId;
use domain::routing::Route;
use jiff::Timestamp;

/// Everything that happened in a journey.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// The facts, in the order of the table.
    pub facts: Vec<Fact>,
    /// The routing of each.
    pub routes: Vec<RouteRecord>,
    /// The deliveries.
    pub deliveries: Vec<DeliveryRecord>,
    /// Facts and deliveries that this version cannot read. Nothing that decides may pass them over.
    pub undecodable: Vec<Undecodable>,
    /// Facts that wait for their first dispatch, or for a replay.
    pub open: Vec<Open>,
    /// What was done by hand.
    pub audits: Vec<Audit>,
}

/// An item of a journey that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Its sort key.
    pub sk: String,
    /// What kind of fact it says it is.
    pub kind: Option<String>,
    /// When it was recorded, where that is still known.
    pub recorded_at: Option<Timestamp>,
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
    /// Reads a journey's timeline, for a person to look at: what cannot be read is shown as such.
    /// Whatever decides reads [`Ledger::journey`], which refuses.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn timeline(&self, event_id: EventId) -> Result<Timeline, Unavailable> {
        let mut timeline = Timeline::default();
        for item in self.query_journey(event_id, "").await? {
            timeline.add(event_id, &item);
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
        match written(OPERATION, put)? {
            Written::Landed(_) => Ok(routes),
            Written::Refused(was) => {
                was.as_ref().and_then(decode_routes).ok_or(Unavailable::unreadable(OPERATION))
            }
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

impl Timeline {
    fn add(&mut self, event_id: EventId, item: &Item) {
        let sk = get_text(item, SK).unwrap_or_default();
        if sk.starts_with(key::fact_key_prefix()) {
            self.add_fact(FactKey { event_id, sk: sk.to_owned() }, item);
        } else if let Some(fact) = sk.strip_prefix(key::ROUTE) {
            let routes = decode_routes(item).unwrap_or_default();
            self.routes.push(RouteRecord { fact: fact.to_owned(), routes });
        } else if sk.starts_with(key::DELIVERY) {
            let record = key::delivery_of(event_id, sk).and_then(|id| delivery::decode(id, item));
            match record {
                Some(record) => self.deliveries.push(record),
                None => self.undecodable.push(undecodable(sk, item)),
            }
        } else if sk.starts_with(key::AUDIT) {
            self.audits.extend(operator::decode_audit(item));
        }
    }

    fn add_fact(&mut self, key: FactKey, item: &Item) {
        let open = operator::decode_open(key, item);
        match &open.fact {
            Some(fact) => self.facts.push(fact.clone()),
            None => self.undecodable.push(undecodable(&open.key.sk, item)),
        }
        let undispatched = |name: &str| name.starts_with("undispatched#");
        if get_text(item, agenda::NAME).is_some_and(undispatched) {
            self.open.push(open);
        }
    }
}

fn undecodable(sk: &str, item: &Item) -> Undecodable {
    Undecodable {
        sk: sk.to_owned(),
        kind: get_text(item, "kind").map(str::to_owned),
        recorded_at: get_time(item, agenda::AT).or_else(|| get_time(item, "created_at")),
    }
}

fn decode_routes(item: &Item) -> Option<Vec<Route>> {
    serde_json::from_str(get_text(item, "routes")?).ok()
}
