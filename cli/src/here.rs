//! What the command takes from the machine it runs on: the clock, the user's name, the local stack.

use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Now, to the millisecond, which is what the ledger keeps.
#[expect(clippy::disallowed_methods, reason = "the one place of the command that reads the clock")]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The name under which somebody is signed in here.
#[expect(clippy::disallowed_methods, reason = "the one place of the command that reads a variable")]
pub(crate) fn user() -> Option<String> {
    let named =
        ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.trim().is_empty())
}

/// The local stack's description, in this folder or one above.
pub(crate) fn local_stack() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let described = |folder: &Path| Some(folder.join(".local/stack.json")).filter(|f| f.exists());
    here.ancestors().find_map(described)
}
