//! What a look finds, in plain data. Nothing here knows how it was found.
//!
//! A [`Look`] tells all tasks once, and then what has changed. What stands in it was read while the process ran on: of each thing
//! it says how it is known ([`Basis`]), and what could not be read is named, with the reason ([`Unread`]).

mod running;
mod values;

pub use running::{
    Blocking, Flavor, Job, LocalSet, Owner, Role, Root, Runtime, Sleeps, SleepsFor, Socket, StackFrame, Thread, Worker,
};
pub use values::{FrameValues, Values, Variable};

use std::{sync::Arc, time::Duration};

/// An address in the process.
pub type Address = u64;

/// Tokio's own number of a task, as `tokio::task::Id` shows it.
pub type TaskNumber = u64;

/// How something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A guess from samples.
    Sampled,
    /// Bytes say so, and could be stale: a local that was dropped or moved keeps its bytes.
    Likely,
    /// All that could say otherwise was read, and does not.
    Proven,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The process's monotonic clock, from which deadlines are told.
    pub at: Duration,
    /// The process.
    pub process: Process,
    /// Tasks that are new or have changed since the look before; in the first look, all.
    pub changed: Vec<Task>,
    /// How many more there are: one look tells no more than 200,000. The next ones tell them, as they were seen by this one.
    pub untold: usize,
    /// Tasks that are gone since the look before, by number.
    pub ended: Vec<TaskNumber>,
    /// How many tasks there are.
    pub tasks: usize,
    /// Chains that were not seen before. They are numbered from 0 in the order in which they are told, over all looks.
    pub chains: Vec<Arc<Chain>>,
    /// Everything that somebody waits for or holds: whole.
    pub things: Vec<Thing>,
    /// The runtimes: whole.
    pub runtimes: Vec<Runtime>,
    /// Each `LocalSet` that has tasks: whole.
    pub sets: Vec<LocalSet>,
    /// The threads: whole.
    pub threads: Vec<Thread>,
    /// The futures that `block_on` runs: whole.
    pub roots: Vec<Root>,
    /// What `spawn_blocking` was given: whole.
    pub jobs: Vec<Job>,
    /// The sockets that somebody waits for, by descriptor, asked for anew every other second: whole.
    pub sockets: Vec<(i32, Socket)>,
    /// What could not be read or told, each with the reason: whole.
    pub unread: Vec<Unread>,
    /// What the look took.
    pub cost: Cost,
}

/// The process that was looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Process {
    /// Its id, as the one who looks sees it; 0 in a core file that does not tell.
    pub pid: u32,
    /// Its name.
    pub name: Arc<str>,
    /// Its executable's path, as the process sees it.
    pub executable: Arc<str>,
    /// When it started, on the clock of [`Look::at`].
    pub started: Option<Duration>,
    /// What it is doing as a whole.
    pub state: ProcessState,
    /// Each copy of tokio in it.
    pub copies: Vec<Copy>,
}

/// A copy of tokio that is linked into an object of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The object's path.
    pub object: Arc<str>,
    /// Tokio's version, where the object tells it.
    pub version: Option<Arc<str>>,
    /// What is known of its types.
    pub grade: Grade,
    /// Where the debug information comes from, or why there is none; in words.
    pub from: Arc<str>,
}

/// What the debug information of an object gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Grade {
    /// Nothing: tasks, states and sizes alone.
    #[default]
    Stripped,
    /// Functions: types of futures by name.
    Symbols,
    /// Functions and lines: stacks with lines.
    Lines,
    /// Types that another build has: what they tell is at most likely.
    Twin,
    /// Types: chains, locks, holders.
    Full,
}

/// What the process is doing as a whole. While it does not run, nothing may be said of how long something lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProcessState {
    /// It runs.
    #[default]
    Running,
    /// Stopped by a signal.
    Stopped,
    /// Stopped by a debugger, or traced.
    Traced,
    /// Its control group is frozen.
    Frozen,
    /// Tasks are there, and the threads that would run them are not: the child of a `fork`.
    Forked,
    /// It has ended, and this is its core file or a grab.
    Core,
}

