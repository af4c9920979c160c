//! `soak`: the long runs. Every pair of faults and every order; histories by luck for as long as there
//! is time; the planted mistakes, each of which the proof must find; and schedules of one's own.

mod planted;

use crate::compile::cargo;
use crate::say;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tokio::process::Command;

/// Options of `soak`. Without any, all of it is run: every pair and every order, ten minutes of luck,
/// and the planted mistakes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only luck, for so long.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Where luck begins; the run prints it, and a failure prints the one seed that shows it.
    #[arg(long, default_value_t = 1_000_000)]
    seed: u64,
    /// Only the planted mistakes: each of `simulation/planted` is put into a copy of the tree, and the
    /// proof must find it.
    #[arg(long, conflicts_with = "seconds")]
    planted: bool,
    /// Patches of your own in place of those: made from the repository's root, one mistake each.
    #[arg(long, value_name = "FOLDER", requires = "planted")]
    patches: Option<PathBuf>,
    /// Only schedules of your own: in each line a scene, then the number of an effect and a fault, as
    /// in `crm-sync 4:CrashAfter 9:Refused`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "planted"])]
    schedules: Option<PathBuf>,
}

/// How long luck goes on when all is run.
const LUCK: u64 = 600;

/// The proof, as `cargo xtask test` builds it.
pub(crate) const PROOF: [&str; 7] =
    ["test", "--profile", "proof", "--package", "simulation", "--test", "proof"];

/// Runs what was asked for. Answers whether all is well.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let began = Instant::now();
    let seed = arguments.seed;
    let well = if let Some(file) = &arguments.schedules {
        schedules(file).await?
    } else if let Some(seconds) = arguments.seconds {
        luck(seconds, seed).await?
    } else if arguments.planted {
        planted::run(arguments.patches.as_deref()).await?
    } else {
        // All three, whatever the first ones find.
        let (pairs, luck) = (pairs(seed).await?, luck(LUCK, seed).await?);
        planted::run(None).await? && pairs && luck
    };
    let verdict = if well { "all is well" } else { "something was found: it is told above" };
    say::line(format!("\n{verdict} ({} s)", began.elapsed().as_secs()));
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Some tests of the proof, shown as they run.
fn proof(filters: &[&str]) -> Command {
    let mut proof = cargo(&PROOF);
    proof.args(["--", "--nocapture"]).args(filters);
    proof
}

async fn passes(mut proof: Command) -> Result<bool> {
    Ok(proof.status().await.context("cargo cannot be started: install Rust first")?.success())
}

/// Every pair of faults, and every order.
async fn pairs(seed: u64) -> Result<bool> {
    say::line("every pair of faults and every order:");
    let mut proof = proof(&["--skip", "luck::"]);
    proof
        .env("THROUGHLINE_PAIRS", "1")
        .env("THROUGHLINE_ORDERS", u64::MAX.to_string())
        .env("THROUGHLINE_FIRST_SEED", seed.to_string());
    passes(proof).await
}

/// Histories by luck.
async fn luck(seconds: u64, seed: u64) -> Result<bool> {
    say::line(format!("histories by luck for {seconds} s, from seed {seed}:"));
    let mut proof = proof(&["luck::"]);
    proof
        .env("THROUGHLINE_SOAK_SECONDS", seconds.to_string())
        .env("THROUGHLINE_FIRST_SEED", seed.to_string());
    passes(proof).await
}

/// What somebody wrote down.
async fn schedules(file: &Path) -> Result<bool> {
    let file = file.canonicalize().with_context(|| {
        format!("{} cannot be read: name a file with one schedule in each line", file.display())
    })?;
    let mut proof = proof(&["crashes::"]);
    proof.env("THROUGHLINE_SCHEDULES", file);
    passes(proof).await
}
