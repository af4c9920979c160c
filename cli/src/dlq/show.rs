//! `dlq list` and `dlq show`: looking changes nothing.

use super::Which;
use crate::moment::{ago, when};
use crate::table::Table;
use crate::{Desk, Failed, Output, say, trace, words};
use domain::id::EventId;
use jiff::Timestamp;
use operator::{Dead, Filter, Line, Stray};
use serde::Serialize;
use std::process::ExitCode;

/// Options of `dlq show`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The journey
    #[arg(value_parser = words::event_id)]
    event_id: EventId,
}

#[derive(Serialize)]
struct Listed<'a> {
    stage: &'a str,
    dead: &'a [Dead],
    strays: &'a [Stray],
}

/// Lists what is dead.
pub(super) async fn list(desk: &Desk, which: &Which) -> Result<ExitCode, Failed> {
    let filter = which.filter();
    let dead = desk.operator.dead(&filter, desk.now).await?;
    // A message that is no dead delivery's has no reason, age or journey to be asked for.
    let others =
        filter.reason.is_none() && filter.older_than.is_none() && filter.event_id.is_none();
    let strays = if others { desk.operator.strays(filter.destination).await? } else { Vec::new() };
    let stage = &desk.operator.stage.name;
    match desk.output {
        Output::Json => say::json(&Listed { stage, dead: &dead, strays: &strays }),
        Output::Table => {
            say::answer(&table(&dead, desk.now).text());
            if !strays.is_empty() {
                say::answer("\nOther messages among the dead letters:\n");
                say::answer(&others_table(&strays, desk.now).text());
            }
            let sum = words::count(dead.len(), "dead delivery", "dead deliveries");
            say::note(&format!("{sum} in the stage {stage}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Dead deliveries, a row each.
pub(super) fn table(dead: &[Dead], now: Timestamp) -> Table {
    let mut table = Table::new(&["DIED", "AGE", "EVENT_ID", "DELIVERY", "REASON", "CALLS", "SAID"]);
    for one in dead {
        let Line::Delivery { delivery, attempts, detail, .. } = &one.line else { continue };
        table.row([
            when(one.died_at()),
            ago(one.died_at(), now),
            one.event_id.to_string(),
            delivery.clone(),
            one.reason().to_owned(),
            attempts.to_string(),
            detail.clone().unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn others_table(strays: &[Stray], now: Timestamp) -> Table {
    let mut table = Table::new(&["AGE", "FUNCTION", "MESSAGE", "EVENT_ID", "DELIVERY", "IS"]);
    for stray in strays {
        table.row([
            stray.sent_at.map(|at| ago(at, now)).unwrap_or_default(),
            stray.function.clone(),
            stray.message_id.clone(),
            stray.event_id.clone().unwrap_or_default(),
            stray.delivery.clone().unwrap_or_default(),
            stray.says.clone(),
        ]);
    }
    table
}

#[derive(Serialize)]
struct Shown<'a> {
    event_id: EventId,
    dead: &'a [Dead],
    by_hand: Vec<Line>,
}

/// Shows the dead deliveries of one journey, with all that was done to them by hand.
pub(super) async fn one(desk: &Desk, arguments: &Arguments) -> Result<ExitCode, Failed> {
    let event_id = arguments.event_id;
    let filter = Filter { event_id: Some(event_id), ..Filter::default() };
    let dead = desk.operator.dead(&filter, desk.now).await?;
    let Some(story) = desk.operator.story(event_id).await? else {
        return Err(Failed::refused("the stage knows no such journey"));
    };
    if dead.is_empty() {
        return Err(Failed::refused(
            "nothing is dead in this journey; `throughline trace` tells all of it",
        ));
    }
    let is_audit = |line: &Line| matches!(line, Line::Audit { .. });
    let by_hand: Vec<Line> = story.lines.into_iter().filter(is_audit).collect();
    match desk.output {
        Output::Json => say::json(&Shown { event_id, dead: &dead, by_hand }),
        Output::Table => {
            for one in &dead {
                say::answer(&format!("{}\n", describe(one, desk.now)));
            }
            for line in &by_hand {
                say::answer(&format!("by hand    {}\n", trace::audit_says(line)));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A dead delivery, a line for each thing to know.
fn describe(dead: &Dead, now: Timestamp) -> String {
    let Line::Delivery { delivery, detail, attempts, request_id, opened_at, replays, .. } =
        &dead.line
    else {
        return String::new();
    };
    let none = || "none".to_owned();
    let advice = if dead.is_unknown() {
        "look at the vendor whether it happened, then `throughline dlq settle`"
    } else {
        "mend the cause, then `throughline dlq redrive`; or `throughline dlq drop`"
    };
    format!(
        "delivery   {delivery}\nreason     {}\nsaid       {}\ncalls      {attempts}\nrequest    {}\n\
         opened     {} ({})\ndied       {} ({})\nreplays    {replays}\nnext       {advice}\n",
        dead.reason(),
        detail.clone().unwrap_or_else(none),
        request_id.clone().unwrap_or_else(none),
        when(*opened_at),
        ago(*opened_at, now),
        when(dead.died_at()),
        ago(dead.died_at(), now),
    )
}
