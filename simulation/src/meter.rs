//! What a call is billed as: told from the call, its answer, and the item before and after it. Units
//! are DynamoDB's: a write of 1 KB, a consistent read of 4 KB, half of it where an index is read.

use crate::fault::Function;
use crate::table::{Item, Table};
use serde_json::Value;

/// One call of AWS's that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metered {
    /// The function that made it, where a history ran it.
    pub by: Option<Function>,
    /// `PutItem`, `SendMessageBatch` and so on.
    pub operation: String,
    /// Write units, the index's among them.
    pub writes: usize,
    /// Halves of read units.
    pub half_reads: usize,
}

/// A write is billed by the kilobyte, a read by four of them.
const WRITE: usize = 1024;
const READ: usize = 4096;

/// The item that a call is about, as it is now.
pub(crate) fn item(table: &Table, body: &Value) -> Option<Item> {
    let key = if body["Key"].is_null() { &body["Item"] } else { &body["Key"] };
    let part = |name: &str| Some(key[name]["S"].as_str()?.to_owned());
    table.items.get(&(part("pk")?, part("sk")?)).cloned()
}

/// The units of a call to the table: writes, and halves of reads.
pub(crate) fn units(
    operation: &str,
    body: &Value,
    answer: Option<&Value>,
    (before, after): (Option<&Item>, Option<&Item>),
) -> (usize, usize) {
    let halves = if body["ConsistentRead"] == true { 2 } else { 1 };
    let read = |size: usize| size.div_ceil(READ).max(1) * halves;
    match operation {
        "GetItem" => (0, read(after.map_or(0, size))),
        "Query" => (0, read(answer.map_or(0, |answer| found(&answer["Items"])))),
        _ => {
            // A refused write is billed by what is there, or would have been.
            let wanted = body["Item"].as_object().map_or(0, fields);
            let largest = [before, after].into_iter().flatten().map(size).max().unwrap_or(0);
            (largest.max(wanted).div_ceil(WRITE).max(1) + moved(before, after), 0)
        }
    }
}

/// Writes to the index: one where an entry comes or goes, two where it moves.
fn moved(before: Option<&Item>, after: Option<&Item>) -> usize {
    let entry = |item: Option<&Item>| {
        let item = item?;
        Some((item.get("agenda")?.clone(), item.get("agenda_at")?.clone()))
    };
    match (entry(before), entry(after)) {
        (None, None) => 0,
        (None, Some(_)) | (Some(_), None) => 1,
        (Some(old), Some(new)) if old == new => 0,
        (Some(_), Some(_)) => 2,
    }
}

fn found(items: &Value) -> usize {
    items.as_array().into_iter().flatten().filter_map(Value::as_object).map(fields).sum()
}

fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + weight(value)).sum()
}

fn fields(item: &serde_json::Map<String, Value>) -> usize {
    item.iter().map(|(name, value)| name.len() + weight(value)).sum()
}

/// A value's bytes, as DynamoDB's guide counts them: text as it is, two digits of a number in one.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn weight(value: &Value) -> usize {
    let Some((kind, held)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    let members = || held.as_array().into_iter().flatten();
    match kind.as_str() {
        "S" => held.as_str().map_or(0, str::len),
        "N" => held.as_str().map_or(0, |digits| digits.len().div_ceil(2) + 1),
        "M" => 3 + held.as_object().map_or(0, |map| map.len() + fields(map)),
        "L" => 3 + members().map(|member| 1 + weight(member)).sum::<usize>(),
        "SS" | "NS" => members().map(|member| member.as_str().map_or(0, str::len)).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, units};
    use serde_json::json;

    fn item(text: usize, agenda_at: Option<&str>) -> Item {
        let mut item = Item::from([
            ("pk".into(), json!({"S": "p"})),
            ("sk".into(), json!({"S": "s"})),
            ("t".into(), json!({"S": "x".repeat(text)})),
        ]);
        if let Some(at) = agenda_at {
            item.insert("agenda".into(), json!({"S": "due#slack#1"}));
            item.insert("agenda_at".into(), json!({"N": at}));
        }
        item
    }

    #[test]
    fn a_write_is_billed_by_the_larger_of_before_and_after_and_by_its_entries_on_the_agenda() {
        let body = json!({});
        let cost = |before: Option<&Item>, after: Option<&Item>| {
            units("UpdateItem", &body, None, (before, after))
        };
        assert_eq!(cost(None, Some(&item(10, None))), (1, 0));
        assert_eq!(cost(None, Some(&item(1017, None))), (1, 0), "1 KB with its names and keys");
        assert_eq!(cost(None, Some(&item(1018, None))), (2, 0));
        assert_eq!(cost(Some(&item(3000, None)), Some(&item(1, None))), (3, 0));
        assert_eq!(cost(None, Some(&item(1, Some("1")))), (2, 0), "an entry comes");
        assert_eq!(cost(Some(&item(1, Some("1"))), Some(&item(1, None))), (2, 0), "it goes");
        assert_eq!(cost(Some(&item(1, Some("1"))), Some(&item(2, Some("1")))), (1, 0), "it stays");
        assert_eq!(cost(Some(&item(1, Some("1"))), Some(&item(1, Some("2")))), (3, 0), "it moves");
    }

    #[test]
    fn a_read_is_billed_by_four_kilobytes_and_half_where_it_may_be_late() {
        let answer = json!({"Items": [item(3000, None), item(3000, None)]});
        let consistent = json!({"ConsistentRead": true});
        assert_eq!(units("Query", &consistent, Some(&answer), (None, None)), (0, 4));
        assert_eq!(units("Query", &json!({}), Some(&answer), (None, None)), (0, 2));
        assert_eq!(units("GetItem", &consistent, None, (None, None)), (0, 2), "what is not there");
    }
}
