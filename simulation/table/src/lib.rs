//! The table in memory: DynamoDB's JSON protocol, as far as the ledger speaks it. Calls come in as
//! an operation and a body; whoever calls may look at every write that lands.
//!
//! What is assumed of AWS, each with its source, is listed in `simulation/src/assumption.rs`, and the
//! same cases are played against the local AWS by `tests/model.rs`.

mod expression;

use expression::{Condition, Given, partition, update};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An item: attributes by name, each as DynamoDB writes it (`{"S": "…"}`).
pub type Item = BTreeMap<String, Value>;

/// An item's key: partition, then place in it.
pub type Key = (String, String);

/// How many items a page holds.
const PAGE: usize = 50;

/// Whoever looks at a write that lands: its key, the item before, the item after.
pub type Look<'a> = &'a mut dyn FnMut(&Key, Option<&Item>, &Item);

/// A refusal, as AWS words it.
#[derive(Debug)]
pub struct Refusal {
    /// AWS's name of it.
    pub kind: &'static str,
    item: Option<Item>,
    message: String,
    /// Of a transaction: why each of its parts was refused.
    reasons: Vec<Value>,
}

/// The one table, its index and its stream.
#[derive(Debug, Default, Clone)]
pub struct Table {
    /// All items.
    pub items: BTreeMap<Key, Item>,
    /// Facts that were inserted, as the mapping's filter lets them through.
    pub stream: VecDeque<Value>,
    /// The tokens of the transactions that were carried out.
    transactions: BTreeSet<String>,
}

impl Refusal {
    fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: "ValidationException",
            item: None,
            message: message.into(),
            reasons: Vec::new(),
        }
    }

    /// The answer's body.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{}", self.kind),
            "message": self.message,
        });
        if let Some(item) = &self.item {
            body["Item"] = json!(item);
        }
        if !self.reasons.is_empty() {
            body["CancellationReasons"] = json!(self.reasons);
        }
        body
    }
}

/// An attribute's text; empty where there is none.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default()
}

/// An attribute's whole number.
#[must_use]
pub fn int(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}

fn key_of(value: &Value) -> Result<Key, Refusal> {
    let part = |name: &str| value[name]["S"].as_str().filter(|text| !text.is_empty());
    match (part("pk"), part("sk")) {
        (Some(pk), Some(sk)) => Ok((pk.to_owned(), sk.to_owned())),
        _ => Err(Refusal::invalid("the key is not pk and sk")),
    }
}

