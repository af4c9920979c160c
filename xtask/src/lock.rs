//! Who runs the stack of a folder: a locked file. The lock dies with its process, so it never lies.

use crate::place::{Place, shown};
use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;

/// What the process in charge says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keeper {
    /// Its process.
    pub(crate) pid: u32,
    /// The recorder it was told to use instead of the sandbox.
    pub(crate) vendors_url: Option<String>,
    /// Whether a proxy that fails on command stands before AWS.
    #[serde(default)]
    pub(crate) faults: bool,
    /// The profile that cargo built the functions with.
    #[serde(default)]
    pub(crate) profile: String,
}

/// Held for as long as the stack runs.
pub(crate) struct Lock {
    _file: File,
}

/// The answer to an attempt to take charge.
pub(crate) enum Charge {
    /// Ours now.
    Taken(Lock),
    /// Somebody's, who may not have said yet who they are.
    Busy(Option<Keeper>),
}

/// Takes charge of a folder's stack, unless somebody has it.
pub(crate) fn take(place: &Place, keeper: &Keeper) -> Result<Charge> {
    let mut file = match open(place)? {
        Ok(file) => file,
        Err(keeper) => return Ok(Charge::Busy(keeper)),
    };
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(keeper)?)?;
    Ok(Charge::Taken(Lock { _file: file }))
}

/// Who is in charge now; nothing when the stack does not run.
pub(crate) fn keeper(place: &Place) -> Result<Option<Option<Keeper>>> {
    if !place.file("lock").exists() {
        return Ok(None);
    }
    Ok(open(place)?.err())
}

fn open(place: &Place) -> Result<Result<File, Option<Keeper>>> {
    std::fs::create_dir_all(place.folder())
        .with_context(|| format!("cannot make {}", shown(place.folder())))?;
    let path = place.file("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", shown(&path)))?;
    match file.try_lock() {
        Ok(()) => Ok(Ok(file)),
        Err(TryLockError::WouldBlock) => {
            let said = std::fs::read_to_string(&path).unwrap_or_default();
            Ok(Err(serde_json::from_str(&said).ok()))
        }
        Err(TryLockError::Error(error)) => {
            Err(anyhow!(error).context(format!("cannot lock {}", shown(&path))))
        }
    }
}
