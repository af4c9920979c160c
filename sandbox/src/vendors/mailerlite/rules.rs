//! What MailerLite's validation takes, parameter by parameter.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use crate::email;
use crate::exchange::Answer;

const STATUSES: [&str; 5] = ["active", "unsubscribed", "unconfirmed", "bounced", "junk"];
const UPSERT: [&str; 10] = [
    "email",
    "fields",
    "groups",
    "status",
    "subscribed_at",
    "ip_address",
    "opted_in_at",
    "optin_ip",
    "unsubscribed_at",
    "resubscribe",
];
const UPDATE: [&str; 9] = [
    "email",
    "fields",
    "groups",
    "status",
    "subscribed_at",
    "ip_address",
    "opted_in_at",
    "optin_ip",
    "unsubscribed_at",
];
/// MailerLite's own fields, and ours, which the README says how to make.
const FIELDS: &str = "name last_name phone company country city state z_i_p \
    event_id user_session_id lead_created_at checkout_started_at payment_status \
    marketing_consent consent_method consent_timestamp utm_source utm_medium utm_campaign \
    utm_content utm_term crm_contact_id language";
/// A text field's limit (mailerlite.com/help/how-to-create-custom-fields).
const TEXT_LIMIT: usize = 1_024;

/// What was wrong, by parameter.
#[derive(Default)]
pub(super) struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    pub(super) fn note(&mut self, parameter: &str, text: &str) {
        self.0.entry(parameter.to_owned()).or_default().push(text.to_owned());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn answer(&self) -> Answer {
        let body = json!({ "message": "The given data was invalid.", "errors": self.0 });
        Answer::json(422, body)
    }
}

/// The answer to a body that is no JSON object.
pub(super) fn not_an_object() -> Answer {
    let mut faults = Faults::default();
    faults.note("email", "The email field is required.");
    faults.answer()
}

/// True for an id of MailerLite's: digits.
pub(super) fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.chars().all(|digit| digit.is_ascii_digit())
}

/// Checks the body of `POST /subscribers`.
pub(super) fn check_upsert(body: &Map<String, Value>) -> Faults {
    let mut faults = check(body, &UPSERT);
    if !body.contains_key("email") {
        faults.note("email", "The email field is required.");
    }
    if body.get("resubscribe").is_some_and(|value| !value.is_boolean()) {
        faults.note("resubscribe", "The resubscribe field must be true or false.");
    }
    faults
}

/// Checks the body of `PUT /subscribers/{id}`.
pub(super) fn check_update(body: &Map<String, Value>) -> Faults {
    check(body, &UPDATE)
}

fn check(body: &Map<String, Value>, parameters: &[&str]) -> Faults {
    let mut faults = Faults::default();
    for (name, value) in body {
        if !parameters.contains(&name.as_str()) {
            faults.note(name, "The parameter is unknown.");
            continue;
        }
        match name.as_str() {
            "fields" => check_fields(value, &mut faults),
            "groups" => check_groups(value, &mut faults),
            _ => {
                if let Some(text) = complaint(name, value) {
                    faults.note(name, text);
                }
            }
        }
    }
    faults
}

fn complaint(name: &str, value: &Value) -> Option<&'static str> {
    let text = value.as_str();
    let (good, complaint) = match name {
        "email" => {
            (text.is_some_and(email::is_address), "The email must be a valid email address.")
        }
        "status" => {
            (text.is_some_and(|text| STATUSES.contains(&text)), "The selected status is invalid.")
        }
        "ip_address" | "optin_ip" => {
            let good = value.is_null() || text.is_some_and(|text| text.parse::<IpAddr>().is_ok());
            (good, "The value must be a valid IP address.")
        }
        "subscribed_at" | "opted_in_at" | "unsubscribed_at" => {
            let good = value.is_null() || text.is_some_and(is_moment);
            (good, "The value does not match the format Y-m-d H:i:s.")
        }
        _ => (true, ""),
    };
    (!good).then_some(complaint)
}

fn is_moment(text: &str) -> bool {
    text.len() == 19 && DateTime::strptime("%Y-%m-%d %H:%M:%S", text).is_ok()
}

fn check_fields(fields: &Value, faults: &mut Faults) {
    let Some(fields) = fields.as_object() else {
        return faults.note("fields", "The fields must be an object.");
    };
    for (name, value) in fields {
        let at = format!("fields.{name}");
        if !FIELDS.split_ascii_whitespace().any(|known| known == name) {
            faults.note(&at, "The selected field is invalid.");
        }
        let long = value.as_str().is_some_and(|text| text.chars().count() > TEXT_LIMIT);
        if long || value.is_object() || value.is_array() || value.is_boolean() {
            faults.note(&at, "The field must be a string of at most 1024 characters or a number.");
        }
    }
}

fn check_groups(groups: &Value, faults: &mut Faults) {
    let Some(groups) = groups.as_array() else {
        return faults.note("groups", "The groups must be an array.");
    };
    for (place, group) in groups.iter().enumerate() {
        if !group.as_str().is_some_and(is_id) {
            faults.note(&format!("groups.{place}"), "The selected group is invalid.");
        }
    }
}
