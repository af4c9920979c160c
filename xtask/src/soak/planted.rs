//! Planted mistakes: each patch is applied to a copy of the tree, the copy is built, and the proof must
//! fail, or for a patch of somebody else's the tests of a crate. One copy and one target folder serve all, so that only what a patch touches is built anew.

use super::{PROOF, copy_tree};
use crate::place::repository;
use crate::say;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Command;

/// A mistake that makes the proof run for longer than this has wedged it.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// What became of one planted mistake.
enum Fate {
    /// This test failed, so many seconds after the build.
    Killed(String, u64),
    /// None did.
    Survived,
    /// It could not be tried, for this reason.
    Unfit(String),
}

/// Plants one mistake after the other, and tells what found each. Whether all were found.
pub(crate) async fn run(patches: Option<&Path>) -> Result<bool> {
    let own = repository().join("simulation/planted");
    let files = patches_in(patches.unwrap_or(&own))?;
    warm().await?;
    say::line(format!("{} mistakes are planted, one after the other:\n", files.len()));
    say::line("| planted | found by | build, s | found after, s |\n|---|---|---|---|");
    let mut missed = 0;
    for patch in &files {
        let began = Instant::now();
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let fate = plant(patch).await.with_context(|| name.clone())?;
        let took = began.elapsed().as_secs();
        missed += usize::from(!matches!(fate, Fate::Killed(..)));
        match fate {
            Fate::Killed(by, after) => {
                say::line(format!(
                    "| {name} | `{by}` | {} | {after} |",
                    took.saturating_sub(after)
                ));
            }
            Fate::Survived => say::line(format!("| {name} | NOBODY | | {took} |")),
            Fate::Unfit(why) => {
                say::line(format!("| {name} | could not be tried | | |\n\n{why}\n"))
            }
        }
    }
    say::line(format!("\n{} planted, {} found, {missed} not", files.len(), files.len() - missed));
    Ok(missed == 0)
}

/// The copies' own target folder. Cargo names what it compiles by its place in the tree, which is the
/// same in both, so that one folder for both would be built anew at every change of sides.
fn target() -> PathBuf {
    repository().join("target/planted-target")
}

/// What cargo needs to know a build again; what was built piece by piece is not among it.
const TAKEN_OVER: [&str; 3] = [".fingerprint", "build", "deps"];

/// Before the first mistake the dependencies are built, or taken over from the proof's own build.
async fn warm() -> Result<()> {
    let (own, theirs) = (repository().join("target/debug"), target().join("debug"));
    if own.exists() && !theirs.exists() {
        std::fs::create_dir_all(&theirs)?;
        let parts = TAKEN_OVER.map(|part| own.join(part));
        let copied = Command::new("cp").arg("-a").args(&parts).arg(&theirs).status().await;
        if !copied.is_ok_and(|status| status.success()) {
            // Half of it is worse than none; without it all is built once more.
            drop(std::fs::remove_dir_all(&theirs));
        }
    }
    let copy = copy_tree("target/planted").await?;
    say::step("build", async {
        let built = build(&copy).output().await.context("cargo cannot be started")?;
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        ensure!(built.status.success(), "the tree does not compile without a mistake:\n{said}");
        Ok(((), "the tree without a mistake".to_owned()))
    })
    .await
}

fn patches_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| {
        format!("{} is no folder: name one that holds files NAME.patch", folder.display())
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok()?.path().canonicalize().ok())
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    files.sort();
    ensure!(
        !files.is_empty(),
        "{} holds no file NAME.patch: put the output of `git diff` there, one file for each mistake",
        folder.display()
    );
    Ok(files)
}

/// Plants one mistake and looks for it: with the test of the proof that the patch names, with the crates'
/// own tests, and with all of the proof.
async fn plant(patch: &Path) -> Result<Fate> {
    let copy = copy_tree("target/planted").await?;
    let inside = copy.strip_prefix(repository())?.to_string_lossy().into_owned();
    let mut apply = Command::new("git");
    // Lines around a mistake may have changed: one that is the same is enough.
    apply.args(["apply", "-C1"]).arg(format!("--directory={inside}")).arg(patch);
    let applied = apply.current_dir(repository()).output().await?;
    if !applied.status.success() {
        let said = String::from_utf8_lossy(&applied.stderr);
        let what = "the patch does not apply to this tree; make it anew from the repository's root";
        return Ok(Fate::Unfit(format!("{what}:\n{}", said.trim_end())));
    }
    let built = build(&copy).output().await?;
    if let Some(errors) = errors(&built) {
        return Ok(Fate::Unfit(format!("with the patch the tree does not compile:\n{errors}")));
    }
    let program =
        program(&String::from_utf8_lossy(&built.stdout)).context("cargo built no proof")?;
    let (built, text) = (Instant::now(), std::fs::read_to_string(patch)?);
    let named = text.lines().find_map(|line| line.strip_prefix("Killed by: ")).map(str::trim);
    let mut by = None;
    if let Some(filter) = named {
        by = fails(of(&program).arg(filter)).await?;
    }
    if by.is_none() {
        if let Some(errors) =
            errors(&cargo_in(&copy).args(OWN_TESTS).arg("--no-run").output().await?)
        {
            return Ok(Fate::Unfit(format!("with the patch its tests do not compile:\n{errors}")));
        }
        by = fails(cargo_in(&copy).args(OWN_TESTS)).await?;
    }
    if by.is_none() {
        by = fails(&mut of(&program)).await?;
    }
    Ok(by.map_or(Fate::Survived, |by| Fate::Killed(by, built.elapsed().as_secs())))
}

/// What a build that failed says first.
fn errors(built: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&built.stderr);
    let errors = said.find("error").and_then(|at| said.get(at..)).unwrap_or(&said);
    (!built.status.success()).then(|| errors.chars().take(3_000).collect())
}

/// What shows a mistake in a vendor's mapping or in a setting.
const OWN_TESTS: [&str; 3] = ["test", "--workspace", "--lib"];

/// Builds the proof of the copy, and reports where it is.
fn build(copy: &Path) -> Command {
    let mut build = cargo_in(copy);
    build.args(PROOF).args(["--no-run", "--message-format=json-render-diagnostics"]);
    build
}

fn cargo_in(copy: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    cargo
}

fn program(report: &str) -> Option<PathBuf> {
    let built = report.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok());
    built.filter(|built| built.target.name == "proof").find_map(|built| built.executable)
}

/// One line of cargo's report.
#[derive(Deserialize)]
struct Built {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn of(program: &Path) -> Command {
    let mut proof = Command::new(program);
    proof.stdin(Stdio::null()).kill_on_drop(true);
    proof
}

/// Runs tests, and names the first that fails.
async fn fails(tests: &mut Command) -> Result<Option<String>> {
    tests.env("RUST_BACKTRACE", "0");
    let Ok(output) = tokio::time::timeout(PATIENCE, tests.output()).await else {
        return Ok(Some(format!("no end within {} minutes", PATIENCE.as_secs() / 60)));
    };
    let output = output?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = said.lines().find(|line| line.starts_with("test ") && line.ends_with("FAILED"));
    let name = failed.and_then(|line| line.split_whitespace().nth(1));
    let end = || String::from_utf8_lossy(&output.stderr).into_owned();
    name.map(|name| Some(name.to_owned()))
        .with_context(|| format!("no test failed, and yet:\n{}", end()))
}
