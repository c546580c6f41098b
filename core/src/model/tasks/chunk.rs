//! A chunk of tasks: an array for each thing that sorts and filters ask of every task, so that what is asked of a million of them
//! is a few megabytes, and the rest together. No fact stands in two of them.

use super::{
    Origin,
    rare::{Number, Rare},
    recent::Recent,
    sparse::Sparse,
};
use crate::{
    model::{PlaceId, Sym, TaskState, slots::CHUNK},
    update::{Field, PollStats, Stamp, TaskId, TaskKind, TaskStats, look::TaskLook},
};
use std::{sync::Arc, time::Duration};

/// So many tasks, by the places of their slots. There may be a million, so there is no byte here that most do not need.
#[derive(Debug, Clone)]
pub(in crate::model) struct Chunk {
    /// `None` where no task is. It follows from the instants below, and is asked more often than anything else.
    pub(super) states: [Option<TaskState>; CHUNK],
    pub(super) kinds: [TaskKind; CHUNK],
    /// Whether it has fields or spans.
    pub(super) more: [bool; CHUNK],
    pub(super) names: [Sym; CHUNK],
    pub(super) places: [PlaceId; CHUNK],
    /// Tokio's own number, or its lower half; 0 where it is not told.
    pub(super) numbers: [u32; CHUNK],
    /// The lower halves of these two; see [`Number`].
    pub(super) polls: [u32; CHUNK],
    pub(super) wakes: [u32; CHUNK],
    pub(super) created: [Option<Stamp>; CHUNK],
    /// In nanoseconds, without the poll or the wait that goes on.
    pub(super) busy: [u64; CHUNK],
    pub(super) scheduled: [u64; CHUNK],
    pub(super) cold: [Cold; CHUNK],
    pub(super) recent: Sparse<Recent>,
    pub(super) rare: Sparse<Rare>,
    /// Fields that have no place of their own.
    pub(super) fields: Sparse<Arc<[Field]>>,
    /// What was read of it in memory, and since which look that is so.
    pub(super) looks: Sparse<(Arc<TaskLook>, Stamp)>,
}

/// What is asked of few tasks at a time.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Cold {
    pub(super) id: TaskId,
    /// The `now` of the update that last spoke of it.
    pub(super) confirmed: Stamp,
    pub(super) dropped: Option<Stamp>,
    pub(super) last_wake: Option<Stamp>,
    pub(super) last_started: Option<Stamp>,
    pub(super) last_ended: Option<Stamp>,
    pub(super) self_wakes: u32,
    pub(super) waker_clones: u32,
    pub(super) waker_drops: u32,
    /// The size of what the runtime stores, in bytes; 0 where it is not known.
    pub(super) size: u32,
    pub(super) longest_micros: u32,
    pub(super) longest_at: u32,
    pub(super) origin: Origin,
}

/// The room that a task takes is part of the design: a change of it is made on purpose.
const _: [(); 55 + 80] = [(); Chunk::BYTES_A_TASK];
const _: [(); 80] = [(); size_of::<Cold>()];

impl Cold {
    const fn new(id: TaskId, now: Stamp) -> Self {
        Self {
            id,
            confirmed: now,
            dropped: None,
            last_wake: None,
            last_started: None,
            last_ended: None,
            self_wakes: 0,
            waker_clones: 0,
            waker_drops: 0,
            size: 0,
            longest_micros: 0,
            longest_at: 0,
            origin: Origin::StatisticsOnly,
        }
    }
}

impl Chunk {
    /// Without what few have.
    pub(super) const BYTES_A_TASK: usize = size_of::<Self>() / CHUNK;

    #[expect(clippy::large_stack_arrays, reason = "a constant, which is copied to the heap once for a thousand tasks")]
    pub(super) const EMPTY: Self = Self {
        states: [None; CHUNK],
        kinds: [TaskKind::Task; CHUNK],
        more: [false; CHUNK],
        names: [Sym::EMPTY; CHUNK],
        places: [PlaceId::UNKNOWN; CHUNK],
        numbers: [0; CHUNK],
        polls: [0; CHUNK],
        wakes: [0; CHUNK],
        created: [None; CHUNK],
        busy: [0; CHUNK],
        scheduled: [0; CHUNK],
        cold: [Cold::new(TaskId::NONE, Stamp::MIN); CHUNK],
        recent: Sparse::EMPTY,
        rare: Sparse::EMPTY,
        fields: Sparse::EMPTY,
        looks: Sparse::EMPTY,
    };

    /// A task that is seen for the first time at `now`. There is none at this place.
    pub(super) fn begin(&mut self, at: usize, id: TaskId, now: Stamp) {
        self.states[at] = Some(TaskState::Idle);
        self.kinds[at] = TaskKind::default();
        self.more[at] = false;
        self.names[at] = Sym::EMPTY;
        self.places[at] = PlaceId::UNKNOWN;
        self.numbers[at] = 0;
        self.cold[at] = Cold::new(id, now);
        self.set_stats(at, &TaskStats::default());
    }

    /// Takes over a row of another chunk.
    pub(super) fn copy(&mut self, at: usize, from: &Self, of: usize) {
        self.states[at] = from.states[of];
        self.kinds[at] = from.kinds[of];
        self.more[at] = from.more[of];
        self.names[at] = from.names[of];
        self.places[at] = from.places[of];
        self.numbers[at] = from.numbers[of];
        self.polls[at] = from.polls[of];
        self.wakes[at] = from.wakes[of];
        self.created[at] = from.created[of];
        self.busy[at] = from.busy[of];
        self.scheduled[at] = from.scheduled[of];
        self.cold[at] = from.cold[of];
        self.recent.set(at, from.recent.get(of).cloned());
        self.rare.set(at, from.rare.get(of).cloned());
        self.fields.set(at, from.fields.get(of).cloned());
        self.looks.set(at, from.looks.get(of).cloned());
    }

    /// Takes a task out.
    pub(super) fn end(&mut self, at: usize) {
        self.states[at] = None;
        self.recent.remove(at);
        self.rare.remove(at);
        self.fields.remove(at);
        self.looks.remove(at);
    }

    /// As last reported.
    #[inline]
    pub(super) fn stats(&self, at: usize) -> TaskStats {
        let cold = &self.cold[at];
        TaskStats {
            created: self.created[at],
            dropped: cold.dropped,
            last_wake: cold.last_wake,
            polls: PollStats {
                count: self.number(at, Number::Polls),
                last_started: cold.last_started,
                last_ended: cold.last_ended,
                busy: Duration::from_nanos(self.busy[at]),
            },
            scheduled: Duration::from_nanos(self.scheduled[at]),
            wakes: self.number(at, Number::Wakes),
            self_wakes: self.number(at, Number::SelfWakes),
            waker_clones: self.number(at, Number::WakerClones),
            waker_drops: self.number(at, Number::WakerDrops),
        }
    }

    #[inline]
    pub(super) fn number(&self, at: usize, number: Number) -> u64 {
        let low = match number {
            Number::Polls => self.polls[at],
            Number::Wakes => self.wakes[at],
            Number::SelfWakes => self.cold[at].self_wakes,
            Number::WakerClones => self.cold[at].waker_clones,
            Number::WakerDrops => self.cold[at].waker_drops,
            Number::TokioId => self.numbers[at],
        };
        self.rare.get(at).map_or(low.into(), |rare| u64::from(rare.high[number as usize]) << 32 | u64::from(low))
    }
}
