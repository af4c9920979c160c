//! The flow of one run: where the last ones came to, how things stand at Stripe, then window by
//! window what Stripe told, through the webhook's own door.

use crate::outlook;
use crate::report::Report;
use crate::window::{HORIZON, Windows};
use jiff::{SignedDuration, Timestamp};
use lambda::secret::Secret;
use ledger::{Ledger, Unavailable};
use payments::{Heard, Payments, Unheard};
use secrecy::SecretString;
use std::time::Duration;
use stripe::{Budget, FetchedEvent, StripeClient, StripeError, Window};

/// The longest that one call to Stripe takes: a page of a hundred events is built for seconds.
pub(crate) const STRIPE_ATTEMPT: Duration = Duration::from_secs(8);

/// The longest that one call takes with its repetitions.
const STRIPE_BUDGET: Duration = Duration::from_secs(20);

/// After this long a run takes up nothing more. What it began (a call at Stripe, one at the ledger)
/// ends well within the function's 120 s.
const RUN: SignedDuration = SignedDuration::from_secs(60);

/// A window with more pages than this is worked in halves, so that a run that is out of time has
/// moved the cursor.
const MOST_PAGES: usize = 20;

/// A window with fewer events than this held little.
const LITTLE: usize = 500;

/// What a run is made with.
#[derive(Debug)]
pub struct App {
    pub(crate) payments: Payments,
    pub(crate) stripe: StripeClient,
    pub(crate) stripe_key: Secret,
    /// After so long without an event somebody is told; zero, nobody is.
    pub(crate) quiet: SignedDuration,
}

/// Why a run stopped before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("STRIPE_SECRET_KEY is not set")]
    NoKey,
    #[error("STRIPE_SECRET_KEY is of the other mode than StripeLivemode says")]
    OtherMode,
    #[error(transparent)]
    Stripe(#[from] StripeError),
    #[error(transparent)]
    Ledger(#[from] Unavailable),
}

/// The time of one call to Stripe, from now.
pub(crate) fn budget() -> Budget {
    Budget::starting_now(STRIPE_BUDGET, STRIPE_ATTEMPT)
}

/// One run, and what it found in one line. What it did not come to is for the next.
pub async fn reconcile(app: &App, clock: fn() -> Timestamp) {
    let mut report = Report::default();
    if let Err(stopped) = run(app, &mut report, clock).await {
        report.failed = true;
        tracing::error!(
            error = stopped.to_string(),
            "the run stopped here; the next goes on from where the cursor is"
        );
    }
    report.say(clock());
}

async fn run(app: &App, report: &mut Report, clock: fn() -> Timestamp) -> Result<(), Stopped> {
    let began = clock();
    let cursor = find_cursor(app.payments.ledger(), began).await;
    report.cursor = cursor.as_ref().ok().copied();
    let key = outlook::look(app, began, report).await?;
    let walk = Walk { app, key, began, clock };
    walk.from(cursor?, report).await
}

/// Where the runs before came to. A fresh stage begins with its first run: what happened at Stripe
/// before there was a stage is not its own, and would be told to everybody again.
async fn find_cursor(ledger: &Ledger, now: Timestamp) -> Result<Timestamp, Unavailable> {
    let Some(cursor) = ledger.cursor().await? else {
        ledger.advance_cursor(now).await?;
        return Ok(now);
    };
    if now.duration_since(cursor) > HORIZON {
        tracing::error!(
            cursor = cursor.to_string(),
            "Stripe has forgotten events that were never looked at: those from the cursor to 30 days ago"
        );
    }
    Ok(cursor)
}

/// A walk through what Stripe told.
struct Walk<'a> {
    app: &'a App,
    key: SecretString,
    began: Timestamp,
    clock: fn() -> Timestamp,
}

