//! The circuit breaker's transitions: each one conditional write, so that of many who see the same one
//! makes it. Between them, calls are counted in ten-second buckets.

use super::{CLOSED, OPEN, closing, event, opening};
use crate::item::{Item, get_count, get_text, get_time, number, text, time};
use crate::key::{self, PK, SK};
use crate::write::{Written, written};
use crate::{Completed, Ledger, Unavailable};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::destination::Destination;
use domain::gate::{BreakerPolicy, Calls, Trip};
use jiff::Timestamp;
use uuid::Uuid;

/// Leave to make one call through a breaker that is open. Its result decides for everybody, unless
/// another round of probes has begun meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    round: String,
}

/// What became of asking for a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probing {
    /// It may be made.
    Granted(Probe),
    /// Others are at it, or it is too early.
    Refused,
    /// The breaker has closed meanwhile.
    Closed,
}

impl Ledger {
    /// Opens a breaker that is closed. Of many who try, one does.
    ///
    /// # Errors
    /// [`Unavailable`]: the next failure tries again.
    pub async fn open_breaker(
        &self,
        destination: Destination,
        trip: &Trip,
    ) -> Result<Completed, Unavailable> {
        let update = opening(self.update_gate(destination), trip)
            .condition_expression("attribute_not_exists(breaker) OR breaker = :closed")
            .expression_attribute_values(":closed", text(CLOSED));
        self.change(update, destination, event(trip.since, "opened", &trip.detail)).await
    }

    /// Asks for one of the probes that an open breaker allows once its time has come.
    ///
    /// # Errors
    /// [`Unavailable`]: no probe may be made.
    pub async fn probe(
        &self,
        destination: Destination,
        now: Timestamp,
    ) -> Result<Probing, Unavailable> {
        if let Some(probing) = self.join_round(destination, now).await? {
            return Ok(probing);
        }
        if let Some(probing) = self.begin_round(destination, now).await? {
            return Ok(probing);
        }
        // Somebody else began one at this moment.
        Ok(self.join_round(destination, now).await?.unwrap_or(Probing::Refused))
    }

