//! Every order: runs that go on at the same time are let through the gate one effect at a time, in
//! every order that can make a difference. Two effects that touch different places, or only read,
//! commute; of orders that differ by such swaps alone one is run (sleep sets, Godefroid 1996).

use crate::lab::{Lab, Report};
use crate::run::{Options, Run, Stand};
use crate::snapshot::Snapshot;
use crate::world::{self, Actor, Touch};
use crate::{Plan, Said, clock};
use jiff::SignedDuration;

/// Who runs at the same time.
#[derive(Debug, Clone, Copy)]
pub enum Together {
    /// The first two things that are said.
    Sayings,
    /// One batch of the stream, delivered twice.
    Dispatches,
    /// Two batches of one message of a queue.
    Batches(&'static str),
    /// One message of a queue, delivered twice.
    SameMessage(&'static str),
}

/// What goes on next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Let(Actor),
    /// A lease goes by.
    Time,
}

/// A point at which several could go on.
struct Node {
    open: Vec<(Choice, Touch)>,
    asleep: Vec<(Choice, Touch)>,
    chosen: usize,
}

/// All orders of one scene.
#[derive(Debug)]
pub struct Explored {
    /// How many were run to rest.
    pub schedules: u64,
    /// How many were cut short, because they differ from one that was run by nothing.
    pub pruned: u64,
    /// The first that went wrong.
    pub wrong: Option<Report>,
    /// The ways in which the world came to rest.
    pub ends: Vec<crate::Rest>,
}

impl Node {
    fn next(&self) -> Option<usize> {
        let sleeps = |choice: &Choice| self.asleep.iter().any(|(other, _)| other == choice);
        self.open.iter().position(|(choice, _)| !sleeps(choice))
    }
}

impl Lab {
    /// Runs a scene in every order. `lapse` lets a lease go by at one point, at every point in turn.
    pub fn explore(
        &mut self,
        from: &Snapshot,
        options: &Options,
        (together, said, lapse): (Together, &[Said], bool),
        most: u64,
    ) -> Explored {
        let mut explored = Explored { schedules: 0, pruned: 0, wrong: None, ends: Vec::new() };
        let mut path: Vec<Node> = Vec::new();
        loop {
            let shop = self.begin(options, Plan::default());
            from.restore();
            let mut run = Run::new(shop, options.clone(), said.to_vec());
            let actors = start(&mut run, together);
            let finished = self.block_on(follow(&mut run, &actors, &mut path, lapse));
            if finished {
                explored.schedules += 1;
                let settled = self.block_on(run.settle());
                let report = self.report(&run, settled);
                if !report.wrong.is_empty() {
                    explored.wrong = Some(report);
                    return explored;
                }
                if !explored.ends.contains(&report.rest) {
                    explored.ends.push(report.rest);
                }
            } else {
                explored.pruned += 1;
                // Those who were in the middle of it are dropped with their run.
            }
            drop(run);
            if explored.schedules >= most || !step_back(&mut path) {
                return explored;
            }
        }
    }
}

fn start(run: &mut Run, together: Together) -> Vec<Actor> {
    let actors = match together {
        Together::Sayings => vec![run.start_saying(0), run.start_saying(1)],
        Together::Dispatches => {
            let records = world::with(|world| world.table.stream.pop_front());
            let records = serde_json::json!({ "Records": [records.expect("a fact")] });
            vec![run.start_records(records.clone()), run.start_records(records)]
        }
        Together::Batches(queue) => {
            let both = [run.start_batch(queue, 1), run.start_batch(queue, 1)];
            both.into_iter().flatten().collect()
        }
        Together::SameMessage(queue) => {
            let first = run.start_batch(queue, 1);
            world::with(|world| world.queues.show(&crate::queue::url(queue)));
            let both = [first, run.start_batch(queue, 1)];
            both.into_iter().flatten().collect()
        }
    };
    assert_eq!(actors.len(), 2, "two run together");
    world::with(|world| world.stepping.extend(actors.iter().copied()));
    actors
}

/// Follows the path, and beyond its end the first choice each time; `false` where all that is left
/// is known from another order.
async fn follow(run: &mut Run, actors: &[Actor], path: &mut Vec<Node>, lapse: bool) -> bool {
    let mut at_gate = Vec::new();
    for actor in actors {
        if matches!(run.advance(*actor).await, Stand::AtTheGate) {
            at_gate.push(*actor);
        }
    }
    let mut lapsed = !lapse;
    let mut depth = 0;
    while !at_gate.is_empty() {
        if depth == path.len() {
            let node = node(&at_gate, lapsed, path.last());
            let Some(chosen) = node.next() else { return false };
            path.push(Node { chosen, ..node });
        }
        let chosen = path[depth].open[path[depth].chosen].0;
        depth += 1;
        match chosen {
            Choice::Time => {
                lapsed = true;
                clock::pass(SignedDuration::from_secs(61));
            }
            Choice::Let(actor) => {
                world::with(|world| world.let_through(actor));
                if !matches!(run.advance(actor).await, Stand::AtTheGate) {
                    at_gate.retain(|other| *other != actor);
                }
            }
        }
    }
    true
}

fn node(at_gate: &[Actor], lapsed: bool, before: Option<&Node>) -> Node {
    let mut open: Vec<(Choice, Touch)> = world::with(|world| {
        let touch = |actor: &Actor| Some((Choice::Let(*actor), world.next_of(*actor)?.clone()));
        at_gate.iter().filter_map(touch).collect()
    });
    if !lapsed {
        // Time touches everything.
        open.push((Choice::Time, Touch { place: String::new(), writes: true }));
    }
    let asleep = before.map_or_else(Vec::new, |before| {
        let done = &before.open[before.chosen].1;
        before.asleep.iter().filter(|(_, touch)| !touch.meets(done)).cloned().collect()
    });
    Node { open, asleep, chosen: 0 }
}

/// Goes back to the last point where something else can be chosen.
fn step_back(path: &mut Vec<Node>) -> bool {
    while let Some(mut node) = path.pop() {
        let done = node.open[node.chosen].clone();
        node.asleep.push(done);
        if let Some(chosen) = node.next() {
            path.push(Node { chosen, ..node });
            return true;
        }
    }
    false
}
