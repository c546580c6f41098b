//! One task: what was reported of it, and what follows from that at a given instant.

use super::{
    PlaceId, Stamp, Sym, TaskId, nanos,
    rates::{Rate, Spark},
    update::TaskStats,
};
use std::{num::NonZeroU64, time::Duration};

/// A poll of at least this length is a long one: Tokio's own guidance is 10 to 100 microseconds between awaits, and at
/// 10 milliseconds every other task of the worker has begun to feel it.
pub const LONG_POLL: Duration = Duration::from_millis(10);

/// What a task was spawned as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum TaskKind {
    /// `tokio::spawn`.
    #[default]
    Task,
    /// `tokio::task::spawn_local`.
    Local,
    /// `spawn_blocking`: one poll, on a thread that may block.
    Blocking,
    /// The root future of `block_on`.
    BlockOn,
    /// Something that this version does not know.
    Other,
}

impl TaskKind {
    /// As the instrumentation names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::Blocking => "blocking",
            Self::BlockOn => "block_on",
            Self::Other => "other",
        }
    }

    /// The reverse of [`TaskKind::name`].
    pub fn from_name(name: &str) -> Self {
        match name {
            "task" => Self::Task,
            "local" => Self::Local,
            "blocking" => Self::Blocking,
            "block_on" => Self::BlockOn,
            _ => Self::Other,
        }
    }
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskState {
    /// Inside a poll.
    Running,
    /// Woken, or just spawned, and waiting in a run queue.
    Scheduled,
    /// Waiting to be woken.
    Idle,
    /// Over.
    Ended,
}

impl TaskState {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Scheduled => "scheduled",
            Self::Idle => "idle",
            Self::Ended => "ended",
        }
    }
}

/// One task. Everything in it is plain data; a name or place is told by the model's tables.
#[derive(Debug, Clone)]
pub struct Task {
    /// The instrumentation's id.
    pub id: TaskId,
    /// Tokio's own number for it (`tokio::task::Id`), where the target says it.
    pub number: Option<NonZeroU64>,
    /// Its name, empty where the service gave none.
    pub name: Sym,
    /// Where it was spawned.
    pub place: PlaceId,
    /// What it was spawned as.
    pub kind: TaskKind,
    /// Whether the target announced it, or only ever sent statistics.
    pub origin: Origin,
    /// The size of what the runtime stores, in bytes; 0 where it is not known.
    pub size: u32,
    /// The size before the runtime boxed the future; 0 where it did not.
    pub original_size: u32,
    /// As last reported.
    pub stats: TaskStats,
    /// The `now` of the update that last spoke of this task.
    pub confirmed: Stamp,
    /// The longest poll that is known to have ended. From totals it is a lower bound.
    pub longest_poll: Duration,
    /// When that poll ended, or was reported.
    pub longest_at: Stamp,
    /// Time spent in polls over [`LONG_POLL`], a lower bound: what cannot be told apart is not counted.
    pub long_busy: Duration,
    /// Polls over [`LONG_POLL`], a lower bound.
    pub long_polls: u32,
    /// Polls per second.
    pub poll_rate: Rate,
    /// Busy share, second by second.
    pub spark: Spark,
    /// Where the last ten seconds began.
    pub window: Window,
}

/// How we came to know a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The target announced it, with its name and place.
    #[default]
    Announced,
    /// Statistics came for an id that was never announced.
    StatisticsOnly,
}

/// The counters as they were some seconds ago, for averages over the recent past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When.
    pub at: Stamp,
    /// Polls up to then.
    pub polls: u64,
    /// Time scheduled up to then.
    pub scheduled: Duration,
}

/// How far back [`Window`] reaches at most, as long as the task changes.
const WINDOW: Duration = Duration::from_secs(10);

impl Task {
    /// A row for a task seen for the first time at `now`.
    pub fn new(id: TaskId, now: Stamp) -> Self {
        Self {
            id,
            number: None,
            name: Sym::EMPTY,
            place: PlaceId::UNKNOWN,
            kind: TaskKind::default(),
            origin: Origin::StatisticsOnly,
            size: 0,
            original_size: 0,
            stats: TaskStats::default(),
            confirmed: now,
            longest_poll: Duration::ZERO,
            longest_at: now,
            long_busy: Duration::ZERO,
            long_polls: 0,
            poll_rate: Rate::new(now),
            spark: Spark::new(now),
            window: Window { at: now, polls: 0, scheduled: Duration::ZERO },
        }
    }

