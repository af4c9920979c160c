//! What a person looks for: a journey, a payment, or somebody.

use crate::{Fault, Operator, parameter};
use domain::contact::EmailAddress;
use domain::id::{EventId, StripeId};
use domain::pepper::{Pepper, PersonKey};

/// What is looked for. An e-mail address is never printed, logged or stored: it is looked up by its
/// keyed hash.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// A journey, by its `event_id`.
    Journey(EventId),
    /// The journey of a payment intent.
    Payment(StripeId),
    /// Somebody's journeys, by their key in the ledger.
    Person(PersonKey),
    /// Somebody's journeys, by their address.
    Email(EmailAddress),
}

impl Wanted {
    /// Reads an `event_id`, a `pi_…`, a person's key (`v1_…`, by its pepper's version) or an e-mail
    /// address.
    ///
    /// # Errors
    /// Refuses what is none of these, without repeating it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        // Under any version that a pepper may have.
        let is_person = |text: &str| {
            text.split_once('_').is_some_and(|(version, hash)| {
                (1..=8).contains(&version.len())
                    && version.bytes().all(|b| b.is_ascii_alphanumeric())
                    && hash.len() == 32
                    && hash.bytes().all(|b| b.is_ascii_hexdigit())
            })
        };
        if let Ok(event_id) = EventId::parse(text) {
            return Ok(Self::Journey(event_id));
        }
        if text.starts_with("pi_")
            && let Ok(intent) = StripeId::parse(text)
        {
            return Ok(Self::Payment(intent));
        }
        if is_person(text) {
            return Ok(Self::Person(PersonKey::stored(text.to_owned())));
        }
        EmailAddress::parse(text).map(Self::Email).map_err(|_| {
            Fault::refused(
                "that is no event_id (a UUID), no payment intent (pi_…), no person (v1_…) and no e-mail address",
            )
        })
    }

    /// What it is, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Journey(_) => "event_id",
            Self::Payment(_) => "payment_intent",
            Self::Person(_) => "person",
            Self::Email(_) => "email",
        }
    }
}

impl Operator {
    /// The journeys of what is looked for, those with a payment first, then the latest.
    ///
    /// # Errors
    /// [`Fault`]; nothing found is no fault.
    pub async fn find(&self, wanted: &Wanted) -> Result<Vec<EventId>, Fault> {
        match wanted {
            Wanted::Journey(event_id) => Ok(vec![*event_id]),
            Wanted::Payment(intent) => {
                let pointer = self.ledger.pointer(intent).await?;
                // A payment of another shop on the same account has a journey of its own.
                let foreign = || EventId::of_foreign(intent);
                Ok(vec![pointer.map_or_else(foreign, |pointer| pointer.event_id)])
            }
            Wanted::Person(person) => self.journeys_of(person).await,
            Wanted::Email(email) => {
                let person = self.pepper().await?.person(email);
                self.journeys_of(&person).await
            }
        }
    }

    async fn journeys_of(&self, person: &PersonKey) -> Result<Vec<EventId>, Fault> {
        let journeys = self.ledger.person(person).await?.journeys;
        Ok(journeys.into_iter().map(|enrolled| enrolled.event_id).collect())
    }

    /// The stage's pepper, under which people are named.
    pub(crate) async fn pepper(&self) -> Result<Pepper, Fault> {
        let name = self.stage.parameter("PEPPER");
        let text = parameter::read(&self.ssm, &name).await?;
        let text = text.ok_or_else(|| {
            Fault::refused(format!("{name} is not set, so nobody can be found by an address"))
        })?;
        Pepper::parse(&text).map_err(|refusal| Fault::refused(format!("{name} {refusal}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn what_is_looked_for_is_known_by_its_shape() {
        for (text, kind) in [
            ("6f1c1f9e-59a4-4e0a-9d0c-2f6f3f9a7c11", "event_id"),
            ("pi_3QabcdefGHIJ", "payment_intent"),
            ("v1_0123456789abcdef0123456789abcdef", "person"),
            ("p2_0123456789abcdef0123456789abcdef", "person"),
            ("20261120_0123456789abcdef0123456789abcdef", "person"),
            ("pi_0123456789abcdef0123456789abcdef", "payment_intent"),
            (" ana.silva@example.pt ", "email"),
        ] {
            assert_eq!(Wanted::parse(text).unwrap().kind(), kind);
        }
        for text in [
            "",
            "ana.silva",
            "ch_1",
            "v1_short",
            "_0123456789abcdef0123456789abcdef",
            "v-1_0123456789abcdef0123456789abcdef",
            "version12_0123456789abcdef0123456789abcdef",
        ] {
            let fault = Wanted::parse(text).unwrap_err().to_string();
            assert!(text.is_empty() || !fault.contains(text), "{fault}");
        }
    }

    #[test]
    fn an_address_is_not_printed() {
        let wanted = Wanted::parse("ana.silva@example.pt").unwrap();
        assert!(!format!("{wanted:?}").contains("ana"));
    }
}
