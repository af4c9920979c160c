//! `dlq settle`: a person looked at the vendor, and says what happened.

use crate::{Desk, Failed, Output, author, say, words};
use domain::id::EventId;
use operator::Outcome;
use serde::Serialize;
use std::process::ExitCode;

/// Options of `dlq settle`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("said").required(true))]
pub(crate) struct Arguments {
    /// The journey
    #[arg(value_parser = words::event_id)]
    event_id: EventId,
    /// The delivery as `trace` names it: effect#destination
    delivery: String,
    /// The vendor made it: the e-mail, the message is there
    #[arg(long, group = "said")]
    happened: bool,
    /// The vendor never made it: it is sent again
    #[arg(long, group = "said")]
    did_not_happen: bool,
    #[command(flatten)]
    author: author::Signed,
}

#[derive(Serialize)]
struct Settled<'a> {
    event_id: EventId,
    delivery: &'a str,
    happened: bool,
    outcome: Outcome,
}

/// Settles it.
pub(super) async fn run(desk: &Desk, arguments: &Arguments) -> Result<ExitCode, Failed> {
    let author = arguments.author.author(desk).await?;
    let (event_id, delivery) = (arguments.event_id, arguments.delivery.as_str());
    let happened = arguments.happened;
    let settled = desk.operator.settle(event_id, delivery, happened, &author, desk.now);
    let outcome = settled.await?;
    match desk.output {
        Output::Json => say::json(&Settled { event_id, delivery, happened, outcome }),
        Output::Table if happened => say::answer("Settled: it had happened. It is delivered.\n"),
        Output::Table => say::answer("Settled: it had not happened. It is queued again.\n"),
    }
    Ok(ExitCode::SUCCESS)
}
