//! A task's recent past: what it did in the last seconds. Only tasks that were reported again within that time have one, which
//! among a million are few.

use super::{Rate, Spark};
use crate::update::{Stamp, TaskStats, nanos};
use std::time::Duration;

/// What a task did in the last seconds.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Recent {
    /// Polls per second.
    pub polls: Rate,
    /// Busy share, second by second.
    pub busy: Spark,
    /// Where the averages begin, and where they will when that is too long ago.
    window: Window,
    next: Window,
    /// When it was last told of.
    told: Stamp,
}

/// The counters as they were some seconds ago, for averages over the recent past.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Window {
    at: Stamp,
    polls: u64,
    scheduled: u64,
    busy: u64,
    wakes: u64,
    self_wakes: u64,
}

/// What a task did of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doings {
    /// Since when this was counted.
    pub since: Stamp,
    /// For how long it was.
    pub span: Duration,
    /// Polls in that time.
    pub polls: u64,
    /// Time inside polls.
    pub busy: Duration,
    /// Time in a run queue.
    pub scheduled: Duration,
    /// How often it was woken.
    pub wakes: u64,
    /// How often by itself.
    pub self_wakes: u64,
}

/// How long a task waited to be polled of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduling {
    /// Since when this was counted.
    pub since: Stamp,
    /// Polls since then.
    pub polls: u64,
    /// The mean wait between wake and poll.
    pub mean: Duration,
}

impl Recent {
    /// How far back it reaches. Of a task that is silent for longer nothing is told that its row does not say.
    pub const SPAN: Duration = Duration::from_secs(10);

    /// Begins where the counters stood when they were last told.
    pub fn new(stats: &TaskStats, at: Stamp) -> Self {
        let (mut polls, mut busy) = (Rate::new(at), Spark::new(at));
        polls.start(stats.polls.count, at);
        busy.start(nanos(stats.polls.busy), at);
        let window = Window::new(stats, at);
        Self { polls, busy, window, next: window, told: at }
    }

    /// Takes in where they stand now.
    pub fn observe(&mut self, stats: &TaskStats, now: Stamp) {
        self.polls.observe(stats.polls.count, now);
        self.busy.observe(nanos(stats.polls.busy), now);
        self.told = now;
        if now.since(self.next.at) > Self::SPAN / 2 {
            self.window = self.next;
            self.next = Window::new(stats, now);
        }
    }

    /// Whether it was told so long ago that there is nothing to tell any more.
    pub fn is_over(&self, now: Stamp) -> bool {
        now.since(self.told) > Self::SPAN
    }

    /// Polls per second at `now`.
    pub fn poll_rate(&self, now: Stamp) -> f64 {
        if self.is_over(now) { 0.0 } else { self.polls.per_second(now) }
    }

    /// The share of the last seconds that it was busy, from 0 to 1, of a task that is not inside a poll now.
    pub fn load(&self, now: Stamp) -> f64 {
        if self.is_over(now) { 0.0 } else { self.busy.mean(None, now) }
    }

    /// What the task did since the window began.
    pub fn doings(&self, stats: &TaskStats) -> Doings {
        let less = |now: Duration, then: u64| now.saturating_sub(Duration::from_nanos(then));
        Doings {
            since: self.window.at,
            span: self.told.since(self.window.at),
            polls: stats.polls.count.saturating_sub(self.window.polls),
            busy: less(stats.polls.busy, self.window.busy),
            scheduled: less(stats.scheduled, self.window.scheduled),
            wakes: stats.wakes.saturating_sub(self.window.wakes),
            self_wakes: stats.self_wakes.saturating_sub(self.window.self_wakes),
        }
    }

    /// How long the task waited since the window began; `None` if it was not polled.
    pub fn scheduling(&self, stats: &TaskStats) -> Option<Scheduling> {
        let polls = stats.polls.count.saturating_sub(self.window.polls);
        let waited = stats.scheduled.saturating_sub(Duration::from_nanos(self.window.scheduled));
        let mean = waited / u32::try_from(polls).unwrap_or(u32::MAX).max(1);
        (polls > 0).then_some(Scheduling { since: self.window.at, polls, mean })
    }
}

impl Window {
    fn new(stats: &TaskStats, at: Stamp) -> Self {
        Self {
            at,
            polls: stats.polls.count,
            scheduled: nanos(stats.scheduled),
            busy: nanos(stats.polls.busy),
            wakes: stats.wakes,
            self_wakes: stats.self_wakes,
        }
    }
}
