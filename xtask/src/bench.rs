//! `bench`: builds the functions as they ship, the references as their developers would, and the
//! player, and lets it measure. What it can be told is the player's own: `cargo xtask bench --help`;
//! and `--built` before anything else measures what is built already.

use crate::compile::cargo;
use crate::daemon::last_lines;
use crate::place::repository;
use crate::{say, web};
use anyhow::{Context, Result, ensure};
use std::process::ExitCode;
use tokio::process::Command;

/// Options of `bench`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Measures what is built, and builds nothing.
    #[arg(long)]
    built: bool,
    /// Given to the player as they are; `--help` tells what there is.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    player: Vec<String>,
}

/// Builds, then plays.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    if !arguments.built {
        let asks_for_help = arguments.player.iter().any(|word| word == "--help" || word == "-h");
        if !asks_for_help {
            say::step("references", references()).await?;
            say::step("functions", functions()).await?;
        }
        say::step("player", player()).await?;
    }
    let mut bench = Command::new(repository().join("target/bench-player/bench"));
    bench.args(&arguments.player).current_dir(repository()).kill_on_drop(true);
    let status = bench.status().await.context("the player is not built; leave out --built")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All of them, as they ship: five are played, each is weighed.
async fn functions() -> Result<((), String)> {
    quietly(&mut cargo(&["build", "--release"])).await?;
    Ok(((), "release, fat LTO".into()))
}

async fn player() -> Result<((), String)> {
    quietly(&mut cargo(&["build", "--profile", "bench-player", "-p", "bench", "-p", "limit"]))
        .await?;
    Ok(((), String::new()))
}

/// Bundles the references with what `bench/reference/package-lock.json` pins.
async fn references() -> Result<((), String)> {
    let folder = repository().join("bench/reference");
    web::install(&folder).await?;
    quietly(Command::new("node").arg("build.mjs").current_dir(folder).kill_on_drop(true))
        .await
        .context("the references cannot be bundled; `node bench/reference/build.mjs` says why")?;
    Ok(((), "bundled".into()))
}

async fn quietly(command: &mut Command) -> Result<()> {
    let said = command.output().await?;
    let told = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "it said:\n{}", last_lines(&told));
    Ok(())
}