/// A task.
#[allow(clippy::struct_excessive_bools, reason = "bits of tokio's own, each by itself")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Task {
    /// Its number.
    pub number: TaskNumber,
    /// Where it stands.
    pub address: Address,
    /// The runtime that it belongs to, an index into [`Look::runtimes`], where that was found.
    pub runtime: Option<u32>,
    /// Whether it was spawned on a `LocalSet`.
    pub local: bool,
    /// That `LocalSet` ([`LocalSet::at`]).
    pub set: Option<Address>,
    /// Its state.
    pub state: TaskState,
    /// Where it is queued, if it is woken.
    pub queued: Queued,
    /// Whether somebody asked that it be cancelled.
    pub cancelled: bool,
    /// References: to wake it, to await it, to cancel it.
    pub references: u32,
    /// Whether a `JoinHandle` of it exists.
    pub join_interest: bool,
    /// The type of its future, shortened for people.
    pub future: Arc<str>,
    /// Where the future is written, where that is known.
    pub defined: Option<Place>,
    /// Where it was spawned, which tokio keeps in builds with `tokio_unstable` alone.
    pub spawned: Option<Place>,
    /// Bytes of its cell.
    pub size: u32,
    /// What it awaits, from the outermost future to the innermost: an index into all chains told; `None` where it is not known.
    pub chain: Option<u32>,
    /// Why the chain is not known, or is not to be believed; empty where it is.
    pub unread: Arc<str>,
    /// What it waits for.
    pub waits: Box<[Wait]>,
    /// What its frames have of locks, permits and ends of channels. A claim is not a proof.
    pub claims: Box<[Claim]>,
    /// Whether it has ended in a panic, whose message nobody has taken.
    pub panicked: bool,
}

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// Asleep.
    Idle,
    /// Woken, and not polled yet.
    Woken,
    /// Being polled. What it awaits is in motion.
    Running,
    /// It has ended, and its output is not taken.
    Complete,
}

/// Where a woken task is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Queued {
    /// It is not, or that is not known.
    #[default]
    Unknown,
    /// Next on this worker.
    Lifo(u32),
    /// On this worker's queue.
    Local(u32),
    /// On the runtime's queue.
    Injected,
    /// It yielded, and is polled again after the driver, on this worker.
    Deferred(u32),
}

/// A place in source code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as the compiler wrote it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

/// What a task awaits: a tree of frames in the order of a walk from the outside in. Equal ones are one, so that tasks that sleep in
/// the same place share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chain {
    /// The frames; a frame's children follow it, one level deeper.
    pub frames: Vec<Frame>,
}

/// One future of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frame {
    /// How deep it stands.
    pub depth: u16,
    /// What it is, for people: `orders::load`, `join!`, `Timeout<…>`.
    pub name: Arc<str>,
    /// What it is.
    pub kind: FrameKind,
    /// Whether it is polled when its task is.
    pub reach: Reach,
    /// The line of the `.await` that it sleeps at.
    pub place: Option<Place>,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrameKind {
    /// An async function, block or closure, of the program or of a library of it.
    Async,
    /// Several futures at once: `join!`, `select!`, `FuturesUnordered`.
    Several,
    /// A future around another: `Timeout`, `Box<dyn Future>`, `Instrumented`.
    Wrapper,
    /// Where it ends, in something that is waited for.
    Leaf,
    /// A future that was not gone into. Why, its name says.
    Opaque,
}

/// Whether a frame is polled when its task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// It is.
    Polled,
    /// A future that was started, is kept, and is not polled: while it has a lock, nobody gives that back.
    Held,
    /// A branch of a `select!` that is switched off.
    Disabled,
    /// It is inside of a future that is written by hand: nothing is known.
    Maybe,
}

/// What a task waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wait {
    /// The frame that waits, an index into the chain's.
    pub frame: u16,
    /// For what.
    pub what: WaitOn,
    /// How it is known: proven where both ends say so.
    pub basis: Basis,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WaitOn {
    /// Permits of a lock, a semaphore or a channel's room.
    Permits {
        /// The thing ([`Thing::at`]).
        of: Address,
        /// How many it wants.
        wanted: u32,
        /// How many of them it lacks. 0: it was given all, and has not been polled since.
        missing: u32,
    },
    /// A notification.
    Notified(Address),
    /// A deadline on the clock of [`Look::at`].
    Timer(Duration),
    /// The end of a task or of a job.
    Join {
        /// The task's number, where it was found.
        task: Option<TaskNumber>,
        /// Where it stands.
        at: Address,
    },
    /// The end of any of the tasks of a `JoinSet`: how many there are.
    JoinAny(u64),
    /// The end of one of these tasks, which has been told: all of them follow, where they are known.
    JoinOneOf(TaskNumber),
    /// The end of all tasks of a `LocalSet`, which it polls meanwhile: where what they share is.
    LocalSet(Address),
    /// The value of a oneshot channel.
    Oneshot(Address),
    /// A message of an mpsc channel.
    Message(Address),
    /// A change of a watch channel.
    Watch(Address),
    /// A message of a broadcast channel.
    Broadcast(Address),
    /// The others of a barrier.
    Barrier(Address),
    /// That the other ends of a channel go away.
    Closed(Address),
    /// A descriptor's readiness.
    Io {
        /// Tokio's own record of it.
        of: Address,
        /// The descriptor, where it was found.
        fd: Option<i32>,
        /// What for.
        interest: Interest,
    },
    /// Nothing: it woke itself, or was woken.
    Nothing,
    /// Something that was not gone into: as its frames say. Where no chain is known, something else may be waited for as well.
    Other,
}

