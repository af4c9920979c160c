//! What the bench prints: progress on one stream, results on the other.

use std::fmt::Display;
use std::io::Write;

/// A line of progress.
pub(crate) fn progress(text: impl Display) {
    let mut out = std::io::stderr().lock();
    if writeln!(out, "{text}").is_err() {
        // Nobody reads any more, and there is nobody to tell.
    }
}

/// A line of results.
pub(crate) fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").is_err() {
        // Nobody reads any more, and there is nobody to tell.
    }
}
