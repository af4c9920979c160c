//! The flow of one event of Stripe's.

use crate::signature::Signatures;
use domain::id::EventId;
use jiff::Timestamp;
use lambda::http::{Incoming, Kind, Notes, Problem, Reply};
use payments::{Heard, Payments, Unheard};
use serde::Serialize;
use stripe::event::{Event, Unreadable};
use stripe::webhook::Refused;

/// What an event is taken with.
#[derive(Debug)]
pub struct App {
    pub(crate) payments: Payments,
    pub(crate) signatures: Signatures,
}

/// `{received: true, duplicate}`
#[derive(Serialize)]
struct Received {
    received: bool,
    duplicate: bool,
}

/// Stripe tells us that something happened: make sure it is Stripe, keep what it says, answer.
pub async fn handle(app: &App, request: &Incoming, now: Timestamp) -> Result<Reply, Problem> {
    let header = request.header("stripe-signature");
    let verified = app.signatures.verify(header, &request.body, now).await.map_err(refused)?;
    let event = verified.event().map_err(unreadable)?;
    Ok(match app.payments.hear(&event, now).await.map_err(unheard)? {
        Heard::NothingToKeep => received(&event, None, false),
        Heard::New(event_id) => received(&event, Some(event_id), false),
        Heard::Known(event_id) => received(&event, Some(event_id), true),
    })
}

fn unheard(unheard: Unheard) -> Problem {
    match unheard {
        Unheard::WrongMode => problem(
            Kind::WrongMode,
            "point this endpoint of Stripe's to the other deployment, or set StripeLivemode",
        ),
        Unheard::Unreadable(why) => unreadable(why),
        Unheard::Unavailable(why) => why.into(),
    }
}

fn refused(refused: Refused) -> Problem {
    let kind = match refused {
        Refused::Missing => Kind::SignatureMissing,
        Refused::TooLong => Kind::SignatureTooLong,
        Refused::Malformed => Kind::SignatureMalformed,
        Refused::NoKnownScheme => Kind::SignatureNoKnownScheme,
        Refused::Stale => Kind::SignatureStale,
        Refused::Mismatch => Kind::SignatureMismatch,
    };
    problem(kind, &refused.to_string())
}

fn unreadable(unreadable: Unreadable) -> Problem {
    problem(Kind::UnreadableEvent, &unreadable.to_string())
}

/// A refusal, with a metric by reason: a few are scanners, many are a wrong secret or a wrong endpoint.
fn problem(kind: Kind, detail: &str) -> Problem {
    tracing::warn!(
        reason = kind.slug(),
        refused = 1,
        metrics = "refused:Count",
        dimensions = "reason",
        "a webhook was refused"
    );
    Problem::new(kind, detail)
}

fn received(event: &Event<'_>, event_id: Option<EventId>, duplicate: bool) -> Reply {
    let notes = Notes {
        event_id: event_id.map(|id| id.to_string()),
        stripe_event_id: Some(event.id.to_string()),
        stripe_event_type: Some(event.kind.name().to_owned()),
        duplicate: Some(duplicate),
    };
    Reply::json(200, &Received { received: true, duplicate }).noting(notes)
}
