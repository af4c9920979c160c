//! Wishes: a fact is to be dispatched once more, past idempotency and on purpose. A person only
//! writes the wish; the sweeper fulfils it with the rules that are deployed.

use super::audit::Subject;
use super::{Deed, Mended, What};
use crate::agenda;
use crate::delivery::{self, DeliveryRecord};
use crate::fact::{self, FactKey};
use crate::item::{Item, get_number, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, unless_refused, written};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::delivery::{DeathReason, DeliveryId, State};
use domain::destination::Destination;
use domain::fact::Fact;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What is to be dispatched once more, as the fact's item holds it until that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Where to.
    pub destinations: Vec<Destination>,
    /// Whether destinations that were told are told again; otherwise only those that were not.
    pub again: bool,
    /// Whether calls of which nobody knows are made again.
    pub even_if_it_happened: bool,
    /// Who wishes it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When it was wished: the wish's name.
    pub at: Timestamp,
}

impl Wish {
    /// Whether it begins a delivery again that is over in a state, for a reason.
    #[must_use]
    pub fn begins_again(&self, state: State, reason: &str) -> bool {
        match state {
            State::Skipped => true,
            State::Delivered | State::AcceptedUnverifiable => self.again,
            State::Dead if reason == DeathReason::UnknownOutcome.name() => {
                self.again && self.even_if_it_happened
            }
            State::Dead => self.again,
            State::Queued | State::InFlight | State::Calling | State::Waiting => false,
        }
    }
}

/// A fact that is on the list of the undispatched: never dispatched, or to be dispatched once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which.
    pub key: FactKey,
    /// The fact; `None` where this version does not understand it.
    pub fact: Option<Fact>,
    /// What a person wishes, if one does.
    pub wish: Option<Wish>,
    /// The time it is listed under.
    pub listed_at: Option<Timestamp>,
    /// Until when it is kept, in seconds.
    pub expires_at: i64,
}

/// A delivery that a wish opens or begins again.
#[derive(Debug, Clone, Copy)]
pub struct Reopening<'a> {
    /// Which.
    pub id: &'a DeliveryId,
    /// For which fact.
    pub fact: &'a FactKey,
    /// By which wish.
    pub wish: &'a Wish,
    /// Now.
    pub now: Timestamp,
    /// When the sweeper first looks after it: later than its message takes.
    pub look_at: Timestamp,
    /// How long its record stays.
    pub keep: SignedDuration,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reopened {
    /// It is queued, by this wish: now, or before.
    Queued,
    /// This wish has had its delivery: it is over again.
    Over,
    /// It was under way already.
    UnderWay,
    /// It is over, and the wish does not ask for that.
    Left,
    /// Another fact with the same effect opened it.
    ForAnotherFact,
}

