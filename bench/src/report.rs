//! What was measured, as tables.

use crate::measure::Figures;
use crate::side::Who;

/// A whole run.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Report {
    pub(crate) sections: Vec<Section>,
}

/// One job under one condition.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Section {
    pub(crate) job: String,
    pub(crate) over: String,
    pub(crate) batch: usize,
    pub(crate) figures: Vec<Figures>,
}

/// A figure's name, how it is read off, and how it is written.
type Row = (&'static str, fn(&Figures) -> Option<u64>, fn(u64) -> String);

const ROWS: [Row; 9] = [
    ("start to ready", |f| Some(f.ready), ms),
    ("first event", |f| Some(f.first), ms),
    ("start to first answer", |f| Some(f.cold), ms),
    ("p50", |f| Some(f.warm.as_ref()?.p50), ms),
    ("p99", |f| Some(f.warm.as_ref()?.p99), ms),
    ("CPU per event", |f| Some(f.warm.as_ref()?.cpu), cpu),
    ("peak memory", |f| Some(f.warm.as_ref()?.peak), mb),
    ("zip", |f| Some(f.zip), mb),
    ("calls per event", |f| Some(f.warm.as_ref()?.counts.total() * 100 / f.warm.as_ref()?.events as u64), hundredths),
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
    let mut lines = vec![vec![format!("{} ({})", section.job, section.over)]];
    lines[0].extend(section.figures.iter().map(|figures| figures.who.name().to_owned()));
    let ours = section.figures.iter().find(|figures| figures.who == Who::Throughline);
    for (name, pick, write) in ROWS {
        let mut line = vec![name.to_owned()];
        for figures in &section.figures {
            let Some(value) = pick(figures) else {
                line.push("-".to_owned());
                continue;
            };
            let ratio = ours.and_then(pick).filter(|ours| *ours > 0 && figures.who != Who::Throughline);
            let ratio = ratio.map_or_else(String::new, |ours| {
                format!(" ({:.1} x)", value as f64 / ours as f64)
            });
            line.push(format!("{}{ratio}", write(value)));
        }
        lines.push(line);
    }
    aligned(&lines)
}

fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
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
