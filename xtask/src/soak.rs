//! `soak`: the long runs. Every pair of faults and every order; histories by luck for as long as there
//! is time; the planted mistakes, each of which the proof must find; hostile input; the deployed whole
//! under faults; mutants; and schedules of one's own.

mod copy;
mod guided;
mod planted;

pub(crate) use copy::copy_tree;

use crate::compile::cargo;
use crate::mutants;
use crate::say;
use crate::test::{Stand, storm};
use crate::up::told_to_stop;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tokio::process::Command;

/// Options of `soak`. Without any, all of it is run: every pair and every order, ten minutes of luck and
/// twice of hostile input, the planted mistakes, two thousand events in a storm, and the mutants.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("one")
    .args(["pairs", "seconds", "planted", "schedules", "whole", "fuzz", "guided", "mutants"]))]
pub(crate) struct Arguments {
    /// Only every pair of faults and every order.
    #[arg(long)]
    pairs: bool,
    /// Of these only the tests whose names hold one of the words, separated by commas.
    #[arg(long, value_name = "WORDS", value_delimiter = ',', requires = "pairs")]
    only: Vec<String>,
    /// Only luck, for so long.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Where luck begins; the run prints it, and a failure prints the one seed that shows it.
    #[arg(long, default_value_t = 1_000_000)]
    seed: u64,
    /// Only the planted mistakes: each of `simulation/planted` is put into a copy of the tree, and the
    /// proof must find it.
    #[arg(long)]
    planted: bool,
    /// Patches of your own in place of those: made from the repository's root, one mistake each.
    #[arg(long, value_name = "FOLDER", requires = "planted")]
    patches: Option<PathBuf>,
    /// Only schedules of your own: in each line a scene, then the number of an effect and a fault, as
    /// in `crm-sync 4:CrashAfter 9:Refused`.
    #[arg(long, value_name = "FILE")]
    schedules: Option<PathBuf>,
    /// Only the storm: events to the deployed whole while AWS, vendors and functions fail.
    #[arg(long)]
    whole: bool,
    /// How many events.
    #[arg(long, default_value_t = 2_000, requires = "whole")]
    events: u64,
    /// Only hostile input to every door, in memory, for so long.
    #[arg(long, value_name = "SECONDS")]
    fuzz: Option<u64>,
    /// Only hostile input that is led by what the code does with it (libFuzzer), for so long.
    #[arg(long, value_name = "SECONDS")]
    guided: Option<u64>,
    /// Only mutants: one small change after the other in the crates of the protocol; a test must notice
    /// each.
    #[arg(long)]
    mutants: bool,
    /// Only these crates, separated by commas.
    #[arg(long, value_delimiter = ',', default_values = mutants::CRATES, requires = "mutants")]
    crates: Vec<String>,
}

/// How long luck goes on, and hostile input, when all is run.
const LONG: u64 = 600;

/// The proof, as `cargo xtask test` builds it.
pub(crate) const PROOF: [&str; 4] = ["test", "--workspace", "--test", "proof"];

/// The parts of the proof that hold scenes.
const SCENES: [&str; 4] = ["crashes::", "gates::", "operator::", "told::"];

/// Runs what was asked for. Answers whether all is well.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let began = Instant::now();
    let seed = arguments.seed;
    let well = if let Some(file) = &arguments.schedules {
        schedules(file).await?
    } else if arguments.pairs {
        pairs(seed, &arguments.only).await?
    } else if let Some(seconds) = arguments.seconds {
        luck(seconds, seed).await?
    } else if arguments.planted {
        planted::run(arguments.patches.as_deref()).await?
    } else if arguments.whole {
        whole(seed, arguments.events).await?
    } else if let Some(seconds) = arguments.fuzz {
        fuzz(seconds, seed).await?
    } else if let Some(seconds) = arguments.guided {
        guided::run(seconds, seed).await?
    } else if arguments.mutants {
        mutants::run(&arguments.crates).await?
    } else {
        // All of them, whatever the first ones find.
        let found = [
            pairs(seed, &[]).await?,
            luck(LONG, seed).await?,
            fuzz(LONG, seed).await?,
            guided::run(LONG, seed).await?,
            planted::run(None).await?,
            whole(seed, arguments.events).await?,
            mutants::run(&arguments.crates).await?,
        ];
        found.into_iter().all(|well| well)
    };
    let verdict = if well { "all is well" } else { "something was found: it is told above" };
    say::line(format!("\n{verdict} ({} s)", began.elapsed().as_secs()));
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A test that runs for hours, built for that and shown as it runs.
fn for_hours(test: &str) -> Command {
    let mut command = cargo(&["test", "--profile", "soak", "--workspace", "--test", test]);
    command.args(["--", "--nocapture"]);
    command
}

