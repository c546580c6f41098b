//! Reading slots while others write them. Who reads one has a [`Round`], and there are two ways to one:
//!
//! - [`Round::begin`] takes the marks of what was written, and then has every thread pass a barrier (I5). There is no other way to an index of a
//!   [`Touched`] slot, so that none is read before that barrier.
//! - [`Round::of_all`] takes no marks. Who reads by it finds what stands there, and is told nothing of what changes.
//!
//! In either, what is read of a slot is all of one user (I4): nothing else looks at a slot's lifetime in order to read it.

use super::{arena::Arena, barrier, lifetime::Reading, stages::Slot};

/// That slots may be read.
#[derive(Debug)]
pub(crate) struct Round(());

/// That marks are being taken.
#[derive(Debug)]
pub(crate) struct Taking(());

/// Slots that were written before a round began, in order.
#[derive(Debug, Default)]
pub(crate) struct Touched(Vec<u32>);

#[expect(clippy::unused_self, reason = "that there is a round is what it says")]
impl Round {
    /// Begins one: what was written before this call has its mark taken by `take`, and is seen in this round.
    pub(crate) fn begin(take: impl FnOnce(&Taking)) -> Self {
        take(&Taking(()));
        barrier::heavy();
        Self(())
    }

    /// One without marks.
    #[inline]
    pub(crate) fn of_all() -> Self {
        Self(())
    }

    /// What `read` finds in the slot, all of one user: read again when the slot was written for another one meanwhile. `None`
    /// when the slot is nobody's.
    pub(crate) fn read<T: Slot, V>(&self, slot: &T, mut read: impl FnMut(Reading) -> Option<V>) -> Option<V> {
        let lifetime = slot.lifetime();
        loop {
            let seen = lifetime.look()?;
            let found = read(seen);
            if lifetime.still(seen, T::CLONES) {
                return found;
            }
        }
    }

    /// Whether the slot has a user who has not ended.
    pub(crate) fn is_alive<T: Slot>(&self, slot: &T) -> bool {
        slot.lifetime().look().is_some_and(Reading::is_alive)
    }

    /// The stamp of the last user, if there is anything to tell of it.
    pub(crate) fn last<T: Slot>(&self, slot: &T) -> Option<u64> {
        let seen = slot.lifetime().look().filter(|seen| slot.is_worth_telling(*seen))?;
        Some(seen.stamp(T::CLONES))
    }
}

impl Touched {
    /// Takes the marks of an arena, in place of those of the round before.
    pub(crate) fn take<T>(&mut self, arena: &Arena<T>, _taking: &Taking) {
        self.0.clear();
        arena.take_touched(&mut self.0);
    }

    /// The slots, with their indices.
    pub(crate) fn of<'a, T>(
        &self,
        arena: &'a Arena<T>,
        _round: &Round,
    ) -> impl Iterator<Item = (u32, &'a T)> + use<'_, 'a, T> {
        self.0.iter().filter_map(|index| Some((*index, arena.get(*index)?)))
    }
}