impl Walk<'_> {
    /// Works window after window until now, or until the time is over. The cursor follows each
    /// window that is recorded whole.
    async fn from(&self, cursor: Timestamp, report: &mut Report) -> Result<(), Stopped> {
        let mut windows = Windows::of_run(cursor, self.began);
        let mut cursor = cursor;
        while let Some(window) = windows.current().filter(|_| self.has_time()) {
            let Some(events) = self.events(window).await? else {
                windows.narrow();
                continue;
            };
            if !self.record(&events, report).await? {
                break;
            }
            if window.until > cursor {
                self.app.payments.ledger().advance_cursor(window.until).await?;
                cursor = window.until;
                report.cursor = Some(cursor);
            }
            windows.done(events.len() < LITTLE);
        }
        Ok(())
    }

    fn has_time(&self) -> bool {
        (self.clock)().duration_since(self.began) < RUN
    }

    /// All events of a window, oldest first; `None` where there are too many for one go.
    async fn events(&self, window: Window) -> Result<Option<Vec<FetchedEvent>>, StripeError> {
        let is_one_second = window.until.duration_since(window.from).as_secs() <= 1;
        let (mut events, mut pages, mut after) = (Vec::new(), 0, None);
        loop {
            let calls = self.app.stripe.calls(&self.key, budget());
            let page = calls.list_events(window, after.as_ref()).await?;
            events.extend(page.events);
            pages += 1;
            match page.next {
                None => break,
                Some(_) if !is_one_second && (pages == MOST_PAGES || !self.has_time()) => {
                    return Ok(None);
                }
                next @ Some(_) => after = next,
            }
        }
        events.reverse();
        Ok(Some(events))
    }

    /// Records a window's events one after the other; says whether there was time for all.
    async fn record(&self, events: &[FetchedEvent], report: &mut Report) -> Result<bool, Stopped> {
        for event in events {
            if !self.has_time() {
                return Ok(false);
            }
            report.seen += 1;
            let heard = hear(&self.app.payments, event, (self.clock)()).await;
            note(event, heard, report)?;
        }
        Ok(true)
    }
}

async fn hear(payments: &Payments, event: &FetchedEvent, now: Timestamp) -> Result<Heard, Unheard> {
    payments.hear(&event.event()?, now).await
}

/// Says what became of an event. One that cannot be recorded must not hold up those behind it for
/// ever; a ledger that does not answer stops the run.
fn note(
    event: &FetchedEvent,
    heard: Result<Heard, Unheard>,
    report: &mut Report,
) -> Result<(), Unavailable> {
    let stripe_event_id = event.id().map(ToString::to_string);
    match heard {
        Ok(Heard::NothingToKeep | Heard::Known(_)) => {}
        Ok(Heard::New(event_id)) => {
            report.recorded += 1;
            tracing::warn!(
                event_id = event_id.to_string(),
                stripe_event_id,
                "an event that no webhook brought is recorded"
            );
        }
        Err(Unheard::Unavailable(unavailable)) if !unavailable.is_of_one_item() => {
            return Err(unavailable);
        }
        Err(passed @ (Unheard::WrongMode | Unheard::Unreadable(_) | Unheard::Unavailable(_))) => {
            report.passed += 1;
            tracing::error!(
                reason = passed.to_string(),
                stripe_event_id,
                "an event of Stripe's cannot be recorded and is passed"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::find_cursor;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use jiff::Timestamp;
    use ledger::Ledger;
    use serde_json::json;
    use testkit::vendor::{Vendor, reply};

    fn ledger(table: &Vendor) -> Ledger {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .region(Region::new("eu-west-1"))
            .endpoint_url(table.url())
            .build();
        Ledger::new(Client::from_conf(config), "ledger")
    }

    #[tokio::test]
    async fn a_cursor_that_was_mistyped_is_not_taken_for_one_that_was_never_set() {
        for mistyped in [json!({ "S": "2026-01-05" }), json!({ "N": "1767607200000000000" })] {
            let item = json!({ "Item": { "reached_at": mistyped } });
            let table = Vendor::answering(&[reply(200).json(&item)]);
            let found = find_cursor(&ledger(&table), Timestamp::UNIX_EPOCH).await;
            assert!(found.unwrap_err().is_of_one_item());
            assert_eq!(table.requests().len(), 1, "it is read, and not set anew");
        }
    }
}
