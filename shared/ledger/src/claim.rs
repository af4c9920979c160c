//! Claims: who may work on a delivery, under a lease with a fencing token; and how it ends.

use crate::agenda;
use crate::changes::Changes;
use crate::delivery::{DeliveryRecord, Step, decode};
use crate::item::{number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, unless_refused, written};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::delivery::{DeathReason, DeliveryId, Outcome, State, WaitReason};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The right to work on a delivery until its lease is over. Only the ledger gives it.
#[derive(Debug)]
pub struct Claim {
    record: DeliveryRecord,
    token: String,
    calls: u32,
}

/// What became of asking for a claim.
#[derive(Debug)]
pub enum Claimed {
    /// It is held.
    Held(Box<Claim>),
    /// Somebody else works on it until then.
    Busy(Timestamp),
    /// It waits until then.
    NotYet(Timestamp),
    /// It is over.
    Over(Box<DeliveryRecord>),
    /// A worker vanished in the middle of an at-most-once call: it can only be settled.
    Lapsed(Box<DeliveryRecord>),
    /// There is no such delivery (any more).
    Missing,
}

/// How a claimed delivery ends or waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The outcome.
    pub outcome: Outcome,
    /// A sentence for a person: the vendor's status, the setting to mend. Never personal.
    pub detail: String,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
    /// When the sweeper looks after it, where it waits: later than `next_at` if its message comes
    /// back by itself.
    pub look_at: Timestamp,
}

/// Whether a completion landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// It did.
    Landed,
    /// The lease was over and somebody else took the delivery: theirs is the truth.
    Fenced,
}

/// Past so many claims in a row without an end, a delivery is what kills its workers.
const POISON_LIMIT: u32 = 10;

impl Claim {
    /// The delivery as it was when it was claimed.
    #[must_use]
    pub fn record(&self) -> &DeliveryRecord {
        &self.record
    }

    /// Vendor calls made so far, those under this claim included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.record.attempts + self.calls
    }

    /// Whether the delivery has been claimed so often that it must be what kills its workers.
    #[must_use]
    pub fn is_poison(&self) -> bool {
        self.record.claims > POISON_LIMIT
    }

    /// Counts a call to the vendor; the ledger learns of it with the completion.
    pub fn count_call(&mut self) {
        self.calls += 1;
    }
}

impl Ledger {
    /// Asks for a delivery: allowed when it is queued, when its wait is over or was for a gate, which
    /// says itself whether it is open, and when the lease of its last worker is over; never in the
    /// middle of an at-most-once call.
    ///
    /// It stays on the agenda under the time it was listed with: to move it would cost two writes of
    /// the index for each claim, and most claims end before the sweeper looks.
    ///
    /// # Errors
    /// [`Unavailable`]: ask again.
    pub async fn claim(
        &self,
        id: &DeliveryId,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Claimed, Unavailable> {
        const OPERATION: &str = "claim a delivery";
        let token = Uuid::new_v4().to_string();
        let [breaker, paused] = WaitReason::AT_A_GATE.map(|reason| text(reason.name()));
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        let update = self
            .update_delivery(id)
            .update_expression(
                "SET #state = :in_flight, #token = :token, lease_until = :until, updated_at = :now \
                 ADD claims :one",
            )
            .condition_expression(
                "#state = :queued OR (#state = :waiting AND next_at <= :now) \
                 OR (#state = :waiting AND reason IN (:breaker, :paused)) \
                 OR (#state = :in_flight AND lease_until < :now)",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":queued", text(State::Queued.name()))
            .expression_attribute_values(":waiting", text(State::Waiting.name()))
            .expression_attribute_values(":breaker", breaker)
            .expression_attribute_values(":paused", paused)
            .expression_attribute_values(":in_flight", text(State::InFlight.name()))
            .expression_attribute_values(":token", text(&token))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match written(OPERATION, update)? {
            Written::Landed(output) => {
                let record = output.attributes().and_then(|item| decode(id.clone(), item));
                let record = record.ok_or(Unavailable::unreadable(OPERATION))?;
                Ok(Claimed::Held(Box::new(Claim { record, token, calls: 0 })))
            }
            Written::Refused(was) => {
                let Some(item) = was.as_ref() else {
                    return Ok(Claimed::Missing);
                };
                let record = decode(id.clone(), item).ok_or(Unavailable::unreadable(OPERATION))?;
                Ok(refused(record, token, now))
            }
        }
    }

    /// Says, before an at-most-once call, that it is being made: from here on nobody may make it again.
    ///
    /// # Errors
    /// [`Unavailable`]: the call must not be made.
    pub async fn begin_call(
        &self,
        claim: &mut Claim,
        now: Timestamp,
    ) -> Result<Completed, Unavailable> {
        claim.count_call();
        let update = Changes::default()
            .set("state", text(State::Calling.name()))
            .set("attempts", number(i64::from(claim.attempts())))
            .set("updated_at", time(now))
            .apply(self.update_delivery(&claim.record.id));
        self.land(fenced(update, claim), claim, State::Calling).await
    }

    /// Ends a claim with an outcome, or lets the delivery wait. Lands only while the token in the
    /// ledger is the claim's own.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again; the lease ends by itself.
    pub async fn complete(
        &self,
        claim: &Claim,
        completion: &Completion,
        now: Timestamp,
    ) -> Result<Completed, Unavailable> {
        let state = completion.outcome.state();
        let event_id = claim.record.id.event_id;
        let mut changes = Changes::default()
            .set("state", text(state.name()))
            .set("reason", text(completion.outcome.reason()))
            .set("detail", text(&completion.detail))
            .set("attempts", number(i64::from(claim.attempts())))
            // It did not kill its worker: only claims without an end count towards poison.
            .set("claims", number(0))
            .set("updated_at", time(now))
            .set_if("request_id", completion.request_id.as_deref().map(text));
        if let Outcome::Waiting(..) | Outcome::Dead(_) = &completion.outcome {
            changes = changes.set("steps", text(steps(claim, completion, now)));
        }
        changes = match &completion.outcome {
            Outcome::Waiting(_, next_at) => changes
                .set("next_at", time(*next_at))
                .set(agenda::NAME, text(agenda::due(&claim.record.id)))
                .set(agenda::AT, time(completion.look_at)),
            Outcome::Dead(_) => changes
                .set(agenda::NAME, text(agenda::dead(claim.record.id.destination, event_id)))
                .set(agenda::AT, time(now))
                .remove("next_at"),
            Outcome::Delivered | Outcome::AcceptedUnverifiable | Outcome::Skipped(_) => {
                changes.remove(agenda::NAME).remove(agenda::AT).remove("next_at")
            }
        };
        let update = changes.apply(self.update_delivery(&claim.record.id));
        self.land(fenced(update, claim), claim, state).await
    }

    /// Ends a delivery whose worker vanished in the middle of an at-most-once call: nobody knows
    /// whether it happened, so it is not made again. A person settles it.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn settle_lapsed(
        &self,
        lapsed: &DeliveryRecord,
        now: Timestamp,
    ) -> Result<Completed, Unavailable> {
        let claim = Claim {
            record: lapsed.clone(),
            token: lapsed.token.clone().unwrap_or_default(),
            calls: 0,
        };
        let completion = Completion {
            outcome: Outcome::Dead(DeathReason::UnknownOutcome),
            detail: "the worker vanished in the middle of the call; look at the vendor whether it happened".into(),
            request_id: None,
            look_at: now,
        };
        self.complete(&claim, &completion, now).await
    }

