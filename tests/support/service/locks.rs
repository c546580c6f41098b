//! Locks of the service played by hand: who asks, who is given, and what of that is announced.

use super::{Readiness, ResourceId, Service, Take, TaskId, Value, Waiter};

impl Service {
    /// A task that is being polled takes a lock, and has it afterwards if that is free.
    pub(crate) fn take(&mut self, task: TaskId, lock: ResourceId, how: Take) -> &mut Self {
        if self.ask(task, lock, how) {
            self.report_taken(lock, how);
        }
        self
    }

    /// A task that is being polled asks for a lock. If it is free, the acquire completes at once, and
    /// [`Service::report_taken`] is what follows.
    pub(crate) fn ask(&mut self, task: TaskId, lock: ResourceId, how: Take) -> bool {
        let inner_resource = ResourceId(self.semaphores[&lock.0].id);
        let outer = self.op(how.source(), lock, None, task, &[]);
        let wanted = how.permits();
        let attributes = [("permits_obtained", Value::U64(0)), ("permits_requested", Value::U64(wanted))];
        let inner = self.op("Acquire::new", inner_resource, Some(outer), task, &attributes);
        let semaphore = self.semaphores.get_mut(&lock.0).expect("a lock of this service");
        // First come, first served: a queue is not overtaken.
        let obtained = if semaphore.queue.is_empty() { semaphore.permits.min(wanted) } else { 0 };
        semaphore.permits -= obtained;
        let missing = wanted - obtained;
        if missing > 0 {
            semaphore.queue.push_back(Waiter { task, outer: outer.0, inner: inner.0, missing });
        }
        if obtained > 0 {
            self.add(inner_resource, "permits", -(obtained as i64));
            self.obtain(inner.0, obtained);
        }
        self.poll_op(outer.0, task, None);
        let readiness = if missing == 0 { Readiness::Ready } else { Readiness::Pending };
        self.poll_op(inner.0, task, Some(readiness));
        if missing == 0 {
            self.drop_op(inner.0);
            self.drop_op(outer.0);
        }
        missing == 0
    }

    /// Takes a lock in a way that is not an operation. Whether it was free.
    pub(crate) fn try_take(&mut self, lock: ResourceId, how: Take) -> bool {
        let semaphore = self.semaphores.get_mut(&lock.0).expect("a lock of this service");
        let free = semaphore.permits >= how.permits();
        if free {
            semaphore.permits -= how.permits();
            self.report_taken(lock, how);
        }
        free
    }

    /// The lock says that it is taken.
    pub(crate) fn report_taken(&mut self, lock: ResourceId, how: Take) -> &mut Self {
        match how {
            Take::Lock => self.set(lock, "locked", Value::Bool(true)),
            Take::Write => self.set(lock, "write_locked", Value::Bool(true)),
            Take::Read => self.add(lock, "current_readers", 1),
        }
        self
    }

    /// A guard is dropped.
    pub(crate) fn release(&mut self, lock: ResourceId, how: Take) -> &mut Self {
        self.give_back(lock, how).report_released(lock, how)
    }

    /// The first half of dropping a guard: the next in the queue are woken.
    pub(crate) fn give_back(&mut self, lock: ResourceId, how: Take) -> &mut Self {
        let mut rest = how.permits();
        let semaphore = self.semaphores.get_mut(&lock.0).expect("a lock of this service");
        let inner_resource = ResourceId(semaphore.id);
        let mut served = Vec::new();
        let mut woken = Vec::new();
        while let Some(first) = semaphore.queue.front_mut().filter(|_| rest > 0) {
            let given = rest.min(first.missing);
            rest -= given;
            first.missing -= given;
            served.push((first.inner, given));
            if first.missing == 0 {
                woken.extend(semaphore.queue.pop_front());
            }
        }
        semaphore.permits += rest;
        if rest > 0 {
            self.add(inner_resource, "permits", rest as i64);
        }
        for (inner, given) in served {
            self.obtain(inner, given);
        }
        for Waiter { task, outer, inner, .. } in woken {
            self.granted.insert(task, (outer, inner));
            self.wake(task);
        }
        self
    }

    /// The second half: the lock says that it is free.
    pub(crate) fn report_released(&mut self, lock: ResourceId, how: Take) -> &mut Self {
        match how {
            Take::Lock => self.set(lock, "locked", Value::Bool(false)),
            Take::Write => self.set(lock, "write_locked", Value::Bool(false)),
            Take::Read => self.add(lock, "current_readers", -1),
        }
        self
    }

    /// Whether a task was given what it waits for and has not been polled since.
    pub(crate) fn is_granted(&self, task: TaskId) -> bool {
        self.granted.contains_key(&task)
    }
}
