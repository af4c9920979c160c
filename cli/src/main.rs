//! `throughline`: the operator's command. It asks and prints; what is done is in `operator`.
//!
//! Answers go to standard output, as tables or as one JSON document; everything else to standard
//! error. It ends with 0 when it is done, 1 when it failed or was refused, 2 when it was misused.

mod ask;
mod author;
mod catalogue;
mod destinations;
mod dlq;
mod doctor;
mod here;
mod moment;
mod replay;
mod say;
mod secrets;
mod table;
mod trace;
mod words;

use clap::{Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use operator::{Fault, Operator, Whereabouts};
use std::path::PathBuf;
use std::process::ExitCode;

/// Sees and mends what happens to leads and payments, on this machine or in a deployed stage.
///
/// Without --stage it works on the local stack (.local/stack.json). A deployed stage is found by its
/// name; who you are there is what the AWS tools would say: --profile, AWS_PROFILE, ~/.aws.
///
/// What you type stays in your shell's history: give an e-mail address as `-` and type it when you
/// are asked, or pipe it in. Secrets are never arguments.
#[derive(Parser)]
#[command(name = "throughline", version, about)]
struct Arguments {
    /// Work on the local stack that this file describes [default: .local/stack.json]
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    local: Option<Option<PathBuf>>,
    /// Work on this deployed stage (dev, staging, prod)
    #[arg(long, global = true, value_name = "STAGE")]
    stage: Option<String>,
    /// The profile in ~/.aws to sign in with
    #[arg(long, global = true, value_name = "PROFILE")]
    profile: Option<String>,
    /// The region of the stage
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// How the answer is printed
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

/// How the answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs: one document.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// What happened to a journey, a payment or somebody, line by line
    Trace(trace::Arguments),
    /// What was given up: look at it, begin it again, drop it, settle it
    #[command(subcommand)]
    Dlq(dlq::Command),
    /// Dispatch a fact once more on purpose, or fill a destination that was switched on later
    Replay(replay::Arguments),
    /// Who is told: how each destination stands; pause, resume, try it
    #[command(subcommand)]
    Destinations(destinations::Command),
    /// The stage's secrets: which are set, and setting them
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// The products and their prices
    #[command(subcommand)]
    Catalogue(catalogue::Command),
    /// Check the stage: what is missing or wrong, and what to do
    Doctor,
}

/// What every command works with.
struct Desk {
    operator: Operator,
    output: Output,
    now: Timestamp,
}

/// Why a command did not do what was asked.
#[derive(Debug)]
enum Failed {
    /// It was misused.
    Misused(String),
    /// It failed, or was refused.
    Fault(Fault),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Failed {
    /// A refusal of the command's own.
    fn refused(why: impl Into<String>) -> Self {
        Self::Fault(Fault::Refused(why.into()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(Failed::Misused(why)) => {
            say::note(&format!("error: {why}"));
            ExitCode::from(2)
        }
        Err(Failed::Fault(fault)) => {
            say::note(&format!("error: {fault}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failed> {
    let whereabouts = whereabouts(&arguments)?;
    let operator = match &arguments.command {
        // A stage's secrets are set before it is deployed for the first time.
        Command::Secrets(_) | Command::Catalogue(_) => Operator::prepare(&whereabouts).await?,
        Command::Trace(_)
        | Command::Dlq(_)
        | Command::Replay(_)
        | Command::Destinations(_)
        | Command::Doctor => Operator::open(&whereabouts).await?,
    };
    if !operator.stage.is_deployed {
        let name = &operator.stage.name;
        say::note(&format!(
            "the stage {name} is not deployed here yet: check the name if it should be"
        ));
    }
    let desk = Desk { operator, output: arguments.output, now: here::now() };
    match arguments.command {
        Command::Trace(options) => trace::run(&desk, &options).await,
        Command::Dlq(command) => dlq::run(&desk, &command).await,
        Command::Replay(options) => replay::run(&desk, &options).await,
        Command::Destinations(command) => destinations::run(&desk, &command).await,
        Command::Secrets(command) => secrets::run(&desk, &command).await,
        Command::Catalogue(command) => catalogue::run(&desk, &command).await,
        Command::Doctor => doctor::run(&desk).await,
    }
}

/// Which stage is meant: the one that is named, or else the local one.
fn whereabouts(arguments: &Arguments) -> Result<Whereabouts, Failed> {
    match (&arguments.stage, &arguments.local) {
        (Some(_), Some(_)) => Err(Failed::Misused("say either --local or --stage".into())),
        (Some(stage), None) => Ok(Whereabouts::Deployed {
            stage: stage.clone(),
            profile: arguments.profile.clone(),
            region: arguments.region.clone(),
        }),
        (None, Some(Some(file))) => Ok(Whereabouts::Local(file.clone())),
        (None, Some(None) | None) => here::local_stack().map(Whereabouts::Local).ok_or_else(|| {
            Failed::Misused(
                "no local stack runs (.local/stack.json): start one with `cargo xtask up`, or name a \
                 deployed stage with --stage"
                    .into(),
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Command, Failed, whereabouts};
    use clap::{CommandFactory, Parser};
    use operator::Whereabouts;

    fn parse(words: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(words.split(' '))
    }

    #[test]
    fn every_argument_is_declared_once_and_right() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_stage_is_the_one_that_is_named() {
        let named = parse("throughline trace x --stage prod --region eu-west-1").unwrap();
        let Whereabouts::Deployed { stage, region, .. } = whereabouts(&named).unwrap() else {
            panic!("prod is no local stack")
        };
        assert_eq!((stage.as_str(), region.as_deref()), ("prod", Some("eu-west-1")));
        let local = parse("throughline --local=other/stack.json trace x").unwrap();
        assert_eq!(whereabouts(&local).unwrap(), Whereabouts::Local("other/stack.json".into()));
        let both = parse("throughline --local=a --stage dev trace x").unwrap();
        assert!(matches!(whereabouts(&both), Err(Failed::Misused(_))));
    }

    #[test]
    fn nothing_is_asked_for_faster_than_the_sweeper_is() {
        for command in ["dlq redrive --all", "replay --destination slack --since 1h"] {
            let at = |rate: u32| parse(&format!("throughline {command} --why x --rate {rate}"));
            assert!(at(3_000).is_ok() && at(3_001).is_err(), "{command}");
        }
    }

    #[test]
    fn a_word_after_local_is_the_command() {
        let Ok(Arguments { local: Some(None), command: Command::Trace(_), .. }) =
            parse("throughline --local trace x")
        else {
            panic!("`--local trace` takes the command for a file")
        };
    }
}
