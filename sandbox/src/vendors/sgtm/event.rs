//! One Measurement-Protocol event: names, parameters, and what the recommended events require.

use serde_json::{Map, Value};

use super::Problems;
use crate::currency;

const PARAMETER_LIMIT: usize = 25;
const NAME_LIMIT: usize = 40;
const VALUE_LIMIT: usize = 100;
const ITEM_LIMIT: usize = 200;
const CUSTOM_ITEM_PARAMETER_LIMIT: usize = 10;
const RESERVED_PREFIXES: [&str; 4] = ["google_", "ga_", "firebase_", "_"];
/// …/protocol/ga4/reference#reserved_event_names
const RESERVED_NAMES: &str = "ad_activeview ad_click ad_exposure ad_query ad_reward adunit_exposure \
    app_background app_clear_data app_exception app_remove app_store_refund \
    app_store_subscription_cancel app_store_subscription_convert app_store_subscription_renew \
    app_update app_upgrade dynamic_link_app_open dynamic_link_app_update dynamic_link_first_open \
    error first_open first_visit in_app_purchase notification_dismiss notification_foreground \
    notification_open notification_receive os_update session_start session_start_with_rollout \
    user_engagement";
/// …/protocol/ga4/reference/events#purchase_item
const ITEM_PARAMETERS: &str = "item_id item_name affiliation coupon discount index item_brand \
    item_category item_category2 item_category3 item_category4 item_category5 item_list_id \
    item_list_name item_variant location_id price quantity promotion_id promotion_name \
    creative_name creative_slot";

/// Notes what Google would not take of one event.
pub(super) fn check(event: &Value, at: &str, problems: &mut Problems) {
    let Some(event) = event.as_object() else {
        return problems.note(format!("{at}: not an object"));
    };
    for name in
        event.keys().filter(|name| !["name", "params", "timestamp_micros"].contains(&name.as_str()))
    {
        problems.note(format!("{at}.{name}: unknown field"));
    }
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default();
    problems.unless(is_name(name), format!("{at}.name: missing, over 40, or not a name"));
    let reserved = RESERVED_NAMES.split_ascii_whitespace().any(|reserved| reserved == name);
    problems.unless(!reserved, format!("{at}.name: {name} is reserved"));
    let nothing = Map::new();
    let params = match event.get("params") {
        None => &nothing,
        Some(Value::Object(params)) => params,
        Some(_) => return problems.note(format!("{at}.params: not an object")),
    };
    check_params(params, at, problems);
    check_recommended(name, params, at, problems);
}

fn is_name(name: &str) -> bool {
    let reserved = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let letters = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let begins = name.chars().next().is_some_and(char::is_alphabetic);
    begins && letters && !reserved && name.chars().count() <= NAME_LIMIT
}

fn check_params(params: &Map<String, Value>, at: &str, problems: &mut Problems) {
    problems.unless(params.len() <= PARAMETER_LIMIT, format!("{at}.params: more than 25"));
    for (name, value) in params {
        let at = format!("{at}.params.{name}");
        problems.unless(is_name(name), format!("{at}: name over 40, reserved, or not a name"));
        match value {
            Value::Array(items) if name == "items" => check_items(items, &at, problems),
            Value::Null => problems.note(format!("{at}: null")),
            Value::Array(_) => problems.note(format!("{at}: a list")),
            Value::Object(_) => problems.note(format!("{at}: an object")),
            Value::String(text) => check_text(name, text, &at, problems),
            Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let digits = |value: &Value| {
        value.is_u64() || value.as_str().is_some_and(|text| text.parse::<u64>().is_ok())
    };
    for name in ["session_id", "engagement_time_msec"] {
        let good = params.get(name).is_none_or(digits);
        problems.unless(good, format!("{at}.params.{name}: not a whole number"));
    }
}

fn check_text(name: &str, text: &str, at: &str, problems: &mut Problems) {
    let limit = match name {
        "page_location" => 1_000,
        "page_referrer" => 420,
        "page_title" => 300,
        _ => VALUE_LIMIT,
    };
    problems.unless(text.chars().count() <= limit, format!("{at}: over {limit} characters"));
}

fn check_items(items: &[Value], at: &str, problems: &mut Problems) {
    problems.unless((1..=ITEM_LIMIT).contains(&items.len()), format!("{at}: not 1 to 200"));
    for (place, item) in items.iter().enumerate() {
        let at = format!("{at}.{place}");
        match item.as_object() {
            Some(item) => check_item(item, &at, problems),
            None => problems.note(format!("{at}: not an object")),
        }
    }
}

fn check_item(item: &Map<String, Value>, at: &str, problems: &mut Problems) {
    let named =
        ["item_id", "item_name"].iter().any(|name| item.get(*name).is_some_and(Value::is_string));
    problems.unless(named, format!("{at}: neither item_id nor item_name"));
    let custom =
        |name: &&String| !ITEM_PARAMETERS.split_ascii_whitespace().any(|known| known == *name);
    let many = item.keys().filter(custom).count() > CUSTOM_ITEM_PARAMETER_LIMIT;
    problems.unless(!many, format!("{at}: more than 10 custom parameters"));
    for (name, value) in item {
        let at = format!("{at}.{name}");
        match (name.as_str(), value) {
            ("price" | "discount", value) => {
                problems.unless(value.is_number(), format!("{at}: not a number"))
            }
            ("quantity" | "index", value) => {
                problems.unless(value.is_u64(), format!("{at}: not a whole number"))
            }
            (_, Value::String(text)) => check_text(name, text, &at, problems),
            (_, Value::Null | Value::Array(_) | Value::Object(_)) => {
                problems.note(format!("{at}: not a plain value"))
            }
            (_, Value::Bool(_) | Value::Number(_)) => {}
        }
    }
}

/// …/protocol/ga4/reference/events: what each recommended event must carry.
fn check_recommended(name: &str, params: &Map<String, Value>, at: &str, problems: &mut Problems) {
    let required: &[&str] = match name {
        "purchase" => &["transaction_id", "value", "currency", "items"],
        "refund" => &["transaction_id", "value", "currency"],
        "begin_checkout" => &["value", "currency", "items"],
        _ => &[],
    };
    for missing in required.iter().filter(|name| !params.contains_key(**name)) {
        problems.note(format!("{at}.params.{missing}: missing"));
    }
    if let Some(value) = params.get("value") {
        problems.unless(value.is_number(), format!("{at}.params.value: not a number"));
        problems.unless(
            params.contains_key("currency"),
            format!("{at}.params.currency: missing beside value"),
        );
    }
    if let Some(currency) = params.get("currency") {
        let good = currency.as_str().is_some_and(is_currency);
        problems.unless(good, format!("{at}.params.currency: not ISO 4217 in upper case"));
    }
    if let Some(id) = params.get("transaction_id") {
        let good = id.as_str().is_some_and(|id| !id.is_empty());
        problems.unless(good, format!("{at}.params.transaction_id: not a text"));
    }
}

fn is_currency(code: &str) -> bool {
    code == code.to_ascii_uppercase() && currency::is_known(&code.to_ascii_lowercase())
}
