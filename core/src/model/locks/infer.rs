//! Who holds which lock, from what the console wire format says. The reasoning stands in [`lock`](super::lock).

use crate::{
    model::{Acquire, Attr, Hold, Lock, LockKind, LockState, Model, Names, Op, Outcome, Resource, Sighting},
    update::{Access, Across, Fact, OpId, ResourceId, Stamp, TaskId, Value},
};
use std::time::Duration;

/// A lock's own report may come this much after the end of the operation that took it: the thread may be off its
/// processor in between.
const REPORT_SLACK: Duration = Duration::from_millis(20);

/// A completed acquire. A thread that runs no task may call `blocking_lock`: who that is nobody says.
enum Acquired {
    By(Acquire),
    ByAStranger(Stamp, OpId),
}

impl Model {
    /// An acquire has what it wants as soon as the semaphore inside the lock gave it the permits.
    pub(in crate::model) fn note_permits(&mut self, id: OpId, parent: Option<OpId>) {
        let (Some(op), Some(parent)) = (self.ops.get(id), parent) else { return };
        let permits = |name| number(&op.attributes, &self.names, name);
        let granted = permits("permits_requested")
            .is_some_and(|wanted| wanted > 0 && permits("permits_obtained") >= Some(wanted));
        for complete in [id, parent].into_iter().filter(|_| granted) {
            if let Some(op) = self.ops.get_mut(complete) {
                op.outcome = Outcome::Complete;
            }
        }
    }

    /// Whether an operation wants permits that it was not given.
    pub fn lacks_permits(&self, op: &Op) -> bool {
        let permits = |name| number(&op.attributes, &self.names, name);
        permits("permits_requested").is_some_and(|wanted| permits("permits_obtained").unwrap_or(0) < wanted)
    }

    /// The target lost operations: the latest acquire that we know of need not be the latest.
    pub(in crate::model) fn forget_acquires(&mut self) {
        for id in self.locks.iter() {
            let lock = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut());
            if let Some(lock) = lock.filter(|lock| lock.told.is_none()) {
                lock.forget_acquires();
            }
        }
    }

    /// Works out who holds the locks that the update, now complete, touched, and those that were held before it.
    pub(in crate::model) fn infer_holders(&mut self, now: Stamp) {
        // What is told is not inferred, and neither is what is soon to be.
        let is_told = self.told.has(Fact::Holders);
        if is_told {
            self.finished.clear();
        }
        self.fold_acquires();
        let told_until = self.health.told_until;
        let locks: Vec<ResourceId> = self.unsettled.iter().copied().collect();
        for id in locks {
            let was_told = self.settle_told_lock(id, now);
            if was_told || is_told {
                if !was_told {
                    self.unsettled.remove(&id);
                }
                self.changes.locks.push(id);
                continue;
            }
            let sighting = self.sight(id, now);
            let previous = self.previous;
            let asks = self.asks(id);
            let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else {
                self.unsettled.remove(&id);
                continue;
            };
            if let Some(told_until) = told_until {
                lock.confirm(told_until);
            }
            lock.rate.observe(lock.acquisitions, now);
            if lock.state == LockState::Free {
                lock.freed(previous.map(|previous| previous.minus(REPORT_SLACK)));
            }
            // Whoever asks for it after having been seen with it has given it back in between.
            let has_asked = |hold: &Hold| asks.iter().any(|&(task, at)| task == hold.acquire.task && at > hold.seen);
            lock.holds.retain(|hold| !has_asked(hold));
            match sighting {
                Some(sighting) => lock.sight(sighting),
                None => lock.lose_track(),
            }
            if lock.state == LockState::Free && !lock.is_sighted() {
                self.unsettled.remove(&id);
            }
            self.changes.locks.push(id);
        }
    }

    /// Who waits for a lock, and since when.
    fn asks(&self, id: ResourceId) -> Vec<(TaskId, Stamp)> {
        self.waiters(id).into_iter().filter_map(|waiter| Some((waiter.task?, waiter.since?))).collect()
    }

    /// Hands the acquires that this update completed to their locks, in the order of their time.
    fn fold_acquires(&mut self) {
        let finished = std::mem::take(&mut self.finished);
        let mut acquires: Vec<(ResourceId, Acquired)> = finished.iter().filter_map(|&op| self.acquire(op)).collect();
        acquires.sort_by_key(|(_, acquired)| match acquired {
            Acquired::By(acquire) => (acquire.at, acquire.op),
            Acquired::ByAStranger(at, op) => (*at, *op),
        });
        for (id, acquired) in acquires {
            let lock = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut());
            let joined = self.memory.speaks_for(id);
            // What is told is not inferred. What memory tells of a lock leaves acquires to be counted.
            if let Some(lock) = lock.filter(|lock| lock.told.is_none() || joined.is_some()) {
                let holds = lock.told.is_some().then(|| std::mem::take(&mut lock.holds));
                match acquired {
                    Acquired::By(acquire) => lock.acquired(acquire),
                    Acquired::ByAStranger(at, _) => lock.acquired_by_a_stranger(at),
                }
                if let Some(holds) = holds {
                    lock.holds = holds;
                }
                self.unsettled.insert(id);
            }
        }
    }

    fn acquire(&self, op: OpId) -> Option<(ResourceId, Acquired)> {
        let op = self.ops.get(op).filter(|op| op.outcome == Outcome::Complete)?;
        let access = self.access(op)?;
        let (asked, at) = (op.created?, op.polls.last_ended?);
        // One entry for the making of the future and one for a poll that was ready at once: more means that it waited.
        let contended = op.polls.count > 2;
        let acquired = match op.task {
            Some(task) => Acquired::By(Acquire { task, op: op.id, asked, at, access, contended }),
            None => Acquired::ByAStranger(at, op.id),
        };
        Some((op.resource?, acquired))
    }

    /// Reads a lock's state, and who this update makes it look to be held by.
    fn sight(&mut self, id: ResourceId, now: Stamp) -> Option<Sighting> {
        let resource = self.resources.get(id)?;
        let state = lock_state(resource, &self.names);
        let permits = self.inner_permits(resource);
        let total = self.all_permits(resource);
        let changed_after = resource.changed_after;
        let lock = self.resources.get_mut(id)?.lock.as_mut()?;
        lock.state = state;

        let lock: &Lock = self.resources.get(id)?.lock.as_ref()?;
        let mut holders = Vec::new();
        for &acquire in lock.candidates(permits?, total) {
            // The lock changed after this acquire, so that somebody else has it, in a way that we do not see.
            if changed_after.is_some_and(|after| acquire.at < after.minus(REPORT_SLACK))
                && acquire.access == Access::Exclusive
            {
                return None;
            }
            // A guard can outlive its task, in another one's hands. Who that is nobody says.
            let task = self.tasks.get(acquire.task).filter(|task| !task.has_ended())?;
            let slept = task.stats().polls.last_ended.is_some_and(|ended| ended > acquire.at);
            holders.push((acquire, if slept { Across::Await } else { Across::SamePoll }));
        }
        if holders.is_empty() {
            return None;
        }
        let waiters = self.waiters(id);
        let longest_wait =
            waiters.iter().filter_map(|waiter| waiter.since).min().map_or(Duration::ZERO, |first| now.since(first));
        Some(Sighting { seen: now, holders, waiters: waiters.len(), longest_wait })
    }

    /// How many permits the semaphore inside a lock began with.
    pub(in crate::model) fn all_permits(&self, lock: &Resource) -> u64 {
        number(&lock.attributes, &self.names, "max_readers").unwrap_or(1)
    }

    /// How many permits the semaphore inside a lock reports as free. Those count as free, too, that a task in the queue has been
    /// given: it does not hold the lock before it is polled, and a writer collects permits until it has them all.
    pub(in crate::model) fn inner_permits(&self, lock: &Resource) -> Option<u64> {
        let semaphore = lock.parts.iter().find_map(|&part| self.resources.get(part))?;
        let free = number(&semaphore.attributes, &self.names, "permits")?;
        let pending = self.ops_on(semaphore).filter(|op| op.dropped.is_none());
        let given = pending.filter_map(|op| number(&op.attributes, &self.names, "permits_obtained"));
        Some(given.fold(free, u64::saturating_add))
    }
}

