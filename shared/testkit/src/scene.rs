//! An errand with all that belongs to it: one delivery of the sample journey, as the loop hands it
//! to a courier.

use crate::facts::{Draft, a_journey, after};
use delivery::courier::{Errand, Synced};
use domain::consent::{ConsentPolicy, Leave};
use domain::contact::Contact;
use domain::delivery::DeliveryId;
use domain::destination::Destination;
use domain::fact::Fact;
use domain::fold::{Person, effective_consent};
use domain::journey::Journey;
use jiff::Timestamp;

/// What an errand borrows from.
#[derive(Debug, Clone)]
pub struct Scene {
    id: DeliveryId,
    fact: Fact,
    journey: Journey,
    contact: Contact,
    person: Person,
    synced: Synced,
    crm_contact_id: Option<String>,
    leave: Leave,
    now: Timestamp,
}

impl Scene {
    /// The delivery of the last of these facts to a destination, a second after it happened.
    ///
    /// # Panics
    /// Where no fact says how to reach anybody, or the person allows nothing of the kind.
    #[must_use]
    pub fn of(destination: Destination, drafts: &[Draft]) -> Self {
        Self::with(destination, drafts, Synced::default())
    }

    /// The same at a destination that was told of the person before.
    ///
    /// # Panics
    /// As [`Scene::of`].
    #[must_use]
    pub fn with(destination: Destination, drafts: &[Draft], synced: Synced) -> Self {
        let fact = drafts.last().expect("a fact").fact().clone();
        let journey = a_journey(drafts);
        let key = journey.person_of(&fact).expect("a fact that names somebody").clone();
        let journeys = std::slice::from_ref(&journey);
        let consent = effective_consent(None, journeys);
        let person =
            Person::fold(&key, journeys, consent).expect("a fact that says how to reach somebody");
        let policy = ConsentPolicy { required: true, version: "1".to_owned() };
        let leave = policy
            .leave(destination.purpose(), person.consent.as_ref(), synced != Synced::default())
            .expect("the person allows it");
        Self {
            id: DeliveryId { event_id: fact.event_id, effect: fact.effect(), destination },
            contact: journey.contact_of(&fact).expect("a contact").clone(),
            now: fact.occurred_at + jiff::SignedDuration::from_secs(1),
            crm_contact_id: None,
            fact,
            journey,
            person,
            synced,
            leave,
        }
    }

    /// The same with the person known to the CRM.
    #[must_use]
    pub fn known_to_the_crm(mut self, contact_id: &str) -> Self {
        self.crm_contact_id = Some(contact_id.to_owned());
        self
    }

    /// The same, worked so many seconds after the journey began.
    #[must_use]
    pub fn worked_at(mut self, seconds: i64) -> Self {
        self.now = after(seconds);
        self
    }

    /// The errand.
    #[must_use]
    pub fn errand(&self) -> Errand<'_> {
        Errand {
            id: &self.id,
            fact: &self.fact,
            journey: &self.journey,
            contact: &self.contact,
            person: &self.person,
            synced: &self.synced,
            crm_contact_id: self.crm_contact_id.as_deref(),
            leave: &self.leave,
            now: self.now,
        }
    }
}

/// What a destination was told last.
#[must_use]
pub fn told(vendor_id: &str, status: Option<&str>) -> Synced {
    Synced {
        vendor_id: Some(vendor_id.to_owned()),
        status: status.map(str::to_owned),
        digest: Some("v1_digest".to_owned()),
    }
}
