//! The share of a processor that Lambda gives a small function: by a cgroup's quota where this machine
//! lets us, otherwise by stopping the process whenever it has used up its part of a period.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Lambda gives a whole processor at 1769 MB and a proportional share below:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const WHOLE: u64 = 1769;

/// How often the share is handed out anew. Lambda's own period, as measured from inside.
const PERIOD: Duration = Duration::from_millis(20);

/// A share of a processor, for one process.
pub(crate) struct Share {
    quota: Duration,
    way: Way,
}

enum Way {
    /// A cgroup of its own: its folder.
    Cgroup(PathBuf),
    /// Stopped and let go on by us, until it is over.
    Stopping(Arc<AtomicBool>),
}

impl Share {
    /// The share of a function with so many megabytes.
    pub(crate) fn of(megabytes: u64) -> Self {
        let period = u64::try_from(PERIOD.as_micros()).unwrap_or(u64::MAX);
        let micros = period * megabytes / WHOLE;
        let quota = Duration::from_micros(micros);
        let way = match cgroup(micros, period) {
            Some(folder) => Way::Cgroup(folder),
            None => Way::Stopping(Arc::default()),
        };
        Self { quota, way }
    }

    /// How the share is held, for whoever reads the figures.
    pub(crate) fn way(&self) -> &'static str {
        match self.way {
            Way::Cgroup(_) => "by a cgroup's quota",
            Way::Stopping(_) => {
                "by stopping and continuing the process: no cgroup can be made here"
            }
        }
    }

    /// Starts a program under this share. Where a thread may enter a cgroup by itself (the first
    /// version), this one does while it starts the program, which is born there.
    pub(crate) fn start<T>(&self, start: impl FnOnce() -> T) -> T {
        let Way::Cgroup(folder) = &self.way else { return start() };
        // Zero is whoever writes it.
        let entered = std::fs::write(folder.join("tasks"), "0").is_ok();
        let started = start();
        if entered && let Some(home) = folder.parent() {
            // A thread that stays would be slow and nothing else: the figures would show it.
            drop(std::fs::write(home.join("tasks"), "0"));
        }
        started
    }

    /// The words that start a program under this share.
    pub(crate) fn wrap(&self, words: &[OsString]) -> Vec<OsString> {
        match &self.way {
            Way::Stopping(_) => words.to_vec(),
            Way::Cgroup(folder) if folder.join("tasks").exists() => words.to_vec(),
            Way::Cgroup(folder) => {
                let join = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", folder.display());
                let mut all: Vec<OsString> =
                    vec!["/bin/sh".into(), "-c".into(), join.into(), "sh".into()];
                all.extend(words.iter().cloned());
                all
            }
        }
    }

    /// Holds a process to the share, where nobody else does.
    pub(crate) fn hold(&self, process: u32) {
        let Way::Stopping(over) = &self.way else { return };
        let (over, quota) = (Arc::clone(over), self.quota);
        std::thread::spawn(move || stop_and_go(process, quota, &over));
    }

    /// Takes the share back, once its process is gone.
    pub(crate) fn release(self) {
        match self.way {
            // The kernel needs a moment to forget the process; a folder that stays does no harm.
            Way::Cgroup(folder) => {
                for _ in 0..100 {
                    if std::fs::remove_dir(&folder).is_ok() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            Way::Stopping(over) => over.store(true, Ordering::Relaxed),
        }
    }
}

/// Makes a cgroup with a quota, of either version. `None` where that is not allowed.
fn cgroup(quota: u64, period: u64) -> Option<PathBuf> {
    let name = format!("throughline-bench-{}", uuid::Uuid::new_v4().simple());
    let two = |root: &Path| {
        let folder = root.join(&name);
        std::fs::create_dir(&folder).ok()?;
        let limited = std::fs::write(folder.join("cpu.max"), format!("{quota} {period}"));
        limited.map_err(|_| std::fs::remove_dir(&folder)).ok()?;
        Some(folder)
    };
    let one = |root: &Path| {
        let folder = root.join(&name);
        std::fs::create_dir(&folder).ok()?;
        let limited = std::fs::write(folder.join("cpu.cfs_period_us"), period.to_string())
            .and_then(|()| std::fs::write(folder.join("cpu.cfs_quota_us"), quota.to_string()));
        limited.map_err(|_| std::fs::remove_dir(&folder)).ok()?;
        Some(folder)
    };
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").exists() {
        return two(root);
    }
    one(&root.join("cpu")).or_else(|| one(&root.join("cpu,cpuacct")))
}

/// In each period the process runs until it has used its quota, and not again before the next.
fn stop_and_go(process: u32, quota: Duration, over: &AtomicBool) {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return };
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let Ok(before) = crate::process::cpu(process) else { return };
        while begun.elapsed() < PERIOD {
            let used = crate::process::cpu(process).unwrap_or_default().saturating_sub(before);
            if used >= quota {
                // A process that is gone needs no stopping.
                if kill_process(pid, Signal::STOP).is_err() {
                    return;
                }
                std::thread::sleep(PERIOD.saturating_sub(begun.elapsed()));
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        if kill_process(pid, Signal::CONT).is_err() {
            return;
        }
    }
}
