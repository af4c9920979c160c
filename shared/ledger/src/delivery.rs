//! Deliveries as records: opened once per effect and destination, and read back.

use crate::agenda;
use crate::fact::FactKey;
use crate::item::{Item, get_count, get_number, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, written};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::delivery::{DeliveryId, State, WaitReason};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What became of opening a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is there, for this fact: opened now, or before by the same dispatch.
    ForThisFact,
    /// Another fact with the same effect opened it: this one is a duplicate.
    ForAnotherFact,
}

/// How a delivery stood at a moment that is past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Where it stood.
    pub state: State,
    /// The reason's word.
    pub reason: String,
    /// A sentence for a person.
    pub detail: String,
    /// Vendor calls made by then.
    pub attempts: u32,
}

/// A delivery as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Which.
    pub id: DeliveryId,
    /// The sort key of the fact that opened it.
    pub fact: String,
    /// Where it stands.
    pub state: State,
    /// The reason's word; empty where the state says it all.
    pub reason: String,
    /// A sentence for a person.
    pub detail: String,
    /// Vendor calls made.
    pub attempts: u32,
    /// Claims since one last came to an end: several where workers died.
    pub claims: u32,
    /// When it may be tried again, if it waits.
    pub next_at: Option<Timestamp>,
    /// The vendor's id of the request that succeeded.
    pub request_id: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When a person had it begin again, if one did: its age and its attempts count from then.
    pub revived_at: Option<Timestamp>,
    /// How often it was made again on purpose.
    pub replays: u32,
    /// By which wish it was last: the moment of the wish.
    pub replayed_for: Option<Timestamp>,
    /// The time it is listed under on the agenda, if it is.
    pub listed_at: Option<Timestamp>,
    /// Until when its record is kept, in seconds.
    pub expires_at: i64,
    /// How it waited and died so far, the last few times.
    pub steps: Vec<Step>,
    /// Whether a copy of its ids is on the dead-letter queue.
    pub dead_lettered: bool,
    /// The fencing token of its last claim.
    pub token: Option<String>,
    /// When that claim's lease is over.
    pub lease_until: Option<Timestamp>,
}

impl DeliveryRecord {
    /// When its present life began: its age is counted from here.
    #[must_use]
    pub fn lives_since(&self) -> Timestamp {
        self.revived_at.unwrap_or(self.created_at)
    }

    /// Whether it was given up, and its ids are not on the dead-letter queue yet.
    #[must_use]
    pub fn is_unburied(&self) -> bool {
        self.state == State::Dead && !self.dead_lettered
    }

    /// Whether its last worker has no time left.
    #[must_use]
    pub fn lease_is_over(&self, now: Timestamp) -> bool {
        self.lease_until.is_none_or(|until| until < now)
    }

    /// Whether it waits for its destination to open, and not for a time of its own.
    #[must_use]
    pub fn waits_for_its_gate(&self) -> bool {
        let mut gates = WaitReason::AT_A_GATE.into_iter();
        self.state == State::Waiting && gates.any(|reason| reason.name() == self.reason)
    }
}

impl Ledger {
    /// Opens a delivery as `queued` if there is none for its effect. The sweeper looks at it from
    /// `look_at` on; it stays for `keep`.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn open_delivery(
        &self,
        id: &DeliveryId,
        fact: &FactKey,
        times: OpeningTimes,
    ) -> Result<Opened, Unavailable> {
        const OPERATION: &str = "open a delivery";
        let expires_at = times.now.as_second().saturating_add(times.keep.as_secs());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, text(key::journey(id.event_id)))
            .item(SK, text(key::delivery(id)))
            .item("fact", text(&fact.sk))
            .item("state", text(State::Queued.name()))
            .item("created_at", time(times.now))
            .item("updated_at", time(times.now))
            .item(agenda::NAME, text(agenda::due(id)))
            .item(agenda::AT, time(times.look_at))
            .item("expires_at", number(expires_at))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match written(OPERATION, put)? {
            Written::Landed(_) => Ok(Opened::ForThisFact),
            Written::Refused(was) => {
                let opened_for = was.as_ref().and_then(|item| get_text(item, "fact"));
                Ok(if opened_for == Some(&fact.sk) {
                    Opened::ForThisFact
                } else {
                    Opened::ForAnotherFact
                })
            }
        }
    }

    /// Reads a delivery.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryRecord>, Unavailable> {
        let pk = key::journey(id.event_id);
        let item = self.item("read a delivery", pk, &key::delivery(id)).await?;
        Ok(item.and_then(|item| decode(id.clone(), &item)))
    }
}

/// The times that opening a delivery needs.
#[derive(Debug, Clone, Copy)]
pub struct OpeningTimes {
    /// Now.
    pub now: Timestamp,
    /// When the sweeper first looks after it: later than its message takes.
    pub look_at: Timestamp,
    /// How long its record stays.
    pub keep: SignedDuration,
}

/// Reads a delivery out of its item.
pub(crate) fn decode(id: DeliveryId, item: &Item) -> Option<DeliveryRecord> {
    Some(DeliveryRecord {
        id,
        fact: get_text(item, "fact")?.to_owned(),
        state: State::named(get_text(item, "state")?)?,
        reason: get_text(item, "reason").unwrap_or_default().to_owned(),
        detail: get_text(item, "detail").unwrap_or_default().to_owned(),
        attempts: get_count(item, "attempts"),
        claims: get_count(item, "claims"),
        next_at: get_time(item, "next_at"),
        request_id: get_text(item, "request_id").map(str::to_owned),
        created_at: get_time(item, "created_at")?,
        updated_at: get_time(item, "updated_at")?,
        revived_at: get_time(item, "revived_at"),
        replays: get_count(item, "replays"),
        replayed_for: get_time(item, "replayed_for"),
        listed_at: get_time(item, agenda::AT),
        expires_at: get_number(item, "expires_at").unwrap_or_default(),
        steps: get_text(item, "steps")
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default(),
        dead_lettered: item.contains_key("dead_lettered"),
        token: get_text(item, "token").map(str::to_owned),
        lease_until: get_time(item, "lease_until"),
    })
}
