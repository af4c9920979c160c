//! A purchase about to begin: what, how many, and for whom. The price is not the page's to say.

use crate::body::Object;
use crate::consent::{self, Answer};
use crate::fields::Fields;
use crate::lead::{contact, context};
use domain::Refusal;
use domain::attribution::Context;
use domain::contact::Contact;
use domain::id::{EventId, ProductId, SessionId};
use lambda::http::FieldError;

/// The most of a product that one purchase takes.
pub const HIGHEST_QUANTITY: u32 = 20;

/// A purchase as a page sends it: `POST /payment-intents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The journey.
    pub event_id: EventId,
    /// Its session.
    pub session_id: SessionId,
    /// What is bought.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
    /// How to reach the buyer.
    pub contact: Contact,
    /// Where they came from.
    pub context: Context,
    /// What they allowed, if they were asked.
    pub answer: Option<Answer>,
}

impl Purchase {
    /// Reads the body of `POST /payment-intents`.
    ///
    /// # Errors
    /// Names every field that is wrong.
    pub fn read(body: &Object) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(body);
        let event_id = fields.required("event_id", EventId::parse);
        let session_id = fields.required("user_session_id", SessionId::parse);
        let product_id = fields.required("product_id", ProductId::parse);
        let rule = Refusal("must be a whole number from 1 to 20");
        let quantity = fields.whole("quantity", 1, 1..=HIGHEST_QUANTITY, rule);
        let language = consent::language(&mut fields);
        let contact = contact(&mut fields, language);
        let answer = consent::answer(&mut fields, language);
        let context = context(body);
        let ids = event_id.zip(session_id).zip(product_id).zip(contact);
        let purchase = ids.map(|(((event_id, session_id), product_id), contact)| Self {
            event_id,
            session_id,
            product_id,
            quantity,
            contact,
            context,
            answer,
        });
        fields.finish(purchase)
    }
}
