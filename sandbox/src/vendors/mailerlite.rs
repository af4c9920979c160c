//! MailerLite's subscribers: upsert by e-mail, update by id, read, add to a group.
//!
//! developers.mailerlite.com/docs/subscribers.html and …/docs/groups.html. From those pages: POST
//! adds and never removes; PUT removes the groups it does not list; **nobody who unsubscribed,
//! bounced or complained is made active by `status`**: only `resubscribe: true` on POST does it, and
//! only for `unsubscribed`. PUT's `email` is not in the table of parameters but is accepted
//! (github.com/mailerlite/mailerlite-nodejs/issues/73). Stricter than MailerLite: unknown
//! parameters and unknown custom fields are 422 (MailerLite drops them), and a call without
//! `Accept: application/json` is 406.

mod rules;

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::exchange::{Answer, Request};
use rules::Faults;

/// Ids are longer than a JavaScript number holds, as MailerLite's are.
const FIRST_ID: u64 = 131_986_843_064_993_537;

/// One MailerLite account.
#[derive(Default)]
pub(crate) struct Account {
    subscribers: BTreeMap<u64, Subscriber>,
}

struct Subscriber {
    email: String,
    status: String,
    fields: Map<String, Value>,
    groups: Vec<String>,
    /// subscribed_at, unsubscribed_at, opted_in_at, ip_address, optin_ip
    about: Map<String, Value>,
    created: String,
    updated: String,
}

impl Account {
    /// Answers one request to MailerLite.
    pub(crate) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        let answer = match refused_at_the_door(request) {
            Some(refusal) => refusal,
            None => self.route(request, &moment(now)),
        };
        answer.with_header("x-ratelimit-limit", "120").with_header("x-ratelimit-remaining", "119")
    }

    fn route(&mut self, request: &Request, now: &str) -> Answer {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.clone(), path.as_slice()) {
            (Method::POST, ["subscribers"]) => self.upsert(request, now),
            (Method::GET, ["subscribers", who]) => self.read(who),
            (Method::PUT, ["subscribers", who]) => self.update(request, who, now),
            (Method::POST, ["subscribers", who, "groups", group]) => self.assign(who, group, now),
            _ => not_found(),
        }
    }

    fn upsert(&mut self, request: &Request, now: &str) -> Answer {
        let Some(Value::Object(body)) = request.json() else { return rules::not_an_object() };
        let faults = rules::check_upsert(&body);
        if !faults.is_empty() {
            return faults.answer();
        }
        let email = body["email"].as_str().unwrap_or_default().to_lowercase();
        let found = self.by_email(&email);
        let id = found.unwrap_or(FIRST_ID + self.subscribers.len() as u64);
        let subscriber = self.subscribers.entry(id).or_insert_with(|| Subscriber::new(&email, now));
        subscriber.set_status(&body, found.is_none(), now);
        subscriber.set_fields(&body);
        subscriber.add_groups(&groups_of(&body));
        subscriber.updated = now.to_owned();
        Answer::json(if found.is_some() { 200 } else { 201 }, subscriber.shown(id))
    }

    fn update(&mut self, request: &Request, who: &str, now: &str) -> Answer {
        let Some(id) = who.parse().ok().filter(|id| self.subscribers.contains_key(id)) else {
            return not_found();
        };
        let Some(Value::Object(body)) = request.json() else { return rules::not_an_object() };
        let mut faults = rules::check_update(&body);
        let email = body.get("email").and_then(Value::as_str).map(str::to_lowercase);
        if email.as_deref().and_then(|email| self.by_email(email)).is_some_and(|held| held != id) {
            faults.note("email", "The email has already been taken.");
        }
        if !faults.is_empty() {
            return faults.answer();
        }
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return not_found() };
        subscriber.email = email.unwrap_or_else(|| subscriber.email.clone());
        subscriber.set_status(&body, false, now);
        subscriber.set_fields(&body);
        if body.contains_key("groups") {
            subscriber.groups = groups_of(&body);
        }
        subscriber.updated = now.to_owned();
        Answer::json(200, subscriber.shown(id))
    }

    fn read(&self, who: &str) -> Answer {
        let id =
            if who.contains('@') { self.by_email(&who.to_lowercase()) } else { who.parse().ok() };
        let found = id.and_then(|id| Some((id, self.subscribers.get(&id)?)));
        found.map_or_else(not_found, |(id, subscriber)| Answer::json(200, subscriber.shown(id)))
    }

    fn assign(&mut self, who: &str, group: &str, now: &str) -> Answer {
        let found = who.parse().ok().and_then(|id: u64| self.subscribers.get_mut(&id));
        let Some(subscriber) = found.filter(|_| rules::is_id(group)) else { return not_found() };
        subscriber.add_groups(&[group.to_owned()]);
        subscriber.updated = now.to_owned();
        Answer::json(200, json!({ "data": shown_group(group) }))
    }

    fn by_email(&self, email: &str) -> Option<u64> {
        self.subscribers.iter().find(|(_, one)| one.email == email).map(|(id, _)| *id)
    }
}

