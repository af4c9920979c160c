//! The flow of one answer about consent.

use domain::id::EventId;
use intake::door::{self, Limit};
use intake::{ConsentUpdate, Desk, consent_changed};
use jiff::Timestamp;
use lambda::http::{Incoming, Notes, Problem, Reply};
use serde::Serialize;

/// As for leads. An answer that cannot be counted is still an answer.
const LIMIT: Limit = Limit { route: "consents", per_minute: 100, open_without_counter: true };

/// `{event_id, status: "accepted"}`
#[derive(Serialize)]
struct Accepted {
    event_id: EventId,
    status: &'static str,
}

/// A visitor says what may be done with their data: keep the answer, answer. An answer that is known
/// already is the same answer: its key is made of all that it says.
pub async fn handle(desk: &Desk, request: &Incoming, now: Timestamp) -> Result<Reply, Problem> {
    LIMIT.admit(desk, request.source_ip, now).await?;
    let body = door::open(request)?;
    let update = ConsentUpdate::read(&body.fields).map_err(Problem::invalid)?;
    let journey = desk.ledger.journey(update.event_id).await?;
    door::same_session(&journey, update.session_id)?;
    let fact = consent_changed(&update, &journey, desk.caller(request.source_ip), now);
    desk.record(&fact).await?;
    Ok(accepted(update.event_id))
}

fn accepted(event_id: EventId) -> Reply {
    let notes = Notes { event_id: Some(event_id.to_string()), ..Notes::default() };
    Reply::json(202, &Accepted { event_id, status: "accepted" }).noting(notes)
}
