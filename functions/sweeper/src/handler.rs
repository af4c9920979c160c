//! The flow of one sweep: the undispatched facts of every shard of the agenda, and the due deliveries
//! of every destination whose gate is open. What waits at a gate that is shut costs nothing.

use dispatch::{Dispatch, GRACE, Undispatched, message};
use domain::delivery::State;
use domain::destination::Destination;
use domain::gate::{BreakerPolicy, Gate, Passage};
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

/// After this long it takes up no further fact: however many there are, deliveries have their turn.
const FACTS_BUDGET: SignedDuration = SignedDuration::from_secs(20);

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
pub async fn sweep(dispatch: &Dispatch, clock: fn() -> Timestamp) {
    let began = clock();
    let sweep = Sweep { dispatch, clock, began };
    let facts = stream::iter(shards(began)).map(|shard| sweep.facts(shard));
    let facts = facts.buffer_unordered(TOGETHER).fold(Found::default(), Found::and).await;
    let found = stream::iter(Destination::ALL)
        .map(|destination| sweep.destination(destination))
        .buffer_unordered(TOGETHER)
        .fold(facts, Found::and)
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
    async fn and(self, other: Self) -> Self {
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

/// One sweep.
struct Sweep<'a> {
    dispatch: &'a Dispatch,
    clock: fn() -> Timestamp,
    began: Timestamp,
}

impl Sweep<'_> {
    fn has_time(&self, budget: SignedDuration) -> bool {
        (self.clock)().duration_since(self.began) < budget
    }

    /// The facts of a shard that the stream did not bring through.
    async fn facts(&self, shard: u32) -> Found {
        let mut found = Found::default();
        match self.dispatch.ledger.undispatched(shard, (self.clock)() - GRACE).await {
            Ok(forgotten) => {
                found.undispatched = forgotten.len() as u64;
                for key in forgotten.iter().take_while(|_| self.has_time(FACTS_BUDGET)) {
                    found.note(redispatch(self.dispatch, key, (self.clock)()).await);
                }
            }
            Err(error) => found.note(Err(error.into())),
        }
        found
    }

    /// The due deliveries of a destination, as far as its gate lets them through.
    async fn destination(&self, destination: Destination) -> Found {
        let mut found = Found::default();
        let gate = match self.dispatch.ledger.gate(destination).await {
            Ok(gate) => gate,
            Err(error) => {
                found.note(Err(error.into()));
                return found;
            }
        };
        let Some(door) = door(&gate, (self.clock)()) else { return found };
        for shard in shards(self.began).take_while(|_| self.has_time(BUDGET)) {
            found = found.and(self.deliveries(destination, shard, door).await).await;
        }
        found
    }

    /// The due deliveries of a destination in one shard.
    async fn deliveries(&self, destination: Destination, shard: u32, door: Door) -> Found {
        let mut found = Found::default();
        let ahead = (self.clock)() + AHEAD;
        match self.dispatch.ledger.due(destination, shard, ahead, door.most).await {
            Ok(due) => {
                for entry in due.iter().take_while(|_| self.has_time(BUDGET)) {
                    found.due += 1;
                    found.note(remind(self.dispatch, entry, door, (self.clock)()).await);
                }
            }
            Err(error) => found.note(Err(error.into())),
        }
        found
    }
}

/// All shards, each minute beginning with another: where there is not time for all, none is always
/// the last.
fn shards(began: Timestamp) -> impl Iterator<Item = u32> {
    let minute = began.as_second().div_euclid(60).rem_euclid(i64::from(SHARDS));
    let first = u32::try_from(minute).unwrap_or_default();
    (0..SHARDS).map(move |shard| (first + shard) % SHARDS)
}

/// How a destination's gate lets its deliveries through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Door {
    /// From when on.
    opens_at: Timestamp,
    /// How many of each shard; `None` for all.
    most: Option<u32>,
}

/// Looks at a gate until the next sweep; `None` where it stays shut until then.
fn door(gate: &Gate, now: Timestamp) -> Option<Door> {
    match gate.passage(now + AHEAD) {
        Passage::Open => Some(Door { opens_at: now, most: None }),
        Passage::Probe(trip) => {
            Some(Door { opens_at: trip.until.max(now), most: Some(BreakerPolicy::PROBES) })
        }
        Passage::Shut(_) | Passage::Paused(_) => None,
    }
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
async fn remind(
    dispatch: &Dispatch,
    due: &Due,
    door: Door,
    now: Timestamp,
) -> Result<bool, Undispatched> {
    let Some(record) = dispatch.ledger.delivery(&due.id).await? else { return Ok(false) };
    let Some(reminder) = plan(&record, due, door, now) else { return Ok(false) };
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
fn plan(record: &DeliveryRecord, due: &Due, door: Door, now: Timestamp) -> Option<Reminder> {
    let at = match record.state {
        State::Queued => due.listed_at,
        State::Waiting if record.waits_for_its_gate() => door.opens_at,
        State::Waiting => record.next_at.unwrap_or(due.listed_at),
        State::InFlight | State::Calling if record.lease_is_over(now) => now,
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
