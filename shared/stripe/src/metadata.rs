//! What we write beside a payment intent, so that its events come back knowing their journey, and
//! how we read it again. Cut to Stripe's limits, never refused; what cannot be read is absent.
//! <https://docs.stripe.com/api/metadata>

use domain::attribution::{Context, Field};
use domain::consent::{Consent, Method};
use domain::contact::{Contact, EmailAddress, FullName, Language, PhoneNumber};
use domain::id::{EventId, SessionId};
use domain::order::Order;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use std::collections::BTreeMap;

/// The most keys an object may have.
pub const MOST_KEYS: usize = 50;
/// The longest key, in characters, none of them a square bracket.
pub const LONGEST_KEY: usize = 40;
/// The longest value, in characters.
pub const LONGEST_VALUE: usize = 500;

/// An object's metadata, within Stripe's limits. `Debug` shows how many keys there are.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Metadata(BTreeMap<String, String>);

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[metadata of {} keys]", self.0.len())
    }
}

/// The ids of a purchase: all that the call which creates an intent says, so that the same call
/// can be repeated under its key whatever was corrected meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Ids<'a> {
    /// The journey.
    pub event_id: EventId,
    /// Its session.
    pub session_id: SessionId,
    /// What is bought.
    pub order: &'a Order,
}

/// Everything else that is written once the intent is there.
#[derive(Debug, Clone, Copy)]
pub struct Details<'a> {
    /// The ids again.
    pub ids: Ids<'a>,
    /// How to reach the buyer.
    pub contact: &'a Contact,
    /// The CRM's id of them, once known.
    pub crm_contact_id: Option<&'a str>,
    /// What they allowed, as far as this journey says.
    pub consent: Option<&'a Consent>,
    /// Where they came from.
    pub context: &'a Context,
}

impl Metadata {
    /// The ids of a purchase.
    #[must_use]
    pub fn of_ids(ids: Ids<'_>) -> Self {
        let mut metadata = Self::default();
        metadata.insert("event_id", &ids.event_id.to_string());
        metadata.insert("user_session_id", &ids.session_id.to_string());
        metadata.insert("product_id", ids.order.product_id.as_str());
        metadata.insert("quantity", &ids.order.quantity.to_string());
        metadata
    }

    /// All we know of a purchase.
    #[must_use]
    pub fn of(details: Details<'_>) -> Self {
        let Details { ids, contact, crm_contact_id, consent, context } = details;
        let mut metadata = Self::of_ids(ids);
        metadata.insert("product_name", &ids.order.product_name);
        metadata.insert("email", contact.email.expose());
        metadata.insert("full_name", contact.full_name.as_ref().map_or("", FullName::expose));
        metadata.insert("phone", contact.phone.as_ref().map_or("", PhoneNumber::expose));
        metadata.insert("language", contact.language.tag());
        metadata.insert("crm_contact_id", crm_contact_id.unwrap_or_default());
        metadata.insert_consent(consent);
        for field in Field::ALL {
            metadata.insert(field.name(), context.get(field).unwrap_or_default());
        }
        metadata
    }

    fn insert_consent(&mut self, consent: Option<&Consent>) {
        let Some(consent) = consent else { return };
        self.insert("marketing_consent", &consent.marketing.to_string());
        self.insert("analytics_consent", &consent.analytics.to_string());
        self.insert("preferences_consent", &consent.preferences.to_string());
        self.insert("consent_timestamp", &consent.given_at.to_string());
        self.insert("consent_version", &consent.version);
        self.insert("consent_method", consent.method.name());
    }

    /// Keeps a pair within Stripe's limits. An empty value is left out: Stripe reads it as "unset".
    fn insert(&mut self, key: &str, value: &str) {
        let full = self.0.len() >= MOST_KEYS && !self.0.contains_key(key);
        let unfit = key.is_empty() || key.chars().count() > LONGEST_KEY || key.contains(['[', ']']);
        if value.is_empty() || full || unfit {
            return;
        }
        self.0.insert(key.to_owned(), value.chars().take(LONGEST_VALUE).collect());
    }

    /// The pairs, by key.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// What this says otherwise or more than what an object holds; nothing is ever unset.
    #[must_use]
    pub fn beyond(&self, held: &Self) -> Self {
        self.pairs().filter(|(key, value)| held.get(key) != Some(*value)).collect()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The journey, where the object is ours.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        self.get("event_id").and_then(|text| EventId::parse(text).ok())
    }

    /// The session.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        self.get("user_session_id").and_then(|text| SessionId::parse(text).ok())
    }

    /// How to reach the buyer, where an address can be read.
    #[must_use]
    pub fn contact(&self) -> Option<Contact> {
        Some(Contact {
            email: EmailAddress::parse(self.get("email")?).ok()?,
            full_name: self.get("full_name").and_then(|text| FullName::parse(text).ok()),
            phone: self.get("phone").and_then(|text| PhoneNumber::kept(text).ok()),
            language: self.language().unwrap_or_default(),
        })
    }

    fn language(&self) -> Option<Language> {
        self.get("language").map(Language::from_tag)
    }

    /// What the buyer allowed, where the whole answer can be read: half an answer grants nothing.
    #[must_use]
    pub fn consent(&self) -> Option<Consent> {
        let flag = |key| match self.get(key) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) | None => None,
        };
        Some(Consent {
            marketing: flag("marketing_consent")?,
            analytics: flag("analytics_consent")?,
            preferences: flag("preferences_consent").unwrap_or(false),
            method: method(self.get("consent_method")?)?,
            given_at: self.get("consent_timestamp")?.parse().ok()?,
            version: self.get("consent_version")?.to_owned(),
            language: self.language(),
            ip: None,
        })
    }

    /// Where the buyer came from.
    #[must_use]
    pub fn context(&self) -> Context {
        let mut context = Context::default();
        for field in Field::ALL {
            context.insert(field, self.get(field.name()).unwrap_or_default());
        }
        context
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

fn method(text: &str) -> Option<Method> {
    let word: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    Method::deserialize(word).ok()
}

impl<'a> FromIterator<(&'a str, &'a str)> for Metadata {
    /// Gathers pairs, as many and as long as Stripe allows.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut metadata = Self::default();
        for (key, value) in pairs {
            metadata.insert(key, value);
        }
        metadata
    }
}

#[cfg(test)]
mod tests;
