//! A program that runs beside us: in a process group of its own, its output in a file, its number
//! written down, stopped with everything it started.

use crate::place::{Place, shown};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a program may take to stop by itself.
const GRACE: Duration = Duration::from_secs(5);

/// A running program. Dropping it kills it and all it started.
pub(crate) struct Daemon {
    name: &'static str,
    child: Child,
    group: Pid,
    number: PathBuf,
    log: PathBuf,
}

/// Starts a program of ours.
pub(crate) fn start(place: &Place, name: &'static str, command: &mut Command) -> Result<Daemon> {
    let log = place.log(name)?;
    let output = File::create(&log).with_context(|| format!("cannot write {}", shown(&log)))?;
    let child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let group = child.id().and_then(process).with_context(|| format!("{name} ended at once"))?;
    let number = place.subfolder("pids")?.join(name);
    let program = command.as_std().get_program().display();
    std::fs::write(&number, format!("{} {program}", group.as_raw_nonzero()))?;
    Ok(Daemon { name, child, group, number, log })
}

impl Daemon {
    /// The process's number.
    pub(crate) fn pid(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// The file that holds what it printed.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// What it printed.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Fails when the program has ended, with the last it said.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended by itself ({status}):\n{}", self.name, last_lines(&self.output()));
        }
        Ok(())
    }

    /// Asks it to stop, then makes it.
    pub(crate) async fn stop(mut self) -> Result<()> {
        send(self.group, Signal::TERM);
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            send(self.group, Signal::KILL);
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        end_group(self.group);
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(10));
        }
        if std::fs::remove_file(&self.number).is_err() {
            // It was never written or is gone already: either is what we want.
        }
    }
}

/// Ends what an earlier `up` left running when it was killed before it could stop it.
///
/// A number alone may belong to somebody else by now, so it must also be the same program.
pub(crate) fn end_leftovers(place: &Place) -> Result<usize> {
    let mut ended = 0;
    for entry in std::fs::read_dir(place.subfolder("pids")?)? {
        let path = entry?.path();
        let noted = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some((number, program)) = noted.split_once(' ')
            && let Some(group) = number.parse().ok().and_then(process)
            && runs(program, group)
        {
            end_group(group);
            ended += 1;
        }
        std::fs::remove_file(&path)?;
    }
    Ok(ended)
}

/// Waits until a condition holds, a program has ended, or too long has passed.
pub(crate) async fn until<T>(
    daemon: &mut Daemon,
    limit: Duration,
    mut condition: impl AsyncFnMut(&Daemon) -> Option<T>,
) -> Result<T> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        daemon.check()?;
        if let Some(value) = condition(daemon).await {
            return Ok(value);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let (name, said) = (daemon.name, last_lines(&daemon.output()));
    bail!("{name} did not answer within {} s:\n{said}", limit.as_secs())
}

/// Asks a process to stop.
pub(crate) fn ask_to_stop(pid: u32) {
    if let Some(pid) = process(pid) {
        send(pid, Signal::TERM);
    }
}

/// Ends a process that would not stop.
pub(crate) fn end(pid: u32) {
    if let Some(pid) = process(pid) {
        send(pid, Signal::KILL);
    }
}

/// The last lines of a program's output, for an error that shows them.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(40)).map(|line| format!("   {line}\n")).collect()
}

fn process(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

fn send(pid: Pid, signal: Signal) {
    if kill_process(pid, signal).is_err() {
        // Gone already.
    }
}

fn end_group(group: Pid) {
    if kill_process_group(group, Signal::KILL).is_err() {
        // Gone already.
    }
}

fn runs(program: &str, pid: Pid) -> bool {
    let asked = std::process::Command::new("ps")
        .args(["-o", "command=", "-p", &pid.as_raw_nonzero().to_string()])
        .output();
    asked.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains(program))
}