impl Table {
    /// Answers one call.
    ///
    /// # Errors
    /// [`Refusal`]: a condition does not hold, or AWS would call the request invalid.
    pub fn call(
        &mut self,
        operation: &str,
        body: &Value,
        look: Look<'_>,
    ) -> Result<Value, Refusal> {
        match operation {
            "GetItem" => self.get(body),
            "PutItem" => self.put(body, look),
            "UpdateItem" => self.update(body, look),
            "Query" => self.query(body),
            "Scan" => self.scan(body),
            "TransactWriteItems" => self.transact(body, look),
            "DescribeTable" => Ok(self.describe()),
            "DescribeTimeToLive" => {
                Ok(json!({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED"}}))
            }
            _ => Err(Refusal::invalid(format!("{operation} is not modelled"))),
        }
    }

    fn describe(&self) -> Value {
        let bytes: usize = self.items.values().map(|item| json!(item).to_string().len()).sum();
        json!({"Table": {"TableStatus": "ACTIVE", "ItemCount": self.items.len(),
            "TableSizeBytes": bytes, "StreamSpecification": {"StreamEnabled": true}}})
    }

    fn get(&self, body: &Value) -> Result<Value, Refusal> {
        let item = self.items.get(&key_of(&body["Key"])?);
        Ok(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
    }

    fn put(&mut self, body: &Value, look: Look<'_>) -> Result<Value, Refusal> {
        let key = key_of(&body["Item"])?;
        let item: Item = serde_json::from_value(body["Item"].clone())
            .map_err(|_| Refusal::invalid("no item"))?;
        self.check(&key, body)?;
        self.land(key, item, look);
        Ok(json!({}))
    }

    fn update(&mut self, body: &Value, look: Look<'_>) -> Result<Value, Refusal> {
        let key = key_of(&body["Key"])?;
        self.check(&key, body)?;
        let mut item = self.items.get(&key).cloned().unwrap_or_else(|| {
            let part = |text: &str| json!({"S": text});
            Item::from([("pk".into(), part(&key.0)), ("sk".into(), part(&key.1))])
        });
        let text = body["UpdateExpression"].as_str().unwrap_or_default();
        update(text, &mut item, &given(body)).map_err(Refusal::invalid)?;
        let returned = match body["ReturnValues"].as_str() {
            // UPDATED_NEW is asked for by one caller, who reads what it added to: a part of ALL_NEW.
            Some("ALL_NEW" | "UPDATED_NEW") => json!({ "Attributes": item }),
            _ => json!({}),
        };
        self.land(key, item, look);
        Ok(returned)
    }

    /// All of it, or nothing; the same token again is the same transaction.
    fn transact(&mut self, body: &Value, look: Look<'_>) -> Result<Value, Refusal> {
        let token = body["ClientRequestToken"].as_str().unwrap_or_default();
        if self.transactions.contains(token) {
            return Ok(json!({}));
        }
        let none = Vec::new();
        let all = body["TransactItems"].as_array().unwrap_or(&none);
        let (mut after, mut landed, mut reasons) = (self.clone(), Vec::new(), Vec::new());
        let mut note = |key: &Key, old: Option<&Item>, new: &Item| {
            landed.push((key.clone(), old.cloned(), new.clone()));
        };
        for one in all {
            let done = match (&one["Update"], &one["Put"]) {
                (Value::Null, put) => after.put(put, &mut note),
                (update, _) => after.update(update, &mut note),
            };
            reasons.push(match done {
                Ok(_) => json!({"Code": "None"}),
                Err(refusal) if refusal.item.is_none() && refusal.kind == "ValidationException" => {
                    return Err(refusal);
                }
                Err(_) => json!({"Code": "ConditionalCheckFailed"}),
            });
        }
        if reasons.iter().any(|reason| reason["Code"] != "None") {
            let mut refusal = Refusal::invalid("Transaction cancelled");
            refusal.kind = "TransactionCanceledException";
            refusal.reasons = reasons;
            return Err(refusal);
        }
        landed.iter().for_each(|(key, old, new)| look(key, old.as_ref(), new));
        after.transactions.insert(token.to_owned());
        *self = after;
        Ok(json!({}))
    }

    fn check(&self, key: &Key, body: &Value) -> Result<(), Refusal> {
        let Some(condition) = body["ConditionExpression"].as_str() else { return Ok(()) };
        let none = Item::new();
        let item = self.items.get(key);
        let holds = Condition::of(condition).holds(item.unwrap_or(&none), &given(body));
        if holds.map_err(Refusal::invalid)? {
            return Ok(());
        }
        let wants_old = body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
        Err(Refusal {
            kind: "ConditionalCheckFailedException",
            item: item.filter(|_| wants_old).cloned(),
            message: "The conditional request failed".to_owned(),
            reasons: Vec::new(),
        })
    }

    fn land(&mut self, key: Key, item: Item, look: Look<'_>) {
        let old = self.items.get(&key);
        look(&key, old, &item);
        if old.is_none() && key.1.starts_with("FACT#") {
            self.stream.push_back(json!({"eventName": "INSERT", "dynamodb": {"NewImage": item}}));
        }
        self.items.insert(key, item);
    }

    fn query(&self, body: &Value) -> Result<Value, Refusal> {
        let text = body["KeyConditionExpression"].as_str().unwrap_or_default();
        let condition = Condition::of(text);
        let given = given(body);
        let mut found = Vec::new();
        let by_index = body["IndexName"] == "agenda";
        if !by_index && !body["IndexName"].is_null() {
            return Err(Refusal::invalid("there is no such index"));
        }
        if by_index && body["ConsistentRead"] == true {
            return Err(Refusal::invalid("an index cannot be read consistently"));
        }
        let partition = if by_index { None } else { partition(text, &given) };
        let first = (partition.clone().unwrap_or_default(), String::new());
        let range = self.items.range(first..);
        let within = |key: &Key| partition.as_ref().is_none_or(|partition| key.0 == *partition);
        for (_, item) in range.take_while(|(key, _)| within(key)) {
            if condition.holds(item, &given).map_err(Refusal::invalid)? {
                found.push(if by_index { projected(item) } else { item.clone() });
            }
        }
        if by_index {
            found.sort_by_key(|item| int(item, "agenda_at"));
        }
        if body["ScanIndexForward"] == false {
            found.reverse();
        }
        Ok(page(found, body))
    }

    /// A part of the table, as far as a filter lets it through.
    fn scan(&self, body: &Value) -> Result<Value, Refusal> {
        let number = |name: &str| body[name].as_u64().unwrap_or_default();
        let (segment, of) = (number("Segment"), number("TotalSegments").max(1));
        let part = |key: &Key| key.0.bytes().map(u64::from).sum::<u64>() % of;
        let filter = Condition::of(body["FilterExpression"].as_str().unwrap_or_default());
        let of_segment = self.items.iter().filter(|(key, _)| part(key) == segment);
        let all: Vec<Item> = of_segment.map(|(_, item)| item.clone()).collect();
        let mut answer = page(all, body);
        let looked_at = answer["Items"].take();
        let mut found = Vec::new();
        for item in serde_json::from_value::<Vec<Item>>(looked_at).unwrap_or_default() {
            if filter.holds(&item, &given(body)).map_err(Refusal::invalid)? {
                found.push(item);
            }
        }
        answer["ScannedCount"] = answer["Count"].take();
        answer["Count"] = found.len().into();
        answer["Items"] = json!(found);
        Ok(answer)
    }

    /// What is still to do, and from when on a sweep would look at it.
    pub fn agenda(&self) -> impl Iterator<Item = (&Key, &str, i64)> {
        self.items.iter().filter_map(|(key, item)| {
            let list = text(item, "agenda");
            let open = list.starts_with("undispatched#") || list.starts_with("due#");
            Some((key, list, int(item, "agenda_at")?)).filter(|_| open)
        })
    }

    /// Takes away what is over its time to live, in seconds.
    pub fn expire(&mut self, now: i64) {
        self.items.retain(|_, item| int(item, "expires_at").is_none_or(|at| at > now));
    }
}

/// The next page of what was found: as many as were asked for, or as fit. AWS's holds a megabyte.
fn page(mut found: Vec<Item>, body: &Value) -> Value {
    let place = |item: &Item| (text(item, "pk").to_owned(), text(item, "sk").to_owned());
    if let Ok(last) = key_of(&body["ExclusiveStartKey"]) {
        let gone = found.iter().position(|item| place(item) == last).map_or(0, |at| at + 1);
        found.drain(..gone);
    }
    let most = body["Limit"].as_u64().map_or(PAGE, |most| PAGE.min(most as usize));
    let cut = found.len() > most;
    found.truncate(most);
    let mut answer = json!({ "Count": found.len(), "Items": found });
    if let Some(last) = found.last().filter(|_| cut) {
        let names = ["pk", "sk", "agenda", "agenda_at"];
        let names = names.iter().filter(|name| name.len() == 2 || !body["IndexName"].is_null());
        answer["LastEvaluatedKey"] =
            names.map(|name| ((*name).to_owned(), last[*name].clone())).collect();
    }
    answer
}

fn given(body: &Value) -> Given<'_> {
    Given { names: &body["ExpressionAttributeNames"], values: &body["ExpressionAttributeValues"] }
}

/// The index holds keys alone.
fn projected(item: &Item) -> Item {
    let names = ["pk", "sk", "agenda", "agenda_at"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect()
}
