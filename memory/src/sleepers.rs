//! Threads that sleep for a lock of the standard library: who runs on each, and so waits with it.
//!
//! What they have cannot be read meanwhile: a task that is polled has variables on its thread's stack and in registers. So each of them
//! may be the one who has what they wait for. So may any thread that is none of tokio's: what it was given by a channel of closures no type
//! tells, so that it must be seen to be amid nothing of the program's own.

use crate::{Role, Runtime, SleepsFor, StackFrame, Thread, Who};
use rustc_hash::FxHashSet;

/// A thread that sleeps for a lock of the standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sleeper {
    pub(crate) thread: u32,
    /// Who runs on it.
    pub(crate) who: Who,
    pub(crate) lock: SleepsFor,
    /// The word that it sleeps on.
    pub(crate) at: u64,
}

/// These threads, and the threads of them whose `block_on` may be in the middle of a poll.
#[derive(Debug, Default)]
pub(crate) struct Sleepers {
    pub(crate) all: Vec<Sleeper>,
    amid: FxHashSet<u32>,
}

impl Sleepers {
    /// Those of these threads; `roots` are those in a `block_on`.
    pub(crate) fn of(threads: &[Thread], roots: &FxHashSet<u32>) -> Self {
        let mut this = Self::default();
        for thread in threads {
            let Some((sleeps, at)) = thread.sleeps.and_then(|sleeps| Some((sleeps, sleeps.at?))) else { continue };
            let who = match thread.polls {
                Some(task) => Who::Task(task),
                None if roots.contains(&thread.id) => Who::Root(thread.id),
                None => Who::Unknown,
            };
            this.all.push(Sleeper { thread: thread.id, who, lock: sleeps.lock, at });
            if roots.contains(&thread.id) && !is_between_polls(&thread.stack) {
                this.amid.insert(thread.id);
            }
        }
        this
    }

    /// Whether what this thread runs by `block_on` may be polled at this moment, so that its bytes are not to be believed.
    pub(crate) fn is_amid(&self, thread: u32) -> bool {
        self.amid.contains(&thread)
    }

    /// Whether somebody cannot go on before such a thread does.
    pub(crate) fn hold_up(&self, who: Who) -> bool {
        match who {
            Who::Root(thread) => self.all.iter().any(|sleeper| sleeper.thread == thread),
            Who::Task(_) => self.all.iter().any(|sleeper| sleeper.who == who),
            Who::Unknown => false,
        }
    }
}

/// Whether a thread polls a task out of a runtime's own loop, whose `block_on` waits meanwhile: between the two there is nothing but tokio.
fn is_between_polls(stack: &[StackFrame]) -> bool {
    const LOOP: &[&str] = &["tokio::runtime::", "tokio::task::coop::", "tokio::loom::", "core::", "std::", "alloc::"];
    let of_loop = |frame: &StackFrame| {
        let name = frame.function.trim_start_matches(['<', '&']);
        LOOP.iter().any(|space| name.starts_with(space))
    };
    let polls = |frame: &StackFrame| frame.function.starts_with("tokio::runtime::task::");
    let Some(from) = stack.iter().position(polls).and_then(|at| stack.get(at..)) else { return false };
    let loops = from.iter().position(|frame| frame.function.contains("::block_on"));
    loops.and_then(|at| from.get(..at)).is_some_and(|between| between.iter().all(of_loop))
}

/// Threads that are none of tokio's: what they are amid.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// One is amid something of the program's own, or of that nothing is known.
    any: bool,
    /// The crates that the others are amid.
    crates: FxHashSet<Box<str>>,
}

impl Strangers {
    pub(crate) fn of(threads: &[Thread]) -> Self {
        let mut this = Self::default();
        for thread in threads.iter().filter(|thread| thread.role == Role::Other) {
            this.any |= thread.stack.is_empty() || thread.approximate || !thread.unread.is_empty();
            for frame in thread.stack.iter() {
                let file = frame.place.as_ref().map_or("", |place| &place.file);
                let of_library = ["<cargo>", "<rust>", "/rustc/"].iter().any(|place| file.starts_with(place));
                let of_c = !frame.function.contains("::") && !frame.function.starts_with("0x");
                this.any |= !of_library && !of_c && !is_of_std(&frame.function);
                this.crates.extend(crate_of(&frame.function).filter(|_| !is_of_std(&frame.function)).map(Box::from));
            }
        }
        this
    }

    /// Whether one of them could have a lock that is of these functions and types.
    pub(crate) fn may_have<'a>(&self, mut paths: impl Iterator<Item = &'a str>) -> bool {
        self.any || paths.any(|path| crates_in(path).any(|name| self.crates.contains(name)))
    }
}

fn is_of_std(function: &str) -> bool {
    matches!(crate_of(function), Some("std" | "core" | "alloc"))
}

/// The crate of a function, as its path begins.
fn crate_of(function: &str) -> Option<&str> {
    crates_in(function).next()
}

/// The crates that a path has in it.
fn crates_in(path: &str) -> impl Iterator<Item = &str> {
    let words = path.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    words.filter_map(|word| Some(word.split_once("::")?.0)).filter(|name| !name.is_empty())
}

