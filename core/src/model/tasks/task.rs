//! One task: what was reported of it, and what follows from that at a given instant.

use super::{
    Pulse, SPARK_SECONDS, Scheduling, Spark,
    rare::{Number, Rare},
    recent::Recent,
};
use crate::model::{
    PlaceId, Row, Stamp, Sym, TaskId, TaskKind, TaskState, nanos,
    update::{PollStats, TaskStats},
};
use std::{num::NonZeroU64, time::Duration};

/// A poll of at least this length is a long one: Tokio's own guidance is 10 to 100 microseconds between awaits, and at
/// 10 milliseconds every other task of the worker has begun to feel it.
pub const LONG_POLL: Duration = Duration::from_millis(10);

/// How we came to know a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The target announced it, with its name and place.
    #[default]
    Announced,
    /// Statistics came for an id that was never announced.
    StatisticsOnly,
}

/// One task. Everything in it is plain data; a name or place is told by the model's tables.
///
/// There may be a million of them, so a row has no byte that most tasks do not need:
///
/// | bytes | what |
/// |---|---|
/// | 8 | its id |
/// | 48 | six instants: spawned, ended, woken, poll started, poll ended, confirmed |
/// | 16 | time busy and time scheduled, in nanoseconds |
/// | 24 | the lower halves of six numbers, see `Number` |
/// | 8 | the longest poll in microseconds, and when in seconds |
/// | 12 | name, place and size |
/// | 16 | where `Recent` and `Rare` are, if it has them |
/// | 2 | kind and origin |
#[derive(Debug, Clone)]
pub struct Task {
    /// The instrumentation's id.
    pub id: TaskId,
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
    /// The `now` of the update that last spoke of this task.
    pub confirmed: Stamp,
    created: Option<Stamp>,
    dropped: Option<Stamp>,
    last_wake: Option<Stamp>,
    last_started: Option<Stamp>,
    last_ended: Option<Stamp>,
    busy: u64,
    scheduled: u64,
    numbers: [u32; Number::ALL.len()],
    longest_micros: u32,
    longest_at: u32,
    recent: Option<Box<Recent>>,
    rare: Option<Box<Rare>>,
}

/// The room that a row takes is part of the design: a change of it is made on purpose.
const _: [(); 136] = [(); size_of::<Option<Task>>()];

impl Row for Task {
    type Key = TaskId;
    fn key(&self) -> TaskId {
        self.id
    }
}

impl Task {
    /// A row for a task seen for the first time at `now`.
    pub fn new(id: TaskId, now: Stamp) -> Self {
        Self {
            id,
            name: Sym::EMPTY,
            place: PlaceId::UNKNOWN,
            kind: TaskKind::default(),
            origin: Origin::StatisticsOnly,
            size: 0,
            confirmed: now,
            created: None,
            dropped: None,
            last_wake: None,
            last_started: None,
            last_ended: None,
            busy: 0,
            scheduled: 0,
            numbers: [0; Number::ALL.len()],
            longest_micros: 0,
            longest_at: 0,
            recent: None,
            rare: None,
        }
    }

    /// Takes in what the target says at `now`. A first report is history, not a rate.
    pub fn report(&mut self, stats: TaskStats, now: Stamp) {
        let old = self.stats();
        self.note_polls(&old, &stats, now);
        if old.created.is_some() {
            let silent = now.since(self.confirmed) > Recent::SPAN;
            let recent = self.recent.take().filter(|_| !silent);
            let mut recent = recent.unwrap_or_else(|| Box::new(Recent::new(&old, self.confirmed)));
            recent.observe(&stats, now);
            self.recent = Some(recent);
        }
        self.set_stats(&stats);
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
        let longest = u32::try_from(mean.max(last.min(busy)).as_micros()).unwrap_or(u32::MAX);
        if longest > self.longest_micros {
            self.longest_micros = longest;
            self.longest_at = new.polls.last_ended.unwrap_or(now).seconds();
        }
        let short_at_most = LONG_POLL.saturating_mul(u32::try_from(polls).unwrap_or(u32::MAX));
        let last_if_long = if last >= LONG_POLL { last.min(busy) } else { Duration::ZERO };
        let long_busy = busy.saturating_sub(short_at_most).max(last_if_long);
        if !long_busy.is_zero() {
            let rare = self.rare.get_or_insert_default();
            rare.long_busy = rare.long_busy.saturating_add(nanos(long_busy));
            rare.long_polls = rare.long_polls.saturating_add(1);
        }
    }

