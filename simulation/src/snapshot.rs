//! A world that stands still: kept, changed in ways that no function could, looked into, gone on with.

use crate::queue::Queues;
use crate::story::Said;
use crate::table::Table;
use crate::vendor::{Mood, Vendors};
use crate::{clock, world};
use serde_json::Value;

/// A world that stands still, to be gone on with any number of times.
#[derive(Clone)]
pub struct Snapshot {
    table: Table,
    queues: Queues,
    vendors: Vendors,
    at: i64,
}

impl Snapshot {
    pub(crate) fn taken() -> Self {
        world::with(|world| Self {
            table: world.table.clone(),
            queues: world.queues.clone(),
            vendors: world.vendors.clone(),
            at: clock::now(),
        })
    }

    pub(crate) fn restore(&self) {
        world::with(|world| {
            let tolerance = world.table.watch.tolerance;
            world.table = self.table.clone();
            world.table.watch.tolerance = tolerance;
            world.queues = self.queues.clone();
            world.vendors = self.vendors.clone();
            // Runs are numbered anew.
            world.vendors.errands.clear();
        });
        clock::go_to(self.at);
    }

    /// The same, with what Stripe knows beside what its webhook brings.
    #[must_use]
    pub fn told_at_stripe(mut self, said: &[Said]) -> Self {
        self.vendors.stripe.events.extend(said.iter().map(Said::event));
        self
    }

    /// The same, with vendors of effects that are so.
    #[must_use]
    pub fn with_vendors(mut self, mood: Mood) -> Self {
        self.vendors.mood = mood;
        self
    }

    /// The same, so many minutes after the history's beginning.
    #[must_use]
    pub fn after_minutes(mut self, minutes: i64) -> Self {
        self.at = self.at.max(clock::BEGINNING + minutes * 60_000);
        self
    }

    /// The same, so many days later: what is over its time to live is gone.
    #[must_use]
    pub fn days_later(self, days: i64) -> Self {
        self.minutes_later(days * 24 * 60)
    }

    /// The same, so many minutes later.
    #[must_use]
    pub fn minutes_later(mut self, minutes: i64) -> Self {
        self.at += minutes * 60_000;
        self.table.expire(self.at / 1000);
        self
    }

    /// The same, with facts that a newer version wrote: this one cannot read them.
    #[must_use]
    pub fn from_a_newer_version(mut self) -> Self {
        let newer = serde_json::json!({"S": "{\"v\":99}"});
        for item in self.table.items.values_mut().filter(|item| item.contains_key("fact")) {
            if crate::table::text(item, "sk").starts_with("FACT#") {
                item.insert("fact".to_owned(), newer.clone());
            }
        }
        for record in &mut self.table.stream {
            record["dynamodb"]["NewImage"]["fact"] = newer.clone();
        }
        self
    }

    /// The same, with facts as another world has them.
    #[must_use]
    pub fn with_facts_of(mut self, other: &Self) -> Self {
        for (key, item) in &mut self.table.items {
            let known = other.table.items.get(key).and_then(|item| item.get("fact"));
            if let Some(fact) = known.filter(|_| key.1.starts_with("FACT#")) {
                item.insert("fact".to_owned(), fact.clone());
            }
        }
        self
    }

    /// The same, with what people answered as a newer version keeps it: this one cannot read it.
    #[must_use]
    pub fn with_answers_of_a_newer_version(mut self) -> Self {
        for item in self.table.items.values_mut().filter(|item| item.contains_key("consent")) {
            item.insert("consent".to_owned(), serde_json::json!({"S": "{\"v\":99}"}));
        }
        self
    }

    /// The same, with what people answered as another world keeps it.
    #[must_use]
    pub fn with_answers_of(mut self, other: &Self) -> Self {
        for (key, item) in &mut self.table.items {
            let known = other.table.items.get(key).and_then(|item| item.get("consent"));
            if let Some(consent) = known {
                item.insert("consent".to_owned(), consent.clone());
            }
        }
        self
    }

    /// The same, after everybody left the newsletter by its own link.
    #[must_use]
    pub fn left_by_the_newsletters_link(mut self) -> Self {
        self.vendors.subscribers.values_mut().for_each(|subscriber| subscriber.active = false);
        self
    }

    /// The same, with each message twice: a queue delivers at least once.
    #[must_use]
    pub fn with_every_message_twice(mut self) -> Self {
        self.queues.double();
        self
    }

    /// How many messages a consumer's dead letters hold.
    #[must_use]
    pub fn dead_letters(&self, consumer: &str) -> usize {
        self.queues.bodies(&crate::queue::url(&format!("{consumer}-dead"))).len()
    }

    /// The CRM's id of the one contact that it holds.
    #[must_use]
    pub fn contact_id(&self) -> u64 {
        self.vendors.contacts.keys().copied().next().unwrap_or_default()
    }

    /// The newsletter tool's id of the one subscriber that it holds.
    #[must_use]
    pub fn subscriber_id(&self) -> u64 {
        self.vendors.subscribers.keys().copied().next().unwrap_or_default()
    }

    /// A field of that subscriber.
    #[must_use]
    pub fn newsletter_field(&self, name: &str) -> String {
        let fields = self.vendors.subscribers.values().next().and_then(|one| one.fields.get(name));
        fields.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// How many items are in partitions whose name begins so.
    #[must_use]
    pub fn items_like(&self, partition: &str) -> usize {
        self.table.items.keys().filter(|(pk, _)| pk.starts_with(partition)).count()
    }

    /// How many facts the table holds.
    #[must_use]
    pub fn facts(&self) -> usize {
        self.table.items.keys().filter(|(_, sk)| sk.starts_with("FACT#")).count()
    }
}