    /// Notes that a dead delivery's ids are on the dead-letter queue. One that was begun again since it
    /// was read is left: should it die again, it needs a letter of its own.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again; the queue may get a second copy.
    pub async fn mark_dead_lettered(&self, dead: &DeliveryRecord) -> Result<(), Unavailable> {
        let update = self
            .update_delivery(&dead.id)
            .update_expression("SET dead_lettered = :yes")
            .condition_expression("#state = :dead AND updated_at = :read")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":dead", text(State::Dead.name()))
            .expression_attribute_values(":read", time(dead.updated_at));
        unless_refused("mark a delivery as dead-lettered", update.send().await)
    }

    fn update_delivery(&self, id: &DeliveryId) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(id.event_id)))
            .key(SK, text(key::delivery(id)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Sends a fenced update. Where it is refused, the old item tells a lost answer (the state is
    /// already ours) from a lost lease.
    async fn land(
        &self,
        update: UpdateItemFluentBuilder,
        claim: &Claim,
        state: State,
    ) -> Result<Completed, Unavailable> {
        match written("write a delivery's outcome", update.send().await)? {
            Written::Landed(_) => Ok(Completed::Landed),
            Written::Refused(was) => {
                let now = was.as_ref().and_then(|item| decode(claim.record.id.clone(), item));
                let ours = now.is_some_and(|now| {
                    now.token.as_deref() == Some(&claim.token) && now.state == state
                });
                Ok(if ours { Completed::Landed } else { Completed::Fenced })
            }
        }
    }
}

/// The most steps that are kept of a delivery: the first, and the last ones. A day's outage has more.
const MOST_STEPS: usize = 20;

/// The steps of a delivery with one more, as they are stored. The claim's token guards them: nobody
/// else has added one meanwhile.
fn steps(claim: &Claim, completion: &Completion, now: Timestamp) -> String {
    let mut steps = claim.record.steps.clone();
    if steps.len() >= MOST_STEPS {
        steps.remove(1);
    }
    steps.push(Step {
        at: now,
        state: completion.outcome.state(),
        reason: completion.outcome.reason().to_owned(),
        detail: completion.detail.clone(),
        attempts: claim.attempts(),
    });
    // Texts and numbers always encode.
    serde_json::to_string(&steps).unwrap_or_default()
}

/// The condition of everything that is done under a claim: its token, and a state that can go on.
fn fenced(update: UpdateItemFluentBuilder, claim: &Claim) -> UpdateItemFluentBuilder {
    update
        .condition_expression("#token = :token AND #state IN (:from_in_flight, :from_calling)")
        .expression_attribute_names("#state", "state")
        .expression_attribute_names("#token", "token")
        .expression_attribute_values(":token", text(&claim.token))
        .expression_attribute_values(":from_in_flight", text(State::InFlight.name()))
        .expression_attribute_values(":from_calling", text(State::Calling.name()))
}

/// Why a claim was refused, read from the item that refused it.
fn refused(record: DeliveryRecord, token: String, now: Timestamp) -> Claimed {
    match record.state {
        // Our own write, whose answer was lost and which the SDK repeated.
        State::InFlight if record.token.as_deref() == Some(&token) => {
            Claimed::Held(Box::new(Claim { record, token, calls: 0 }))
        }
        State::Calling if record.lease_is_over(now) => Claimed::Lapsed(Box::new(record)),
        State::InFlight | State::Calling => Claimed::Busy(record.lease_until.unwrap_or(now)),
        State::Waiting => Claimed::NotYet(record.next_at.unwrap_or(now)),
        // It was queued again between the refusal and now: its message comes back soon.
        State::Queued => Claimed::Busy(now),
        State::Delivered | State::AcceptedUnverifiable | State::Skipped | State::Dead => {
            Claimed::Over(Box::new(record))
        }
    }
}

#[cfg(test)]
mod tests;
