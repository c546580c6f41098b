//! What one thread of the service knows while it runs: which of our spans it is inside of, the slots that it has at hand,
//! and what it has looked up lately. Nobody else reads it.

use crate::{
    capture::current_thread::StackCopy,
    clock::{self, Nanos},
    collect::{
        has_ended, polled_runtimes,
        task::spawn::Roles,
        threads::{self, Thread},
    },
    slots::{
        doublings::Blocks,
        free_list::{self, LocalCache},
        id::{self, Kind},
        intern::Recent,
    },
    view::TaskKind,
};
use parking_lot::Mutex;
use std::{
    cell::{Cell, OnceCell},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Spans that a thread can be inside of at once. A poll of a lock is inside of five.
const DEPTH: usize = 64;

/// What is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polled {
    /// Something that a worker polls, or a thread that blocks on it.
    Task,
    /// A job of the blocking pool: its one poll is all of it.
    Job,
}

/// A span that was entered.
#[derive(Clone, Copy)]
struct Entered {
    id: u64,
    /// The innermost one of its kind before.
    outer: u64,
}

pub(crate) struct ThreadState {
    depth: Cell<usize>,
    entered: [Cell<Entered>; DEPTH],
    /// The innermost span of each kind; 0 for none.
    innermost: [Cell<u64>; 4],
    /// When the clock was read last.
    read_at: Cell<u64>,
    /// The task whose poll ended at that time; 0 once anything else was noted.
    pub(crate) just_left: Cell<u64>,
    /// The handle of a resource that was cloned last.
    pub(crate) just_cloned: Cell<u64>,
    /// The semaphore out of whose pool permits were taken for an operation that is to tell of it next; 0 for none.
    pub(crate) taken_for: Cell<u64>,
    /// How long the task that is about to be polled waited in a run queue, in nanoseconds and one, where the runtime's own
    /// hooks tell.
    pub(crate) latency: Cell<u64>,
    /// The task whose poll is looked at, to learn where it will be suspended, see [`crate::collect::lock_sites`]; 0 for none.
    pub(crate) traced: Cell<u64>,
    pub(crate) copy: Cell<Option<StackCopy>>,
    thread: OnceCell<Arc<Thread>>,
    /// The number of the runtime that the thread polls for; 0 where it was not asked yet.
    runtime: Cell<u64>,
    /// The small number of it, see [`polled_runtimes`].
    polls_for: Cell<u8>,
    /// How many `block_on` it is inside of.
    block_ons: Cell<u32>,
    /// The service's own spans that this poll is inside of now, at its innermost so far, and which one was the innermost.
    depth_of_theirs: Cell<u32>,
    deepest_of_theirs: Cell<u32>,
    innermost_of_theirs: Cell<u64>,
    /// More became known of one of them.
    pub(crate) context_rewritten: Cell<bool>,
    /// The agent's own threads are not seen.
    pub(crate) hidden: Cell<bool>,
    pub(crate) recent: Recent,
    /// The callsite that spawned last, and what its fields say.
    pub(crate) spawn_roles: Cell<(usize, Roles)>,
    /// What is counted of the polls of each spawn location's tasks.
    pub(crate) doublings: Blocks,
    pub(crate) tasks: LocalCache,
    pub(crate) resources: LocalCache,
    pub(crate) ops: LocalCache,
}

thread_local! {
    static LOCAL: ThreadState = const { ThreadState::new() };
}

/// Spans that were entered too deep inside of others.
static TOO_DEEP: AtomicU64 = AtomicU64::new(0);

/// How many spans were entered too deep inside of others, and so not noticed.
pub(crate) fn too_deep() -> u64 {
    TOO_DEEP.load(Ordering::Relaxed)
}

/// Runs `f` with the thread's state; the default where the thread is ending and has none any more.
#[inline]
pub(crate) fn with<T: Default>(f: impl FnOnce(&ThreadState) -> T) -> T {
    LOCAL.try_with(f).unwrap_or_default()
}

/// The agent's own threads, by the system's number.
static AGENT_THREADS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Hides the calling thread, its tasks and what it logs, for as long as it lives: the agent does not watch itself.
pub(crate) fn hide() {
    with(|local| local.hidden.set(true));
    AGENT_THREADS.lock().push(threads::current_tid());
}

/// How long the threads that are hidden have been on a processor; nothing where the system does not say.
pub(crate) fn agent_time() -> Duration {
    AGENT_THREADS.lock().iter().map(|thread| threads::time_of(*thread)).sum()
}

/// The calling thread, as others see it; `None` where it is ending.
pub(crate) fn current_thread() -> Option<Arc<Thread>> {
    with(|local| Some(Arc::clone(local.thread())))
}

/// The task that the calling thread polls.
pub(crate) fn current_task() -> Option<u64> {
    let task = with(|local| local.innermost(Kind::Task));
    (task != 0).then_some(task)
}

impl ThreadState {
    const fn new() -> Self {
        Self {
            depth: Cell::new(0),
            entered: [const { Cell::new(Entered { id: 0, outer: 0 }) }; DEPTH],
            innermost: [const { Cell::new(0) }; 4],
            read_at: Cell::new(0),
            just_left: Cell::new(0),
            just_cloned: Cell::new(0),
            taken_for: Cell::new(0),
            latency: Cell::new(0),
            traced: Cell::new(0),
            copy: Cell::new(None),
            thread: OnceCell::new(),
            runtime: Cell::new(0),
            polls_for: Cell::new(0),
            block_ons: Cell::new(0),
            depth_of_theirs: Cell::new(0),
            deepest_of_theirs: Cell::new(0),
            innermost_of_theirs: Cell::new(0),
            context_rewritten: Cell::new(false),
            hidden: Cell::new(false),
            recent: Recent::new(),
            spawn_roles: Cell::new((0, Roles::NONE)),
            doublings: Blocks::new(),
            tasks: LocalCache::new(),
            resources: LocalCache::new(),
            ops: LocalCache::new(),
        }
    }

