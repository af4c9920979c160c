//! `dlq`: what was given up, and what is done about it.

mod mend;
mod settle;
mod show;

use crate::{Desk, Failed, words};
use domain::delivery::DeathReason;
use domain::destination::Destination;
use domain::id::EventId;
use jiff::SignedDuration;
use operator::Filter;
use std::process::ExitCode;

/// What is done with dead deliveries.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Which deliveries are dead, and which other messages are among the dead letters
    List(Which),
    /// Everything about the dead deliveries of a journey
    Show(show::Arguments),
    /// Begin dead deliveries again, at a pace; shows first what it would do
    Redrive(mend::Redrive),
    /// Give dead deliveries up for good; shows first what it would do
    Drop(mend::Drop),
    /// Say whether a call happened of which nobody knew
    Settle(settle::Arguments),
}

/// Which dead deliveries: those that fit all of it.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// At this destination
    #[arg(long, value_parser = words::destination)]
    destination: Option<Destination>,
    /// Dead for this reason: rejected, exhausted, unknown_outcome, poison
    #[arg(long, value_parser = words::reason)]
    reason: Option<DeathReason>,
    /// Dead for longer than this: 15min, 2h, 3d
    #[arg(long, value_name = "AGE", value_parser = crate::moment::parse_length)]
    older_than: Option<SignedDuration>,
    /// Of this journey
    #[arg(long, value_name = "EVENT_ID", value_parser = words::event_id)]
    event: Option<EventId>,
}

impl Which {
    fn filter(&self) -> Filter {
        Filter {
            destination: self.destination,
            reason: self.reason,
            older_than: self.older_than,
            event_id: self.event,
        }
    }

    fn is_all(&self) -> bool {
        self.destination.is_none()
            && self.reason.is_none()
            && self.older_than.is_none()
            && self.event.is_none()
    }
}

/// Does what is asked.
pub(crate) async fn run(desk: &Desk, command: &Command) -> Result<ExitCode, Failed> {
    match command {
        Command::List(which) => show::list(desk, which).await,
        Command::Show(arguments) => show::one(desk, arguments).await,
        Command::Redrive(arguments) => mend::redrive(desk, arguments).await,
        Command::Drop(arguments) => mend::give_up(desk, arguments).await,
        Command::Settle(arguments) => settle::run(desk, arguments).await,
    }
}
