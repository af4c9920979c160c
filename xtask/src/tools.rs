//! The pinned tools under `.local/tools`: each list of Python's in a virtual environment of its own,
//! Node's packages, and what extends cargo.

use crate::compile::cargo;
use crate::daemon::last_lines;
use crate::place::{repository, tools};
use crate::say;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use tokio::process::Command;
use tokio::sync::Mutex;

/// The oldest Python that the engine runs on.
const OLDEST: (u32, u32) = (3, 11);

/// A list in `xtask/tools`, and its environment.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    /// MiniStack, the local AWS.
    Engine,
    /// The SAM CLI.
    Sam,
    /// cargo-deny.
    Checks,
    /// schemathesis, and Stripe's own library for Python.
    Edge,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Sam => "sam",
            Self::Checks => "checks",
            Self::Edge => "edge",
        }
    }

    /// A program of this environment.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        tools().join(self.name()).join("bin").join(name)
    }
}

/// One at a time: what is made ahead is waited for where it is needed.
static MAKING: Mutex<()> = Mutex::const_new(());

/// Sets up the environments that are missing or pinned otherwise. Tells what it did.
pub(crate) async fn prepare(wanted: &[Tool]) -> Result<((), String)> {
    let _making = MAKING.lock().await;
    let mut made = Vec::new();
    for tool in wanted {
        if make(*tool).await? {
            made.push(tool.name());
        }
    }
    let note =
        if made.is_empty() { "as pinned".into() } else { format!("set up {}", made.join(", ")) };
    Ok(((), note))
}

/// Makes one environment, unless it is what the list says already.
async fn make(tool: Tool) -> Result<bool> {
    let name = tool.name();
    let list = repository().join("xtask/tools").join(format!("{name}.txt"));
    let pinned = std::fs::read_to_string(&list)?;
    let folder = tools().join(name);
    let stamp = folder.join("pinned.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == pinned) {
        return Ok(false);
    }
    let python = python().await?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(tools())?;
    let mut venv = Command::new(&python);
    venv.args(["-m", "venv"]).arg(&folder);
    quietly(&mut venv).await.with_context(|| {
        format!("{python} cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv)")
    })?;
    quietly(&mut install(&folder, &list))
        .await
        .with_context(|| format!("pip cannot install what xtask/tools/{name}.txt lists"))?;
    std::fs::write(&stamp, pinned)?;
    Ok(true)
}

/// Sets up Node's packages, unless they are as pinned already.
pub(crate) async fn prepare_node() -> Result<()> {
    let pinned = std::fs::read_to_string(repository().join("xtask/tools/node/package.json"))?;
    let folder = tools().join("node");
    let (list, stamp) = (folder.join("package.json"), folder.join("pinned.json"));
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == pinned) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(list, &pinned)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]);
    quietly(npm.current_dir(&folder)).await.context(
        "npm cannot install what xtask/tools/node/package.json lists; it needs Node.js 20 or newer",
    )?;
    std::fs::write(&stamp, pinned)?;
    Ok(())
}

fn install(folder: &Path, list: &Path) -> Command {
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(list);
    pip
}

/// The first Python on the path that is new enough.
pub(crate) async fn python() -> Result<String> {
    let mut found = Vec::new();
    for name in ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"] {
        let question = "import sys; print(*sys.version_info[:2])";
        let Ok(said) = Command::new(name).args(["-c", question]).output().await else { continue };
        let said = String::from_utf8_lossy(&said.stdout);
        let mut parts = said.split_whitespace().map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else { continue };
        if (major, minor) >= OLDEST {
            return Ok(name.into());
        }
        found.push(format!("{name} is {major}.{minor}"));
    }
    let found = if found.is_empty() { "none is on the path".into() } else { found.join(", ") };
    bail!(
        "Python {}.{} or newer is missing ({found}); install it and run this again",
        OLDEST.0,
        OLDEST.1
    )
}

async fn quietly(command: &mut Command) -> Result<()> {
    let said = command.kill_on_drop(true).output().await?;
    let error = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "it said:\n{}", last_lines(&error));
    Ok(())
}

/// A program that extends cargo, of this version.
pub(crate) async fn cargo_program(name: &str, version: &str) -> Result<PathBuf> {
    let (folder, crate_name) = (tools().join(name), format!("cargo-{name}"));
    let program = folder.join("bin").join(&crate_name);
    let is = Command::new(&program).args([name, "--version"]).output().await;
    if is.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains(version)) {
        return Ok(program);
    }
    say::line(format!("installing {crate_name}, which is compiled here: some minutes"));
    let install = ["install", "--locked", &crate_name, "--version", version, "--root"];
    let status = cargo(&install).arg(&folder).status().await?;
    ensure!(status.success(), "cargo could not install {crate_name}; is crates.io within reach?");
    Ok(program)
}
