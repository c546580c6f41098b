//! Which locks a client is to be told of, so that what an update says of several of them was true at one moment: who holds what, and
//! who waits for it, is read of all at once. A lock that nobody uses can say nothing that contradicts another; it is read when there
//! is room for it, so that a hundred thousand of them are never copied together.

use super::{ROWS, report};
use crate::{
    read::changes,
    serve::backlog::{Backlog, Due, News},
    view::{LockView, Owner},
};
use holdup_proto::v1;
use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct LockPages {
    wanted: Backlog<LockView>,
    /// Locks that were told while their holder was in the poll that took them: they do not change when that poll ends, and yet
    /// there is more to tell of them then.
    held_in_poll: Vec<u64>,
    /// What the update that is under way is still to tell.
    update: VecDeque<Lock>,
    /// Locks that began to be used after the update's moment: the next one tells of them.
    later: Vec<u64>,
    unsent: u64,
}

/// One lock of an update.
#[derive(Debug)]
enum Lock {
    Used(Box<LockView>),
    Unused(u64),
    Dropped(u64),
}

impl LockPages {
    /// Every lock.
    pub(crate) fn all() -> Self {
        let mut wanted = Backlog::new();
        changes::locks(&mut |row| wanted.want(row));
        Self { wanted, held_in_poll: Vec::new(), update: VecDeque::new(), later: Vec::new(), unsent: 0 }
    }

    pub(crate) fn note(&mut self, news: &News<LockView>) {
        self.wanted.note(news);
    }

    pub(crate) fn kept(&self) -> usize {
        self.wanted.kept()
    }

    pub(crate) fn listed(&self) -> usize {
        self.wanted.listed()
    }

    pub(crate) fn cut(&mut self) {
        self.wanted.cut();
    }

    /// The client does not read.
    pub(crate) fn lapse(&mut self) {
        self.wanted.lapse();
        (self.held_in_poll, self.update, self.later) = (Vec::new(), VecDeque::new(), Vec::new());
    }

    /// It reads again.
    pub(crate) fn resume(&mut self) {
        self.wanted.resume(changes::locks);
    }

    /// A round of changes is over.
    pub(crate) fn next_round(&mut self) {
        let again = self.held_in_poll.drain(..).chain(self.later.drain(..));
        again.filter_map(changes::lock).for_each(|row| self.wanted.want(row));
        self.wanted.next_round();
    }

    /// Locks that the client was never told of.
    pub(crate) fn unsent(&mut self) -> u64 {
        self.unsent += self.wanted.take_missed();
        self.unsent
    }

    /// The rows of an update are told, and its locks are next: this is their moment. `is_known` says whether the client was told of
    /// a task, and not of its end.
    pub(crate) fn begin(&mut self, is_known: &impl Fn(u64) -> bool) {
        while self.wanted.waiting() > 0 {
            for told in self.wanted.take(ROWS, changes::lock) {
                match told {
                    Due::First(row) | Due::Again(row) if row.dropped.is_some() => {
                        self.update.push_back(Lock::Dropped(row.resource));
                    }
                    Due::First(row) | Due::Again(row) => {
                        if !is_used(&row) {
                            self.update.push_back(Lock::Unused(row.resource));
                        } else if names_a_stranger(&row, is_known) {
                            self.later.push(row.resource);
                        } else {
                            self.update.push_back(Lock::Used(Box::new(row)));
                        }
                    }
                    Due::Gone(id) => self.update.push_back(Lock::Dropped(id)),
                }
            }
        }
    }

    /// Puts a page's locks on a page; whether more follow.
    pub(crate) fn tell(&mut self, page: &mut v1::Report) -> bool {
        for _ in 0..ROWS {
            match self.update.pop_front() {
                Some(Lock::Used(row)) => {
                    if row.is_held_in_poll() {
                        self.held_in_poll.push(row.resource);
                    }
                    page.locks.push(report::lock(&row));
                }
                Some(Lock::Unused(id)) => match changes::lock(id) {
                    Some(row) if is_used(&row) => self.later.push(id),
                    Some(row) if row.dropped.is_none() => page.locks.push(report::lock(&row)),
                    Some(_) | None => page.dropped_locks.push(id),
                },
                Some(Lock::Dropped(id)) => page.dropped_locks.push(id),
                None => return false,
            }
        }
        !self.update.is_empty()
    }
}

fn is_used(row: &LockView) -> bool {
    !(row.holders.is_empty() && row.waiters.is_empty()) || row.unknown_holders > 0
}

/// Whether a task holds it or waits for it that began after the update's rows were read: the next update announces it. One that has
/// ended is none.
fn names_a_stranger(row: &LockView, is_known: &impl Fn(u64) -> bool) -> bool {
    let holders = row.holders.iter().filter_map(|holder| match holder.owner {
        Owner::Task(id) => Some(id),
        Owner::Thread { .. } => None,
    });
    let tasks = holders.chain(row.waiters.iter().map(|waiter| waiter.task).filter(|&task| task != 0));
    let lives = |task: u64| changes::task(task).is_some_and(|row| row.dropped.is_none());
    tasks.into_iter().any(|task| !is_known(task) && lives(task))
}
