//! What must be true of a world at rest, told from the table and the vendors alone.

use crate::queue;
use crate::run::{Run, Sweeping};
use crate::table::{Table, text};
use crate::vendor::Vendors;
use crate::world;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How a world came to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// How each delivery ended: its state and reason, by journey and effect.
    pub deliveries: BTreeMap<String, String>,
    /// What vendors that keep state hold, by person.
    pub state: BTreeMap<String, String>,
    /// The messages that are left on the queues.
    pub messages: BTreeSet<String>,
}

/// Looks at the world: how it came to rest, and everything that is wrong with it.
pub(crate) fn judge(run: &Run, stuck: Result<(), String>) -> (Rest, Vec<String>) {
    world::with(|world| {
        let mut wrong = std::mem::take(&mut world.violations);
        wrong.append(&mut world.table.watch.violations);
        wrong.extend(stuck.err());
        for (pk, sk) in &run.promised {
            if !world.table.items.contains_key(&(pk.clone(), sk.clone())) {
                wrong.push(format!("loss: {sk} was promised and is gone"));
            }
        }
        if world.queues.moved > 0 {
            wrong.push(format!(
                "{} messages were moved to the dead letters by SQS",
                world.queues.moved
            ));
        }
        let messages =
            crate::shop::QUEUES.iter().map(|q| (*q, world.queues.bodies(&queue::url(q))));
        let rest = Rest {
            deliveries: deliveries(&world.table),
            state: state(&world.vendors),
            messages: messages
                .flat_map(|(q, all)| all.into_iter().map(move |m| format!("{q} {m}")))
                .collect(),
        };
        if run.options.stream || run.options.sweeping != Sweeping::Off {
            every_route_is_kept(&world.table, &mut wrong);
        }
        every_end_is_true(&world.table, &world.vendors, &mut wrong);
        every_death_is_told(world, &mut wrong);
        every_order_has_one_intent(&world.vendors, &mut wrong);
        every_new_life_has_its_deed(&world.table, &mut wrong);
        (rest, wrong)
    })
}

fn deliveries(table: &Table) -> BTreeMap<String, String> {
    let of = table.items.iter().filter(|((_, sk), _)| sk.starts_with("DELIVERY#"));
    of.map(|((_, sk), item)| {
        let end = format!("{} {}", text(item, "state"), text(item, "reason"));
        (sk.clone(), end.trim().to_owned())
    })
    .collect()
}

/// What people are at the vendors that keep state. Whether a newsletter's subscriber was never there
/// or has left is the same to them.
fn state(vendors: &Vendors) -> BTreeMap<String, String> {
    let contacts = vendors.contacts.values().map(|contact| {
        let email = contact.properties.get("email").cloned().unwrap_or_default();
        (format!("hubspot {email}"), format!("{:?}", contact.properties))
    });
    let subscribers =
        vendors.subscribers.values().filter(|subscriber| subscriber.active).map(|s| {
            let mut fields = s.fields.clone();
            // It is there once the CRM has heard of the person, which may be later.
            fields.remove("crm_contact_id");
            (format!("mailerlite {}", s.email), format!("{fields:?}"))
        });
    contacts.chain(subscribers).collect()
}

/// Every fact was routed, and every destination that should hear has a delivery.
fn every_route_is_kept(table: &Table, wrong: &mut Vec<String>) {
    for ((pk, sk), item) in &table.items {
        if !sk.starts_with("FACT#") {
            continue;
        }
        let Some(route) = table.items.get(&(pk.clone(), format!("ROUTE#{sk}"))) else {
            wrong.push(format!("loss: {sk} was never routed"));
            continue;
        };
        let routes: Value = serde_json::from_str(text(route, "routes")).unwrap_or_default();
        for route in routes.as_array().into_iter().flatten() {
            let destination = route["destination"].as_str().unwrap_or_default();
            let key = format!("DELIVERY#{}#{destination}", text(item, "effect"));
            if route["decision"] == "send" && !table.items.contains_key(&(pk.clone(), key.clone()))
            {
                wrong.push(format!("loss: {key} was never opened"));
            }
        }
    }
}

