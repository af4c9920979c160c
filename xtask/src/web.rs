//! `web/dist`: the browser side, built when its sources are newer, by Node and what `web/package.json` pins.

use crate::daemon::last_lines;
use crate::place::repository;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tokio::process::Command;

/// The oldest Node that the tools run on.
const OLDEST: u32 = 20;

/// Where a browser may be; `web/tests/browser/stage.ts` looks in the same places.
const CHROMIUM: [&str; 3] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// Builds for a person: without Node the page is served all the same, and works as a plain form.
pub(crate) async fn build_or_say() -> Result<((), String)> {
    match build().await {
        Ok(built) => Ok(built),
        Err(problem) => {
            Ok(((), format!("NOT BUILT, the page works as a plain form only: {problem:#}")))
        }
    }
}

/// Builds what is older than its sources.
pub(crate) async fn build() -> Result<((), String)> {
    let built = modified(&folder().join("dist/throughline.js"));
    let sources = ["snippet", "page", "build.mjs", "package-lock.json", "tsconfig.json"];
    let newest = sources.iter().filter_map(|name| newest(&folder().join(name))).max();
    if built.is_some() && built >= newest {
        return Ok(((), "as built".into()));
    }
    prepare().await?;
    quietly(Command::new("node").arg("build.mjs"), &folder())
        .await
        .context("web/ cannot be built; `node web/build.mjs` says why")?;
    Ok(((), "built".into()))
}

/// Installs what `web/package-lock.json` lists, unless it is there.
pub(crate) async fn prepare() -> Result<()> {
    install(&folder()).await
}

/// Installs what a folder's `package-lock.json` lists, unless it is there.
pub(crate) async fn install(folder: &Path) -> Result<()> {
    node().await?;
    let pinned = std::fs::read_to_string(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/pinned.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == pinned) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--silent"]);
    quietly(&mut npm, folder).await.with_context(|| {
        format!("npm cannot install what {}/package-lock.json lists", folder.display())
    })?;
    std::fs::write(&stamp, pinned)?;
    Ok(())
}

/// One of the scripts in `web/`, with its arguments.
pub(crate) fn script(arguments: &[&str]) -> Command {
    let mut node = Command::new("node");
    node.args(arguments).current_dir(folder()).kill_on_drop(true);
    node
}

/// Sees to a browser for the tests: Debian's, where its packages can be installed.
pub(crate) async fn chromium() -> Result<()> {
    let is_there = || CHROMIUM.iter().any(|path| Path::new(path).exists());
    if is_there() {
        return Ok(());
    }
    for words in [&["install", "-y", "chromium"][..], &["update"], &["install", "-y", "chromium"]] {
        // What fails shows in the end: either there is a browser, or there is none.
        let said = Command::new("apt-get").args(words).kill_on_drop(true).output().await;
        if said.is_ok() && is_there() {
            return Ok(());
        }
    }
    bail!(
        "the browser tests need Chromium, and it cannot be installed from here; as root: apt-get install chromium"
    )
}

fn folder() -> PathBuf {
    repository().join("web")
}

async fn node() -> Result<()> {
    let missing = || format!("Node.js {OLDEST} or newer is missing; install it and run this again");
    let said = Command::new("node").arg("--version").output().await.with_context(missing)?;
    let said = String::from_utf8_lossy(&said.stdout);
    let version =
        said.trim_start_matches('v').split('.').next().and_then(|v| v.parse::<u32>().ok());
    ensure!(
        version.is_some_and(|version| version >= OLDEST),
        "{} (found {})",
        missing(),
        said.trim()
    );
    Ok(())
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|data| data.modified()).ok()
}

/// When a file, or anything in a folder, was changed last.
fn newest(path: &Path) -> Option<SystemTime> {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().filter_map(|entry| newest(&entry.path())).max(),
        Err(_no_folder) => modified(path),
    }
}

async fn quietly(command: &mut Command, folder: &Path) -> Result<()> {
    let said = command.current_dir(folder).kill_on_drop(true).output().await?;
    let told = [said.stdout, said.stderr].concat();
    ensure!(said.status.success(), "it said:\n{}", last_lines(&String::from_utf8_lossy(&told)));
    Ok(())
}
