//! A lead as a fact.

use domain::fact::{Fact, Happening, SCHEMA, Source};
use intake::door::Caller;
use intake::{Lead, moment};
use jiff::Timestamp;

/// What a lead states, heard from a caller at a moment. Every revision happened when the visitor
/// first sent the form: which one holds, its number says and not a clock.
pub(crate) fn of(lead: &Lead, caller: Caller<'_>, heard: Timestamp) -> Fact {
    let happening = match lead.revision {
        1 => Happening::LeadCaptured,
        revision => Happening::LeadCorrected { revision },
    };
    Fact {
        schema: SCHEMA,
        event_id: lead.event_id,
        session_id: Some(lead.session_id),
        source: Source::Lead(lead.revision),
        occurred_at: moment::settle(lead.told_at, heard),
        recorded_at: heard,
        person: Some(caller.pepper.person(&lead.contact.email)),
        contact: Some(lead.contact.clone()),
        consent: lead.answer.as_ref().map(|answer| answer.heard(heard, caller.ip)),
        context: lead.context.clone(),
        happening,
    }
}
