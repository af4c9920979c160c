//! A program under measurement: how it is started, what it has used, how it is ended.

use crate::player::Player;
use crate::share::Share;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How a program is started.
#[derive(Clone)]
pub(crate) struct Launch {
    /// The program and its arguments.
    pub(crate) words: Vec<OsString>,
    pub(crate) environment: Vec<(String, String)>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    process: u32,
    pub(crate) player: Player,
    spawned: Instant,
    share: Option<Share>,
    log: PathBuf,
}

impl Running {
    /// Starts a program, on a share of a processor where one is given.
    pub(crate) async fn start(launch: &Launch, share: Option<Share>) -> Result<Self> {
        let player = Player::open().await?;
        let output = File::create(&launch.log)?;
        let words = match &share {
            Some(share) => share.wrap(&launch.words),
            None => launch.words.clone(),
        };
        let (program, arguments) = words.split_first().context("no program")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(launch.environment.iter().cloned())
            .env("AWS_LAMBDA_RUNTIME_API", player.address())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        let spawned = Instant::now();
        let child = match &share {
            Some(share) => share.start(|| command.spawn()),
            None => command.spawn(),
        };
        let child = child.with_context(|| format!("cannot start {program:?}"))?;
        let process = child.id().context("it ended at once")?;
        if let Some(share) = &share {
            share.hold(process);
        }
        Ok(Self { child, process, player, spawned, share, log: launch.log.clone() })
    }

    /// From its start until it asked for its first event.
    pub(crate) async fn ready(&mut self) -> Result<Duration> {
        let asked = tokio::select! {
            asked = self.player.ready() => asked,
            ended = self.child.wait() => Err(anyhow::anyhow!("it ended: {}", ended?)),
        };
        match asked {
            Ok(at) => Ok(at - self.spawned),
            Err(error) => bail!("{error:#}\n{}", last_lines(&self.log)),
        }
    }

    /// CPU used so far, by all of its threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu(self.process)
    }

    /// The most memory it has held, in bytes.
    pub(crate) fn peak(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes =
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kilobytes.map(|kilobytes| kilobytes * 1024).context("no VmHWM in /proc: Linux is needed")
    }

    /// What it wrote last.
    pub(crate) fn said(&self) -> String {
        last_lines(&self.log)
    }

    /// Ends it.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.child.kill().await?;
        if let Some(share) = self.share.take() {
            share.release();
        }
        Ok(())
    }
}

/// CPU of a process in nanoseconds, as the scheduler counts it for each thread.
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end between the two.
        let said = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        total += said.split(' ').next().and_then(|used| used.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
