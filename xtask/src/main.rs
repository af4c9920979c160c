//! Developer commands: `cargo xtask up | down | demo | test | soak | bench | cost`. Each command is one file.

mod aws;
mod background;
mod bench;
mod compile;
mod cost;
mod daemon;
mod demo;
mod deploy;
mod down;
mod engine;
mod faults;
mod happenings;
mod http;
mod lock;
mod mutants;
mod page;
mod place;
mod sandbox;
mod say;
mod settings;
mod size;
mod soak;
mod stack;
mod tail;
mod test;
mod tools;
mod up;
mod web;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs, shows and tests Throughline on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// Where the running stack keeps its files; another folder is another stack.
    #[arg(long, global = true, default_value = ".local", value_name = "FOLDER")]
    folder: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything: local AWS, vendors' stand-ins, the deployed functions, the page.
    Up(up::Arguments),
    /// Stop what `up` started.
    Down,
    /// Play a lead, a payment and a refund, and check who heard what.
    Demo(demo::Arguments),
    /// Format, lints, tests, template, policy, and the deployed whole from outside.
    Test(test::Arguments),
    /// The long runs: histories by luck, every pair of faults, planted mistakes and small changes,
    /// hostile input, and the deployed whole while everything fails.
    Soak(soak::Arguments),
    /// What it costs at AWS, for us and for the designs people use today.
    Cost(cost::Arguments),
    /// Measure the functions beside reference handlers in Node.
    Bench(bench::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            say::failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    place::program()?;
    let place = place::Place::new(&arguments.folder);
    match arguments.command {
        Command::Up(options) => up::run(&place, options).await?,
        Command::Down => down::run(&place).await?,
        Command::Demo(options) => demo::run(&place, options).await?,
        Command::Test(options) => return test::run(options).await,
        Command::Cost(options) => cost::run(&options)?,
        Command::Soak(options) => return soak::run(options).await,
        Command::Bench(options) => return bench::run(options).await,
    }
    Ok(ExitCode::SUCCESS)
}
