//! Whether anybody drives what runs a task: a runtime needs a worker, or a thread in its `block_on`, and a `LocalSet` somebody who awaits
//! it. Whoever is woken and waits for such a one is nobody's victim: there is nobody.

use super::{Model, Runtime, Task};
use crate::update::{
    Fact, RuntimeId, Stamp, TaskKind,
    look::{Frame, FrameKind, Home, LocalSet, Owner, ProcessState, Reach, Role, Thread, Whole},
};
use std::time::Duration;

/// Polls that last longer are of somebody who may be the one whose turn it is to drive.
const LONG: Duration = Duration::from_millis(100);

/// Workers that are busy for less than so much of the time come to whoever is woken.
const QUIET: f64 = 0.5;

/// Nobody drives what runs a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undriven {
    /// It is told so of its runtime, since then.
    Runtime(RuntimeId, Stamp),
    /// The thread has ended that made its `LocalSet`.
    SetWithoutThread,
    /// That thread is in no runtime.
    SetOfIdleThread,
    /// What that thread runs by `block_on` does not await it.
    SetNotAwaited,
}

impl Model {
    /// Why nobody drives what runs a task, where that is told; `None` where somebody does, or nobody knows.
    pub fn undriven(&self, task: &Task) -> Option<Undriven> {
        if let Some(Home::Set(set)) = task.look().map(|look| look.home) {
            let whole = self.memory.whole().filter(|whole| whole.state == ProcessState::Running)?;
            let set = whole.sets.iter().find(|known| known.id == set)?;
            return self.set_undriven(whole, set);
        }
        // The one that a task of a `LocalSet` was polled on may be driven while the set is not.
        let runtime = self.runtime_of(task).filter(|_| task.kind() != TaskKind::Local)?;
        Some(Undriven::Runtime(runtime.stats.id, runtime.undriven?))
    }

    /// Whether a task's runtime is told to be driven, so that it is its workers' business if it waits.
    pub fn is_driven(&self, task: &Task) -> bool {
        let runtime = || self.runtime_of(task);
        task.kind() != TaskKind::Local && runtime().is_some_and(|runtime| runtime.stats.driven == Some(true))
    }

    /// Whether nobody had anything to do all the time since then: no poll goes on for long, and all polls together took less than half of
    /// a thread. A worker that somebody waited for would have come.
    pub fn is_quiet(&self, since: Stamp) -> bool {
        let Some(now) = self.now else { return false };
        let share = self.activity.share(since, now);
        self.standstills.within(since, now).is_zero() && share.is_some_and(|share| share < QUIET) && !self.polls_long()
    }

    /// Whether a poll goes on that lasts for long, on a thread that may be a worker.
    fn polls_long(&self) -> bool {
        let Some(settled) = self.previous else { return false };
        let is_long = |task: &Task| {
            let lasted = task.running_since().map(|since| self.lasted(since, settled));
            !task.kind().may_block() && lasted.is_some_and(|lasted| lasted >= LONG)
        };
        self.running.iter().filter_map(|&slot| self.tasks.at(slot)).any(|task| is_long(&task))
    }

    /// The runtime that a task is of, where that is told.
    pub fn runtime_of(&self, task: &Task) -> Option<&Runtime> {
        let by_look = || match task.look()?.home {
            // Memory numbers runtimes by itself.
            Home::Runtime(id) if self.is_told_by_looks(Fact::Runtimes) => Some(id),
            _ => None,
        };
        self.agent.runtime(by_look().or_else(|| self.agent.facts(task.id()).runtime)?)
    }

    fn set_undriven(&self, whole: &Whole, set: &LocalSet) -> Option<Undriven> {
        let owner = match set.owner {
            Owner::Unknown => return None,
            Owner::Gone => return Some(Undriven::SetWithoutThread),
            Owner::Thread(owner) => owner,
        };
        let thread = whole.threads.iter().find(|thread| thread.id == owner)?;
        match thread.role {
            Role::Other => polls_nothing(thread).then_some(Undriven::SetOfIdleThread),
            // Whoever is in the block_on of a current-thread runtime is its worker.
            Role::BlockOn(_) | Role::Worker(_) => self.awaits_no_set(whole, thread).then_some(Undriven::SetNotAwaited),
            Role::Blocking => None,
        }
    }

    /// Whether the only future that a thread runs is gone into wherever a `LocalSet` could be, and none is there.
    fn awaits_no_set(&self, whole: &Whole, thread: &Thread) -> bool {
        // A task of another set of this thread may be the one who does.
        let owned = whole.sets.iter().filter(|set| set.owner == Owner::Thread(thread.id));
        let mut roots = whole.roots.iter().filter(|root| root.thread == thread.id);
        let (Some(root), None, 1) = (roots.next(), roots.next(), owned.count()) else { return false };
        let chain = root.chain.filter(|_| root.unread.is_empty()).and_then(|chain| self.memory.chain(chain));
        chain.is_some_and(|chain| !chain.frames.is_empty() && !chain.frames.iter().any(may_be_a_set))
    }
}

/// Whether a future is, or may have inside, a `LocalSet` or what drives one.
fn may_be_a_set(frame: &Frame) -> bool {
    let is_named = ["LocalSet", "RunUntil", "PollFn"].iter().any(|name| frame.name.contains(name));
    is_named || frame.kind == FrameKind::Opaque || (frame.kind == FrameKind::Async && frame.reach == Reach::Maybe)
}

/// Whether a thread is, by all of its stack, in no future: also in none that another executor polls.
fn polls_nothing(thread: &Thread) -> bool {
    let polls = |name: &str| name.contains("poll") || name.contains("block_on") || name.contains("LocalSet");
    thread.stack.as_ref().is_some_and(|stack| {
        stack.limitation.is_empty()
            && !stack.approximate
            && !stack.frames.is_empty()
            && !stack.frames.iter().any(|frame| polls(&frame.function))
    })
}
