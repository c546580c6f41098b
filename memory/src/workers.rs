//! Runtimes and threads put together: which thread is which worker, what it polls, where each woken task is queued.

use crate::{
    Flavor, LocalSet, Owner, ProcessState, Queued, Role, Runtime, Sleeps, Thread,
    bytes::{Bytes, Scene},
    round::Tasks,
    sleepers,
    things::Read,
    thread::{Running, Threads},
    tokio::{
        context::{Context, Variable},
        copy::{Copy, Kind},
        owned::Lists,
        runtime::{queued, runtime},
        value::Value,
    },
};
use rustc_hash::{FxHashMap, FxHashSet};

/// The function on whose stack the blocking pool's jobs run.
const POOL: &str = "tokio::runtime::blocking::pool::Inner::run";

/// More runtimes are not told of: what lies may lead to any number.
const MOST: usize = 1024;

/// The runtimes and threads of a look, and what they say of tasks.
#[derive(Default)]
pub(crate) struct Workers {
    pub(crate) runtimes: Vec<Runtime>,
    pub(crate) threads: Vec<Thread>,
    /// Which runtime, by what a task has of its scheduler.
    pub(crate) by_scheduler: FxHashMap<u64, u32>,
    /// Which `LocalSet`, by the same.
    pub(crate) sets_of: FxHashMap<u64, u64>,
    /// By the address of a handle.
    by_handle: FxHashMap<u64, u32>,
    /// By the address of a task's header.
    pub(crate) queued: FxHashMap<u64, Queued>,
    /// Tasks that have yielded: they are woken without being marked so.
    pub(crate) deferred: FxHashSet<u64>,
    /// The thread that runs the task or job of this number.
    pub(crate) runs: FxHashMap<u64, u32>,
    /// The numbers of the jobs that are workers.
    starts: FxHashSet<u64>,
    /// Threads that are none of tokio's own and have used it.
    pub(crate) others: Vec<u32>,
    /// Each `LocalSet`.
    pub(crate) sets: Vec<LocalSet>,
    /// The lists of tasks of each scheduler, and of which copy they are.
    pub(crate) lists: FxHashMap<u64, (u16, Lists)>,
}

/// What they are read from.
pub(crate) struct Sources<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) bytes: &'a dyn Bytes,
    pub(crate) copies: &'a [Copy],
    pub(crate) variables: &'a [Option<Variable>],
    pub(crate) tasks: &'a Tasks,
}

