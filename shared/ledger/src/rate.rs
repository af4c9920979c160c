//! Rate limits: a counter for each route, caller and minute, exact across all instances.

use crate::item::{number, text};
use crate::key::{self, PK, SK};
use crate::write::{Written, written};
use crate::{Ledger, Unavailable};
use jiff::Timestamp;

/// Whether a caller may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Yes.
    Admitted,
    /// No, until the minute is over.
    Refused {
        /// Seconds until it is.
        retry_after: u32,
    },
}

impl Ledger {
    /// Counts a call of a caller (a keyed hash) on a route, if the minute has room for it.
    ///
    /// # Errors
    /// [`Unavailable`]: whether to go on is for the route to decide.
    pub async fn admit(
        &self,
        route: &str,
        caller: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Admission, Unavailable> {
        let minute = now.as_second().div_euclid(60);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key::rate(route, caller, minute)))
            .key(SK, text(key::ALONE))
            .update_expression("ADD hits :one SET expires_at = :expires_at")
            .condition_expression("attribute_not_exists(hits) OR hits < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(i64::from(limit)))
            .expression_attribute_values(":expires_at", number((minute + 10) * 60))
            .send()
            .await;
        match written("count a caller", update)? {
            Written::Landed(_) => Ok(Admission::Admitted),
            Written::Refused(_) => {
                let left = (minute + 1) * 60 - now.as_second();
                Ok(Admission::Refused { retry_after: u32::try_from(left).unwrap_or(60) })
            }
        }
    }
}
