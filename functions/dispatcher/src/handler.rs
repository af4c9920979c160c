//! The flow of one batch of the stream.

use crate::stream::{Batch, Entry};
use dispatch::{Dispatch, Undispatched};
use domain::fact::Fact;
use futures_util::future::join_all;

/// The batch must come again: some of its facts are not dispatched. What was done is done again,
/// and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{failed} of {of} facts could not be dispatched ({first}); the batch comes again, and the sweeper looks after it"
)]
pub struct Incomplete {
    failed: usize,
    of: usize,
    first: Undispatched,
}

/// Facts were recorded: dispatch each, together. Any failure fails the whole batch, because the
/// stream has no better way of saying which.
pub async fn handle(
    dispatch: &Dispatch,
    batch: Batch,
    now: jiff::Timestamp,
) -> Result<(), Incomplete> {
    let entries = batch.entries();
    let results = join_all(entries.iter().map(|entry| work(dispatch, entry, now))).await;
    let failures: Vec<Undispatched> = results.into_iter().filter_map(Result::err).collect();
    match failures.first() {
        Some(first) => Err(Incomplete { failed: failures.len(), of: entries.len(), first: *first }),
        None => Ok(()),
    }
}

/// One entry: a fact is dispatched; what cannot be decoded is marked, and the batch goes on.
async fn work(
    dispatch: &Dispatch,
    entry: &Entry,
    now: jiff::Timestamp,
) -> Result<(), Undispatched> {
    match serde_json::from_str::<Fact>(&entry.document) {
        Ok(fact) => dispatch.dispatch(&fact, now).await,
        Err(_) => dispatch.pass_undecodable(&entry.key).await,
    }
}
