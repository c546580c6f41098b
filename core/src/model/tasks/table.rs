//! The tasks by id, in chunks of columns. A clone shares the chunks, and each is copied when one of the two first changes a task in
//! it.

use super::{
    Origin, Task,
    batch::{Batch, Room},
    chunk::Chunk,
    rare::{Number, Rare},
    recent::Recent,
    report::Delays,
};
use crate::{
    model::{
        PlaceId, Slot, Sym,
        slots::{CHUNK, Slots},
    },
    update::{Field, Stamp, TaskId, TaskKind, TaskStats, look::TaskLook},
};
use rustc_hash::FxHashSet;
use std::{num::NonZeroU64, sync::Arc};

/// All tasks.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    pub(super) slots: Slots,
    pub(super) chunks: Vec<Arc<Chunk>>,
    /// How many have what few have.
    recents: usize,
    rares: usize,
    /// Bytes of chunks that were copied because a clone had them too.
    copied: usize,
}

/// What an announcement says of a task.
#[derive(Debug, Clone)]
pub(in crate::model) struct Announced {
    pub(in crate::model) name: Sym,
    pub(in crate::model) place: PlaceId,
    pub(in crate::model) kind: TaskKind,
    pub(in crate::model) number: Option<NonZeroU64>,
    pub(in crate::model) size: u32,
    pub(in crate::model) original_size: u32,
}

impl Tasks {
    /// What a task takes on average, without what few have: its place in a chunk, and its share of the index.
    pub const BYTES_A_TASK: usize = Chunk::BYTES_A_TASK + Slots::BYTES_A_ROW;

    /// So many slots make up a batch.
    pub const BATCH: usize = CHUNK;

    /// Those of chunks that were written down. `None` where an id stands in two slots, or a slot is neither free nor a task's.
    pub(super) fn of_chunks(mut slots: Slots, chunks: Vec<Arc<Chunk>>) -> Option<Self> {
        let free: FxHashSet<Slot> = slots.free().iter().copied().collect();
        for index in 0..chunks.len() * CHUNK {
            let slot = Slot::from_index(index);
            let id = id_at(&chunks, slot);
            if id.is_some() != (index < slots.used() && !free.contains(&slot)) {
                return None;
            }
            let Some(id) = id else { continue };
            if slots.find(id, |slot| id_at(&chunks, slot)).is_some() {
                return None;
            }
            slots.enter(id, slot, |slot| id_at(&chunks, slot));
        }
        let (recents, rares) = chunks
            .iter()
            .fold((0, 0), |(recents, rares), chunk| (recents + chunk.recent.len(), rares + chunk.rare.len()));
        Some(Self { slots, chunks, recents, rares, copied: 0 })
    }

    /// Tasks whose places nobody knows have none.
    pub(in crate::model) fn mend_places(&mut self, places: usize) {
        for chunk in &mut self.chunks {
            if chunk.places.iter().any(|place| place.index() >= places) {
                let known = |place: PlaceId| if place.index() < places { place } else { PlaceId::UNKNOWN };
                let chunk = Arc::make_mut(chunk);
                chunk.places = chunk.places.map(known);
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many slots there are, those without a task included. Every slot's index is below that.
    pub fn slots(&self) -> usize {
        self.slots.used()
    }

    /// The slot of a task.
    pub fn slot(&self, id: TaskId) -> Option<Slot> {
        self.slots.find(id, |slot| id_at(&self.chunks, slot))
    }

    /// A task by its id.
    pub fn get(&self, id: TaskId) -> Option<Task<'_>> {
        self.at(self.slot(id)?)
    }

    /// The task in a slot, if one is there.
    #[inline]
    pub fn at(&self, slot: Slot) -> Option<Task<'_>> {
        let (chunk, at) = slot.place();
        let chunk = self.chunks.get(chunk)?;
        chunk.states[at].map(|_| Task { chunk, slot })
    }

    /// All tasks, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = Task<'_>> {
        (0..self.slots()).filter_map(|index| self.at(Slot::from_index(index)))
    }

    /// The tasks of the batch that begins at a slot.
    pub fn batch<'a, 'r>(&'a self, first: usize, room: &'r mut Room) -> Option<Batch<'a, 'r>> {
        Some(Batch::of(self.chunks.get(first / CHUNK)?, first, room))
    }

    /// Bytes that were copied, since it was made, because a clone had them too.
    pub fn copied(&self) -> usize {
        self.copied
    }

    /// How many bytes all of them take, as an estimate.
    pub(in crate::model) fn bytes(&self) -> usize {
        self.len() * Self::BYTES_A_TASK + self.recents * size_of::<Recent>() + self.rares * size_of::<Rare>()
    }

