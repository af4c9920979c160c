//! `test`: one line per step, its output in a file, a verdict at the end.

mod outcome;

use crate::compile::{TESTS, cargo};
use crate::place::{Place, program, repository};
use crate::stack::Stack;
use crate::tools::{Tool, prepare, prepare_node};
use crate::up::told_to_stop;
use crate::{deploy, say, size, soak, web};
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use outcome::{Count, counted, log_file, plain, repeat, run_logged};
use serde::Deserialize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use tokio::process::Command;

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these steps, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Step>,
    /// How long the HTTP API is sent random bodies; 25 s, unless you have more time.
    #[arg(long, value_name = "SECONDS")]
    fuzz: Option<u64>,
    /// Where schemathesis and the faults begin; another seed, other requests and other faults.
    #[arg(long, default_value_t = 1)]
    seed: u32,
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
    /// The proof: every crash, every order, by luck; what each part did is printed.
    Proof,
    /// Walls between crates; template, functions and events agree.
    Architecture,
    /// `sam validate --lint`.
    Template,
    /// cargo-deny: bans, licences, sources.
    Policy,
    /// The browser side without a browser: types, sizes, unit tests.
    Web,
    /// The deployed whole, driven from outside, on a stack of its own.
    E2e,
    /// schemathesis: the HTTP API against `openapi.yaml`, on the same stack.
    Contract,
    /// The page in Chromium, on the same stack.
    Browser,
    /// The deployed whole while AWS, vendors and functions fail, on a stack with a proxy before AWS.
    Faults,
    /// Two functions' zips weigh what they may; none links what only the operator needs.
    Size,
}

/// What only a stack with faults is for.
const STORM: &str = "storm::";

/// How many end-to-end tests are under way at a time.
const THREADS: &str = "4";

/// Where the tests' own stack lives, beside a person's.
const STACK_FOLDER: &str = ".local/e2e";

/// What it needs.
const STACK_TOOLS: &[Tool] = &[Tool::Engine, Tool::Sam];

/// One run: what was asked, what was counted, which stack of the tests is up, and what is built beside.
struct Run {
    arguments: Arguments,
    total: Count,
    up: Option<Stand>,
    small: Option<Result<size::Small>>,
}

/// How the tests' stack is started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// As a person's.
    Plain,
    /// With a proxy before AWS that fails on command.
    Faulty,
}

impl Stand {
    /// Starts the tests' stack, beside a person's.
    pub(crate) async fn bring_up(self) -> Result<()> {
        plain("e2e-down", &mut xtask(&["down"])?).await?;
        // The tests' own build serves the stack too.
        let mut up = xtask(&["up", "--detach", "--profile", TESTS])?;
        if self == Self::Faulty {
            up.arg("--faults");
        }
        plain("e2e-up", &mut up).await?;
        Ok(())
    }

    /// Stops it.
    pub(crate) async fn take_down() -> Result<()> {
        plain("e2e-down", &mut xtask(&["down"])?).await?;
        Ok(())
    }
}

/// Runs the steps, all of them even when one fails. Answers whether all is well.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut run = Run { arguments, total: Count::default(), up: None, small: None };
    let failed = tokio::select! {
        failed = run.all() => Ok(failed),
        stopped = told_to_stop() => stopped.and_then(|()| bail!("stopped by hand")),
    };
    run.take_down().await?;
    let (failed, total) = (failed?, run.total);
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

impl Run {
    fn includes(&self, step: Step) -> bool {
        self.arguments.only.is_empty() || self.arguments.only.contains(&step)
    }

