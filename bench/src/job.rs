//! The jobs that are measured, and the events each is fed.

use crate::aws;
use crate::event::{self, Samples};
use crate::process::Running;
use crate::side::{Side, Stage, Who};
use anyhow::{Context, Result, ensure};
use hyper::body::Bytes;
use serde_json::Value;

/// One job of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// Stripe tells of a payment.
    WebhookNew,
    /// Stripe tells the same again.
    WebhookDuplicate,
    /// Somebody leaves a lead.
    Lead,
    /// Somebody wants to pay.
    Purchase,
    /// The stream brings so many facts.
    Dispatch(usize),
    /// The queue brings so many deliveries.
    Consume(usize),
}

/// All of them, in the order of the table.
pub(crate) const ALL: [Job; 9] = [
    Job::WebhookNew,
    Job::WebhookDuplicate,
    Job::Lead,
    Job::Purchase,
    Job::Dispatch(1),
    Job::Dispatch(10),
    Job::Dispatch(100),
    Job::Consume(1),
    Job::Consume(10),
];

impl Job {
    /// The function that does it.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::WebhookNew | Self::WebhookDuplicate => "stripe-webhook",
            Self::Lead => "lead-capture",
            Self::Purchase => "create-payment-intent",
            Self::Dispatch(_) => "dispatcher",
            Self::Consume(_) => "sgtm-forwarder",
        }
    }

    /// As it stands in tables.
    pub(crate) fn name(self) -> String {
        match self {
            Self::WebhookNew => "stripe-webhook, new".to_owned(),
            Self::WebhookDuplicate => "stripe-webhook, duplicate".to_owned(),
            Self::Lead | Self::Purchase => self.function().to_owned(),
            Self::Dispatch(batch) | Self::Consume(batch) => {
                format!("{}, batch of {batch}", self.function())
            }
        }
    }

    /// Facts or messages in one event.
    pub(crate) fn batch(self) -> usize {
        match self {
            Self::Dispatch(batch) | Self::Consume(batch) => batch,
            Self::WebhookNew | Self::WebhookDuplicate | Self::Lead | Self::Purchase => 1,
        }
    }

    /// Who can do it.
    pub(crate) fn sides(self) -> &'static [Who] {
        match self {
            Self::WebhookNew => &[Who::Throughline, Who::Node, Who::Powertools, Who::Limit],
            Self::WebhookDuplicate | Self::Lead | Self::Purchase => {
                &[Who::Throughline, Who::Node, Who::Powertools]
            }
            Self::Dispatch(_) | Self::Consume(_) => &[Who::Throughline, Who::Node, Who::Powertools],
        }
    }
}

/// Events for one side, made beforehand, and what is seen in the answers.
pub(crate) struct Feed {
    job: Job,
    events: std::vec::IntoIter<Bytes>,
}

impl Feed {
    /// Makes so many events. What a dispatcher or a consumer needs is produced by the same side's own
    /// functions before it.
    pub(crate) async fn of(stage: &Stage, side: &Side, job: Job, count: usize) -> Result<Self> {
        let samples = &Samples::read(&stage.root)?;
        let events = match job {
            Job::WebhookNew => (0..count).map(|_| samples.webhook()).collect(),
            Job::WebhookDuplicate => vec![samples.webhook(); count],
            Job::Lead => numbered(count, |number| samples.lead(number)),
            Job::Purchase => numbered(count, |number| samples.purchase(number)),
            Job::Dispatch(batch) => {
                batches(stream(stage, side, samples, count * batch).await?, batch)
                    .map(event::stream)
                    .collect()
            }
            Job::Consume(batch) => {
                batches(messages(stage, side, samples, count * batch).await?, batch)
                    .map(event::queue)
                    .collect()
            }
        };
        Ok(Self { job, events: events.into_iter() })
    }

    /// The next of them.
    pub(crate) fn next(&mut self) -> Result<Bytes> {
        self.events.next().context("not enough events were made")
    }

    /// Whether an answer says that the work is done.
    pub(crate) fn check(&self, side: &Side, answer: &[u8]) -> Result<()> {
        if let Some(refused) = &aws::look(&side.account).refused {
            anyhow::bail!("the stand-in refused a call: {refused}");
        }
        if side.who == Who::Limit {
            return Ok(());
        }
        let answer: Value = serde_json::from_slice(answer)?;
        match self.job {
            Job::WebhookNew | Job::WebhookDuplicate | Job::Lead | Job::Purchase => {
                let status = answer["statusCode"].as_u64().unwrap_or(0);
                ensure!((200..300).contains(&status), "the answer is {answer}");
            }
            Job::Dispatch(_) | Job::Consume(_) => {
                let failed = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
                ensure!(failed == 0, "{failed} of a batch failed: {answer}");
            }
        }
        Ok(())
    }
}

fn numbered(count: usize, make: impl Fn(u64) -> Bytes) -> Vec<Bytes> {
    (0..count as u64).map(make).collect()
}

fn batches<T>(all: Vec<T>, size: usize) -> impl Iterator<Item = Vec<T>> {
    let mut all = all.into_iter().peekable();
    std::iter::from_fn(move || {
        all.peek()?;
        Some(all.by_ref().take(size).collect())
    })
}

/// Facts as the table's stream brings them: the side's own webhook wrote them.
async fn stream(stage: &Stage, side: &Side, samples: &Samples, count: usize) -> Result<Vec<Value>> {
    let mut webhook = Running::start(&stage.launch(side, "stripe-webhook"), None).await?;
    webhook.ready().await?;
    for _ in 0..count {
        webhook.player.play(samples.webhook()).await?;
    }
    webhook.end().await?;
    let records: Vec<Value> = aws::look(&side.account).ledger.stream.drain(..).collect();
    ensure!(records.len() == count, "{} of {count} facts were written", records.len());
    Ok(records)
}

/// Messages for the tagging server: the side's own dispatcher queued them.
async fn messages(
    stage: &Stage,
    side: &Side,
    samples: &Samples,
    count: usize,
) -> Result<Vec<String>> {
    let facts = stream(stage, side, samples, count).await?;
    let mut dispatcher = Running::start(&stage.launch(side, "dispatcher"), None).await?;
    dispatcher.ready().await?;
    for batch in batches(facts, 25) {
        dispatcher.player.play(event::stream(batch)).await?;
    }
    dispatcher.end().await?;
    let mut account = aws::look(&side.account);
    let bodies = account.queues.remove("sgtm-forwarder").unwrap_or_default();
    ensure!(bodies.len() == count, "{} of {count} messages were queued", bodies.len());
    Ok(bodies.into())
}
