//! One history: who speaks when, what AWS does by itself, and what becomes of each function's run.
//! It goes on until nothing is left to do, or for so long that something must be stuck.

mod course;
mod end;
mod start;

use crate::clock;
use crate::fault::Function;
use crate::shop::{QUEUES, Settings, Shop};
use crate::story::Said;
use crate::world::Actor;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// When the sweeper runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweeping {
    /// Every minute in which it would find something.
    EachMinute,
    /// Only when nothing else is left that could bring the world to rest.
    Last,
    /// Never.
    Off,
}

/// How a history is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The destinations that are switched on.
    pub destinations: &'static str,
    /// Settings that are not as the template has them.
    pub set: &'static [(&'static str, &'static str)],
    /// When the sweeper runs.
    pub sweeping: Sweeping,
    /// Whether the stream brings facts at all.
    pub stream: bool,
    /// How many messages a batch holds. With one it is known which delivery a call is for.
    pub batch: usize,
    /// How many facts a batch of the stream holds.
    pub facts: usize,
    /// The queues that somebody consumes.
    pub queues: Vec<&'static str>,
    /// By how many milliseconds each function's clock is wrong.
    pub skews: BTreeMap<Function, i64>,
    /// Whether the reconciler runs: every quarter of an hour, until nothing of Stripe's is missing.
    pub reconciling: bool,
    /// Whether somebody begins again what is dead, as often as it takes.
    pub redriving: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            destinations: "hubspot,mailerlite,sgtm,sendgrid,slack",
            set: &[],
            sweeping: Sweeping::Last,
            stream: true,
            batch: 1,
            facts: 1,
            queues: QUEUES.to_vec(),
            skews: BTreeMap::new(),
            reconciling: false,
            redriving: false,
        }
    }
}

impl Options {
    pub(crate) fn settings(&self) -> Settings {
        Settings { destinations: self.destinations, set: self.set }
    }
}

/// What a function's run led to.
enum Ended {
    Http(Value),
    Stream(bool),
    Batch(Value),
    Swept,
    Reconciled,
    /// How many dead deliveries there were; `None` where the command said that it failed.
    Redriven(Option<usize>),
}

/// What a run is about.
#[derive(Debug, Clone)]
enum Work {
    Say(usize),
    Dispatch { records: Value, tries: u32 },
    Consume { queue: &'static str, ids: Vec<String>, instance: usize },
    Sweep,
    Reconcile,
    Redrive,
}

struct Live {
    function: Function,
    work: Work,
    future: Pin<Box<dyn Future<Output = Ended>>>,
}

/// Where an actor stands after it was allowed to go on.
pub(crate) enum Stand {
    Gone,
    AtTheGate,
    Asleep,
}

/// Something said, until it is answered.
struct Telling {
    said: Said,
    next_at: i64,
    tries: u32,
    over: bool,
    acknowledged: bool,
}

/// A history under way.
pub(crate) struct Run {
    shop: Rc<Shop>,
    pub(crate) options: Options,
    live: BTreeMap<Actor, Live>,
    actors: Actor,
    tellings: Vec<Telling>,
    retries: Vec<(i64, Value, u32)>,
    swept_at: i64,
    /// When the reconciler and the operator look next; `None` once there is nothing more to find.
    reconciles_at: Option<i64>,
    redrives_at: Option<i64>,
    runs: u32,
    /// Facts that a 2xx promised.
    pub(crate) promised: BTreeSet<(String, String)>,
}

impl Run {
    pub(crate) fn new(shop: Rc<Shop>, options: Options, said: Vec<Said>) -> Self {
        let now = clock::now();
        let tellings = said.into_iter().map(|said| Telling {
            next_at: clock::BEGINNING + said.after_ms,
            said,
            tries: 0,
            over: false,
            acknowledged: false,
        });
        Self {
            shop,
            live: BTreeMap::new(),
            actors: 0,
            tellings: tellings.collect(),
            retries: Vec::new(),
            swept_at: 0,
            reconciles_at: options.reconciling.then_some(now),
            redrives_at: options.redriving.then_some(now),
            runs: 0,
            promised: BTreeSet::new(),
            options,
        }
    }
}