    fn set_stats(&mut self, stats: &TaskStats) {
        self.created = stats.created;
        self.dropped = stats.dropped;
        self.last_wake = stats.last_wake;
        self.last_started = stats.polls.last_started;
        self.last_ended = stats.polls.last_ended;
        self.busy = nanos(stats.polls.busy);
        self.scheduled = nanos(stats.scheduled);
        self.set_number(Number::Polls, stats.polls.count);
        self.set_number(Number::Wakes, stats.wakes);
        self.set_number(Number::SelfWakes, stats.self_wakes);
        self.set_number(Number::WakerClones, stats.waker_clones);
        self.set_number(Number::WakerDrops, stats.waker_drops);
    }

    /// As last reported.
    #[inline]
    pub fn stats(&self) -> TaskStats {
        TaskStats {
            created: self.created,
            dropped: self.dropped,
            last_wake: self.last_wake,
            polls: PollStats {
                count: self.number_of(Number::Polls),
                last_started: self.last_started,
                last_ended: self.last_ended,
                busy: Duration::from_nanos(self.busy),
            },
            scheduled: Duration::from_nanos(self.scheduled),
            wakes: self.number_of(Number::Wakes),
            self_wakes: self.number_of(Number::SelfWakes),
            waker_clones: self.number_of(Number::WakerClones),
            waker_drops: self.number_of(Number::WakerDrops),
        }
    }

    #[inline]
    fn number_of(&self, number: Number) -> u64 {
        let low = u64::from(self.numbers[number as usize]);
        self.rare.as_ref().map_or(low, |rare| u64::from(rare.high[number as usize]) << 32 | low)
    }

    fn set_number(&mut self, number: Number, value: u64) {
        self.numbers[number as usize] = value as u32;
        let high = (value >> 32) as u32;
        if high > 0 || self.rare.is_some() {
            self.rare.get_or_insert_default().high[number as usize] = high;
        }
    }

