//! The account: for every vendor what should be there, what is, and all that must not be.

use super::clients::{Journey, Kind, Step};
use super::rest::Rested;
use super::vendors::{HEARS, Law, Taken, needs_consent, state_at};
use crate::stack::{Stack, show};
use domain::delivery::State;
use domain::destination::Destination;
use ledger::{DeliveryRecord, Timeline};
use std::fmt;

/// One vendor's line.
#[derive(Default)]
struct Line {
    due: usize,
    applied: usize,
    lost: usize,
    duplicated: usize,
    recovered: usize,
    unknown: usize,
    repeated: usize,
}

/// What was sent, and what became of it.
pub(super) struct Report {
    sent: usize,
    acknowledged: usize,
    recovered: usize,
    lines: Vec<(Destination, Line)>,
    /// Everything that must not be, in a sentence each.
    pub(super) wrong: Vec<String>,
}

impl Report {
    /// Draws it up.
    pub(super) async fn of(stack: &Stack, journeys: &[Journey], rested: &Rested) -> Self {
        let steps: Vec<&Step> = journeys.iter().flat_map(|journey| &journey.steps).collect();
        let taken_well = || steps.iter().filter(|step| step.acknowledged);
        let mut report = Self {
            sent: steps.len(),
            acknowledged: taken_well().count(),
            recovered: taken_well().filter(|step| step.failed > 0).count(),
            lines: Destination::ALL.map(|vendor| (vendor, Line::default())).into(),
            wrong: journeys.iter().flat_map(|journey| journey.wrong.clone()).collect(),
        };
        if !rested.all {
            report.wrong.push("it did not come to rest in time".to_owned());
        }
        let taken = Taken::at(stack).await;
        for (journey, timeline) in journeys.iter().zip(&rested.timelines) {
            report.facts(journey, timeline);
            for (kind, vendor, law) in HEARS {
                let case = Case { stack, journey, timeline, kind, vendor, law };
                report.judge(&case, &taken).await;
            }
        }
        report
    }

    /// Every acknowledged fact is in the ledger, once; Stripe tells of a refund in two events.
    fn facts(&mut self, journey: &Journey, timeline: &Timeline) {
        for step in &journey.steps {
            let name = step.kind.name();
            let known = timeline.facts.iter().filter(|fact| fact.happening.name() == name).count();
            let most = if step.kind == Kind::Refund { 2 } else { 1 };
            if known > most || (step.acknowledged && known == 0) {
                self.wrong.push(format!("{}: {known} facts {name}", journey.visitor.event_id));
            }
        }
    }

    async fn judge(&mut self, case: &Case<'_>, taken: &Taken) {
        let told = case.journey.steps.iter().find(|step| step.kind == case.kind);
        let may_hear = case.journey.consents || !needs_consent(case.vendor);
        let due = may_hear && told.is_some_and(|step| step.acknowledged);
        let times = match case.law {
            Law::State => usize::from(case.is_in_the_state(may_hear, due).await),
            Law::Keyed | Law::Once => taken.times(case.journey, case.kind, case.vendor),
        };
        let told_by_letter = case.is_given_to_a_person().await;
        let place = self.lines.iter().position(|(vendor, _)| *vendor == case.vendor);
        let Some((_, line)) = place.and_then(|place| self.lines.get_mut(place)) else { return };
        line.due += usize::from(due);
        line.applied += usize::from(times > 0);
        line.unknown += usize::from(told_by_letter);
        line.recovered += usize::from(case.delivery().is_some_and(was_hard));
        if case.law == Law::Keyed {
            line.repeated += times.saturating_sub(1);
        } else if times > 1 {
            line.duplicated += 1;
            self.wrong.push(format!("{case}: taken {times} times"));
        }
        if due && times == 0 && !(told_by_letter && case.law == Law::Once) {
            line.lost += 1;
            self.wrong.push(format!("{case}: lost; {}", show(case.timeline)));
        }
        if times > 0 && !(may_hear && told.is_some()) {
            self.wrong.push(format!("{case}: heard of what it must not"));
        }
        if case.delivery().is_some_and(|end| end.state == State::Dead) && !told_by_letter {
            self.wrong.push(format!("{case}: dead; {}", show(case.timeline)));
        }
    }
}

/// Whether it took more than one claim or call.
fn was_hard(delivery: &DeliveryRecord) -> bool {
    delivery.attempts > 1 || delivery.claims > 1 || !delivery.steps.is_empty()
}

/// What one vendor should hear of one thing.
struct Case<'a> {
    stack: &'a Stack,
    journey: &'a Journey,
    timeline: &'a Timeline,
    kind: Kind,
    vendor: Destination,
    law: Law,
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {} {}", self.journey.visitor.event_id, self.kind.name(), self.vendor)
    }
}

impl Case<'_> {
    fn delivery(&self) -> Option<&DeliveryRecord> {
        let prefix = format!("{}:", self.kind.name());
        let mut all = self.timeline.deliveries.iter();
        all.find(|delivery| {
            delivery.id.destination == self.vendor
                && delivery.id.effect.as_str().starts_with(&prefix)
        })
    }

    /// Whether the vendor's state is as far as what was acknowledged last, and no further than what
    /// was sent; or, where it may know nothing, whether it knows anything.
    async fn is_in_the_state(&self, may_hear: bool, due: bool) -> bool {
        if may_hear && !due {
            return false;
        }
        let held = state_at(self.stack, self.vendor, self.journey).await;
        let steps = &self.journey.steps;
        let last = steps.iter().filter(|step| step.acknowledged).map(|step| step.kind).max();
        let sent = steps.iter().any(|step| Some(step.kind) == held);
        held.is_some() && (!may_hear || (sent && held >= last))
    }

    /// Whether nobody knows what became of it, and a person has been told so.
    async fn is_given_to_a_person(&self) -> bool {
        let Some(delivery) = self.delivery() else { return false };
        if delivery.state != State::Dead || delivery.reason != "unknown_outcome" {
            return false;
        }
        let function = self.vendor.queue().function();
        let letters = self.stack.dead_letters(function, self.journey.visitor.event_id).await;
        letters.iter().any(|letter| letter.contains(delivery.id.effect.as_str()))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, acknowledged, recovered, .. } = self;
        writeln!(
            to,
            "storm: sent {sent}, acknowledged {acknowledged}, of these {recovered} after failed tries"
        )?;
        for (vendor, line) in &self.lines {
            writeln!(
                to,
                "storm: {:<10} due {:>5}, applied {:>5}, lost {}, duplicated {}, recovered {:>4}, \
                 unknown, with a letter {:>3}, repeated under the same key {}",
                vendor.name(),
                line.due,
                line.applied,
                line.lost,
                line.duplicated,
                line.recovered,
                line.unknown,
                line.repeated
            )?;
        }
        let (lost, duplicated) = self.lines.iter().fold((0, 0), |(lost, duplicated), (_, line)| {
            (lost + line.lost, duplicated + line.duplicated)
        });
        write!(to, "storm: lost {lost}, wrongly duplicated {duplicated}")
    }
}
