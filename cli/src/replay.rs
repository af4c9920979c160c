//! `replay`: facts dispatched once more, on purpose. First what would happen, and only with `--yes`
//! does it.

use crate::moment::{Written, ago, length, when};
use crate::table::Table;
use crate::{Desk, Failed, Output, author, say, words};
use domain::destination::Destination;
use domain::id::EventId;
use operator::{Fill, Intent, Pace, ReplayOutcome, ReplayPlan};
use serde::Serialize;
use std::process::ExitCode;

/// How many facts pass between two lines of progress.
const STEP: usize = 100;

/// The most rows that a plan shows.
const ROWS: usize = 20;

/// Options of `replay`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The journey of one fact
    #[arg(value_parser = words::event_id, requires = "fact", conflicts_with_all = ["since", "until", "again"])]
    event_id: Option<EventId>,
    /// The fact, as `trace` names it: lead#1, stripe#evt_…
    fact: Option<String>,
    /// Where to; may be said several times for one fact [default there: everywhere]
    #[arg(long, value_parser = words::destination)]
    destination: Vec<Destination>,
    /// All facts that were recorded since then: 2026-11-20, 2026-11-20T10:00:00Z, 3d
    #[arg(long, value_name = "TIME", value_parser = Written::parse)]
    since: Option<Written>,
    /// Only those that were recorded before then [default: now]
    #[arg(long, value_name = "TIME", value_parser = Written::parse, requires = "since")]
    until: Option<Written>,
    /// Also those that the destination was told before, and those that were given up there
    #[arg(long, requires = "since")]
    again: bool,
    /// Also calls of which nobody knows whether they happened: somebody may hear twice
    #[arg(long, conflicts_with = "since")]
    even_if_it_happened: bool,
    /// How many facts are dispatched in a minute
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=i64::from(Pace::FASTEST)))]
    rate: u32,
    /// Find the facts of a time and show them, but change nothing
    #[arg(long, requires = "since", conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    author: author::Signed,
    /// Do it
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    stage: &'a str,
    dry_run: bool,
    per_minute: u32,
    lasts_seconds: i64,
    #[serde(flatten)]
    plan: &'a ReplayPlan,
    outcome: Option<ReplayOutcome>,
}

#[derive(Serialize)]
struct Estimate<'a> {
    stage: &'a str,
    dry_run: bool,
    table_items: u64,
    table_bytes: u64,
}

/// Plans, shows, and with `--yes` writes the wishes.
pub(crate) async fn run(desk: &Desk, arguments: &Arguments) -> Result<ExitCode, Failed> {
    let author = arguments.author.author(desk).await?;
    let Some(plan) = plan(desk, arguments).await? else { return Ok(ExitCode::SUCCESS) };
    let pace = Pace::per_minute(arguments.rate);
    if desk.output == Output::Table {
        show(&plan, desk);
    }
    if plan.facts.iter().flat_map(|fact| &fact.at).all(|told| told.does == "leave") {
        return Err(Failed::refused(
            "there is nothing to replay: no destination that is meant would be told anything",
        ));
    }
    let mut answer = Answer {
        stage: &desk.operator.stage.name,
        dry_run: !arguments.yes,
        per_minute: arguments.rate,
        lasts_seconds: pace.lasts(plan.facts.len().saturating_sub(1)).as_secs(),
        plan: &plan,
        outcome: None,
    };
    if arguments.yes {
        let of = plan.facts.len();
        let progress = |done: usize| {
            if done.is_multiple_of(STEP) || done == of {
                say::note(&format!("{done} of {of}"));
            }
        };
        answer.outcome =
            Some(desk.operator.replay(&plan, pace, &author, desk.now, progress).await?);
    }
    finish(desk, &answer)
}

/// What is meant; nothing where only the size of the work is shown.
async fn plan(desk: &Desk, arguments: &Arguments) -> Result<Option<ReplayPlan>, Failed> {
    match (arguments.event_id, &arguments.fact, arguments.since) {
        (Some(event_id), Some(fact), None) => {
            let named = arguments.destination.clone();
            let all = || Destination::ALL.to_vec();
            let intent = Intent {
                destinations: if named.is_empty() { all() } else { named },
                again: true,
                even_if_it_happened: arguments.even_if_it_happened,
            };
            Ok(Some(desk.operator.plan_replay(event_id, fact, intent).await?))
        }
        (None, None, Some(since)) => {
            let [destination] = arguments.destination[..] else {
                return Err(Failed::Misused("say one --destination with --since".into()));
            };
            if !arguments.yes && !arguments.dry_run {
                return estimate(desk).await.map(|()| None);
            }
            let until = arguments.until.map_or(desk.now, |until| until.before(desk.now));
            let since = since.before(desk.now);
            let fill = Fill { destination, since, until, again: arguments.again };
            let progress = |items: u64| say::note(&format!("looked at {items} items"));
            Ok(Some(desk.operator.plan_fill(&fill, progress).await?))
        }
        (Some(_) | None, Some(_) | None, Some(_) | None) => Err(Failed::Misused(
            "say which fact (an event_id and a fact, as `trace` names it), or --destination and --since"
                .into(),
        )),
    }
}

/// How much must be read to find the facts of a time.
async fn estimate(desk: &Desk) -> Result<(), Failed> {
    let table = desk.operator.table().await?;
    let stage = desk.operator.stage.name.as_str();
    let (table_items, table_bytes) = (table.items, table.bytes);
    match desk.output {
        Output::Json => {
            say::json(&Estimate { stage, dry_run: true, table_items, table_bytes });
        }
        Output::Table => say::answer(&format!(
            "Facts are not listed by their time: to find these, the whole table is read, about \
             {table_items} items in {} MB\n(AWS counts them every six hours), once. Nothing is read yet: say \
             --dry-run to find them and look, --yes to replay them.\n",
            table_bytes / 1_000_000
        )),
    }
    Ok(())
}

fn show(plan: &ReplayPlan, desk: &Desk) {
    let mut table =
        Table::new(&["RECORDED", "AGE", "EVENT_ID", "FACT", "KIND", "AT", "NOW", "THEN"]);
    for fact in plan.facts.iter().take(ROWS) {
        for told in &fact.at {
            table.row([
                when(fact.recorded_at),
                ago(fact.recorded_at, desk.now),
                fact.event_id.to_string(),
                fact.fact.clone(),
                fact.kind.clone(),
                told.destination.to_string(),
                told.state.unwrap_or("none").to_owned(),
                told.does.replace('_', " "),
            ]);
        }
    }
    say::answer(&table.text());
    if plan.facts.len() > ROWS {
        say::answer(&format!("… and {} more facts\n", plan.facts.len() - ROWS));
    }
}

fn finish(desk: &Desk, answer: &Answer<'_>) -> Result<ExitCode, Failed> {
    if desk.output == Output::Json {
        say::json(answer);
        return Ok(ExitCode::SUCCESS);
    }
    let facts = words::count(answer.plan.facts.len(), "fact", "facts");
    let lasts = length(jiff::SignedDuration::from_secs(answer.lasts_seconds));
    let pace = format!("{} a minute, over {lasts}", answer.per_minute);
    say::answer(&match &answer.outcome {
        None => format!("\nWould replay {facts}, {pace}. Nothing is changed: say --yes.\n"),
        Some(outcome) => format!(
            "\n{} of {facts}: the wish is written and recorded, and the sweeper fulfils it ({pace}); {} left, \
             which wait already.\n",
            outcome.wished, outcome.left
        ),
    });
    Ok(ExitCode::SUCCESS)
}
