//! `dlq redrive` and `dlq drop`: first what would be done, and only with `--yes` is it done.

use super::{Which, show};
use crate::moment::length;
use crate::table::Table;
use crate::{Desk, Failed, Output, author, say, words};
use operator::{Dead, Outcome, Pace, Remedy, Stray};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// How many deliveries pass between two lines of progress.
const STEP: usize = 50;

/// The most rows that a plan shows.
const ROWS: usize = 20;

/// Options of `dlq redrive`.
#[derive(clap::Args)]
pub(crate) struct Redrive {
    #[command(flatten)]
    which: Which,
    /// All of them
    #[arg(long)]
    all: bool,
    /// How many are sent in a minute
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=i64::from(Pace::FASTEST)))]
    rate: u32,
    /// Also calls of which nobody knows whether they happened: somebody may hear twice
    #[arg(long)]
    even_if_it_happened: bool,
    #[command(flatten)]
    author: author::Signed,
    /// Do it
    #[arg(long)]
    yes: bool,
}

/// Options of `dlq drop`.
#[derive(clap::Args)]
pub(crate) struct Drop {
    #[command(flatten)]
    which: Which,
    /// All of them
    #[arg(long)]
    all: bool,
    /// Only this message, which is no copy of a dead delivery (`dlq list` names them)
    #[arg(long, value_name = "MESSAGE", conflicts_with_all = ["all", "destination", "reason", "older_than", "event"])]
    message: Option<String>,
    /// Only copies of deliveries that are dead no longer, as a replay leaves them on the queues
    #[arg(long, conflicts_with_all = ["all", "message", "reason", "older_than", "event"])]
    copies: bool,
    #[command(flatten)]
    author: author::Signed,
    /// Do it
    #[arg(long)]
    yes: bool,
}

/// What would be done, or was.
#[derive(Serialize)]
struct Plan<'a> {
    stage: &'a str,
    remedy: &'static str,
    dry_run: bool,
    deliveries: &'a [Dead],
    left: &'a [Dead],
    per_minute: Option<u32>,
    lasts_seconds: i64,
    outcome: Option<Outcome>,
}

/// Begins dead deliveries again.
pub(super) async fn redrive(desk: &Desk, arguments: &Redrive) -> Result<ExitCode, Failed> {
    let author = arguments.author.author(desk).await?;
    let found = meant(desk, &arguments.which, arguments.all).await?;
    let (left, dead): (Vec<Dead>, Vec<Dead>) =
        found.into_iter().partition(|one| one.is_unknown() && !arguments.even_if_it_happened);
    let pace = Pace::per_minute(arguments.rate);
    let mut plan = Plan {
        stage: &desk.operator.stage.name,
        remedy: "redrive",
        dry_run: !arguments.yes,
        deliveries: &dead,
        left: &left,
        per_minute: Some(arguments.rate),
        lasts_seconds: pace.lasts(dead.len().saturating_sub(1)).as_secs(),
        outcome: None,
    };
    show_plan(desk, &plan);
    if dead.is_empty() {
        return Err(Failed::refused(
            "nothing is begun again: nobody knows whether these happened. Settle each with \
             `throughline dlq settle`, or say --even-if-it-happened",
        ));
    }
    if arguments.yes {
        plan.outcome = Some(act(desk, &dead, Remedy::Redrive(pace), &author).await?);
    }
    finish(desk, &plan)
}

/// Gives dead deliveries up.
pub(super) async fn give_up(desk: &Desk, arguments: &Drop) -> Result<ExitCode, Failed> {
    let author = arguments.author.author(desk).await?;
    if let Some(message) = &arguments.message {
        return drop_message(desk, message, arguments.yes).await;
    }
    if arguments.copies {
        return drop_copies(desk, &arguments.which, arguments.yes).await;
    }
    let dead = meant(desk, &arguments.which, arguments.all).await?;
    let mut plan = Plan {
        stage: &desk.operator.stage.name,
        remedy: "drop",
        dry_run: !arguments.yes,
        deliveries: &dead,
        left: &[],
        per_minute: None,
        lasts_seconds: 0,
        outcome: None,
    };
    show_plan(desk, &plan);
    if arguments.yes {
        plan.outcome = Some(act(desk, &dead, Remedy::Drop, &author).await?);
    }
    finish(desk, &plan)
}

/// The dead deliveries that are meant. All of them only where that is said.
async fn meant(desk: &Desk, which: &Which, all: bool) -> Result<Vec<Dead>, Failed> {
    if which.is_all() && !all {
        return Err(Failed::Misused(
            "say which: --destination, --reason, --older-than, --event, or --all".into(),
        ));
    }
    let dead = desk.operator.dead(&which.filter(), desk.now).await?;
    if dead.is_empty() {
        return Err(Failed::refused(
            "no dead delivery fits. What is delivered is not sent again from here: see `throughline replay`",
        ));
    }
    Ok(dead)
}

