//! Dead deliveries: which there are, and what is done about them. The ledger says what is dead; every
//! change is one write that holds only while the delivery is as it was read.

use crate::letters::Stray;
use crate::{Author, Fault, Line, Operator, Pace, story};
use domain::delivery::{DeathReason, DeliveryId, State};
use domain::destination::{Destination, Queue};
use domain::id::EventId;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use ledger::{DeliveryRecord, Mended, SHARDS};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How many reads are under way together.
const TOGETHER: usize = 16;

/// Which dead deliveries are meant: those that fit all that is said.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At this destination.
    pub destination: Option<Destination>,
    /// Dead for this reason.
    pub reason: Option<DeathReason>,
    /// Dead for longer than this.
    pub older_than: Option<SignedDuration>,
    /// Of this journey.
    pub event_id: Option<EventId>,
}

/// A dead delivery.
#[derive(Debug, Clone, Serialize)]
pub struct Dead {
    /// Its journey.
    pub event_id: EventId,
    /// The delivery, as a line of its journey's story.
    #[serde(flatten)]
    pub line: Line,
    #[serde(skip)]
    record: DeliveryRecord,
}

/// What can be done to dead deliveries in number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Begin them again, at a pace.
    Redrive(Pace),
    /// Give them up for good.
    Drop,
}

/// What was done, delivery by delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// So many were changed, and recorded.
    pub done: usize,
    /// So many were no longer as they had been read: somebody else was faster.
    pub changed_meanwhile: usize,
    /// So many copies were taken off the dead letters.
    pub copies_removed: usize,
}

impl Dead {
    fn of(record: DeliveryRecord) -> Self {
        Self { event_id: record.id.event_id, line: story::delivery_line(&record), record }
    }

    /// When it died.
    #[must_use]
    pub fn died_at(&self) -> Timestamp {
        self.record.updated_at
    }

    /// Its destination.
    #[must_use]
    pub fn destination(&self) -> Destination {
        self.record.id.destination
    }

    /// Why it died, in the ledger's word.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.record.reason
    }

    /// Whether nobody knows if its call happened: it is settled by a person, and not sent again.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.record.reason == DeathReason::UnknownOutcome.name()
    }
}

