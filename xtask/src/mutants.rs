//! `soak --mutants`: the crates of the protocol with one small change after the other; some test must
//! notice each. First the crate's own tests; what they let pass, the functions in memory.
//!
//! What is accepted, and why, is in `.cargo/mutants.toml`.

use crate::place::{Place, repository};
use crate::say;
use crate::soak::copy_tree;
use crate::tools::cargo_program;
use anyhow::{Result, bail, ensure};
use std::path::Path;
use std::process::ExitStatus;
use tokio::process::Command;

/// The protocol: its words and decisions, the table, and who works by it. Of `stripe`, only what
/// `.cargo/mutants.toml` names.
pub(crate) const CRATES: [&str; 5] = ["domain", "stripe", "ledger", "dispatch", "delivery"];
const VERSION: &str = "27.1.0";
/// cargo-mutants' word for "some change was noticed by nobody".
const MISSED: i32 = 2;
/// And for "some change made a test hang": it was noticed.
const HUNG: i32 = 3;

/// Changes each crate. Answers whether every change was noticed.
pub(crate) async fn run(crates: &[String]) -> Result<bool> {
    let program = cargo_program("mutants", VERSION).await?;
    let mut survivors = Vec::new();
    for name in crates {
        ensure!(CRATES.contains(&name.as_str()), "{name} is not of the protocol: {CRATES:?}");
        let copy = copy_tree("target/mutants").await?;
        let kept = Place::new(Path::new(".local/mutants")).subfolder(name)?;
        say::line(format!("{name}: one change after the other, its own tests"));
        let mut status = change(&program, &copy, name, &kept, &[]).await?;
        if status.code() == Some(MISSED) {
            say::line(format!("{name}: what they let pass, the functions in memory"));
            let again = ["--iterate", "--test-package", "simulation"];
            let again = [&again[..], &["--", "--test", "proof"]].concat();
            status = change(&program, &copy, name, &kept, &again).await?;
        }
        match status.code() {
            Some(0 | HUNG) => {}
            Some(MISSED) => survivors.extend(missed(&kept)?),
            Some(_) | None => bail!("cargo mutants ended with {status} at {name}"),
        }
    }
    say::line(format!("\n{} changes that nobody noticed", survivors.len()));
    survivors.iter().for_each(say::line);
    Ok(survivors.is_empty())
}

/// One run over one crate, in a copy of the tree that is compiled already.
async fn change(
    program: &Path,
    copy: &Path,
    name: &str,
    kept: &Path,
    how: &[&str],
) -> Result<ExitStatus> {
    let mut mutants = Command::new(program);
    mutants
        .args(["mutants", "--in-place", "--no-shuffle", "--package", name, "--output"])
        .arg(kept)
        .args(how)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", repository().join("target/mutants-target"))
        // Every single fault, and of pairs and orders enough: there are hundreds of changes.
        .envs([
            ("THROUGHLINE_FUZZ_SECONDS", "1"),
            ("THROUGHLINE_FIRST_FAULT", "1"),
            ("THROUGHLINE_SOAK_SECONDS", "5"),
            ("THROUGHLINE_PAIRS", "400"),
            ("THROUGHLINE_ORDERS", "200"),
        ])
        .kill_on_drop(true);
    Ok(mutants.status().await?)
}

fn missed(kept: &Path) -> Result<Vec<String>> {
    let said = std::fs::read_to_string(kept.join("mutants.out/missed.txt"))?;
    Ok(said.lines().map(str::to_owned).collect())
}
