//! One history: who speaks when, what AWS does by itself, and what becomes of each function's run.
//! It goes on until nothing is left to do, or for so long that something must be stuck.

use crate::clock;
use crate::fault::Function;
use crate::queue;
use crate::shop::{INSTANCES, QUEUES, Shop};
use crate::story::Said;
use crate::world::{self, Actor};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

/// How often the mapping of the stream repeats a batch, as `template.yaml` says.
const STREAM_TRIES: u32 = 11;
/// How often Stripe repeats an event, within three days.
const STRIPE_TRIES: u32 = 16;
/// How often a page repeats what was not answered.
const PAGE_TRIES: u32 = 40;
/// A history that lasts longer is stuck.
const LONGEST: i64 = 40 * 24 * 3_600_000;
/// One that does more than this is stuck, too.
const MOST_RUNS: u32 = 600;

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
    /// When the sweeper runs.
    pub sweeping: Sweeping,
    /// Whether the stream brings facts at all.
    pub stream: bool,
    /// How many messages a batch holds. With one it is known which delivery a call is for.
    pub batch: usize,
    /// The queues that somebody consumes.
    pub queues: Vec<&'static str>,
    /// By how many milliseconds each function's clock is wrong.
    pub skews: BTreeMap<Function, i64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            destinations: "hubspot,mailerlite,sgtm,sendgrid,slack",
            sweeping: Sweeping::Last,
            stream: true,
            batch: 1,
            queues: QUEUES.to_vec(),
            skews: BTreeMap::new(),
        }
    }
}

/// What a function's run led to.
enum Ended {
    Http(Value),
    Stream(bool),
    Batch(Value),
    Swept,
}

/// What a run is about.
#[derive(Debug, Clone)]
enum Work {
    Say(usize),
    Dispatch { records: Value, tries: u32 },
    Consume { queue: &'static str, ids: Vec<String>, instance: usize },
    Sweep,
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
    runs: u32,
    /// Facts that a 2xx promised.
    pub(crate) promised: BTreeSet<(String, String)>,
}

impl Run {
    pub(crate) fn new(shop: Rc<Shop>, options: Options, said: Vec<Said>) -> Self {
        let mut run = Self {
            shop,
            options,
            live: BTreeMap::new(),
            actors: 0,
            tellings: Vec::new(),
            retries: Vec::new(),
            swept_at: 0,
            runs: 0,
            promised: BTreeSet::new(),
        };
        run.tell(said);
        run
    }

    /// Adds what is said from now on.
    pub(crate) fn tell(&mut self, said: Vec<Said>) {
        self.tellings.extend(said.into_iter().map(|said| Telling {
            next_at: clock::BEGINNING + said.after_ms,
            said,
            tries: 0,
            over: false,
        }));
    }

    fn start(&mut self, function: Function, work: Work) -> Actor {
        self.actors += 1;
        self.runs += 1;
        let shop = Rc::clone(&self.shop);
        let future: Pin<Box<dyn Future<Output = Ended>>> = match &work {
            Work::Say(at) => {
                let request = self.tellings[*at].said.request();
                Box::pin(async move { Ended::Http(shop.answer(function, request).await) })
            }
            Work::Dispatch { records, .. } => {
                let records = records.clone();
                Box::pin(async move { Ended::Stream(shop.dispatch(records).await) })
            }
            Work::Consume { .. } => unreachable!("a batch is started with its messages"),
            Work::Sweep => Box::pin(async move {
                shop.sweep().await;
                Ended::Swept
            }),
        };
        self.live.insert(self.actors, Live { function, work, future });
        self.actors
    }

    /// Starts what is said first of all that is left: for two that are said at once.
    pub(crate) fn start_saying(&mut self, at: usize) -> Actor {
        let function = self.tellings[at].said.to;
        self.tellings[at].next_at = i64::MAX;
        self.start(function, Work::Say(at))
    }

    /// Starts a batch of the stream, if there is one.
    pub(crate) fn start_dispatch(&mut self) -> Option<Actor> {
        let record = world::with(|world| world.table.stream.pop_front())?;
        Some(self.start_records(json!({ "Records": [record] })))
    }

    /// The same batch again: the stream delivers at least once.
    pub(crate) fn start_records(&mut self, records: Value) -> Actor {
        self.start(Function::Dispatcher, Work::Dispatch { records, tries: 0 })
    }

