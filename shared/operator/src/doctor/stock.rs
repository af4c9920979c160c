//! What the ledger holds: the table itself, what was forgotten, what is dead.

use super::Check;
use crate::{Fault, Operator};
use domain::destination::Destination;
use jiff::{SignedDuration, Timestamp};
use ledger::{List, SHARDS};

/// After this long a fact should have been dispatched, by the stream or by two sweeps.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);

/// The reconciler runs every quarter of an hour; behind by this much it has failed again and again.
const LATE: SignedDuration = SignedDuration::from_hours(3);

impl Operator {
    pub(super) async fn check_stock(&self, now: Timestamp) -> Vec<Check> {
        let mut checks = vec![self.check_table().await];
        for (what, looked) in [
            ("undispatched facts", self.look_for_forgotten(now).await),
            ("unreadable facts", self.look_for_unreadable().await),
            ("dead deliveries", self.look_for_dead().await),
            ("reconciler", self.look_at_the_reconciler(now).await),
        ] {
            checks.push(looked.unwrap_or_else(|fault| Check::impossible(what, &fault)));
        }
        checks
    }

    async fn check_table(&self) -> Check {
        const WHAT: &str = "table";
        match self.table().await {
            Err(fault) => Check::impossible(WHAT, &fault),
            Ok(table) if !table.active => Check::fail(WHAT, "it is being made or changed: wait"),
            Ok(table) if !table.streams => {
                Check::fail(WHAT, "it has no stream, so nothing is dispatched: deploy the template")
            }
            Ok(table) if !table.expires => Check::fail(
                WHAT,
                "nothing in it expires: switch its TTL on, attribute expires_at (the template does)",
            ),
            Ok(table) => {
                Check::ok(WHAT, format!("active, streams and expires; about {} items", table.items))
            }
        }
    }

    async fn look_for_forgotten(&self, now: Timestamp) -> Result<Check, Fault> {
        let before = now.checked_sub(FORGOTTEN).unwrap_or(now);
        let mut sum = 0;
        for shard in 0..SHARDS {
            sum += self.ledger.undispatched(shard, before).await?.len();
        }
        Ok(match sum {
            0 => Check::ok("undispatched facts", "none has waited for ten minutes"),
            sum => Check::fail(
                "undispatched facts",
                format!(
                    "{sum} have waited for ten minutes: the sweeper does not run, or fails; read its log"
                ),
            ),
        })
    }

    async fn look_for_unreadable(&self) -> Result<Check, Fault> {
        Ok(match self.ledger.length(List::Undecodable).await? {
            0 => Check::ok("unreadable facts", "none"),
            sum => Check::warn(
                "unreadable facts",
                format!(
                    "{sum} were written by a newer version: deploy it, then `throughline replay` each"
                ),
            ),
        })
    }

    async fn look_for_dead(&self) -> Result<Check, Fault> {
        let mut sum = 0;
        for destination in Destination::ALL {
            sum += self.ledger.length(List::Dead(destination)).await?;
        }
        Ok(match sum {
            0 => Check::ok("dead deliveries", "none"),
            sum => Check::warn(
                "dead deliveries",
                format!("{sum}: `throughline dlq list` names them, and why they died"),
            ),
        })
    }

    async fn look_at_the_reconciler(&self, now: Timestamp) -> Result<Check, Fault> {
        const WHAT: &str = "reconciler";
        let Some(cursor) = self.ledger.cursor().await? else {
            return Ok(Check::warn(
                WHAT,
                "it has not run yet: its first run is due within 15 minutes",
            ));
        };
        let behind = now.duration_since(cursor);
        Ok(if behind > LATE {
            let hours = behind.as_hours();
            Check::fail(
                WHAT,
                format!("{hours} h behind Stripe, which forgets after 30 days: read its log"),
            )
        } else {
            Check::ok(
                WHAT,
                format!("it has read Stripe's events until {} min ago", behind.as_mins()),
            )
        })
    }
}
