//! What was measured, as tables.

use crate::machine::Machine;
use crate::measure::Figures;
use crate::side::Who;
use crate::verdict::Verdict;

/// A whole run.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) sections: Vec<Section>,
}

/// Under which condition a job is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Over {
    /// Plain HTTP, a whole processor.
    Plain,
    /// TLS with an authority of the bench's own.
    Tls,
    /// Plain HTTP, the share of 128 MB.
    Share,
    /// TLS, the share of 128 MB.
    ShareTls,
    /// Plain HTTP, and a vendor that takes 200 ms.
    SlowVendor,
    /// Plain HTTP, and AWS answers after 5 ms.
    Distant,
}

impl Over {
    /// As it stands in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain HTTP",
            Self::Tls => "TLS",
            Self::Share => "plain HTTP, share of 128 MB",
            Self::ShareTls => "TLS, share of 128 MB",
            Self::SlowVendor => "plain HTTP, vendor takes 200 ms",
            Self::Distant => "plain HTTP, AWS 5 ms away",
        }
    }
}

/// One job under one condition.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Section {
    pub(crate) job: String,
    pub(crate) over: Over,
    pub(crate) batch: usize,
    /// Of how many starts a start is the median.
    pub(crate) starts: usize,
    /// How many events were played warm; a batch is one.
    pub(crate) events: usize,
    pub(crate) figures: Vec<Figures>,
}

/// A figure's name, how it is read off, and how it is written.
type Row = (&'static str, fn(&Figures) -> Option<u64>, fn(u64) -> String);

const ROWS: [Row; 12] = [
    ("start to ready", |f| Some(f.ready), ms),
    ("first event", |f| Some(f.first), ms),
    ("start to first answer", |f| Some(f.cold), ms),
    ("CPU until then", |f| Some(f.cold_cpu), cpu),
    ("p50", |f| Some(f.warm.as_ref()?.p50), ms),
    ("p99", |f| Some(f.warm.as_ref()?.p99), ms),
    ("CPU per event", |f| Some(f.warm.as_ref()?.cpu), cpu),
    ("peak memory", |f| Some(f.warm.as_ref()?.peak), mb),
    ("zip", |f| Some(f.zip), mb),
    (
        "calls per event",
        |f| Some(f.warm.as_ref()?.counts.total() * 100 / f.warm.as_ref()?.events as u64),
        hundredths,
    ),
    (
        "write units",
        |f| Some(f.warm.as_ref()?.counts.writes * 100 / f.warm.as_ref()?.events as u64),
        hundredths,
    ),
    (
        "of the index",
        |f| Some(f.warm.as_ref()?.counts.index_writes * 100 / f.warm.as_ref()?.events as u64),
        hundredths,
    ),
];

fn ms(micros: u64) -> String {
    format!("{:.2} ms", micros as f64 / 1000.0)
}

fn cpu(nanos: u64) -> String {
    format!("{:.3} ms", nanos as f64 / 1_000_000.0)
}

fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}

fn hundredths(count: u64) -> String {
    format!("{:.2}", count as f64 / 100.0)
}

/// A section as an aligned table: figures, and for everybody else how many times ours it is.
pub(crate) fn table(section: &Section) -> String {
    aligned(&cells(section))
}

/// The same as Markdown.
pub(crate) fn markdown(section: &Section) -> String {
    pipes(&cells(section))
}

/// The targets as an aligned table.
pub(crate) fn verdicts(verdicts: &[Verdict]) -> String {
    aligned(&verdict_cells(verdicts))
}

/// The same as Markdown.
pub(crate) fn verdicts_markdown(verdicts: &[Verdict]) -> String {
    pipes(&verdict_cells(verdicts))
}

fn cells(section: &Section) -> Vec<Vec<String>> {
    let Section { job, over, starts, events, .. } = section;
    let effort = match events {
        0 => format!("{starts} starts"),
        _ => format!("{starts} starts, {events} events"),
    };
    let mut lines = vec![vec![format!("{job} ({}; {effort})", over.name())]];
    lines[0].extend(section.figures.iter().map(|figures| figures.who.name().to_owned()));
    let ours = section.figures.iter().find(|figures| figures.who == Who::Throughline);
    for (name, pick, write) in ROWS {
        if section.figures.iter().all(|figures| pick(figures).is_none()) {
            continue;
        }
        let mut line = vec![name.to_owned()];
        line.extend(section.figures.iter().map(|figures| cell(figures, ours, pick, write)));
        lines.push(line);
    }
    lines
}

fn cell(
    figures: &Figures,
    ours: Option<&Figures>,
    pick: fn(&Figures) -> Option<u64>,
    write: fn(u64) -> String,
) -> String {
    let Some(value) = pick(figures) else { return "-".to_owned() };
    let ours = ours.and_then(pick).filter(|ours| *ours > 0 && figures.who != Who::Throughline);
    let ratio = ours.map_or_else(String::new, |ours| {
        let ratio = value as f64 / ours as f64;
        if ratio < 1.0 { format!(" ({ratio:.2} x)") } else { format!(" ({ratio:.1} x)") }
    });
    format!("{}{ratio}", write(value))
}

fn verdict_cells(verdicts: &[Verdict]) -> Vec<Vec<String>> {
    let head = ["target", "wanted", "found", ""].map(str::to_owned).to_vec();
    let lines = verdicts.iter().map(|verdict| {
        let met = if verdict.met { "met" } else { "not met" };
        vec![verdict.target.clone(), verdict.wanted.clone(), verdict.found.clone(), met.to_owned()]
    });
    std::iter::once(head).chain(lines).collect()
}

fn pipes(lines: &[Vec<String>]) -> String {
    let mut all: Vec<String> =
        lines.iter().map(|line| format!("| {} |", line.join(" | "))).collect();
    if let Some(first) = lines.first() {
        all.insert(1, format!("|{}", "---|".repeat(first.len())));
    }
    all.join("\n") + "\n"
}

fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}