    /// Begins a round with its first probe; `None` where somebody else has just done so.
    async fn begin_round(
        &self,
        destination: Destination,
        now: Timestamp,
    ) -> Result<Option<Probing>, Unavailable> {
        let round = Uuid::new_v4().to_string();
        let ends = now.saturating_add(BreakerPolicy::PROBE_LIFE).unwrap_or(Timestamp::MAX);
        let begun = self
            .update_gate(destination)
            .update_expression("SET #round = :round, round_ends = :ends, probes = :one")
            .condition_expression(
                "breaker = :open AND until_at <= :now AND (attribute_not_exists(round_ends) OR round_ends <= :now)",
            )
            .expression_attribute_names("#round", "round")
            .expression_attribute_values(":round", text(&round))
            .expression_attribute_values(":ends", time(ends))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":now", time(now))
            .send()
            .await;
        match written("begin a round of probes", begun)? {
            Written::Landed(_) => Ok(Some(Probing::Granted(Probe { round }))),
            Written::Refused(was) => {
                let was = was.as_ref();
                // Our own write, whose answer was lost and which the SDK repeated.
                if was.and_then(|item| get_text(item, "round")) == Some(&round) {
                    return Ok(Some(Probing::Granted(Probe { round })));
                }
                Ok((!is_under_way(was, now)).then(|| refused(was)))
            }
        }
    }

    /// Takes one of the probes that are left in a round under way; `None` where there is no round.
    async fn join_round(
        &self,
        destination: Destination,
        now: Timestamp,
    ) -> Result<Option<Probing>, Unavailable> {
        let joined = self
            .update_gate(destination)
            .update_expression("ADD probes :one")
            .condition_expression(
                "breaker = :open AND until_at <= :now AND round_ends > :now AND probes < :most",
            )
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":most", number(i64::from(BreakerPolicy::PROBES)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match written("join a round of probes", joined)? {
            Written::Landed(output) => {
                let round = output.attributes().and_then(|item| get_text(item, "round"));
                let round = round.ok_or(Unavailable::unreadable("join a round of probes"))?;
                Ok(Some(Probing::Granted(Probe { round: round.to_owned() })))
            }
            Written::Refused(was) => {
                let was = was.as_ref();
                Ok(is_under_way(was, now).then(|| refused(was)))
            }
        }
    }

    /// A probe failed: the breaker stays open, for longer. Of a round's probes the first decides.
    ///
    /// # Errors
    /// [`Unavailable`]: the round ends by itself, and another begins.
    pub async fn reopen_breaker(
        &self,
        destination: Destination,
        probe: &Probe,
        trip: &Trip,
        now: Timestamp,
    ) -> Result<Completed, Unavailable> {
        let update = opening(self.update_gate(destination), trip);
        let update = of_round(update, probe);
        self.change(update, destination, event(now, "reopened", &trip.detail)).await
    }

    /// A probe succeeded: the breaker closes. Of a round's probes the first decides.
    ///
    /// # Errors
    /// [`Unavailable`]: the round ends by itself, and another begins.
    pub async fn close_breaker(
        &self,
        destination: Destination,
        probe: &Probe,
        now: Timestamp,
    ) -> Result<Completed, Unavailable> {
        let update = of_round(closing(self.update_gate(destination), now, ""), probe);
        self.change(update, destination, event(now, "closed", "a probe succeeded")).await
    }

    /// Adds calls to those that were counted in the same ten seconds.
    ///
    /// # Errors
    /// [`Unavailable`]: the calls are forgotten, or counted twice; the breaker is none the worse.
    pub async fn count_calls(
        &self,
        destination: Destination,
        bucket: i64,
        calls: Calls,
    ) -> Result<(), Unavailable> {
        let gone =
            (bucket + 1) * BreakerPolicy::BUCKET.as_secs() + 2 * BreakerPolicy::WINDOW.as_secs();
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::destination(destination)))
            .key(SK, text(key::calls(bucket)))
            .update_expression("ADD made :made, failed :failed SET expires_at = :gone")
            .expression_attribute_values(":made", number(i64::from(calls.made)))
            .expression_attribute_values(":failed", number(i64::from(calls.failed)))
            .expression_attribute_values(":gone", number(gone))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Unavailable::from_sdk("count a vendor's calls", &error))
    }

    /// The calls counted after a moment, newest first.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn recent_calls(
        &self,
        destination: Destination,
        after: Timestamp,
    ) -> Result<Vec<Calls>, Unavailable> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(key::destination(destination)))
            .expression_attribute_values(
                ":first",
                text(key::calls(BreakerPolicy::bucket(after) + 1)),
            )
            .expression_attribute_values(":last", text(key::calls(i64::MAX)))
            .consistent_read(true)
            .scan_index_forward(false)
            .send()
            .await
            .map_err(|error| Unavailable::from_sdk("read a vendor's calls", &error))?;
        let calls = |item: &Item| Calls {
            made: get_count(item, "made"),
            failed: get_count(item, "failed"),
        };
        Ok(page.items.unwrap_or_default().iter().map(calls).collect())
    }
}

/// The condition of what a probe says: the round is the one it belongs to.
fn of_round(update: UpdateItemFluentBuilder, probe: &Probe) -> UpdateItemFluentBuilder {
    update
        .condition_expression("#round = :round")
        .expression_attribute_values(":round", text(&probe.round))
}

fn is_under_way(was: Option<&Item>, now: Timestamp) -> bool {
    was.and_then(|item| get_time(item, "round_ends")).is_some_and(|ends| ends > now)
}

fn refused(was: Option<&Item>) -> Probing {
    match was.and_then(|item| get_text(item, "breaker")) {
        Some(OPEN) => Probing::Refused,
        Some(_) | None => Probing::Closed,
    }
}
