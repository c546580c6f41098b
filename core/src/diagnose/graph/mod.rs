//! Who waits for whom, over everything that can be waited for, and who of them can never go on.
//!
//! The graph is reduced: whoever can go on does, and gives back all that they have; repeat. What remains is stuck, however it is made:
//! locks, permits, room in channels, messages and ends of tasks in one. What is not known is an open end, which can always go on: only
//! what is proven keeps anybody.
//!
//! ```text
//! parts    what somebody is made of: branches that wait for themselves, and what each of them has
//! suspects whether there can be anybody who is stuck
//! build    the graph, from those who stand in queues on to those who could help them
//! reduce   whoever can go on does
//! knots    what remains, in sets that wait for one another, and the order to tell it in
//! joiners  who waits for the end of one of those
//! ```
//!
//! It is made anew with each complete update, from things that somebody waits for and somebody surely has; who waits for anything else is
//! never looked at. It must not know what is made of it.

mod build;
mod joiners;
mod knots;
mod parts;
mod reduce;
mod suspects;
#[cfg(test)]
mod tests;

pub(super) use build::row;
pub(super) use knots::{Knot, Link};

use crate::{
    model::{Model, Task},
    update::{ResourceId, Stamp, TaskId, TaskKind},
};
use rustc_hash::FxHashMap;
use std::{cell::OnceCell, collections::VecDeque, time::Duration};

/// Who can wait, or have what others wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Actor {
    /// A task.
    Task(TaskId),
    /// The future that `block_on` runs on this thread.
    Root(u32),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Awaited {
    /// Permits: of a lock, of a channel's room.
    Permits(ResourceId),
    /// A message, a value, a change.
    Message(ResourceId),
    /// The end of somebody.
    End(Actor),
    /// To be polled, by one of so many threads of which this is the first.
    Poll(u32, usize),
}

/// How somebody keeps others from what they wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Keeps {
    /// By permits, or a guard.
    Has,
    /// The same, in a future of theirs that nobody polls.
    HasUnpolled,
    /// They stand before it in the queue.
    Before,
    /// The same, with a future that nobody polls.
    BeforeUnpolled,
    /// They have the end that sends.
    Sends,
    /// They have the end that receives.
    Receives,
    /// It is their end that is awaited.
    Ends,
    /// They are polled by the thread that would poll others, and it sleeps.
    Thread,
}

/// A part of somebody that waits by itself: all of them, or a branch of `join!`.
#[derive(Debug)]
struct Node {
    actor: Actor,
    /// What it is a part of.
    within: Option<usize>,
    needs: Needs,
    step: Step,
    ways: Vec<Way>,
    /// What ends in time, or may be told by anybody: by the number of the wait.
    escapes: Vec<u16>,
    /// What it gives back when it goes on.
    gives: Vec<Gives>,
    /// In whose queues it stands.
    stands_in: Vec<ResourceId>,
    /// Since when it has not moved.
    since: Stamp,
}

/// Which of its ways somebody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Any,
    All,
}

/// How far somebody gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Waits,
    GoesOn,
}

/// A way for somebody to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By what they wait for, in this frame.
    For(Awaited, u16),
    /// By another part of the same one.
    Part(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    Permits(ResourceId, u64),
    Sender(ResourceId),
    Receiver(ResourceId),
}

/// Something that is waited for.
#[derive(Debug, Default)]
struct Thing {
    /// Permits that nobody who is known keeps: these come back.
    pool: u64,
    /// Who waits for permits, first served first.
    queue: VecDeque<Queued>,
    /// Who waits for what a channel carries.
    listening: Vec<usize>,
    /// Who surely has a part of it.
    kept: Vec<Kept>,
    /// Of a channel its room.
    room: Option<ResourceId>,
    /// Of its room the channel.
    channel: Option<ResourceId>,
}

/// Somebody who surely has a part of something.
#[derive(Debug, Clone, Copy)]
struct Kept {
    node: usize,
    keeps: Keeps,
    /// From when to when that is known.
    known: (Stamp, Stamp),
}

#[derive(Debug, Clone, Copy)]
struct Queued {
    node: usize,
    wanted: u64,
    /// Whether the future that stands there is polled.
    keeps: Keeps,
}

/// The graph of a moment, reduced.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    things: FxHashMap<ResourceId, Thing>,
    actors: FxHashMap<Actor, usize>,
    /// Who waits for the end of each.
    joins: FxHashMap<usize, Vec<usize>>,
    /// Threads that could poll others, and sleep: by the first of them and how many they are. Such a node is nobody.
    pollers: FxHashMap<(u32, usize), usize>,
    /// The instant that it is of.
    now: Option<Stamp>,
}

impl Graph {
    /// Whether everybody goes on.
    fn is_free(&self) -> bool {
        self.nodes.iter().all(|node| node.step == Step::GoesOn)
    }
}

/// Whether what ends in time, or may be told by anybody, counts as a way to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// It does.
    Count,
    /// It does not, where something else is waited for beside it.
    LeftOut,
}

/// What lints ask about all of a moment: the graph in both forms, and what goes with it, each made when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct Graphs {
    escapes_count: OnceCell<Graph>,
    escapes_left_out: OnceCell<Graph>,
    joiners: OnceCell<FxHashMap<TaskId, Vec<TaskId>>>,
    jobs: OnceCell<Vec<Stamp>>,
}

impl Graphs {
    /// When the jobs of `spawn_blocking` that go on began, in order.
    pub(super) fn jobs(&self, model: &Model) -> &[Stamp] {
        self.jobs.get_or_init(|| {
            let jobs = model.hot().filter(|task| task.kind() == TaskKind::Blocking);
            let mut began: Vec<Stamp> = jobs.filter_map(Task::created).collect();
            began.sort_unstable();
            began
        })
    }

    pub(super) fn get(&self, model: &Model, escapes: Escapes) -> &Graph {
        let reduced = || {
            let suspects = suspects::are_there(model);
            // Where tests run it is held against the graph itself.
            if !suspects && !cfg!(debug_assertions) {
                return Graph::default();
            }
            let mut graph = build::graph(model);
            graph.reduce(escapes);
            debug_assert!(suspects || graph.knots(Duration::ZERO).is_empty(), "nobody can be stuck, and these are");
            graph
        };
        match escapes {
            Escapes::LeftOut => self.escapes_left_out.get_or_init(reduced),
            Escapes::Count => {
                // Who goes on without them goes on with them, too.
                let left_out = self.get(model, Escapes::LeftOut);
                if left_out.is_free() { left_out } else { self.escapes_count.get_or_init(reduced) }
            }
        }
    }
}