impl Operator {
    /// The dead deliveries that are meant, the longest dead first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn dead(&self, filter: &Filter, now: Timestamp) -> Result<Vec<Dead>, Fault> {
        let mut records = match filter.event_id {
            Some(event_id) => self.ledger.timeline(event_id).await?.deliveries,
            None => self.listed(filter.destination).await?,
        };
        // Those that were dropped are dead still, and listed no more.
        records.retain(|record| record.state == State::Dead && record.listed_at.is_some());
        records.retain(|record| filter.destination.is_none_or(|d| record.id.destination == d));
        records.retain(|record| filter.reason.is_none_or(|why| record.reason == why.name()));
        let age = |record: &DeliveryRecord| now.duration_since(record.updated_at);
        records.retain(|record| filter.older_than.is_none_or(|least| age(record) >= least));
        records.sort_by_key(|record| record.updated_at);
        Ok(records.into_iter().map(Dead::of).collect())
    }

    /// All that the agenda lists as dead, read one by one: the list may lag, the records do not.
    async fn listed(&self, at: Option<Destination>) -> Result<Vec<DeliveryRecord>, Fault> {
        let destinations = at.map_or_else(|| Destination::ALL.to_vec(), |one| vec![one]);
        let lists = destinations.iter().flat_map(|to| (0..SHARDS).map(move |shard| (*to, shard)));
        let listed: Vec<Vec<_>> = stream::iter(lists)
            .map(|(to, shard)| self.ledger.dead(to, shard))
            .buffer_unordered(TOGETHER)
            .try_collect()
            .await?;
        let records: Vec<Option<DeliveryRecord>> = stream::iter(listed.into_iter().flatten())
            .map(|due| async move { self.ledger.delivery(&due.id).await })
            .buffer_unordered(TOGETHER)
            .try_collect()
            .await?;
        Ok(records.into_iter().flatten().collect())
    }

    /// The messages among the dead letters that are no copy of a dead delivery.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn strays(&self, at: Option<Destination>) -> Result<Vec<Stray>, Fault> {
        let mut strays = Vec::new();
        for queue in Queue::ALL {
            if at.is_some_and(|destination| destination.queue() != queue) {
                continue;
            }
            for letter in self.letters(queue).await? {
                let says = match &letter.about {
                    None => Some("it names no delivery; read it in the queue".to_owned()),
                    Some(id) => self.ledger.delivery(id).await.map(not_dead)?,
                };
                let Some(says) = says else { continue };
                strays.push(Stray {
                    function: queue.function().to_owned(),
                    message_id: letter.message_id,
                    sent_at: letter.sent_at,
                    event_id: letter.about.as_ref().map(|id| id.event_id.to_string()),
                    delivery: letter.about.as_ref().map(ToString::to_string),
                    says,
                    about: letter.about,
                });
            }
        }
        Ok(strays)
    }

    /// Does one thing to dead deliveries, one after the other, and tells how far it is. What was
    /// changed takes its copies off the dead letters with it.
    ///
    /// # Errors
    /// [`Fault`]: what was done until then is done; ask for the rest again.
    pub async fn mend(
        &self,
        dead: &[Dead],
        remedy: Remedy,
        author: &Author,
        now: Timestamp,
        mut progress: impl FnMut(usize),
    ) -> Result<Outcome, Fault> {
        let mut outcome = Outcome::default();
        let mut mended = Vec::new();
        let mut failed = None;
        for (place, dead) in dead.iter().enumerate() {
            let (record, deed) = (&dead.record, author.deed(now));
            let done = match remedy {
                Remedy::Redrive(pace) => {
                    self.ledger.redrive(record, pace.turn(now, outcome.done), deed).await
                }
                Remedy::Drop => self.ledger.drop_dead(record, deed).await,
            };
            match done {
                Ok(Mended::Done) => {
                    outcome.done += 1;
                    mended.push(record.id.clone());
                }
                Ok(Mended::Changed) => outcome.changed_meanwhile += 1,
                Err(unavailable) => {
                    failed = Some(unavailable);
                    break;
                }
            }
            progress(place + 1);
        }
        outcome.copies_removed = self.take_copies(mended, now).await?;
        failed.map_or(Ok(outcome), |unavailable| Err(unavailable.into()))
    }

    async fn take_copies(&self, of: Vec<DeliveryId>, before: Timestamp) -> Result<usize, Fault> {
        let mut by_queue: BTreeMap<Queue, BTreeSet<DeliveryId>> = BTreeMap::new();
        for id in of {
            by_queue.entry(id.destination.queue()).or_default().insert(id);
        }
        let mut removed = 0;
        for (queue, ids) in by_queue {
            removed += self.take_away(queue, &ids, before).await?;
        }
        Ok(removed)
    }

    /// Settles a call of which nobody knows: a person looked at the vendor whether it happened.
    ///
    /// # Errors
    /// Refuses a delivery that is not dead, or dead for another reason.
    pub async fn settle(
        &self,
        event_id: EventId,
        delivery: &str,
        happened: bool,
        author: &Author,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let deliveries = self.ledger.timeline(event_id).await?.deliveries;
        let record = deliveries.into_iter().find(|record| record.id.to_string() == delivery);
        let record = record.ok_or_else(|| {
            Fault::refused("the journey has no such delivery: `throughline trace` names them")
        })?;
        let dead = Dead::of(record);
        if dead.record.state != State::Dead || !dead.is_unknown() {
            let stands = format!("{} {}", dead.record.state.name(), dead.record.reason);
            return Err(Fault::refused(format!(
                "only a delivery that is dead with an unknown outcome is settled; this one is {}",
                stands.trim_end()
            )));
        }
        let deed = author.deed(now);
        let done = if happened {
            self.ledger.settle_as_happened(&dead.record, deed).await?
        } else {
            self.ledger.settle_as_not_happened(&dead.record, deed).await?
        };
        match done {
            Mended::Changed => {
                Err(Fault::refused("somebody else changed it meanwhile: look at it again"))
            }
            Mended::Done => Ok(Outcome {
                done: 1,
                changed_meanwhile: 0,
                copies_removed: self.take_copies(vec![dead.record.id], now).await?,
            }),
        }
    }

    /// Takes copies of deliveries that are dead no longer off the dead letters, as a replay leaves
    /// them; how many. What died again after `before` has put a copy there that stays.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn drop_copies(&self, of: &[Stray], before: Timestamp) -> Result<usize, Fault> {
        self.take_copies(of.iter().filter_map(|stray| stray.about.clone()).collect(), before).await
    }

    /// Takes one message that is no copy of a dead delivery off a function's dead letters.
    ///
    /// # Errors
    /// Refuses a message that is not among the strays.
    pub async fn drop_stray(&self, message_id: &str) -> Result<Stray, Fault> {
        let strays = self.strays(None).await?;
        let stray = strays.into_iter().find(|stray| stray.message_id == message_id);
        let stray = stray.ok_or_else(|| {
            Fault::refused("no such message, or it is the copy of a dead delivery: see `dlq list`")
        })?;
        let queue = Queue::ALL.into_iter().find(|queue| queue.function() == stray.function);
        match queue {
            Some(queue) if self.take_one(queue, message_id).await? => Ok(stray),
            Some(_) | None => {
                Err(Fault::refused("it could not be taken away: try again in a minute"))
            }
        }
    }
}

/// What a message says whose delivery is not dead; nothing where it is.
fn not_dead(record: Option<DeliveryRecord>) -> Option<String> {
    match record {
        Some(record) if record.state == State::Dead && record.listed_at.is_some() => None,
        Some(record) => Some(format!("a copy of a delivery that is {}", record.state.name())),
        None => Some("a copy of a delivery that is no longer kept".to_owned()),
    }
}