async fn act(
    desk: &Desk,
    dead: &[Dead],
    remedy: Remedy,
    author: &operator::Author,
) -> Result<Outcome, Failed> {
    let of = dead.len();
    let progress = |done: usize| {
        if done.is_multiple_of(STEP) || done == of {
            say::note(&format!("{done} of {of}"));
        }
    };
    Ok(desk.operator.mend(dead, remedy, author, desk.now, progress).await?)
}

/// What would be done, for people: how many of what, how long it takes, and the first of them.
fn show_plan(desk: &Desk, plan: &Plan<'_>) {
    if desk.output == Output::Json {
        return;
    }
    let mut sums: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for one in plan.deliveries {
        *sums.entry((one.destination().to_string(), one.reason())).or_default() += 1;
    }
    let mut table = Table::new(&["DESTINATION", "REASON", "DELIVERIES"]);
    for ((destination, reason), sum) in sums {
        table.row([destination, reason.to_owned(), sum.to_string()]);
    }
    say::answer(&table.text());
    let shown = &plan.deliveries[..plan.deliveries.len().min(ROWS)];
    say::answer(&format!("\n{}", show::table(shown, desk.now).text()));
    if plan.deliveries.len() > ROWS {
        say::answer(&format!("… and {} more\n", plan.deliveries.len() - ROWS));
    }
    if !plan.left.is_empty() {
        say::note(&format!(
            "{} left alone: nobody knows whether they happened (`throughline dlq settle`)",
            words::count(plan.left.len(), "is", "are")
        ));
    }
}

fn finish(desk: &Desk, plan: &Plan<'_>) -> Result<ExitCode, Failed> {
    if desk.output == Output::Json {
        say::json(plan);
        return Ok(ExitCode::SUCCESS);
    }
    let number = words::count(plan.deliveries.len(), "delivery", "deliveries");
    let lasts = length(jiff::SignedDuration::from_secs(plan.lasts_seconds));
    let pace = plan.per_minute.map(|rate| format!(", {rate} a minute, over {lasts}"));
    let pace = pace.unwrap_or_default();
    say::answer(&match &plan.outcome {
        None => format!("\nWould {} {number}{pace}. Nothing is changed: say --yes.\n", plan.remedy),
        Some(outcome) => format!(
            "\n{} of {number}: done and recorded{pace}; {} changed meanwhile and left; {} taken off the dead letters.\n",
            outcome.done,
            outcome.changed_meanwhile,
            words::count(outcome.copies_removed, "copy", "copies"),
        ),
    });
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Message<'a> {
    stage: &'a str,
    dry_run: bool,
    message: &'a Stray,
}

/// Takes one message off the dead letters that is no copy of a dead delivery.
async fn drop_message(desk: &Desk, message_id: &str, yes: bool) -> Result<ExitCode, Failed> {
    let message = if yes {
        desk.operator.drop_stray(message_id).await?
    } else {
        let strays = desk.operator.strays(None).await?;
        let found = strays.into_iter().find(|stray| stray.message_id == message_id);
        found
            .ok_or_else(|| Failed::refused("no such message: `throughline dlq list` names them"))?
    };
    let stage = &desk.operator.stage.name;
    match desk.output {
        Output::Json => say::json(&Message { stage, dry_run: !yes, message: &message }),
        Output::Table if yes => say::answer("The message is gone.\n"),
        Output::Table => say::answer(&format!(
            "Would take the message off the dead letters of {} ({}). Nothing is changed: say --yes.\n",
            message.function, message.says
        )),
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Copies<'a> {
    stage: &'a str,
    dry_run: bool,
    copies: &'a [Stray],
    copies_removed: usize,
}

/// Takes the copies off the dead letters whose deliveries are dead no longer.
async fn drop_copies(desk: &Desk, which: &Which, yes: bool) -> Result<ExitCode, Failed> {
    let mut copies = desk.operator.strays(which.filter().destination).await?;
    copies.retain(Stray::is_copy);
    let removed = if yes { desk.operator.drop_copies(&copies, desk.now).await? } else { 0 };
    let stage = &desk.operator.stage.name;
    if desk.output == Output::Json {
        say::json(&Copies { stage, dry_run: !yes, copies: &copies, copies_removed: removed });
        return Ok(ExitCode::SUCCESS);
    }
    if !copies.is_empty() {
        say::answer(&show::others_table(&copies, desk.now).text());
    }
    let number = |count| words::count(count, "copy", "copies");
    say::answer(&if yes {
        format!("{} taken off the dead letters.\n", number(removed))
    } else {
        format!(
            "Would take {} off the dead letters. Nothing is changed: say --yes.\n",
            number(copies.len())
        )
    });
    Ok(ExitCode::SUCCESS)
}
