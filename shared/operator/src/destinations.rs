//! How the destinations stand: on or off, open or shut, how much waits; and a person's hand on them.

use crate::secrets::SecretName;
use crate::{Author, Fault, Operator, parameter};
use domain::destination::Destination;
use domain::gate::{Breaker, Gate, Passage, Pause};
use jiff::{SignedDuration, Timestamp};
use ledger::{Completed, GateEvent, List};
use serde::Serialize;

/// How far back a gate's last failure is looked for.
const RECENT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// How a destination stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The destination.
    pub destination: Destination,
    /// Why it is off; `None` where it is on.
    pub off: Option<String>,
    /// Its gate: `closed` (calls are made), `half_open`, `open` or `paused`. The words are a circuit
    /// breaker's.
    pub gate: &'static str,
    /// Since when it is so, where it is not closed.
    pub since: Option<Timestamp>,
    /// Why.
    pub why: Option<String>,
    /// Who paused it.
    pub by: Option<String>,
    /// When it is tried next.
    pub next_probe: Option<Timestamp>,
    /// Deliveries a minute that it is sent at most; 0 for any number.
    pub per_minute: u32,
    /// What waits for it.
    pub backlog: Backlog,
    /// Its last failure that shut the gate, within a week.
    pub last_error: Option<String>,
}

/// What waits for a destination.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// Deliveries that are not over.
    pub due: u64,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Messages on its queue, which other destinations may share.
    pub queue: u64,
}

impl Operator {
    /// How every destination stands.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn destinations(&self, now: Timestamp) -> Result<Vec<Standing>, Fault> {
        let mut standings = Vec::new();
        for destination in Destination::ALL {
            standings.push(self.standing(destination, now).await?);
        }
        Ok(standings)
    }

    /// How one destination stands.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn standing(&self, to: Destination, now: Timestamp) -> Result<Standing, Fault> {
        let gate = self.ledger.gate(to).await?;
        let settings = self.stage.settings.as_ref();
        let queue = self.stage.queues.get(to.queue().function());
        let backlog = Backlog {
            due: self.ledger.length(List::Due(to)).await?,
            dead: self.ledger.length(List::Dead(to)).await?,
            queue: match queue {
                Some(url) => self.length_of(url).await?,
                None => 0,
            },
        };
        let history = self.ledger.gate_history(to, now.checked_sub(RECENT).unwrap_or(now)).await?;
        let per_minute = settings
            .map_or_else(|| to.calls_per_minute(), |settings| settings.calls_per_minute(to));
        let closed = Standing {
            destination: to,
            off: self.off(to).await?,
            gate: gate.passage(now).name(),
            since: None,
            why: None,
            by: None,
            next_probe: None,
            per_minute,
            backlog,
            last_error: last_failure(&history),
        };
        Ok(describe(closed, &gate, now))
    }

    /// Why a destination is off, as its functions would say.
    pub(crate) async fn off(&self, destination: Destination) -> Result<Option<String>, Fault> {
        let settings = self.stage.settings.as_ref();
        if settings.is_some_and(|settings| !settings.routes_to(destination)) {
            return Ok(Some("it is not among the parameter Destinations".to_owned()));
        }
        let blank = |value: fn(&crate::Settings) -> &str| {
            settings.is_some_and(|settings| value(settings).trim().is_empty())
        };
        let missing = match destination {
            Destination::Sgtm if blank(|s| &s.sgtm_endpoint) => Some("SgtmEndpoint"),
            Destination::Sgtm if blank(|s| &s.sgtm_measurement_id) => Some("SgtmMeasurementId"),
            Destination::Sendgrid if blank(|s| &s.sendgrid_from_email) => Some("SendgridFromEmail"),
            Destination::Hubspot
            | Destination::Mailerlite
            | Destination::Sgtm
            | Destination::Sendgrid
            | Destination::Slack => None,
        };
        if let Some(parameter) = missing {
            return Ok(Some(format!("the parameter {parameter} is empty")));
        }
        let secret = destination.secret();
        let optional = secret == SecretName::SgtmApiSecret.name();
        let held = parameter::look_at(&self.ssm, &self.stage.parameter(secret)).await?;
        Ok((held.is_none() && !optional).then(|| format!("the secret {secret} is not set")))
    }

    /// Pauses a destination: what is for it waits, and nothing is lost.
    ///
    /// # Errors
    /// Refuses one that is paused already.
    pub async fn pause(
        &self,
        destination: Destination,
        author: &Author,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let pause = Pause { since: now, by: author.who().to_owned(), why: author.why().to_owned() };
        match self.ledger.pause(destination, &pause).await? {
            Completed::Landed => Ok(()),
            Completed::Fenced => {
                let held = self.ledger.gate(destination).await?.paused;
                let by = held.map(|pause| format!(" by {}: {}", pause.by, pause.why));
                let by = by.unwrap_or_default();
                Err(Fault::refused(format!("{destination} is paused already{by}")))
            }
        }
    }

    /// Resumes a destination, and closes its breaker: what waits goes out within minutes.
    ///
    /// # Errors
    /// Refuses one that is neither paused nor shut.
    pub async fn resume(
        &self,
        destination: Destination,
        author: &Author,
        now: Timestamp,
    ) -> Result<(), Fault> {
        match self.ledger.resume(destination, author.who(), author.why(), now).await? {
            Completed::Landed => Ok(()),
            Completed::Fenced => Err(Fault::refused(format!(
                "{destination} is neither paused nor shut: there is nothing to resume"
            ))),
        }
    }
}

/// The last failure that shut a gate, by its history in order of time.
fn last_failure(history: &[GateEvent]) -> Option<String> {
    let failure = history.iter().rev().find(|event| event.what.ends_with("opened"));
    failure.map(|event| event.detail.clone())
}

/// A standing with what its gate says.
fn describe(closed: Standing, gate: &Gate, now: Timestamp) -> Standing {
    let probe = match &gate.breaker {
        Breaker::Open(trip) => Some(trip.until),
        Breaker::Closed => None,
    };
    match gate.passage(now) {
        Passage::Open => closed,
        Passage::Probe(trip) | Passage::Shut(trip) => Standing {
            since: Some(trip.since),
            why: Some(trip.detail.clone()),
            next_probe: probe,
            last_error: Some(trip.detail.clone()),
            ..closed
        },
        Passage::Paused(pause) => Standing {
            since: Some(pause.since),
            why: Some(pause.why.clone()),
            by: Some(pause.by.clone()),
            ..closed
        },
    }
}

#[cfg(test)]
mod tests {
    use super::last_failure;
    use jiff::Timestamp;
    use ledger::{BREAKER, GateEvent};

    #[test]
    fn the_last_failure_is_the_newest_that_shut_the_gate() {
        let event = |second, what: &str, detail: &str| GateEvent {
            at: Timestamp::from_second(second).unwrap(),
            what: what.to_owned(),
            by: BREAKER.to_owned(),
            detail: detail.to_owned(),
        };
        let history = [
            event(1, "opened", "503 at first"),
            event(2, "reopened", "500 since"),
            event(3, "closed", "a probe succeeded"),
            event(4, "paused", "the channel moves"),
        ];
        assert_eq!(last_failure(&history).as_deref(), Some("500 since"));
        assert_eq!(last_failure(&history[..1]).as_deref(), Some("503 at first"));
        assert_eq!(last_failure(&history[2..]), None);
    }
}
