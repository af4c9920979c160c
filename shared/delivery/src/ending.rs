//! How a delivery ends or waits: the verdict is written, logged, and said to the queue.

use crate::consumer::{Consumer, Fate};
use crate::courier::Courier;
use domain::delivery::{Attempt, DeathReason, Outcome, RetryPolicy, SkipReason, WaitReason};
use domain::destination::RetrySafety;
use domain::fault::Fault;
use jiff::{SignedDuration, Timestamp};
use lambda::queue::Message;
use ledger::{Claim, Completed, Completion, DeliveryRecord, Unavailable};

/// Waits up to this are a message's own; longer ones are parked in the ledger.
const LONGEST_VISIBLE_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// After so many receives of one message, waiting for somebody else is parked too: SQS would take
/// the message for poison.
const PATIENT_RECEIVES: u32 = 8;

/// How a delivery ends or waits, before it is written.
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
    pub(crate) request_id: Option<String>,
}

impl Verdict {
    pub(crate) fn new(outcome: Outcome, detail: &str) -> Self {
        Self { outcome, detail: detail.to_owned(), request_id: None }
    }

    pub(crate) fn skip(reason: SkipReason, detail: &str) -> Self {
        Self::new(Outcome::Skipped(reason), detail)
    }

    pub(crate) fn dead(reason: DeathReason, detail: &str) -> Self {
        Self::new(Outcome::Dead(reason), detail)
    }
}

impl<C: Courier> Consumer<C> {
    /// Waits for a version that can read what this one cannot.
    pub(crate) fn wait_for(&self, strange: &Unavailable) -> Verdict {
        let until = (self.clock)() + RetryPolicy::LONGEST_WAIT;
        Verdict::new(Outcome::Waiting(WaitReason::Retry, until), &strange.to_string())
    }

    /// Waits for whoever works on the same person: a moment, and longer each time.
    pub(crate) fn stand_back(&self, receives: u32, detail: &str) -> Verdict {
        let until = (self.clock)() + standing_back(receives);
        Verdict::new(Outcome::Waiting(WaitReason::Retry, until), detail)
    }

    /// What becomes of a delivery after a fault.
    pub(crate) fn judge(&self, fault: &Fault, claim: &Claim, safety: RetrySafety) -> Verdict {
        let now = (self.clock)();
        let attempt = Attempt {
            safety,
            count: claim.attempts(),
            age: now.duration_since(claim.record().lives_since()),
            jitter: fastrand::u32(0..=1000),
            now,
        };
        Verdict {
            outcome: self.config.retry.after(fault, attempt),
            detail: fault.to_string(),
            request_id: fault.seen.request_id.clone(),
        }
    }

    /// Writes the outcome, logs it, and says what becomes of the message.
    pub(crate) async fn finish(
        &self,
        claim: &Claim,
        verdict: Verdict,
        began: Timestamp,
    ) -> Result<Fate, Unavailable> {
        let now = (self.clock)();
        let fate = self.fate(&verdict.outcome);
        let look_at = match (&verdict.outcome, fate) {
            // What waits for a gate has no time of its own: the sweeper looks at the gate.
            (Outcome::Waiting(WaitReason::Breaker | WaitReason::Paused, _), Fate::Done) => now,
            // The message comes back by itself; the sweeper looks only if it does not.
            (Outcome::Waiting(_, at), Fate::Back(_)) => *at + LONGEST_VISIBLE_WAIT,
            (Outcome::Waiting(_, at), Fate::Done) => *at,
            (
                Outcome::Delivered
                | Outcome::AcceptedUnverifiable
                | Outcome::Skipped(_)
                | Outcome::Dead(_),
                _,
            ) => now,
        };
        let completion = Completion {
            outcome: verdict.outcome,
            detail: verdict.detail,
            request_id: verdict.request_id,
            look_at,
        };
        let completed = self.ledger.complete(claim, &completion, now).await?;
        report(claim, &completion, completed, now.duration_since(began), now);
        match (completed, &completion.outcome) {
            // Whoever fenced us off may have given the delivery up, and died before a person heard of it.
            (Completed::Fenced, _) | (Completed::Landed, Outcome::Dead(_)) => {
                self.bury(claim.record()).await
            }
            (
                Completed::Landed,
                Outcome::Delivered
                | Outcome::AcceptedUnverifiable
                | Outcome::Skipped(_)
                | Outcome::Waiting(..),
            ) => Ok(fate),
        }
    }

    fn fate(&self, outcome: &Outcome) -> Fate {
        match outcome {
            Outcome::Waiting(WaitReason::Retry | WaitReason::Budget | WaitReason::Breaker, at) => {
                waiting(self.left(*at))
            }
            Outcome::Waiting(WaitReason::Paused, _)
            | Outcome::Delivered
            | Outcome::AcceptedUnverifiable
            | Outcome::Skipped(_)
            | Outcome::Dead(_) => Fate::Done,
        }
    }

