//! What a look tells as a whole: runtimes, workers, threads, roots, jobs, and what it could not read.

use super::{task, thing};
use crate::update::{
    Flavor, Frame, RuntimeId, RuntimeStats, Stack, Stamp, TaskId, Thread, WorkerId, WorkerStats,
    look::{
        self, Cost, Home, Job, Kept, LocalSet, Owner, ProcessState, Role, Root, Sleeps, SleepsFor, Socket, Unread,
        Whole,
    },
};
use holdup_memory as memory;
use std::{num::NonZeroU64, sync::Arc, time::Duration};

/// Tokio numbers its runtimes in builds with its unstable part alone: they are numbered in the order in which they are told.
pub(super) fn runtime_id(at: usize) -> RuntimeId {
    RuntimeId(at as u64 + 1)
}

pub(super) fn runtimes(told: &memory::Look) -> Vec<RuntimeStats> {
    told.runtimes.iter().enumerate().map(|(at, runtime)| runtime_stats(runtime_id(at), runtime)).collect()
}

fn runtime_stats(id: RuntimeId, runtime: &memory::Runtime) -> RuntimeStats {
    let blocking = runtime.blocking.unwrap_or_default();
    RuntimeStats {
        id,
        flavor: Some(match runtime.flavor {
            memory::Flavor::CurrentThread => Flavor::CurrentThread,
            memory::Flavor::MultiThread => Flavor::MultiThread,
        }),
        workers: runtime.workers.len() as u64,
        alive_tasks: runtime.tasks,
        global_queue: runtime.injected.unwrap_or_default(),
        blocking_threads: blocking.threads,
        idle_blocking_threads: blocking.idle,
        blocking_queue: blocking.queue,
        timer_lag: runtime.timer_lag,
        driven: runtime.driven,
        ..RuntimeStats::default()
    }
}

pub(super) fn worker(runtime: RuntimeId, worker: &memory::Worker, told: &memory::Look) -> WorkerStats {
    let thread = worker.thread.and_then(|tid| told.threads.iter().find(|thread| thread.id == tid));
    WorkerStats {
        id: WorkerId { runtime, index: worker.index },
        thread: worker
            .thread
            .map(|tid| Thread { tid, name: thread.map_or_else(String::new, |it| it.name.to_string()) }),
        polling: worker.polls.map(TaskId),
        tick: worker.tick,
        queue: worker.queue.unwrap_or_default(),
        cpu_wait: thread.and_then(|thread| thread.waited),
        ..WorkerStats::default()
    }
}

pub(super) fn whole(told: &memory::Look, stamp: impl Fn(Duration) -> Stamp + Copy) -> Whole {
    let root = |root: &memory::Root| Root {
        thread: root.thread,
        future: root.future.clone(),
        chain: root.chain,
        unread: root.unread.clone(),
        waits: task::waits(&root.waits, stamp),
        claims: task::claims(&root.claims),
    };
    let job = |job: &memory::Job| {
        Some(Job { number: NonZeroU64::new(job.number)?, closure: job.closure.clone(), thread: job.thread })
    };
    let unread = |unread: &memory::Unread| Unread { what: unread.what.clone(), why: unread.why.clone() };
    let socket = |(fd, socket): &(i32, memory::Socket)| Socket {
        fd: *fd,
        local: socket.local.clone(),
        peer: socket.peer.clone(),
        listens: socket.state == "listen",
        silent: socket.silent,
    };
    let set = |set: &memory::LocalSet| LocalSet {
        id: thing::id(set.at),
        owner: match set.owner {
            memory::Owner::Unknown => Owner::Unknown,
            memory::Owner::Thread(thread) => Owner::Thread(thread),
            memory::Owner::Gone => Owner::Gone,
        },
    };
    Whole {
        sets: told.sets.iter().map(set).collect(),
        kept: kept(told),
        things: told.things.iter().map(thing::thing).collect(),
        threads: told.threads.iter().map(|one| thread(one, stamp(told.at))).collect(),
        roots: told.roots.iter().map(root).collect(),
        jobs: told.jobs.iter().filter_map(job).collect(),
        sockets: told.sockets.iter().map(socket).collect(),
        unread: told.unread.iter().map(unread).collect(),
        state: match told.process.state {
            memory::ProcessState::Running => ProcessState::Running,
            memory::ProcessState::Stopped => ProcessState::Stopped,
            memory::ProcessState::Traced => ProcessState::Traced,
            memory::ProcessState::Frozen => ProcessState::Frozen,
            memory::ProcessState::Forked => ProcessState::Forked,
            memory::ProcessState::Core => ProcessState::Core,
        },
        cost: Cost {
            took: told.cost.took,
            bytes: told.cost.bytes,
            walked: told.cost.walked,
            moving: told.cost.moving,
            stopped: told.cost.stopped,
        },
    }
}

