//! `destinations`: how each stands, and a person's hand on it.

use crate::moment::{ago, when};
use crate::table::Table;
use crate::{Desk, Failed, Output, ask, author, say, trace, words};
use domain::destination::Destination;
use jiff::Timestamp;
use operator::{Line, Standing};
use serde::Serialize;
use std::process::ExitCode;

/// What is done with destinations.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// How each stands: on or off, open, shut or paused, what waits, what failed last
    List,
    /// Send a destination nothing more until somebody resumes it; what is for it waits
    Pause(Change),
    /// Send a destination what has waited, and close its breaker
    Resume(Change),
    /// Send one marked lead through the front door, and see it arrive at a destination
    Test(Test),
}

/// Options of `pause` and `resume`.
#[derive(clap::Args)]
pub(crate) struct Change {
    /// The destination
    #[arg(value_parser = words::destination)]
    destination: Destination,
    #[command(flatten)]
    author: author::Signed,
}

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Test {
    /// The destination
    #[arg(value_parser = words::destination)]
    destination: Destination,
    /// An address of your own that the lead names; `-` asks for it
    #[arg(long, value_name = "EMAIL")]
    to: String,
}

#[derive(Serialize)]
struct Listed<'a> {
    stage: &'a str,
    destinations: &'a [Standing],
}

#[derive(Serialize)]
struct Changed<'a> {
    stage: &'a str,
    destination: Destination,
    gate: &'static str,
}

/// Does what is asked.
pub(crate) async fn run(desk: &Desk, command: &Command) -> Result<ExitCode, Failed> {
    match command {
        Command::List => list(desk).await,
        Command::Pause(change) => {
            let author = change.author.author(desk).await?;
            desk.operator.pause(change.destination, &author, desk.now).await?;
            changed(desk, change.destination, "it is paused, and what is for it waits").await
        }
        Command::Resume(change) => {
            let author = change.author.author(desk).await?;
            desk.operator.resume(change.destination, &author, desk.now).await?;
            changed(desk, change.destination, "what has waited goes out within minutes").await
        }
        Command::Test(test) => try_out(desk, test).await,
    }
}

async fn list(desk: &Desk) -> Result<ExitCode, Failed> {
    let standings = desk.operator.destinations(desk.now).await?;
    match desk.output {
        Output::Json => {
            let stage = &desk.operator.stage.name;
            say::json(&Listed { stage, destinations: &standings });
        }
        Output::Table => say::answer(&table(&standings, desk.now).text()),
    }
    Ok(ExitCode::SUCCESS)
}

fn table(standings: &[Standing], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        "DESTINATION",
        "IS",
        "GATE",
        "SINCE",
        "NEXT TRY",
        "A MINUTE",
        "WAITING",
        "DEAD",
        "QUEUE",
        "SAYS",
    ]);
    for one in standings {
        let is = if one.off.is_some() { "off" } else { "on" };
        let gate = match one.gate {
            // A breaker that is closed is a door that is open.
            "closed" => "open",
            "open" => "shut",
            "half_open" => "being tried",
            other => other,
        };
        let per_minute =
            if one.per_minute == 0 { "any".to_owned() } else { one.per_minute.to_string() };
        table.row([
            one.destination.to_string(),
            is.to_owned(),
            gate.to_owned(),
            one.since.map(when).unwrap_or_default(),
            one.next_probe.map(|at| ago(at, now)).unwrap_or_default(),
            per_minute,
            one.backlog.due.to_string(),
            one.backlog.dead.to_string(),
            one.backlog.queue.to_string(),
            says(one),
        ]);
    }
    table
}

fn says(one: &Standing) -> String {
    let by = one.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
    let last = || one.last_error.as_ref().map(|error| format!("last shut: {error}"));
    let why = one.why.as_ref().map(|why| format!("{why}{by}"));
    one.off.clone().or(why).or_else(last).unwrap_or_default()
}

async fn changed(desk: &Desk, to: Destination, says: &str) -> Result<ExitCode, Failed> {
    let standing = desk.operator.standing(to, desk.now).await?;
    let stage = &desk.operator.stage.name;
    match desk.output {
        Output::Json => say::json(&Changed { stage, destination: to, gate: standing.gate }),
        Output::Table => say::answer(&format!("{to}: {says}.\n")),
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Tried<'a> {
    stage: &'a str,
    event_id: String,
    delivery: &'a Line,
}

async fn try_out(desk: &Desk, test: &Test) -> Result<ExitCode, Failed> {
    let address = match test.to.as_str() {
        "-" => ask::line("an e-mail address of your own:")?,
        address => address.to_owned(),
    };
    let tried = desk.operator.try_out(test.destination, &address, desk.now);
    let (event_id, line) = tried.await?;
    let done = matches!(line, Line::Delivery { state: "delivered" | "accepted_unverifiable", .. });
    match desk.output {
        Output::Json => {
            let stage = &desk.operator.stage.name;
            say::json(&Tried { stage, event_id: event_id.to_string(), delivery: &line });
        }
        Output::Table => say::answer(&format!(
            "{}: {}\nIts journey is {event_id}, and its name there is Throughline Test: take it away by hand.\n",
            test.destination,
            trace::delivery_says(&line, desk.now)
        )),
    }
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