    /// Runs what was asked, and tells what failed. What a later step needs for long and a processor is
    /// free for now is begun at once: a download waits, and a compiler can stand back.
    async fn all(&mut self) -> Vec<&'static str> {
        let wanted = Step::value_variants().iter().filter(|step| self.includes(**step));
        let tools: Vec<Tool> = wanted.flat_map(|step| step.tools()).copied().collect();
        if self.includes(Step::Size) {
            let log = log_file(Step::Size.name());
            self.small = Some(log.and_then(|log| size::begin(&log)));
        }
        // What fails here fails again in the step that needs it, and is told there.
        let ahead = async { prepare(&tools).await.is_ok() };
        let (_, failed) = tokio::join!(ahead, self.steps());
        failed
    }

    async fn steps(&mut self) -> Vec<&'static str> {
        let mut failed = Vec::new();
        for step in Step::value_variants() {
            if !self.includes(*step) {
                continue;
            }
            if let Err(error) = say::step(step.name(), step.check(self)).await {
                say::line(format!("{error:#}\n"));
                failed.push(step.name());
            }
        }
        failed
    }

    /// Starts the tests' own stack where no step has done so before.
    async fn bring_up(&mut self, stand: Stand) -> Result<()> {
        if self.up == Some(stand) {
            return Ok(());
        }
        self.up = Some(stand);
        // Not while it is made ahead: `up` is another process.
        prepare(STACK_TOOLS).await?;
        stand.bring_up().await
    }

    /// Stops it, whatever came of the steps.
    async fn take_down(&mut self) -> Result<()> {
        if self.up.is_some() {
            Stand::take_down().await?;
        }
        Ok(())
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::Unit => "unit",
            Self::Proof => "proof",
            Self::Architecture => "architecture",
            Self::Template => "template",
            Self::Policy => "policy",
            Self::Web => "web",
            Self::E2e => "e2e",
            Self::Contract => "contract",
            Self::Browser => "browser",
            Self::Faults => "faults",
            Self::Size => "size",
        }
    }

    async fn check(self, run: &mut Run) -> Result<((), String)> {
        let log = self.name();
        match self {
            Self::Format => plain(log, &mut cargo(&["fmt", "--all", "--check"])).await,
            Self::Lints => {
                let lints = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                plain(log, &mut cargo(&lints)).await
            }
            Self::Unit => counted(log, &mut unit().await?, &mut run.total).await,
            Self::Proof => proof(run).await,
            Self::Architecture => {
                counted(log, &mut whole(&["architecture"]).await?, &mut run.total).await
            }
            Self::Template => {
                prepare(self.tools()).await?;
                let lint = ["validate", "--lint", "--config-env", "laptop"];
                plain(log, &mut deploy::sam(&lint)).await
            }
            Self::Policy => {
                prepare(self.tools()).await?;
                let mut deny = Command::new(Tool::Checks.program("cargo-deny"));
                deny.args(["check", "bans", "licenses", "sources"]).current_dir(repository());
                plain(log, deny.kill_on_drop(true)).await
            }
            Self::Web => {
                web::prepare().await?;
                plain("web-build", &mut web::script(&["build.mjs"])).await?;
                counted(log, &mut web::script(&["tests/run.mjs", "unit"]), &mut run.total).await
            }
            Self::E2e => end_to_end(run).await,
            Self::Contract => contract(run).await,
            Self::Browser => browser(run).await,
            Self::Faults => faults(run).await,
            Self::Size => {
                let small = run.small.take().context("nothing was begun")?;
                size::check(small?).await
            }
        }
    }

    /// The tools that it runs.
    fn tools(self) -> &'static [Tool] {
        match self {
            Self::Template => &[Tool::Sam],
            Self::Policy => &[Tool::Checks],
            Self::E2e | Self::Contract => &[Tool::Engine, Tool::Sam, Tool::Edge],
            Self::Browser | Self::Faults => STACK_TOOLS,
            Self::Format | Self::Lints | Self::Unit | Self::Proof => &[],
            Self::Architecture | Self::Web | Self::Size => &[],
        }
    }
}

/// What has a step of its own: the whole and the proof.
const APART: [&str; 2] = ["tests", "simulation"];

/// Every test that needs no stack.
async fn unit() -> Result<Command> {
    let mut unit = cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    unit.args(files_of(|package| !APART.contains(&package)).await?);
    Ok(unit)
}

/// The functions that ship, in memory; each part of it says what it did.
async fn proof(run: &mut Run) -> Result<((), String)> {
    let mut proof = cargo(&soak::PROOF);
    proof.args(["--test", "fuzz", "--no-fail-fast", "--", "--nocapture"]);
    let outcome = counted("proof", &mut proof, &mut run.total).await;
    repeat("proof")?;
    outcome
}

/// The crate that sees the whole.
async fn whole(filter: &[&str]) -> Result<Command> {
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.args(files_of(|package| package == "tests").await?).arg("--").args(filter);
    Ok(tests)
}