fn thread(thread: &memory::Thread, now: Stamp) -> look::Thread {
    look::Thread {
        id: thread.id,
        name: thread.name.to_string(),
        state: thread.state,
        waits_in: thread.waits_in.to_string(),
        cpu: thread.cpu,
        waited: thread.waited,
        role: match thread.role {
            memory::Role::Other => Role::Other,
            memory::Role::Worker(runtime, index) => {
                Role::Worker(WorkerId { runtime: runtime_id(runtime as usize), index })
            }
            memory::Role::Blocking => Role::Blocking,
            memory::Role::BlockOn(runtime) => Role::BlockOn(runtime_id(runtime as usize)),
        },
        polls: thread.polls.and_then(NonZeroU64::new),
        sleeps: thread.sleeps.map(sleeps),
        stack: stack(thread, now).map(Arc::new),
        stopped: thread.stopped,
    }
}

fn sleeps(sleeps: memory::Sleeps) -> Sleeps {
    Sleeps {
        lock: match sleeps.lock {
            memory::SleepsFor::Mutex => SleepsFor::Mutex,
            memory::SleepsFor::Read => SleepsFor::Read,
            memory::SleepsFor::Write => SleepsFor::Write,
            memory::SleepsFor::ParkingLot => SleepsFor::ParkingLot,
        },
        at: sleeps.at.map(thing::id),
    }
}

/// Runtimes of which no thread is free to poll anything, and sets whose only thread is not.
fn kept(told: &memory::Look) -> Vec<Kept> {
    let sleeps = |id: &u32| told.threads.iter().any(|it| it.id == *id && it.sleeps.is_some_and(|it| it.at.is_some()));
    let runtimes = told.runtimes.iter().enumerate().filter(|(_, runtime)| runtime.kept).map(|(at, runtime)| Kept {
        home: Home::Runtime(runtime_id(at)),
        threads: runtime.workers.iter().filter_map(|worker| worker.thread).collect(),
    });
    let sets = told.sets.iter().filter_map(|set| match set.owner {
        memory::Owner::Thread(thread) if sleeps(&thread) => {
            Some(Kept { home: Home::Set(thing::id(set.at)), threads: vec![thread] })
        }
        _ => None,
    });
    runtimes.chain(sets).collect()
}

fn stack(thread: &memory::Thread, now: Stamp) -> Option<Stack> {
    if thread.stack.is_empty() && thread.unread.is_empty() {
        return None;
    }
    Some(Stack {
        frames: thread.stack.iter().map(stack_frame).collect(),
        approximate: thread.approximate,
        captured: Some(now),
        limitation: thread.unread.to_string(),
        executable: Vec::new(),
    })
}

/// A function on a thread's stack.
pub(in crate::source::memory) fn stack_frame(frame: &memory::StackFrame) -> Frame {
    Frame {
        function: frame.function.to_string(),
        place: task::place(frame.place.as_ref()),
        module: frame.module.to_string(),
        address: frame.address,
        offset: 0,
    }
}
