//! A function's log line → one readable line about what happened, or nothing.

use serde_json::Value;

/// What AWS itself writes around an invocation.
const AWS_OWN: [&str; 5] = ["START ", "END ", "REPORT ", "INIT_START ", "EXTENSION "];

/// The happening in a log line of a function. What no line is known for is shown when it is an error.
pub(crate) fn happening(function: &str, logged: &str) -> Option<String> {
    let Ok(entry) = serde_json::from_str::<Value>(logged) else {
        let noise = logged.trim().is_empty() || AWS_OWN.iter().any(|own| logged.starts_with(own));
        return (!noise).then(|| format!("!!   {function}: {logged}"));
    };
    let entry = Entry(&entry);
    match entry.text("message").as_str() {
        "request answered" => Some(answered(&entry)),
        "fact dispatched" => Some(dispatched(&entry)),
        "delivery ended" => Some(ended(&entry)),
        "sweep" => swept(&entry),
        _ if ["ERROR", "WARN"].contains(&entry.text("level").to_uppercase().as_str()) => {
            Some(format!("!!   {function}: {}", entry.all()))
        }
        _ => None,
    }
}

/// `--> POST /leads 202 12 ms`, `--> payment_intent.succeeded evt_1 200 12 ms`
fn answered(entry: &Entry<'_>) -> String {
    let what = match entry.text("stripe_event_type") {
        event if !event.is_empty() => format!("{event} {}", entry.text("stripe_event_id")),
        _ => format!("{} {}", entry.text("method"), entry.text("route")),
    };
    let again = if entry.0["duplicate"] == true { "again" } else { "" };
    let problem = entry.text("problem");
    let took = entry.took();
    joined(&["-->", &what, &entry.text("status"), &took, again, &problem])
}

/// `  . lead_captured 1f0e2d3c sent hubspot,slack`, and a line for each destination that it skips.
fn dispatched(entry: &Entry<'_>) -> String {
    let (kind, sent) = (entry.text("kind"), entry.text("sent"));
    let sent = if sent.is_empty() { "sent to nobody".to_owned() } else { format!("sent {sent}") };
    let skipped = entry.text("skipped");
    // That a destination has no use for a kind of fact is no news.
    let skips = skipped
        .split(',')
        .filter_map(|skip| skip.split_once(':'))
        .filter(|(_, reason)| *reason != "not_applicable")
        .map(|(destination, reason)| joined(&["skip", destination, &kind, reason]));
    std::iter::once(joined(&["  .", &kind, &entry.journey(), &sent]))
        .chain(skips)
        .collect::<Vec<_>>()
        .join("\n")
}

/// `ok   hubspot lead_captured:… 34 ms`, `skip sgtm consent`, `wait mailerlite 503, again in 4 s`
fn ended(entry: &Entry<'_>) -> String {
    let (destination, effect) = (entry.text("destination"), entry.effect());
    let (reason, detail, took) = (entry.text("reason"), entry.text("detail"), entry.took());
    match entry.text("outcome").as_str() {
        "delivered" => joined(&["ok  ", &destination, &effect, &took]),
        "accepted_unverifiable" => {
            joined(&["ok  ", &destination, &effect, &took, "(accepted, cannot be verified)"])
        }
        "skipped" => joined(&["skip", &destination, &effect, &reason]),
        "waiting" => {
            let again = entry.0["retry_in_ms"]
                .as_u64()
                .map_or(String::new(), |wait| format!("again in {} s", wait.div_ceil(1000)));
            let why = if detail.is_empty() { reason } else { detail };
            let why = [why, again].into_iter().filter(|part| !part.is_empty());
            joined(&["wait", &destination, &effect, &why.collect::<Vec<_>>().join(", ")])
        }
        "dead" => joined(&["dead", &destination, &effect, &reason, &detail, &attempts(entry)]),
        other => joined(&["?   ", &destination, &effect, other, &reason]),
    }
}

fn attempts(entry: &Entry<'_>) -> String {
    match entry.text("attempt").as_str() {
        "" => String::new(),
        attempt => format!("after {attempt} calls"),
    }
}

/// Only a sweep that found something is a happening.
fn swept(entry: &Entry<'_>) -> Option<String> {
    let found: Vec<String> = entry
        .own_fields()
        .filter(|(name, value)| {
            value.as_u64().is_some_and(|count| count > 0) && *name != "duration_ms"
        })
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    (!found.is_empty()).then(|| format!("  . sweep {}", found.join(", ")))
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

/// One log line's fields.
struct Entry<'a>(&'a Value);

/// Fields of every line, which say nothing about what happened.
const FRAME: [&str; 10] = [
    "_aws",
    "timestamp",
    "level",
    "message",
    "service",
    "cold_start",
    "function_request_id",
    "xray_trace_id",
    "correlation_id",
    "target",
];