    /// Tokio's own number for it (`tokio::task::Id`), where the target says it.
    #[inline]
    pub fn number(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.number_of(Number::TokioId))
    }

    /// The number that a user knows it by: tokio's, where that is told.
    pub fn display_id(&self) -> u64 {
        self.number().map_or(self.id.0, NonZeroU64::get)
    }

    pub(in crate::model) fn set_tokio_number(&mut self, number: Option<NonZeroU64>) {
        self.set_number(Number::TokioId, number.map_or(0, NonZeroU64::get));
    }

    /// The size before the runtime boxed the future; 0 where it did not.
    pub fn original_size(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.original_size)
    }

    pub(in crate::model) fn set_original_size(&mut self, size: u32) {
        if size != self.original_size() {
            self.rare.get_or_insert_default().original_size = size;
        }
    }

    /// The longest poll that is known to have ended, in whole microseconds. From totals it is a lower bound, and so it is
    /// where it is over 71 minutes.
    pub fn longest_poll(&self) -> Duration {
        Duration::from_micros(u64::from(self.longest_micros))
    }

    /// The second in which that poll ended, or was reported.
    pub fn longest_at(&self) -> Stamp {
        Stamp::from_seconds(self.longest_at)
    }

    /// Time spent in polls over [`LONG_POLL`], a lower bound: what cannot be told apart is not counted.
    pub fn long_busy(&self) -> Duration {
        Duration::from_nanos(self.rare.as_ref().map_or(0, |rare| rare.long_busy))
    }

    /// Polls over [`LONG_POLL`], a lower bound.
    pub fn long_polls(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.long_polls)
    }

    /// What is kept of its recent past at `now`; `None` where it was silent for so long that there is nothing to tell.
    fn recent(&self, now: Stamp) -> Option<&Recent> {
        self.recent.as_deref().filter(|_| now.since(self.confirmed) <= Recent::SPAN)
    }

    /// What was last told of its recent past; `None` where there is nothing to tell.
    pub fn pulse(&self) -> Option<Pulse> {
        let recent = self.recent.as_deref()?;
        Some(Pulse { polls: recent.polls, busy: recent.busy, told: self.confirmed })
    }

    /// Whether there is something that [`Task::forget_recent`] could let go of.
    pub(in crate::model) fn has_recent(&self) -> bool {
        self.recent.is_some()
    }

    /// Whether it has something that most tasks do not have.
    pub(in crate::model) fn has_rare(&self) -> bool {
        self.rare.is_some()
    }

    /// Lets go of what is no longer told, and says whether nothing is left.
    pub(in crate::model) fn forget_recent(&mut self, now: Stamp) -> bool {
        if self.recent(now).is_none() {
            self.recent = None;
        }
        self.recent.is_none()
    }

    /// Polls per second at `now`.
    pub fn poll_rate(&self, now: Stamp) -> f64 {
        self.recent(now).map_or(0.0, |recent| recent.polls.per_second(now))
    }

    /// The share of the last seconds up to `now` that it was busy, from 0 to 1.
    pub fn load(&self, now: Stamp) -> f64 {
        self.spark(now).mean(self.running_since(), now)
    }

    /// The busy shares of the last seconds up to `now`, from 0 to 1, oldest first, with a poll in progress filled in.
    pub fn shares(&self, now: Stamp) -> [f32; SPARK_SECONDS] {
        self.spark(now).shares(self.running_since(), now)
    }

    fn spark(&self, now: Stamp) -> Spark {
        self.recent(now).map_or_else(|| Spark::new(now), |recent| recent.busy)
    }

    /// How long it waited between wake and poll of late; `None` if it was not polled.
    pub fn recent_scheduling(&self, now: Stamp) -> Option<Scheduling> {
        self.recent(now)?.scheduling(&self.stats())
    }

    /// What the task was doing when last reported.
    pub fn state(&self) -> TaskState {
        if self.dropped.is_some() {
            TaskState::Ended
        } else if self.is_running() {
            TaskState::Running
        } else if self.scheduled_since().is_some() {
            TaskState::Scheduled
        } else {
            TaskState::Idle
        }
    }

    fn is_running(&self) -> bool {
        is_running(self.last_started, self.last_ended)
    }

    /// Since when the poll in progress runs, if one does.
    pub fn running_since(&self) -> Option<Stamp> {
        if self.dropped.is_none() && self.is_running() { self.last_started } else { None }
    }

    /// Since when it waits in a run queue, if it does. A task wakes before it is polled, and one that was never polled
    /// waits since its spawn.
    pub fn scheduled_since(&self) -> Option<Stamp> {
        if self.dropped.is_some() || self.is_running() {
            return None;
        }
        let Some(started) = self.last_started else {
            return self.last_wake.or(self.created).max(self.created);
        };
        let wake = self.last_wake.filter(|&wake| wake > started)?;
        // A task that is woken during its own poll goes back to the queue when that poll ends.
        Some(self.last_ended.map_or(wake, |ended| ended.max(wake)))
    }

    /// The task's age at `now`, or its whole life if it has ended.
    pub fn total(&self, now: Stamp) -> Duration {
        self.created.map_or(Duration::ZERO, |created| self.dropped.unwrap_or(now).since(created))
    }

    /// Time inside polls up to `now`, the poll now in progress included.
    pub fn busy(&self, now: Stamp) -> Duration {
        Duration::from_nanos(self.busy) + self.running_since().map_or(Duration::ZERO, |start| now.since(start))
    }

    /// Time in a run queue up to `now`, the present wait included.
    pub fn scheduled(&self, now: Stamp) -> Duration {
        Duration::from_nanos(self.scheduled) + self.scheduled_since().map_or(Duration::ZERO, |start| now.since(start))
    }

    /// Time neither busy nor scheduled.
    pub fn idle(&self, now: Stamp) -> Duration {
        self.total(now).saturating_sub(self.busy(now)).saturating_sub(self.scheduled(now))
    }

    /// How many wakers are out there: clones less drops. The runtime's own are not counted.
    pub fn wakers(&self) -> u64 {
        self.number_of(Number::WakerClones).saturating_sub(self.number_of(Number::WakerDrops))
    }

    /// The share of wakes that were the task's own, from 0 to 1.
    pub fn self_wake_share(&self) -> f64 {
        let (own, all) = (self.number_of(Number::SelfWakes), self.number_of(Number::Wakes));
        if all == 0 { 0.0 } else { own as f64 / all as f64 }
    }
}

impl TaskStats {
    /// Whether a poll has started that has not ended.
    pub fn is_running(&self) -> bool {
        is_running(self.polls.last_started, self.polls.last_ended)
    }
}

fn is_running(started: Option<Stamp>, ended: Option<Stamp>) -> bool {
    match (started, ended) {
        (Some(started), Some(ended)) => started > ended,
        (Some(_), None) => true,
        (None, _) => false,
    }
}
