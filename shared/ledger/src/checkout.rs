//! Checkouts and pointers: which payment intent belongs to which journey, product and attempt.

use crate::item::{Item, get_count, get_text, number, text, texts};
use crate::key::{self, PK, SK};
use crate::write::{Written, unless_refused, written};
use crate::{Ledger, Unavailable};
use domain::id::{EventId, ProductId, SessionId, StripeId};
use domain::pepper::PersonKey;
use jiff::Timestamp;

/// The intent under which a product is being bought in a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
    /// Which attempt, from 1: a new one begins when the last intent is over.
    pub attempt: u32,
    /// The intent.
    pub payment_intent: StripeId,
}

/// An attempt to buy, before there is an intent.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The journey.
    pub event_id: EventId,
    /// The product.
    pub product_id: &'a ProductId,
    /// How many.
    pub quantity: u32,
    /// Which attempt, from 1.
    pub number: u32,
}

/// Whether a journey has room for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It is taken now, or was before: the same attempt takes room once.
    Taken,
    /// There is none.
    Full,
}

/// Whose a payment intent is: for Stripe's events that carry none of our metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The journey.
    pub event_id: EventId,
    /// The session.
    pub session_id: SessionId,
    /// The person.
    pub person: PersonKey,
}

impl Ledger {
    /// Reads a journey's checkouts.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn checkouts(&self, event_id: EventId) -> Result<Vec<Checkout>, Unavailable> {
        let items = self.query_journey(event_id, key::CHECKOUT).await?;
        Ok(items.iter().filter_map(decode_checkout).collect())
    }

    /// Keeps the intent of an attempt; an older attempt never replaces a newer one.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn keep_checkout(
        &self,
        event_id: EventId,
        checkout: &Checkout,
        expires_at: Timestamp,
    ) -> Result<(), Unavailable> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, text(key::journey(event_id)))
            .item(
                SK,
                text(format!("{}{}#{}", key::CHECKOUT, checkout.product_id, checkout.quantity)),
            )
            .item("attempt", number(i64::from(checkout.attempt)))
            .item("payment_intent", text(checkout.payment_intent.as_str()))
            .item("expires_at", number(expires_at.as_second()))
            .condition_expression("attribute_not_exists(pk) OR attempt <= :attempt")
            .expression_attribute_values(":attempt", number(i64::from(checkout.attempt)))
            .send()
            .await;
        unless_refused("keep a checkout", put)
    }

    /// Takes room for an attempt among the `most` that its journey may begin: exact, however many
    /// ask at once. What was begun stays begun; for what has been paid since, `most` is higher.
    ///
    /// # Errors
    /// [`Unavailable`]: ask the same again.
    pub async fn begin_checkout(
        &self,
        attempt: Attempt<'_>,
        most: u32,
        expires_at: Timestamp,
    ) -> Result<Room, Unavailable> {
        let Attempt { event_id, product_id, quantity, number: at } = attempt;
        let one = format!("{product_id}#{quantity}#{at}");
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(event_id)))
            .key(SK, text(key::BEGUN))
            .update_expression("ADD begun :these SET expires_at = :expires_at")
            .condition_expression(
                "attribute_not_exists(begun) OR contains(begun, :one) OR size(begun) < :most",
            )
            .expression_attribute_values(":these", texts([&one]))
            .expression_attribute_values(":one", text(&one))
            .expression_attribute_values(":most", number(i64::from(most)))
            .expression_attribute_values(":expires_at", number(expires_at.as_second()))
            .send()
            .await;
        match written("begin a checkout", update)? {
            Written::Landed(_) => Ok(Room::Taken),
            Written::Refused(_) => Ok(Room::Full),
        }
    }

    /// Writes whose an intent is.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn point(
        &self,
        intent: &StripeId,
        pointer: &Pointer,
        expires_at: Timestamp,
    ) -> Result<(), Unavailable> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item(PK, text(key::intent(intent)))
            .item(SK, text(key::ALONE))
            .item("event_id", text(pointer.event_id.to_string()))
            .item("session_id", text(pointer.session_id.to_string()))
            .item("person", text(pointer.person.as_str()))
            .item("expires_at", number(expires_at.as_second()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Unavailable::from_sdk("write a pointer", &error))
    }

    /// Reads whose an intent is; `None` where it is not ours.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn pointer(&self, intent: &StripeId) -> Result<Option<Pointer>, Unavailable> {
        let item = self.item("read a pointer", key::intent(intent), key::ALONE).await?;
        Ok(item.as_ref().and_then(decode_pointer))
    }
}

fn decode_checkout(item: &Item) -> Option<Checkout> {
    let (product, quantity) = get_text(item, SK)?.strip_prefix(key::CHECKOUT)?.split_once('#')?;
    Some(Checkout {
        product_id: ProductId::parse(product).ok()?,
        quantity: quantity.parse().ok()?,
        attempt: get_count(item, "attempt"),
        payment_intent: StripeId::parse(get_text(item, "payment_intent")?).ok()?,
    })
}

fn decode_pointer(item: &Item) -> Option<Pointer> {
    Some(Pointer {
        event_id: EventId::parse(get_text(item, "event_id")?).ok()?,
        session_id: SessionId::parse(get_text(item, "session_id")?).ok()?,
        person: PersonKey::stored(get_text(item, "person")?.to_owned()),
    })
}
