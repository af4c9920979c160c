//! A body, read into names and values: JSON from scripts, a form from pages without them.

use crate::{form, json};
use domain::Refusal;
use domain::id::{EventId, SessionId};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A body's fields, and how they were sent. `Debug` shows no value.
pub struct Body {
    /// The fields.
    pub fields: Object,
    /// Whether a form sent them, without a script that could mint ids.
    pub is_form: bool,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[body of {} fields]", self.fields.0.len())
    }
}

/// Names and values. A name occurs once.
#[derive(Default)]
pub struct Object(pub(crate) BTreeMap<String, Node>);

/// A value.
pub(crate) enum Node {
    Null,
    Flag(bool),
    Number(serde_json::Number),
    Text(String),
    /// No field of ours is a list; what one holds is looked at for its depth and forgotten.
    List,
    Object(Object),
}

/// A body that cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not JSON.
    #[error("the body must be JSON in UTF-8; reading stopped at line {line}, column {column}")]
    NotJson {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// JSON, but no object.
    #[error("the body must be a JSON object")]
    NotAnObject,
    /// Nested deeper than anything we read.
    #[error("the body must not be nested deeper than 8 levels")]
    TooDeep,
    /// One name twice: which value counts is not for us to guess.
    #[error("every field must be given once")]
    DuplicateField,
    /// A form that is not UTF-8 under its encoding.
    #[error("the form must be UTF-8")]
    NotUtf8,
}

/// Ids for those who cannot mint them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minted {
    /// A journey of its own.
    pub event_id: EventId,
    /// A session of its own.
    pub session_id: SessionId,
}

impl Minted {
    /// Makes ids of two random UUIDs.
    ///
    /// # Errors
    /// Refuses nil ones.
    pub fn from_random(event: Uuid, session: Uuid) -> Result<Self, Refusal> {
        Ok(Self { event_id: EventId::minted(event)?, session_id: SessionId::minted(session)? })
    }
}

impl Body {
    /// Reads JSON.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it as a whole.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Malformed> {
        json::read(bytes).map(|fields| Self { fields, is_form: false })
    }

    /// Reads what a form sends.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it as a whole.
    pub fn from_form(bytes: &[u8]) -> Result<Self, Malformed> {
        form::read(bytes).map(|fields| Self { fields, is_form: true })
    }
}

impl Object {
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        match self.0.get(name) {
            Some(Node::Null) | None => None,
            Some(node) => Some(node),
        }
    }

    /// A field's text; `None` where it is missing, blank or no text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Node::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Node::Null | Node::Flag(_) | Node::Number(_) | Node::List | Node::Object(_) => None,
        }
    }

    /// Whether the field that no person sees is filled in: then a machine did it.
    #[must_use]
    pub fn is_trapped(&self) -> bool {
        match self.get("website") {
            None => false,
            Some(Node::Text(text)) => !text.trim().is_empty(),
            Some(_) => true,
        }
    }
}