impl Workers {
    /// Reads them. Without `stacks` threads are told without what is on them.
    pub(crate) fn read(from: &Sources<'_>, threads: &mut Threads, stacks: Option<Running>) -> Self {
        let mut this = Self::default();
        let mut seen = FxHashSet::default();
        let (mut owners, mut numbered) = (Vec::new(), FxHashMap::default());
        let starts = from.tasks.jobs().filter(|(_, known)| known.ty().kind == Kind::Worker);
        this.starts = starts.map(|(_, known)| known.number).collect();
        for (at, known) in from.tasks.of_each_group() {
            let (Some(scheduler), Some(copy)) = (known.ty().scheduler, from.copies.get(usize::from(known.copy())))
            else {
                continue;
            };
            if !seen.insert(known.scheduler()) {
                continue;
            }
            let place = at.wrapping_add(known.ty().vtable.scheduler);
            if let Some(handle) = Value::new(&copy.debug, from.bytes, place, scheduler).target() {
                this.lists.entry(handle.at).or_insert_with(|| (known.copy(), Lists::new(handle)));
                if known.ty().kind == Kind::Local {
                    let owner = handle.find("tokio::runtime::thread_id", "ThreadId").and_then(Value::number);
                    owners.push((handle.at, owner.map(|owner| (known.copy(), owner))));
                    this.sets_of.insert(known.scheduler(), handle.at);
                }
                if let Some(index) = this.runtime(handle, from) {
                    this.by_scheduler.insert(known.scheduler(), index);
                }
            }
        }
        this.threads = match stacks {
            Some(running) => threads.told(from.scene, from.bytes, running),
            None => Threads::bare(from.scene),
        };
        let mut all_read = true;
        let ids: Vec<u32> = from.scene.threads.iter().map(|thread| thread.id).collect();
        for ((number, copy), variable) in from.copies.iter().enumerate().zip(from.variables) {
            let Some(variable) = variable else {
                all_read = false;
                continue;
            };
            for (index, id) in ids.iter().enumerate() {
                let block = threads.block(*id, copy.object.bias, from.bytes);
                let read = block.and_then(|block| variable.read(block, &copy.debug, from.bytes));
                all_read &= read.is_some();
                if let Some((context, handle)) = read {
                    numbered.extend(context.thread.map(|thread| ((number as u16, thread), *id)));
                    if let Some(handle) = handle {
                        this.lists.entry(handle.at).or_insert_with(|| (number as u16, Lists::new(handle)));
                    }
                    let runtime = handle.and_then(|handle| this.runtime(handle, from));
                    let thread = from.scene.threads.get(index).filter(|_| is_idle(&context, runtime));
                    let idle = thread.is_some_and(|thread| {
                        let stack = threads.stack(thread, from.scene, from.bytes);
                        stack.frames.iter().any(|frame| frame.function.starts_with(POOL))
                    });
                    this.place(index, *id, &context, runtime, if idle { Role::Blocking } else { Role::Other });
                }
            }
        }
        this.tell_handed_over();
        // Whoever drives one is on some thread; while one of them was not read, it may be that.
        if all_read {
            for runtime in &mut this.runtimes {
                runtime.driven.get_or_insert(false);
            }
        }
        let owner = |owner: Option<(u16, u64)>| match owner.map(|owner| numbered.get(&owner)) {
            Some(Some(thread)) => Owner::Thread(*thread),
            Some(None) if all_read => Owner::Gone,
            _ => Owner::Unknown,
        };
        this.sets = owners.into_iter().map(|(at, made_by)| LocalSet { at, owner: owner(made_by) }).collect();
        this
    }

    /// Whoever is in `block_in_place` while another thread is the worker that it was runs like one of the blocking pool.
    fn tell_handed_over(&mut self) {
        for thread in &mut self.threads {
            let Role::Worker(runtime, number) = thread.role else { continue };
            let row = self.runtimes.get(runtime as usize).and_then(|it| it.workers.get(number as usize));
            if row.and_then(|row| row.thread).is_some_and(|worker| worker != thread.id) {
                thread.role = Role::Blocking;
            }
        }
    }

    /// Whether the threads are not there that would run the tasks: the child of a `fork` has the thread alone that called it.
    pub(crate) fn forked(&self, scene: &Scene) -> Option<ProcessState> {
        let lost = |runtime: &Runtime| {
            runtime.flavor == Flavor::MultiThread && runtime.workers.iter().all(|worker| worker.thread.is_none())
        };
        (scene.threads.len() == 1 && self.runtimes.iter().any(lost)).then_some(ProcessState::Forked)
    }

    /// The index of the runtime with this handle, which is read if it was not.
    fn runtime(&mut self, handle: Value<'_>, from: &Sources<'_>) -> Option<u32> {
        if let Some(index) = self.by_handle.get(&handle.at) {
            return Some(*index);
        }
        if self.runtimes.len() >= MOST {
            return None;
        }
        let told = runtime(handle, from.scene.now)?;
        let index = self.runtimes.len() as u32;
        queued(handle, from.bytes, &mut self.queued);
        self.by_handle.insert(handle.at, index);
        self.runtimes.push(told);
        Some(index)
    }

    /// Says of threads that sleep for a lock which lock that is, and of runtimes whether all their threads sleep so.
    pub(crate) fn kept(&mut self, read: &Read) {
        for thread in &mut self.threads {
            let lock = read.sleepers.iter().find(|(sleeper, _)| sleeper.thread == thread.id).map(|(_, lock)| *lock);
            thread.sleeps = thread.sleeps.map(|sleeps| Sleeps { at: lock, ..sleeps });
        }
        let kept = (0..self.runtimes.len() as u32).zip(&self.runtimes);
        let kept: Vec<bool> = kept.map(|(index, runtime)| sleepers::keep(index, runtime, &self.threads)).collect();
        for (runtime, kept) in self.runtimes.iter_mut().zip(kept) {
            runtime.kept = kept;
        }
    }

