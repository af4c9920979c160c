//! `soak --guided`: hostile input, led by what the code does with it. libFuzzer keeps whatever reaches
//! code that nothing has reached before, and changes it further; one process for each door.

use crate::place::{Place, repository, shown};
use crate::say;
use crate::tools::cargo_program;
use anyhow::{Context, Result};
use std::path::Path;
use tokio::process::Command;

/// The doors, as `simulation/fuzz` and `simulation/corpus` name them.
const DOORS: [&str; 5] = ["signature", "webhook", "lead", "queue", "stream"];
const VERSION: &str = "0.13.2";
/// The longest input, in bytes.
const LONGEST: &str = "-max_len=65536";

/// Hands inputs to each door in turn, for so long together. Answers whether all was well.
pub(crate) async fn run(seconds: u64, seed: u64) -> Result<bool> {
    let program = cargo_program("fuzz", VERSION).await?;
    // Built as the workspace is, of the same versions.
    let lock = repository().join("simulation/fuzz/Cargo.lock");
    std::fs::copy(repository().join("Cargo.lock"), &lock)
        .with_context(|| format!("{} cannot be written", shown(&lock)))?;
    let mut well = true;
    for door in DOORS {
        let kept = Place::new(Path::new(".local/fuzz")).subfolder(door)?;
        let (kept, seeds) = (kept.as_path(), repository().join("simulation/corpus").join(door));
        let each = seconds.div_ceil(DOORS.len() as u64);
        say::line(format!("{door}: {each} s; what is found stays in {}", shown(kept)));
        let status = fuzz(&program, door)
            .args([kept, &seeds])
            .args(["--", LONGEST, "-timeout=20", "-print_final_stats=1"])
            .args([format!("-max_total_time={each}"), format!("-seed={seed}")])
            .arg(format!("-artifact_prefix={}/failed-", kept.display()))
            .status()
            .await?;
        well &= status.success();
    }
    Ok(well)
}

/// libFuzzer's marks need no other toolchain where no sanitizer is asked for.
fn fuzz(program: &Path, door: &str) -> Command {
    let mut fuzz = Command::new(program);
    fuzz.args(["run", "--sanitizer", "none", "--fuzz-dir", "simulation/fuzz"])
        .args(["--target-dir", "target/fuzz-target", door])
        .current_dir(repository())
        .kill_on_drop(true);
    fuzz
}
