//! `soak`: the long runs. Histories by luck for as long as there is time, every pair of faults and
//! every order; the planted mistakes, each of which the proof must find; and the deployed whole under
//! faults.

use crate::compile::cargo;
use crate::mutants;
use crate::place::repository;
use crate::say;
use crate::test::{Stand, storm};
use crate::up::told_to_stop;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Instant;
use tokio::process::Command;

/// Options of `soak`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long histories are made up by luck.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    seconds: u64,
    /// Where luck begins; the run prints it, and a failure prints the one seed that shows it.
    #[arg(long, default_value_t = 1_000_000)]
    seed: u64,
    /// Plants each mistake of `simulation/planted` into a copy of the tree; the proof must find it.
    #[arg(long)]
    planted: bool,
    /// Sends thousands of events to the deployed whole while AWS, vendors and functions fail.
    #[arg(long, conflicts_with = "planted")]
    whole: bool,
    /// How many.
    #[arg(long, default_value_t = 2_000, requires = "whole")]
    events: u64,
    /// Sends hostile input to every door, in memory, for so long.
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["planted", "whole"])]
    fuzz: Option<u64>,
    /// Makes one small change after the other in the crates of the protocol; a test must notice each.
    #[arg(long, conflicts_with_all = ["planted", "whole", "fuzz"])]
    mutants: bool,
    /// Only these of them, separated by commas.
    #[arg(long, value_delimiter = ',', default_values = mutants::CRATES, requires = "mutants")]
    crates: Vec<String>,
    /// Patches of your own in place of those.
    #[arg(long, value_name = "FOLDER", requires = "planted")]
    patches: Option<PathBuf>,
}

/// The proof, as `cargo xtask test` builds it.
const PROOF: [&str; 4] = ["test", "--workspace", "--test", "proof"];

/// Runs what was asked for. Answers whether all is well.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    if arguments.planted {
        let own = repository().join("simulation/planted");
        return planted(&arguments.patches.unwrap_or(own)).await;
    }
    if arguments.whole {
        return whole(arguments.seed, arguments.events).await;
    }
    if arguments.mutants {
        return mutants::run(&arguments.crates).await;
    }
    if let Some(seconds) = arguments.fuzz {
        let mut fuzz = cargo(&["test", "--workspace", "--test", "fuzz", "--", "--nocapture"]);
        fuzz.env("THROUGHLINE_FUZZ_SECONDS", seconds.to_string());
        let status = fuzz.env("THROUGHLINE_SEED", arguments.seed.to_string()).status().await?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut proof = cargo(&PROOF);
    proof
        .args(["--", "--nocapture"])
        .env("THROUGHLINE_SOAK_SECONDS", arguments.seconds.to_string())
        .env("THROUGHLINE_FIRST_SEED", arguments.seed.to_string())
        .env("THROUGHLINE_PAIRS", "1")
        .env("THROUGHLINE_ORDERS", "100000");
    let status = proof.status().await?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A long storm over the deployed whole. It may take as long to rest as one lost message takes.
async fn whole(seed: u64, events: u64) -> Result<ExitCode> {
    say::line(format!("seed {seed}, {events} events"));
    let stormed = async {
        Stand::Faulty.bring_up().await?;
        let mut tests = storm(seed).await?;
        tests.env("THROUGHLINE_EVENTS", events.to_string()).env("THROUGHLINE_PATIENCE", "900");
        anyhow::Ok(tests.status().await?)
    };
    let status = tokio::select! {
        status = stormed => status,
        stopped = told_to_stop() => stopped.and_then(|()| bail!("stopped by hand")),
    };
    Stand::take_down().await?;
    Ok(if status?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of one planted mistake.
enum Fate {
    /// The tests named in it failed.
    Killed(String),
    /// They did not.
    Survived,
}

async fn planted(patches: &Path) -> Result<ExitCode> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(patches)
        .with_context(|| format!("{} is no folder", patches.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    files.sort();
    ensure!(!files.is_empty(), "{} holds no patch", patches.display());
    let mut survivors = 0;
    say::line("| planted | found by | seconds |\n|---|---|---|");
    for patch in &files {
        let began = Instant::now();
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let fate = plant(patch).await.with_context(|| name.clone())?;
        let found = match fate {
            Fate::Killed(by) => by,
            Fate::Survived => {
                survivors += 1;
                "NOBODY".to_owned()
            }
        };
        say::line(format!("| {name} | {found} | {} |", began.elapsed().as_secs()));
    }
    say::line(format!("\n{} planted, {survivors} survived", files.len()));
    Ok(if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Copies the tree, plants one mistake, and runs the proof: first the test that the patch names.
async fn plant(patch: &Path) -> Result<Fate> {
    let copy = copy_tree("target/planted").await?;
    let inside = copy.strip_prefix(repository())?.to_string_lossy().into_owned();
    let mut apply = Command::new("git");
    apply.arg("apply").arg(format!("--directory={inside}")).arg(patch.canonicalize()?);
    ensure!(apply.current_dir(repository()).status().await?.success(), "the patch does not apply");
    let text = std::fs::read_to_string(patch)?;
    let named = text.lines().find_map(|line| line.strip_prefix("Killed by: ")).map(str::trim);
    for filter in [named, Some("")].into_iter().flatten() {
        if let Some(by) = fails(&copy, filter).await? {
            return Ok(Fate::Killed(by));
        }
    }
    Ok(Fate::Survived)
}

/// The tree as git knows it, in a folder that stays: what is compiled of others is used again.
pub(crate) async fn copy_tree(into: &str) -> Result<PathBuf> {
    let root = repository();
    let copy = root.join(into);
    let said = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().await?;
    for name in String::from_utf8(said.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), copy.join(name));
        let Ok(new) = std::fs::read(&from) else { continue };
        // What is the same keeps its time, so that it is not compiled again.
        if std::fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        std::fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        std::fs::write(&to, new)?;
    }
    Ok(copy)
}

/// Runs some tests of the copy, and names the first that fails.
async fn fails(copy: &Path, filter: &str) -> Result<Option<String>> {
    let mut proof = Command::new("cargo");
    proof
        .args(PROOF)
        .args(["--", filter])
        .current_dir(copy)
        // Of its own: cargo names what it compiles by its place in the tree, which is the same in both.
        .env("CARGO_TARGET_DIR", repository().join("target/planted-target"))
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = proof.output().await?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = said.lines().find(|line| line.starts_with("test ") && line.ends_with("FAILED"));
    match failed.and_then(|line| line.split_whitespace().nth(1)) {
        Some(name) => Ok(Some(name.to_owned())),
        None => bail!("it does not compile:\n{}", String::from_utf8_lossy(&output.stderr)),
    }
}
