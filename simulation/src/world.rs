//! All that is not ours, in one thread: table, queues, vendors, and the gate through which every
//! effect of a function goes. The gate counts, lets pass one by one where orders are explored, and
//! does what the plan says.

use crate::clock;
use crate::fault::{Effect, Fault, Function, Plan};
use crate::meter::Metered;
use crate::queue::Queues;
use crate::table::{Table, int};
use crate::vendor::Vendors;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// One run of one function.
pub(crate) type Actor = u64;

/// How long something slow takes: longer than a lease (60 s) and than a queue hides a message (180 s).
pub(crate) const SLOW: i64 = 200_000;

/// What an effect touches, so that two are known to commute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touch {
    pub(crate) place: String,
    pub(crate) writes: bool,
}

impl Touch {
    /// What the effect is about.
    pub(crate) fn effect(&self) -> Effect {
        if self.place.is_empty() {
            Effect::Look
        } else if self.place.starts_with("vendor:") {
            Effect::Vendor
        } else if !self.writes {
            Effect::Read
        } else if self.place.starts_with("http:") {
            Effect::Queue
        } else {
            Effect::Write
        }
    }

    /// Whether the order of two effects may matter.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let overlap = self.place.starts_with(&other.place) || other.place.starts_with(&self.place);
        overlap && (self.writes || other.writes)
    }
}

/// An effect that waits at the gate.
pub(crate) struct Parked {
    pub(crate) ticket: u64,
    pub(crate) touch: Touch,
    waker: Waker,
}

/// Somebody who is slow.
struct Asleep {
    ticket: u64,
    actor: Actor,
    until: i64,
    waker: Waker,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) queues: Queues,
    pub(crate) vendors: Vendors,
    pub(crate) plan: Plan,
    /// Who runs at this moment.
    pub(crate) current: Option<(Actor, Function)>,
    /// Whom the gate stops at every effect.
    pub(crate) stepping: BTreeSet<Actor>,
    pub(crate) parked: BTreeMap<Actor, Vec<Parked>>,
    let_through: BTreeSet<u64>,
    asleep: Vec<Asleep>,
    pub(crate) crashed: BTreeSet<Actor>,
    pub(crate) driver: Option<Waker>,
    /// Each function's effects, and whether they write.
    pub(crate) counted: BTreeMap<Function, Vec<Touch>>,
    /// Every call to the table and the queues, as it is billed.
    pub(crate) metered: Vec<Metered>,
    struck: BTreeMap<String, Option<Fault>>,
    tickets: u64,
    /// What was done and what went wrong, for whoever reads a failure.
    pub(crate) told: Vec<String>,
    pub(crate) violations: Vec<String>,
    /// Faults that happened.
    pub(crate) faults: u64,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Looks at the world, or changes it.
pub(crate) fn with<T>(act: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(act)
}

/// A new world, at the beginning of time.
pub(crate) fn reset(plan: Plan, tolerance: i64) {
    clock::reset();
    with(|world| {
        *world = World { plan, ..World::default() };
        world.table.watch.tolerance = tolerance;
    });
}

impl World {
    /// What the plan says of an effect. Repetitions by the SDK are the same effect.
    pub(crate) fn strike(&mut self, invocation: &str, label: &str, touch: Touch) -> Option<Fault> {
        let (actor, function) = self.current?;
        if let Some(known) = self.struck.get(invocation) {
            return *known;
        }
        let made = self.counted.entry(function).or_default();
        made.push(touch);
        let at = made.len() - 1;
        let fault = self.plan.strike(function, at);
        self.struck.insert(invocation.to_owned(), fault);
        self.faults += u64::from(fault.is_some());
        self.tell(&format!("{function:?} {actor}, effect {at}"), label, fault);
        fault
    }

    /// A line for whoever reads a failure. Looks at the agenda's lists are many, and told in one.
    pub(crate) fn tell(&mut self, who: &str, label: &str, fault: Option<Fault>) {
        let time = clock::now() - clock::BEGINNING;
        let is_look = label.trim() == "Query" && fault.is_none();
        let label = if is_look { "looks at the agenda" } else { label };
        let follows = self.told.last().is_some_and(|last| last.contains(label));
        if is_look && follows {
            self.told.pop();
        }
        let noted = fault.map_or_else(String::new, |fault| format!("  <-- {fault:?}"));
        self.told.push(format!("{time:>9} ms  {who}: {label}{noted}"));
    }

    /// Whether everything that Stripe told is recorded.
    pub(crate) fn is_reconciled(&self) -> bool {
        self.unrecorded().next().is_none()
    }

