//! `catalogue`: the products and their prices, checked before they are put into the stage.

use crate::{Desk, Failed, Output, ask, say};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// What is done with the catalogue.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Check a catalogue and put it into the stage
    Push {
        /// The file, in the shape of config/catalogue.sample.json; `-` is standard input
        file: PathBuf,
    },
}

#[derive(Serialize)]
struct Pushed<'a> {
    stage: &'a str,
    pushed: bool,
}

/// Does what is asked.
pub(crate) async fn run(desk: &Desk, command: &Command) -> Result<ExitCode, Failed> {
    let Command::Push { file } = command;
    let json = if file.as_os_str() == "-" {
        ask::all("the catalogue")?
    } else {
        std::fs::read_to_string(file)
            .map_err(|_| Failed::refused(format!("{} cannot be read as text", file.display())))?
    };
    desk.operator.push_catalogue(&json).await?;
    let stage = &desk.operator.stage.name;
    match desk.output {
        Output::Json => say::json(&Pushed { stage, pushed: true }),
        Output::Table => say::answer(&format!(
            "The catalogue is in the stage {stage}. create-payment-intent reads it when it starts anew: with \
             the next deploy, or when it has been idle.\n"
        )),
    }
    Ok(ExitCode::SUCCESS)
}
