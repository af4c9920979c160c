//! Form parameters as Stripe reads them: names with brackets, metadata and its limits.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::email;

/// docs.stripe.com/api/metadata
const METADATA_KEYS: usize = 50;
const METADATA_KEY: usize = 40;
const METADATA_VALUE: usize = 500;

/// The parameters of one call, in order.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn read(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Refuses the first parameter whose name, up to its bracket, is not among these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| !known.contains(&root(name))) {
            Some((name, _)) => Err(Refusal::unknown_parameter(name)),
            None => Ok(()),
        }
    }

    /// Refuses the first `parent[child]` whose child is not among these.
    pub(super) fn only_within(&self, parent: &str, known: &[&str]) -> Result<(), Refusal> {
        let stranger = self.0.iter().find(|(name, _)| {
            root(name) == parent && !child(name).is_some_and(|child| known.contains(&child))
        });
        match stranger {
            Some((name, _)) => Err(Refusal::unknown_parameter(name)),
            None => Ok(()),
        }
    }

    /// The value of a parameter, when it was given.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// True when the parameter, or anything inside it, was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| root(given) == name)
    }

    /// Refuses two parameters of which only one may be given.
    pub(super) fn not_both(&self, one: &str, other: &str) -> Result<(), Refusal> {
        if !(self.has(one) && self.has(other)) {
            return Ok(());
        }
        let message = format!("You may only specify one of these parameters: {one}, {other}.");
        Err(Refusal::validation(message).with_code("parameters_exclusive").with_param(one))
    }

    /// How long a page may be (docs.stripe.com/api/pagination).
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        match self.integer("limit")?.unwrap_or(10) {
            limit @ 1..=100 => Ok(usize::try_from(limit).unwrap_or(10)),
            _ => Err(Refusal::validation("This value must be 1 to 100.")
                .with_code("parameter_invalid_integer")
                .with_param("limit")),
        }
    }

    /// The values of `name[]=…`, `name[0]=…`.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let within = self.0.iter().filter(|(given, _)| root(given) == name && given.contains('['));
        within.map(|(_, value)| value.as_str()).collect()
    }

    /// A whole number, when the parameter was given.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit());
        match text.parse().ok().filter(|_| digits) {
            Some(number) => Ok(Some(number)),
            None => Err(Refusal::validation(format!("Invalid integer: {text}"))
                .with_code("parameter_invalid_integer")
                .with_param(name)),
        }
    }

    /// One of some words, when the parameter was given.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Refusal> {
        let Some(text) = self.one(name) else { return Ok(None) };
        if words.contains(&text) {
            return Ok(Some(text));
        }
        let message = format!("Invalid {name}: must be one of {}", words.join(", "));
        Err(Refusal::validation(message).with_param(name))
    }

    /// An e-mail address, when the parameter was given; an empty one unsets it.
    pub(super) fn email(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.one(name) {
            None => Ok(None),
            Some("") => Ok(Some(Value::Null)),
            Some(text) if email::is_address(text) => Ok(Some(text.into())),
            Some(text) => Err(Refusal::validation(format!("Invalid email address: {text}"))
                .with_code("email_invalid")
                .with_param(name)),
        }
    }

    /// Merges the call's metadata into what is there: an empty value deletes a key, an empty
    /// `metadata` deletes all.
    pub(super) fn merge_metadata(&self, kept: &Value) -> Result<Value, Refusal> {
        let mut merged: Map<String, Value> = kept.as_object().cloned().unwrap_or_default();
        for (name, value) in self.0.iter().filter(|(name, _)| root(name) == "metadata") {
            if name == "metadata" && value.is_empty() {
                merged.clear();
                continue;
            }
            let key = metadata_key(name)?;
            if value.chars().count() > METADATA_VALUE {
                return metadata(
                    name,
                    format!(
                        "Metadata values can have up to 500 characters, but you passed in a value that is {} characters.",
                        value.chars().count()
                    ),
                );
            }
            if value.is_empty() {
                merged.remove(key);
            } else {
                merged.insert(key.to_owned(), value.as_str().into());
            }
        }
        if merged.len() > METADATA_KEYS {
            return metadata(
                "metadata",
                format!(
                    "Metadata can only have up to 50 keys, but you are trying to have {}.",
                    merged.len()
                ),
            );
        }
        Ok(Value::Object(merged))
    }
}

fn metadata<T>(param: &str, message: String) -> Result<T, Refusal> {
    Err(Refusal::validation(message).with_param(param))
}

fn metadata_key(name: &str) -> Result<&str, Refusal> {
    let key = name.strip_prefix("metadata[").and_then(|rest| rest.strip_suffix(']'));
    let Some(key) = key.filter(|key| !key.is_empty() && !key.contains(['[', ']'])) else {
        return metadata(
            "metadata",
            "Metadata keys cannot be empty nor contain square brackets.".to_owned(),
        );
    };
    if key.chars().count() > METADATA_KEY {
        return metadata(
            "metadata",
            format!(
                "Metadata keys can have up to 40 characters, but you passed in a key that is {} characters.",
                key.chars().count()
            ),
        );
    }
    Ok(key)
}

fn root(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

fn child(name: &str) -> Option<&str> {
    name.split_once('[')?.1.split(']').next()
}
