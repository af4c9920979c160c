//! Where histories are run: one thread, one runtime, one port for the vendors, any number of worlds.

use crate::fault::{Function, Plan};
use crate::oracle::{Rest, judge};
use crate::run::{Options, Run};
use crate::shop::{Shop, outbound};
use crate::story::{Said, Visitor};
use crate::{vendor, world};
use ::outbound::Outbound;
use std::rc::Rc;
use tokio::runtime::{Builder, Runtime};

/// A place to run histories in; each is a world of its own.
pub struct Lab {
    runtime: Runtime,
    address: String,
    outbound: Outbound,
    shop: Option<(&'static str, Rc<Shop>)>,
    regions: u64,
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
    counts: std::collections::BTreeMap<Function, usize>,
}

impl Report {
    /// How many effects a function made.
    #[must_use]
    pub fn effects_of(&self, function: Function) -> usize {
        self.counts.get(&function).copied().unwrap_or(0)
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
        Self { runtime, address, outbound, shop: None, regions: 0, histories: 0, faults: 0 }
    }

    /// A new world, its functions cold.
    fn begin(&mut self, options: &Options, plan: Plan) -> Rc<Shop> {
        world::reset(plan);
        world::with(|world| world.vendors.address.clone_from(&self.address));
        self.histories += 1;
        let kept = self.shop.take().filter(|(kept, _)| *kept == options.destinations);
        let shop = kept.and_then(|(_, shop)| Rc::try_unwrap(shop).ok());
        let shop = match shop {
            Some(mut shop) => {
                shop.cool();
                Rc::new(shop)
            }
            None => {
                self.regions += 1;
                let open = Shop::open(options.destinations, self.regions, &self.outbound);
                Rc::new(self.runtime.block_on(open))
            }
        };
        self.shop = Some((options.destinations, Rc::clone(&shop)));
        shop
    }

    /// Runs a history to rest. `before` says who has begun to pay, and when.
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

    fn report(&mut self, run: &Run, settled: Result<(), String>) -> Report {
        let (rest, wrong) = judge(run, settled);
        let (told, counts, faults) = world::with(|world| {
            let functions = [
                Function::Lead,
                Function::Consent,
                Function::Webhook,
                Function::Dispatcher,
                Function::Sweeper,
            ];
            let consumers = crate::shop::QUEUES.map(Function::Consumer);
            let counts = functions.into_iter().chain(consumers).map(|f| (f, world.count(f)));
            let counts = counts.collect();
            (std::mem::take(&mut world.told), counts, world.faults)
        });
        self.faults += faults;
        Report { rest, wrong, told, counts }
    }
}
