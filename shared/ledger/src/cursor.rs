//! The reconciler's cursor: until when everything that Stripe tells is recorded. It only moves on.

use crate::item::{Item, get_time, text, time};
use crate::key::{self, PK, SK};
use crate::write::unless_refused;
use crate::{Ledger, Unavailable};
use jiff::Timestamp;

impl Ledger {
    /// Reads how far the reconciler has come; `None` before its first run.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn cursor(&self) -> Result<Option<Timestamp>, Unavailable> {
        const OPERATION: &str = "read the reconciler's cursor";
        let item = self.item(OPERATION, key::RECONCILER.to_owned(), key::CURSOR).await?;
        // A cursor that cannot be read is not one that was never set.
        let read =
            |item: &Item| get_time(item, "reached_at").ok_or(Unavailable::unreadable(OPERATION));
        item.as_ref().map(read).transpose()
    }

    /// Moves the cursor on. Of two runs the one that is behind does not move it back. It never
    /// expires.
    ///
    /// # Errors
    /// [`Unavailable`]: say the same again.
    pub async fn advance_cursor(&self, to: Timestamp) -> Result<(), Unavailable> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PK, text(key::RECONCILER))
            .item(SK, text(key::CURSOR))
            .item("reached_at", time(to))
            .condition_expression("attribute_not_exists(pk) OR reached_at < :to")
            .expression_attribute_values(":to", time(to))
            .send()
            .await;
        unless_refused("move the reconciler's cursor", put)
    }
}
