//! What a report makes of a task.

use super::{
    LONG_POLL,
    chunk::Chunk,
    rare::Number,
    recent::Recent,
    task::{is_running, scheduled_since},
};
use crate::{
    model::{Standstills, TaskState},
    update::{Stamp, TaskStats, nanos},
};
use std::time::Duration;

/// What made polls longer that is not theirs.
pub(in crate::model) struct Delays<'a> {
    /// When the whole process stood still.
    pub(in crate::model) stood: &'a Standstills,
    /// The share of their time in which their thread waited for a processor.
    pub(in crate::model) waited: f64,
}

impl Delays<'_> {
    /// What is left of a span of time inside polls, between these instants.
    fn without(&self, time: Duration, from: Stamp, to: Stamp) -> Duration {
        let time = time.saturating_sub(self.stood.within(from, to));
        if self.waited > 0.0 { time.mul_f64((1.0 - self.waited).max(0.0)) } else { time }
    }
}

impl Chunk {
    /// Takes in what the target says of a task at `now`. A first report is history, not a rate.
    pub(super) fn report(&mut self, at: usize, stats: &TaskStats, now: Stamp, delays: &Delays) {
        let old = self.stats(at);
        self.note_polls(at, &old, stats, now, delays);
        if old.created.is_some() {
            let confirmed = self.cold[at].confirmed;
            let recent = self.recent.get_or_insert_with(at, || Recent::new(&old, confirmed));
            if recent.is_over(now) {
                *recent = Recent::new(&old, confirmed);
            }
            recent.observe(stats, now);
        }
        self.set_stats(at, stats);
        self.cold[at].confirmed = now;
    }

    /// Bounds the long polls between two reports from below. If `polls` polls took `busy` together, then at most
    /// `polls × LONG_POLL` of that can have been spent in short ones. What the process stood still of it, and
    /// what its thread waited for a processor, is nobody's.
    fn note_polls(&mut self, at: usize, old: &TaskStats, new: &TaskStats, now: Stamp, delays: &Delays) {
        let ended = |stats: &TaskStats| stats.polls.count.saturating_sub(u64::from(stats.is_running()));
        let polls = ended(new).saturating_sub(ended(old));
        let busy_since = if old.is_running() { old.polls.last_started } else { None };
        let busy = new.polls.busy.saturating_sub(old.polls.busy);
        let busy = delays.without(busy, busy_since.unwrap_or(self.cold[at].confirmed), now);
        if polls == 0 {
            return;
        }
        let last = match (new.polls.last_started, new.polls.last_ended) {
            (Some(started), Some(ended)) if ended > started => delays.without(ended.since(started), started, ended),
            _ => Duration::ZERO,
        };
        let mean = busy / u32::try_from(polls).unwrap_or(u32::MAX);
        let longest = u32::try_from(mean.max(last.min(busy)).as_micros()).unwrap_or(u32::MAX);
        let cold = &mut self.cold[at];
        if longest > cold.longest_micros {
            cold.longest_micros = longest;
            cold.longest_at = new.polls.last_ended.unwrap_or(now).seconds();
        }
        let short_at_most = LONG_POLL.saturating_mul(u32::try_from(polls).unwrap_or(u32::MAX));
        let last_if_long = if last >= LONG_POLL { last.min(busy) } else { Duration::ZERO };
        let long_busy = busy.saturating_sub(short_at_most).max(last_if_long);
        if !long_busy.is_zero() {
            let rare = self.rare.get_or_insert_with(at, Default::default);
            rare.long_busy = rare.long_busy.saturating_add(nanos(long_busy));
            rare.long_polls = rare.long_polls.saturating_add(1);
        }
    }

    pub(super) fn set_stats(&mut self, at: usize, stats: &TaskStats) {
        self.created[at] = stats.created;
        self.busy[at] = nanos(stats.polls.busy);
        self.scheduled[at] = nanos(stats.scheduled);
        let cold = &mut self.cold[at];
        cold.dropped = stats.dropped;
        cold.last_wake = stats.last_wake;
        cold.last_started = stats.polls.last_started;
        cold.last_ended = stats.polls.last_ended;
        self.set_number(at, Number::Polls, stats.polls.count);
        self.set_number(at, Number::Wakes, stats.wakes);
        self.set_number(at, Number::SelfWakes, stats.self_wakes);
        self.set_number(at, Number::WakerClones, stats.waker_clones);
        self.set_number(at, Number::WakerDrops, stats.waker_drops);
        self.states[at] = Some(state(stats));
    }

    pub(super) fn set_number(&mut self, at: usize, number: Number, value: u64) {
        let low = match number {
            Number::Polls => &mut self.polls[at],
            Number::Wakes => &mut self.wakes[at],
            Number::SelfWakes => &mut self.cold[at].self_wakes,
            Number::WakerClones => &mut self.cold[at].waker_clones,
            Number::WakerDrops => &mut self.cold[at].waker_drops,
            Number::TokioId => &mut self.numbers[at],
        };
        *low = value as u32;
        let high = (value >> 32) as u32;
        match self.rare.get_mut(at) {
            Some(rare) => rare.high[number as usize] = high,
            None if high > 0 => self.rare.get_or_insert_with(at, Default::default).high[number as usize] = high,
            None => {}
        }
    }
}

/// What a task is doing that was reported so.
fn state(stats: &TaskStats) -> TaskState {
    let polls = &stats.polls;
    if stats.dropped.is_some() {
        TaskState::Ended
    } else if is_running(polls.last_started, polls.last_ended) {
        TaskState::Running
    } else if scheduled_since(stats.created, stats.last_wake, polls).is_some() {
        TaskState::Scheduled
    } else {
        TaskState::Idle
    }
}
