//! AWS for one program: DynamoDB with real conditions, SQS and SSM in JSON, every call counted with
//! the units that AWS would bill.

use crate::http::{self, Request, Server};
use anyhow::Result;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use table::{Item, Table};
use tokio_rustls::TlsAcceptor;

/// What Stripe's webhooks are signed with here.
pub(crate) const SIGNING_SECRET: &str = "whsec_bench0123456789abcdefbench01";

/// The table of Powertools' idempotency; every other table is the ledger.
const IDEMPOTENCY: &str = "idempotency";

/// What was asked for, and what it would cost.
#[derive(Debug, Default, Clone, serde::Serialize)]
pub(crate) struct Counts {
    /// Calls by their kind: `PutItem`, `SendMessageBatch`, `vendor`.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Write units of the table: one for each kilobyte, refused writes included.
    pub(crate) writes: u64,
    /// Write units of its index.
    pub(crate) index_writes: u64,
    /// Halves of read units: a consistent read of 4 KB is two of them.
    pub(crate) half_reads: u64,
    /// The largest item written, in bytes.
    pub(crate) largest: u64,
}

impl Counts {
    /// What came since an earlier count.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let mut calls = self.calls.clone();
        for (kind, before) in &earlier.calls {
            if let Some(now) = calls.get_mut(kind) {
                *now -= before;
            }
        }
        calls.retain(|_, count| *count > 0);
        Self {
            calls,
            writes: self.writes - earlier.writes,
            index_writes: self.index_writes - earlier.index_writes,
            half_reads: self.half_reads - earlier.half_reads,
            largest: self.largest,
        }
    }

    /// All calls.
    pub(crate) fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

/// One account: a ledger, Powertools' table, queues.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) ledger: Table,
    idempotency: Table,
    /// Bodies by queue.
    pub(crate) queues: BTreeMap<String, VecDeque<String>>,
    pub(crate) counts: Counts,
    /// Answered with a parameter's value; set once the vendors' address is known.
    pub(crate) slack: String,
    /// What could not be answered: shown, for then nothing that was measured is worth anything.
    pub(crate) refused: Option<String>,
}

/// An account that servers and the bench share.
pub(crate) type Shared = Arc<Mutex<Account>>;

/// Looks into an account.
pub(crate) fn look(account: &Shared) -> MutexGuard<'_, Account> {
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves an account at one address, each answer after a delay.
pub(crate) async fn serve(
    account: Shared,
    tls: Option<TlsAcceptor>,
    delay: Duration,
) -> Result<Server> {
    http::serve(tls, move |request| {
        let account = Arc::clone(&account);
        async move {
            // Who opens a connection beforehand asks for nothing, and is told that all is well.
            let (status, body) = match request.method {
                hyper::Method::GET => (200, json!("healthy")),
                _ => look(&account).answer(&request),
            };
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let mut response = http::json(status, body.to_string());
            let id = hyper::header::HeaderValue::from_static("BENCH");
            response.headers_mut().insert("x-amzn-requestid", id);
            response
        }
    })
    .await
}

impl Account {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let target = request.header("x-amz-target");
        let (service, operation) = target.split_once('.').unwrap_or_default();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let kind = kind(operation, &body);
        *self.counts.calls.entry(kind).or_default() += 1;
        if service.starts_with("DynamoDB") {
            return self.table(operation, body);
        }
        let answered = match operation {
            "GetParameter" => Some(parameter(text(&body["Name"]), &self.slack)),
            "GetParameters" => Some(self.parameters(&body)),
            "SendMessageBatch" => Some(self.send(&body)),
            "ChangeMessageVisibility" => Some(json!({})),
            _ => None,
        };
        answered.map_or_else(
            || {
                self.refused = Some(format!("{target} is not known to the stand-in"));
                (400, json!({"__type": "InvalidAction", "message": "not known here"}))
            },
            |body| (200, body),
        )
    }

    fn table(&mut self, operation: &str, mut body: Value) -> (u16, Value) {
        let is_ledger = body["TableName"] != IDEMPOTENCY;
        if !is_ledger {
            rename(&mut body);
        }
        let table = if is_ledger { &mut self.ledger } else { &mut self.idempotency };
        let counts = &mut self.counts;
        let answered = table.call(operation, &body, &mut |_, old, new| counts.write(old, new));
        match answered {
            Ok(answer) => {
                self.counts.read(operation, &body, &answer);
                (200, answer)
            }
            Err(refusal) => {
                if refusal.kind == "ConditionalCheckFailedException" {
                    self.counts.writes += 1;
                } else {
                    self.refused = Some(format!("{operation}: {}", refusal.body()));
                }
                (400, refusal.body())
            }
        }
    }

    fn send(&mut self, body: &Value) -> Value {
        let queue = text(&body["QueueUrl"]).rsplit('/').next().unwrap_or_default().to_owned();
        let held = self.queues.entry(queue).or_default();
        let none = Vec::new();
        let mut good = Vec::new();
        for entry in body["Entries"].as_array().unwrap_or(&none) {
            let message = text(&entry["MessageBody"]);
            held.push_back(message.to_owned());
            // AWS's SDK for Node checks the digest.
            let digest = hex::encode(Md5::digest(message));
            good.push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": digest}));
        }
        json!({"Successful": good, "Failed": []})
    }

    fn parameters(&self, body: &Value) -> Value {
        let none = Vec::new();
        let names = body["Names"].as_array().unwrap_or(&none);
        let found: Vec<Value> = names
            .iter()
            .map(|name| parameter(text(name), &self.slack)["Parameter"].clone())
            .collect();
        json!({"Parameters": found, "InvalidParameters": []})
    }
}

