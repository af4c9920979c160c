//! The targets, and whether this run met them.

use crate::measure::{Figures, Warm};
use crate::report::{Over, Section};
use crate::run::SLOW_VENDOR;
use crate::side::{Who, zipped};
use std::path::Path;

/// The calls that the protocol needs for each payment of a batch that five destinations hear of. Reads:
/// the journey, the person. Writes: the routing, the person, five deliveries, the mark. Messages: one
/// for each of three queues and two for the notifier's, ten in a request.
fn needed_calls(batch: usize) -> f64 {
    let requests = 3 * batch.div_ceil(10) + (2 * batch).div_ceil(10);
    10.0 + requests as f64 / batch as f64
}

/// The write units under them: each item is below a kilobyte but for the fact, which has two when its
/// mark writes it again.
const NEEDED_WRITES: f64 = 9.0;

/// And those of the index: five deliveries enter it, and a fact leaves.
const NEEDED_INDEX: f64 = 6.0;

/// What is taken for equal: a stand-in's answer may be late once in a run, and a call repeated.
const NEARLY: f64 = 0.01;

/// A target and what was found.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Verdict {
    pub(crate) target: String,
    pub(crate) wanted: String,
    pub(crate) found: String,
    pub(crate) met: bool,
}

/// Holds a run against the targets. What was not measured is left out.
pub(crate) fn of(root: &Path, sections: &[Section]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    webhook(sections, &mut verdicts);
    cold(sections, &mut verdicts);
    zips(root, &mut verdicts);
    dispatcher(sections, &mut verdicts);
    consumer(sections, &mut verdicts);
    verdicts
}

fn find<'a>(sections: &'a [Section], job: &str, over: Over, who: Who) -> Option<&'a Figures> {
    let section = sections.iter().find(|section| section.job == job && section.over == over)?;
    section.figures.iter().find(|figures| figures.who == who)
}

fn verdict(target: &str, wanted: &str, found: String, met: bool) -> Verdict {
    Verdict { target: target.to_owned(), wanted: wanted.to_owned(), found, met }
}

fn times(more: u64, less: u64) -> f64 {
    more as f64 / less.max(1) as f64
}

fn webhook(sections: &[Section], verdicts: &mut Vec<Verdict>) {
    const JOB: &str = "stripe-webhook, new";
    let side = |who| find(sections, JOB, Over::Plain, who);
    let (Some(ours), Some(theirs)) = (side(Who::Throughline), side(Who::Powertools)) else {
        return;
    };
    let ready = times(theirs.ready, ours.ready);
    let against = "against Node with Powertools";
    verdicts.push(verdict(
        &format!("stripe-webhook, start to ready, {against}"),
        "at least 40 x faster",
        format!("{ready:.1} x"),
        ready >= 40.0,
    ));
    let (Some(own), Some(their)) = (&ours.warm, &theirs.warm) else { return };
    let cpu = times(their.cpu, own.cpu);
    verdicts.push(verdict(
        &format!("CPU of a new event, {against}"),
        "at least 10 x less",
        format!("{cpu:.1} x"),
        cpu >= 10.0,
    ));
    if let Some(limit) = side(Who::Limit).and_then(|limit| limit.warm.as_ref()) {
        let cpu = times(own.cpu, limit.cpu);
        verdicts.push(verdict(
            "CPU of a new event, against the limit program",
            "at most 4 x",
            format!("{cpu:.1} x"),
            cpu <= 4.0,
        ));
    }
    let peak = times(their.peak, own.peak);
    verdicts.push(verdict(
        &format!("peak memory, {against}"),
        "at least 10 x less",
        format!("{peak:.1} x"),
        peak >= 10.0,
    ));
    let calls = own.counts.total() as f64 / own.events as f64;
    verdicts.push(verdict(
        "network calls of a new event",
        "1",
        format!("{calls:.2}"),
        calls <= 1.0,
    ));
}

fn cold(sections: &[Section], verdicts: &mut Vec<Verdict>) {
    for over in [Over::Share, Over::ShareTls] {
        let Some(ours) = find(sections, "stripe-webhook, new", over, Who::Throughline) else {
            continue;
        };
        verdicts.push(verdict(
            &format!("stripe-webhook, start to first answer, {}", over.name()),
            "at most 60 ms",
            format!("{:.0} ms", times(ours.cold, 1000)),
            ours.cold <= 60_000,
        ));
    }
}

/// Of every function that is built.
fn zips(root: &Path, verdicts: &mut Vec<Verdict>) {
    let Ok(folders) = std::fs::read_dir(root.join("functions")) else { return };
    let mut sizes: Vec<(u64, String)> = folders
        .flatten()
        .filter_map(|folder| folder.file_name().into_string().ok())
        .filter_map(|name| Some((zipped(&root.join("target/release").join(&name)).ok()?, name)))
        .collect();
    sizes.sort();
    let (Some((largest, name)), count) = (sizes.last(), sizes.len()) else { return };
    let megabytes = times(*largest, 1_000_000);
    verdicts.push(verdict(
        "zip of each function",
        "at most 2.5 MB",
        format!("{megabytes:.2} MB, the largest of {count} ({name})"),
        *largest <= 2_500_000,
    ));
}

fn dispatcher(sections: &[Section], verdicts: &mut Vec<Verdict>) {
    let each = |warm: &Warm, count: u64, batch: usize| count as f64 / (warm.events * batch) as f64;
    for batch in [1, 10, 100] {
        let job = format!("dispatcher, batch of {batch}");
        let Some(warm) =
            find(sections, &job, Over::Plain, Who::Throughline).and_then(|f| f.warm.as_ref())
        else {
            continue;
        };
        let calls = each(warm, warm.counts.total(), batch);
        let (writes, index) =
            (each(warm, warm.counts.writes, batch), each(warm, warm.counts.index_writes, batch));
        let needed = needed_calls(batch);
        verdicts.push(verdict(
            &format!("dispatcher, calls for a fact with five destinations, batch of {batch}"),
            &format!("the {needed:.1} that are needed"),
            format!("{calls:.2}"),
            calls <= needed + NEARLY,
        ));
        verdicts.push(verdict(
            &format!("dispatcher, write units for the same, batch of {batch}"),
            &format!("the {NEEDED_WRITES} and {NEEDED_INDEX} of the index that are needed"),
            format!("{writes:.2}, and {index:.2} of the index"),
            writes <= NEEDED_WRITES + NEARLY && index <= NEEDED_INDEX + NEARLY,
        ));
    }
}

fn consumer(sections: &[Section], verdicts: &mut Vec<Verdict>) {
    let slow = find(sections, "sgtm-forwarder, batch of 10", Over::SlowVendor, Who::Throughline);
    let Some(warm) = slow.and_then(|figures| figures.warm.as_ref()) else { return };
    let ratio = times(warm.p50, SLOW_VENDOR * 1000);
    verdicts.push(verdict(
        "sgtm-forwarder, batch of 10 against a vendor that takes 200 ms",
        "at most 1.3 vendor calls",
        format!("{ratio:.2} ({:.0} ms)", times(warm.p50, 1000)),
        ratio <= 1.3,
    ));
}
