//! The flow of one batch of the stream.

use crate::stream::{Batch, Facts};
use dispatch::{Dispatch, Undispatched};
use futures_util::future::{join, join_all};

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

/// Facts were recorded: dispatch them together; what cannot be decoded is marked, and the batch goes
/// on. Any failure fails the whole batch, because the stream has no better way of saying which.
pub async fn handle(
    dispatch: &Dispatch,
    batch: Batch,
    now: jiff::Timestamp,
) -> Result<(), Incomplete> {
    let Facts { facts, undecodable } = batch.facts();
    let of = facts.len() + undecodable.len();
    let passed = undecodable.iter().map(|key| dispatch.pass_undecodable(key));
    let (dispatched, passed) = join(dispatch.dispatch_all(&facts, now), join_all(passed)).await;
    let results = dispatched.into_iter().chain(passed);
    let failures: Vec<Undispatched> = results.filter_map(Result::err).collect();
    match failures.first() {
        Some(first) => Err(Incomplete { failed: failures.len(), of, first: *first }),
        None => Ok(()),
    }
}
