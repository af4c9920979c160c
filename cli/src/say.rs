//! Standard output for answers, standard error for everything else. A reader who has gone away is
//! no fault.

use serde::Serialize;
use std::io::Write;

/// A part of the answer, as it is.
pub(crate) fn answer(text: &str) {
    write(std::io::stdout().lock(), text);
}

/// The answer as one JSON document.
pub(crate) fn json(answer: &impl Serialize) {
    // Answers are our own shapes with texts as keys: they always encode.
    let text = serde_json::to_string_pretty(answer).unwrap_or_default();
    write(std::io::stdout().lock(), &format!("{text}\n"));
}

/// A message: what is going on, or what went wrong.
pub(crate) fn note(text: &str) {
    write(std::io::stderr().lock(), &format!("{text}\n"));
}

fn write(mut to: impl Write, text: &str) {
    // There is nobody left to tell.
    drop(to.write_all(text.as_bytes()).and_then(|()| to.flush()));
}