impl Subscriber {
    fn new(email: &str, now: &str) -> Self {
        let about = json!({
            "subscribed_at": now, "unsubscribed_at": null, "opted_in_at": null,
            "ip_address": null, "optin_ip": null,
        });
        Self {
            email: email.to_owned(),
            status: "active".to_owned(),
            fields: Map::new(),
            groups: Vec::new(),
            about: about.as_object().cloned().unwrap_or_default(),
            created: now.to_owned(),
            updated: now.to_owned(),
        }
    }

    fn set_status(&mut self, body: &Map<String, Value>, new: bool, now: &str) {
        for name in ["subscribed_at", "unsubscribed_at", "opted_in_at", "ip_address", "optin_ip"] {
            if let Some(value) = body.get(name) {
                self.about.insert(name.to_owned(), value.clone());
            }
        }
        let wanted = body.get("status").and_then(Value::as_str);
        let back = body.get("resubscribe") == Some(&Value::Bool(true));
        let gone = matches!(self.status.as_str(), "unsubscribed" | "bounced" | "junk");
        let allowed = new || !gone || (back && self.status == "unsubscribed");
        match wanted.or((back && gone).then_some("active")) {
            Some(status) if allowed && status != self.status => self.become_status(status, now),
            Some(_) | None => {}
        }
    }

    fn become_status(&mut self, status: &str, now: &str) {
        self.status = status.to_owned();
        let left = if status == "unsubscribed" { Value::from(now) } else { Value::Null };
        self.about.insert("unsubscribed_at".to_owned(), left);
    }

    fn set_fields(&mut self, body: &Map<String, Value>) {
        let fields = body.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
        self.fields.extend(fields);
    }

    fn add_groups(&mut self, groups: &[String]) {
        for group in groups {
            if !self.groups.contains(group) {
                self.groups.push(group.clone());
            }
        }
    }

    fn shown(&self, id: u64) -> Value {
        let standard =
            ["city", "company", "country", "last_name", "name", "phone", "state", "z_i_p"];
        let mut fields: Map<String, Value> =
            standard.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        fields.extend(self.fields.clone());
        let mut data = json!({
            "id": id.to_string(), "email": self.email, "status": self.status, "source": "api",
            "sent": 0, "opens_count": 0, "clicks_count": 0, "open_rate": 0, "click_rate": 0,
            "created_at": self.created, "updated_at": self.updated, "fields": fields,
            "groups": self.groups.iter().map(|group| shown_group(group)).collect::<Vec<_>>(),
        });
        for (name, value) in &self.about {
            data[name] = value.clone();
        }
        json!({ "data": data })
    }
}

fn shown_group(id: &str) -> Value {
    json!({ "id": id, "name": format!("Group {id}"), "active_count": 0, "sent_count": 0 })
}

fn groups_of(body: &Map<String, Value>) -> Vec<String> {
    let listed =
        body.get("groups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn refused_at_the_door(request: &Request) -> Option<Answer> {
    if request.bearer().is_none() {
        return Some(message(401, "Unauthenticated."));
    }
    if !request.header("accept").unwrap_or_default().contains("application/json") {
        return Some(message(406, "The Accept header must be application/json."));
    }
    let writes = request.method == Method::PUT || !request.body.is_empty();
    (writes && request.media_type() != "application/json")
        .then(|| message(415, "The Content-Type header must be application/json."))
}

fn moment(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn not_found() -> Answer {
    message(404, "Resource not found.")
}

fn message(status: u16, text: &str) -> Answer {
    Answer::json(status, json!({ "message": text }))
}

/// A refusal in MailerLite's shape.
pub(crate) fn fault(status: u16) -> Answer {
    match status {
        400..=599 => {}
        _ => return Answer::empty(status),
    }
    match status {
        401 => message(status, "Unauthenticated."),
        404 => not_found(),
        408 => message(status, "Request Timeout"),
        422 => {
            let mut faults = Faults::default();
            faults.note("email", "The email must be a valid email address.");
            faults.answer()
        }
        429 => message(status, "Too Many Attempts."),
        400..=499 => message(status, "Bad Request"),
        _ => message(status, "Server Error"),
    }
}