async fn passes(mut proof: Command) -> Result<bool> {
    Ok(proof.status().await.context("cargo cannot be started: install Rust first")?.success())
}

/// Every pair of faults, and every order.
async fn pairs(seed: u64, only: &[String]) -> Result<bool> {
    say::line("every pair of faults and every order:");
    let mut proof = for_hours("proof");
    proof.args(["--skip", "luck::"]).args(only);
    proof.env("THROUGHLINE_PAIRS", "1").env("THROUGHLINE_FIRST_SEED", seed.to_string());
    passes(proof).await
}

/// Histories by luck.
async fn luck(seconds: u64, seed: u64) -> Result<bool> {
    say::line(format!("histories by luck for {seconds} s, from seed {seed}:"));
    let mut proof = for_hours("proof");
    proof
        .arg("luck::")
        .env("THROUGHLINE_SOAK_SECONDS", seconds.to_string())
        .env("THROUGHLINE_FIRST_SEED", seed.to_string());
    passes(proof).await
}

/// Hostile input.
async fn fuzz(seconds: u64, seed: u64) -> Result<bool> {
    say::line(format!("hostile input for {seconds} s, from seed {seed}:"));
    let mut fuzz = for_hours("fuzz");
    fuzz.env("THROUGHLINE_FUZZ_SECONDS", seconds.to_string())
        .env("THROUGHLINE_SEED", seed.to_string());
    passes(fuzz).await
}

/// A long storm over the deployed whole. It may take as long to rest as one lost message takes.
async fn whole(seed: u64, events: u64) -> Result<bool> {
    say::line(format!("a storm of {events} events over the deployed whole, from seed {seed}:"));
    let stormed = async {
        Stand::Faulty.bring_up().await?;
        let mut tests = storm(seed).await?;
        tests.env("THROUGHLINE_EVENTS", events.to_string()).env("THROUGHLINE_PATIENCE", "900");
        passes(tests).await
    };
    let well = tokio::select! {
        well = stormed => well,
        stopped = told_to_stop() => stopped.and_then(|()| bail!("stopped by hand")),
    };
    Stand::take_down().await?;
    well
}

/// What somebody wrote down.
async fn schedules(file: &Path) -> Result<bool> {
    let file = file.canonicalize().with_context(|| {
        format!("{} cannot be read: name a file with one schedule in each line", file.display())
    })?;
    let mut proof = cargo(&PROOF);
    proof.args(["--", "--nocapture"]).args(SCENES).env("THROUGHLINE_SCHEDULES", file);
    passes(proof).await
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        _arguments: Arguments,
    }

    fn is_taken(line: &str) -> bool {
        Line::try_parse_from(std::iter::once("soak").chain(line.split_whitespace())).is_ok()
    }

    #[test]
    fn an_option_of_a_run_goes_with_it_and_two_runs_do_not_go_together() {
        let lines = [
            "",
            "--pairs",
            "--pairs --only crm,newsletter",
            "--seconds 60 --seed 7",
            "--planted",
            "--planted --patches mine",
            "--schedules mine.txt",
            "--whole --events 50 --seed 7",
            "--fuzz 60 --seed 7",
            "--guided 60 --seed 7",
            "--mutants --crates ledger,delivery",
        ];
        for line in lines {
            assert!(is_taken(line), "soak {line}");
        }
        for line in
            ["--planted --whole", "--only crm", "--patches mine", "--events 50", "--crates ledger"]
        {
            assert!(!is_taken(line), "soak {line}");
        }
    }
}
