//! What the queue in memory assumes of SQS.

use super::code;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName,
    SendMessageBatchRequestEntry,
};

const SENDING: &str = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html";
const HIDING: &str = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html";
const DELETING: &str = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html";

/// One queue under trial: its client, and an address at which nobody else sends or receives.
pub struct QueueTrial<'a> {
    /// The SDK's client.
    pub client: &'a Client,
    /// The queue's address.
    pub url: &'a str,
}

impl QueueTrial<'_> {
    /// Plays every case, and tells what came of each.
    pub async fn play(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.push(format!("a batch is taken entry by entry: {} ({SENDING})", self.send().await));
        let first = self.receive().await;
        lines.push(format!("each is received once: {} ({HIDING})", shown(&first)));
        let hidden = self.receive().await;
        lines.push(format!("and hidden then: {} ({HIDING})", shown(&hidden)));
        for message in first.iter().take(1) {
            lines.push(format!("one is shown again: {} ({HIDING})", self.show(message).await));
        }
        let again = self.receive().await;
        lines.push(format!("and received a second time: {} ({HIDING})", shown(&again)));
        lines
            .push(format!("what is worked is deleted: {} ({DELETING})", self.delete(&again).await));
        for message in first.iter().skip(1) {
            self.show(message).await;
        }
        let left = self.receive().await;
        lines.push(format!("and never comes back: {} are left ({DELETING})", left.len()));
        lines
    }

    async fn send(&self) -> String {
        let entry = |at: u8| {
            let entry = SendMessageBatchRequestEntry::builder().id(at.to_string());
            entry.message_body(format!("message {at}")).delay_seconds(0).build().ok()
        };
        let entries = (0..3).filter_map(entry).collect();
        let batch = self.client.send_message_batch().queue_url(self.url);
        let sent = batch.set_entries(Some(entries)).send().await;
        sent.map_or_else(
            |error| code(&error),
            |sent| format!("{} taken, {} not", sent.successful().len(), sent.failed().len()),
        )
    }

    /// Everything that is visible, in the order of its text: a queue keeps none.
    async fn receive(&self) -> Vec<Message> {
        let mut all = Vec::new();
        for _ in 0..3 {
            let receive = self.client.receive_message().queue_url(self.url);
            let receive = receive.max_number_of_messages(10).visibility_timeout(600);
            let count = MessageSystemAttributeName::ApproximateReceiveCount;
            let received = receive.message_system_attribute_names(count).send().await;
            all.extend(received.ok().and_then(|received| received.messages).unwrap_or_default());
        }
        all.sort_by_key(|message: &Message| message.body.clone());
        all
    }

    async fn show(&self, message: &Message) -> String {
        let change = self.client.change_message_visibility().queue_url(self.url);
        let change = change.set_receipt_handle(message.receipt_handle.clone());
        let changed = change.visibility_timeout(0).send().await;
        changed.map_or_else(|error| code(&error), |_| "yes".to_owned())
    }

    async fn delete(&self, messages: &[Message]) -> String {
        let entries = messages.iter().enumerate().filter_map(|(at, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
            entry.set_receipt_handle(message.receipt_handle.clone()).build().ok()
        });
        let batch = self.client.delete_message_batch().queue_url(self.url);
        let sent = batch.set_entries(Some(entries.collect())).send().await;
        sent.map_or_else(
            |error| code(&error),
            |sent| format!("{} deleted", sent.successful().len()),
        )
    }
}

fn shown(messages: &[Message]) -> String {
    let count = MessageSystemAttributeName::ApproximateReceiveCount;
    let told = |message: &Message| {
        let times = message.attributes.as_ref().and_then(|all| all.get(&count));
        let (body, times) = (message.body.as_deref(), times.map(String::as_str));
        format!("{} for the {}. time", body.unwrap_or_default(), times.unwrap_or("?"))
    };
    format!("{:?}", messages.iter().map(told).collect::<Vec<_>>())
}
