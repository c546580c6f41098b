//! Locks as an agent tells them: who holds and who waits is a fact there, and nothing is inferred. What is told stands in the same
//! fields as what [`infer`](super::infer) makes of the console's format, so that a reader need not ask which it was;
//! [`Hold::basis`] says it. Of a lock that is told, nothing else writes these.

use crate::{
    model::{
        Acquire, AcrossAwait, Basis, HOLD_BUCKETS, Hold, HoldTimes, KnownTask, Lock, LockState, Model, Rate, Resource,
        Task, locks::lock::ToldQueue,
    },
    update::{Access, Across, Fact, Holder, LockStats, OpId, ResourceId, Stamp, TaskId, Update},
};
use std::{sync::Arc, time::Duration};

impl Model {
    /// Takes in the locks of a page. One that was never announced, or is gone, is let go of.
    pub(in crate::model) fn take_locks(&mut self, update: &mut Update, now: Stamp) {
        for id in update.gone_locks.drain(..) {
            let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { continue };
            self.loose_bytes -= lock.told_bytes();
            lock.told = None;
            lock.forget_acquires();
        }
        for mut told in update.locks.drain(..) {
            for holder in &mut told.holders {
                self.agent.root.relate(&mut holder.acquired_at, &self.places);
                self.agent.root.relate(&mut holder.suspended_at, &self.places);
            }
            let is_known = self.resources.get(told.id).is_some_and(|resource| resource.told_lock().is_some());
            if !is_known && !self.takes_other(now) {
                continue;
            }
            self.tell_lock(told, &[], now);
        }
    }

    /// Takes in one lock, and how each of its holders is known: exactly, where nothing else is said.
    pub(in crate::model) fn tell_lock(&mut self, told: LockStats, bases: &[Basis], now: Stamp) {
        let id = told.id;
        let joined = self.memory.speaks_for(id).is_some();
        let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { return };
        self.unsettled.insert(id);
        self.loose_bytes -= lock.told_bytes();
        // What was inferred before is void, unless that goes on beside what memory tells.
        if lock.basis == Basis::Inferred && !joined {
            lock.begin_to_be_told(told.acquisitions, now);
        }
        lock.tell(told, now);
        for (hold, basis) in lock.holds.iter_mut().zip(bases) {
            hold.basis = *basis;
        }
        self.loose_bytes += lock.told_bytes();
    }

    /// Names those of whom an agent told that they hold a lock, and not who they are.
    pub(in crate::model) fn name_holders(&mut self, id: ResourceId, found: Vec<(Holder, Basis)>, now: Stamp) {
        let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { return };
        self.loose_bytes -= lock.told_bytes();
        let known = lock.holds.len();
        for (at, (holder, basis)) in found.into_iter().enumerate() {
            lock.holds.push(Hold { basis, ..hold(known + at, holder, now) });
        }
        if let Some(queue) = &mut lock.told {
            queue.unknown_holders = 0;
        }
        self.loose_bytes += lock.told_bytes();
        self.unsettled.insert(id);
    }

    /// Who holds a lock is told no more, and follows again from what is reported of it.
    pub(in crate::model) fn untell_lock(&mut self, id: ResourceId) {
        let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { return };
        self.loose_bytes -= lock.told_bytes();
        // Acquires were counted meanwhile.
        (lock.told, lock.certain, lock.basis, lock.sighting) = (None, None, Basis::Inferred, None);
        lock.holds.clear();
        self.unsettled.insert(id);
    }

    /// Brings a lock that is told, and is or was in use, up to `now`: what an update does not name has not changed. Whether it is
    /// told at all.
    pub(in crate::model) fn settle_told_lock(&mut self, id: ResourceId, now: Stamp) -> bool {
        // What memory tells was so when it was looked at.
        let now = if self.told.has(Fact::Holders) { now } else { self.memory.speaks_for(id).unwrap_or(now) };
        let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { return false };
        let Some(queue) = &lock.told else { return false };
        let waits = Waits::of(queue, now);
        for hold in lock.holds.iter_mut().filter(|hold| hold.acquire.task != TaskId::NONE) {
            let row = self.tasks.get(hold.acquire.task);
            // A row comes before the locks that speak of it: one that is not there is gone, unless there was no room for it.
            hold.outlived = row.map_or(!self.evicted.is_short(), Task::has_ended);
            if let (true, Some(row), None) = (hold.outlived, row, &hold.known) {
                hold.known = Some(Arc::new(KnownTask::of(row, &self.names)));
            }
        }
        lock.stand(&waits, now);
        if lock.holds.is_empty() && waits.count == 0 {
            self.unsettled.remove(&id);
        }
        true
    }
}

impl Resource {
    /// A lock as an agent tells it, and who waits for it.
    pub(in crate::model) fn told_lock(&self) -> Option<(&Lock, &ToldQueue)> {
        let lock = self.lock.as_deref()?;
        Some((lock, lock.told.as_deref()?))
    }
}

