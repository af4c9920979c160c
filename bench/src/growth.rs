//! Growth: a hundred thousand payments through the webhook, the dispatcher and one consumer, into one
//! table that only grows. What an event costs must be the same at the end as at the beginning.

use crate::aws::{self, Counts};
use crate::event::{self, Samples};
use crate::process::Running;
use crate::say;
use crate::side::{Side, Stage, Who};
use anyhow::{Context, Result, ensure};
use hyper::body::Bytes;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Events in one line of the table.
const STEP: usize = 10_000;

/// Facts in a batch of the stream, as `template.yaml` says.
const FACTS: usize = 25;

/// Messages in a batch of a queue, as `template.yaml` says.
const MESSAGES: usize = 10;

/// Plays so many events, prints a line for every ten thousand, and answers with all that it printed.
pub(crate) async fn run(stage: &Stage, events: usize) -> Result<String> {
    let side = stage.side(Who::Throughline).await?;
    let samples = Samples::read(&stage.root)?;
    let mut line = Line::open(stage, &side).await?;
    let mut told = String::new();
    let mut tell = |text: String| {
        say::line(&text);
        told += &text;
        told += "\n";
    };
    tell(HEAD.to_owned());
    let step = STEP.min(events);
    for at in 0..events.div_ceil(step) {
        tell(line.step(&side, &samples, step).await?.line((at + 1) * step));
    }
    line.end().await?;
    tell(timeline(stage, &side).await?);
    Ok(told)
}

const HEAD: &str = concat!(
    "                   calls of an event              CPU of an event in ms          write  largest\n",
    "events    items    webhook dispatcher consumer    webhook dispatcher consumer    units     item",
);

/// The three programs that an event passes.
struct Line {
    webhook: Running,
    dispatcher: Running,
    consumer: Running,
}

/// What one step used, by program.
struct Told {
    events: u64,
    items: usize,
    counts: [Counts; 3],
    cpu: [Duration; 3],
}

impl Line {
    async fn open(stage: &Stage, side: &Side) -> Result<Self> {
        let start = async |function| -> Result<Running> {
            let mut running = Running::start(&stage.launch(side, function), None).await?;
            running.ready().await.with_context(|| format!("{function} does not start"))?;
            Ok(running)
        };
        Ok(Self {
            webhook: start("stripe-webhook").await?,
            dispatcher: start("dispatcher").await?,
            consumer: start("sgtm-forwarder").await?,
        })
    }

    async fn step(&mut self, side: &Side, samples: &Samples, events: usize) -> Result<Told> {
        let fresh = (0..events).map(|_| samples.webhook());
        let webhook = play(side, &mut self.webhook, fresh).await?;
        let facts: Vec<Value> = aws::look(&side.account).ledger.stream.drain(..).collect();
        ensure!(facts.len() == events, "{} of {events} facts were written", facts.len());
        let batches = facts.chunks(FACTS).map(|batch| event::stream(batch.iter().cloned()));
        let dispatcher = play(side, &mut self.dispatcher, batches).await?;
        let queues = std::mem::take(&mut aws::look(&side.account).queues);
        let messages = queues.get("sgtm-forwarder").cloned().unwrap_or_default();
        ensure!(messages.len() == events, "{} of {events} messages were queued", messages.len());
        let messages = Vec::from(messages);
        let batches = messages.chunks(MESSAGES).map(|batch| event::queue(batch.iter().cloned()));
        let consumer = play(side, &mut self.consumer, batches).await?;
        let items = aws::look(&side.account).ledger.items.len();
        let (counts, cpu) =
            ([webhook.0, dispatcher.0, consumer.0], [webhook.1, dispatcher.1, consumer.1]);
        Ok(Told { events: events as u64, items, counts, cpu })
    }

    async fn end(self) -> Result<()> {
        self.webhook.end().await?;
        self.dispatcher.end().await?;
        self.consumer.end().await
    }
}

