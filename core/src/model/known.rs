//! What of a task's numbers its source may not know: whoever shows one asks here, and not the row.

use super::{Model, Task};
use crate::update::{Fact, Known, Stamp};
use std::time::Duration;

/// How often a task was woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wakes {
    /// In all.
    pub count: u64,
    /// By itself.
    pub own: u64,
}

/// The wakers of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wakers {
    /// Out there.
    pub out: u64,
    /// Made by cloning.
    pub clones: u64,
    /// Dropped.
    pub drops: u64,
}

impl Model {
    /// How often a task was polled.
    pub fn polls(&self, task: &Task) -> Known<u64> {
        match task.polls() {
            0 => self.knows.told(Fact::Polls, 0),
            polls => Known::Value(polls),
        }
    }

    /// The time inside a task's polls. Of a task that is only seen to run now and then nobody knows it.
    pub fn busy(&self, task: &Task, now: Stamp) -> Known<Duration> {
        self.knows.told(Fact::Polls, task.busy(now))
    }

    /// A task's age, or its whole life. A source that does not know it of every task may know it of one.
    pub fn total(&self, task: &Task, now: Stamp) -> Known<Duration> {
        if task.created().is_some() {
            Known::Value(task.total(now))
        } else {
            self.knows.told(Fact::Ages, Duration::ZERO)
        }
    }

    /// How long a task waited to be polled. A source that does not know it of every task may know it of one.
    pub fn scheduled(&self, task: &Task, now: Stamp) -> Known<Duration> {
        match task.scheduled(now) {
            Duration::ZERO => self.knows.told(Fact::ScheduledTime, Duration::ZERO),
            scheduled => Known::Value(scheduled),
        }
    }

    /// How long a task was neither busy nor scheduled.
    pub fn idle(&self, task: &Task, now: Stamp) -> Known<Duration> {
        self.scheduled(task, now).map(|_| task.idle(now))
    }

    /// How often a task was woken.
    pub fn wakes(&self, task: &Task) -> Known<Wakes> {
        let stats = task.stats();
        self.knows.told(Fact::Wakes, Wakes { count: stats.wakes, own: stats.self_wakes })
    }

    /// The wakers of a task.
    pub fn wakers(&self, task: &Task) -> Known<Wakers> {
        let stats = task.stats();
        let wakers = Wakers { out: task.wakers(), clones: stats.waker_clones, drops: stats.waker_drops };
        self.knows.told(Fact::Wakers, wakers)
    }
}
