//! What a look tells as a whole: things, threads, roots, jobs, and what it could not read.

use super::{Claim, Home, Thing, ThingId, Wait};
use crate::update::{RuntimeId, Stack, WorkerId};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

/// What comes with the last page of a look, and replaces what came before.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Whole {
    /// Everything that somebody waits for or holds.
    pub things: Vec<Thing>,
    /// The threads.
    pub threads: Vec<Thread>,
    /// The futures that `block_on` runs.
    pub roots: Vec<Root>,
    /// What `spawn_blocking` was given.
    pub jobs: Vec<Job>,
    /// Each `LocalSet` that has tasks.
    pub sets: Vec<LocalSet>,
    /// What has tasks that none of its threads polls, since each of these sleeps for a lock.
    pub kept: Vec<Kept>,
    /// The sockets that somebody waits for.
    pub sockets: Vec<Socket>,
    /// What could not be read or told.
    pub unread: Vec<Unread>,
    /// What the process is doing.
    pub state: ProcessState,
    /// What the look took.
    pub cost: Cost,
}

/// What a process is doing as a whole. While it does not run, nothing may be said of how long something lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum ProcessState {
    /// It runs.
    #[default]
    Running,
    /// A signal has stopped it.
    Stopped,
    /// A debugger has stopped it, or traces it.
    Traced,
    /// Its control group is frozen.
    Frozen,
    /// Tasks are there, and the threads that would run them are not: the child of a `fork`.
    Forked,
    /// It has ended, and this is what was kept of its memory.
    Core,
}

impl ProcessState {
    /// What is said of it; `None` of one that runs.
    pub fn in_words(self) -> Option<&'static str> {
        match self {
            Self::Running => None,
            Self::Stopped => Some("stopped by a signal"),
            Self::Traced => Some("stopped or traced by a debugger"),
            Self::Frozen => Some("frozen: its control group is"),
            Self::Forked => Some("the child of a fork: its tasks are copies, and nothing runs them"),
            Self::Core => Some("over: this is what its memory was"),
        }
    }
}

/// What a look took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// Time.
    pub took: Duration,
    /// Bytes read of the process.
    pub bytes: u64,
    /// Tasks whose futures were gone through.
    pub walked: u64,
    /// Tasks that were in motion, and are not believed.
    pub moving: u64,
    /// The longest time for which the process or one of its threads was stopped.
    pub stopped: Duration,
}

/// A thread of the process.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Thread {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The kernel's letter for its state.
    pub state: char,
    /// What it waits for in the kernel; empty where that is not told.
    pub waits_in: String,
    /// Processor time that it has used.
    pub cpu: Option<Duration>,
    /// Time that it has waited for a processor although it could run; `None` where the kernel does not tell.
    pub waited: Option<Duration>,
    /// What it is to tokio.
    pub role: Role,
    /// The task that it polls.
    pub polls: Option<NonZeroU64>,
    /// The lock that it sleeps for, where that is one which no task can wait for.
    pub sleeps: Option<Sleeps>,
    /// Its stack; without frames and with the reason where it was not read.
    pub stack: Option<Arc<Stack>>,
    /// For how long it was stopped so that its stack could be read.
    pub stopped: Option<Duration>,
}

/// What a thread sleeps for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sleeps {
    /// Which kind of lock, and how it is asked for.
    pub lock: SleepsFor,
    /// Which, where that is known.
    pub at: Option<ThingId>,
}

/// A lock that threads sleep for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SleepsFor {
    /// `std::sync::Mutex`.
    Mutex,
    /// `std::sync::RwLock`, to read.
    Read,
    /// `std::sync::RwLock`, to write.
    Write,
    /// One of `parking_lot`, which does not tell which.
    ParkingLot,
}

impl SleepsFor {
    /// The function that it sleeps in, and for which lock, in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Mutex => "std::sync::Mutex::lock",
            Self::Read => "std::sync::RwLock::read",
            Self::Write => "std::sync::RwLock::write",
            Self::ParkingLot => "a lock of parking_lot, which one is not told",
        }
    }
}

/// What has tasks, and none of the threads that could poll them is free.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// What.
    pub home: Home,
    /// The threads: each sleeps for a lock in the middle of a poll.
    pub threads: Vec<u32>,
}

/// What a thread is to tokio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Role {
    /// Nothing that is known.
    #[default]
    Other,
    /// A worker.
    Worker(WorkerId),
    /// A thread of the blocking pool.
    Blocking,
    /// Inside of `block_on` of a runtime.
    BlockOn(RuntimeId),
}

/// The future that `block_on` runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Root {
    /// The thread.
    pub thread: u32,
    /// The future's type, shortened for people.
    pub future: Arc<str>,
    /// What it awaits, by the number of its chain; `None` where its bytes were not found.
    pub chain: Option<u32>,
    /// Why not; empty where they were.
    pub unread: Arc<str>,
    /// What it waits for.
    pub waits: Box<[Wait]>,
    /// What its frames have.
    pub claims: Box<[Claim]>,
}

/// What `spawn_blocking` was given.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Job {
    /// Tokio's number of it.
    pub number: NonZeroU64,
    /// The closure's type, shortened for people.
    pub closure: Arc<str>,
    /// The thread that runs it; `None` while it is queued.
    pub thread: Option<u32>,
}

/// A `LocalSet`: only the thread that made it can run its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LocalSet {
    /// Which.
    pub id: ThingId,
    /// The thread that made it.
    pub owner: Owner,
}

/// The thread that made a `LocalSet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Owner {
    /// Not known.
    #[default]
    Unknown,
    /// This one.
    Thread(u32),
    /// It has ended, and nobody else can run the tasks.
    Gone,
}

/// A socket that somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Socket {
    /// Its descriptor.
    pub fd: i32,
    /// Its own address.
    pub local: String,
    /// The peer's; empty where there is none.
    pub peer: String,
    /// Whether it waits for others to connect.
    pub listens: bool,
    /// For how long the peer has sent nothing; `None` where that is not told.
    pub silent: Option<Duration>,
}

/// Something that could not be read or told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unread {
    /// What.
    pub what: Arc<str>,
    /// Why, and what would help.
    pub why: Arc<str>,
}