    /// Takes in what the target says at `now`. A first report is history, not a rate.
    pub fn report(&mut self, stats: TaskStats, now: Stamp) {
        let old = self.stats;
        self.note_polls(&old, &stats, now);
        let first = old.created.is_none();
        if first {
            self.poll_rate.start(stats.polls.count, now);
            self.spark.start(nanos(stats.polls.busy), now);
            self.window = Window { at: now, polls: stats.polls.count, scheduled: stats.scheduled };
        } else {
            self.poll_rate.observe(stats.polls.count, now);
            self.spark.observe(nanos(stats.polls.busy), now);
            if now.since(self.window.at) > WINDOW {
                self.window = Window { at: now, polls: stats.polls.count, scheduled: stats.scheduled };
            }
        }
        self.stats = stats;
        self.confirmed = now;
    }

    /// Bounds the long polls between two reports from below. If `polls` polls took `busy` together, then at most
    /// `polls × LONG_POLL` of that can have been spent in short ones.
    fn note_polls(&mut self, old: &TaskStats, new: &TaskStats, now: Stamp) {
        let ended = |stats: &TaskStats| stats.polls.count.saturating_sub(u64::from(stats.is_running()));
        let polls = ended(new).saturating_sub(ended(old));
        let busy = new.polls.busy.saturating_sub(old.polls.busy);
        if polls == 0 {
            return;
        }
        let last = match (new.polls.last_started, new.polls.last_ended) {
            (Some(started), Some(ended)) if ended > started => ended.since(started),
            _ => Duration::ZERO,
        };
        let mean = busy / u32::try_from(polls).unwrap_or(u32::MAX);
        let longest = mean.max(last.min(busy));
        if longest > self.longest_poll {
            self.longest_poll = longest;
            self.longest_at = new.polls.last_ended.unwrap_or(now);
        }
        let short_at_most = LONG_POLL.saturating_mul(u32::try_from(polls).unwrap_or(u32::MAX));
        let last_if_long = if last >= LONG_POLL { last.min(busy) } else { Duration::ZERO };
        let long_busy = busy.saturating_sub(short_at_most).max(last_if_long);
        self.long_busy += long_busy;
        self.long_polls = self.long_polls.saturating_add(u32::from(!long_busy.is_zero()));
    }

    /// What the task was doing when last reported.
    pub fn state(&self) -> TaskState {
        if self.stats.dropped.is_some() {
            TaskState::Ended
        } else if self.stats.is_running() {
            TaskState::Running
        } else if self.scheduled_since().is_some() {
            TaskState::Scheduled
        } else {
            TaskState::Idle
        }
    }

    /// Since when the poll in progress runs, if one does.
    pub fn running_since(&self) -> Option<Stamp> {
        if self.stats.dropped.is_none() && self.stats.is_running() { self.stats.polls.last_started } else { None }
    }

    /// Since when it waits in a run queue, if it does. A task wakes before it is polled, and one that was never polled
    /// waits since its spawn.
    pub fn scheduled_since(&self) -> Option<Stamp> {
        if self.stats.dropped.is_some() || self.stats.is_running() {
            return None;
        }
        let Some(started) = self.stats.polls.last_started else {
            return self.stats.last_wake.or(self.stats.created).max(self.stats.created);
        };
        let wake = self.stats.last_wake.filter(|&wake| wake > started)?;
        // A task that is woken during its own poll goes back to the queue when that poll ends.
        Some(self.stats.polls.last_ended.map_or(wake, |ended| ended.max(wake)))
    }

    /// The task's age at `now`, or its whole life if it has ended.
    pub fn total(&self, now: Stamp) -> Duration {
        self.stats.created.map_or(Duration::ZERO, |created| self.stats.dropped.unwrap_or(now).since(created))
    }

    /// Time inside polls up to `now`, the poll now in progress included.
    pub fn busy(&self, now: Stamp) -> Duration {
        self.stats.polls.busy + self.running_since().map_or(Duration::ZERO, |start| now.since(start))
    }

    /// Time in a run queue up to `now`, the present wait included.
    pub fn scheduled(&self, now: Stamp) -> Duration {
        self.stats.scheduled + self.scheduled_since().map_or(Duration::ZERO, |start| now.since(start))
    }

    /// Time neither busy nor scheduled.
    pub fn idle(&self, now: Stamp) -> Duration {
        self.total(now).saturating_sub(self.busy(now)).saturating_sub(self.scheduled(now))
    }

    /// How many wakers are out there: clones less drops. The runtime's own are not counted.
    pub fn wakers(&self) -> u64 {
        self.stats.waker_clones.saturating_sub(self.stats.waker_drops)
    }

