//! Neighbours: tasks that are asked together. A question is put to all of them before the next one is, so that each is a short
//! loop over one or two arrays.

use super::{Recent, Task, chunk::Chunk};
use crate::model::{Slot, slots::CHUNK};

/// Room for the places of a batch: in their chunk, so that they are small.
pub type Room = [u16; CHUNK];

/// So few tasks are asked one by one.
const FEW: usize = 64;

/// Tasks of one chunk, in the order of their slots.
pub struct Batch<'a, 'r> {
    chunk: &'a Chunk,
    /// The index of the chunk's first slot.
    first: usize,
    /// Where in the chunk they are.
    places: &'r mut [u16],
}

impl<'a> Task<'a> {
    /// The task alone.
    pub fn alone<'r>(&self, room: &'r mut [u16; 1]) -> Batch<'a, 'r> {
        room[0] = self.at() as u16;
        Batch { chunk: self.chunk, first: self.slot.index() - self.at(), places: room }
    }
}

impl<'a, 'r> Batch<'a, 'r> {
    pub(super) fn of(chunk: &'a Chunk, first: usize, room: &'r mut Room) -> Self {
        for (at, place) in room.iter_mut().enumerate() {
            *place = at as u16;
        }
        let mut batch = Batch { chunk, first: first - first % CHUNK, places: room };
        batch.keep(|_, at| chunk.states[at].is_some());
        batch
    }
}

impl<'a> Batch<'a, '_> {
    /// How many are left.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Goes through those that are left.
    #[inline]
    pub fn each(&self, mut each: impl FnMut(&Task)) {
        for &place in &*self.places {
            each(&self.task(place));
        }
    }

    /// As [`Batch::each`], with what is asked of their recent past; 0 where a task has none. Those stand in no order: they are asked
    /// in the order that they have in memory, unless that would be more than is wanted.
    #[inline]
    pub fn each_by_recent(&self, ask: impl Fn(&Recent) -> u64, mut each: impl FnMut(&Task, u64)) {
        let recent = &self.chunk.recent;
        if self.places.len() <= FEW.max(recent.len()) {
            return self.each(|task| each(task, task.recent().map_or(0, &ask)));
        }
        let mut answers = [0; CHUNK];
        for (place, recent) in recent.iter() {
            answers[place] = ask(recent);
        }
        self.each(|task| each(task, answers[task.at()]));
    }

    /// Takes out those that something is not true of.
    #[inline]
    pub fn retain(&mut self, mut holds: impl FnMut(&Task) -> bool) {
        self.keep(|batch, at| holds(&batch.task(at as u16)));
    }

    /// Those that are left, once more.
    pub fn again<'r>(&self, room: &'r mut Room) -> Batch<'a, 'r> {
        let places = &mut room[..self.places.len()];
        places.copy_from_slice(self.places);
        Batch { places, ..*self }
    }

    /// Takes out those that are left in another batch of the same tasks.
    pub fn take_out(&mut self, others: &Batch) {
        let mut others = others.places.iter().copied().peekable();
        if others.peek().is_some() {
            self.keep(|_, at| others.next_if_eq(&(at as u16)).is_none());
        }
    }

    /// Takes out those that are not left in another batch of the same tasks.
    pub fn take_out_all_but(&mut self, others: &Batch) {
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
    fn task(&self, place: u16) -> Task<'a> {
        Task { chunk: self.chunk, slot: Slot::from_index(self.first + usize::from(place)) }
    }
}
