//! Queues: sending in batches with every `Failed` entry checked, and putting a message off.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::future::join_all;
use jiff::SignedDuration;

/// The longest that SQS delays a message or hides one for us here.
const LONGEST_DELAY: i64 = 900;

/// The way to all queues.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
}

/// A message to send. Holds ids and keyed hashes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The body.
    pub body: String,
    /// How long SQS keeps it back, to the second, at most 15 minutes.
    pub delay: SignedDuration,
}

/// Some messages may not have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{failed} of {of} messages could not be put on the queue; they are sent again with the next try"
)]
pub struct NotSent {
    failed: usize,
    of: usize,
}

impl Queues {
    /// Wraps a client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends messages to a queue, ten in a request and all requests at once.
    ///
    /// # Errors
    /// [`NotSent`] where SQS did not take them all; those it took may arrive twice after a repeat.
    pub async fn send(&self, queue_url: &str, messages: &[Message]) -> Result<(), NotSent> {
        let batches = messages.chunks(10).map(|batch| self.send_batch(queue_url, batch));
        join_all(batches).await.into_iter().collect()
    }

    async fn send_batch(&self, queue_url: &str, batch: &[Message]) -> Result<(), NotSent> {
        let entries = batch.iter().enumerate().map(|(at, message)| {
            let delay = message.delay.as_secs().clamp(0, LONGEST_DELAY);
            SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(&message.body)
                .delay_seconds(i32::try_from(delay).unwrap_or(0))
                .build()
        });
        let of = batch.len();
        let entries =
            entries.collect::<Result<Vec<_>, _>>().map_err(|_| NotSent { failed: of, of })?;
        let sent =
            self.client.send_message_batch().queue_url(queue_url).set_entries(Some(entries)).send();
        match sent.await {
            Ok(answer) if answer.failed.is_empty() => Ok(()),
            Ok(answer) => Err(NotSent { failed: answer.failed.len(), of }),
            Err(_) => Err(NotSent { failed: of, of }),
        }
    }

    /// Hides a received message for a while. Where SQS does not do it, the queue's own visibility
    /// timeout stands: later, never lost.
    pub async fn put_off(&self, queue_url: &str, receipt_handle: &str, wait: SignedDuration) {
        let seconds = i32::try_from(wait.as_secs().clamp(0, LONGEST_DELAY)).unwrap_or(0);
        let hidden = self
            .client
            .change_message_visibility()
            .queue_url(queue_url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds)
            .send()
            .await;
        if let Err(error) = hidden {
            tracing::warn!(kind = crate::aws::kind(&error), "a message could not be put off");
        }
    }
}
