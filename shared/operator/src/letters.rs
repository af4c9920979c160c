//! The dead-letter queues. They hold copies: what is dead says the ledger. Looking does not take
//! anything away, and what is mended takes its copies with it.

use crate::{Fault, Operator};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName, QueueAttributeName,
};
use domain::delivery::DeliveryId;
use domain::destination::Queue;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// For how long messages are hidden from others while one pass looks through a queue.
const HIDDEN_SECONDS: i32 = 60;
/// The most messages that one pass looks at: the rest waits for the next.
const MOST: usize = 2_000;
/// A queue answers from a few of its machines at a time: it is empty after so many empty answers.
const EMPTY_ANSWERS: u32 = 2;

/// A message among the dead letters.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// SQS's id of it.
    pub(crate) message_id: String,
    /// When it was put there.
    pub(crate) sent_at: Option<Timestamp>,
    /// Which delivery it is about; `None` where it is about none.
    pub(crate) about: Option<DeliveryId>,
    handle: String,
}

/// A message that is no copy of a dead delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stray {
    /// The function whose dead letters hold it.
    pub function: String,
    /// SQS's id of it.
    pub message_id: String,
    /// When it was put there.
    pub sent_at: Option<Timestamp>,
    /// The journey of the delivery that it names, if it names one.
    pub event_id: Option<String>,
    /// The delivery that it names.
    pub delivery: Option<String>,
    /// What it is: a message without a delivery, or a copy of one that is not dead.
    pub says: String,
    #[serde(skip)]
    pub(crate) about: Option<DeliveryId>,
}

impl Stray {
    /// Whether it is a copy of a delivery that was dead.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        self.about.is_some()
    }
}

impl Operator {
    fn dead_letters(&self, queue: Queue) -> Result<&str, Fault> {
        let address = self.stage.dead_letters.get(queue.function());
        address.map(String::as_str).ok_or_else(|| {
            Fault::refused(format!("the stage names no dead letters of {}", queue.function()))
        })
    }

    /// How many messages a queue holds, about.
    pub(crate) async fn length_of(&self, url: &str) -> Result<u64, Fault> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let asked = self.sqs.get_queue_attributes().queue_url(url);
        let answer = asked.set_attribute_names(Some(names.to_vec())).send().await;
        let answer = answer.map_err(|error| Fault::aws("look at a queue", &error))?;
        let attributes = answer.attributes.unwrap_or_default();
        Ok(names.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }

    /// Everything on a function's dead letters; all of it is visible again afterwards.
    pub(crate) async fn letters(&self, queue: Queue) -> Result<Vec<Letter>, Fault> {
        let url = self.dead_letters(queue)?;
        if self.length_of(url).await? == 0 {
            return Ok(Vec::new());
        }
        let mut letters = Vec::new();
        let gathered = self.gather(url, &mut letters, |_| false).await;
        self.show_again(url, &letters).await?;
        gathered.map(|()| letters)
    }

    /// Takes away the copies of deliveries that were put there before a moment; how many.
    pub(crate) async fn take_away(
        &self,
        queue: Queue,
        of: &BTreeSet<DeliveryId>,
        before: Timestamp,
    ) -> Result<usize, Fault> {
        let url = self.dead_letters(queue)?;
        let mut letters = Vec::new();
        let mut missing = of.clone();
        let gathered = self
            .gather(url, &mut letters, |letter| {
                letter.about.as_ref().is_some_and(|id| missing.remove(id)) && missing.is_empty()
            })
            .await;
        // What died again since then has put a copy there of its own.
        let is_copy = |letter: &Letter| {
            letter.about.as_ref().is_some_and(|id| of.contains(id))
                && letter.sent_at.is_none_or(|at| at <= before)
        };
        let (copies, others): (Vec<Letter>, Vec<Letter>) = letters.into_iter().partition(is_copy);
        let removed = self.delete(url, &copies).await?;
        self.show_again(url, &others).await?;
        gathered.map(|()| removed)
    }

    /// Takes away one message by its id; whether it was there, and is gone.
    pub(crate) async fn take_one(&self, queue: Queue, message_id: &str) -> Result<bool, Fault> {
        let url = self.dead_letters(queue)?;
        let mut letters = Vec::new();
        let is_it = |letter: &Letter| letter.message_id == message_id;
        let gathered = self.gather(url, &mut letters, is_it).await;
        let (it, others): (Vec<Letter>, Vec<Letter>) = letters.into_iter().partition(is_it);
        let removed = self.delete(url, &it).await?;
        self.show_again(url, &others).await?;
        gathered.map(|()| removed > 0)
    }

    /// Receives until the queue is empty or enough was seen. What was received stays hidden until
    /// it is shown again, so that no message is met twice.
    async fn gather(
        &self,
        url: &str,
        letters: &mut Vec<Letter>,
        mut is_enough: impl FnMut(&Letter) -> bool,
    ) -> Result<(), Fault> {
        let mut empty = 0;
        while empty < EMPTY_ANSWERS && letters.len() < MOST {
            let answer = self
                .sqs
                .receive_message()
                .queue_url(url)
                .max_number_of_messages(10)
                .visibility_timeout(HIDDEN_SECONDS)
                .wait_time_seconds(1)
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
                .send()
                .await
                .map_err(|error| Fault::aws("read the dead letters", &error))?;
            let received: Vec<Letter> =
                answer.messages.unwrap_or_default().into_iter().map(letter).collect();
            empty = if received.is_empty() { empty + 1 } else { 0 };
            let enough = received.iter().any(&mut is_enough);
            letters.extend(received);
            if enough {
                break;
            }
        }
        Ok(())
    }

    /// Deletes messages; how many SQS says are gone. It keeps one whose handle is no longer good: the
    /// look through its queue took longer than it was hidden.
    async fn delete(&self, url: &str, letters: &[Letter]) -> Result<usize, Fault> {
        let mut gone = 0;
        for batch in letters.chunks(10) {
            let entries = batch.iter().enumerate().map(|(at, letter)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
                entry.receipt_handle(&letter.handle).build()
            });
            let entries: Vec<_> = entries.filter_map(Result::ok).collect();
            let sent = self.sqs.delete_message_batch().queue_url(url).set_entries(Some(entries));
            let sent = sent.send().await;
            let answer =
                sent.map_err(|error| Fault::aws("take copies off the dead letters", &error))?;
            gone += answer.successful().len();
        }
        Ok(gone)
    }

    /// Shows messages again that were hidden to look at them. One that SQS does not show now is no
    /// fault: it shows itself when it has been hidden for its minute.
    async fn show_again(&self, url: &str, letters: &[Letter]) -> Result<(), Fault> {
        for batch in letters.chunks(10) {
            let entries = batch.iter().enumerate().map(|(at, letter)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
                entry.receipt_handle(&letter.handle).visibility_timeout(0).build()
            });
            let entries: Vec<_> = entries.filter_map(Result::ok).collect();
            let sent = self
                .sqs
                .change_message_visibility_batch()
                .queue_url(url)
                .set_entries(Some(entries));
            let sent = sent.send().await;
            sent.map_err(|error| Fault::aws("leave the other dead letters as they were", &error))?;
        }
        Ok(())
    }
}

fn letter(message: Message) -> Letter {
    let sent = message.attributes.as_ref();
    let sent = sent.and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
    Letter {
        about: serde_json::from_str(message.body.as_deref().unwrap_or_default()).ok(),
        message_id: message.message_id.unwrap_or_default(),
        sent_at: sent.and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok()),
        handle: message.receipt_handle.unwrap_or_default(),
    }
}