    /// Starts a batch of a queue, if there are messages and an instance is free.
    pub(crate) fn start_batch(&mut self, queue: &'static str, most: usize) -> Option<Actor> {
        let busy: BTreeSet<usize> = self
            .live
            .values()
            .filter_map(|live| match &live.work {
                Work::Consume { queue: other, instance, .. } if *other == queue => Some(*instance),
                Work::Consume { .. } | Work::Say(_) | Work::Dispatch { .. } | Work::Sweep => None,
            })
            .collect();
        let instance = (0..INSTANCES).find(|instance| !busy.contains(instance))?;
        let url = queue::url(queue);
        let messages = world::with(|world| world.queues.receive(&url, most));
        if messages.is_empty() {
            return None;
        }
        let records: Vec<Value> = messages
            .iter()
            .map(|message| {
                json!({"messageId": message.id, "body": message.body,
                    "receiptHandle": format!("{}/{}", message.id, message.receives),
                    "attributes": {"ApproximateReceiveCount": message.receives.to_string()}})
            })
            .collect();
        let ids = messages.iter().map(|message| message.id.clone()).collect();
        self.actors += 1;
        self.runs += 1;
        let actor = self.actors;
        if let [message] = messages.as_slice() {
            world::with(|world| world.vendors.errands.insert(actor, message.body.clone()));
        }
        let shop = Rc::clone(&self.shop);
        let event = json!({ "Records": records });
        let future =
            Box::pin(async move { Ended::Batch(shop.consume(queue, instance, event).await) });
        let work = Work::Consume { queue, ids, instance };
        self.live.insert(actor, Live { function: Function::Consumer(queue), work, future });
        Some(actor)
    }

