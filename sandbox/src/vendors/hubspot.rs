//! HubSpot's CRM contacts: batch upsert by e-mail, read and update by id.
//!
//! The official API descriptions (github.com/HubSpot/HubSpot-public-api-spec-collection, CRM
//! contacts v3) and developers.hubspot.com/docs/guides/api/crm/objects/contacts: at most 100 inputs,
//! property values are texts, a multi-status answer is given only when every input carries an
//! `objectWriteTraceId`; without it, one bad input refuses the whole batch. Stricter than HubSpot:
//! fields that the description does not name are refused. Laxer: `lifecyclestage` may go back, so
//! that a test sees it when we send it back.

mod input;
mod property;

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::exchange::{Answer, Request};
use input::{Input, Refused, invalid, object, only, read_inputs, texts};
use property::Complaint;

/// Ids look like HubSpot's and are told from Stripe's and MailerLite's at a glance.
const FIRST_ID: u64 = 51_200;

/// One HubSpot account.
#[derive(Default)]
pub(crate) struct Portal {
    contacts: BTreeMap<u64, Contact>,
}

struct Contact {
    properties: Map<String, Value>,
    created: Timestamp,
    updated: Timestamp,
}

impl Contact {
    fn email(&self) -> Option<&str> {
        self.properties.get("email")?.as_str()
    }
}

impl Portal {
    /// Answers one request to HubSpot.
    pub(crate) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        let answered = self.route(request, now);
        let answer = answered
            .unwrap_or_else(|refused| error(refused.status, refused.category, &refused.message));
        answer
            .with_header("x-hubspot-ratelimit-max", "190")
            .with_header("x-hubspot-ratelimit-remaining", "189")
            .with_header("x-hubspot-ratelimit-interval-milliseconds", "10000")
    }

    fn route(&mut self, request: &Request, now: Timestamp) -> Result<Answer, Refused> {
        if request.bearer().is_none() {
            let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
            return Err(Refused {
                status: 401,
                category: "INVALID_AUTHENTICATION",
                message: message.into(),
            });
        }
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.clone(), path.as_slice()) {
            (Method::POST, ["crm", "v3", "objects", "contacts", "batch", "upsert"]) => {
                self.upsert(&object(request)?, now)
            }
            (Method::GET, ["crm", "v3", "objects", "contacts", id]) => self.read(request, id),
            (Method::PATCH, ["crm", "v3", "objects", "contacts", id]) => {
                self.update(request, id, &object(request)?, now)
            }
            _ => Err(Refused {
                status: 404,
                category: "OBJECT_NOT_FOUND",
                message: "resource not found".into(),
            }),
        }
    }

    fn upsert(&mut self, body: &Map<String, Value>, now: Timestamp) -> Result<Answer, Refused> {
        only(body, &["inputs"])?;
        let inputs = read_inputs(body)?;
        let traced = inputs.iter().all(|input| input.trace.is_some());
        let complaints: Vec<Option<Complaint>> =
            inputs.iter().map(|input| self.complaint(input)).collect();
        if let Some(first) = complaints.iter().flatten().next().filter(|_| !traced) {
            return invalid(first.message());
        }
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (input, complaint) in inputs.iter().zip(complaints) {
            match complaint {
                Some(complaint) => errors.push(complaint.in_batch(input.trace)),
                None => results.push(self.write(input, now)),
            }
        }
        Ok(batch(results, errors, now))
    }

    fn complaint(&self, input: &Input<'_>) -> Option<Complaint> {
        let email = input.properties.get("email").and_then(Value::as_str).unwrap_or(input.id);
        property::check_email(email)
            .or_else(|| property::check(input.properties))
            .or_else(|| self.taken(email, self.find(input.id)))
    }

    /// Another contact that has this e-mail already.
    fn taken(&self, email: &str, own: Option<u64>) -> Option<Complaint> {
        let holder = self.find(email).filter(|holder| own.is_some_and(|own| own != *holder))?;
        Some(Complaint::conflict(holder))
    }

    fn find(&self, email: &str) -> Option<u64> {
        let wanted = email.to_lowercase();
        let mut contacts = self.contacts.iter();
        contacts.find(|(_, contact)| contact.email() == Some(&wanted)).map(|(id, _)| *id)
    }

    fn write(&mut self, input: &Input<'_>, now: Timestamp) -> Value {
        let found = self.find(input.id);
        let id = found.unwrap_or(FIRST_ID + self.contacts.len() as u64 + 1);
        let contact = self.contacts.entry(id).or_insert_with(|| Contact {
            properties: Map::from_iter([("email".to_owned(), input.id.to_lowercase().into())]),
            created: now,
            updated: now,
        });
        merge(contact, input.properties, now);
        let mut result = shown(id, contact);
        result["new"] = found.is_none().into();
        if let Some(trace) = input.trace {
            result["objectWriteTraceId"] = trace.into();
        }
        result
    }

    fn read(&self, request: &Request, id: &str) -> Result<Answer, Refused> {
        let id = self.resolve(request, id)?;
        let contact = self.contacts.get(&id).ok_or_else(missing)?;
        Ok(Answer::json(200, shown(id, contact)))
    }

    fn update(
        &mut self,
        request: &Request,
        id: &str,
        body: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        only(body, &["properties", "objectWriteTraceId"])?;
        let properties = texts(body.get("properties"))?;
        let id = self.resolve(request, id)?;
        let email = properties.get("email").and_then(Value::as_str);
        if let Some(complaint) =
            email.and_then(property::check_email).or_else(|| property::check(properties))
        {
            return invalid(complaint.message());
        }
        if let Some(conflict) = email.and_then(|email| self.taken(email, Some(id))) {
            return Err(Refused { status: 409, category: "CONFLICT", message: conflict.message() });
        }
        let contact = self.contacts.get_mut(&id).ok_or_else(missing)?;
        merge(contact, properties, now);
        Ok(Answer::json(200, shown(id, contact)))
    }

    /// The record id of a path's id, which `idProperty=email` makes an e-mail.
    fn resolve(&self, request: &Request, id: &str) -> Result<u64, Refused> {
        let by_email = request
            .query_pairs()
            .iter()
            .any(|(name, value)| name == "idProperty" && value == "email");
        let found = if by_email { self.find(id) } else { id.parse().ok() };
        found.filter(|id| self.contacts.contains_key(id)).ok_or_else(missing)
    }
}

