//! People: the projection that the dispatcher keeps and the consumers read.

use crate::item::{Item, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::sync::{self, Synced};
use crate::write::unless_refused;
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::consent::Consent;
use domain::destination::Destination;
use domain::id::EventId;
use domain::pepper::PersonKey;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The most journeys of one person that are read together: those with a payment first, then the
/// latest. An address with more is a reception desk's, or somebody's script.
pub const MOST_JOURNEYS: usize = 50;

/// What a person answered for all their journeys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Their latest answer about consent.
    pub consent: Option<Consent>,
    /// The journey in which they gave it.
    pub said_in: Option<EventId>,
    /// When they were erased, if they were.
    pub erased_at: Option<Timestamp>,
}

/// A journey that names a person, as their record holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Enrolled {
    /// Whether money moved in it.
    pub pays: bool,
    /// When it was last said so.
    pub seen_at: Option<Timestamp>,
    /// The journey.
    pub event_id: EventId,
}

/// How long an enrolment says all that a later one of the same journey would: days count neither for
/// the order of journeys nor for how long they are kept.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// A journey that names a person, and what it says of consent.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    /// The journey.
    pub event_id: EventId,
    /// When its latest fact was recorded.
    pub seen_at: Timestamp,
    /// Whether that fact moved money.
    pub pays: bool,
    /// The person's answer, where it may be news.
    pub consent: Option<&'a Consent>,
    /// Until when the person's record is kept, in seconds.
    pub expires_at: i64,
}

impl Enrolment<'_> {
    /// Whether a person's record holds it already: then there is nothing to write.
    #[must_use]
    pub fn is_in(&self, record: &PersonRecord) -> bool {
        let held = record.journeys.iter().find(|held| held.event_id == self.event_id);
        self.consent.is_none()
            && held.is_some_and(|held| (held.pays || !self.pays) && self.is_soon_after(held))
    }

    /// Whether what a person's record holds beside journeys must be kept longer because of it.
    #[must_use]
    pub fn prolongs(&self, record: &PersonRecord) -> bool {
        let holds = record.profile.consent.is_some() || record.profile.erased_at.is_some();
        holds && !record.journeys.iter().any(|held| self.is_soon_after(held))
    }

    fn is_soon_after(&self, held: &Enrolled) -> bool {
        held.seen_at.is_some_and(|seen_at| self.seen_at.duration_since(seen_at) < FRESH)
    }
}

/// A person's whole partition.
#[derive(Debug, Clone, Default)]
pub struct PersonRecord {
    /// The journeys that name them: those with a payment first, then the latest.
    pub journeys: Vec<Enrolled>,
    /// What each destination that keeps state was told last.
    pub synced: BTreeMap<Destination, Synced>,
    profile: Profile,
    is_strange: bool,
}

impl PersonRecord {
    /// What they answered, for whoever asks whether something is allowed.
    ///
    /// # Errors
    /// [`Unavailable`] where an answer is there that this version cannot read: it may be a refusal.
    pub fn profile(&self) -> Result<&Profile, Unavailable> {
        if self.is_strange {
            return Err(Unavailable::unreadable("read a person's answers"));
        }
        Ok(&self.profile)
    }

    /// The person's id at a vendor, where known.
    #[must_use]
    pub fn vendor_id(&self, destination: Destination) -> Option<&str> {
        self.synced.get(&destination)?.vendor_id.as_deref()
    }
}

