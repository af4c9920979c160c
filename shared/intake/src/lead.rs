//! A lead: who somebody says they are, and how to reach them.

use crate::body::{Minted, Node, Object};
use crate::consent::{self, Answer};
use crate::fields::Fields;
use domain::Refusal;
use domain::attribution::{Context, Field};
use domain::contact::{Contact, EmailAddress, FullName, Language, PhoneNumber};
use domain::fact::HIGHEST_REVISION;
use domain::id::{EventId, SessionId};
use jiff::Timestamp;
use lambda::http::FieldError;

/// A lead as a page sends it: `POST /leads`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The journey.
    pub event_id: EventId,
    /// Its session.
    pub session_id: SessionId,
    /// 1 for the first, more for corrections.
    pub revision: u32,
    /// How to reach them.
    pub contact: Contact,
    /// When they first sent it, by their clock.
    pub told_at: Option<Timestamp>,
    /// Where they came from.
    pub context: Context,
    /// What they allowed, if they were asked.
    pub answer: Option<Answer>,
}

impl Lead {
    /// Reads the body of `POST /leads`. A form that cannot mint ids is given these.
    ///
    /// # Errors
    /// Names every field that is wrong.
    pub fn read(body: &Object, minted: Option<Minted>) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(body);
        let ids = ids(&mut fields, minted);
        let rule = Refusal("must be a whole number from 1 to 20");
        let revision = fields.whole("revision", 1, 1..=HIGHEST_REVISION, rule);
        let language = consent::language(&mut fields);
        let contact = contact(&mut fields, language);
        let told_at = fields.optional("lead_created_at", consent::timestamp);
        let answer = consent::answer(&mut fields, language);
        let context = context(body);
        let lead = ids.zip(contact).map(|((event_id, session_id), contact)| Self {
            event_id,
            session_id,
            revision,
            contact,
            told_at,
            context,
            answer,
        });
        fields.finish(lead)
    }
}

fn ids(fields: &mut Fields<'_>, minted: Option<Minted>) -> Option<(EventId, SessionId)> {
    let Some(minted) = minted else {
        let event_id = fields.required("event_id", EventId::parse);
        return event_id.zip(fields.required("user_session_id", SessionId::parse));
    };
    let event_id = fields.optional("event_id", EventId::parse);
    let session_id = fields.optional("user_session_id", SessionId::parse);
    Some((event_id.unwrap_or(minted.event_id), session_id.unwrap_or(minted.session_id)))
}

/// Who and how to reach them: a name and an address at least.
pub(crate) fn contact(fields: &mut Fields<'_>, language: Option<Language>) -> Option<Contact> {
    let full_name = fields.required("full_name", FullName::parse);
    let email = fields.required("email", EmailAddress::parse);
    let phone = fields.optional("phone", PhoneNumber::parse);
    let (full_name, email) = full_name.zip(email)?;
    Some(Contact {
        email,
        full_name: Some(full_name),
        phone,
        language: language.unwrap_or_default(),
    })
}

/// Where they came from: beside the other fields, or in an object of its own. What is no text is
/// left out, since a campaign's odd link must not cost a lead.
pub(crate) fn context(body: &Object) -> Context {
    let inner = match body.get("context") {
        Some(Node::Object(object)) => Some(object),
        Some(Node::Null | Node::Flag(_) | Node::Number(_) | Node::Text(_) | Node::List) | None => {
            None
        }
    };
    let mut context = Context::default();
    for object in inner.into_iter().chain([body]) {
        for field in Field::ALL {
            match object.get(field.name()) {
                Some(Node::Text(text)) => context.insert(field, text),
                Some(Node::Number(number)) => context.insert(field, &number.to_string()),
                Some(Node::Null | Node::Flag(_) | Node::List | Node::Object(_)) | None => {}
            }
        }
    }
    context
}
