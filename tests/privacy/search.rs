//! Where marks are looked for, and what was found.

use super::marks::Marks;
use crate::stack::Stack;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The secrets of a stack.
const SECRETS: [&str; 8] = [
    "HUBSPOT_ACCESS_TOKEN",
    "MAILERLITE_API_KEY",
    "PEPPER",
    "SENDGRID_API_KEY",
    "SGTM_API_SECRET",
    "SLACK_WEBHOOK_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
];

/// The attributes by which items are found.
const KEYS: [&str; 5] = ["pk", "sk", "agenda", "effect", "kind"];

/// The items of a partition.
pub(crate) async fn partition(stack: &Stack, pk: &str) -> Vec<HashMap<String, AttributeValue>> {
    let query = stack.dynamodb().query().table_name(stack.table());
    let query = query.key_condition_expression("pk = :pk").consistent_read(true);
    let query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
    query.send().await.unwrap().items.unwrap_or_default()
}

/// What is looked for, what was looked at, what was found.
pub(crate) struct Findings {
    /// What must be nowhere, with what it is.
    wanted: Vec<(String, String)>,
    looked_at: String,
    found: Vec<String>,
}

impl Findings {
    pub(crate) async fn of(marks: &Marks, stack: &Stack) -> Self {
        let mut wanted: Vec<(String, String)> =
            marks.texts().into_iter().map(|text| ("a person".to_owned(), text)).collect();
        for secret in SECRETS {
            wanted.push((secret.to_owned(), stack.parameter(secret).await.to_lowercase()));
        }
        wanted.push(("a client secret".to_owned(), "_secret_".to_owned()));
        wanted.push(("a signing secret".to_owned(), "whsec_".to_owned()));
        Self { wanted, looked_at: String::new(), found: Vec::new() }
    }

    /// Looks at one text.
    pub(crate) fn search(&mut self, place: &str, text: &str) {
        // The name of a setting is no secret, and looks like the middle of one.
        let lower = text.to_lowercase().replace("stripe_secret_key", "");
        let hit = self.wanted.iter().find(|(_, wanted)| lower.contains(wanted));
        if let Some((what, wanted)) = hit {
            self.found.push(format!("{place} holds {what} ({wanted}): {text}"));
        }
    }

    /// What every function printed since a moment.
    pub(crate) async fn search_logs(&mut self, stack: &Stack, since: i64) {
        for function in stack.functions() {
            for line in stack.printed(function, since).await {
                self.search(&format!("a line of {function}"), &line);
                self.looked_at.push_str(&line);
                self.looked_at.push('\n');
            }
        }
    }

    /// What callers were answered.
    pub(crate) fn search_answers(&mut self, answers: &[String]) {
        assert!(answers.len() > 40, "{}", answers.len());
        for answer in answers {
            self.search("an answer", answer);
        }
    }

    /// Messages on queues and among dead letters; those that a test has put there itself are not ours.
    pub(crate) fn search_messages(
        &mut self,
        queues: &BTreeMap<String, Vec<Value>>,
        poison: &BTreeSet<String>,
    ) {
        for (queue, messages) in queues {
            for message in messages {
                let id = message["MessageId"].as_str().unwrap_or_default();
                if !poison.contains(id) {
                    self.search(&format!("a message on {queue}"), &message.to_string());
                }
            }
        }
    }

    /// Every attribute of every item, but those that are there to hold people: what a fact says, and
    /// what is known of a person under their key.
    pub(crate) async fn search_table(&mut self, stack: &Stack) {
        let mut from = None;
        loop {
            let page = stack.dynamodb().scan().table_name(stack.table());
            let page = page.set_exclusive_start_key(from).send().await.unwrap();
            for item in page.items() {
                let of = |name: &str| {
                    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
                };
                let (pk, sk) = (of("pk"), of("sk"));
                let elsewhere = item.iter().filter(|(name, _)| {
                    let is_key = KEYS.contains(&name.as_str());
                    let is_home = (sk.starts_with("FACT#") && *name == "fact")
                        || (pk.starts_with("PERSON#") && !is_key);
                    !is_home
                });
                for (name, value) in elsewhere {
                    self.search(&format!("{name} of an item"), &format!("{pk} {sk} {value:?}"));
                }
                // And nobody's address at all, whoever's it is.
                if KEYS.into_iter().any(|name| of(name).contains('@')) {
                    self.found.push(format!("a key holds an address: {pk} {sk}"));
                }
            }
            from = page.last_evaluated_key().cloned();
            if from.is_none() {
                return;
            }
        }
    }

    /// The addresses at which vendors were called. Two of them are made of a secret by the vendor's
    /// own design: Slack's whole address, and Google's `api_secret`.
    pub(crate) async fn search_addresses(&mut self, stack: &Stack) {
        let slack = stack.parameter("SLACK_WEBHOOK_URL").await;
        for vendor in ["stripe", "hubspot", "mailerlite", "sgtm", "sendgrid", "slack"] {
            let seen = stack.sandbox.seen(vendor, "").await;
            for seen in seen {
                let path = seen.path();
                if !slack.ends_with(path) {
                    let google = |part: &&str| !part.starts_with("api_secret=");
                    let parts: Vec<&str> = path.split('&').filter(google).collect();
                    self.search(&format!("an address at {vendor}"), &parts.join("&"));
                }
            }
        }
    }

    /// Whether a text was among the lines that were searched.
    pub(crate) fn looked_at(&self, text: &str) -> bool {
        self.looked_at.contains(text)
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Fails with the first that was found in every place.
    pub(crate) fn are_none(&self) {
        let mut places = BTreeSet::new();
        let first = self.found.iter().filter(|found| places.insert(found.split(" holds ").next()));
        let shown: Vec<&str> = first.map(String::as_str).take(30).collect();
        assert!(self.found.is_empty(), "{} traces:\n{}", self.found.len(), shown.join("\n\n"));
    }
}
