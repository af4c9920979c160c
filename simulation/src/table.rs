//! The table of the world, with the watch over leases that looks at every write.

pub(crate) mod watch;

use serde_json::Value;
use std::ops::{Deref, DerefMut};
pub(crate) use table::{Item, Refusal, int, text};
use watch::Watch;

/// The table in memory, watched.
#[derive(Default, Clone)]
pub(crate) struct Table {
    held: table::Table,
    pub(crate) watch: Watch,
}

impl Deref for Table {
    type Target = table::Table;

    fn deref(&self) -> &table::Table {
        &self.held
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut table::Table {
        &mut self.held
    }
}

impl Table {
    /// Answers one call, made by somebody.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        body: &Value,
        by: Option<u64>,
    ) -> Result<Value, Refusal> {
        let Self { held, watch } = self;
        held.call(operation, body, &mut |key, old, new| watch.see(key, old, new, by))
    }
}