impl Model {
    /// Takes a lock to be held as it reports, where who holds it is told from elsewhere, and not of all.
    pub(in crate::model) fn keep_reported_state(&mut self, id: ResourceId) {
        let Some(resource) = self.resources.get(id) else { return };
        let reported = lock_state(resource, &self.names);
        let Some(lock) = self.resources.get_mut(id).and_then(|resource| resource.lock.as_mut()) else { return };
        if let (LockState::Shared(_), LockState::Shared(_) | LockState::Exclusive) = (reported, lock.state) {
            lock.state = reported;
        }
    }
}

/// What a lock's attributes say of it.
fn lock_state(resource: &Resource, names: &Names) -> LockState {
    let flag = |name| match find(&resource.attributes, names, name) {
        Some(&Value::Bool(flag)) => Some(flag),
        _ => None,
    };
    match resource.lock.as_ref().map(|lock| lock.kind) {
        Some(LockKind::Mutex) => match flag("locked") {
            Some(true) => LockState::Exclusive,
            Some(false) => LockState::Free,
            None => LockState::Unknown,
        },
        Some(LockKind::RwLock) => {
            match (flag("write_locked"), number(&resource.attributes, names, "current_readers")) {
                (Some(true), _) => LockState::Exclusive,
                (Some(false), Some(0)) => LockState::Free,
                (_, Some(readers)) if readers > 0 => LockState::Shared(readers),
                _ => LockState::Unknown,
            }
        }
        None => LockState::Unknown,
    }
}

fn find<'a>(attributes: &'a [Attr], names: &Names, name: &str) -> Option<&'a Value> {
    attributes.iter().find(|attribute| names.text(attribute.name) == name).map(|attribute| &attribute.value)
}

/// A number, whichever way it was sent.
fn number(attributes: &[Attr], names: &Names, name: &str) -> Option<u64> {
    match find(attributes, names, name)? {
        Value::U64(number) => Some(*number),
        Value::I64(number) => u64::try_from(*number).ok(),
        Value::Text(text) => text.parse().ok(),
        Value::Bool(_) => None,
    }
}
