//! `demo`: one visitor from lead to refund, one without consent, and who heard what of each.
//!
//! Everything goes through the deployed API and the sandbox's control; what came of it is read from
//! the ledger and from what the stand-ins remember, and compared with what should have come of it.

mod check;
pub(crate) mod timeline;
mod visitor;

use crate::place::Place;
use crate::say;
use crate::stack::Stack;
use crate::up::told_to_stop;
use anyhow::{Context, Result, bail, ensure};
use check::Expected;
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};
use timeline::Timeline;
use tokio::process::Command;
use visitor::Visitor;

/// Options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print the timelines as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How long a step of a journey may take to reach every destination.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays it, on the running stack or on one that is started for it and stopped again.
pub(crate) async fn run(place: &Place, arguments: Arguments) -> Result<()> {
    let Some(stack) = Stack::read(place)? else {
        return on_a_stack_of_its_own(place, &arguments).await;
    };
    play(&stack, &arguments).await
}

async fn on_a_stack_of_its_own(place: &Place, arguments: &Arguments) -> Result<()> {
    xtask(place, &["up", "--detach"], arguments.json).await?;
    let played = tokio::select! {
        played = play_on(place, arguments) => played,
        stopped = told_to_stop() => stopped.and_then(|()| bail!("stopped by hand")),
    };
    xtask(place, &["down"], arguments.json).await?;
    played
}

async fn play_on(place: &Place, arguments: &Arguments) -> Result<()> {
    let stack = Stack::read(place)?.context("the stack is gone again")?;
    play(&stack, arguments).await
}

/// Runs this program for another command; beside JSON, its lines go to standard error.
async fn xtask(place: &Place, command: &[&str], quiet: bool) -> Result<()> {
    let mut xtask = Command::new(crate::place::program()?);
    xtask.arg("--folder").arg(place.folder()).args(command);
    if quiet {
        xtask.stdout(Stdio::from(std::io::stderr()));
    }
    ensure!(xtask.status().await?.success(), "`cargo xtask {}` failed", command.join(" "));
    Ok(())
}

/// One visitor's part of the demo, and what should have come of it.
struct Played {
    visitor: Visitor,
    timeline: Timeline,
    faults: Vec<String>,
}

async fn play(stack: &Stack, arguments: &Arguments) -> Result<()> {
    let Some(sandbox) = stack.sandbox_url.as_deref() else {
        bail!("the demo needs the sandbox; this stack runs with --vendors-url");
    };
    let loud = !arguments.json;
    let buyer = play_buyer(stack, sandbox, loud).await?;
    let silent = play_silent(stack, sandbox, loud).await?;
    let faults = buyer.faults.len() + silent.faults.len();
    if arguments.json {
        say::line(serde_json::to_string_pretty(&json!({
            "ok": faults == 0,
            "visitors": [buyer.as_json(), silent.as_json()],
        }))?);
    } else {
        buyer.show();
        silent.show();
    }
    ensure!(faults == 0, "{faults} things are not as they should be");
    if loud {
        say::line("\nevery destination got what it should, once");
    }
    Ok(())
}

/// Full consent: lead, corrected phone, intent, paid (told three times, shuffled), refund.
async fn play_buyer(stack: &Stack, sandbox: &str, loud: bool) -> Result<Played> {
    let mut visitor = Visitor::new("a visitor who allows everything", true);
    note(loud, &visitor, "leaves a lead");
    visitor.leave_lead(stack, 1).await?;
    settle(stack, &visitor, 1).await?;
    note(loud, &visitor, "corrects the phone");
    visitor.phone = "913 456 789";
    visitor.leave_lead(stack, 2).await?;
    settle(stack, &visitor, 2).await?;
    note(loud, &visitor, "begins to pay");
    let intent = visitor.check_out(stack).await?;
    settle(stack, &visitor, 3).await?;
    note(loud, &visitor, "pays; Stripe says so three times, shuffled");
    visitor::pay(sandbox, &intent, 3).await?;
    settle(stack, &visitor, 4).await?;
    note(loud, &visitor, "is refunded; two of Stripe's events describe it");
    visitor::refund(sandbox, &intent).await?;
    let timeline = settle(stack, &visitor, 6).await?;
    Played::check(visitor, timeline, sandbox, &check::buyer()).await
}

/// No consent: lead, intent, paid.
async fn play_silent(stack: &Stack, sandbox: &str, loud: bool) -> Result<Played> {
    let visitor = Visitor::new("a visitor who refuses", false);
    note(loud, &visitor, "leaves a lead");
    visitor.leave_lead(stack, 1).await?;
    settle(stack, &visitor, 1).await?;
    note(loud, &visitor, "begins to pay");
    let intent = visitor.check_out(stack).await?;
    settle(stack, &visitor, 2).await?;
    note(loud, &visitor, "pays");
    visitor::pay(sandbox, &intent, 1).await?;
    let timeline = settle(stack, &visitor, 3).await?;
    Played::check(visitor, timeline, sandbox, &check::silent()).await
}

fn note(loud: bool, visitor: &Visitor, what: &str) {
    if loud {
        say::line(format!("...  {} {what}", visitor.name));
    }
}

/// Waits until so many facts are recorded and routed, and every delivery has ended.
async fn settle(stack: &Stack, visitor: &Visitor, facts: usize) -> Result<Timeline> {
    let begun = Instant::now();
    loop {
        let timeline = Timeline::read(stack, &visitor.event_id.to_string()).await?;
        if timeline.is_settled(facts) {
            return Ok(timeline);
        }
        if begun.elapsed() > PATIENCE {
            bail!(
                "{} did not settle within {} s; so far:\n{}",
                visitor.event_id,
                PATIENCE.as_secs(),
                timeline.lines().join("\n")
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Played {
    async fn check(
        visitor: Visitor,
        timeline: Timeline,
        sandbox: &str,
        expected: &[Expected],
    ) -> Result<Self> {
        let mut faults = check::deliveries(&timeline, expected);
        faults.extend(check::vendors(sandbox, &visitor, expected).await?);
        Ok(Self { visitor, timeline, faults })
    }

    fn show(&self) {
        say::line(format!("\n{}, event_id {}", self.visitor.name, self.visitor.event_id));
        self.timeline.lines().iter().for_each(say::line);
        self.faults.iter().for_each(|fault| say::line(format!("  NOT AS IT SHOULD BE: {fault}")));
    }

    fn as_json(&self) -> serde_json::Value {
        json!({
            "visitor": self.visitor.name,
            "event_id": self.visitor.event_id,
            "timeline": self.timeline.as_json(),
            "faults": self.faults,
        })
    }
}