    /// What Stripe told and nobody has recorded.
    fn unrecorded(&self) -> impl Iterator<Item = &serde_json::Value> {
        let kept = |event: &serde_json::Value| {
            let sk = format!("FACT#stripe#{}", event["id"].as_str().unwrap_or_default());
            self.table.items.keys().any(|key| key.1 == sk)
        };
        self.vendors.stripe.events.iter().filter(move |event| !kept(event))
    }

    /// The reconciler's cursor may not pass what is not recorded: nobody looks there again for good.
    pub(crate) fn watch_the_cursor(&mut self) {
        let cursor = self.table.items.get(&("RECONCILER".to_owned(), "CURSOR".to_owned()));
        let reached = cursor.and_then(|item| int(item, "reached_at")).unwrap_or_default();
        let created = |event: &serde_json::Value| event["created"].as_i64().unwrap_or_default();
        if self.unrecorded().any(|event| created(event) * 1000 < reached) {
            self.violations.push("the cursor passed an event that is not recorded".to_owned());
        }
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Counts a call that was answered.
    pub(crate) fn meter(&mut self, operation: &str, (writes, half_reads): (usize, usize)) {
        let by = self.current.map(|(_, function)| function);
        self.metered.push(Metered { by, operation: operation.to_owned(), writes, half_reads });
    }

    fn wake(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    /// The running function dies: whoever drives it drops it.
    pub(crate) fn crash(&mut self) {
        if let Some((actor, _)) = self.current {
            self.crashed.insert(actor);
        }
        self.wake();
    }

    /// Lets an effect through the gate.
    pub(crate) fn let_through(&mut self, actor: Actor) -> Option<Touch> {
        let waiting = self.parked.get_mut(&actor)?;
        if waiting.is_empty() {
            return None;
        }
        let first = waiting.remove(0);
        self.let_through.insert(first.ticket);
        first.waker.wake();
        Some(first.touch)
    }

    /// What an actor would do next.
    pub(crate) fn next_of(&self, actor: Actor) -> Option<&Touch> {
        self.parked.get(&actor)?.first().map(|parked| &parked.touch)
    }

    pub(crate) fn is_asleep(&self, actor: Actor) -> bool {
        self.asleep.iter().any(|asleep| asleep.actor == actor)
    }

    /// When the next of those who sleep wakes up, or a vendor carries out what was given up.
    pub(crate) fn next_waking(&self) -> Option<i64> {
        let asleep = self.asleep.iter().map(|asleep| asleep.until);
        asleep.chain(self.vendors.next_landing()).min()
    }

    /// Wakes one of those whose time has come. One after the other: what a vendor is asked at this
    /// moment is asked by whoever runs.
    pub(crate) fn wake_sleeper(&mut self) -> Option<Actor> {
        let now = clock::now();
        let actor = self.asleep.iter().find(|asleep| asleep.until <= now)?.actor;
        let of_theirs = |asleep: &mut Asleep| asleep.actor == actor && asleep.until <= now;
        self.asleep.extract_if(.., of_theirs).for_each(|asleep| asleep.waker.wake());
        Some(actor)
    }

    /// Forgets somebody who is gone.
    pub(crate) fn bury(&mut self, actor: Actor) {
        self.asleep.retain(|asleep| asleep.actor != actor);
        self.parked.remove(&actor);
        self.stepping.remove(&actor);
        self.crashed.remove(&actor);
    }
}

/// Waits at the gate, where orders are explored.
pub(crate) async fn turn(touch: Touch) {
    let Some((actor, _)) = with(|world| world.current) else { return };
    let ticket = with(World::ticket);
    poll_fn(|context| {
        with(|world| {
            if world.let_through.remove(&ticket) || !world.stepping.contains(&actor) {
                return Poll::Ready(());
            }
            let waiting = world.parked.entry(actor).or_default();
            let waker = context.waker().clone();
            match waiting.iter_mut().find(|parked| parked.ticket == ticket) {
                Some(parked) => parked.waker = waker,
                None => waiting.push(Parked { ticket, touch: touch.clone(), waker }),
            }
            world.wake();
            Poll::Pending
        })
    })
    .await;
}

/// Is slow: the world goes on meanwhile.
pub(crate) async fn dawdle() {
    let Some((actor, _)) = with(|world| world.current) else { return };
    // A sweep works many shards together, and two of its calls may be slow at the same time.
    let (ticket, until) = (with(World::ticket), clock::now() + SLOW);
    poll_fn(|context| {
        with(|world| {
            if clock::now() >= until {
                return Poll::Ready(());
            }
            world.asleep.retain(|asleep| asleep.ticket != ticket);
            world.asleep.push(Asleep { ticket, actor, until, waker: context.waker().clone() });
            world.wake();
            Poll::Pending
        })
    })
    .await;
}