fn hold(at: usize, holder: Holder, seen: Stamp) -> Hold {
    Hold {
        acquire: Acquire {
            task: holder.task.unwrap_or(TaskId::NONE),
            // The operation is over and not told any more; what matters is that each holder has another one.
            op: OpId(u64::MAX - at as u64),
            asked: holder.since,
            at: holder.since,
            access: holder.access,
            contended: false,
        },
        across: holder.across,
        seen,
        basis: Basis::Exact,
        thread: holder.thread,
        acquired_at: holder.acquired_at,
        suspended_at: holder.suspended_at,
        outlived: false,
        known: None,
    }
}

/// Who waits for a lock, in two numbers.
struct Waits {
    count: usize,
    longest: Duration,
}

impl Waits {
    fn of(queue: &ToldQueue, now: Stamp) -> Self {
        let first = queue.waiters.iter().filter_map(|waiter| waiter.since).min();
        Self { count: queue.count(), longest: first.map_or(Duration::ZERO, |first| now.since(first)) }
    }
}

impl ToldQueue {
    /// How many wait.
    pub(in crate::model) fn count(&self) -> usize {
        self.waiters.len().saturating_add(usize::try_from(self.more).unwrap_or(usize::MAX))
    }
}

impl Lock {
    /// What is kept of a lock that is told, in bytes. Stacks are shared with few others, and captured for few locks: they are
    /// taken to have some frames.
    pub(in crate::model) fn told_bytes(&self) -> usize {
        const STACK: usize = 4_096;
        let Some(queue) = &self.told else { return 0 };
        let stacks = |hold: &Hold| usize::from(hold.acquired_at.is_some()) + usize::from(hold.suspended_at.is_some());
        let holds: usize = self.holds.iter().map(|hold| size_of::<Hold>() + stacks(hold) * STACK).sum();
        size_of::<ToldQueue>() + size_of_val(queue.waiters.as_slice()) + holds
    }

    fn begin_to_be_told(&mut self, acquisitions: u64, now: Stamp) {
        self.across = AcrossAwait::default();
        self.hold_times = HoldTimes::default();
        self.longest_wait = Duration::ZERO;
        self.rate = Rate::new(now);
        self.rate.start(acquisitions, now);
    }

    /// Takes in what is told of it as of an instant.
    fn tell(&mut self, told: LockStats, now: Stamp) {
        self.basis = Basis::Exact;
        self.state = match told.holders.first().map(|holder| holder.access) {
            None if told.unknown_holders > 0 => LockState::Exclusive,
            None => LockState::Free,
            Some(Access::Exclusive) => LockState::Exclusive,
            Some(Access::Shared) => LockState::Shared(told.unknown_holders.saturating_add(told.holders.len() as u64)),
        };
        self.acquisitions = told.acquisitions;
        self.contended = told.contended;
        for (bucket, count) in self.hold_times.buckets.iter_mut().zip(fold(&told.hold_times)) {
            *bucket = u32::try_from(count).unwrap_or(u32::MAX);
        }
        self.hold_times.longest = told.longest_hold;

        let across = &mut self.across;
        let grew = told.across_count > across.count;
        across.count = told.across_count;
        across.longest = across.longest.max(told.across_longest);
        // What was told at the first time is history: it need not go on.
        if grew && across.told {
            across.note_at(now);
        }
        across.told = true;

        let before = std::mem::take(&mut self.holds);
        self.holds = told.holders.into_iter().enumerate().map(|(at, holder)| hold(at, holder, now)).collect();
        // What is known of a task that has ended is not told again.
        for old in before.into_iter().filter(|old| old.known.is_some()) {
            let is_it = |hold: &&mut Hold| (hold.acquire.task, hold.acquire.at) == (old.acquire.task, old.acquire.at);
            if let Some(hold) = self.holds.iter_mut().find(is_it) {
                hold.known = old.known;
            }
        }
        let queue = ToldQueue { waiters: told.waiters, more: told.more_waiters, unknown_holders: told.unknown_holders };
        self.told = Some(Box::new(queue));
    }

    /// All that was told of it still stands.
    fn stand(&mut self, waits: &Waits, now: Stamp) {
        self.certain = Some(now);
        self.rate.observe(self.acquisitions, now);
        self.longest_wait = self.longest_wait.max(waits.longest);
        for hold in &mut self.holds {
            hold.seen = now;
        }
        let across = &mut self.across;
        let Some(asleep) = self.holds.iter().find(|hold| hold.across == Across::Await) else { return };
        across.note_at(now);
        across.waiters = waits.count;
        across.wait = waits.longest;
        across.most_waiters = across.most_waiters.max(waits.count);
        across.longest_wait = across.longest_wait.max(waits.longest);
        across.longest = across.longest.max(now.since(asleep.acquire.at));
        across.latest = Some(asleep.clone());
    }
}

/// The buckets that the model has: what lies beyond them goes to the last.
fn fold(told: &[u64]) -> [u64; HOLD_BUCKETS] {
    let mut buckets = [0_u64; HOLD_BUCKETS];
    for (at, &count) in told.iter().enumerate() {
        let bucket = &mut buckets[at.min(HOLD_BUCKETS - 1)];
        *bucket = bucket.saturating_add(count);
    }
    buckets
}
