//! The table's keys, all in one place.

use domain::delivery::DeliveryId;
use domain::destination::Destination;
use domain::fact::Source;
use domain::id::{EventId, StripeId};
use domain::pepper::PersonKey;
use domain::{destination, fact};

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";

/// What the sort key of every fact begins with: the stream's filter in the template says the same.
#[must_use]
pub fn fact_key_prefix() -> &'static str {
    "FACT#"
}

pub(crate) const DELIVERY: &str = "DELIVERY#";
pub(crate) const ROUTE: &str = "ROUTE#";
pub(crate) const CHECKOUT: &str = "CHECKOUT#";
pub(crate) const BEGUN: &str = "CHECKOUTS";
pub(crate) const SYNC: &str = "SYNC#";
pub(crate) const PROFILE: &str = "PROFILE";
pub(crate) const RECONCILER: &str = "RECONCILER";
pub(crate) const CURSOR: &str = "CURSOR";
pub(crate) const ALONE: &str = "-";

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
        destination: destination::Destination::named(destination)?,
    })
}

pub(crate) fn person(key: &PersonKey) -> String {
    format!("PERSON#{}", key.as_str())
}

pub(crate) fn sync(destination: Destination) -> String {
    format!("{SYNC}{destination}")
}

pub(crate) fn intent(id: &StripeId) -> String {
    format!("PI#{id}")
}

pub(crate) fn rate(route: &str, caller: &str, minute: i64) -> String {
    format!("RATE#{route}#{caller}#{minute}")
}
