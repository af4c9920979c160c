//! The command as a process: built once, started on the tests' stack.

use crate::stack::stack_file;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The answer as JSON: one document, and nothing beside it.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("this is no JSON: {self:?}"))
    }

    /// The same, once the command did what it was asked.
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

/// The binary, out of the tests' own build: with the whole workspace and a test among what is asked for,
/// its crates keep the features that they were built with.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = crate::architecture::root();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "test"])
        .args(["--workspace", "--bin", "throughline", "--test", "traces"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(built.success(), "the command does not build");
    let beside = std::env::current_exe().unwrap();
    beside.parent().unwrap().parent().unwrap().join("throughline")
});

/// Runs the command on the tests' stack.
pub(crate) async fn throughline(words: &[&str]) -> Said {
    told(words, "").await
}

/// Runs it with something on its standard input.
pub(crate) async fn told(words: &[&str], input: &str) -> Said {
    let local = format!("--local={}", stack_file());
    let words: Vec<&str> = std::iter::once(local.as_str()).chain(words.iter().copied()).collect();
    started(&words, &[("USER", "operator")], input).await
}

/// Runs it as somebody with these variables and no others.
pub(crate) async fn started(words: &[&str], variables: &[(&str, &str)], input: &str) -> Said {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    let variables: Vec<(String, String)> = variables.iter().map(owned).collect();
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || run(&words, variables, &input)).await.unwrap()
}

fn run(words: &[String], variables: Vec<(String, String)>, input: &str) -> Said {
    use std::io::Write;
    let mut child = Command::new(&*PROGRAM)
        .args(words)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that asks for nothing may be over before it is told.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Said {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs it for JSON.
pub(crate) async fn json(words: &[&str]) -> Value {
    let words: Vec<&str> = words.iter().copied().chain(["--output", "json"]).collect();
    throughline(&words).await.well().json()
}
