//! What the table in memory assumes of DynamoDB.

use super::code;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem, Update,
};
use std::collections::{BTreeMap, HashMap};

const WRITING: &str =
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html";
const CONDITIONS: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html";
const UPDATES: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html";
const QUERIES: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html";
const PAGES: &str =
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html";
const TRANSACTIONS: &str =
    "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html";
const INDEXES: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html";

/// One table under trial: its client, its name, and a partition that is nobody else's.
pub struct Trial<'a> {
    /// The SDK's client.
    pub client: &'a Client,
    /// The table's name.
    pub table: &'a str,
    /// The partition's key.
    pub partition: &'a str,
}

type Item = HashMap<String, AttributeValue>;

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// An item without its partition, which differs from trial to trial.
fn shown(item: Option<&Item>) -> String {
    let sorted: Option<BTreeMap<&String, &AttributeValue>> =
        item.map(|item| item.iter().filter(|(name, _)| *name != "pk").collect());
    sorted.map_or_else(|| "no item".to_owned(), |item| format!("{item:?}"))
}

impl Trial<'_> {
    /// Plays every case, and tells what came of each.
    pub async fn play(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.puts(&mut lines).await;
        self.updates(&mut lines).await;
        self.conditions(&mut lines).await;
        self.queries(&mut lines).await;
        self.index(&mut lines).await;
        self.transactions(&mut lines).await;
        lines
    }

    async fn puts(&self, lines: &mut Vec<String>) {
        for (value, on_failure) in [
            ("first", OnFailure::AllOld),
            ("second", OnFailure::AllOld),
            ("third", OnFailure::None),
        ] {
            let put = self.client.put_item().table_name(self.table);
            let put =
                put.item("pk", s(self.partition)).item("sk", s("TRIAL#1")).item("value", s(value));
            let put = put
                .condition_expression("attribute_not_exists(pk)")
                .return_values_on_condition_check_failure(on_failure);
            let line = match put.send().await {
                Ok(_) => "put".to_owned(),
                Err(error) => {
                    let old = match error.as_service_error() {
                        Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                            failed.item()
                        }
                        Some(_) | None => None,
                    };
                    format!("{} with {}", code(&error), shown(old))
                }
            };
            lines.push(format!("put if new, {value}: {line} ({WRITING})"));
        }
    }

    fn update(&self, sk: &str, expression: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(self.table)
            .key("pk", s(self.partition))
            .key("sk", s(sk))
            .update_expression(expression)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
    }

    async fn told(&self, lines: &mut Vec<String>, name: &str, update: UpdateItemFluentBuilder) {
        let line = match update.send().await {
            Ok(output) => shown(output.attributes()),
            Err(error) => {
                let old = match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(failed)) => failed.item(),
                    Some(_) | None => None,
                };
                // An empty item and none are the same to the ledger.
                format!("{} with {}", code(&error), shown(old.filter(|item| !item.is_empty())))
            }
        };
        lines.push(format!("{name}: {line}"));
    }

    async fn updates(&self, lines: &mut Vec<String>) {
        let one = || n(1);
        let update = self
            .update("TRIAL#2", "SET a = :a ADD hits :one")
            .expression_attribute_values(":a", s("x"));
        self.told(lines, UPDATES, update.expression_attribute_values(":one", one())).await;
        let update =
            self.update("TRIAL#2", "SET #state = :s, b = :s REMOVE a, nothere ADD hits :one");
        let update = update
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":s", s("y"));
        self.told(lines, UPDATES, update.expression_attribute_values(":one", one())).await;
        for member in ["m1", "m1", "m2"] {
            let set = AttributeValue::Ss(vec![member.to_owned()]);
            let update =
                self.update("TRIAL#3", "ADD members :m").expression_attribute_values(":m", set);
            self.told(lines, UPDATES, update).await;
        }
        for value in ["first", "second"] {
            let kept = "SET since = if_not_exists(since, :a), latest = :a";
            let update = self.update("TRIAL#4", kept).expression_attribute_values(":a", s(value));
            self.told(lines, UPDATES, update).await;
        }
        let update =
            self.update("TRIAL#none", "SET a = :a").condition_expression("attribute_exists(pk)");
        self.told(lines, UPDATES, update.expression_attribute_values(":a", s("x"))).await;
        let update =
            self.update("TRIAL#2", "SET sk = :a").expression_attribute_values(":a", s("x"));
        self.told(lines, UPDATES, update).await;
    }

    async fn conditions(&self, lines: &mut Vec<String>) {
        // Of the item TRIAL#2: state and b are "y", hits is 2, members is not there.
        let cases = [
            "hits < :three",
            "hits <= :two",
            "hits > :two",
            "hits >= :two",
            "hits = :two",
            "hits <> :two",
            "nothere < :three",
            "nothere = :three",
            "nothere <> :three",
            "attribute_not_exists(nothere)",
            "b IN (:x, :y)",
            "b IN (:x)",
            "begins_with(b, :y)",
            "contains(b, :y)",
            "size(b) < :two",
            "b = :x OR hits = :two AND b = :y",
            "(b = :x OR hits = :two) AND b = :x",
            "b < :two",
            "hits BETWEEN :two AND :three",
            "NOT b = :x",
        ];
        for case in cases {
            let mut update = self.update("TRIAL#2", "SET seen = :seen").condition_expression(case);
            update = update.expression_attribute_values(":seen", s(case));
            for (name, value) in [(":x", s("x")), (":y", s("y")), (":two", n(2)), (":three", n(3))]
            {
                if case.contains(name) {
                    update = update.expression_attribute_values(name, value);
                }
            }
            let landed = match update.send().await {
                Ok(_) => "holds".to_owned(),
                Err(error) => code(&error),
            };
            lines.push(format!("{case}: {landed} ({CONDITIONS})"));
        }
    }

    async fn queries(&self, lines: &mut Vec<String>) {
        for (condition, forward, limit) in [
            ("pk = :pk AND begins_with(sk, :from)", true, None),
            ("pk = :pk AND begins_with(sk, :from)", false, Some(2)),
            ("pk = :pk AND sk BETWEEN :from AND :to", true, None),
        ] {
            let mut query = self.client.query().table_name(self.table).consistent_read(true);
            query = query
                .key_condition_expression(condition)
                .scan_index_forward(forward)
                .set_limit(limit)
                .expression_attribute_values(":pk", s(self.partition))
                .expression_attribute_values(":from", s("TRIAL#"));
            if condition.contains(":to") {
                query = query.expression_attribute_values(":to", s("TRIAL#2"));
            }
            let found = query.send().await;
            let line =
                found.map_or_else(|error| code(&error), |page| format!("{:?}", keys(page.items())));
            lines.push(format!("{condition}, forward {forward}: {line} ({QUERIES})"));
        }
        // A page is followed by another for as long as the answer says where it ended.
        let query = self.client.query().table_name(self.table).consistent_read(true).limit(2);
        let query = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :from)")
            .expression_attribute_values(":pk", s(self.partition))
            .expression_attribute_values(":from", s("TRIAL#"));
        let mut pages = query.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.push(page.map_or_else(|error| code(&error), |page| keys(page.items()).join(" ")));
        }
        found.retain(|page| !page.is_empty());
        lines.push(format!("by pages of two: {found:?} ({PAGES})"));
    }

    async fn index(&self, lines: &mut Vec<String>) {
        let list = format!("trial#{}", self.partition);
        for (sk, at) in [("TRIAL#8", 30), ("TRIAL#9", 10), ("TRIAL#7", 20), ("TRIAL#6", 90)] {
            let update = self.update(sk, "SET agenda = :list, agenda_at = :at, more = :more");
            let update = update
                .expression_attribute_values(":list", s(&list))
                .expression_attribute_values(":at", n(at));
            self.told(
                &mut Vec::new(),
                "",
                update.expression_attribute_values(":more", s("not a key")),
            )
            .await;
        }
        let gone = self.update("TRIAL#7", "REMOVE agenda, agenda_at");
        self.told(&mut Vec::new(), "", gone).await;
        let query = self.client.query().table_name(self.table).index_name("agenda");
        let query = query
            .key_condition_expression("agenda = :list AND agenda_at <= :before")
            .expression_attribute_values(":list", s(&list))
            .expression_attribute_values(":before", n(30));
        let found = query.clone().send().await;
        let line = found.map_or_else(
            |error| code(&error),
            |page| {
                let names = page.items().first().map(|item| {
                    let mut names: Vec<_> = item.keys().cloned().collect();
                    names.sort();
                    names
                });
                format!("{:?}, each with {names:?}", keys(page.items()))
            },
        );
        lines.push(format!("the index, in order of time, keys alone: {line} ({INDEXES})"));
        let consistent = query.consistent_read(true).send().await;
        let line = consistent.map_or_else(|error| code(&error), |_| "answered".to_owned());
        lines.push(format!("the index, read consistently: {line} ({INDEXES})"));
    }
}

