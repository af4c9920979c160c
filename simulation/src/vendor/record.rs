//! The vendors that keep state, and what they make of a request.

use super::{Answer, Vendors};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A contact at HubSpot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) properties: BTreeMap<String, String>,
}

/// A subscriber at MailerLite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) email: String,
    pub(crate) active: bool,
    pub(crate) fields: BTreeMap<String, Value>,
}

impl Vendors {
    /// Applies a request to a vendor that keeps state; `None` where the path is another's.
    pub(super) fn keep(&mut self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        if let Some(rest) = path.strip_prefix("/hubspot/crm/v3/objects/contacts/") {
            return Some(match rest {
                "batch/upsert" => self.upsert_contact(&body["inputs"][0]),
                id => self.update_contact(id.parse().unwrap_or(0), &body["properties"]),
            });
        }
        let rest = path.strip_prefix("/mailerlite/subscribers")?;
        Some(match method {
            "POST" => self.upsert_subscriber(body),
            _ => self.update_subscriber(rest.trim_start_matches('/').parse().unwrap_or(0), body),
        })
    }

    fn contact_with(&self, email: &str) -> Option<u64> {
        let owns = |contact: &Contact| contact.properties.get("email").is_some_and(|e| e == email);
        self.contacts.iter().find(|(_, contact)| owns(contact)).map(|(id, _)| *id)
    }

    fn upsert_contact(&mut self, input: &Value) -> Answer {
        let email = input["id"].as_str().unwrap_or_default().to_owned();
        let id = self.contact_with(&email).unwrap_or_else(|| self.new_id());
        self.contacts.entry(id).or_default().properties.insert("email".into(), email);
        self.set_properties(id, &input["properties"]);
        Answer {
            status: 200,
            body: json!({"status": "COMPLETE", "results": [{"id": id.to_string()}]}),
        }
    }

    fn update_contact(&mut self, id: u64, properties: &Value) -> Answer {
        if !self.contacts.contains_key(&id) {
            return Answer { status: 404, body: json!({}) };
        }
        let owner = self.contact_with(properties["email"].as_str().unwrap_or_default());
        if owner.is_some_and(|owner| owner != id) {
            return Answer { status: 409, body: json!({"category": "CONFLICT"}) };
        }
        self.set_properties(id, properties);
        Answer { status: 200, body: json!({"id": id.to_string()}) }
    }

    fn set_properties(&mut self, id: u64, properties: &Value) {
        let Some(properties) = properties.as_object() else { return };
        let contact = self.contacts.entry(id).or_default();
        for (name, value) in properties {
            let value = value.as_str().unwrap_or_default().to_owned();
            contact.properties.insert(name.clone(), value);
        }
    }

    fn subscriber_with(&self, email: &str) -> Option<u64> {
        self.subscribers.iter().find(|(_, s)| s.email == email).map(|(id, _)| *id)
    }

    fn upsert_subscriber(&mut self, body: &Value) -> Answer {
        let email = body["email"].as_str().unwrap_or_default().to_owned();
        let known = self.subscriber_with(&email);
        let id = known.unwrap_or_else(|| self.new_id());
        let subscriber = self.subscribers.entry(id).or_default();
        subscriber.email = email;
        if known.is_none() {
            subscriber.active = body["status"] != "unsubscribed";
        }
        subscriber.change(body);
        answered(if known.is_some() { 200 } else { 201 }, id)
    }

    fn update_subscriber(&mut self, id: u64, body: &Value) -> Answer {
        let wanted = body["email"].as_str().map(str::to_owned);
        let owner = wanted.as_deref().and_then(|email| self.subscriber_with(email));
        let Some(subscriber) = self.subscribers.get_mut(&id) else {
            return Answer { status: 404, body: json!({}) };
        };
        if owner.is_some_and(|owner| owner != id) {
            return Answer { status: 422, body: json!({"errors": {"email": ["taken"]}}) };
        }
        if let Some(email) = wanted {
            subscriber.email = email;
        }
        subscriber.change(body);
        answered(200, id)
    }
}

impl Subscriber {
    /// A status alone brings nobody back; with `resubscribe` it does.
    fn change(&mut self, body: &Value) {
        if body["status"] == "unsubscribed" {
            self.active = false;
        }
        if body["status"] == "active" && body["resubscribe"] == true {
            self.active = true;
        }
        for (name, value) in body["fields"].as_object().into_iter().flatten() {
            self.fields.insert(name.clone(), value.clone());
        }
    }
}

fn answered(status: u16, id: u64) -> Answer {
    Answer { status, body: json!({"data": {"id": id.to_string()}}) }
}
