//! What was read in the process's memory, as the model keeps it: chains, things that are waited for, threads, and what was not
//! read. What each task awaits stands with its row.
//!
//! ```text
//! apply    a page of a look goes in: rows of tasks and of jobs
//! locks    things that are locks become locks, with holders and waiters
//! evidence what several looks bear out
//! contradictions  where the two speak of different instants
//! joins    which of them is which lock of a source that memory is read beside
//! awaits   what a task awaits, in words, and what tells it from others
//! peers    who is at the other end of a descriptor
//! stalls   polls that keep a worker, from one look to the next
//! held_up  who has what holds others up, and what they wait for
//! outline  what is left of it for a few tasks
//! summary  the line that answers before anything is selected
//! ```

mod apply;
mod awaits;
mod contradictions;
mod evidence;
mod held_up;
mod joins;
mod locks;
mod outline;
mod peers;
mod stalls;
mod summary;
#[cfg(test)]
mod tests;

pub use awaits::{Awaits, AwaitsKey};

use super::sized_map::{Price, SizedMap};
use crate::update::{
    BeginMode, Knows, ResourceId, Stamp, TaskId, WorkerId,
    look::{Chain, ProcessState, Socket, Thing, ThingId, Whole},
};
use contradictions::Sighting;
use evidence::Looked;
use joins::Joins;
use peers::Peers;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{num::NonZeroU64, sync::Arc};

/// More chains than this no honest program has.
const CHAINS_MOST: usize = 1 << 20;

/// What memory told.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Memory {
    /// What its source can tell; `None` while none does.
    knows: Option<Knows>,
    mode: BeginMode,
    /// By number. Shared with those who freeze the display.
    chains: Arc<Vec<Arc<Chain>>>,
    chain_bytes: usize,
    whole: Option<Arc<Whole>>,
    /// What most tasks wait for.
    summary: Arc<str>,
    now: Option<Stamp>,
    /// When the latest looks were.
    looked: Looked,
    /// How many tasks have a look, and what these take.
    look_bytes: usize,
    /// Rows that another source told of, by tokio's number. Empty where memory speaks alone: there the number is the id.
    numbers: SizedMap<NonZeroU64, TaskId>,
    /// Whom descriptors lead to.
    peers: Peers,
    /// Tasks that have moved since the look before.
    moved: FxHashSet<TaskId>,
    /// Threads that have not run since the look before, and since which look they have not.
    slept: FxHashMap<u32, Stamp>,
    /// The jobs of the look before.
    jobs: FxHashSet<TaskId>,
    /// Things that have rows of their own, and how many looks ago each was last told.
    rows: FxHashMap<ResourceId, u16>,
    /// Things that are locks of the other source.
    joins: Joins,
    /// Who had which of the agent's locks at the look before.
    sightings: FxHashMap<ResourceId, Sighting>,
    /// The stall of each worker that is in one.
    stalls: FxHashMap<WorkerId, u64>,
    /// Since when each lasts, and what the kernel had counted of the threads when it was seen first.
    stalls_began: FxHashMap<WorkerId, (Stamp, Arc<stalls::Counted>)>,
    /// The same at the latest look.
    counted: Arc<stalls::Counted>,
    stalls_numbered: u64,
}

impl Price for TaskId {
    fn inside(&self) -> usize {
        0
    }
}

impl Memory {
    /// Whether memory is read at all.
    pub fn speaks(&self) -> bool {
        self.knows.is_some()
    }

    /// What memory tells, as a source of its own.
    pub fn knows(&self) -> Option<&Knows> {
        self.knows.as_ref()
    }

    /// When the latest look was.
    pub fn now(&self) -> Option<Stamp> {
        self.now
    }

    /// What the latest look told as a whole; `None` before the first.
    pub fn whole(&self) -> Option<&Whole> {
        self.whole.as_deref()
    }

    /// Since which look a thread has not run.
    pub fn slept_since(&self, thread: u32) -> Option<Stamp> {
        self.slept.get(&thread).copied()
    }

    /// Whether this is what was kept of the memory of a process that has ended: nothing in it moves any more.
    pub fn is_over(&self) -> bool {
        self.whole.as_ref().is_some_and(|whole| whole.state == ProcessState::Core)
    }

    /// In one sentence: what most of the tasks wait for, who has it, and what those wait for. Empty before the first look.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// A chain by its number.
    pub fn chain(&self, number: u32) -> Option<&Arc<Chain>> {
        self.chains.get(number as usize)
    }

    /// A thing by its address.
    pub fn thing(&self, id: ThingId) -> Option<&Thing> {
        let things = &self.whole.as_ref()?.things;
        things.binary_search_by_key(&id, |thing| thing.id).ok().and_then(|at| things.get(at))
    }

    /// A socket by its descriptor.
    pub fn socket(&self, fd: i32) -> Option<&Socket> {
        let sockets = &self.whole.as_ref()?.sockets;
        sockets.binary_search_by_key(&fd, |socket| socket.fd).ok().and_then(|at| sockets.get(at))
    }

    /// Everything that somebody waits for or holds, by address.
    pub fn things(&self) -> &[Thing] {
        self.whole.as_ref().map_or(&[], |whole| &whole.things)
    }

    /// How many bytes it takes, as an estimate. Things, threads and jobs are few beside tasks.
    pub(super) fn bytes(&self) -> usize {
        const EACH: usize = 512;
        let whole = self
            .whole
            .as_ref()
            .map_or(0, |whole| whole.things.len() + whole.threads.len() + whole.jobs.len() + whole.sockets.len());
        self.chain_bytes + self.look_bytes + self.numbers.bytes() + whole * EACH
    }

    /// Whether what is told of a lock of another source comes from here, and as of which look.
    pub(super) fn speaks_for(&self, lock: ResourceId) -> Option<Stamp> {
        self.joins.thing_of(lock).and(self.now)
    }

    /// A lock is gone.
    pub(super) fn forget_lock(&mut self, lock: ResourceId) {
        self.joins.forget(lock);
        self.sightings.remove(&lock);
    }

    /// A row is gone that another source told of.
    pub(super) fn forget_number(&mut self, number: NonZeroU64) {
        self.numbers.remove(number);
    }

    /// A row that another source tells of.
    pub(super) fn learn_number(&mut self, number: Option<NonZeroU64>, id: TaskId) {
        if let Some(number) = number.filter(|_| self.mode == BeginMode::Joins) {
            self.numbers.insert(number, id);
        }
    }

    fn learn(&mut self, chain: Arc<Chain>) {
        if self.chains.len() >= CHAINS_MOST {
            return;
        }
        let inside: usize = chain.frames.iter().map(|frame| frame.name.len() + frame.place.file.len()).sum();
        self.chain_bytes += inside + size_of_val(chain.frames.as_slice()) + size_of::<Chain>();
        Arc::make_mut(&mut self.chains).push(chain);
    }
}
