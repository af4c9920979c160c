//! The functions and the sandbox, built by plain cargo for this machine; each function's binary is
//! put, without its symbols, where `cargo lambda` would put it and the template looks for it.

use crate::daemon::last_lines;
use crate::place::{Place, functions, repository, shown};
use crate::tools::Tool;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// What was built: binary's name → file.
type Programs = BTreeMap<String, PathBuf>;

/// Builds everything that `up` runs, and answers with the sandbox's program.
pub(crate) async fn build(place: &Place, profile: &str) -> Result<(PathBuf, String)> {
    let programs = cargo_build(place, profile).await?;
    let (functions, mut changed) = (functions()?, 0);
    for folder in &functions {
        let built = programs.get(folder).with_context(|| format!("cargo built no {folder}"))?;
        changed += usize::from(deliver(folder, built).await?);
    }
    let sandbox = programs.get("sandbox").context("cargo built no sandbox")?;
    let note = match changed {
        0 => "nothing changed".into(),
        changed => format!("{changed} of {} functions changed", functions.len()),
    };
    Ok((sandbox.clone(), note))
}

/// Makes `bootstrap.zip` of each bootstrap that is newer than its own.
pub(crate) async fn pack() -> Result<((), String)> {
    let bootstraps = functions()?.into_iter().map(|folder| bootstrap(&folder));
    let stale: Vec<PathBuf> =
        bootstraps.filter(|path| modified(&path.with_extension("zip")) < modified(path)).collect();
    if stale.is_empty() {
        return Ok(((), "nothing changed".into()));
    }
    let said = Command::new(Tool::Engine.program("python"))
        .arg(repository().join("xtask/tools/pack.py"))
        .args(&stale)
        .kill_on_drop(true)
        .output()
        .await?;
    let complaints = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "pack.py said:\n{}", last_lines(&complaints));
    Ok(((), format!("{} functions", stale.len())))
}

/// One line of cargo's report.
#[derive(Deserialize)]
struct Report {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The profile of the tests' own build.
pub(crate) const TESTS: &str = "test";

/// The whole workspace at once, so that every crate is built once, with the features of all. With a
/// test among what is built, these are the features of the tests' own build, which is used again.
async fn cargo_build(place: &Place, profile: &str) -> Result<Programs> {
    let a_test: &[&str] = if profile == TESTS { &["--test", "traces"] } else { &[] };
    let said = cargo(&["build", "--workspace", "--bins", "--profile", profile])
        .args(a_test)
        .arg("--message-format=json-render-diagnostics")
        .output()
        .await
        .context("cargo cannot be started")?;
    let complaints = String::from_utf8_lossy(&said.stderr);
    let log = place.log("build")?;
    std::fs::write(&log, complaints.as_bytes())?;
    let end = last_lines(&complaints);
    ensure!(said.status.success(), "cargo build failed (all of it is in {}):\n{end}", shown(&log));
    let reports = String::from_utf8_lossy(&said.stdout);
    Ok(reports
        .lines()
        .filter_map(|line| serde_json::from_str::<Report>(line).ok())
        .filter_map(|report| Some((report.target?.name, report.executable?)))
        .collect())
}

/// Cargo in the repository, free of what `cargo run` told this process about itself: build scripts
/// that read it would run again.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).current_dir(repository()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|own| text.starts_with(own)) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Puts a binary where its function's bootstrap is expected, unless the one there is as new. Its
/// symbols stay behind: with them it weighs twice as much, and every start uploads it.
async fn deliver(folder: &str, built: &Path) -> Result<bool> {
    let bootstrap = bootstrap(folder);
    if modified(&bootstrap) >= modified(built) {
        return Ok(false);
    }
    std::fs::create_dir_all(bootstrap.parent().context("a bootstrap is in a folder")?)?;
    let draft = bootstrap.with_extension("new");
    let stripped = Command::new("strip").arg("-o").arg(&draft).arg(built).output().await;
    if !stripped.is_ok_and(|said| said.status.success()) {
        std::fs::copy(built, &draft)?;
    }
    std::fs::rename(&draft, &bootstrap)?;
    Ok(true)
}

fn bootstrap(folder: &str) -> PathBuf {
    repository().join("target/lambda").join(folder).join("bootstrap")
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}