/// Whether all threads that poll a runtime's tasks sleep for such locks, each in the middle of a poll, so that none of its other tasks is
/// polled before one of them goes on.
pub(crate) fn keep(index: u32, runtime: &Runtime, threads: &[Thread]) -> bool {
    let sleeps = |id: Option<u32>| {
        threads.iter().any(|it| Some(it.id) == id && it.sleeps.is_some_and(|sleeps| sleeps.at.is_some()))
    };
    let mut of_it = threads.iter().filter(|it| matches!(it.role, Role::Worker(of, _) if of == index));
    // One without its core has given that away, or is about to get it.
    !runtime.workers.is_empty()
        && runtime.workers.iter().all(|worker| worker.tick.is_some() && sleeps(worker.thread))
        && of_it.all(|it| sleeps(Some(it.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flavor, Sleeps, Worker};
    use std::sync::Arc;

    fn stack(functions: &[&str]) -> Arc<[StackFrame]> {
        let frame = |function: &&str| StackFrame {
            function: Arc::from(*function),
            module: Arc::from(""),
            place: None,
            address: 0,
            inlined: false,
        };
        functions.iter().map(frame).collect()
    }

    fn asleep(id: u32, polls: Option<u64>, functions: &[&str]) -> Thread {
        let sleeps = Some(Sleeps { lock: SleepsFor::Mutex, at: Some(0x1000) });
        Thread { id, polls, sleeps, role: Role::Worker(0, id - 1), stack: stack(functions), ..Thread::default() }
    }

    const TASK: [&str; 4] = [
        "app::blocks",
        "tokio::runtime::task::raw::poll",
        "tokio::runtime::scheduler::current_thread::Context::run_task",
        "tokio::runtime::scheduler::current_thread::CoreGuard::block_on",
    ];

    #[test]
    fn who_runs_on_a_thread_that_sleeps() {
        let of_set =
            ["app::blocks", "tokio::runtime::task::raw::poll", "tokio::task::local::LocalSet::tick", "x::block_on"];
        let threads = [
            asleep(1, Some(7), &TASK),
            asleep(2, None, &["app::main", "tokio::runtime::runtime::Runtime::block_on"]),
            asleep(3, Some(9), &of_set),
            asleep(4, None, &[]),
        ];
        let sleepers = Sleepers::of(&threads, &[1, 2, 3].into_iter().collect());
        let who: Vec<Who> = sleepers.all.iter().map(|sleeper| sleeper.who).collect();
        assert_eq!(who, [Who::Task(7), Who::Root(2), Who::Task(9), Who::Unknown]);
        // The root whose runtime polls a task by itself waits meanwhile; one that polls a set of tasks is polled itself.
        assert_eq!([1, 2, 3].map(|thread| sleepers.is_amid(thread)), [false, true, true]);
        assert!(sleepers.hold_up(Who::Root(1)) && sleepers.hold_up(Who::Task(9)) && !sleepers.hold_up(Who::Task(8)));
    }

    #[test]
    fn a_stranger_amid_something_of_the_program_could_have_anything() {
        let frame = |function: &str, file: &str| StackFrame {
            function: Arc::from(function),
            module: Arc::from("app"),
            place: (!file.is_empty()).then(|| crate::Place { file: file.into(), line: 1 }),
            address: 0,
            inlined: false,
        };
        let std = frame("std::sys::thread::Thread::new::thread_start", "<rust>/std/src/sys/thread.rs");
        let stranger = |frames: &[StackFrame]| Thread { stack: frames.into(), ..Thread::default() };
        let may_have = |frames: &[StackFrame], path: &'static str| {
            Strangers::of(&[stranger(frames)]).may_have([path, "std::sync::poison::mutex::Mutex<u64>"].into_iter())
        };
        let pool = frame("pool::wait_until", "<cargo>/pool-1.0.0/src/lib.rs");
        assert!(!may_have(&[frame("syscall", ""), pool.clone(), std.clone()], "app::keeps"));
        assert!(may_have(&[frame("syscall", ""), pool.clone(), std.clone()], "pool::keeps"));
        assert!(may_have(&[frame("read", ""), frame("app::other", "src/main.rs"), pool, std.clone()], "app::keeps"));
        assert!(may_have(&[frame("0x7f00", ""), std], "app::keeps"));
        assert!(may_have(&[], "app::keeps"), "its stack was not read");
        assert!(!Strangers::default().may_have(["app::keeps"].into_iter()), "there is none");
    }

    #[test]
    fn a_runtime_is_kept_where_all_its_workers_sleep_amid_a_poll() {
        let worker = |index: u32, tick| Worker { index, thread: Some(index + 1), tick, ..Worker::default() };
        let runtime = |ticks: [Option<u64>; 2]| Runtime {
            at: 8,
            flavor: Flavor::MultiThread,
            workers: vec![worker(0, ticks[0]), worker(1, ticks[1])],
            tasks: 4,
            injected: None,
            blocking: None,
            timer_lag: None,
            driven: Some(true),
            kept: false,
        };
        let both = [asleep(1, Some(7), &TASK), asleep(2, Some(8), &TASK)];
        assert!(keep(0, &runtime([Some(1), Some(1)]), &both));
        assert!(!keep(0, &runtime([Some(1), None]), &both), "it has given its work to another thread");
        assert!(!keep(0, &runtime([Some(1), Some(1)]), &both[..1]), "one was not seen");
        let free = Thread { sleeps: None, ..both[1].clone() };
        assert!(!keep(0, &runtime([Some(1), Some(1)]), &[both[0].clone(), free]), "one is free");
        assert!(!keep(1, &Runtime { workers: vec![], ..runtime([None, None]) }, &both));
    }
}
