//! Who runs tasks: runtimes, their workers, threads, and what threads run that is no task.

use super::{Address, Claim, Place, TaskNumber, Wait};
use std::{sync::Arc, time::Duration};

/// A runtime.
#[derive(Debug, Clone, PartialEq)]
pub struct Runtime {
    /// Where its handle stands, which names it.
    pub at: Address,
    /// Whether it has several workers.
    pub flavor: Flavor,
    /// Its workers.
    pub workers: Vec<Worker>,
    /// Tasks that live on it.
    pub tasks: u64,
    /// Tasks on the queue that all workers share.
    pub injected: Option<u64>,
    /// The pool of threads that may block.
    pub blocking: Option<Blocking>,
    /// How late its timers are: for how long the earliest has been due that the driver has not seen to; zero where none is.
    pub timer_lag: Option<Duration>,
    /// Whether some thread drives it: a worker, or for one of a single thread whoever is in its `block_on`. `None` where not all
    /// threads could be read.
    pub driven: Option<bool>,
    /// Whether all threads that poll its tasks sleep for a lock of the standard library, each in the middle of a poll.
    pub kept: bool,
}

/// A `LocalSet`: only the thread that made it can run its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalSet {
    /// Where what it shares with its tasks stands, which names it.
    pub at: Address,
    /// The thread that made it.
    pub owner: Owner,
}

/// The thread that made a `LocalSet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    /// Not known, such as where not all threads could be read.
    #[default]
    Unknown,
    /// This one.
    Thread(u32),
    /// It has ended, and nobody else can run the tasks.
    Gone,
}

/// The kind of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flavor {
    /// `new_current_thread`.
    CurrentThread,
    /// `new_multi_thread`.
    MultiThread,
}

/// A worker of a runtime.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Worker {
    /// Its number within the runtime.
    pub index: u32,
    /// The thread that it runs on.
    pub thread: Option<u32>,
    /// The task that it polls.
    pub polls: Option<TaskNumber>,
    /// Turns of its loop: one poll, or up to three that follow one another.
    pub tick: Option<u64>,
    /// Tasks on its own queue.
    pub queue: Option<u64>,
    /// Whether it has handed its work to another thread, by `block_in_place`.
    pub handed_over: bool,
}

/// A runtime's pool of threads that may block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Blocking {
    /// How many there may be.
    pub most: Option<u64>,
    /// How many there are.
    pub threads: u64,
    /// How many of them do nothing.
    pub idle: u64,
    /// Jobs that wait for one.
    pub queue: u64,
}

/// A thread of the process.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thread {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    /// The kernel's letter for its state.
    pub state: char,
    /// What it waits for in the kernel, such as `epoll_wait`; empty where that is not told.
    pub waits_in: Arc<str>,
    /// Processor time that it has used.
    pub cpu: Option<Duration>,
    /// Time that it has waited for a processor although it could run, where the kernel counts that and is there to be asked.
    pub waited: Option<Duration>,
    /// How often it gave up its processor, and how often it lost it.
    pub switches: Option<(u64, u64)>,
    /// What it is to tokio.
    pub role: Role,
    /// The task that it polls.
    pub polls: Option<TaskNumber>,
    /// The lock that it sleeps for, where that is one which no task can wait for.
    pub sleeps: Option<Sleeps>,
    /// Its stack, the innermost frame first; empty where it was not read.
    pub stack: Arc<[StackFrame]>,
    /// Whether the stack may be wrong.
    pub approximate: bool,
    /// Why there is no stack; empty where there is one.
    pub unread: Arc<str>,
    /// For how long the thread was stopped so that its stack could be read; none, unless that was asked for.
    pub stopped: Option<Duration>,
}

/// What a thread sleeps for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sleeps {
    /// Which kind of lock, and how it is asked for.
    pub lock: SleepsFor,
    /// Which lock, where that is known: in a look [`crate::Thing::at`], before that the word that the kernel was given.
    pub at: Option<Address>,
}

/// A lock that threads sleep for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SleepsFor {
    /// `std::sync::Mutex`.
    Mutex,
    /// `std::sync::RwLock`, to read.
    Read,
    /// `std::sync::RwLock`, to write.
    Write,
    /// One of `parking_lot`.
    ParkingLot,
}

/// What a thread is to tokio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Nothing that is known.
    #[default]
    Other,
    /// A worker: the runtime's index in [`crate::Look::runtimes`] and its own.
    Worker(u32, u32),
    /// A thread of the blocking pool.
    Blocking,
    /// Inside of `block_on`, of the runtime with that index.
    BlockOn(u32),
}

/// A function on a thread's stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFrame {
    /// Its name, or the address where there is none.
    pub function: Arc<str>,
    /// The object that it is in.
    pub module: Arc<str>,
    /// Where.
    pub place: Option<Place>,
    /// The address.
    pub address: Address,
    /// Whether it was inlined into the next.
    pub inlined: bool,
}

/// The future that `block_on` runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The thread.
    pub thread: u32,
    /// The future's type, shortened for people.
    pub future: Arc<str>,
    /// What it awaits; `None` where its bytes were not found.
    pub chain: Option<u32>,
    /// Why not; empty where they were.
    pub unread: Arc<str>,
    /// What it waits for.
    pub waits: Box<[Wait]>,
    /// What its frames have.
    pub claims: Box<[Claim]>,
}

/// What `spawn_blocking` was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub number: TaskNumber,
    /// Where it stands.
    pub address: Address,
    /// The closure's type, shortened for people.
    pub closure: Arc<str>,
    /// The thread that runs it; `None` while it is queued.
    pub thread: Option<u32>,
}

/// A socket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Socket {
    /// `tcp`, `udp`, `unix`.
    pub kind: String,
    /// Its own address.
    pub local: String,
    /// The peer's; empty where there is none.
    pub peer: String,
    /// Its state, such as `established`.
    pub state: String,
    /// Bytes that have come and were not read.
    pub unread: Option<u64>,
    /// Since when the peer has sent nothing.
    pub silent: Option<Duration>,
}
