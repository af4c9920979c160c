//! The flow of one sweep: every shard of the agenda, its undispatched facts and its due deliveries.

use dispatch::{Dispatch, GRACE, Undispatched, message};
use domain::delivery::State;
use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use ledger::{DeliveryRecord, Due, FactKey, SHARDS};

/// How far ahead deliveries are taken: until the next sweep. Their messages carry the rest of the wait.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// The longest time between two looks at one delivery.
const RAREST_LOOK: SignedDuration = SignedDuration::from_hours(1);

/// After this long a sweep begins nothing new; what is left waits for the next.
const BUDGET: SignedDuration = SignedDuration::from_secs(40);

/// How many shards are worked together.
const TOGETHER: usize = 4;

/// What a sweep found and did.
#[derive(Debug, Default)]
struct Found {
    undispatched: u64,
    due: u64,
    sent: u64,
    failed: u64,
}

/// Looks at all shards, and says in one line what was found. A failure in one leaves the others
/// alone: all of it is found again in a minute.
pub(crate) async fn sweep(dispatch: &Dispatch, clock: fn() -> Timestamp) {
    let began = clock();
    let found = stream::iter(0..SHARDS)
        .map(|shard| sweep_shard(dispatch, shard, clock, began))
        .buffer_unordered(TOGETHER)
        .fold(Found::default(), async |sum, found| sum.and(&found))
        .await;
    tracing::info!(
        undispatched = found.undispatched,
        due = found.due,
        sent = found.sent,
        failed = found.failed,
        metrics = "undispatched:Count,due:Count,sent:Count,failed:Count",
        "sweep"
    );
}

impl Found {
    fn and(&self, other: &Self) -> Self {
        Self {
            undispatched: self.undispatched + other.undispatched,
            due: self.due + other.due,
            sent: self.sent + other.sent,
            failed: self.failed + other.failed,
        }
    }

    fn note(&mut self, result: Result<bool, Undispatched>) {
        match result {
            Ok(sent) => self.sent += u64::from(sent),
            Err(error) => {
                self.failed += 1;
                tracing::warn!(
                    error = error.to_string(),
                    "a step of the sweep failed; the next sweep repeats it"
                );
            }
        }
    }
}

async fn sweep_shard(
    dispatch: &Dispatch,
    shard: u32,
    clock: fn() -> Timestamp,
    began: Timestamp,
) -> Found {
    let mut found = Found::default();
    let now = clock();
    match dispatch.ledger.undispatched(shard, now - GRACE).await {
        Ok(forgotten) => {
            found.undispatched = forgotten.len() as u64;
            for key in forgotten.iter().take_while(|_| clock().duration_since(began) < BUDGET) {
                found.note(redispatch(dispatch, key, clock()).await);
            }
        }
        Err(error) => found.note(Err(error.into())),
    }
    match dispatch.ledger.due(shard, now + AHEAD).await {
        Ok(due) => {
            for entry in due.iter().take_while(|_| clock().duration_since(began) < BUDGET) {
                found.due += 1;
                found.note(remind(dispatch, entry, clock()).await);
            }
        }
        Err(error) => found.note(Err(error.into())),
    }
    found
}

/// A fact that the stream did not bring through: the dispatcher's own steps, again. Or one that a
/// person wishes to be dispatched once more.
async fn redispatch(
    dispatch: &Dispatch,
    key: &FactKey,
    now: Timestamp,
) -> Result<bool, Undispatched> {
    let Some(open) = dispatch.ledger.open_fact(key).await? else { return Ok(false) };
    match (&open.fact, &open.wish) {
        (Some(fact), None) => dispatch.dispatch(fact, now).await.map(|()| true),
        (Some(fact), Some(wish)) => dispatch.replay(fact, wish, now).await.map(|()| true),
        (None, _) => dispatch.pass_undecodable(key).await.map(|()| false),
    }
}

/// A delivery that is due: put off first, so that of two sweepers one sends, then sent.
async fn remind(dispatch: &Dispatch, due: &Due, now: Timestamp) -> Result<bool, Undispatched> {
    let Some(record) = dispatch.ledger.delivery(&due.id).await? else { return Ok(false) };
    let Some(reminder) = plan(&record, due, now) else { return Ok(false) };
    if !dispatch.ledger.put_off(due, reminder.look_again).await? {
        return Ok(false);
    }
    let queue = dispatch.urls.of(due.id.destination.queue());
    dispatch.queues.send(queue, &[message(&due.id, reminder.delay)]).await?;
    Ok(true)
}

/// When a reminder is sent, and when the delivery is looked at again.
#[derive(Debug, PartialEq, Eq)]
struct Reminder {
    delay: SignedDuration,
    look_again: Timestamp,
}

/// Plans a reminder; `None` where nothing is to do: the delivery is over, or its worker has time left.
/// The looks grow apart with the delivery's age, so that a slow queue gets a few copies, not one a minute.
fn plan(record: &DeliveryRecord, due: &Due, now: Timestamp) -> Option<Reminder> {
    let at = match record.state {
        State::Queued => due.listed_at,
        State::Waiting => record.next_at.unwrap_or(due.listed_at),
        State::InFlight | State::Calling if due.listed_at < now => now,
        State::InFlight
        | State::Calling
        | State::Delivered
        | State::AcceptedUnverifiable
        | State::Skipped
        | State::Dead => return None,
    };
    let delay = at.duration_since(now).max(SignedDuration::ZERO);
    let age = now.duration_since(record.lives_since());
    let look_again =
        now.checked_add(delay + age.clamp(GRACE, RAREST_LOOK)).unwrap_or(Timestamp::MAX);
    Some(Reminder { delay, look_again })
}

#[cfg(test)]
mod tests;