    /// The time left until then, in whole seconds rounded up, at least one.
    pub(crate) fn left(&self, until: Timestamp) -> SignedDuration {
        let left = until.duration_since((self.clock)());
        SignedDuration::from_secs(left.as_secs().max(0) + 1)
    }

    /// A worker vanished in the middle of an at-most-once call: nobody makes it again.
    pub(crate) async fn settle(&self, lapsed: &DeliveryRecord) -> Result<Fate, Unavailable> {
        let settled = self.ledger.settle_lapsed(lapsed, (self.clock)()).await?;
        tracing::error!(
            event_id = lapsed.id.event_id.to_string(),
            effect = lapsed.id.effect.as_str(),
            destination = lapsed.id.destination.name(),
            outcome = "dead",
            reason = "unknown_outcome",
            "delivery ended"
        );
        match settled {
            Completed::Landed => self.bury(lapsed).await,
            Completed::Fenced => Ok(Fate::Done),
        }
    }

    /// Copies a dead delivery's ids to the dead letters, once they are needed there.
    pub(crate) async fn bury(&self, record: &DeliveryRecord) -> Result<Fate, Unavailable> {
        let dead = self.ledger.delivery(&record.id).await?.filter(DeliveryRecord::is_unburied);
        let Some(dead) = dead else { return Ok(Fate::Done) };
        let body = serde_json::json!({
            "event_id": dead.id.event_id,
            "effect": dead.id.effect,
            "destination": dead.id.destination,
            "reason": dead.reason,
        });
        let message = Message { body: body.to_string(), delay: SignedDuration::ZERO };
        match self.queues.send(&self.config.dead_letter_url, &[message]).await {
            Ok(()) => {
                self.ledger.mark_dead_lettered(&dead).await?;
                Ok(Fate::Done)
            }
            Err(_) => Ok(Fate::Back(patience(1))),
        }
    }
}

/// What becomes of the message of a delivery that waits: a short wait is its own; a long one is the
/// sweeper's, and this copy of the message is one too many.
pub(crate) fn waiting(left: SignedDuration) -> Fate {
    if left <= LONGEST_VISIBLE_WAIT { Fate::Back(left) } else { Fate::Done }
}

/// How long a delivery waits for whoever works on the same person, after so many receives of its message.
fn standing_back(receives: u32) -> SignedDuration {
    if receives > PATIENT_RECEIVES { LONGEST_VISIBLE_WAIT * 2 } else { patience(receives) }
}

/// How long a message stands back after so many receives: 1, 2, 4, … at most 30 s.
pub(crate) fn patience(receives: u32) -> SignedDuration {
    SignedDuration::from_secs(1 << receives.saturating_sub(1).min(5))
        .min(SignedDuration::from_secs(30))
}

/// The one log line of a delivery: ids, the outcome and its reason.
fn report(
    claim: &Claim,
    completion: &Completion,
    completed: Completed,
    took: SignedDuration,
    now: Timestamp,
) {
    let id = &claim.record().id;
    let (outcome, fenced) = (completion.outcome.state().name(), completed == Completed::Fenced);
    let retry_in_ms = match &completion.outcome {
        Outcome::Waiting(_, at) => {
            Some(i64::try_from(at.duration_since(now).as_millis()).unwrap_or(i64::MAX))
        }
        Outcome::Delivered
        | Outcome::AcceptedUnverifiable
        | Outcome::Skipped(_)
        | Outcome::Dead(_) => None,
    };
    tracing::info!(
        event_id = id.event_id.to_string(),
        effect = id.effect.as_str(),
        destination = id.destination.name(),
        outcome,
        reason = completion.outcome.reason(),
        detail = completion.detail,
        attempt = claim.attempts(),
        retry_in_ms,
        fenced,
        duration_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        metrics = "duration_ms:Milliseconds",
        dimensions = "destination,outcome",
        "delivery ended"
    );
}

#[cfg(test)]
mod tests {
    use super::{Fate, standing_back, waiting};
    use jiff::SignedDuration;

    const MINUTE: SignedDuration = SignedDuration::from_secs(60);

    #[test]
    fn a_short_wait_is_the_messages_own_and_a_long_one_the_sweepers() {
        assert_eq!(waiting(MINUTE), Fate::Back(MINUTE));
        assert_eq!(waiting(MINUTE + SignedDuration::from_secs(1)), Fate::Done);
    }

    #[test]
    fn who_stands_back_for_others_is_parked_before_sqs_takes_it_for_poison() {
        let waits = [1, 2, 3, 4, 5, 6, 7, 8].map(|receives| standing_back(receives).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(waiting(standing_back(9)), Fate::Done);
    }
}
