//! The bench: the functions that ship beside what people use today, in one run on one machine.
//! `cargo xtask bench` builds what it needs and runs it.
#![expect(clippy::float_arithmetic, reason = "ratios for people to read; nothing here ships")]

mod aws;
mod chart;
mod clock;
mod document;
mod event;
mod growth;
mod http;
mod job;
mod machine;
mod measure;
mod player;
mod process;
mod report;
mod run;
mod say;
mod share;
mod side;
mod tls;
mod vendor;
mod verdict;

use anyhow::{Context, Result};
use clap::Parser;
use machine::Machine;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// So many events and starts make figures for the documents.
const EVENTS: usize = 3000;
const STARTS: usize = 10;

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
    #[arg(long, default_value_t = EVENTS)]
    events: usize,
    /// Starts from nothing of each job.
    #[arg(long, default_value_t = STARTS)]
    starts: usize,
    /// A tenth of everything: to see that it works.
    #[arg(long)]
    quick: bool,
    /// Plays a hundred thousand payments through three functions instead, or so many.
    #[arg(long, num_args = 0..=1, default_missing_value = "100000", value_name = "EVENTS")]
    growth: Option<usize>,
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

async fn run(arguments: Arguments) -> Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let work = root.join("target/bench");
    std::fs::create_dir_all(&work)?;
    let machine = Machine::here(&root, &arguments);
    say::line(machine.line());
    if let Some(events) = arguments.growth {
        let told = growth::run(&growth::stage(&root, &work), events).await?;
        if events >= 100_000 {
            document::write_growth(&root, &machine, &told)?;
        }
        return Ok(());
    }
    let sections = run::all(&arguments, &root, &work).await?;
    let verdicts = verdict::of(&root, &sections);
    say::line(report::verdicts(&verdicts));
    let report = Report { machine, sections, verdicts };
    let text = serde_json::to_string_pretty(&report)?;
    std::fs::write(&arguments.json, text)
        .with_context(|| format!("cannot write {}", arguments.json.display()))?;
    if arguments.is_whole() {
        document::write(&root, &report)?;
        say::progress("docs/performance.md, docs/performance.svg and README.md are written anew");
    } else {
        say::progress("the documents are left as they are: this was not a whole run");
    }
    Ok(())
}

impl Arguments {
    /// Whether the figures may stand in the documents.
    fn is_whole(&self) -> bool {
        let enough = self.events >= EVENTS && self.starts >= STARTS;
        enough && self.only.is_none() && !self.quick && self.delay == 0
    }
}
