//! Where things are: the repository, the folder of one running stack, the tools they share.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The functions: each a folder, a crate, a binary and a deployed function.
pub(crate) fn functions() -> Result<Vec<String>> {
    let folder = repository().join("functions");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot look into {}", shown(&folder)))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The functions that have a queue.
pub(crate) const CONSUMERS: [&str; 4] = ["crm-sync", "esp-sync", "sgtm-forwarder", "notifier"];

/// The folder that holds everything of one running stack.
#[derive(Clone)]
pub(crate) struct Place {
    folder: PathBuf,
}

impl Place {
    /// A folder, relative to the repository unless absolute.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: repository().join(folder) }
    }

    /// A file of this stack.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A folder of this stack, made if it is missing.
    pub(crate) fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", shown(&path)))?;
        Ok(path)
    }

    /// The file in which a program's output is kept.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf> {
        Ok(self.subfolder("log")?.join(format!("{name}.log")))
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether this is where a person's own `up` runs, rather than a test's.
    pub(crate) fn is_default(&self) -> bool {
        self.folder == repository().join(".local")
    }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Pinned tools, shared by every stack of this clone.
pub(crate) fn tools() -> PathBuf {
    repository().join(".local/tools")
}

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// This very program, to be run again. Its path is noted when it is first asked for, which `main`
/// does: `up` builds the workspace and this program with it, and a file that was replaced has no path.
pub(crate) fn program() -> Result<&'static Path> {
    let path = std::env::current_exe().context("this program has no path")?;
    Ok(PROGRAM.get_or_init(|| path))
}

/// A path as a person in the repository would write it.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}
