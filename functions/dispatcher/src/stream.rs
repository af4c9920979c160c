//! The records of a table stream, as far as they are read: inserted facts.

use domain::fact::Fact;
use domain::id::EventId;
use ledger::FactKey;
use serde::Deserialize;

/// A batch as Lambda hands it over.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
#[derive(Debug, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
}

/// The facts of a batch, and the places of those that this version cannot decode.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) facts: Vec<Fact>,
    pub(crate) undecodable: Vec<FactKey>,
}

impl Batch {
    /// The facts of the batch. The mapping's filter lets only inserted facts through; where it is
    /// missing, everything else is passed here.
    pub(crate) fn facts(self) -> Facts {
        let mut found = Facts::default();
        for (key, document) in self.records.into_iter().filter_map(Record::fact) {
            match serde_json::from_str(&document) {
                Ok(fact) => found.facts.push(fact),
                Err(_) => found.undecodable.push(key),
            }
        }
        found
    }
}

impl Record {
    /// A fact's place, and its document.
    fn fact(self) -> Option<(FactKey, String)> {
        let image = self.dynamodb?.new_image?;
        let (pk, sk) = (image.pk?.text?, image.sk?.text?);
        if self.event_name.as_deref() != Some("INSERT")
            || !sk.starts_with(ledger::fact_key_prefix())
        {
            return None;
        }
        let event_id = EventId::parse(pk.strip_prefix("JOURNEY#")?).ok()?;
        let document = image.fact.and_then(|fact| fact.text).unwrap_or_default();
        Some((FactKey { event_id, sk }, document))
    }
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    event_name: Option<String>,
    dynamodb: Option<Change>,
}

#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "NewImage")]
    new_image: Option<Image>,
}

#[derive(Debug, Deserialize)]
struct Image {
    pk: Option<Text>,
    sk: Option<Text>,
    fact: Option<Text>,
}

#[derive(Debug, Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Batch, Facts};

    #[test]
    fn the_sample_holds_a_fact_that_decodes() {
        let batch: Batch =
            serde_json::from_str(include_str!("../../../events/dispatcher/lead_captured.json"))
                .unwrap();
        let Facts { facts, undecodable } = batch.facts();
        assert_eq!((facts.len(), undecodable.len()), (1, 0));
        assert_eq!(facts[0].happening.name(), "lead_captured");
    }

    #[test]
    fn other_records_and_other_shapes_are_passed() {
        let batch = r#"{"Records":[
            {"eventName":"MODIFY","dynamodb":{"NewImage":{"pk":{"S":"JOURNEY#6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c11"},"sk":{"S":"FACT#lead#1"},"fact":{"S":"{}"}}}},
            {"eventName":"INSERT","dynamodb":{"NewImage":{"pk":{"S":"RATE#x"},"sk":{"S":"-"}}}},
            {"eventName":"REMOVE","dynamodb":{}},
            {}
        ]}"#;
        let batch: Batch = serde_json::from_str(batch).unwrap();
        let Facts { facts, undecodable } = batch.facts();
        assert!(facts.is_empty() && undecodable.is_empty(), "{facts:?} {undecodable:?}");
    }
}
