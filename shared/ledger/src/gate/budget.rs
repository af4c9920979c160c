//! A vendor's budget of calls: a schedule of slots that all instances draw from, each slot once.

use crate::item::{get_number, number, time};
use crate::key;
use crate::write::{Written, written};
use crate::{Ledger, Unavailable};
use aws_sdk_dynamodb::types::ReturnValue;
use domain::destination::Destination;
use domain::gate::Budget;
use jiff::{SignedDuration, Timestamp};

impl Ledger {
    /// Draws a call's slot from a vendor's budget: the time at which it may be made, which may be
    /// now. A slot that is drawn is nobody else's, whether it is used or not.
    ///
    /// # Errors
    /// [`Unavailable`]: draw again.
    pub async fn draw_slot(
        &self,
        destination: Destination,
        budget: Budget,
        now: Timestamp,
    ) -> Result<Timestamp, Unavailable> {
        const OPERATION: &str = "draw a slot of a vendor's budget";
        let earliest = now.saturating_sub(Budget::BURST).unwrap_or(Timestamp::MIN);
        // The schedule lags behind, or it does not: one of both holds, unless it changes in between.
        for _ in 0..4 {
            if let Some(slot) = self.next_slot(destination, budget, earliest).await? {
                return Ok(slot);
            }
            if self.first_slot(destination, budget, earliest).await? {
                return Ok(earliest);
            }
        }
        Err(Unavailable::contended(OPERATION))
    }

    /// The next slot of a schedule that has not fallen behind.
    async fn next_slot(
        &self,
        destination: Destination,
        budget: Budget,
        earliest: Timestamp,
    ) -> Result<Option<Timestamp>, Unavailable> {
        let interval = millis(budget.interval);
        let update = self
            .update(destination, key::BUDGET)
            .update_expression("ADD next_free :interval")
            .condition_expression("next_free >= :earliest")
            .expression_attribute_values(":interval", number(interval))
            .expression_attribute_values(":earliest", time(earliest))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await;
        match written("draw a slot of a vendor's budget", update)? {
            Written::Landed(output) => {
                let next = output.attributes().and_then(|item| get_number(item, "next_free"));
                let slot = next.and_then(|next| Timestamp::from_millisecond(next - interval).ok());
                slot.map(Some).ok_or(Unavailable::unreadable("draw a slot of a vendor's budget"))
            }
            Written::Refused(_) => Ok(None),
        }
    }

    /// Begins the schedule anew, at the earliest slot.
    async fn first_slot(
        &self,
        destination: Destination,
        budget: Budget,
        earliest: Timestamp,
    ) -> Result<bool, Unavailable> {
        let next = earliest.saturating_add(budget.interval).unwrap_or(Timestamp::MAX);
        let update = self
            .update(destination, key::BUDGET)
            .update_expression("SET next_free = :next")
            .condition_expression("attribute_not_exists(next_free) OR next_free < :earliest")
            .expression_attribute_values(":next", time(next))
            .expression_attribute_values(":earliest", time(earliest))
            .send()
            .await;
        match written("draw a slot of a vendor's budget", update)? {
            Written::Landed(_) => Ok(true),
            Written::Refused(_) => Ok(false),
        }
    }
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
