//! The flow of one lead.

use crate::exit::Exit;
use crate::fact;
use domain::fact::Fact;
use intake::door::{self, Limit};
use intake::{Desk, Lead, Minted};
use jiff::Timestamp;
use lambda::http::{Incoming, Kind, Problem, Reply};
use ledger::Recorded;
use uuid::Uuid;

/// A page sends a lead or two; a hundred a minute is a machine, or a whole office behind one address.
/// A lead that cannot be counted is still a lead.
const LIMIT: Limit = Limit { route: "leads", per_minute: 100, open_without_counter: true };

/// What a lead is taken with.
#[derive(Debug)]
pub struct App {
    pub(crate) desk: Desk,
    pub(crate) form_redirect_urls: Vec<String>,
}

/// A visitor leaves their contact, or corrects it: keep what they say, answer.
pub async fn handle(
    app: &App,
    request: &Incoming,
    now: Timestamp,
    random: fn() -> Uuid,
) -> Result<Reply, Problem> {
    LIMIT.admit(&app.desk, request.source_ip, now).await?;
    let body = door::open(request)?;
    let exit = Exit::of(&body, &app.form_redirect_urls)?;
    let minted = Minted::from_random(random(), random()).map_err(|_| Problem::internal())?;
    if body.fields.is_trapped() {
        return Ok(exit.dropping(&body, minted));
    }
    let lead =
        Lead::read(&body.fields, body.is_form.then_some(minted)).map_err(Problem::invalid)?;
    let journey = app.desk.ledger.journey(lead.event_id).await?;
    door::same_session(&journey, lead.session_id)?;
    let caller = app.desk.caller(request.source_ip);
    let duplicate = match app.desk.record(&fact::of(&lead, caller, now)).await? {
        Recorded::New => false,
        // What we add to a lead follows from when we heard it: heard then, it must say the same.
        Recorded::Known(known) => {
            same_statement(&fact::of(&lead, caller, known.recorded_at), &known)?
        }
    };
    Ok(exit.accepting(lead.event_id, duplicate))
}

/// Sees that a revision that is known says what it said; then this one is its duplicate.
fn same_statement(told: &Fact, known: &Fact) -> Result<bool, Problem> {
    if told.states_the_same_as(known) {
        return Ok(true);
    }
    let detail = "send a correction with the next revision; nothing was stored";
    Err(Problem::new(Kind::RevisionConflict, detail))
}

#[cfg(test)]
mod tests;
