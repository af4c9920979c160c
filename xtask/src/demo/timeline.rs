//! A journey's timeline as the ledger holds it: one query of one partition.

use crate::aws::{self, Service};
use crate::stack::Stack;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The facts, each with what was decided for every destination, and the deliveries.
pub(crate) struct Timeline {
    facts: Vec<Fact>,
    deliveries: BTreeMap<(String, String), Delivery>,
}

struct Fact {
    sk: String,
    occurred_at: String,
    kind: String,
    effect: String,
    routes: Vec<Value>,
}

/// A delivery, in the words of the ledger.
pub(crate) struct Delivery {
    pub(crate) state: String,
    reason: String,
    detail: String,
    attempts: String,
}

impl Timeline {
    pub(crate) async fn read(stack: &Stack, event_id: &str) -> Result<Self> {
        let query = json!({
            "TableName": stack.table_name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": format!("JOURNEY#{event_id}")}},
            "ConsistentRead": true,
        });
        let page = aws::call(&stack.aws_endpoint, Service::DynamoDb, "Query", &query).await?;
        let items = page["Items"].as_array().context("the ledger answered no items")?;
        let mut timeline = Self { facts: Vec::new(), deliveries: BTreeMap::new() };
        for item in items {
            timeline.add(item)?;
        }
        for item in items {
            timeline.add_route(item)?;
        }
        timeline.facts.sort_by(|a, b| (&a.occurred_at, &a.sk).cmp(&(&b.occurred_at, &b.sk)));
        Ok(timeline)
    }

    fn add(&mut self, item: &Value) -> Result<()> {
        let sk = text(item, "sk");
        if sk.starts_with("FACT#") {
            let fact: Value = serde_json::from_str(&text(item, "fact"))?;
            self.facts.push(Fact {
                sk,
                occurred_at: fact["occurred_at"].as_str().unwrap_or_default().to_owned(),
                kind: text(item, "kind"),
                effect: text(item, "effect"),
                routes: Vec::new(),
            });
        } else if let Some((effect, destination)) =
            sk.strip_prefix("DELIVERY#").and_then(|id| id.rsplit_once('#'))
        {
            let delivery = Delivery {
                state: text(item, "state"),
                reason: text(item, "reason"),
                detail: text(item, "detail"),
                attempts: item["attempts"]["N"].as_str().unwrap_or("0").to_owned(),
            };
            self.deliveries.insert((effect.to_owned(), destination.to_owned()), delivery);
        }
        Ok(())
    }

    fn add_route(&mut self, item: &Value) -> Result<()> {
        let sk = text(item, "sk");
        if let Some(of) = sk.strip_prefix("ROUTE#")
            && let Some(fact) = self.facts.iter_mut().find(|fact| fact.sk == of)
        {
            fact.routes = serde_json::from_str(&text(item, "routes"))?;
        }
        Ok(())
    }

    /// Whether so many facts are there, all routed, and every delivery that was asked for has ended.
    pub(crate) fn is_settled(&self, facts: usize) -> bool {
        let asked_for_is_there = self.facts.iter().all(|fact| {
            !fact.routes.is_empty()
                && fact.routes.iter().filter(|route| route["decision"] == "send").all(|route| {
                    let destination = route["destination"].as_str().unwrap_or_default();
                    self.deliveries.contains_key(&(fact.effect.clone(), destination.to_owned()))
                })
        });
        let ended = ["delivered", "accepted_unverifiable", "skipped", "dead"];
        self.facts.len() == facts
            && asked_for_is_there
            && self.deliveries.values().all(|delivery| ended.contains(&delivery.state.as_str()))
    }

    /// Every delivery as (kind of effect, destination).
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = (&str, &str, &Delivery)> {
        self.deliveries.iter().map(|((effect, destination), delivery)| {
            (effect.split(':').next().unwrap_or_default(), destination.as_str(), delivery)
        })
    }

    /// The timeline for a person: each fact, and under it every destination with what came of it.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for fact in &self.facts {
            lines.push(format!("  {}  {}  {}", fact.occurred_at, fact.kind, fact.effect));
            for route in &fact.routes {
                lines.push(self.route_line(fact, route));
            }
        }
        lines
    }

    fn route_line(&self, fact: &Fact, route: &Value) -> String {
        let destination = route["destination"].as_str().unwrap_or_default();
        let delivery = self.deliveries.get(&(fact.effect.clone(), destination.to_owned()));
        let told = match (route["decision"].as_str(), delivery) {
            (Some("skip"), _) => format!(
                "skip   {}: {}",
                route["reason"].as_str().unwrap_or_default(),
                route["detail"].as_str().unwrap_or_default()
            ),
            (_, Some(delivery)) => delivery.told(),
            (_, None) => "asked for, not opened yet".to_owned(),
        };
        format!("      {destination:<11} {told}")
    }

    pub(crate) fn as_json(&self) -> Value {
        let facts = self.facts.iter().map(|fact| {
            json!({
                "occurred_at": fact.occurred_at, "kind": fact.kind, "effect": fact.effect,
                "fact": fact.sk, "routes": fact.routes,
            })
        });
        let deliveries = self.deliveries.iter().map(|((effect, destination), delivery)| {
            json!({
                "effect": effect, "destination": destination, "state": delivery.state,
                "reason": delivery.reason, "detail": delivery.detail,
                "attempts": delivery.attempts.parse::<u32>().unwrap_or(0),
            })
        });
        json!({"facts": facts.collect::<Vec<_>>(), "deliveries": deliveries.collect::<Vec<_>>()})
    }
}

impl Delivery {
    fn told(&self) -> String {
        let word = match self.state.as_str() {
            "delivered" => "ok     delivered",
            "accepted_unverifiable" => "ok     accepted (the vendor says so to anything)",
            "skipped" => "skip  ",
            "dead" => "dead  ",
            other => other,
        };
        let attempts =
            if self.attempts == "1" { String::new() } else { format!(", {} calls", self.attempts) };
        let mut told = format!("{word} {}", self.reason).trim_end().to_owned() + &attempts;
        if !self.detail.is_empty() {
            told.push_str(&format!(": {}", self.detail));
        }
        told
    }
}

fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}
