//! Where histories are run: one thread, one runtime, one port for the vendors, any number of worlds.

use crate::assumption::{QueueTrial, Trial};
use crate::fault::{Effect, Function, Plan};
use crate::meter::Metered;
use crate::oracle::{Rest, judge};
use crate::run::{Options, Run};
use crate::shop::{Settings, Shop, outbound};
use crate::snapshot::Snapshot;
use crate::story::{Said, Visitor};
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

    /// A world in which nothing has happened yet.
    pub fn nowhere(&mut self) -> Snapshot {
        self.begin(&Options::default(), Plan::default());
        self.snapshot()
    }

    /// The world as the last history left it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::taken()
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