impl Counts {
    /// A write that landed: the larger of both sizes, and what it changes in the index.
    fn write(&mut self, old: Option<&Item>, new: &Item) {
        let (before, after) = (old.map_or(0, size), size(new));
        self.writes += before.max(after).div_ceil(1024).max(1);
        self.largest = self.largest.max(after);
        let listed = |item: &Item| {
            item.get("agenda").map(|list| (list.clone(), item.get("agenda_at").cloned()))
        };
        let (was, is) = (old.and_then(listed), listed(new));
        // An entry that moves is deleted and put: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
        self.index_writes +=
            if was == is { 0 } else { u64::from(was.is_some()) + u64::from(is.is_some()) };
    }

    fn read(&mut self, operation: &str, body: &Value, answer: &Value) {
        let bytes = match operation {
            "GetItem" => item_of(&answer["Item"]),
            "Query" => {
                answer["Items"].as_array().map_or(0, |items| items.iter().map(item_of).sum())
            }
            _ => return,
        };
        let halves = if body["ConsistentRead"] == true { 2 } else { 1 };
        self.half_reads += bytes.div_ceil(4096).max(1) * halves;
    }
}

/// A call's kind: the operation, and for the table which items it is about (`Query JOURNEY`).
fn kind(operation: &str, body: &Value) -> String {
    if body["TableName"] == IDEMPOTENCY {
        return format!("{operation} {IDEMPOTENCY}");
    }
    let keys = [&body["Key"]["pk"], &body["Item"]["pk"], &body["ExpressionAttributeValues"][":pk"]];
    let key = keys.into_iter().find_map(|key| key["S"].as_str());
    match key.and_then(|key| key.split('#').next()) {
        Some(family) => format!("{operation} {family}"),
        None => operation.to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Powertools' own key is `id`; the table's is `pk` and `sk`.
fn rename(body: &mut Value) {
    for place in ["Item", "Key"] {
        if let Some(item) = body[place].as_object_mut()
            && let Some(id) = item.remove("id")
        {
            item.insert("pk".to_owned(), id);
            item.insert("sk".to_owned(), json!({"S": "-"}));
        }
    }
    if let Some(names) = body["ExpressionAttributeNames"].as_object_mut() {
        for name in names.values_mut().filter(|name| **name == "id") {
            *name = json!("pk");
        }
    }
}

/// An item's size as AWS counts it: names and values, in UTF-8.
fn size(item: &Item) -> u64 {
    item.iter().map(|(name, value)| name.len() as u64 + value_size(value)).sum()
}

fn item_of(item: &Value) -> u64 {
    let item = item.as_object();
    item.map_or(0, |item| {
        item.iter().map(|(name, value)| name.len() as u64 + value_size(value)).sum()
    })
}

fn value_size(value: &Value) -> u64 {
    let Some((kind, held)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 1;
    };
    match kind.as_str() {
        "S" | "B" => text(held).len() as u64,
        "N" => text(held).len() as u64 / 2 + 1,
        "SS" => held.as_array().map_or(0, |set| set.iter().map(|one| text(one).len() as u64).sum()),
        "M" => 3 + item_of(held),
        "L" => {
            3 + held.as_array().map_or(0, |list| list.iter().map(|one| 1 + value_size(one)).sum())
        }
        _ => 1,
    }
}

fn parameter(name: &str, slack: &str) -> Value {
    let value = match name.rsplit('/').next().unwrap_or_default() {
        "PEPPER" => format!("v1:{}", "ab".repeat(32)),
        "STRIPE_WEBHOOK_SECRET" => SIGNING_SECRET.to_owned(),
        "SLACK_WEBHOOK_URL" => slack.to_owned(),
        "CATALOGUE" => include_str!("../../config/catalogue.sample.json").to_owned(),
        other => format!("secret-of-{other}"),
    };
    json!({"Parameter": {"Name": name, "Type": "SecureString", "Value": value}})
}