impl Ledger {
    /// Adds a journey to a person, and their answer about consent if it is later than the one held.
    /// May be repeated, and in any order. A journey is an item of its own, so that no number of them
    /// makes a person unwritable.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn enrol(
        &self,
        person: &PersonKey,
        enrolment: Enrolment<'_>,
    ) -> Result<(), Unavailable> {
        let pays = if enrolment.pays { ", pays = :yes" } else { "" };
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::person(person)))
            .key(SK, text(key::journey(enrolment.event_id)))
            .update_expression(format!(
                "SET seen_at = :seen_at, expires_at = :expires_at{pays} REMOVE disowned"
            ))
            .expression_attribute_values(":seen_at", time(enrolment.seen_at))
            .expression_attribute_values(":expires_at", number(enrolment.expires_at));
        if enrolment.pays {
            update = update.expression_attribute_values(":yes", AttributeValue::Bool(true));
        }
        update
            .send()
            .await
            .map_err(|error| Unavailable::from_sdk("add a journey to a person", &error))?;
        match enrolment.consent {
            Some(consent) => self.keep_latest_consent(person, consent, enrolment).await,
            None => Ok(()),
        }
    }

    async fn keep_latest_consent(
        &self,
        person: &PersonKey,
        consent: &Consent,
        enrolment: Enrolment<'_>,
    ) -> Result<(), Unavailable> {
        const OPERATION: &str = "keep a person's consent";
        let update = self
            .update_profile(person)
            .update_expression(
                "SET consent = :consent, consent_rank = :rank, consent_from = :journey, expires_at = :expires_at",
            )
            .condition_expression("attribute_not_exists(consent_rank) OR consent_rank < :rank")
            .expression_attribute_values(":consent", text(document(OPERATION, consent)?))
            .expression_attribute_values(":rank", text(rank(consent)))
            .expression_attribute_values(":journey", text(enrolment.event_id.to_string()))
            .expression_attribute_values(":expires_at", number(enrolment.expires_at));
        unless_refused(OPERATION, update.send().await)
    }

    /// Keeps longer what a person's record holds beside journeys.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn prolong(&self, person: &PersonKey, expires_at: i64) -> Result<(), Unavailable> {
        self.update_profile(person)
            .update_expression("SET expires_at = :expires_at")
            .expression_attribute_values(":expires_at", number(expires_at))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Unavailable::from_sdk("keep a person's record longer", &error))
    }

    /// Takes a journey, and a consent that came from it, away from an address that a correction
    /// replaced: whoever it belongs to did not say so. What they said themselves, if anything, stands
    /// in its place.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn disown(
        &self,
        person: &PersonKey,
        event_id: EventId,
        own: Option<(EventId, &Consent)>,
        expires_at: i64,
    ) -> Result<(), Unavailable> {
        const OPERATION: &str = "take a journey away from an address";
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::person(person)))
            .key(SK, text(key::journey(event_id)))
            .update_expression("SET disowned = :yes, expires_at = :expires_at")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":expires_at", number(expires_at));
        unless_refused(OPERATION, update.send().await)?;
        let update = match own {
            None => self
                .update_profile(person)
                .update_expression("REMOVE consent, consent_rank, consent_from"),
            Some((said_in, consent)) => self
                .update_profile(person)
                .update_expression(
                    "SET consent = :consent, consent_rank = :rank, consent_from = :own",
                )
                .expression_attribute_values(":consent", text(document(OPERATION, consent)?))
                .expression_attribute_values(":rank", text(rank(consent)))
                .expression_attribute_values(":own", text(said_in.to_string())),
        };
        let update = update
            .condition_expression("consent_from = :journey")
            .expression_attribute_values(":journey", text(event_id.to_string()));
        unless_refused(OPERATION, update.send().await)
    }

    fn update_profile(&self, person: &PersonKey) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::person(person)))
            .key(SK, text(key::PROFILE))
    }

    /// Reads all that is known of a person: one consistent query.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn person(&self, person: &PersonKey) -> Result<PersonRecord, Unavailable> {
        let items = self.query_all(&key::person(person), "").await?;
        let mut record = PersonRecord::default();
        for item in &items {
            let sk = get_text(item, SK).unwrap_or_default();
            if sk == key::PROFILE {
                match profile(item) {
                    Some(profile) => record.profile = profile,
                    None => record.is_strange = true,
                }
            } else if let Some(event_id) = key::journey_of(sk) {
                if !item.contains_key("disowned") {
                    let (pays, seen_at) = (item.contains_key("pays"), get_time(item, "seen_at"));
                    record.journeys.push(Enrolled { pays, seen_at, event_id });
                }
            } else if let Some(destination) =
                sk.strip_prefix(key::SYNC).and_then(Destination::named)
            {
                record.synced.insert(destination, sync::decode(item));
            }
        }
        record.journeys.sort_unstable_by(|a, b| b.cmp(a));
        Ok(record)
    }

    /// Marks a person as erased: what is still under way for them ends as `skipped(erased)`.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn mark_erased(
        &self,
        person: &PersonKey,
        at: Timestamp,
        expires_at: i64,
    ) -> Result<(), Unavailable> {
        self.update_profile(person)
            .update_expression("SET erased_at = :at, expires_at = :expires_at REMOVE consent")
            .expression_attribute_values(":at", time(at))
            .expression_attribute_values(":expires_at", number(expires_at))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Unavailable::from_sdk("mark a person as erased", &error))
    }
}

fn document(operation: &'static str, consent: &Consent) -> Result<String, Unavailable> {
    serde_json::to_string(consent).map_err(|_| Unavailable::unreadable(operation))
}

/// As text, so that the table compares as [`Consent::latest`] does.
fn rank(consent: &Consent) -> String {
    let (is_said, given_at, no_marketing, no_analytics) = consent.rank();
    let [is_said, no_marketing, no_analytics] = [is_said, no_marketing, no_analytics].map(u8::from);
    format!("{is_said}#{given_at:020}#{no_marketing}{no_analytics}")
}

/// `None` where something of it cannot be read.
fn profile(item: &Item) -> Option<Profile> {
    let consent = get_text(item, "consent").and_then(|json| serde_json::from_str(json).ok());
    let said_in = get_text(item, "consent_from").and_then(|id| EventId::parse(id).ok());
    let erased_at = get_time(item, "erased_at");
    let all = consent.is_some() == item.contains_key("consent")
        && erased_at.is_some() == item.contains_key("erased_at");
    all.then_some(Profile { consent, said_in, erased_at })
}
