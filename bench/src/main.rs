//! The bench: the functions that ship beside what people use today, in one run on one machine.
//! `cargo xtask bench` builds what it needs and runs it.
#![expect(clippy::float_arithmetic, reason = "ratios for people to read; nothing here ships")]

mod aws;
mod clock;
mod event;
mod http;
mod job;
mod measure;
mod player;
mod process;
mod report;
mod say;
mod share;
mod side;
mod tls;
mod vendor;

use anyhow::{Context, Result};
use clap::Parser;
use measure::Effort;
use report::{Report, Section};
use side::{Stage, Who};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Measures the functions beside reference handlers, with AWS and vendors on loopback.
#[derive(Parser)]
struct Arguments {
    /// Milliseconds that AWS takes to answer.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    delay: u64,
    /// Only jobs whose name holds this text: `stripe-webhook`, `dispatcher`.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Events of each job, played warm; a batch counts as its messages.
    #[arg(long, default_value_t = 3000)]
    events: usize,
    /// Starts from nothing of each job.
    #[arg(long, default_value_t = 10)]
    starts: usize,
    /// A tenth of everything: to see that it works.
    #[arg(long)]
    quick: bool,
    /// Where the results are written.
    #[arg(long, default_value = "target/bench/results.json", value_name = "FILE")]
    json: PathBuf,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::progress(format!("failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

const EVERYBODY: [Who; 4] = [Who::Throughline, Who::Node, Who::Powertools, Who::Limit];

async fn run(arguments: Arguments) -> Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let work = root.join("target/bench");
    std::fs::create_dir_all(&work)?;
    let mut report = Report::default();
    for tls in [false, true] {
        let stage = Stage {
            root: root.clone(),
            work: work.clone(),
            delay: Duration::from_millis(arguments.delay),
            vendor_delay: Duration::ZERO,
            tls: if tls { Some(tls::authority(&work)?) } else { None },
        };
        for job in job::ALL {
            if arguments.only.as_ref().is_some_and(|text| !job.name().contains(text.as_str())) {
                continue;
            }
            let part = if arguments.quick { 10 } else { 1 };
            let effort = Effort {
                starts: (arguments.starts / part).max(3),
                events: (arguments.events / part / job.batch()).max(20),
                share: None,
            };
            let over = if tls { "TLS" } else { "plain HTTP" };
            say::progress(format!("{}, {over}: {} starts, {} events", job.name(), effort.starts, effort.events));
            let figures = measure::job(&stage, job, &EVERYBODY, effort).await?;
            let section = Section { job: job.name(), over: over.to_owned(), batch: job.batch(), figures };
            say::line(report::table(&section));
            report.sections.push(section);
        }
    }
    let text = serde_json::to_string_pretty(&report)?;
    std::fs::write(&arguments.json, text)
        .with_context(|| format!("cannot write {}", arguments.json.display()))
}