/// A delivery that ended as delivered was taken by the vendor; an at-most-once call happened at most
/// once, and a keyed one too, repetitions that its vendor recognises left out.
fn every_end_is_true(table: &Table, vendors: &Vendors, wrong: &mut Vec<String>) {
    for ((pk, sk), item) in &table.items {
        let Some(rest) = sk.strip_prefix("DELIVERY#") else { continue };
        let Some((effect, destination)) = rest.rsplit_once('#') else { continue };
        if ["hubspot", "mailerlite"].contains(&destination) {
            continue;
        }
        let journey = pk.trim_start_matches("JOURNEY#");
        let is_this = |delivery: &str| {
            serde_json::from_str::<Value>(delivery).is_ok_and(|id| {
                id == json!({"event_id": journey, "effect": effect, "destination": destination})
            })
        };
        let calls = vendors.calls.iter().filter(|call| is_this(&call.delivery));
        let applied: Vec<_> = calls.filter(|call| call.applied).collect();
        let done = ["delivered", "accepted_unverifiable"].contains(&text(item, "state"));
        if done && applied.is_empty() {
            wrong.push(format!("loss: {sk} counts as delivered, and its vendor never took it"));
        }
        if applied.len() > 1 && !applied.iter().all(|call| call.keyed) {
            wrong.push(format!("{sk} was applied {} times", applied.len()));
        }
    }
}

/// What was given up is on a dead-letter queue, for a person.
fn every_death_is_told(world: &world::World, wrong: &mut Vec<String>) {
    for ((pk, sk), item) in &world.table.items {
        if !sk.starts_with("DELIVERY#") || text(item, "state") != "dead" {
            continue;
        }
        let effect_of = |letter: &Value| {
            let part = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
            (part("event_id"), format!("DELIVERY#{}#{}", part("effect"), part("destination")))
        };
        let told = crate::shop::QUEUES.iter().any(|queue| {
            let letters = world.queues.bodies(&queue::url(&format!("{queue}-dead")));
            letters.iter().map(effect_of).any(|(id, key)| key == *sk && pk.ends_with(&id))
        });
        if !told {
            wrong.push(format!("{sk} is dead and on no dead-letter queue"));
        }
    }
}

/// A visitor can pay once for what they ordered once.
fn every_order_has_one_intent(vendors: &Vendors, wrong: &mut Vec<String>) {
    let mut orders: BTreeMap<String, u32> = BTreeMap::new();
    for intent in vendors.stripe.intents.values() {
        let part = |name: &str| intent["metadata"][name].as_str().unwrap_or_default();
        let order = format!("{} {}", part("product_id"), part("event_id"));
        *orders.entry(order).or_default() += 1;
    }
    for (order, intents) in orders.into_iter().filter(|(_, intents)| *intents > 1) {
        wrong.push(format!("{intents} intents are open for one order: {order}"));
    }
}

/// A delivery that lives again says who began it anew, and nobody is named who did not.
fn every_new_life_has_its_deed(table: &Table, wrong: &mut Vec<String>) {
    let audits = |what: &'static str| {
        let all = table
            .items
            .iter()
            .filter(move |((_, sk), item)| sk.starts_with("AUDIT#") && text(item, "what") == what);
        all.map(|((pk, _), item)| (pk.as_str(), text(item, "subject"))).collect::<BTreeSet<_>>()
    };
    let (mut redriven, wished) = (audits("redriven"), audits("replayed"));
    for ((pk, sk), item) in &table.items {
        let Some(delivery) = sk.strip_prefix("DELIVERY#") else { continue };
        if !item.contains_key("revived_at") {
            continue;
        }
        let by_hand = redriven.remove(&(pk, delivery));
        let by_wish =
            item.contains_key("replayed_for") && wished.contains(&(pk, text(item, "fact")));
        if !by_hand && !by_wish {
            wrong.push(format!("{delivery} was begun again, and nobody is named"));
        }
    }
    for (_, delivery) in redriven {
        wrong.push(format!("somebody is named for {delivery}, which was not begun again"));
    }
}
