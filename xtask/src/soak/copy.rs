//! A copy of the tree, to be changed where the tree must not be.

use crate::place::repository;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The tree as it lies here, in a folder that stays: what is compiled of others is used again.
pub(crate) async fn copy_tree(into: &str) -> Result<PathBuf> {
    let root = repository();
    let copy = root.join(into);
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let said = Command::new("git").args(list).current_dir(root).output().await;
    let said = said.context("git cannot be started: the copy of the tree is made by its list")?;
    ensure!(
        said.status.success(),
        "git does not list this tree: run it in a clone of the repository"
    );
    let listed = String::from_utf8(said.stdout)?;
    let names: BTreeSet<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
    for name in &names {
        let (from, to) = (root.join(name), copy.join(name));
        let Ok(new) = std::fs::read(&from) else { continue };
        // What is the same keeps its time, so that it is not compiled again.
        if std::fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        std::fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        std::fs::write(&to, new)?;
    }
    // What a patch added, or the tree no longer holds.
    for path in files_in(&copy)? {
        let name = path.strip_prefix(&copy)?.to_string_lossy();
        if !names.contains(name.as_ref()) || !root.join(name.as_ref()).exists() {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(copy)
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let list = if entry.file_type()?.is_dir() { &mut folders } else { &mut files };
            list.push(entry.path());
        }
    }
    Ok(files)
}
