//! Neighbours: tasks that are asked together. A question is put to all of them before the next one is, so that each is a short
//! loop over one or two arrays.

use super::{Brief, Briefs, CHUNK, Chunk};
use crate::model::{Model, Pulse, Slot};

/// Room for the places of a batch: in their chunk, so that they are small.
pub(crate) type Room = [u16; CHUNK];

/// So few tasks are asked one by one.
const FEW: usize = 64;

/// Tasks of one chunk, in the order of their slots.
pub struct Batch<'a, 'r> {
    model: &'a Model,
    chunk: &'a Chunk,
    /// The index of the chunk's first slot.
    first: usize,
    /// Where in the chunk they are.
    places: &'r mut [u16],
}

impl Briefs {
    /// So many slots make up a batch.
    pub(crate) const BATCH: usize = CHUNK;

    /// The tasks of the batch that begins at a slot.
    pub(crate) fn batch<'a, 'r>(&'a self, first: usize, model: &'a Model, room: &'r mut Room) -> Option<Batch<'a, 'r>> {
        let chunk = self.chunks.get(first / CHUNK)?;
        for (at, place) in room.iter_mut().enumerate() {
            *place = at as u16;
        }
        let mut batch = Batch { model, chunk, first, places: room };
        batch.keep(|_, at| chunk.states[at].is_some());
        Some(batch)
    }
}

impl<'a> Brief<'a> {
    /// The task alone.
    pub(crate) fn alone<'r>(&self, room: &'r mut [u16; 1]) -> Batch<'a, 'r> {
        room[0] = self.at() as u16;
        Batch { model: self.model, chunk: self.chunk, first: self.slot.index() - self.at(), places: room }
    }
}

impl<'a> Batch<'a, '_> {
    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Goes through those that are left.
    #[inline]
    pub(crate) fn each(&self, mut each: impl FnMut(&Brief)) {
        for &place in &*self.places {
            each(&self.brief(place));
        }
    }

    /// As [`Batch::each`], with what is asked of their pulses; 0 where a task has none. Pulses stand in no order: they are asked in
    /// the order that they have in memory, unless that would be more than is wanted.
    #[inline]
    pub(crate) fn each_by_pulse(&self, ask: impl Fn(&Pulse) -> u64, mut each: impl FnMut(&Brief, u64)) {
        let pulses = &self.chunk.pulses;
        if self.places.len() <= FEW.max(pulses.len()) {
            return self.each(|task| each(task, task.pulse().map_or(0, &ask)));
        }
        let mut answers = [0; CHUNK];
        for (place, pulse) in pulses {
            answers[usize::from(*place)] = ask(pulse);
        }
        self.each(|task| each(task, answers[task.at()]));
    }

    /// Takes out those that something is not true of.
    #[inline]
    pub(crate) fn retain(&mut self, mut holds: impl FnMut(&Brief) -> bool) {
        self.keep(|batch, at| holds(&batch.brief(at as u16)));
    }

    /// Those that are left, once more.
    pub(crate) fn again<'r>(&self, room: &'r mut Room) -> Batch<'a, 'r> {
        let places = &mut room[..self.places.len()];
        places.copy_from_slice(self.places);
        Batch { places, ..*self }
    }

    /// Takes out those that are left in another batch of the same tasks.
    pub(crate) fn take_out(&mut self, others: &Batch) {
        let mut others = others.places.iter().copied().peekable();
        if others.peek().is_some() {
            self.keep(|_, at| others.next_if_eq(&(at as u16)).is_none());
        }
    }

    /// Takes out those that are not left in another batch of the same tasks.
    pub(crate) fn take_out_all_but(&mut self, others: &Batch) {
        let places = std::mem::take(&mut self.places);
        self.places = &mut places[..others.places.len()];
        self.places.copy_from_slice(others.places);
    }

    #[inline]
    fn keep(&mut self, mut stays: impl FnMut(&Self, usize) -> bool) {
        let mut left = 0;
        for at in 0..self.places.len() {
            let place = self.places[at];
            let stays = stays(self, usize::from(place) % CHUNK);
            // Without a condition: what holds of one cannot be foreseen from the others.
            self.places[left] = place;
            left += usize::from(stays);
        }
        let places = std::mem::take(&mut self.places);
        self.places = &mut places[..left];
    }

    #[inline]
    fn brief(&self, place: u16) -> Brief<'a> {
        Brief { model: self.model, chunk: self.chunk, slot: Slot::from_index(self.first + usize::from(place)) }
    }
}