    /// The innermost span of a kind; 0 for none.
    #[inline]
    pub(crate) fn innermost(&self, kind: Kind) -> u64 {
        self.innermost[kind as usize].get()
    }

    /// Whether the thread is inside of a span, however deep.
    pub(crate) fn is_inside(&self, id: u64) -> bool {
        self.entered[..self.depth.get()].iter().any(|entered| entered.get().id == id)
    }

    /// Enters a span. False when the thread is too deep inside of others already.
    #[inline]
    pub(crate) fn push(&self, kind: Kind, id: u64) -> bool {
        let depth = self.depth.get();
        let Some(cell) = self.entered.get(depth) else {
            TOO_DEEP.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let innermost = &self.innermost[kind as usize];
        cell.set(Entered { id, outer: innermost.replace(id) });
        self.depth.set(depth + 1);
        true
    }

    /// Leaves a span. False when it was not entered.
    #[inline]
    pub(crate) fn pop(&self, kind: Kind, id: u64) -> bool {
        let Some(depth) = self.depth.get().checked_sub(1) else { return false };
        let top = self.entered[depth].get();
        if top.id != id {
            return self.pull(kind, id);
        }
        self.depth.set(depth);
        self.innermost[kind as usize].set(top.outer);
        true
    }

    /// Leaves a span that is not the innermost one.
    #[cold]
    fn pull(&self, kind: Kind, id: u64) -> bool {
        let depth = self.depth.get();
        let Some(at) = self.entered[..depth].iter().rposition(|entered| entered.get().id == id) else { return false };
        let gone = self.entered[at].get();
        for next in at + 1..depth {
            self.entered[next - 1].set(self.entered[next].get());
        }
        self.depth.set(depth - 1);
        // Whoever came right after it, and is of its kind, has what it had outside of it.
        let kind_of = |id| id::decode(id).map(|span| span.kind);
        let inside = self.entered[at..depth - 1].iter().find(|entered| kind_of(entered.get().id) == Some(kind));
        match inside {
            Some(entered) => entered.set(Entered { outer: gone.outer, ..entered.get() }),
            None => self.innermost[kind as usize].set(gone.outer),
        }
        true
    }

    /// A `block_on` begins on this thread: its span is made, as its future is, before anything is polled.
    pub(crate) fn enter_block_on(&self) {
        self.block_ons.set(self.block_ons.get() + 1);
    }

    /// Its span ends with its future, on the same thread.
    pub(crate) fn leave_block_on(&self) {
        self.block_ons.set(self.block_ons.get().saturating_sub(1));
    }

    /// Whether the thread is inside of a `block_on`.
    pub(crate) fn is_in_block_on(&self) -> bool {
        self.block_ons.get() > 0
    }

    /// Enters a span of the service's own.
    #[inline]
    pub(crate) fn enter_theirs(&self, id: u64) {
        let depth = self.depth_of_theirs.get() + 1;
        self.depth_of_theirs.set(depth);
        if depth >= self.deepest_of_theirs.get() {
            self.deepest_of_theirs.set(depth);
            self.innermost_of_theirs.set(id);
        }
    }

    /// Leaves a span of the service's own.
    #[inline]
    pub(crate) fn exit_theirs(&self) {
        self.depth_of_theirs.set(self.depth_of_theirs.get().saturating_sub(1));
    }

    /// The innermost of the service's own spans since this was asked last; 0 for none.
    #[inline]
    pub(crate) fn take_innermost_of_theirs(&self) -> u64 {
        self.deepest_of_theirs.set(0);
        self.innermost_of_theirs.take()
    }

    /// Reads the clock.
    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        let now = clock::now();
        self.read_at.set(now.raw());
        now
    }

    /// When the clock was read last inside of the poll that is under way; read now where there is none. Good enough for what
    /// happens within a poll and is not worth a look at the clock of its own.
    #[inline]
    pub(crate) fn about_now(&self) -> Nanos {
        match Nanos::from_raw(self.read_at.get()) {
            Some(at) if self.innermost(Kind::Task) != 0 => at,
            _ => self.now(),
        }
    }

    /// When the clock was read last.
    pub(crate) fn last_read(&self) -> Option<Nanos> {
        Nanos::from_raw(self.read_at.get())
    }

    /// The number of the runtime of a task that is polled here first. A thread may block on one runtime after another.
    #[inline]
    pub(crate) fn runtime(&self, kind: TaskKind) -> u64 {
        if self.runtime.get() == 0 || kind == TaskKind::BlockOn {
            self.runtime.set(threads::current_runtime());
            self.polls_for.set(polled_runtimes::number(self.runtime.get()));
        }
        self.runtime.get()
    }

    /// What is counted from here on is counted for those that a task of this kind is polled for.
    #[inline]
    pub(crate) fn count_for(&self, polled: Polled) {
        self.doublings.poll_for(match polled {
            Polled::Task => self.polls_for.get(),
            Polled::Job => polled_runtimes::JOBS,
        });
    }

    /// The thread, as others see it.
    #[inline]
    pub(crate) fn thread(&self) -> &Arc<Thread> {
        self.thread.get_or_init(threads::register)
    }
}

impl Drop for ThreadState {
    fn drop(&mut self) {
        // Nothing is begun any more, and in a forked child the lists may be locked for good.
        if has_ended() {
            return;
        }
        self.doublings.give_back();
        free_list::TASKS.take_back(&self.tasks);
        free_list::RESOURCES.take_back(&self.resources);
        free_list::OPS.take_back(&self.ops);
    }
}
