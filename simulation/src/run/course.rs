//! The course of a history: what can be done now is done, else time goes on to what comes next.

use super::{Run, Sweeping, Work};
use crate::clock;
use crate::fault::Function;
use crate::queue;
use crate::shop::QUEUES;
use crate::vendor;
use crate::world::{self, Actor, World};

/// A history that lasts longer is stuck.
const LONGEST: i64 = 40 * 24 * 3_600_000;
/// One that does more than this is stuck, too.
const MOST_RUNS: u32 = 600;

impl Run {
    /// Brings the world to rest.
    pub(crate) async fn settle(&mut self) -> Result<(), String> {
        loop {
            if clock::now() > clock::BEGINNING + LONGEST || self.runs > MOST_RUNS {
                return Err(format!("the world does not come to rest: {}", self.left()));
            }
            if !self.work().await && !self.wait() {
                let unheard = self.tellings.iter().find(|telling| !telling.acknowledged);
                if let Some(telling) = unheard {
                    return Err(format!("{} was never answered with 2xx", telling.said.name));
                }
                let left = world::with(|world| world.table.agenda().count());
                return match left {
                    0 => Ok(()),
                    _ if self.options.sweeping == Sweeping::Off => Ok(()),
                    _ => Err(format!("nobody looks after what is left: {}", self.left())),
                };
            }
        }
    }

    /// Does something that can be done at this moment.
    async fn work(&mut self) -> bool {
        if vendor::land() {
            return true;
        }
        let next = world::with(World::wake_sleeper).or_else(|| self.next());
        match next {
            Some(actor) => {
                self.advance(actor).await;
                true
            }
            None => false,
        }
    }

    /// Starts what can be started at this moment.
    fn next(&mut self) -> Option<Actor> {
        let now = clock::now();
        let due = self.tellings.iter().position(|telling| !telling.over && telling.next_at <= now);
        if let Some(at) = due {
            return Some(self.start_saying(at));
        }
        if let Some(actor) = self.next_dispatch(now).or_else(|| self.next_batch(now)) {
            return Some(actor);
        }
        if self.reconciles_at.is_some_and(|at| at <= now) {
            self.reconciles_at = None;
            return Some(self.start(Function::Reconciler, Work::Reconcile));
        }
        if self.redrives_at.is_some_and(|at| at <= now) {
            self.redrives_at = None;
            return Some(self.start(Function::Redrive, Work::Redrive));
        }
        self.next_sweep(now)
    }

    fn next_dispatch(&mut self, now: i64) -> Option<Actor> {
        if let Some(at) = self.retries.iter().position(|(at, ..)| *at <= now) {
            let (_, records, tries) = self.retries.remove(at);
            return Some(self.start(Function::Dispatcher, Work::Dispatch { records, tries }));
        }
        if self.options.stream { self.start_dispatch() } else { None }
    }

    fn next_batch(&mut self, now: i64) -> Option<Actor> {
        let waiting = world::with(|world| {
            let (at, url) = world.queues.next(&self.options.queues)?;
            (at <= now).then(|| url.to_owned())
        });
        let url = waiting?;
        let queue = QUEUES.into_iter().find(|queue| queue::url(queue) == url)?;
        self.start_batch(queue, self.options.batch)
    }

    fn next_sweep(&mut self, now: i64) -> Option<Actor> {
        let may = match self.options.sweeping {
            Sweeping::EachMinute => true,
            Sweeping::Last => self.next_other().is_none(),
            Sweeping::Off => false,
        };
        if !may || self.sweep_at().is_none_or(|at| at > now) {
            return None;
        }
        self.swept_at = now;
        Some(self.start(Function::Sweeper, Work::Sweep))
    }

    /// When something other than a sweep happens next.
    fn next_other(&self) -> Option<i64> {
        let tellings = self.tellings.iter().filter(|telling| !telling.over).map(|t| t.next_at);
        let retries = self.retries.iter().map(|(at, ..)| *at);
        let looks = self.reconciles_at.into_iter().chain(self.redrives_at);
        let (queues, waking) = world::with(|world| {
            let queues = world.queues.next(&self.options.queues).map(|(at, _)| at);
            (queues, world.next_waking())
        });
        // What could be received now and is not waits for a worker: that is, for a waking.
        let queues = queues.filter(|at| *at > clock::now());
        let all = tellings.chain(retries).chain(looks).chain(queues).chain(waking);
        all.filter(|at| *at < i64::MAX).min()
    }

    /// The minute in which a sweep would find something.
    fn sweep_at(&self) -> Option<i64> {
        let first = world::with(|world| {
            let due = |(_, list, at): (_, &str, i64)| {
                if list.starts_with("due#") { at - 60_000 } else { at + 120_000 }
            };
            world.table.agenda().map(due).min()
        })?;
        let earliest = first.max(self.swept_at + 1).max(clock::now());
        Some(earliest.div_euclid(60_000) * 60_000 + 60_000 * i64::from(earliest % 60_000 > 0))
    }

    /// Lets time pass until the next thing happens.
    fn wait(&mut self) -> bool {
        let now = clock::now();
        let other = self.next_other().map(|at| at.max(now + 1));
        let sweep = match self.options.sweeping {
            Sweeping::EachMinute => self.sweep_at(),
            Sweeping::Last if other.is_none() => self.sweep_at(),
            Sweeping::Last | Sweeping::Off => None,
        };
        let Some(next) = other.into_iter().chain(sweep).min() else { return false };
        clock::go_to(next);
        true
    }

    fn left(&self) -> String {
        let agenda: Vec<String> = world::with(|world| {
            world.table.agenda().map(|((_, sk), list, _)| format!("{sk} ({list})")).collect()
        });
        format!("{} runs, {:?}", self.runs, agenda)
    }
}