    /// The share of wakes that were the task's own, from 0 to 1.
    pub fn self_wake_share(&self) -> f64 {
        if self.stats.wakes == 0 { 0.0 } else { self.stats.self_wakes as f64 / self.stats.wakes as f64 }
    }

    /// The mean wait between wake and poll since [`Window`] began, and over how many polls; `None` if there was none.
    pub fn recent_scheduling(&self) -> Option<(Duration, u64)> {
        let polls = self.stats.polls.count.saturating_sub(self.window.polls);
        let waited = self.stats.scheduled.saturating_sub(self.window.scheduled);
        (polls > 0).then(|| (waited / u32::try_from(polls).unwrap_or(u32::MAX), polls))
    }
}

impl TaskStats {
    /// Whether a poll has started that has not ended.
    pub fn is_running(&self) -> bool {
        match (self.polls.last_started, self.polls.last_ended) {
            (Some(started), Some(ended)) => started > ended,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::update::PollStats;

    fn at(millis: u64) -> Stamp {
        Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
    }
    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
    fn polled(count: u64, started: u64, ended: Option<u64>, busy: u64) -> PollStats {
        PollStats {
            count,
            first: Some(at(0)),
            last_started: Some(at(started)),
            last_ended: ended.map(at),
            busy: ms(busy),
        }
    }
    fn task(stats: TaskStats, now: u64) -> Task {
        let mut task = Task::new(TaskId(1), at(now));
        task.report(TaskStats { created: Some(at(0)), ..stats }, at(now));
        task
    }

    #[test]
    fn the_poll_in_progress_counts_as_busy_whichever_poll_it_is() {
        let task = task(TaskStats { polls: polled(5, 100, Some(50), 20), ..Default::default() }, 110);
        assert_eq!(task.state(), TaskState::Running);
        assert_eq!(task.busy(at(300)), ms(220));
        assert_eq!(task.idle(at(300)), ms(80));
    }

    #[test]
    fn a_woken_task_is_scheduled_until_it_is_polled() {
        let woken =
            task(TaskStats { polls: polled(1, 10, Some(20), 10), last_wake: Some(at(50)), ..Default::default() }, 60);
        assert_eq!(woken.state(), TaskState::Scheduled);
        assert_eq!(woken.scheduled(at(80)), ms(30));
        // Woken by itself while it ran: it waits since the poll ended, not since the wake.
        let itself =
            task(TaskStats { polls: polled(1, 10, Some(20), 10), last_wake: Some(at(15)), ..Default::default() }, 60);
        assert_eq!(itself.scheduled_since(), Some(at(20)));
        let idle =
            task(TaskStats { polls: polled(2, 60, Some(70), 20), last_wake: Some(at(50)), ..Default::default() }, 80);
        assert_eq!(idle.state(), TaskState::Idle);
    }

    #[test]
    fn a_task_never_polled_waits_since_its_spawn() {
        let task = task(TaskStats::default(), 40);
        assert_eq!(task.state(), TaskState::Scheduled);
        assert_eq!(task.scheduled(at(40)), ms(40));
    }

    #[test]
    fn long_polls_are_bounded_from_below() {
        // 10 polls, 100 ms together: each may have been exactly as long as the limit, so nothing is proven.
        let even = task(TaskStats { polls: polled(10, 99, Some(100), 100), ..Default::default() }, 100);
        assert_eq!(even.long_busy, ms(0));
        // 2 polls, 100 ms together: at least 80 ms of it were in long ones, and one took at least 50 ms.
        let long = task(TaskStats { polls: polled(2, 99, Some(100), 100), ..Default::default() }, 100);
        assert_eq!((long.long_busy, long.longest_poll), (ms(80), ms(50)));
        // The latest poll is told exactly.
        let last = task(TaskStats { polls: polled(100, 60, Some(100), 50), ..Default::default() }, 100);
        assert_eq!((last.long_busy, last.longest_poll), (ms(40), ms(40)));
    }

    #[test]
    fn a_poll_that_has_not_ended_is_not_judged_as_one_that_has() {
        let task = task(TaskStats { polls: polled(1, 10, None, 0), ..Default::default() }, 5_000);
        assert_eq!((task.longest_poll, task.long_busy), (ms(0), ms(0)));
    }

    #[test]
    fn an_ended_task_stands_still() {
        let stats = TaskStats { polls: polled(1, 0, Some(30), 30), dropped: Some(at(100)), ..Default::default() };
        let task = task(stats, 100);
        assert_eq!(task.state(), TaskState::Ended);
        assert_eq!((task.total(at(9_000)), task.busy(at(9_000)), task.idle(at(9_000))), (ms(100), ms(30), ms(70)));
    }
}
