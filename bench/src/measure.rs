//! One job, done by everybody in turn: first some starts from nothing, then many events in a few
//! rounds, so that whatever else the machine does falls on all alike.

use crate::aws::{self, Counts};
use crate::job::{Feed, Job};
use crate::process::{Launch, Running};
use crate::share::Share;
use crate::side::{Side, Stage, Who};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// Rounds in which the warm events are played.
const ROUNDS: usize = 4;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Starts from nothing.
    pub(crate) starts: usize,
    /// Events played warm; none where only starts are looked at.
    pub(crate) events: usize,
    /// The memory of the function whose share of a processor the program gets; `None`, all of it.
    pub(crate) share: Option<u64>,
}

/// What was measured of one side. Times in microseconds, sizes in bytes.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Figures {
    pub(crate) who: Who,
    /// From the start to the first question for an event.
    pub(crate) ready: u64,
    /// From the first event to its answer.
    pub(crate) first: u64,
    /// From the start to the first answer.
    pub(crate) cold: u64,
    /// CPU used until then, in nanoseconds.
    pub(crate) cold_cpu: u64,
    pub(crate) starts: usize,
    pub(crate) zip: u64,
    pub(crate) warm: Option<Warm>,
}

/// What was measured of a program that had done some events before.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Warm {
    pub(crate) events: usize,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// CPU of one event, in nanoseconds.
    pub(crate) cpu: u64,
    /// The most memory that the process ever held.
    pub(crate) peak: u64,
    /// All calls of all events.
    pub(crate) counts: Counts,
    pub(crate) calls_of_one: BTreeMap<String, f64>,
}

/// Measures a job. One entry for each side.
pub(crate) async fn job(
    stage: &Stage,
    job: Job,
    who: &[Who],
    effort: Effort,
) -> Result<Vec<Figures>> {
    let mut lanes = Vec::new();
    for who in job.sides().iter().filter(|one| who.contains(one)) {
        // The limit program speaks no TLS.
        if *who == Who::Limit && stage.tls.is_some() {
            continue;
        }
        let lane = Lane::open(stage, job, *who, effort).await;
        lanes.push(lane.with_context(|| format!("{}: {}", job.name(), who.name()))?);
    }
    for _ in 0..effort.starts {
        for lane in &mut lanes {
            let started = lane.start(effort.share).await;
            started.with_context(|| format!("{}: {}", job.name(), lane.side.who.name()))?;
        }
    }
    if effort.events > 0 {
        warm(&mut lanes, job, effort.events).await?;
    }
    lanes.into_iter().map(|lane| lane.figures(stage, job)).collect()
}

/// One side on its way through a job.
struct Lane {
    side: Side,
    launch: Launch,
    feed: Feed,
    starts: Vec<Start>,
    running: Option<Running>,
    latencies: Vec<Duration>,
    cpu: Duration,
    before: Counts,
    warm: Option<Warm>,
}

/// One start from nothing.
struct Start {
    ready: Duration,
    first: Duration,
    cpu: Duration,
}

/// Played before anything is counted: code is compiled, pools are filled.
fn warm_up(events: usize) -> usize {
    (events / 10).clamp(3, 200)
}

impl Lane {
    async fn open(stage: &Stage, job: Job, who: Who, effort: Effort) -> Result<Self> {
        let side = stage.side(who).await?;
        let warm =
            if effort.events > 0 { effort.events + warm_up(effort.events) + ROUNDS } else { 0 };
        let feed = Feed::of(stage, &side, job, effort.starts + warm).await?;
        let launch = stage.launch(&side, job.function());
        Ok(Self {
            side,
            launch,
            feed,
            starts: Vec::new(),
            running: None,
            latencies: Vec::new(),
            cpu: Duration::ZERO,
            before: Counts::default(),
            warm: None,
        })
    }

    async fn start(&mut self, share: Option<u64>) -> Result<()> {
        let mut running = Running::start(&self.launch, share.map(Share::of)).await?;
        let ready = running.ready().await?;
        let first = self.play(&mut running).await?;
        self.starts.push(Start { ready, first, cpu: running.cpu()? });
        running.end().await
    }

    async fn play(&mut self, running: &mut Running) -> Result<Duration> {
        let answered = running.player.play(self.feed.next()?).await;
        let answered = answered.with_context(|| running.said())?;
        self.feed.check(&self.side, &answered.body).with_context(|| running.said())?;
        Ok(answered.took)
    }

    async fn round(&mut self, events: usize) -> Result<()> {
        let mut running = self.running.take().context("it is not running")?;
        let before = running.cpu()?;
        for _ in 0..events {
            let took = self.play(&mut running).await?;
            self.latencies.push(took);
        }
        self.cpu += running.cpu()?.saturating_sub(before);
        self.running = Some(running);
        Ok(())
    }

    async fn begin(&mut self, events: usize) -> Result<()> {
        let mut running = Running::start(&self.launch, None).await?;
        running.ready().await?;
        for _ in 0..warm_up(events) {
            self.play(&mut running).await?;
        }
        self.running = Some(running);
        self.before = aws::look(&self.side.account).counts.clone();
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        let running = self.running.take().context("it is not running")?;
        let counts = aws::look(&self.side.account).counts.since(&self.before);
        let events = self.latencies.len();
        self.latencies.sort_unstable();
        let each = |count: &u64| *count as f64 / events as f64;
        self.warm = Some(Warm {
            events,
            p50: micros(part(&self.latencies, 50)),
            p99: micros(part(&self.latencies, 99)),
            cpu: nanos(self.cpu) / events as u64,
            peak: running.peak()?,
            calls_of_one: counts.calls.iter().map(|(kind, n)| (kind.clone(), each(n))).collect(),
            counts,
        });
        running.end().await
    }

    fn figures(self, stage: &Stage, job: Job) -> Result<Figures> {
        let middle = |pick: fn(&Start) -> Duration| {
            let mut all: Vec<Duration> = self.starts.iter().map(pick).collect();
            all.sort_unstable();
            part(&all, 50)
        };
        Ok(Figures {
            who: self.side.who,
            ready: micros(middle(|start| start.ready)),
            first: micros(middle(|start| start.first)),
            cold: micros(middle(|start| start.ready + start.first)),
            cold_cpu: nanos(middle(|start| start.cpu)),
            starts: self.starts.len(),
            zip: crate::side::zipped(&stage.package(self.side.who, job.function()))?,
            warm: self.warm,
        })
    }
}

async fn warm(lanes: &mut [Lane], job: Job, events: usize) -> Result<()> {
    for lane in lanes.iter_mut() {
        lane.begin(events).await.with_context(|| job.name())?;
    }
    for _ in 0..ROUNDS {
        for lane in lanes.iter_mut() {
            let name = lane.side.who.name();
            let round = lane.round(events.div_ceil(ROUNDS)).await;
            round.with_context(|| format!("{}: {name}", job.name()))?;
        }
    }
    for lane in lanes {
        lane.finish().await?;
    }
    Ok(())
}

/// The value below which so many percent lie.
fn part(sorted: &[Duration], percent: usize) -> Duration {
    let at = sorted.len() * percent / 100;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
