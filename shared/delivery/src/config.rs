//! The settings that all consumers share.

use crate::Consumer;
use crate::gate::Gates;
use domain::consent::ConsentPolicy;
use domain::delivery::RetryPolicy;
use domain::destination::Destination;
use domain::gate::{BreakerPolicy, Budget};
use domain::pepper::Pepper;
use jiff::SignedDuration;
use lambda::aws::Aws;
use lambda::settings::Settings;
use std::collections::BTreeMap;

/// What every consumer reads from its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The ledger's table.
    pub table: String,
    /// Where secrets are, in SSM.
    pub secrets_prefix: String,
    /// The function's own queue.
    pub queue_url: String,
    /// Its dead letters.
    pub dead_letter_url: String,
    /// How answers about consent are read.
    pub consent: ConsentPolicy,
    /// When a failed delivery is tried again.
    pub retry: RetryPolicy,
    /// When a destination is left alone for a while.
    pub breaker: BreakerPolicy,
    /// How many calls the vendors take; who is not named takes any number.
    pub budgets: BTreeMap<Destination, Budget>,
    /// How long a claim lasts: longer than the function may run, shorter than the queue hides a message.
    pub lease: SignedDuration,
    /// How long it is remembered what a destination that keeps state was told of somebody.
    pub keep: SignedDuration,
}

impl Config {
    /// Reads the settings.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            table: settings.text("LEDGER_TABLE"),
            secrets_prefix: settings.text("SECRETS_PREFIX"),
            queue_url: settings.text("QUEUE_URL"),
            dead_letter_url: settings.text("DEAD_LETTER_URL"),
            consent: ConsentPolicy {
                required: settings.flag("REQUIRE_CONSENT", true),
                version: settings.text("CONSENT_VERSION"),
            },
            retry: RetryPolicy {
                max_retries: settings.number("DLQ_MAX_RETRIES", 8, 1),
                multiplier: settings.number("DLQ_BACKOFF_MULTIPLIER", 2, 1),
            },
            breaker: BreakerPolicy {
                failure_percent: settings.number("BREAKER_FAILURE_PERCENT", 50, 1),
                minimum_calls: settings.number("BREAKER_MINIMUM_CALLS", 20, 1),
            },
            budgets: budgets(settings),
            lease: SignedDuration::from_secs(i64::from(settings.number("LEASE_SECONDS", 60, 31))),
            keep: SignedDuration::from_hours(
                24 * i64::from(settings.number("FACT_RETENTION_DAYS", 730, 30)),
            ),
        }
    }

    /// Opens a consumer with these settings. `pepper` names what destinations that keep state were
    /// told; a function without such destinations has none.
    #[must_use]
    pub fn open<C>(self, aws: &Aws, courier: C, pepper: Option<Pepper>) -> Consumer<C> {
        Consumer {
            courier,
            ledger: aws.ledger(&self.table),
            queues: aws.queues(),
            config: self,
            pepper,
            gates: Gates::default(),
            clock: lambda::clock::now,
        }
    }
}

/// Reads `CALLS_PER_MINUTE` (`hubspot=600,slack=0`, where 0 is no limit) over the vendors' own limits.
fn budgets(settings: &mut Settings<'_>) -> BTreeMap<Destination, Budget> {
    let own = Destination::ALL.map(|destination| (destination, destination.calls_per_minute()));
    let mut limits = BTreeMap::from(own);
    for item in settings.list("CALLS_PER_MINUTE") {
        let set = item.split_once('=').and_then(|(name, calls)| {
            Some((Destination::named(name.trim())?, calls.trim().parse().ok()?))
        });
        match set {
            Some((destination, calls)) => {
                limits.insert(destination, calls);
            }
            None => settings.fault(
                "CALLS_PER_MINUTE must name destinations with numbers, as hubspot=600,slack=60"
                    .into(),
            ),
        }
    }
    let limits = limits.into_iter();
    limits.filter_map(|(name, calls)| Some((name, Budget::per_minute(calls)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::budgets;
    use domain::destination::Destination;
    use domain::gate::Budget;
    use lambda::settings::read_from;

    #[test]
    fn a_limit_that_is_set_or_lifted_leaves_those_of_the_other_vendors() {
        let set = |_: &str| Some("hubspot=600,slack=0".to_owned());
        let budgets = read_from(&set, budgets).unwrap();
        let limits = Destination::ALL.map(|destination| budgets.get(&destination).copied());
        assert_eq!(limits, [600, 120, 0, 600, 0].map(Budget::per_minute));
    }
}
