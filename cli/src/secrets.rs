//! `secrets`: put into the stage, from a file or standard input and never from an argument.

use crate::moment::{ago, when};
use crate::table::Table;
use crate::{Desk, Failed, Output, ask, say, words};
use operator::{Secret, SecretName};
use secrecy::SecretString;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is done with secrets.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Which secrets are set, and since when; never their values
    List,
    /// Set one from standard input or a file, or all that a file names
    Set(Set),
}

/// Options of `set`.
#[derive(clap::Args)]
pub(crate) struct Set {
    /// The secret's name, as in STRIPE_SECRET_KEY
    #[arg(value_parser = name, required_unless_present = "all", conflicts_with = "all")]
    name: Option<SecretName>,
    /// Read it from this file instead of standard input
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    file: Option<PathBuf>,
    /// Set all that this file names, in lines of NAME=value; `-` is standard input
    #[arg(long, value_name = "FILE")]
    all: Option<PathBuf>,
    /// Replace the PEPPER: nobody who is known is found again by their address
    #[arg(long)]
    replace_pepper: bool,
}

fn name(text: &str) -> Result<SecretName, String> {
    let names = SecretName::ALL.map(SecretName::name).join(", ");
    SecretName::named(text).ok_or_else(|| format!("must be one of {names}"))
}

#[derive(Serialize)]
struct Listed<'a> {
    stage: &'a str,
    secrets: &'a [Secret],
}

#[derive(Serialize)]
struct Done<'a> {
    stage: &'a str,
    set: Vec<&'static str>,
}

/// Does what is asked.
pub(crate) async fn run(desk: &Desk, command: &Command) -> Result<ExitCode, Failed> {
    match command {
        Command::List => list(desk).await,
        Command::Set(set) => put(desk, set).await,
    }
}

async fn list(desk: &Desk) -> Result<ExitCode, Failed> {
    let secrets = desk.operator.secrets().await?;
    if desk.output == Output::Json {
        say::json(&Listed { stage: &desk.operator.stage.name, secrets: &secrets });
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["SECRET", "IS", "CHANGED", "AGE"]);
    for secret in &secrets {
        table.row([
            secret.name.to_owned(),
            if secret.is_set { "set" } else { "missing" }.to_owned(),
            secret.changed_at.map(when).unwrap_or_default(),
            secret.changed_at.map(|at| ago(at, desk.now)).unwrap_or_default(),
        ]);
    }
    say::answer(&table.text());
    Ok(ExitCode::SUCCESS)
}

async fn put(desk: &Desk, set: &Set) -> Result<ExitCode, Failed> {
    let wanted = match (&set.all, set.name) {
        (Some(file), _) => parse(&read(Some(file), "NAME=value lines")?)?,
        (None, Some(name)) => {
            let text = read(set.file.as_deref(), "the secret")?;
            vec![(name, SecretString::from(text.trim()))]
        }
        (None, None) => return Err(Failed::Misused("say which secret".into())),
    };
    let mut done = Vec::new();
    let written = |name: SecretName| {
        say::note(&format!("{} is set", name.name()));
        done.push(name.name());
    };
    desk.operator.set_secrets(&wanted, set.replace_pepper, written).await?;
    let stage = &desk.operator.stage.name;
    match desk.output {
        Output::Json => say::json(&Done { stage, set: done }),
        Output::Table => say::answer(&format!(
            "{} set in the stage {stage}. A function reads it when it starts, and when a vendor refuses the old one.\n",
            words::count(done.len(), "secret", "secrets")
        )),
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: Option<&Path>, what: &str) -> Result<String, Failed> {
    match file {
        Some(file) if file.as_os_str() != "-" => std::fs::read_to_string(file)
            .map_err(|_| Failed::refused(format!("{} cannot be read as text", file.display()))),
        Some(_) | None => ask::all(what),
    }
}

/// Lines of `NAME=value`; empty values, empty lines and comments say nothing. A value is never in
/// a message, nor is a line.
fn parse(text: &str) -> Result<Vec<(SecretName, SecretString)>, Failed> {
    let mut wanted = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| Failed::refused(format!("line {number} is not NAME=value")))?;
        let value = value.trim().trim_matches('"');
        if value.is_empty() {
            continue;
        }
        let name = self::name(name.trim())
            .map_err(|fault| Failed::refused(format!("line {number}: the name {fault}")))?;
        wanted.push((name, SecretString::from(value)));
    }
    if wanted.is_empty() {
        return Err(Failed::refused("it names no secret"));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::{Failed, parse};

    #[test]
    fn a_file_names_secrets_line_by_line_and_no_line_is_repeated() {
        let text =
            "# keys\n\nPEPPER=\nSENDGRID_API_KEY=\"SG.a.b\"\nHUBSPOT_ACCESS_TOKEN = pat-eu1-x\n";
        let names: Vec<_> = parse(text).unwrap().iter().map(|(name, _)| name.name()).collect();
        assert_eq!(names, ["SENDGRID_API_KEY", "HUBSPOT_ACCESS_TOKEN"]);
        for wrong in ["SG.secret", "MY_KEY=SG.secret", "# nothing"] {
            let Err(Failed::Fault(fault)) = parse(wrong) else { panic!("{wrong} is taken") };
            assert!(!fault.to_string().contains("SG.secret"), "{fault}");
        }
    }
}