/// Plays events to one program; answers with what it asked for and the CPU it used.
async fn play(
    side: &Side,
    running: &mut Running,
    events: impl Iterator<Item = Bytes>,
) -> Result<(Counts, Duration)> {
    let counts = aws::look(&side.account).counts.clone();
    let cpu = running.cpu()?;
    for event in events {
        let answered = running.player.play(event).await?;
        let answer: Value = serde_json::from_slice(&answered.body)?;
        let failed =
            answer["batchItemFailures"].as_array().is_some_and(|failed| !failed.is_empty());
        let refused = answer["statusCode"].as_u64().is_some_and(|status| status != 200);
        ensure!(!failed && !refused, "an event failed: {answer}\n{}", running.said());
    }
    let account = aws::look(&side.account);
    if let Some(refused) = &account.refused {
        anyhow::bail!("the stand-in refused a call: {refused}");
    }
    Ok((account.counts.since(&counts), running.cpu()?.saturating_sub(cpu)))
}

impl Told {
    fn line(&self, so_far: usize) -> String {
        let calls = |at: usize| self.counts[at].total() as f64 / self.events as f64;
        let cpu = |at: usize| self.cpu[at].as_secs_f64() * 1000.0 / self.events as f64;
        let writes: u64 =
            self.counts.iter().map(|counts| counts.writes + counts.index_writes).sum();
        format!(
            "{so_far:>6} {:>8}    {:>7.3} {:>10.3} {:>8.3}    {:>7.3} {:>10.3} {:>8.3}    {:>5.2} {:>8}",
            self.items,
            calls(0),
            calls(1),
            calls(2),
            cpu(0),
            cpu(1),
            cpu(2),
            writes as f64 / self.events as f64,
            self.counts[2].largest,
        )
    }
}

/// A journey with two hundred items in its timeline: how often it is asked for when a message of its
/// is worked. Most of its items are notes of an operator's, which are in the timeline as all else is.
async fn timeline(stage: &Stage, side: &Side) -> Result<String> {
    let samples = Samples::read(&stage.root)?;
    let mut line = Line::open(stage, side).await?;
    play(side, &mut line.webhook, std::iter::once(samples.webhook())).await?;
    let fact: Vec<Value> = aws::look(&side.account).ledger.stream.drain(..).collect();
    let journey =
        fact.first().context("no fact was written")?["dynamodb"]["NewImage"]["pk"]["S"].clone();
    let journey = journey.as_str().context("a fact has a key")?.to_owned();
    play(side, &mut line.dispatcher, std::iter::once(event::stream(fact))).await?;
    fill(side, &journey);
    let messages = aws::look(&side.account).queues.remove("sgtm-forwarder").unwrap_or_default();
    let (counts, _) =
        play(side, &mut line.consumer, std::iter::once(event::queue(messages))).await?;
    let held = items_of(side, &journey);
    let queries = counts.calls.get("Query JOURNEY").copied().unwrap_or(0);
    line.end().await?;
    Ok(format!("\na journey with {held} items: its delivery read the timeline in {queries} query"))
}

/// Copies audits into a journey until its timeline has two hundred items.
fn fill(side: &Side, journey: &str) {
    let mut account = aws::look(&side.account);
    for number in 0..200 {
        let sk = format!("AUDIT#2026-01-01T00:00:00.{number:03}Z#note#bench");
        let item = json!({"pk": {"S": journey}, "sk": {"S": sk}, "why": {"S": "x".repeat(200)}});
        let Ok(item) = serde_json::from_value(item) else { continue };
        account.ledger.items.insert((journey.to_owned(), sk), item);
    }
}

fn items_of(side: &Side, journey: &str) -> usize {
    let account = aws::look(&side.account);
    let range = account.ledger.items.range((journey.to_owned(), String::new())..);
    range.take_while(|((pk, _), _)| pk == journey).count()
}

/// Where the events of a growth run are played.
pub(crate) fn stage(root: &Path, work: &Path) -> Stage {
    Stage {
        root: root.to_owned(),
        work: work.to_owned(),
        delay: Duration::ZERO,
        vendor_delay: Duration::ZERO,
        tls: None,
    }
}