/// The files of tests in some crates, as cargo is asked for them. They are picked by their names and
/// not by their crates': a part of the workspace gives its dependencies other features than the whole
/// does, and all of AWS's would be built again.
async fn files_of(wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let said = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output().await?;
    let metadata: Metadata = serde_json::from_slice(&said.stdout)?;
    let packages = metadata.packages.into_iter().filter(|package| wanted(&package.name));
    let targets = packages.flat_map(|package| package.targets);
    let files = targets.filter(|target| target.kind == ["test"]);
    Ok(files.flat_map(|file| ["--test".to_owned(), file.name]).collect())
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

/// The tests, on the tests' own stack.
async fn end_to_end(run: &mut Run) -> Result<((), String)> {
    let tools = async { prepare(Step::E2e.tools()).await.and(prepare_node().await) };
    tokio::try_join!(tools, run.bring_up(Stand::Plain))?;
    // They wait for most of the time; those that need the stack for themselves see to it.
    let mut tests =
        whole(&["--skip", "architecture", "--skip", STORM, "--test-threads", THREADS]).await?;
    tests.env("THROUGHLINE_STACK", Place::new(Path::new(STACK_FOLDER)).file("stack.json"));
    if let Some(seconds) = run.arguments.fuzz {
        tests.env("THROUGHLINE_FUZZ_SECONDS", seconds.to_string());
    }
    counted("e2e", &mut tests, &mut run.total).await
}

/// schemathesis sends what `openapi.yaml` allows and what it forbids, and reads the answers by it.
async fn contract(run: &mut Run) -> Result<((), String)> {
    prepare(Step::Contract.tools()).await?;
    run.bring_up(Stand::Plain).await?;
    let place = Place::new(Path::new(STACK_FOLDER));
    let stack = Stack::read(&place)?.context("the tests' stack is not described")?;
    let own = repository().join("tests/edge/schemathesis");
    let mut schemathesis = Command::new(Tool::Edge.program("schemathesis"));
    schemathesis
        .arg("--config-file")
        .arg(own.join("schemathesis.toml"))
        .arg("run")
        .arg(repository().join("openapi.yaml"))
        .args(["--url", &stack.api_url, "--seed", &run.arguments.seed.to_string()])
        .env("THROUGHLINE_FORM_PAGE", format!("{}/thanks.html", stack.page_url))
        .env("PYTHONPATH", &own)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // It keeps notes beside itself.
        .current_dir(place.subfolder("schemathesis")?)
        .kill_on_drop(true);
    run_logged("contract", &mut schemathesis).await?;
    let said = std::fs::read_to_string(log_file("contract")?)?;
    let sum = said.lines().find(|line| line.contains("generated")).unwrap_or_default();
    ensure!(!sum.is_empty(), "schemathesis tried nothing");
    Ok(((), sum.trim().to_owned()))
}

/// The page, as visitors use it, in a real browser.
async fn browser(run: &mut Run) -> Result<((), String)> {
    web::prepare().await?;
    web::chromium().await?;
    run.bring_up(Stand::Plain).await?;
    let mut tests = web::script(&["tests/run.mjs", "browser"]);
    tests.env("THROUGHLINE_STACK", Place::new(Path::new(STACK_FOLDER)).file("stack.json"));
    let ((), passed) = counted("browser", &mut tests, &mut run.total).await?;
    let said = std::fs::read_to_string(log_file("browser")?)?;
    let budget = said.lines().find_map(|line| line.split_once("# checkout page"));
    Ok(((), format!("{passed}; checkout page{}", budget.map_or(" not measured", |(_, told)| told))))
}

/// A short storm: some hundred events while everything fails, and the account of them.
async fn faults(run: &mut Run) -> Result<((), String)> {
    run.bring_up(Stand::Faulty).await?;
    let mut tests = storm(run.arguments.seed.into()).await?;
    let outcome = counted("faults", &mut tests, &mut run.total).await;
    repeat("faults")?;
    outcome
}

/// The storm's test, on the tests' own stack.
pub(crate) async fn storm(seed: u64) -> Result<Command> {
    let mut tests = whole(&[STORM, "--nocapture"]).await?;
    tests.env("THROUGHLINE_STACK", Place::new(Path::new(STACK_FOLDER)).file("stack.json"));
    tests.env("THROUGHLINE_SEED", seed.to_string());
    Ok(tests)
}

/// This program again, on the tests' own stack.
fn xtask(arguments: &[&str]) -> Result<Command> {
    let mut xtask = Command::new(program()?);
    xtask.args(["--folder", STACK_FOLDER]).args(arguments).kill_on_drop(true);
    Ok(xtask)
}
