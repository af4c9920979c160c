//! The words that several commands take: destinations, reasons, journeys.

use domain::delivery::DeathReason;
use domain::destination::Destination;
use domain::id::EventId;

/// A destination by its name.
pub(crate) fn destination(text: &str) -> Result<Destination, String> {
    let names = Destination::ALL.map(Destination::name).join(", ");
    Destination::named(text).ok_or_else(|| format!("must be one of {names}"))
}

/// Why a delivery is dead, by its word.
pub(crate) fn reason(text: &str) -> Result<DeathReason, String> {
    use DeathReason::{Exhausted, Poison, Rejected, UnknownOutcome};
    let all = [Rejected, Exhausted, UnknownOutcome, Poison];
    let names = all.map(DeathReason::name).join(", ");
    let named = all.into_iter().find(|reason| reason.name() == text);
    named.ok_or_else(|| format!("must be one of {names}"))
}

/// A journey by its id.
pub(crate) fn event_id(text: &str) -> Result<EventId, String> {
    EventId::parse(text).map_err(|refusal| refusal.to_string())
}

/// `1 delivery`, `2 deliveries`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