/// What a descriptor is awaited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Interest {
    /// Not known.
    #[default]
    Any,
    /// Something to read.
    Read,
    /// Room to write.
    Write,
}

/// Something that a frame has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The frame that has it, an index into the chain's.
    pub frame: u16,
    /// Of which thing ([`Thing::at`]).
    pub of: Address,
    /// What it is.
    pub what: ClaimKind,
    /// The name of the local variable.
    pub local: Arc<str>,
}

/// What a claim is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// A guard or permits: how many.
    Permits(u32),
    /// The end that sends.
    Sender,
    /// The end that receives.
    Receiver,
}

/// Something that can be waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// Its address, which names it: of a lock, a semaphore or a channel's room the semaphore's.
    pub at: Address,
    /// What it is.
    pub kind: ThingKind,
    /// Its type for people, such as `Mutex<Conn>`; empty where it is not known.
    pub ty: Arc<str>,
    /// By which variables and functions frames refer to it: `conn of orders::slow`. At most three.
    pub names: Vec<Arc<str>>,
    /// Of a channel's room the channel.
    pub of: Option<Address>,
    /// Permits that are free; `None` where that was not read.
    pub free: Option<u64>,
    /// Permits in all, for those that keep count.
    pub total: Option<u64>,
    /// Permits that somebody has; `None` for a plain semaphore, which keeps no total.
    pub held: Option<u64>,
    /// Messages inside, and whether the channel is closed.
    pub channel: Option<Channel>,
    /// Who has it.
    pub holders: Vec<Holder>,
    /// Permits that are held and that no frame has.
    pub unseen: u64,
    /// Who else could have what is held, each of them on a thread that sleeps for a lock, so that what they have cannot be read; only where
    /// it is sure that nobody but these and the holders could. Empty where it is proven who has it, or that is not known.
    pub perhaps: Vec<Who>,
    /// Why it is not proven who has it; empty where it is, or nobody has it.
    pub doubt: Arc<str>,
    /// Who waits, first served first.
    pub queue: Vec<Waiter>,
    /// Whether two looks agree on all of the above.
    pub steady: bool,
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThingKind {
    /// `tokio::sync::Mutex`.
    Mutex,
    /// `tokio::sync::RwLock`.
    RwLock,
    /// `tokio::sync::Semaphore`.
    Semaphore,
    /// `tokio::sync::OnceCell`.
    OnceCell,
    /// A semaphore of which it is not known what it is inside of.
    Unknown,
    /// The room of a bounded mpsc channel.
    Room,
    /// An mpsc channel's messages.
    Mpsc,
    /// A oneshot channel.
    Oneshot,
    /// A watch channel.
    Watch,
    /// A broadcast channel.
    Broadcast,
    /// `tokio::sync::Notify`.
    Notify,
    /// `tokio::sync::Barrier`.
    Barrier,
    /// `std::sync::Mutex`: threads wait for it.
    StdMutex,
    /// `std::sync::RwLock`: the same.
    StdRwLock,
}

/// How a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Channel {
    /// Messages inside.
    pub messages: Option<u64>,
    /// How many fit; of a barrier for how many it is.
    pub bound: Option<u64>,
    /// Senders that exist; of what is handed around the handles.
    pub senders: Option<u64>,
    /// Receivers that exist.
    pub receivers: Option<u64>,
    /// Whether it is closed.
    pub closed: Option<bool>,
}

/// Who has a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub who: Who,
    /// What.
    pub what: ClaimKind,
    /// How it is known.
    pub basis: Basis,
    /// Where it sleeps meanwhile.
    pub place: Option<Place>,
    /// The name of the local variable that has it; empty for one that was given permits and has not been polled since.
    pub local: Arc<str>,
}

/// Somebody who can wait or hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A task.
    Task(TaskNumber),
    /// The root future of `block_on` on this thread.
    Root(u32),
    /// Not known.
    Unknown,
}

/// Who waits for a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiter {
    /// Who: the waker that is kept there leads to them.
    pub who: Who,
    /// Permits wanted; 0 where that is not known.
    pub wanted: u32,
    /// Permits missing.
    pub missing: u32,
}

/// What [`Unread::what`] begins with where debug information that there is could not be used; the path of the object follows.
pub const DEBUG_INFORMATION: &str = "debug information of";

/// Something that could not be read or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What, such as `chains of 12 tasks of libpython3.so`.
    pub what: Arc<str>,
    /// Why, and what would help.
    pub why: Arc<str>,
}

/// What a look took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Time.
    pub took: Duration,
    /// Processor time of the thread that looked.
    pub cpu: Duration,
    /// Bytes read of the process.
    pub bytes: u64,
    /// System calls to read them.
    pub calls: u64,
    /// Tasks whose futures were gone through.
    pub walked: u64,
    /// Tasks that were in motion, and are not believed.
    pub moving: u64,
    /// The longest time for which the process or one of its threads was stopped.
    pub stopped: Duration,
}
