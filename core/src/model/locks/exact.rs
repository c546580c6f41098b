//! Locks as an agent tells them: who holds and who waits is a fact there, and nothing is inferred. What is told overrides what
//! [`infer`](super::infer) made of the console's format, in the same fields, so that a reader need not ask which it was;
//! [`Hold::basis`] says it.

use crate::{
    model::{
        Acquire, AcrossAwait, Basis, HOLD_BUCKETS, Hold, HoldTimes, Lock, LockState, Model, Rate, Resource,
        priced::Price as _,
    },
    update::{Access, Across, Holder, LockStats, OpId, ResourceId, Stamp, TaskId, Update},
};
use std::time::Duration;

impl Model {
    /// Takes in the locks of a page. One that was never announced, or is gone, is let go of.
    pub(in crate::model) fn take_locks(&mut self, update: &mut Update, now: Stamp) {
        for id in update.gone_locks.drain(..) {
            let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { continue };
            lock.forget_acquires();
            self.loose_bytes -= lock.told.take().map_or(0, |told| bytes(&told));
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
            let Some(lock) = self.resources.get_mut(told.id).and_then(|resource| resource.lock.as_mut()) else {
                continue;
            };
            self.unsettled.insert(told.id);
            self.loose_bytes += bytes(&told);
            self.loose_bytes -= lock.told.replace(Box::new(told)).map_or(0, |before| bytes(&before));
        }
    }

    /// Brings a lock that is told, and is or was in use, up to `now`: what an update does not name has not changed. Whether it is
    /// told at all.
    pub(in crate::model) fn settle_told_lock(&mut self, id: ResourceId, now: Stamp) -> bool {
        let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { return false };
        let Some(told) = lock.told.take() else { return false };
        let holds: Vec<Hold> = told.holders.iter().enumerate().map(|(at, holder)| hold(at, holder, now)).collect();
        let first = told.waiters.iter().filter_map(|waiter| waiter.since).min();
        let waits = Waits {
            count: told.waiters.len() + usize::try_from(told.more_waiters).unwrap_or(usize::MAX / 2),
            longest: first.map_or(Duration::ZERO, |first| now.since(first)),
        };
        lock.tell(&told, holds, &waits, now);
        lock.told = Some(told);
        if lock.holds.is_empty() && waits.count == 0 {
            self.unsettled.remove(&id);
        }
        true
    }
}

impl Resource {
    /// A lock as an agent tells it.
    pub(in crate::model) fn told_lock(&self) -> Option<&LockStats> {
        self.lock.as_ref()?.told.as_deref()
    }
}

/// What is kept of a lock that is told takes this much.
pub(in crate::model) fn bytes(told: &LockStats) -> usize {
    size_of::<LockStats>() + told.inside()
}

fn hold(at: usize, holder: &Holder, seen: Stamp) -> Hold {
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
    }
}

/// Who waits for a lock, in two numbers.
struct Waits {
    count: usize,
    longest: Duration,
}

impl Lock {
    fn tell(&mut self, told: &LockStats, holds: Vec<Hold>, waits: &Waits, seen: Stamp) {
        // What was inferred before is void.
        if self.basis == Basis::Inferred {
            self.across = AcrossAwait::default();
            self.hold_times = HoldTimes::default();
            self.longest_wait = Duration::ZERO;
            self.rate = Rate::new(seen);
            self.rate.start(told.acquisitions, seen);
        }
        self.basis = Basis::Exact;
        self.certain = Some(seen);
        self.state = match told.holders.first().map(|holder| holder.access) {
            None if told.unknown_holders > 0 => LockState::Exclusive,
            None => LockState::Free,
            Some(Access::Exclusive) => LockState::Exclusive,
            Some(Access::Shared) => LockState::Shared(told.holders.len() as u64),
        };
        self.acquisitions = told.acquisitions;
        self.contended = told.contended;
        self.rate.observe(told.acquisitions, seen);
        self.longest_wait = self.longest_wait.max(waits.longest);
        for (bucket, count) in self.hold_times.buckets.iter_mut().zip(fold(&told.hold_times)) {
            *bucket = u32::try_from(count).unwrap_or(u32::MAX);
        }
        self.hold_times.longest = told.longest_hold;

        let across = &mut self.across;
        let asleep = holds.iter().find(|hold| hold.across == Across::Await).copied();
        let grew = told.across_count > across.count;
        across.count = told.across_count;
        if let Some(asleep) = asleep {
            across.latest = Some(asleep);
            across.waiters = waits.count;
            across.wait = waits.longest;
            across.most_waiters = across.most_waiters.max(waits.count);
            across.longest_wait = across.longest_wait.max(waits.longest);
            across.longest = across.longest.max(seen.since(asleep.acquire.at));
        }
        across.longest = across.longest.max(told.across_longest);
        // What was told at the first time is history: it need not go on.
        if asleep.is_some() || (grew && across.told) {
            across.first_seen.get_or_insert(seen);
            across.last_seen = Some(seen);
        }
        across.told = true;
        self.holds = holds;
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