    /// Whether code may run, or be in the middle of something, that is no task's, no job's, and no root's.
    pub(crate) fn strangers(&self) -> bool {
        self.threads.iter().any(|thread| thread.role == Role::Other)
    }

    /// Says what a thread is, and of its worker which thread that is; `idle` is what one is that has nothing to do.
    fn place(&mut self, thread: usize, id: u32, context: &Context, runtime: Option<u32>, idle: Role) {
        if let Some(number) = context.task {
            self.runs.insert(number, id);
        }
        let Some(told) = self.threads.get_mut(thread) else { return };
        // A worker that polls nothing is itself the job that it was started as.
        told.polls = context.task.filter(|number| !self.starts.contains(number));
        let told_polls = told.polls;
        let Some(index) = runtime else {
            if context.used {
                self.others.push(id);
            }
            return;
        };
        let Some(runtime) = self.runtimes.get_mut(index as usize) else { return };
        let Some(worker) = &context.worker else {
            told.role = if context.entered {
                Role::BlockOn(index)
            } else if context.task.is_some() {
                Role::Blocking
            } else {
                idle
            };
            if context.entered || told.role == Role::Other {
                self.others.push(id);
            }
            return;
        };
        let number = u32::try_from(worker.index).unwrap_or(u32::MAX);
        told.role = Role::Worker(index, number);
        runtime.driven = Some(true);
        if let Some(next) = worker.next {
            self.queued.insert(next, Queued::Lifo(number));
        }
        for header in &worker.deferred {
            self.queued.insert(*header, Queued::Deferred(number));
            self.deferred.insert(*header);
        }
        let handed_over = told_polls.is_some() && !worker.has_core;
        // One that has handed its work over is the worker no more as soon as another thread is.
        let is_free = |row: &&mut crate::data::Worker| !(handed_over && row.thread.is_some());
        if let Some(row) = runtime.workers.get_mut(number as usize).filter(is_free) {
            row.thread = Some(id);
            row.polls = told_polls;
            row.tick = worker.tick;
            row.handed_over = handed_over;
        }
    }
}

/// Whether a thread of a runtime polls nothing and runs nothing, as one of the blocking pool does between jobs.
fn is_idle(context: &Context, runtime: Option<u32>) -> bool {
    context.worker.is_none() && context.task.is_none() && !context.entered && runtime.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flavor, data, tokio::context};

    /// Two threads that say they are the same worker, in this order: who of them it is, what each is, and whether its work is handed over.
    fn told(cores: [bool; 2]) -> (Option<u32>, Vec<Role>, bool) {
        let worker = data::Worker { index: 0, thread: None, polls: None, tick: None, queue: None, handed_over: false };
        let runtime = Runtime {
            at: 1,
            flavor: Flavor::MultiThread,
            workers: vec![worker],
            tasks: 2,
            injected: None,
            blocking: None,
            timer_lag: None,
            driven: None,
            kept: false,
        };
        let threads = (10..).take(cores.len()).map(|id| Thread { id, ..Thread::default() }).collect();
        let mut workers = Workers { runtimes: vec![runtime], threads, ..Workers::default() };
        for (at, has_core) in cores.into_iter().enumerate() {
            let worker = context::Worker { has_core, ..context::Worker::default() };
            let task = Some(100 + at as u64);
            let context = Context { task, entered: true, worker: Some(worker), ..Context::default() };
            workers.place(at, 10 + at as u32, &context, Some(0), Role::Other);
        }
        workers.tell_handed_over();
        let row = &workers.runtimes[0].workers[0];
        let polls = workers.threads.iter().find(|thread| Some(thread.id) == row.thread).and_then(|it| it.polls);
        assert_eq!(row.polls, polls, "what the worker polls is what its thread does");
        (row.thread, workers.threads.iter().map(|thread| thread.role).collect(), row.handed_over)
    }

    #[test]
    fn whoever_has_the_core_is_the_worker() {
        let (worker, blocking) = (Role::Worker(0, 0), Role::Blocking);
        assert_eq!(told([false, true]), (Some(11), vec![blocking, worker], false));
        assert_eq!(told([true, false]), (Some(10), vec![worker, blocking], false));
    }
}
