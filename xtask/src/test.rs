//! `test`: one line per step, its output in a file, a verdict at the end.

use crate::compile::cargo;
use crate::daemon::last_lines;
use crate::place::{Place, program, repository, shown};
use crate::tools::{Tool, prepare};
use crate::up::told_to_stop;
use crate::{deploy, say};
use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tokio::process::Command;

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these steps, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Step>,
}

/// What is checked, in this order.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// `cargo fmt`.
    Format,
    /// `clippy`, warnings are errors.
    Lints,
    /// Unit, property and snapshot tests of every crate.
    Unit,
    /// Walls between crates; template, functions and events agree.
    Architecture,
    /// `sam validate --lint`.
    Template,
    /// cargo-deny: bans, licences, sources.
    Policy,
    /// The deployed whole, driven from outside, on a stack of its own.
    E2e,
}

/// How many tests ran.
#[derive(Default, Clone, Copy)]
struct Count {
    passed: usize,
    failed: usize,
}

/// Where the tests' own stack lives, beside a person's.
const STACK_FOLDER: &str = ".local/e2e";

/// Runs the steps, all of them even when one fails. Answers whether all is well.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut total = Count::default();
    let mut failed = Vec::new();
    for step in Step::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(step) {
            continue;
        }
        match say::step(step.name(), step.check(&mut total)).await {
            Ok(()) => {}
            Err(error) => {
                say::line(format!("{error:#}\n"));
                failed.push(step.name());
            }
        }
    }
    let took = begun.elapsed().as_secs();
    let verdict = if failed.is_empty() {
        "all is well".into()
    } else {
        format!("failed: {}", failed.join(", "))
    };
    say::line(format!("\n{verdict} ({took} s)"));
    say::line(format!("{} passed, {} failed", total.passed, total.failed));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::Unit => "unit",
            Self::Architecture => "architecture",
            Self::Template => "template",
            Self::Policy => "policy",
            Self::E2e => "e2e",
        }
    }

    async fn check(self, total: &mut Count) -> Result<((), String)> {
        let log = self.name();
        match self {
            Self::Format => plain(log, &mut cargo(&["fmt", "--all", "--check"])).await,
            Self::Lints => {
                let lints = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                plain(log, &mut cargo(&lints)).await
            }
            Self::Unit => counted(log, &mut unit(), total).await,
            Self::Architecture => counted(log, &mut whole(&["architecture"]).await?, total).await,
            Self::Template => {
                prepare(&[Tool::Sam]).await?;
                let lint = ["validate", "--lint", "--config-env", "laptop"];
                plain(log, &mut deploy::sam(&lint)).await
            }
            Self::Policy => {
                prepare(&[Tool::Checks]).await?;
                let mut deny = Command::new(Tool::Checks.program("cargo-deny"));
                deny.args(["check", "bans", "licenses", "sources"]).current_dir(repository());
                plain(log, deny.kill_on_drop(true)).await
            }
            Self::E2e => end_to_end(total).await,
        }
    }
}

/// Every test that needs no stack.
fn unit() -> Command {
    cargo(&["test", "--workspace", "--exclude", "tests", "--no-fail-fast"])
}

/// The crate that sees the whole. It is picked by its targets and not by its name, because a crate
/// built by itself gives its dependencies other features, and all of AWS's would be built again.
async fn whole(filter: &[&str]) -> Result<Command> {
    let said = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output().await?;
    let metadata: Metadata = serde_json::from_slice(&said.stdout)?;
    let targets = metadata.packages.into_iter().filter(|package| package.name == "tests");
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    for target in targets.flat_map(|package| package.targets) {
        if target.kind == ["test"] {
            tests.args(["--test", &target.name]);
        }
    }
    tests.arg("--").args(filter);
    Ok(tests)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A stack of its own, the tests, and the stack's end, whatever came of them.
async fn end_to_end(total: &mut Count) -> Result<((), String)> {
    plain("e2e-down", &mut xtask(&["down"])?).await?;
    let outcome = tokio::select! {
        outcome = from_outside(total) => outcome,
        stopped = told_to_stop() => stopped.and_then(|()| bail!("stopped by hand")),
    };
    plain("e2e-down", &mut xtask(&["down"])?).await?;
    outcome
}

async fn from_outside(total: &mut Count) -> Result<((), String)> {
    plain("e2e-up", &mut xtask(&["up", "--detach"])?).await?;
    let mut tests = whole(&["--skip", "architecture"]).await?;
    tests.env("THROUGHLINE_STACK", Place::new(Path::new(STACK_FOLDER)).file("stack.json"));
    counted("e2e", &mut tests, total).await
}

/// This program again, on the tests' own stack.
fn xtask(arguments: &[&str]) -> Result<Command> {
    let mut xtask = Command::new(program()?);
    xtask.args(["--folder", STACK_FOLDER]).args(arguments).kill_on_drop(true);
    Ok(xtask)
}

async fn plain(log: &str, command: &mut Command) -> Result<((), String)> {
    run_logged(log, command).await?;
    Ok(((), String::new()))
}

async fn counted(log: &str, command: &mut Command, total: &mut Count) -> Result<((), String)> {
    let outcome = run_logged(log, command).await;
    let count = count(&std::fs::read_to_string(log_file(log)?)?);
    total.passed += count.passed;
    total.failed += count.failed;
    outcome?;
    ensure!(count.passed > 0, "no test ran");
    Ok(((), format!("{} passed", count.passed)))
}

/// Runs a program with its output in a log; when it fails, shows what failed.
async fn run_logged(log: &str, command: &mut Command) -> Result<()> {
    let path = log_file(log)?;
    let output = std::fs::File::create(&path)?;
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .await?;
    if status.success() {
        return Ok(());
    }
    let said = std::fs::read_to_string(&path).unwrap_or_default();
    bail!("{}all of it is in {}", failures(&said), shown(&path))
}

fn log_file(log: &str) -> Result<PathBuf> {
    Place::new(Path::new(".local")).log(&format!("test-{log}"))
}

/// The part of a test run that tells what failed, or else its end.
fn failures(said: &str) -> String {
    match said.find("\nfailures:\n") {
        Some(start) => said.get(start..).unwrap_or_default().chars().take(20_000).collect(),
        None => last_lines(said),
    }
}

/// Adds up the `test result:` lines.
fn count(said: &str) -> Count {
    let mut count = Count::default();
    for line in said.lines().filter(|line| line.starts_with("test result:")) {
        let words: Vec<&str> = line.split([' ', ';']).collect();
        for pair in words.windows(2) {
            let number = pair.first().and_then(|word| word.parse::<usize>().ok()).unwrap_or(0);
            match pair.get(1).copied() {
                Some("passed") => count.passed += number,
                Some("failed") => count.failed += number,
                Some(_) | None => {}
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_sum_of_all_binaries_is_told() {
        let said = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                    noise 5 passed\n\
                    test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured";
        let count = count(said);
        assert_eq!((count.passed, count.failed), (5, 1));
    }
}