impl Ledger {
    /// Writes a wish onto a fact that is dispatched, or that an older version could not read, to be
    /// fulfilled from `from` on.
    ///
    /// # Errors
    /// [`Unavailable`]: look whether it is written, and ask again.
    pub async fn wish(
        &self,
        fact: &FactKey,
        wish: &Wish,
        from: Timestamp,
        expires_at: i64,
    ) -> Result<Mended, Unavailable> {
        const OPERATION: &str = "ask for a replay";
        let document =
            serde_json::to_string(wish).map_err(|_| Unavailable::unreadable(OPERATION))?;
        let change = self
            .amend(key::journey(fact.event_id), &fact.sk)
            .update_expression("SET replay = :wish, agenda = :undispatched, agenda_at = :from")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(replay) \
                 AND (attribute_not_exists(agenda) OR begins_with(agenda, :undecodable))",
            )
            .expression_attribute_values(":wish", text(document))
            .expression_attribute_values(":undispatched", text(agenda::undispatched(fact.event_id)))
            .expression_attribute_values(":undecodable", text("undecodable#"))
            .expression_attribute_values(":from", time(from));
        let subject = Subject {
            event_id: fact.event_id,
            name: &fact.sk,
            note: &format!("at {}", names(&wish.destinations)),
            expires_at,
        };
        let deed = Deed { who: &wish.who, why: &wish.why, at: wish.at };
        let audit = self.audit(What::Replayed, &subject, deed)?;
        self.with_audit(OPERATION, change, audit).await
    }

    /// Reads a fact with what is wished for it; `None` where there is no such fact.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn open_fact(&self, fact: &FactKey) -> Result<Option<Open>, Unavailable> {
        let item = self.item("read a fact", key::journey(fact.event_id), &fact.sk).await?;
        Ok(item.map(|item| decode(fact.clone(), &item)))
    }

    /// Opens a delivery for a wish, or begins it again, once for each wish however often it is asked.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn reopen(&self, reopening: Reopening<'_>) -> Result<Reopened, Unavailable> {
        const OPERATION: &str = "begin a delivery again";
        let read = self.delivery(reopening.id).await?;
        if let Some(reopened) = read.as_ref().and_then(|record| already(record, &reopening)) {
            return Ok(reopened);
        }
        match written(OPERATION, self.reopening(&reopening, read.as_ref()).send().await)? {
            Written::Landed(_) => Ok(Reopened::Queued),
            // Our own write, whose answer was lost; or something else happened to it meanwhile.
            Written::Refused(was) => was
                .as_ref()
                .and_then(|item| delivery::decode(reopening.id.clone(), item))
                .and_then(|record| already(&record, &reopening))
                .ok_or(Unavailable::changed(OPERATION)),
        }
    }

    /// The write that opens a delivery, on the condition that it is as it was read.
    fn reopening(
        &self,
        Reopening { id, fact, wish, now, look_at, keep }: &Reopening<'_>,
        read: Option<&DeliveryRecord>,
    ) -> UpdateItemFluentBuilder {
        let expires_at = now.as_second().saturating_add(keep.as_secs());
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(id.event_id)))
            .key(SK, text(key::delivery(id)))
            .update_expression(
                "SET fact = :fact, created_at = if_not_exists(created_at, :now), #state = :queued, \
                 reason = :none, detail = :detail, attempts = :zero, claims = :zero, updated_at = :now, \
                 revived_at = :now, replayed_for = :wish, expires_at = :expires_at, agenda = :due, \
                 agenda_at = :look_at REMOVE next_at, dead_lettered ADD replays :one",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":fact", text(&fact.sk))
            .expression_attribute_values(":now", time(*now))
            .expression_attribute_values(":queued", text(State::Queued.name()))
            .expression_attribute_values(":none", text(""))
            .expression_attribute_values(":detail", text(format!("replayed by {}", wish.who)))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":wish", time(wish.at))
            .expression_attribute_values(":expires_at", number(expires_at))
            .expression_attribute_values(":due", text(agenda::due(id)))
            .expression_attribute_values(":look_at", time(*look_at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match read {
            None => update.condition_expression("attribute_not_exists(pk)"),
            Some(record) => update
                .condition_expression("#state = :read AND updated_at = :read_at")
                .expression_attribute_values(":read", text(record.state.name()))
                .expression_attribute_values(":read_at", time(record.updated_at)),
        }
    }

    /// Takes a wish off its fact when it is fulfilled, and the fact off the agenda. Another wish that
    /// was written meanwhile stays.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn fulfilled(&self, fact: &FactKey, wish: &Wish) -> Result<(), Unavailable> {
        const OPERATION: &str = "take a wish off its fact";
        let document =
            serde_json::to_string(wish).map_err(|_| Unavailable::unreadable(OPERATION))?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::journey(fact.event_id)))
            .key(SK, text(&fact.sk))
            .update_expression("REMOVE replay, agenda, agenda_at")
            .condition_expression("replay = :wish")
            .expression_attribute_values(":wish", text(document))
            .send()
            .await;
        unless_refused(OPERATION, update)
    }
}

/// Where there is nothing to open or to begin again: why.
fn already(record: &DeliveryRecord, asked: &Reopening<'_>) -> Option<Reopened> {
    let over = record.state.is_terminal();
    if record.fact != asked.fact.sk {
        Some(Reopened::ForAnotherFact)
    } else if record.replayed_for == Some(asked.wish.at) {
        Some(if over { Reopened::Over } else { Reopened::Queued })
    } else if !over {
        Some(Reopened::UnderWay)
    } else {
        let left = !asked.wish.begins_again(record.state, &record.reason);
        left.then_some(Reopened::Left)
    }
}

fn names(destinations: &[Destination]) -> String {
    destinations.iter().map(|d| d.name()).collect::<Vec<_>>().join(", ")
}

/// Reads a fact's item as one that is still on the agenda.
pub(crate) fn decode(key: FactKey, item: &Item) -> Open {
    Open {
        key,
        fact: fact::decode(item),
        wish: get_text(item, "replay").and_then(|json| serde_json::from_str(json).ok()),
        listed_at: get_time(item, agenda::AT),
        expires_at: get_number(item, "expires_at").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::Wish;
    use domain::delivery::{DeathReason, State};
    use jiff::Timestamp;

    #[test]
    fn a_wish_begins_again_what_is_over_as_far_as_it_says_so() {
        let wish = |again, even_if_it_happened| Wish {
            destinations: Vec::new(),
            again,
            even_if_it_happened,
            who: String::new(),
            why: String::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        let wishes = [wish(false, false), wish(true, false), wish(false, true), wish(true, true)];
        let begin = |state, reason| wishes.each_ref().map(|one| one.begins_again(state, reason));
        let unknown = DeathReason::UnknownOutcome.name();
        assert_eq!(begin(State::Skipped, ""), [true; 4]);
        assert_eq!(begin(State::Delivered, ""), [false, true, false, true]);
        assert_eq!(begin(State::AcceptedUnverifiable, ""), [false, true, false, true]);
        assert_eq!(begin(State::Dead, "rejected"), [false, true, false, true]);
        assert_eq!(begin(State::Dead, unknown), [false, false, false, true]);
        for under_way in [State::Queued, State::InFlight, State::Calling, State::Waiting] {
            assert_eq!(begin(under_way, unknown), [false; 4]);
        }
    }
}
