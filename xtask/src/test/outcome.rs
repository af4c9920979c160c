//! What a step's program said: kept in a log, counted, and shown where it failed.

use crate::daemon::last_lines;
use crate::place::{Place, shown};
use crate::say;
use anyhow::{Result, bail, ensure};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// How many tests ran.
#[derive(Default, Clone, Copy)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

/// Passes on what a step's tests said of themselves.
pub(super) fn repeat(log: &str) -> Result<()> {
    let said = std::fs::read_to_string(log_file(log)?)?;
    let told =
        |line: &str| Some(line.split_once("proof: ").or(line.split_once("storm: "))?.1.to_owned());
    for line in said.lines().filter_map(told) {
        say::line(format!("    {line}"));
    }
    Ok(())
}

pub(super) async fn plain(log: &str, command: &mut Command) -> Result<((), String)> {
    run_logged(log, command).await?;
    Ok(((), String::new()))
}

pub(super) async fn counted(
    log: &str,
    command: &mut Command,
    total: &mut Count,
) -> Result<((), String)> {
    let outcome = run_logged(log, command).await;
    let count = count(&std::fs::read_to_string(log_file(log)?)?);
    total.passed += count.passed;
    total.failed += count.failed;
    outcome?;
    ensure!(count.passed > 0, "no test ran");
    Ok(((), format!("{} passed", count.passed)))
}

/// Runs a program with its output in a log; when it fails, shows what failed.
pub(super) async fn run_logged(log: &str, command: &mut Command) -> Result<()> {
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

pub(super) fn log_file(log: &str) -> Result<PathBuf> {
    Place::new(Path::new(".local")).log(&format!("test-{log}"))
}

/// The part of a test run that tells what failed, or else its end.
fn failures(said: &str) -> String {
    match said
        .find("\nfailures:\n")
        .or_else(|| said.find("= FAILURES ="))
        .or_else(|| said.find("\nnot ok "))
    {
        Some(start) => said.get(start..).unwrap_or_default().chars().take(20_000).collect(),
        None => last_lines(said),
    }
}

/// Adds up the `test result:` lines of cargo, and the sums at the end of Node's.
fn count(said: &str) -> Count {
    let mut count = Count::default();
    for line in said.lines() {
        let number = |sum: &str| line.strip_prefix(sum).and_then(|n| n.parse::<usize>().ok());
        count.passed += number("# pass ").unwrap_or(0);
        count.failed += number("# fail ").unwrap_or(0);
    }
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

    #[test]
    fn the_sum_of_nodes_tests_is_told() {
        let said = "ok 1 - pass 9\n# tests 3\n# pass 2\n# fail 1\n# cancelled 0";
        let count = count(said);
        assert_eq!((count.passed, count.failed), (2, 1));
    }
}