    /// Lets somebody go on until they are done, dead, slow, or at the gate.
    pub(crate) async fn advance(&mut self, actor: Actor) -> Stand {
        let Some(live) = self.live.get_mut(&actor) else { return Stand::Gone };
        let function = live.function;
        let skew = self.options.skews.get(&function).copied().unwrap_or(0);
        let future = &mut live.future;
        let ended = poll_fn(|context| {
            world::with(|world| {
                world.current = Some((actor, function));
                world.driver = Some(context.waker().clone());
            });
            clock::wrong_by(skew);
            let polled = future.as_mut().poll(context);
            clock::wrong_by(0);
            world::with(|world| {
                let waits = world.next_of(actor).is_some() || world.is_asleep(actor);
                match polled {
                    Poll::Ready(ended) => Poll::Ready(Some(Some(ended))),
                    Poll::Pending if world.crashed.remove(&actor) => Poll::Ready(Some(None)),
                    Poll::Pending if waits => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            })
        })
        .await;
        match ended {
            None if world::with(|world| world.is_asleep(actor)) => Stand::Asleep,
            None => Stand::AtTheGate,
            Some(ended) => {
                let live = self.live.remove(&actor);
                world::with(|world| {
                    world.bury(actor);
                    world.current = None;
                });
                if let Some(live) = live {
                    self.finish(live.work, ended);
                }
                Stand::Gone
            }
        }
    }

    /// What AWS, Stripe or a page makes of a run's end; `None` where it died.
    fn finish(&mut self, work: Work, ended: Option<Ended>) {
        match (work, ended) {
            (Work::Say(at), ended) => {
                let status = match &ended {
                    Some(Ended::Http(answer)) => answer["statusCode"].as_u64().unwrap_or(0),
                    Some(Ended::Stream(_) | Ended::Batch(_) | Ended::Swept) | None => 0,
                };
                self.answered(at, status);
            }
            (Work::Dispatch { records, tries }, ended) => {
                if !matches!(ended, Some(Ended::Stream(true))) && tries + 1 < STREAM_TRIES {
                    self.retries.push((clock::now() + 1000, records, tries + 1));
                }
            }
            (Work::Consume { queue, ids, .. }, Some(Ended::Batch(answer))) => {
                batch_answered(queue, ids, &answer);
            }
            // Nothing is deleted: the messages come back when their time is over.
            (Work::Consume { .. } | Work::Sweep, _) => {}
        }
    }

    fn answered(&mut self, at: usize, status: u64) {
        let telling = &mut self.tellings[at];
        telling.tries += 1;
        let (most, wait) = match telling.said.to {
            Function::Webhook => (STRIPE_TRIES, 60_000 << telling.tries.min(8)),
            Function::Lead
            | Function::Consent
            | Function::Dispatcher
            | Function::Consumer(_)
            | Function::Sweeper => (PAGE_TRIES, 1_000 << telling.tries.min(6)),
        };
        if status / 100 == 2 {
            telling.over = true;
            promise(&telling.said, &mut self.promised);
            return;
        }
        if status / 100 == 4 && status != 429 {
            let what = format!("{} was refused with {status}", telling.said.name);
            world::with(|world| world.violations.push(what));
        }
        telling.over = telling.tries >= most;
        telling.next_at = clock::now() + wait;
    }

    /// Brings the world to rest.
    pub(crate) async fn settle(&mut self) -> Result<(), String> {
        loop {
            if clock::now() > clock::BEGINNING + LONGEST || self.runs > MOST_RUNS {
                return Err(format!("the world does not come to rest: {}", self.left()));
            }
            if !self.work().await && !self.wait() {
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
        let now = clock::now();
        let awake = world::with(world::World::wake_sleepers);
        for actor in &awake {
            self.advance(*actor).await;
        }
        if !awake.is_empty() {
            return true;
        }
        let due = self.tellings.iter().position(|telling| !telling.over && telling.next_at <= now);
        if let Some(at) = due {
            self.tellings[at].next_at = i64::MAX;
            let actor = self.start(self.tellings[at].said.to, Work::Say(at));
            self.advance(actor).await;
            return true;
        }
        if let Some(actor) = self.next_dispatch(now) {
            self.advance(actor).await;
            return true;
        }
        let waiting = world::with(|world| {
            let (at, url) = world.queues.next(&self.options.queues)?;
            (at <= now).then(|| url.to_owned())
        });
        if let Some(url) = waiting
            && let Some(queue) = QUEUES.into_iter().find(|queue| queue::url(queue) == url)
            && let Some(actor) = self.start_batch(queue, self.options.batch)
        {
            self.advance(actor).await;
            return true;
        }
        if self.options.sweeping != Sweeping::Off && self.sweep_at().is_some_and(|at| at <= now) {
            let others = self.next_other().is_some();
            if self.options.sweeping == Sweeping::EachMinute || !others {
                self.swept_at = now;
                let actor = self.start(Function::Sweeper, Work::Sweep);
                self.advance(actor).await;
                return true;
            }
        }
        false
    }

    fn next_dispatch(&mut self, now: i64) -> Option<Actor> {
        if let Some(at) = self.retries.iter().position(|(at, ..)| *at <= now) {
            let (_, records, tries) = self.retries.remove(at);
            return Some(self.start(Function::Dispatcher, Work::Dispatch { records, tries }));
        }
        if self.options.stream { self.start_dispatch() } else { None }
    }

    /// When something other than a sweep happens next.
    fn next_other(&self) -> Option<i64> {
        let tellings = self.tellings.iter().filter(|telling| !telling.over).map(|t| t.next_at);
        let retries = self.retries.iter().map(|(at, ..)| *at);
        let (queues, waking) = world::with(|world| {
            let queues = world.queues.next(&self.options.queues).map(|(at, _)| at);
            (queues, world.next_waking())
        });
        // What could be received now and is not waits for a worker: that is, for a waking.
        let queues = queues.filter(|at| *at > clock::now());
        tellings.chain(retries).chain(queues).chain(waking).filter(|at| *at < i64::MAX).min()
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

/// SQS deletes what was worked; an answer that names what was not in the batch fails it all.
fn batch_answered(queue: &'static str, mut ids: Vec<String>, answer: &Value) {
    let none = Vec::new();
    let failures = answer["batchItemFailures"].as_array().unwrap_or(&none);
    let named: Vec<&str> =
        failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str()).collect();
    if named.len() < failures.len() || named.iter().any(|name| !ids.iter().any(|id| id == name)) {
        let what = format!("a batch of {queue} was answered with a message that was not in it");
        world::with(|world| world.violations.push(what));
        return;
    }
    ids.retain(|id| !named.contains(&id.as_str()));
    world::with(|world| world.queues.delete(&queue::url(queue), &ids));
}

/// A 2xx is a promise: the fact must be there at this moment.
fn promise(said: &Said, promised: &mut BTreeSet<(String, String)>) {
    let (pk, sk) = &said.fact;
    let found = world::with(|world| {
        let range = world.table.items.range((pk.clone(), sk.clone())..);
        range.map(|(key, _)| key.clone()).find(|key| key.0 == *pk && key.1.starts_with(sk.as_str()))
    });
    match found {
        Some(key) => {
            promised.insert(key);
        }
        None => {
            let what = format!("{} was answered with 2xx and is not stored", said.name);
            world::with(|world| world.violations.push(what));
        }
    }
}
