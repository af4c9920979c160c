//! People: the projection that the dispatcher keeps and the consumers read.

use crate::item::{Item, get_text, get_time, text, texts, time};
use crate::key::{self, PK, SK};
use crate::sync::{self, Synced};
use crate::{Ledger, Unavailable};
use domain::consent::Consent;
use domain::destination::Destination;
use domain::id::EventId;
use domain::pepper::PersonKey;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is known of a person beside the facts.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The journeys that name them.
    pub journeys: Vec<EventId>,
    /// Their latest answer about consent.
    pub consent: Option<Consent>,
    /// When they were erased, if they were.
    pub erased_at: Option<Timestamp>,
}

/// A person's whole partition.
#[derive(Debug, Clone, Default)]
pub struct PersonRecord {
    /// The projection.
    pub profile: Profile,
    /// What each destination that keeps state was told last.
    pub synced: BTreeMap<Destination, Synced>,
}

impl PersonRecord {
    /// The person's id at a vendor, where known.
    #[must_use]
    pub fn vendor_id(&self, destination: Destination) -> Option<&str> {
        self.synced.get(&destination)?.vendor_id.as_deref()
    }
}

impl Ledger {
    /// Adds a journey to a person, and their answer about consent if it is later than the one held.
    /// May be repeated, and in any order.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn enrol(
        &self,
        person: &PersonKey,
        event_id: EventId,
        consent: Option<&Consent>,
    ) -> Result<(), Unavailable> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::person(person)))
            .key(SK, text(key::PROFILE))
            .update_expression("ADD journeys :journey")
            .expression_attribute_values(":journey", texts([&event_id.to_string()]))
            .send()
            .await
            .map_err(|error| Unavailable::from_sdk("add a journey to a person", &error))?;
        match consent {
            Some(consent) => self.keep_latest_consent(person, consent).await,
            None => Ok(()),
        }
    }

    async fn keep_latest_consent(
        &self,
        person: &PersonKey,
        consent: &Consent,
    ) -> Result<(), Unavailable> {
        const OPERATION: &str = "keep a person's consent";
        let document =
            serde_json::to_string(consent).map_err(|_| Unavailable::unreadable(OPERATION))?;
        // Of two answers of the same moment the refusing one must stand, whichever comes first:
        // it ranks above the granting one.
        let rank = format!(
            "{:020}#{}{}",
            consent.given_at.as_millisecond(),
            u8::from(!consent.marketing),
            u8::from(!consent.analytics)
        );
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::person(person)))
            .key(SK, text(key::PROFILE))
            .update_expression("SET consent = :consent, consent_rank = :rank")
            .condition_expression("attribute_not_exists(consent_rank) OR consent_rank < :rank")
            .expression_attribute_values(":consent", text(document))
            .expression_attribute_values(":rank", text(rank))
            .send()
            .await;
        match update {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => Ok(()),
                _ => Err(Unavailable::from_sdk(OPERATION, &error)),
            },
        }
    }

    /// Reads all that is known of a person: one consistent query.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn person(&self, person: &PersonKey) -> Result<PersonRecord, Unavailable> {
        let items = self.query_all(&key::person(person), "").await?;
        let mut record = PersonRecord::default();
        for item in &items {
            match get_text(item, SK) {
                Some(key::PROFILE) => record.profile = profile(item),
                Some(sk) => {
                    let destination = sk.strip_prefix(key::SYNC).and_then(Destination::named);
                    record
                        .synced
                        .extend(destination.map(|destination| (destination, sync::decode(item))));
                }
                None => {}
            }
        }
        Ok(record)
    }

    /// Marks a person as erased: what is still under way for them ends as `skipped(erased)`.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn mark_erased(&self, person: &PersonKey, at: Timestamp) -> Result<(), Unavailable> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::person(person)))
            .key(SK, text(key::PROFILE))
            .update_expression("SET erased_at = :at REMOVE consent")
            .expression_attribute_values(":at", time(at))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Unavailable::from_sdk("mark a person as erased", &error))
    }
}

fn profile(item: &Item) -> Profile {
    let journeys = item.get("journeys").and_then(|value| value.as_ss().ok());
    let ids = journeys.into_iter().flatten().filter_map(|id| EventId::parse(id).ok());
    Profile {
        journeys: ids.collect(),
        consent: get_text(item, "consent").and_then(|json| serde_json::from_str(json).ok()),
        erased_at: get_time(item, "erased_at"),
    }
}
