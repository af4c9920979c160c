//! The flow of one event of Stripe's.

use crate::fact::{self, Owner};
use crate::signature::Signatures;
use intake::Desk;
use jiff::Timestamp;
use lambda::http::{Incoming, Kind, Notes, Problem, Reply};
use ledger::Recorded;
use serde::Serialize;
use stripe::event::{Event, Unreadable, What};
use stripe::webhook::Refused;

/// What an event is taken with.
#[derive(Debug)]
pub struct App {
    pub(crate) desk: Desk,
    pub(crate) signatures: Signatures,
    pub(crate) livemode: bool,
}

/// `{received: true, duplicate}`
#[derive(Serialize)]
struct Received {
    received: bool,
    duplicate: bool,
}

/// Stripe tells us that something happened: make sure it is Stripe, keep what it says, answer.
pub async fn handle(
    app: &App,
    request: &Incoming,
    now: Timestamp,
) -> Result<Reply, Problem> {
    let header = request.header("stripe-signature");
    let verified = app.signatures.verify(header, &request.body, now).await.map_err(refused)?;
    let event = verified.event().map_err(unreadable)?;
    same_mode(app.livemode, &event)?;
    let Some(told) = event.told().map_err(unreadable)? else {
        return Ok(received(&event, None, false));
    };
    let owner = owner(&app.desk, &told.what).await?;
    let fact = owner.fact(&event.id, told, now);
    let duplicate = match app.desk.record(&fact).await? {
        Recorded::New => false,
        Recorded::Known(_) => true,
    };
    Ok(received(&event, Some(fact.event_id.to_string()), duplicate))
}

/// Whose money it is: as our metadata says, or else as the ledger remembers.
async fn owner(desk: &Desk, what: &What) -> Result<Owner, Problem> {
    if let Some(owner) = Owner::of_metadata(what, &desk.pepper) {
        return Ok(owner);
    }
    let object = fact::object(what);
    let pointer = desk.ledger.pointer(object).await?;
    Ok(pointer.map_or_else(|| Owner::stranger(object), Owner::of_pointer))
}

/// Sees that test events do not reach a live shop, nor live ones a test.
fn same_mode(livemode: bool, event: &Event<'_>) -> Result<(), Problem> {
    if event.livemode == livemode {
        return Ok(());
    }
    Err(problem(
        Kind::WrongMode,
        "point this endpoint of Stripe's to the other deployment, or set StripeLivemode",
    ))
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

fn received(event: &Event<'_>, event_id: Option<String>, duplicate: bool) -> Reply {
    let notes = Notes {
        event_id,
        stripe_event_id: Some(event.id.to_string()),
        stripe_event_type: Some(event.kind.name().to_owned()),
        duplicate: Some(duplicate),
    };
    Reply::json(200, &Received { received: true, duplicate }).noting(notes)
}
