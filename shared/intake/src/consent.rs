//! What a visitor answered about consent, as the page tells it.

use crate::body::Object;
use crate::fields::Fields;
use crate::moment;
use domain::Refusal;
use domain::consent::{Consent, Method};
use domain::contact::Language;
use domain::id::{EventId, SessionId};
use jiff::Timestamp;
use lambda::http::FieldError;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use std::net::IpAddr;

/// An answer, purpose by purpose; what is not said is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Newsletters and advertising.
    pub marketing: bool,
    /// Measurement.
    pub analytics: bool,
    /// Remembered choices.
    pub preferences: bool,
    /// How it was given.
    pub method: Method,
    /// When, by the visitor's clock.
    pub told_at: Option<Timestamp>,
    /// The version of the text that was answered.
    pub version: String,
    /// The language of the page.
    pub language: Option<Language>,
}

/// An answer given for itself: `POST /consents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentUpdate {
    /// The journey.
    pub event_id: EventId,
    /// Its session.
    pub session_id: SessionId,
    /// The answer.
    pub answer: Answer,
}

impl Answer {
    /// The answer as it is recorded: never later than we heard of it.
    #[must_use]
    pub fn heard(&self, now: Timestamp, ip: Option<IpAddr>) -> Consent {
        Consent {
            marketing: self.marketing,
            analytics: self.analytics,
            preferences: self.preferences,
            method: self.method,
            given_at: moment::settle(self.told_at, now),
            version: self.version.clone(),
            language: self.language,
            ip,
        }
    }

    fn read(object: &Object, language: Option<Language>) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(object);
        let (marketing, analytics, preferences) = (
            fields.flag("consent.marketing"),
            fields.flag("consent.analytics"),
            fields.flag("consent.preferences"),
        );
        let method = fields.required("consent.method", method);
        let told_at = fields.optional("consent.timestamp", timestamp);
        let version = fields.required_word("consent.version", version);
        let answer = method.zip(version).map(|(method, version)| Self {
            marketing,
            analytics,
            preferences,
            method,
            told_at,
            version,
            language,
        });
        fields.finish(answer)
    }
}

impl ConsentUpdate {
    /// Reads the body of `POST /consents`.
    ///
    /// # Errors
    /// Names every field that is wrong.
    pub fn read(body: &Object) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(body);
        let event_id = fields.required("event_id", EventId::parse);
        let session_id = fields.required("user_session_id", SessionId::parse);
        let language = language(&mut fields);
        let answer = answer(&mut fields, language);
        if body.get("consent").is_none() {
            fields.missing("consent");
        }
        let update = event_id.zip(session_id).zip(answer);
        fields.finish(update.map(|((event_id, session_id), answer)| Self {
            event_id,
            session_id,
            answer,
        }))
    }
}

/// The answer that comes with something else; a body without one records nothing.
pub(crate) fn answer(fields: &mut Fields<'_>, language: Option<Language>) -> Option<Answer> {
    let object = fields.object("consent")?;
    fields.take(Answer::read(object, language))
}

pub(crate) fn language(fields: &mut Fields<'_>) -> Option<Language> {
    fields.optional("language", |tag| {
        if tag.len() > 35 {
            Err(Refusal("must be a language tag"))
        } else {
            Ok(Language::from_tag(tag))
        }
    })
}

pub(crate) fn timestamp(text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|_| Refusal("must be a time as in 2026-01-31T09:30:00Z"))
}

fn method(text: &str) -> Result<Method, Refusal> {
    let word = text.to_ascii_lowercase();
    let word: StrDeserializer<'_, serde::de::value::Error> = word.as_str().into_deserializer();
    Method::deserialize(word).map_err(|_| Refusal("must be modal, checkbox or implied"))
}

fn version(text: &str) -> Result<String, Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if text.len() <= 32 && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(Refusal("must be at most 32 letters, digits, dots, hyphens and underscores"))
    }
}
