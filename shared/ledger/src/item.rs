//! Items and attribute values, read and written with few words.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::HashMap;

/// An item as the SDK gives it.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Times are stored as milliseconds; only `expires_at` is in seconds, as DynamoDB's TTL wants.
pub(crate) fn time(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

pub(crate) fn texts<const N: usize>(values: [&str; N]) -> AttributeValue {
    AttributeValue::Ss(values.map(str::to_owned).to_vec())
}

pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn get_number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn get_count(item: &Item, name: &str) -> u32 {
    get_number(item, name).and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

pub(crate) fn get_time(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(get_number(item, name)?).ok()
}
