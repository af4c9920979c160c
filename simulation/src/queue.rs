//! The queues in memory: SQS's JSON protocol as far as we speak it, and what SQS does by itself:
//! hiding what was received, bringing it back, and the dead letters.

use crate::clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// As `template.yaml` says: how long a received message is hidden, and how often it may be received.
pub(crate) const VISIBILITY: i64 = 180_000;
const MAX_RECEIVES: u32 = 20;

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) receives: u32,
    pub(crate) visible_at: i64,
    sent_at: i64,
}

impl Message {
    fn handle(&self) -> String {
        format!("{}/{}", self.id, self.receives)
    }

    /// As the mapping hands it over.
    pub(crate) fn as_record(&self) -> Value {
        json!({"messageId": self.id, "body": self.body, "receiptHandle": self.handle(),
            "attributes": {"ApproximateReceiveCount": self.receives.to_string()}})
    }
}

/// All queues, by address.
#[derive(Default, Clone)]
pub(crate) struct Queues {
    held: BTreeMap<String, Vec<Message>>,
    /// What SQS itself moved to the dead letters: its worker never came to an end.
    pub(crate) moved: u32,
    sent: u64,
    /// A message is lost by the function that should have sent it: of the next batch, the last entry fails.
    pub(crate) fail_last: bool,
}

/// The queues' addresses.
pub(crate) fn url(name: &str) -> String {
    format!("http://sqs.invalid/1/{name}")
}

