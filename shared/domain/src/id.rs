//! Identifiers that others mint: parsed once, safe in keys, queue messages and logs afterwards.

use crate::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The one id of a journey, from the first click to the last euro. A non-nil UUID, minted by the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct EventId(Uuid);

/// The browser session a journey belongs to; every later call must name the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct SessionId(Uuid);

/// The namespace of journeys we derive for Stripe objects that carry no `event_id` of ours.
const FOREIGN: Uuid = Uuid::from_u128(0x7468_726f_7567_686c_696e_6500_0000_0001);

impl EventId {
    /// Reads a UUID in any of its usual spellings.
    ///
    /// # Errors
    /// Refuses what is no UUID, and the nil UUID.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        parse_uuid(text).map(Self)
    }

    /// The journey of a Stripe object that is not ours: the same object, the same journey.
    #[must_use]
    pub fn of_foreign(object: &StripeId) -> Self {
        Self(Uuid::new_v5(&FOREIGN, object.as_str().as_bytes()))
    }

    /// Wraps an id minted here, for pages that cannot mint one (forms without JavaScript).
    ///
    /// # Errors
    /// Refuses the nil UUID.
    pub fn minted(uuid: Uuid) -> Result<Self, Refusal> {
        Self::try_from(uuid)
    }
}

impl SessionId {
    /// Reads a UUID in any of its usual spellings.
    ///
    /// # Errors
    /// Refuses what is no UUID, and the nil UUID.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        parse_uuid(text).map(Self)
    }

    /// Wraps an id minted here, for pages that cannot mint one (forms without JavaScript).
    ///
    /// # Errors
    /// Refuses the nil UUID.
    pub fn minted(uuid: Uuid) -> Result<Self, Refusal> {
        Self::try_from(uuid)
    }

    /// Two numbers that stand for the session where Google expects `client_id` and the page had
    /// none: stable for the session, and in the shape `gtag.js` makes.
    #[must_use]
    pub fn as_client_id(&self) -> String {
        let (high, low) = self.0.as_u64_pair();
        format!("{}.{}", high % 10_000_000_000, low % 10_000_000_000)
    }
}

fn parse_uuid(text: &str) -> Result<Uuid, Refusal> {
    let uuid = Uuid::try_parse(text.trim()).map_err(|_| Refusal("must be a UUID"))?;
    if uuid.is_nil() { Err(Refusal("must not be the nil UUID")) } else { Ok(uuid) }
}

macro_rules! uuid_id {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl TryFrom<Uuid> for $name {
            type Error = Refusal;
            fn try_from(uuid: Uuid) -> Result<Self, Refusal> {
                if uuid.is_nil() {
                    Err(Refusal("must not be the nil UUID"))
                } else {
                    Ok(Self(uuid))
                }
            }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    };
}
uuid_id!(EventId);
uuid_id!(SessionId);

/// The id of an object at Stripe (`evt_…`, `pi_…`, `ch_…`, `re_…`): at most 255 ASCII letters,
/// digits and underscores, as <https://docs.stripe.com/upgrades> reserves for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StripeId(String);

impl StripeId {
    /// Reads an id of any kind of object.
    ///
    /// # Errors
    /// Refuses what Stripe would not mint: empty, over 255 characters, other characters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fits = (1..=255).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(Refusal("must be an id of Stripe's")) }
    }

    /// The id as Stripe writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StripeId {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<StripeId> for String {
    fn from(id: StripeId) -> String {
        id.0
    }
}

impl fmt::Display for StripeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A product of the catalogue: 1 to 64 lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductId(String);

impl ProductId {
    /// Reads a product's id.
    ///
    /// # Errors
    /// Refuses other characters, the empty text, and more than 64 characters.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal("must be 1 to 64 lower-case letters, digits and hyphens"))
        }
    }

    /// The id as the catalogue writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProductId {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<ProductId> for String {
    fn from(id: ProductId) -> String {
        id.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{EventId, ProductId, SessionId, StripeId};

    const UUID: &str = "6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c11";

    #[test]
    fn an_id_is_a_uuid_and_not_nil() {
        for text in [UUID, &UUID.to_uppercase(), &format!(" {UUID} ")] {
            assert_eq!(EventId::parse(text).unwrap().to_string(), UUID);
            assert_eq!(SessionId::parse(text).unwrap().to_string(), UUID);
        }
        for text in ["", "6f1c1f9e", "00000000-0000-0000-0000-000000000000"] {
            assert!(EventId::parse(text).is_err(), "{text}");
            assert!(SessionId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_session_stands_for_a_client_in_the_shape_of_gtag() {
        let session = SessionId::parse(UUID).unwrap();
        assert_eq!(session.as_client_id(), "2527133194.8530178065");
    }

    #[test]
    fn ids_of_stripe_are_letters_digits_and_underscores() {
        let longest = "x".repeat(255);
        for text in ["pi_3MtwBwLkdIwHu7ix28a3tqPa", "1", &longest] {
            let id = StripeId::parse(text).unwrap();
            assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
            assert_eq!(serde_json::to_value(&id).unwrap(), text);
        }
        for text in ["", "pi 1", "pi-1", "é", &"x".repeat(256)] {
            assert!(StripeId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn products_are_small_letters_digits_and_hyphens() {
        let longest = "x".repeat(64);
        for text in ["cafe-com-vendas-ticket", "2", &longest] {
            let id = ProductId::parse(text).unwrap();
            assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
            assert_eq!(serde_json::to_value(&id).unwrap(), text);
        }
        for text in ["", "Ticket", "a b", "a_b", &"x".repeat(65)] {
            assert!(ProductId::parse(text).is_err(), "{text}");
        }
    }
}
