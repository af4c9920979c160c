//! The table's keys, all in one place.

use domain::delivery::DeliveryId;
use domain::destination::Destination;
use domain::fact;
use domain::fact::Source;
use domain::id::{EventId, StripeId};
use domain::pepper::PersonKey;
use jiff::Timestamp;

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";

/// What the sort key of every fact begins with: the stream's filter in the template says the same.
#[must_use]
pub fn fact_key_prefix() -> &'static str {
    "FACT#"
}

pub(crate) const DELIVERY: &str = "DELIVERY#";
pub(crate) const ROUTE: &str = "ROUTE#";
pub(crate) const AUDIT: &str = "AUDIT#";
pub(crate) const CHECKOUT: &str = "CHECKOUT#";
pub(crate) const BEGUN: &str = "CHECKOUTS";
pub(crate) const SYNC: &str = "SYNC#";
pub(crate) const PROFILE: &str = "PROFILE";
pub(crate) const RECONCILER: &str = "RECONCILER";
pub(crate) const CURSOR: &str = "CURSOR";
pub(crate) const ALONE: &str = "-";
pub(crate) const GATE: &str = "GATE";
pub(crate) const BUDGET: &str = "BUDGET";
pub(crate) const HISTORY: &str = "HISTORY#";

pub(crate) fn journey(event_id: EventId) -> String {
    format!("JOURNEY#{event_id}")
}

pub(crate) fn journey_of(pk: &str) -> Option<EventId> {
    EventId::parse(pk.strip_prefix("JOURNEY#")?).ok()
}

pub(crate) fn fact(source: &Source) -> String {
    format!("{}{source}", fact_key_prefix())
}

pub(crate) fn route(fact_sk: &str) -> String {
    format!("{ROUTE}{fact_sk}")
}

pub(crate) fn delivery(id: &DeliveryId) -> String {
    format!("{DELIVERY}{}#{}", id.effect, id.destination)
}

/// Reads `DELIVERY#<effect>#<destination>` back.
pub(crate) fn delivery_of(event_id: EventId, sk: &str) -> Option<DeliveryId> {
    let (effect, destination) = sk.strip_prefix(DELIVERY)?.rsplit_once('#')?;
    Some(DeliveryId {
        event_id,
        effect: fact::Effect::stored(effect.to_owned()),
        destination: Destination::named(destination)?,
    })
}

/// The time comes first, to the millisecond and always as long: the order of the keys is its order.
pub(crate) fn audit(at: Timestamp, what: &str, subject: &str) -> String {
    format!("{AUDIT}{at:.3}#{what}#{subject}")
}

pub(crate) fn person(key: &PersonKey) -> String {
    format!("PERSON#{}", key.as_str())
}

pub(crate) fn sync(destination: Destination) -> String {
    format!("{SYNC}{destination}")
}

pub(crate) fn destination(destination: Destination) -> String {
    format!("DESTINATION#{destination}")
}

/// Padded, so that the table keeps the buckets in order of time.
pub(crate) fn calls(bucket: i64) -> String {
    format!("CALLS#{bucket:019}")
}

/// The same moment twice is the same change, said again.
pub(crate) fn history(at: Timestamp, what: &str) -> String {
    format!("{HISTORY}{:015}#{what}", at.as_millisecond())
}

pub(crate) fn intent(id: &StripeId) -> String {
    format!("PI#{id}")
}

pub(crate) fn rate(route: &str, caller: &str, minute: i64) -> String {
    format!("RATE#{route}#{caller}#{minute}")
}
