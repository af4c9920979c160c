//! An SQS batch: each message by itself, and the answer in the exact shape that AWS wants.
//!
//! AWS fails the whole batch when an `itemIdentifier` is empty, misnamed or unknown, so the answer
//! is built from the ids of the batch alone.

pub use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};

/// One received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// SQS's id of the message.
    pub message_id: String,
    /// The handle under which it is put off.
    pub receipt_handle: String,
    /// The body as sent.
    pub body: String,
    /// How often it has been received, this time included.
    pub receives: u32,
}

/// The messages of a batch. One without an id cannot be answered for and is left out.
#[must_use]
pub fn messages(event: SqsEvent) -> Vec<Received> {
    event
        .records
        .into_iter()
        .filter_map(|record| {
            let receives = record.attributes.get("ApproximateReceiveCount");
            Some(Received {
                message_id: record.message_id.filter(|id| !id.is_empty())?,
                receipt_handle: record.receipt_handle.unwrap_or_default(),
                body: record.body.unwrap_or_default(),
                receives: receives.and_then(|count| count.parse().ok()).unwrap_or(1),
            })
        })
        .collect()
}

/// The answer to a batch: the messages that must come back. An empty list is success.
#[must_use]
pub fn answer(failed: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .into_iter()
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}

#[cfg(test)]
mod tests {
    use super::{SqsEvent, answer, messages};

    #[test]
    fn the_answer_has_the_shape_that_aws_wants() {
        let json = serde_json::to_string(&answer(vec!["m-1".into()])).unwrap();
        assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":"m-1"}]}"#);
        assert_eq!(serde_json::to_string(&answer(vec![])).unwrap(), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn a_message_without_an_id_does_not_spoil_its_neighbours() {
        let event = r#"{"Records":[{"body":"a"},{"messageId":"m-2","receiptHandle":"r","body":"b","attributes":{"ApproximateReceiveCount":"3"}}]}"#;
        let event: SqsEvent = serde_json::from_str(event).unwrap();
        let received = messages(event);
        assert_eq!(received.len(), 1);
        assert_eq!((received[0].message_id.as_str(), received[0].receives), ("m-2", 3));
    }
}