impl Queues {
    /// Answers one call: its body, or what SQS refuses it with.
    pub(crate) fn call(&mut self, operation: &str, body: &Value) -> Result<Value, &'static str> {
        let queue = body["QueueUrl"].as_str().unwrap_or_default().to_owned();
        match operation {
            "SendMessageBatch" => Ok(self.send(&queue, body)),
            "ChangeMessageVisibility" => self.change_visibility(&queue, body),
            "ReceiveMessage" => Ok(self.hand_out(&queue, body)),
            "GetQueueAttributes" => Ok(self.attributes(&queue)),
            "DeleteMessageBatch" => Ok(self.each(body, |queues, entry| {
                let id = entry["ReceiptHandle"].as_str()?.rsplit_once('/')?.0.to_owned();
                queues.delete(&queue, &[id]);
                Some(())
            })),
            "ChangeMessageVisibilityBatch" => Ok(self.each(body, |queues, entry| {
                queues.change_visibility(&queue, entry).ok().map(|_| ())
            })),
            _ => Err("InvalidAction"),
        }
    }

    fn send(&mut self, queue: &str, body: &Value) -> Value {
        let none = Vec::new();
        let entries = body["Entries"].as_array().unwrap_or(&none);
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let fail_last = std::mem::take(&mut self.fail_last);
        for (at, entry) in entries.iter().enumerate() {
            let id = entry["Id"].as_str().unwrap_or_default();
            if fail_last && at + 1 == entries.len() {
                bad.push(json!({"Id": id, "SenderFault": false, "Code": "InternalError"}));
                continue;
            }
            self.sent += 1;
            let delay = entry["DelaySeconds"].as_i64().unwrap_or(0) * 1000;
            let message = Message {
                id: format!("m-{}", self.sent),
                body: entry["MessageBody"].as_str().unwrap_or_default().to_owned(),
                receives: 0,
                visible_at: clock::now() + delay,
                sent_at: clock::now(),
            };
            good.push(json!({"Id": id, "MessageId": message.id, "MD5OfMessageBody": ""}));
            self.held.entry(queue.to_owned()).or_default().push(message);
        }
        json!({ "Successful": good, "Failed": bad })
    }

    /// A batch of calls, each answered for itself.
    fn each(
        &mut self,
        body: &Value,
        mut call: impl FnMut(&mut Self, &Value) -> Option<()>,
    ) -> Value {
        let none = Vec::new();
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for entry in body["Entries"].as_array().unwrap_or(&none) {
            match call(self, entry) {
                Some(()) => good.push(json!({"Id": entry["Id"]})),
                None => bad.push(json!({"Id": entry["Id"], "SenderFault": true, "Code": "ReceiptHandleIsInvalid"})),
            }
        }
        json!({ "Successful": good, "Failed": bad })
    }

    /// Receives as a person does, who looks through the dead letters.
    fn hand_out(&mut self, queue: &str, body: &Value) -> Value {
        let most = body["MaxNumberOfMessages"].as_u64().unwrap_or(1) as usize;
        let hidden = body["VisibilityTimeout"].as_i64().unwrap_or(VISIBILITY / 1000) * 1000;
        let mut messages = Vec::new();
        for message in self.receive(queue, most) {
            let held = self.held.get_mut(queue).into_iter().flatten();
            held.filter(|held| held.id == message.id)
                .for_each(|held| held.visible_at = clock::now() + hidden);
            messages.push(json!({"MessageId": message.id, "Body": message.body,
                "ReceiptHandle": message.handle(),
                "Attributes": {"SentTimestamp": message.sent_at.to_string(),
                    "ApproximateReceiveCount": message.receives.to_string()}}));
        }
        json!({ "Messages": messages })
    }

    /// Every message comes twice.
    pub(crate) fn double(&mut self) {
        for held in self.held.values_mut() {
            let copy =
                |message: &Message| Message { id: format!("{}-2", message.id), ..message.clone() };
            let copies: Vec<Message> = held.iter().map(copy).collect();
            held.extend(copies);
        }
    }

    fn attributes(&self, queue: &str) -> Value {
        let held = self.held.get(queue).map(Vec::as_slice).unwrap_or_default();
        let visible = held.iter().filter(|message| message.visible_at <= clock::now()).count();
        json!({"Attributes": {"ApproximateNumberOfMessages": visible.to_string(),
            "ApproximateNumberOfMessagesNotVisible": (held.len() - visible).to_string(),
            "ApproximateNumberOfMessagesDelayed": "0"}})
    }

    fn change_visibility(&mut self, queue: &str, body: &Value) -> Result<Value, &'static str> {
        let handle = body["ReceiptHandle"].as_str().unwrap_or_default();
        let (id, receives) = handle.rsplit_once('/').ok_or("ReceiptHandleIsInvalid")?;
        let messages = self.held.get_mut(queue).ok_or("QueueDoesNotExist")?;
        let message = messages
            .iter_mut()
            .find(|message| message.id == id && message.receives.to_string() == receives)
            .ok_or("MessageNotInflight")?;
        let seconds = body["VisibilityTimeout"].as_i64().unwrap_or(0);
        message.visible_at = clock::now() + seconds * 1000;
        Ok(json!({}))
    }

    /// Receives up to so many messages, as the mapping does; those received too often are moved away.
    pub(crate) fn receive(&mut self, queue: &str, most: usize) -> Vec<Message> {
        let now = clock::now();
        let Some(messages) = self.held.get_mut(queue) else { return Vec::new() };
        let before = messages.len();
        messages.retain(|message| message.visible_at > now || message.receives < MAX_RECEIVES);
        self.moved += u32::try_from(before - messages.len()).unwrap_or(0);
        let visible = messages.iter_mut().filter(|message| message.visible_at <= now).take(most);
        visible
            .map(|message| {
                message.receives += 1;
                message.visible_at = now + VISIBILITY;
                message.clone()
            })
            .collect()
    }

    /// Shows at once what is hidden: a second copy of a message that is being worked.
    pub(crate) fn show(&mut self, queue: &str) {
        for message in self.held.get_mut(queue).into_iter().flatten() {
            message.visible_at = clock::now();
        }
    }

    /// Deletes what was worked.
    pub(crate) fn delete(&mut self, queue: &str, ids: &[String]) {
        if let Some(messages) = self.held.get_mut(queue) {
            messages.retain(|message| !ids.contains(&message.id));
        }
    }

    /// The bodies on a queue.
    pub(crate) fn bodies(&self, queue: &str) -> Vec<Value> {
        let messages = self.held.get(queue).map(Vec::as_slice).unwrap_or_default();
        messages.iter().filter_map(|message| serde_json::from_str(&message.body).ok()).collect()
    }

    /// When the next message can be received, and on which of these queues.
    pub(crate) fn next(&self, of: &[&str]) -> Option<(i64, &str)> {
        self.held
            .iter()
            .filter(|(queue, _)| of.iter().any(|name| url(name) == **queue))
            .flat_map(|(queue, held)| held.iter().map(|m| (m.visible_at, queue.as_str())))
            .min()
    }
}