impl Entry<'_> {
    /// A field as text; nothing when it is missing.
    fn text(&self, name: &str) -> String {
        match &self.0[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_string()
            }
        }
    }

    fn took(&self) -> String {
        match self.text("duration_ms").as_str() {
            "" => String::new(),
            took => format!("{took} ms"),
        }
    }

    /// The first part of the journey's id, enough to tell two apart.
    fn journey(&self) -> String {
        self.text("event_id").chars().take(8).collect()
    }

    /// What the delivery is for: its effect, which may be missing.
    fn effect(&self) -> String {
        match self.text("effect") {
            effect if effect.is_empty() => self.journey(),
            effect => effect,
        }
    }

    fn own_fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let fields = self.0.as_object().into_iter().flatten();
        fields.map(|(name, value)| (name.as_str(), value)).filter(|(name, _)| !FRAME.contains(name))
    }

    /// The message and every field of its own.
    fn all(&self) -> String {
        let fields = self.own_fields().map(|(name, _)| format!(" {name}={}", self.text(name)));
        format!("{}{}", self.text("message"), fields.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::happening;
    use serde_json::json;

    fn told(entry: &serde_json::Value) -> Option<String> {
        happening("crm-sync", &entry.to_string())
    }

    #[test]
    fn a_webhook_is_told_by_its_event() {
        let line = told(&json!({
            "level": "INFO", "message": "request answered", "method": "POST", "route": "/webhooks/stripe",
            "status": 200, "duration_ms": 12, "stripe_event_id": "evt_1",
            "stripe_event_type": "payment_intent.succeeded", "duplicate": true,
        }));
        assert_eq!(line.unwrap(), "--> payment_intent.succeeded evt_1 200 12 ms again");
    }

    #[test]
    fn a_refused_request_is_told_with_its_problem() {
        let line = told(&json!({
            "message": "request answered", "method": "POST", "route": "/leads", "status": 422,
            "duration_ms": 3, "problem": "invalid-field",
        }));
        assert_eq!(line.unwrap(), "--> POST /leads 422 3 ms invalid-field");
    }

    #[test]
    fn each_outcome_has_its_word() {
        let ended = |outcome: &str, reason: &str| {
            told(&json!({
                "message": "delivery ended", "destination": "mailerlite", "effect": "lead:1",
                "outcome": outcome, "reason": reason, "detail": "503", "attempt": 2,
                "retry_in_ms": 3500, "duration_ms": 9,
            }))
            .unwrap()
        };
        assert_eq!(ended("delivered", ""), "ok   mailerlite lead:1 9 ms");
        assert_eq!(ended("skipped", "consent"), "skip mailerlite lead:1 consent");
        assert_eq!(ended("waiting", "retry"), "wait mailerlite lead:1 503, again in 4 s");
        assert_eq!(ended("dead", "rejected"), "dead mailerlite lead:1 rejected 503 after 2 calls");
    }

    #[test]
    fn a_dispatched_fact_names_whom_it_skips_and_why() {
        let line = told(&json!({
            "message": "fact dispatched", "kind": "lead_captured", "event_id": "1f0e2d3c-0000",
            "sent": "hubspot,slack", "skipped": "sgtm:consent,sendgrid:not_applicable",
        }));
        let expected =
            "  . lead_captured 1f0e2d3c sent hubspot,slack\nskip sgtm lead_captured consent";
        assert_eq!(line.unwrap(), expected);
    }

    #[test]
    fn what_nobody_foresaw_is_shown_when_it_is_an_error() {
        assert_eq!(
            told(
                &json!({ "level": "ERROR", "message": "no key", "name": "PEPPER", "timestamp": "t" })
            ),
            Some("!!   crm-sync: no key name=PEPPER".into())
        );
        assert_eq!(told(&json!({ "level": "INFO", "message": "outbound call" })), None);
        assert_eq!(told(&json!({ "_aws": {}, "calls": 1 })), None);
        let panicked = happening("crm-sync", "thread 'main' panicked at src/main.rs:1:1:");
        assert_eq!(panicked.unwrap(), "!!   crm-sync: thread 'main' panicked at src/main.rs:1:1:");
        assert_eq!(happening("crm-sync", "START RequestId: 1 Version: $LATEST"), None);
    }

    #[test]
    fn a_sweep_that_found_nothing_is_no_happening() {
        assert_eq!(told(&json!({ "message": "sweep", "due": 0, "duration_ms": 4 })), None);
        let line = told(&json!({ "message": "sweep", "due": 2, "undispatched": 0 }));
        assert_eq!(line.unwrap(), "  . sweep due 2");
    }
}
