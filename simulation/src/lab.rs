//! Where histories are run: one thread, one runtime, one port for the vendors, any number of worlds.

use crate::assumption::{QueueTrial, Trial};
use crate::fault::{Effect, Function, Plan};
use crate::meter::Metered;
use crate::oracle::{Rest, judge};
use crate::queue::Queues;
use crate::run::{Options, Run};
use crate::shop::{Settings, Shop, outbound};
use crate::story::{Said, Visitor};
use crate::table::Table;
use crate::vendor::{Mood, Vendors};
use crate::world::Touch;
use crate::{clock, vendor, world};
use ::outbound::Outbound;
use jiff::Timestamp;
use ledger::Ledger;
use operator::Operator;
use serde_json::Value;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::{Builder, Runtime};

static REGIONS: AtomicU64 = AtomicU64::new(0);

/// A place to run histories in; each is a world of its own.
pub struct Lab {
    runtime: Runtime,
    address: String,
    outbound: Outbound,
    shop: Option<(Settings, Rc<Shop>)>,
    /// How many histories were run.
    pub histories: u64,
    /// How many faults happened in them.
    pub faults: u64,
}

/// What became of a history.
#[derive(Debug, Clone)]
pub struct Report {
    /// How it came to rest.
    pub rest: Rest,
    /// All that must not be.
    pub wrong: Vec<String>,
    /// What was done, line by line.
    pub told: Vec<String>,
    /// Each function's effects: what they touch, and whether they write.
    effects: BTreeMap<Function, Vec<Touch>>,
}

/// A world that stands still, to be gone on with any number of times.
#[derive(Clone)]
pub struct Snapshot {
    table: Table,
    queues: Queues,
    vendors: Vendors,
    at: i64,
}

impl Report {
    /// How many effects there were.
    #[must_use]
    pub fn effects(&self) -> usize {
        self.effects.values().map(Vec::len).sum()
    }

    /// Each effect of a function: what it is about.
    #[must_use]
    pub fn effects_of(&self, function: Function) -> Vec<Effect> {
        let touches = self.effects.get(&function).map(Vec::as_slice).unwrap_or_default();
        touches.iter().map(Touch::effect).collect()
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Lab {
    /// Opens the vendors' port.
    #[must_use]
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let address = runtime.block_on(vendor::open());
        let outbound = outbound();
        Self { runtime, address, outbound, shop: None, histories: 0, faults: 0 }
    }

    /// A new world, its functions cold.
    pub(crate) fn begin(&mut self, options: &Options, plan: Plan) -> Rc<Shop> {
        let furthest = options.skews.values().map(|skew| skew.abs()).max().unwrap_or(0);
        world::reset(plan, 2 * furthest);
        world::with(|world| world.vendors.address.clone_from(&self.address));
        self.histories += 1;
        // Functions stay as they are for some histories: the SDK's quota of repetitions lasts as long.
        let again = !self.histories.is_multiple_of(64);
        let kept = self.shop.take().filter(|(kept, _)| again && *kept == options.settings());
        let shop = match kept.and_then(|(_, shop)| Rc::try_unwrap(shop).ok()) {
            Some(mut shop) => {
                shop.cool();
                Rc::new(shop)
            }
            None => {
                let region = REGIONS.fetch_add(1, Ordering::Relaxed);
                let open = Shop::open(options.settings(), region, &self.outbound);
                Rc::new(self.runtime.block_on(open))
            }
        };
        self.shop = Some((options.settings(), Rc::clone(&shop)));
        shop
    }

    /// Begins the next history with functions that were never used.
    pub fn renew(&mut self) {
        self.shop = None;
    }

    /// Runs a history to rest. `buyers` says who has begun to pay, and when.
    pub fn run(
        &mut self,
        options: &Options,
        plan: Plan,
        buyers: &[(Visitor, i64)],
        said: Vec<Said>,
    ) -> Report {
        let shop = self.begin(options, plan);
        let mut run = Run::new(Rc::clone(&shop), options.clone(), said);
        let settled = self.runtime.block_on(async {
            for (visitor, at) in buyers {
                shop.begin_to_pay(visitor, *at).await;
            }
            run.settle().await
        });
        self.report(&run, settled)
    }

    /// The world as the last history left it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        world::with(|world| Snapshot {
            table: world.table.clone(),
            queues: world.queues.clone(),
            vendors: world.vendors.clone(),
            at: clock::now(),
        })
    }

    /// Goes on from a snapshot to rest, and hears what is said from then on.
    pub fn resume(
        &mut self,
        from: &Snapshot,
        options: &Options,
        plan: Plan,
        said: Vec<Said>,
    ) -> Report {
        let shop = self.begin(options, plan);
        from.restore();
        let mut run = Run::new(shop, options.clone(), said);
        let settled = self.runtime.block_on(run.settle());
        self.report(&run, settled)
    }

    /// Gives a person's commands in the world of a snapshot, where nothing fails and nobody else acts.
    pub fn command<T>(
        &mut self,
        from: &Snapshot,
        options: &Options,
        commands: impl AsyncFnOnce(&Operator, &Ledger, Timestamp) -> T,
    ) -> T {
        let shop = self.begin(options, Plan::default());
        from.restore();
        let (operator, ledger) = shop.desk();
        self.runtime.block_on(commands(operator, ledger, clock::read()))
    }

    /// Hands one event to a function, in a world where nothing fails. What is not an event of the
    /// function's kind is answered with null, as the runtime does not hand it over.
    pub fn hand(&mut self, function: Function, event: Value) -> Value {
        let shop = self.begin(&Options::default(), Plan::default());
        self.runtime.block_on(shop.take(function, event))
    }

    /// Every call to the table and the queues that the last history made, as it is billed.
    #[must_use]
    pub fn metered(&self) -> Vec<Metered> {
        world::with(|world| world.metered.clone())
    }

    /// What the world in memory makes of every case about which it assumes something.
    pub fn assume(&mut self) -> Vec<String> {
        world::reset(Plan::default(), 0);
        self.runtime.block_on(async {
            let region = REGIONS.fetch_add(1, Ordering::Relaxed);
            let config = crate::aws::config(region);
            let client = aws_sdk_dynamodb::Client::new(&config);
            let trial = Trial { client: &client, table: "ledger", partition: "TRIAL#model" };
            let mut lines = trial.play().await;
            let client = aws_sdk_sqs::Client::new(&config);
            let url = crate::queue::url("trial");
            lines.extend(QueueTrial { client: &client, url: &url }.play().await);
            lines
        })
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn report(&mut self, run: &Run, settled: Result<(), String>) -> Report {
        let (rest, wrong) = judge(run, settled);
        world::with(|world| {
            self.faults += world.faults;
            let told = std::mem::take(&mut world.told);
            Report { rest, wrong, told, effects: std::mem::take(&mut world.counted) }
        })
    }
}

impl Snapshot {
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
