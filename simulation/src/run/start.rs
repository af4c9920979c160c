//! How a function's run begins, and how it goes on until it is done, dead, slow or at the gate.

use super::{Ended, Live, Run, Stand, Work};
use crate::clock;
use crate::fault::Function;
use crate::queue;
use crate::shop::INSTANCES;
use crate::world::{self, Actor};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

type Running = Pin<Box<dyn Future<Output = Ended>>>;

impl Run {
    pub(super) fn start(&mut self, function: Function, work: Work) -> Actor {
        let shop = Rc::clone(&self.shop);
        let future: Running = match &work {
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
            Work::Reconcile => Box::pin(async move {
                shop.reconcile().await;
                Ended::Reconciled
            }),
            Work::Redrive => Box::pin(async move { Ended::Redriven(shop.redrive().await) }),
        };
        self.add(Live { function, work, future })
    }

    fn add(&mut self, live: Live) -> Actor {
        self.actors += 1;
        self.runs += 1;
        self.live.insert(self.actors, live);
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
        let records: Vec<Value> = world::with(|world| {
            let most = world.table.stream.len().min(self.options.facts);
            world.table.stream.drain(..most).collect()
        });
        let waiting = !records.is_empty();
        waiting.then(|| self.start_records(json!({ "Records": records })))
    }

    /// The same batch again: the stream delivers at least once.
    pub(crate) fn start_records(&mut self, records: Value) -> Actor {
        self.start(Function::Dispatcher, Work::Dispatch { records, tries: 0 })
    }

    /// Starts a batch of a queue, if there are messages and an instance is free.
    pub(crate) fn start_batch(&mut self, queue: &'static str, most: usize) -> Option<Actor> {
        let instance = self.free_instance(queue)?;
        let messages = world::with(|world| world.queues.receive(&queue::url(queue), most));
        if messages.is_empty() {
            return None;
        }
        let records: Vec<Value> = messages.iter().map(queue::Message::as_record).collect();
        let ids = messages.iter().map(|message| message.id.clone()).collect();
        let shop = Rc::clone(&self.shop);
        let event = json!({ "Records": records });
        let future: Running =
            Box::pin(async move { Ended::Batch(shop.consume(queue, instance, event).await) });
        let work = Work::Consume { queue, ids, instance };
        let actor = self.add(Live { function: Function::Consumer(queue), work, future });
        if let [message] = messages.as_slice() {
            world::with(|world| world.vendors.errands.insert(actor, message.body.clone()));
        }
        Some(actor)
    }

    fn free_instance(&self, queue: &str) -> Option<usize> {
        let busy = self.live.values().filter_map(|live| match &live.work {
            Work::Consume { queue: other, instance, .. } if *other == queue => Some(*instance),
            Work::Consume { .. }
            | Work::Say(_)
            | Work::Dispatch { .. }
            | Work::Sweep
            | Work::Reconcile
            | Work::Redrive => None,
        });
        let busy: BTreeSet<usize> = busy.collect();
        (0..INSTANCES).find(|instance| !busy.contains(instance))
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
}
