//! What one run measures: every job over plain HTTP, the chief ones over TLS, the starts again on the
//! share of a processor that a small function gets, the consumer against a slow vendor, and the chief
//! ones with AWS some way off.

use crate::job::{self, Job};
use crate::measure::{self, Effort};
use crate::report::{self, Over, Section};
use crate::share::Share;
use crate::side::{Stage, Who};
use crate::{Arguments, say, tls};
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// The memory whose share of a processor is looked at.
pub(crate) const SMALL: u64 = 128;

/// How long the slow vendor takes, in milliseconds.
pub(crate) const SLOW_VENDOR: u64 = 200;

/// Over TLS the handshakes and the bytes are what differs: one job of each kind shows it.
const OVER_TLS: [Job; 5] =
    [Job::WebhookNew, Job::Lead, Job::Purchase, Job::Dispatch(10), Job::Consume(10)];

const ON_A_SHARE: [Job; 3] = [Job::WebhookNew, Job::Lead, Job::Purchase];

const SLOW: [Job; 2] = [Job::Consume(1), Job::Consume(10)];

/// How far AWS is in a region of one's own, in milliseconds: where calls wait, what is done at once
/// takes the time of one.
const DISTANCE: u64 = 5;

const DISTANT: [Job; 5] =
    [Job::WebhookNew, Job::Dispatch(1), Job::Dispatch(10), Job::Dispatch(100), Job::Consume(10)];

const EVERYBODY: [Who; 4] = [Who::Throughline, Who::Node, Who::Powertools, Who::Limit];

/// Measures, and prints each section when it is done.
pub(crate) async fn all(arguments: &Arguments, root: &Path, work: &Path) -> Result<Vec<Section>> {
    let mut sections = Vec::new();
    for (over, jobs) in [
        (Over::Plain, &job::ALL[..]),
        (Over::Tls, &OVER_TLS[..]),
        (Over::Share, &ON_A_SHARE[..1]),
        (Over::ShareTls, &ON_A_SHARE[..]),
        (Over::SlowVendor, &SLOW[..]),
        (Over::Distant, &DISTANT[..]),
    ] {
        let stage = stage(arguments, root, work, over)?;
        for job in jobs.iter().copied() {
            let name = job.name();
            if arguments.only.as_ref().is_some_and(|text| !name.contains(text.as_str())) {
                continue;
            }
            let effort = effort(arguments, over, job);
            say::progress(format!(
                "{name}, {}: {} starts, {} events",
                over.name(),
                effort.starts,
                effort.events
            ));
            let figures = measure::job(&stage, job, &EVERYBODY, effort).await?;
            let Effort { starts, events, .. } = effort;
            let section = Section { job: name, over, batch: job.batch(), starts, events, figures };
            say::line(report::table(&section));
            sections.push(section);
        }
    }
    Ok(sections)
}

fn stage(arguments: &Arguments, root: &Path, work: &Path, over: Over) -> Result<Stage> {
    let delay = if over == Over::Distant { DISTANCE } else { arguments.delay };
    let vendor = if over == Over::SlowVendor { SLOW_VENDOR } else { delay };
    let with_tls = match over {
        Over::Tls | Over::ShareTls => true,
        Over::Plain | Over::Share | Over::SlowVendor | Over::Distant => false,
    };
    Ok(Stage {
        root: root.to_owned(),
        work: work.to_owned(),
        delay: Duration::from_millis(delay),
        vendor_delay: Duration::from_millis(vendor),
        tls: if with_tls { Some(tls::authority(work)?) } else { None },
    })
}

/// How much is measured of a job. A batch counts as its messages; a large one writes some thirty
/// records for each, so that a third of the events tells as much.
fn effort(arguments: &Arguments, over: Over, job: Job) -> Effort {
    let part = if arguments.quick { 10 } else { 1 };
    let (starts, events) = (arguments.starts / part, arguments.events / part);
    let events =
        if job.batch() > 1 || matches!(job, Job::Dispatch(_)) { events / 3 } else { events };
    let (starts, events, share) = match over {
        Over::Plain => (starts, events / job.batch(), None),
        Over::Tls => (starts, events / 3 / job.batch(), None),
        // A Node that has a fourteenth of a processor needs seconds for each.
        Over::Share | Over::ShareTls => (starts / 2, 0, Some(SMALL)),
        Over::SlowVendor => (1, 20, None),
        Over::Distant => (1, 100 / job.batch(), None),
    };
    let events = if share.is_some() { 0 } else { events.max(20) };
    Effort { starts: starts.max(3), events, share }
}

/// How a small share is held on this machine.
pub(crate) fn share_is_held() -> &'static str {
    let share = Share::of(SMALL);
    let way = share.way();
    share.release();
    way
}