fn merge(contact: &mut Contact, properties: &Map<String, Value>, now: Timestamp) {
    for (name, value) in properties {
        let text = value.as_str().unwrap_or_default();
        let kept = if name == "email" { text.to_lowercase() } else { text.to_owned() };
        contact.properties.insert(name.clone(), kept.into());
    }
    contact.updated = now;
}

fn shown(id: u64, contact: &Contact) -> Value {
    let mut properties = contact.properties.clone();
    properties.insert("hs_object_id".into(), id.to_string().into());
    properties.insert("createdate".into(), moment(contact.created).into());
    properties.insert("lastmodifieddate".into(), moment(contact.updated).into());
    json!({
        "id": id.to_string(),
        "properties": properties,
        "createdAt": moment(contact.created),
        "updatedAt": moment(contact.updated),
        "archived": false,
    })
}

fn batch(results: Vec<Value>, errors: Vec<Value>, now: Timestamp) -> Answer {
    let mut body = json!({
        "status": "COMPLETE",
        "results": results,
        "startedAt": moment(now),
        "completedAt": moment(now),
    });
    if errors.is_empty() {
        return Answer::json(200, body);
    }
    body["numErrors"] = errors.len().into();
    body["errors"] = errors.into();
    Answer::json(207, body)
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn missing() -> Refused {
    Refused { status: 404, category: "OBJECT_NOT_FOUND", message: "resource not found".into() }
}

fn error(status: u16, category: &str, message: &str) -> Answer {
    let body = json!({
        "status": "error",
        "message": message,
        "correlationId": Uuid::new_v4().to_string(),
        "category": category,
    });
    Answer::json(status, body)
}

/// A refusal in HubSpot's shape.
pub(crate) fn fault(status: u16) -> Answer {
    let (category, message) = match status {
        401 => ("INVALID_AUTHENTICATION", "Authentication credentials not found."),
        403 => (
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call.",
        ),
        404 => ("OBJECT_NOT_FOUND", "resource not found"),
        409 => ("CONFLICT", "Contact already exists. Existing ID: 512"),
        429 => ("RATE_LIMITS", "You have reached your ten_secondly_rolling limit."),
        400..=499 => ("VALIDATION_ERROR", "Property values were not valid"),
        500..=599 => ("INTERNAL_ERROR", "internal error"),
        _ => return Answer::empty(status),
    };
    let mut answer = error(status, category, message);
    if let (429, crate::exchange::Content::Json(body)) = (status, &mut answer.content) {
        body["errorType"] = "RATE_LIMIT".into();
        body["policyName"] = "TEN_SECONDLY_ROLLING".into();
    }
    answer
}
