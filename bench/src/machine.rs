//! The machine and the programs that a run is about, so that figures are not compared across them.

use crate::Arguments;
use std::path::Path;
use std::process::Command;

/// What stands above the figures.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Machine {
    processor: String,
    processors: usize,
    kernel: String,
    node: String,
    rust: String,
    commit: String,
    day: String,
    /// Milliseconds that AWS took to answer.
    delay: u64,
    /// How the share of a small function was held.
    share: &'static str,
    /// Work that others did on the machine when the run began.
    load: String,
}

impl Machine {
    /// This one, now.
    pub(crate) fn here(root: &Path, arguments: &Arguments) -> Self {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let model =
            cpus.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let said = |program: &str, words: &[&str]| {
            let said = Command::new(program).args(words).current_dir(root).output();
            said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned())
                .unwrap_or_default()
        };
        let now =
            jiff::Timestamp::from_second(i64::try_from(crate::clock::now_ms() / 1000).unwrap_or(0));
        Self {
            processor: model.unwrap_or("unknown processor").to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            node: said("node", &["--version"]),
            rust: said("rustc", &["--version"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]),
            day: now.map(|now| now.strftime("%Y-%m-%d").to_string()).unwrap_or_default(),
            delay: arguments.delay,
            share: crate::run::share_is_held(),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    /// In a line.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} x {}, Linux {}, Node {}, {}; {} on {}; AWS on loopback, {} ms; the 128 MB share is held {}; load at the start {}",
            self.processors,
            self.processor,
            self.kernel,
            self.node,
            self.rust,
            self.commit,
            self.day,
            self.delay,
            self.share,
            self.load,
        )
    }
}
