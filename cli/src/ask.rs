//! What is typed or piped in, because an argument would stay in the shell's history.

use crate::{Failed, say};
use std::io::{BufRead, IsTerminal, Read};

/// An answer to a question, without its end of line.
pub(crate) fn line(question: &str) -> Result<String, Failed> {
    let input = std::io::stdin();
    if input.is_terminal() {
        say::note(question);
    }
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    read.map_err(|_| Failed::refused("standard input cannot be read"))?;
    let line = line.trim().to_owned();
    if line.is_empty() { Err(Failed::refused("nothing was typed or piped in")) } else { Ok(line) }
}

/// Everything that is piped in.
pub(crate) fn all(what: &str) -> Result<String, Failed> {
    let input = std::io::stdin();
    if input.is_terminal() {
        say::note(&format!("type {what} and end with Ctrl-D; it is shown while you type"));
    }
    let mut text = String::new();
    let read = input.lock().read_to_string(&mut text);
    read.map_err(|_| Failed::refused("standard input cannot be read as text"))?;
    Ok(text)
}
