//! Events to play, made of the samples in `events/`: every one of a journey, a person and a payment of
//! its own, as of now, and signed where Stripe would sign.

use crate::aws::SIGNING_SECRET;
use anyhow::{Context, Result};
use hmac::{Hmac, KeyInit, Mac};
use hyper::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::Sha256;
use std::path::Path;
use uuid::Uuid;

/// What the samples say, to be replaced.
const JOURNEY: &str = "3f0e2a52-8a9e-4d0a-9b0e-6c1f0d2b7a11";
const SESSION: &str = "8d1f6f0e-2c64-4f0b-a7f5-51c9e3b0d422";
const PERSON: &str = "ana.silva@example.pt";

/// The samples, read once.
pub(crate) struct Samples {
    webhook: Value,
    lead: Value,
    purchase: Value,
}

impl Samples {
    /// Reads `events/`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let sample = |name: &str| -> Result<Value> {
            let file = root.join("events").join(name);
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            Ok(serde_json::from_str(&text)?)
        };
        Ok(Self {
            webhook: sample("stripe-webhook/payment_intent.succeeded.endive.json")?,
            lead: sample("lead-capture/lead.json")?,
            purchase: sample("create-payment-intent/payment-intent.json")?,
        })
    }

    /// Stripe tells of a payment that nobody has told of before.
    pub(crate) fn webhook(&self) -> Bytes {
        let mark = Uuid::new_v4().simple().to_string();
        let now = Timestamp::from_millisecond(clock()).unwrap_or_default();
        let body = fresh(&self.webhook, now)
            .replace("SAMPLE0001", &mark[..16])
            .replace("1795168800", &now.as_second().to_string())
            .replace("1795168560", &(now.as_second() - 240).to_string());
        let signature = sign(&body, now);
        proxied(&self.webhook, body, |request| {
            request["headers"]["Stripe-Signature"] = json!(signature);
            request["multiValueHeaders"]["Stripe-Signature"] = json!([signature]);
        })
    }

    /// Somebody leaves a lead.
    pub(crate) fn lead(&self, number: u64) -> Bytes {
        Self::of_a_page(&self.lead, number)
    }

    /// Somebody wants to pay.
    pub(crate) fn purchase(&self, number: u64) -> Bytes {
        Self::of_a_page(&self.purchase, number)
    }

    fn of_a_page(sample: &Value, number: u64) -> Bytes {
        let now = Timestamp::from_millisecond(clock()).unwrap_or_default();
        // Nobody is counted against another's limit: 198.18.0.0/15 is set aside for benchmarks.
        let address = format!("198.18.{}.{}", number / 250 % 250, number % 250 + 1);
        proxied(sample, fresh(sample, now), |request| {
            request["requestContext"]["identity"]["sourceIp"] = json!(address);
            request["headers"]["X-Forwarded-For"] = json!(address);
            request["multiValueHeaders"]["X-Forwarded-For"] = json!([address]);
        })
    }
}

fn clock() -> i64 {
    i64::try_from(crate::clock::now_ms()).unwrap_or(i64::MAX)
}

/// A sample's body, about a journey of its own that happens now.
fn fresh(sample: &Value, now: Timestamp) -> String {
    let ago = |seconds| now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(now);
    let journey = Uuid::new_v4().to_string();
    let body = sample["body"].as_str().unwrap_or_default();
    body.replace(JOURNEY, &journey)
        .replace(SESSION, &Uuid::new_v4().to_string())
        .replace(PERSON, &format!("ana.silva+{}@example.pt", &journey[..8]))
        .replace("2026-11-20T09:59:58.120Z", &ago(1).to_string())
        .replace("2026-11-20T09:58:31.204Z", &ago(90).to_string())
}

fn proxied(sample: &Value, body: String, change: impl FnOnce(&mut Value)) -> Bytes {
    let mut request = sample.clone();
    change(&mut request);
    request["body"] = json!(body);
    Bytes::from(request.to_string())
}

/// `t=…,v1=…`, as <https://docs.stripe.com/webhooks#verify-manually> says.
fn sign(body: &str, now: Timestamp) -> String {
    let seconds = now.as_second();
    // A key of any length fits.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// A batch of the table's stream.
pub(crate) fn stream(images: impl IntoIterator<Item = Value>) -> Bytes {
    let records: Vec<Value> = images
        .into_iter()
        .enumerate()
        .map(|(at, mut record)| {
            let image = &record["dynamodb"]["NewImage"];
            let keys = json!({"pk": image["pk"], "sk": image["sk"]});
            record["dynamodb"]["Keys"] = keys;
            record["dynamodb"]["SequenceNumber"] = json!(at.to_string());
            record["eventID"] = json!(at.to_string());
            record["eventSource"] = json!("aws:dynamodb");
            record["eventVersion"] = json!("1.1");
            record["awsRegion"] = json!("eu-west-1");
            record
        })
        .collect();
    Bytes::from(json!({ "Records": records }).to_string())
}

/// A batch of a queue.
pub(crate) fn queue(bodies: impl IntoIterator<Item = String>) -> Bytes {
    let now = clock().to_string();
    let records: Vec<Value> = bodies
        .into_iter()
        .map(|body| {
            let id = Uuid::new_v4().to_string();
            json!({"messageId": id, "receiptHandle": id, "body": body, "messageAttributes": {},
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": now,
                    "SenderId": "bench", "ApproximateFirstReceiveTimestamp": now},
                "md5OfBody": "", "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:1:queue"})
        })
        .collect();
    Bytes::from(json!({ "Records": records }).to_string())
}
