//! What is loaded for one delivery: its fact and journey, the person, and what they allow.

use domain::consent::Consent;
use domain::contact::Contact;
use domain::delivery::{DeliveryId, SkipReason};
use domain::destination::{Destination, Style};
use domain::fact::Fact;
use domain::fold::{Person, effective_consent};
use domain::journey::Journey;
use domain::pepper::PersonKey;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use ledger::{FactKey, Ledger, MOST_JOURNEYS, PersonRecord, Unavailable};

/// Why nothing is sent where nobody is known.
pub(crate) const NOBODY: &str = "nobody has left a contact in this journey";

/// All that a delivery is about.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) fact: Fact,
    pub(crate) journey: Journey,
    pub(crate) contact: Contact,
    pub(crate) person: Person,
    pub(crate) key: PersonKey,
    pub(crate) consent: Option<Consent>,
    record: PersonRecord,
}

/// What loading led to.
pub(crate) enum Loaded {
    World(Box<World>),
    Skip(SkipReason, &'static str),
}

/// Loads what a delivery is about, with consistent reads: what was recorded before now is seen.
pub(crate) async fn load(
    ledger: &Ledger,
    id: &DeliveryId,
    fact_sk: &str,
) -> Result<Loaded, Unavailable> {
    let journey = ledger.journey(id.event_id).await?;
    let Some(fact) = self::fact(&journey, fact_sk).cloned() else {
        return Ok(Loaded::Skip(SkipReason::NotApplicable, "the fact is no longer kept"));
    };
    let Some(key) = journey.person_of(&fact).cloned() else {
        return Ok(Loaded::Skip(SkipReason::NotApplicable, NOBODY));
    };
    let record = ledger.person(&key).await?;
    let profile = record.profile()?;
    let erased_at = profile.erased_at;
    if erased_at.is_some_and(|erased_at| fact.occurred_at <= erased_at) {
        return Ok(Loaded::Skip(SkipReason::Erased, "the person was erased"));
    }
    let journey = journey.since(erased_at);
    let journeys = match id.destination.style() {
        Style::State => all_journeys(ledger, &record, &journey, erased_at).await?,
        Style::Event => vec![journey.clone()],
    };
    let consent = effective_consent(profile.consent.as_ref(), &journeys).cloned();
    let person = Person::fold(&key, &journeys, consent.as_ref());
    let contact = journey.contact_of(&fact).cloned();
    let (Some(person), Some(contact)) = (person, contact) else {
        return Ok(Loaded::Skip(SkipReason::NotApplicable, NOBODY));
    };
    Ok(Loaded::World(Box::new(World { fact, journey, contact, person, key, consent, record })))
}

/// A fact of a journey by its sort key.
pub(crate) fn fact<'a>(journey: &'a Journey, sk: &str) -> Option<&'a Fact> {
    journey.facts().iter().find(|fact| FactKey::of(fact).sk == sk)
}

async fn all_journeys(
    ledger: &Ledger,
    record: &PersonRecord,
    journey: &Journey,
    erased_at: Option<Timestamp>,
) -> Result<Vec<Journey>, Unavailable> {
    let named = record.journeys.iter().map(|enrolled| enrolled.event_id);
    let others = named.filter(|id| *id != journey.event_id()).take(MOST_JOURNEYS);
    let others = try_join_all(others.map(|id| ledger.journey(id))).await?;
    let others = others.into_iter().map(|other| other.since(erased_at));
    Ok(others.chain([journey.clone()]).collect())
}

impl World {
    /// The person's id at the CRM.
    pub(crate) fn crm_contact_id(&self) -> Option<&str> {
        self.record.vendor_id(Destination::Hubspot)
    }
}
