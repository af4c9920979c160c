//! `trace`: a journey's story, line by line.

use crate::moment::{ago, length, when};
use crate::table::Table;
use crate::{Desk, Failed, Output, ask, say};
use jiff::Timestamp;
use operator::{Line, Story, Wanted};
use serde::Serialize;
use std::process::ExitCode;

/// Options of `trace`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// An event_id, a payment intent (pi_…), a person's key (v1_…) or an e-mail address; `-` asks
    /// for it, so that an address is not in your shell's history
    wanted: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    looked_for: &'static str,
    journeys: &'a [Story],
}

/// Finds the journeys, and tells each.
pub(crate) async fn run(desk: &Desk, arguments: &Arguments) -> Result<ExitCode, Failed> {
    let text = match arguments.wanted.as_str() {
        "-" => ask::line("event_id, payment intent or e-mail address:")?,
        text => text.to_owned(),
    };
    let wanted = Wanted::parse(&text)?;
    let mut stories = Vec::new();
    for event_id in desk.operator.find(&wanted).await? {
        stories.extend(desk.operator.story(event_id).await?);
    }
    if stories.is_empty() {
        return Err(Failed::refused(format!(
            "the stage {} knows no such {}: check the stage, and whether it is older than facts are kept",
            desk.operator.stage.name,
            wanted.kind().replace('_', " ")
        )));
    }
    match desk.output {
        Output::Json => say::json(&Answer { looked_for: wanted.kind(), journeys: &stories }),
        Output::Table => tell(&stories, desk.now),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(stories: &[Story], now: Timestamp) {
    if stories.len() > 1 {
        say::answer(&format!("{} journeys:\n", stories.len()));
        for story in stories {
            say::answer(&format!("  {}\n", story.event_id));
        }
    }
    for story in stories {
        say::answer(&format!("\n{}\n", heading(story, now)));
        say::answer(&lines(story, now).text());
    }
}

fn heading(story: &Story, now: Timestamp) -> String {
    let mut heading = format!("journey {}", story.event_id);
    if let Some(person) = &story.person {
        heading.push_str(&format!(", person {person}"));
    }
    if let Some(at) = story.erased_at {
        heading.push_str(&format!(", erased {}", ago(at, now)));
    }
    if story.unreadable > 0 {
        heading.push_str(&format!(
            "\n{} of its items cannot be read by this version: use a newer one",
            story.unreadable
        ));
    }
    heading
}

/// A journey's lines as a table. The destinations for which a fact was decided alike share a row.
fn lines(story: &Story, now: Timestamp) -> Table {
    let mut table = Table::new(&["TIME", "AGE", "WHAT", "OF", "SAYS"]);
    let mut told: Vec<&str> = Vec::new();
    for line in &story.lines {
        if let Line::Route { at, fact, .. } = line {
            if !told.contains(&fact.as_str()) {
                told.push(fact);
                for says in decisions(story, fact) {
                    row(&mut table, Some(*at), now, ["routed", fact, &says]);
                }
            }
        } else {
            let (at, [what, of, says]) = words(line, now);
            row(&mut table, at, now, [what.as_str(), of.as_str(), says.as_str()]);
        }
    }
    table
}

/// Where a fact was sent, and where not and why.
fn decisions(story: &Story, of: &str) -> Vec<String> {
    let mut alike: Vec<(String, Vec<&str>)> = Vec::new();
    for line in &story.lines {
        let Line::Route { fact, destination, decision, reason, detail, delay_seconds, .. } = line
        else {
            continue;
        };
        if fact != of {
            continue;
        }
        let why = match (reason, detail) {
            (Some(reason), Some(detail)) => format!(": {reason}, {detail}"),
            (Some(_) | None, Some(_) | None) if *delay_seconds > 0 => {
                format!(", after {delay_seconds} s")
            }
            (Some(_) | None, Some(_) | None) => String::new(),
        };
        let decided = format!("{decision}{why}");
        match alike.iter_mut().find(|(known, _)| *known == decided) {
            Some((_, destinations)) => destinations.push(destination),
            None => alike.push((decided, vec![destination])),
        }
    }
    let says = |(decided, destinations): &(String, Vec<&str>)| {
        let names = destinations.join(", ");
        match decided.strip_prefix("send") {
            Some(when) => format!("to {names}{when}"),
            None => format!("not to {names}{}", decided.trim_start_matches("skip")),
        }
    };
    alike.iter().map(says).collect()
}

fn row(table: &mut Table, at: Option<Timestamp>, now: Timestamp, [what, of, says]: [&str; 3]) {
    let (time, age) = at.map_or_else(Default::default, |at| (when(at), ago(at, now)));
    table.row([time, age, what.to_owned(), of.to_owned(), says.to_owned()]);
}

/// What one line says: what it is, of what, and in words.
fn words(line: &Line, now: Timestamp) -> (Option<Timestamp>, [String; 3]) {
    match line {
        Line::Fact { at, fact, .. } => (Some(*at), ["fact".into(), fact.clone(), fact_says(line)]),
        Line::Unreadable { at, item, kind } => {
            let kind = kind.as_deref().unwrap_or("of an unknown kind");
            let says = format!("{kind}; this version cannot read it");
            (*at, ["unreadable".into(), item.clone(), says])
        }
        Line::Route { at, fact, destination, decision, .. } => {
            (Some(*at), ["routed".into(), fact.clone(), format!("{decision} {destination}")])
        }
        Line::Delivery { at, delivery, .. } => {
            (Some(*at), ["delivery".into(), delivery.clone(), delivery_says(line, now)])
        }
        Line::Step { at, delivery, state, reason, detail, attempts } => {
            let says = format!("{state} {reason}{}: {detail}", after(*attempts));
            (Some(*at), ["delivery".into(), delivery.clone(), says])
        }
        Line::Gate { at, destination, what, by, detail } => {
            let says = match by.as_str() {
                "breaker" => format!("its breaker {what}: {detail}"),
                person => format!("{what} by {person}: {detail}"),
            };
            (Some(*at), ["gate".into(), destination.clone(), says])
        }
        Line::Audit { at, subject, .. } => {
            (Some(*at), ["by hand".into(), subject.clone(), audit_says(line)])
        }
    }
}

/// What was done by hand, in words.
pub(crate) fn audit_says(line: &Line) -> String {
    let Line::Audit { what, who, why, note, .. } = line else { return String::new() };
    // Of a replay it is noted where to; of everything else, how it stood before.
    let was = if what == "replayed" { "" } else { "it was " };
    format!("{} by {who}: {why} ({was}{note})", what.replace('_', " "))
}

fn fact_says(line: &Line) -> String {
    let Line::Fact { at, occurred_at, kind, money, code, waits_for, .. } = line else {
        return String::new();
    };
    let mut says = kind.clone();
    if let Some(money) = money {
        says.push_str(&format!(" {} {}", money.text, money.currency));
    }
    if let Some(code) = code {
        says.push_str(&format!(" ({code})"));
    }
    // A source's clock may be a little ahead of ours.
    let late = at.duration_since(*occurred_at);
    if late.as_secs() >= 60 {
        says.push_str(&format!(", recorded {} after it happened", length(late)));
    }
    if let Some(waits_for) = waits_for {
        says.push_str(&format!("; waits for its {waits_for}"));
    }
    says
}

/// After how many calls, where there were any.
fn after(attempts: u32) -> String {
    match attempts {
        0 => String::new(),
        1 => " after 1 call".to_owned(),
        calls => format!(" after {calls} calls"),
    }
}

/// A delivery in words: where it stands and why, its calls, and what comes next.
pub(crate) fn delivery_says(line: &Line, now: Timestamp) -> String {
    let Line::Delivery { state, reason, detail, attempts, next_at, request_id, replays, .. } = line
    else {
        return String::new();
    };
    let mut says = (*state).to_owned();
    if let Some(reason) = reason {
        says.push_str(&format!(" {reason}"));
    }
    says.push_str(&after(*attempts));
    if let Some(detail) = detail {
        says.push_str(&format!(": {detail}"));
    }
    if let Some(next_at) = next_at {
        says.push_str(&format!("; next {}", ago(*next_at, now)));
    }
    if let Some(request_id) = request_id {
        says.push_str(&format!("; request {request_id}"));
    }
    match replays {
        0 => {}
        1 => says.push_str("; replayed once"),
        replays => says.push_str(&format!("; replayed {replays} times")),
    }
    says
}
