//! One task, as a row of its chunk.

use super::{
    Doings, SPARK_SECONDS, Scheduling, Spark,
    chunk::{Chunk, Cold},
    rare::{Number, Rare},
    recent::Recent,
};
use crate::{
    model::{PlaceId, Slot, Sym, TaskState, slots::CHUNK},
    update::{Field, PollStats, Stamp, TaskId, TaskKind, TaskStats, look::TaskLook, nanos},
};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

/// A poll of at least this length is a long one: Tokio's own guidance is 10 to 100 microseconds between awaits, and at
/// 10 milliseconds every other task of the worker has begun to feel it.
pub const LONG_POLL: Duration = Duration::from_millis(10);

/// How we came to know a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Origin {
    /// The target announced it, with its name and place.
    #[default]
    Announced,
    /// Statistics came for an id that was never announced.
    StatisticsOnly,
}

/// One task. Everything in it is plain data; a name or place is told by the model's tables. It is a place in a chunk: to be handed
/// on by reference where many are asked, since a copy in memory costs as much as what is asked of it.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    pub(super) chunk: &'a Chunk,
    pub(super) slot: Slot,
}

impl std::fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("id", &self.id()).field("slot", &self.slot).field("stats", &self.stats()).finish()
    }
}

impl<'a> Task<'a> {
    /// Its slot.
    pub fn slot(self) -> Slot {
        self.slot
    }

    #[inline]
    pub(super) fn at(self) -> usize {
        self.slot.index() % CHUNK
    }