    /// The slot of a task, which is a new one at `now` where it is not known.
    pub(in crate::model) fn slot_or_begin(&mut self, id: TaskId, now: Stamp) -> Slot {
        if let Some(slot) = self.slot(id) {
            return slot;
        }
        let slot = self.slots.take();
        if slot.index() == self.chunks.len() * CHUNK {
            self.chunks.push(Arc::new(Chunk::EMPTY));
        }
        self.change(slot, |chunk, at| chunk.begin(at, id, now));
        let chunks = &self.chunks;
        self.slots.enter(id, slot, |slot| id_at(chunks, slot));
        slot
    }

    /// Takes in an announcement. It may come twice, and say something else the second time.
    pub(in crate::model) fn announce(&mut self, slot: Slot, new: &Announced) {
        self.change(slot, |chunk, at| {
            chunk.names[at] = new.name;
            chunk.places[at] = new.place;
            chunk.kinds[at] = new.kind;
            chunk.cold[at].size = new.size;
            chunk.cold[at].origin = Origin::Announced;
            chunk.set_number(at, Number::TokioId, new.number.map_or(0, NonZeroU64::get));
            if let Some(rare) = chunk.rare.get_mut(at) {
                rare.original_size = new.original_size;
            } else if new.original_size != 0 {
                chunk.rare.set(at, Some(Rare { original_size: new.original_size, ..Rare::default() }));
            }
        });
    }

    /// Takes in a report.
    pub(in crate::model) fn report(&mut self, slot: Slot, stats: &TaskStats, now: Stamp, delays: &Delays) {
        self.change(slot, |chunk, at| chunk.report(at, stats, now, delays));
    }

    /// Replaces its fields that have no place of their own.
    pub(in crate::model) fn set_fields(&mut self, slot: Slot, fields: Vec<Field>) {
        let fields = (!fields.is_empty()).then(|| fields.into());
        self.change(slot, |chunk, at| chunk.fields.set(at, fields));
    }

    /// Replaces what was read of it in memory, which is so since that look.
    pub(in crate::model) fn set_look(&mut self, slot: Slot, look: Option<(Arc<TaskLook>, Stamp)>) {
        self.change(slot, |chunk, at| chunk.looks.set(at, look));
    }

    /// Forgets what was read in memory, of all.
    pub(in crate::model) fn forget_looks(&mut self) {
        for index in 0..self.slots() {
            let slot = Slot::from_index(index);
            if self.at(slot).is_some_and(|task| task.look().is_some()) {
                self.set_look(slot, None);
            }
        }
    }

    /// Whether it has fields or spans.
    pub(in crate::model) fn more_mut(&mut self, slot: Slot) -> Option<&mut bool> {
        let (chunk, at) = slot.place();
        self.chunk_mut(chunk).map(|chunk| &mut chunk.more[at])
    }

    /// Lets go of its recent past, if it is over.
    pub(in crate::model) fn forget_recent(&mut self, slot: Slot, now: Stamp) {
        if self.at(slot).and_then(Task::recent).is_some_and(|recent| recent.is_over(now)) {
            self.change(slot, |chunk, at| chunk.recent.remove(at));
        }
    }

    /// Takes over another's row, which is called that here.
    pub(in crate::model) fn copy(&mut self, task: &Task, name: Sym) -> Slot {
        let slot = self.slot_or_begin(task.id(), task.confirmed());
        self.change(slot, |chunk, at| {
            chunk.copy(at, task.chunk, task.at());
            chunk.names[at] = name;
        });
        slot
    }

    /// Takes a task out; its slot may be given to another.
    pub(in crate::model) fn remove(&mut self, id: TaskId) {
        let chunks = &self.chunks;
        if let Some(slot) = self.slots.release(id, |slot| id_at(chunks, slot)) {
            self.change(slot, Chunk::end);
        }
    }

    fn change(&mut self, slot: Slot, change: impl FnOnce(&mut Chunk, usize)) {
        let (chunk, at) = slot.place();
        let Some(chunk) = self.chunk_mut(chunk) else { return };
        let (recents, rares) = (chunk.recent.len(), chunk.rare.len());
        change(chunk, at);
        let (recents_now, rares_now) = (chunk.recent.len(), chunk.rare.len());
        self.recents = self.recents + recents_now - recents;
        self.rares = self.rares + rares_now - rares;
    }

    /// A chunk to change: a copy of its own, where a clone has it too.
    fn chunk_mut(&mut self, chunk: usize) -> Option<&mut Chunk> {
        let chunk = self.chunks.get_mut(chunk)?;
        if Arc::strong_count(chunk) > 1 {
            self.copied += size_of::<Chunk>();
        }
        Some(Arc::make_mut(chunk))
    }
}

fn id_at(chunks: &[Arc<Chunk>], slot: Slot) -> Option<TaskId> {
    let (chunk, at) = slot.place();
    let chunk = chunks.get(chunk)?;
    chunk.states[at].map(|_| chunk.cold[at].id)
}