impl Trial<'_> {
    /// Two writes that are one: twice under one token, and then under a condition that fails.
    async fn transactions(&self, lines: &mut Vec<String>) {
        for (name, wanted, token) in [
            ("both", "new", "first"),
            ("both once more, under the same token", "new", "first"),
            ("under a condition that fails", "other", "second"),
        ] {
            let update = Update::builder()
                .table_name(self.table)
                .key("pk", s(self.partition))
                .key("sk", s("TRIAL#10"))
                .update_expression("SET #state = :to ADD times :one")
                .condition_expression("attribute_not_exists(pk) OR #state = :wanted")
                .expression_attribute_names("#state", "state")
                .expression_attribute_values(":to", s("new"))
                .expression_attribute_values(":wanted", s(wanted))
                .expression_attribute_values(":one", n(1));
            let put = Put::builder().table_name(self.table).item("pk", s(self.partition));
            let put = put.item("sk", s(&format!("TRIAL#11#{token}"))).item("for", s(token));
            let (Ok(update), Ok(put)) = (update.build(), put.build()) else { continue };
            let sent = self
                .client
                .transact_write_items()
                .client_request_token(format!("{token}{}", tail(self.partition)))
                .transact_items(TransactWriteItem::builder().update(update).build())
                .transact_items(TransactWriteItem::builder().put(put).build())
                .send()
                .await;
            let line = sent.map_or_else(|error| refused(&error), |_| "done".to_owned());
            let kept = self.written("TRIAL#10").await;
            let beside = self.written(&format!("TRIAL#11#{token}")).await;
            lines.push(format!("{name}: {line}; {kept}; {beside} ({TRANSACTIONS})"));
        }
    }

    async fn written(&self, sk: &str) -> String {
        let get = self.client.get_item().table_name(self.table).consistent_read(true);
        let read = get.key("pk", s(self.partition)).key("sk", s(sk)).send().await;
        read.map_or_else(|error| code(&error), |read| shown(read.item()))
    }
}

/// Tokens are at most 36 characters long.
fn tail(partition: &str) -> &str {
    partition.get(partition.len().saturating_sub(24)..).unwrap_or_default()
}

fn refused(error: &SdkError<TransactWriteItemsError>) -> String {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect()
        }
        Some(_) | None => Vec::new(),
    };
    format!("{} for {reasons:?}", code(error))
}

fn keys(items: &[Item]) -> Vec<String> {
    let sk = |item: &Item| item.get("sk").and_then(|value| value.as_s().ok()).cloned();
    items.iter().filter_map(sk).collect()
}