    #[inline]
    fn cold(self) -> &'a Cold {
        &self.chunk.cold[self.at()]
    }

    fn rare(self) -> Option<&'a Rare> {
        self.chunk.rare.get(self.at())
    }

    /// The instrumentation's id.
    pub fn id(self) -> TaskId {
        self.cold().id
    }

    /// Its name, empty where the service gave none.
    #[inline]
    pub fn name(self) -> Sym {
        self.chunk.names[self.at()]
    }

    /// Where it was spawned.
    #[inline]
    pub fn place(self) -> PlaceId {
        self.chunk.places[self.at()]
    }

    /// What it was spawned as.
    #[inline]
    pub fn kind(self) -> TaskKind {
        self.chunk.kinds[self.at()]
    }

    /// Whether the target announced it, or only ever sent statistics.
    pub fn origin(self) -> Origin {
        self.cold().origin
    }

    /// The size of what the runtime stores, in bytes; 0 where it is not known.
    pub fn size(self) -> u32 {
        self.cold().size
    }

    /// The size before the runtime boxed the future; 0 where it did not.
    pub fn original_size(self) -> u32 {
        self.rare().map_or(0, |rare| rare.original_size)
    }

    /// The `now` of the update that last spoke of this task.
    pub fn confirmed(self) -> Stamp {
        self.cold().confirmed
    }

    /// When it was spawned.
    #[inline]
    pub fn created(self) -> Option<Stamp> {
        self.chunk.created[self.at()]
    }

    /// When it ended.
    pub fn dropped(self) -> Option<Stamp> {
        self.cold().dropped
    }

    /// Whether it has fields that have no place of their own, or spans of the service around it.
    #[inline]
    pub fn has_more(self) -> bool {
        self.chunk.more[self.at()]
    }

    pub(in crate::model) fn fields(self) -> &'a [Field] {
        self.chunk.fields.get(self.at()).map_or(&[], |fields| fields)
    }

    /// What was read of it in memory, where somebody reads that.
    #[inline]
    pub fn look(self) -> Option<&'a Arc<TaskLook>> {
        self.chunk.looks.get(self.at()).map(|(look, _)| look)
    }

    /// Since which look it has not moved, where somebody reads its memory.
    pub fn still_since(self) -> Option<Stamp> {
        self.chunk.looks.get(self.at()).map(|(_, since)| *since)
    }

    /// As last reported.
    pub fn stats(self) -> TaskStats {
        self.chunk.stats(self.at())
    }

    /// Polls, the one in progress included.
    #[inline]
    pub fn polls(self) -> u64 {
        self.chunk.number(self.at(), Number::Polls)
    }

    /// How often it was woken.
    #[inline]
    pub fn wakes(self) -> u64 {
        self.chunk.number(self.at(), Number::Wakes)
    }

    /// Tokio's own number for it (`tokio::task::Id`), where the target says it.
    #[inline]
    pub fn number(self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.chunk.number(self.at(), Number::TokioId))
    }

    /// The number that a user knows it by: tokio's, where that is told.
    #[inline]
    pub fn display_id(self) -> u64 {
        self.number().map_or_else(|| self.id().0, NonZeroU64::get)
    }

    /// The longest poll that is known to have ended, in whole microseconds. From totals it is a lower bound, and so it is
    /// where it is over 71 minutes.
    pub fn longest_poll(self) -> Duration {
        Duration::from_micros(self.cold().longest_micros.into())
    }

    /// The second in which that poll ended, or was reported.
    pub fn longest_at(self) -> Stamp {
        Stamp::from_seconds(self.cold().longest_at)
    }

    /// Time spent in polls over [`LONG_POLL`], a lower bound: what cannot be told apart is not counted.
    pub fn long_busy(self) -> Duration {
        Duration::from_nanos(self.rare().map_or(0, |rare| rare.long_busy))
    }

    /// Polls over [`LONG_POLL`], a lower bound.
    pub fn long_polls(self) -> u32 {
        self.rare().map_or(0, |rare| rare.long_polls)
    }

    /// What is kept of its recent past, whether or not it is over.
    pub(super) fn recent(self) -> Option<&'a Recent> {
        self.chunk.recent.get(self.at())
    }

    /// Whether anything is kept of it.
    pub(in crate::model) fn has_recent(self) -> bool {
        self.recent().is_some()
    }

    /// Polls per second at `now`.
    pub fn poll_rate(self, now: Stamp) -> f64 {
        self.recent().map_or(0.0, |recent| recent.poll_rate(now))
    }

    /// The share of the last seconds up to `now` that it was busy, from 0 to 1.
    pub fn load(self, now: Stamp) -> f64 {
        match self.state() {
            TaskState::Running => self.spark(now).mean(self.running_since(), now),
            _ => self.recent().map_or(0.0, |recent| recent.load(now)),
        }
    }

    /// The busy shares of the last seconds up to `now`, from 0 to 1, oldest first, with a poll in progress filled in.
    pub fn shares(self, now: Stamp) -> [f32; SPARK_SECONDS] {
        self.spark(now).shares(self.running_since(), now)
    }

    fn spark(self, now: Stamp) -> Spark {
        let recent = self.recent().filter(|recent| !recent.is_over(now));
        recent.map_or_else(|| Spark::new(now), |recent| recent.busy)
    }

    /// How long it waited between wake and poll of late; `None` if it was not polled.
    pub fn recent_scheduling(self, now: Stamp) -> Option<Scheduling> {
        self.recent().filter(|recent| !recent.is_over(now))?.scheduling(&self.stats())
    }

    /// What it did of late; `None` of one that was silent.
    pub fn doings(self, now: Stamp) -> Option<Doings> {
        Some(self.recent().filter(|recent| !recent.is_over(now))?.doings(&self.stats()))
    }

    /// What the task was doing when last reported.
    #[inline]
    pub fn state(self) -> TaskState {
        // There is a task wherever one of these is.
        self.chunk.states[self.at()].unwrap_or(TaskState::Ended)
    }

    /// Whether it is over.
    #[inline]
    pub fn has_ended(self) -> bool {
        self.state() == TaskState::Ended
    }

    /// Since when the poll in progress runs, if one does.
    pub fn running_since(self) -> Option<Stamp> {
        if self.state() == TaskState::Running { self.cold().last_started } else { None }
    }

    /// Since when it waits in a run queue, if it does. A task wakes before it is polled, and one that was never polled
    /// waits since its spawn.
    pub fn scheduled_since(self) -> Option<Stamp> {
        if self.state() != TaskState::Scheduled {
            return None;
        }
        let stats = self.stats();
        scheduled_since(stats.created, stats.last_wake, &stats.polls)
    }

    /// Whether it has more polls than wakes led to. Every poll of a task is after its spawn or after a wake, and several wakes may be one
    /// poll's: of a task that is counted by its span, what is left over is others who were inside of that span.
    pub fn has_polls_without_wakes(self) -> bool {
        self.polls() > self.wakes().saturating_add(1)
    }

    /// Whether its last wake came from inside of its span and before the end of a poll, and yet is what its state goes by: while others
    /// are inside of its span, too, no poll begins and none ends, and what was polled in between is not seen.
    pub fn was_last_woken_within_a_poll(self) -> bool {
        let stats = self.stats();
        stats.self_wakes > 0 && stats.last_wake.is_some() && stats.last_wake <= stats.polls.last_ended
    }

    /// The task's age at `now`, or its whole life if it has ended.
    pub fn total(self, now: Stamp) -> Duration {
        Duration::from_nanos(self.total_nanos(now))
    }

    /// As [`Task::total`], as sorts and filters ask it.
    #[inline]
    pub fn total_nanos(self, now: Stamp) -> u64 {
        let Some(created) = self.created() else { return 0 };
        let until = if self.has_ended() { self.dropped().unwrap_or(now) } else { now };
        until.nanos().saturating_sub(created.nanos())
    }

    /// Time inside polls up to `now`, the poll now in progress included.
    pub fn busy(self, now: Stamp) -> Duration {
        Duration::from_nanos(self.busy_nanos(now))
    }

    /// As [`Task::busy`], as sorts and filters ask it.
    #[inline]
    pub fn busy_nanos(self, now: Stamp) -> u64 {
        self.chunk.busy[self.at()].saturating_add(match self.state() {
            TaskState::Running => since(self.running_since(), now),
            _ => 0,
        })
    }

    /// Time in a run queue up to `now`, the present wait included.
    pub fn scheduled(self, now: Stamp) -> Duration {
        Duration::from_nanos(self.scheduled_nanos(now))
    }

    /// As [`Task::scheduled`], as sorts and filters ask it.
    #[inline]
    pub fn scheduled_nanos(self, now: Stamp) -> u64 {
        self.chunk.scheduled[self.at()].saturating_add(match self.state() {
            TaskState::Scheduled => since(self.scheduled_since(), now),
            _ => 0,
        })
    }

    /// Time neither busy nor scheduled.
    pub fn idle(self, now: Stamp) -> Duration {
        Duration::from_nanos(self.idle_nanos(now))
    }

    /// As [`Task::idle`], as sorts and filters ask it.
    #[inline]
    pub fn idle_nanos(self, now: Stamp) -> u64 {
        self.total_nanos(now).saturating_sub(self.busy_nanos(now)).saturating_sub(self.scheduled_nanos(now))
    }

    /// How many wakers are out there: clones less drops. The runtime's own are not counted.
    pub fn wakers(self) -> u64 {
        let number = |number| self.chunk.number(self.at(), number);
        number(Number::WakerClones).saturating_sub(number(Number::WakerDrops))
    }

    /// The share of wakes that were the task's own, from 0 to 1.
    pub fn self_wake_share(self) -> f64 {
        let (own, all) = (self.chunk.number(self.at(), Number::SelfWakes), self.wakes());
        if all == 0 { 0.0 } else { own as f64 / all as f64 }
    }
}

/// Few tasks come here, and those that do not should not pay for it.
#[cold]
fn since(since: Option<Stamp>, now: Stamp) -> u64 {
    since.map_or(0, |since| nanos(now.since(since)))
}

impl TaskStats {
    /// Whether a poll has started that has not ended.
    pub fn is_running(&self) -> bool {
        is_running(self.polls.last_started, self.polls.last_ended)
    }
}

pub(super) fn is_running(started: Option<Stamp>, ended: Option<Stamp>) -> bool {
    match (started, ended) {
        (Some(started), Some(ended)) => started > ended,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Since when a task waits in a run queue that neither runs nor has ended, if it does.
pub(super) fn scheduled_since(created: Option<Stamp>, last_wake: Option<Stamp>, polls: &PollStats) -> Option<Stamp> {
    let Some(started) = polls.last_started else {
        return last_wake.or(created).max(created);
    };
    let wake = last_wake.filter(|&wake| wake > started)?;
    // A task that is woken during its own poll goes back to the queue when that poll ends.
    Some(polls.last_ended.map_or(wake, |ended| ended.max(wake)))
}
