//! Where a slot is in its life, as types: each is made out of the one before, which is gone then (I1).
//!
//! ```text
//! free list ──► Free ── begin ──► Newborn ── publish ──► in use, by id ── the last handle ──► Ended ──► free list
//! ```
//!
//! None of them can be copied or made elsewhere: what does not compile is to publish a slot twice, to write one before it was begun or as a newborn
//! after it was published, and to give one back twice or while somebody has a handle. One that is dropped on the way is never used again.

use super::{
    arena::Written,
    delivery::Delivery,
    id::{Kind, Ours},
    lifetime::{Clones, Lifetime, Reading},
};
use std::ops::Deref;

/// What the slots of one kind hold.
pub(crate) trait Slot: Default {
    const KIND: Kind;
    const CLONES: Clones;

    fn lifetime(&self) -> &Lifetime;

    /// What was told of its users.
    fn delivery(&self) -> &Delivery;

    /// Whether there is anything to tell of the user that is being read.
    fn is_worth_telling(&self, _seen: Reading) -> bool {
        true
    }
}

/// A slot that was taken off the free list: nobody has a handle, and nobody sees anything of it but its last user's end.
#[must_use = "a slot that is dropped is never used again"]
pub(crate) struct Free<'a, T> {
    slot: &'a T,
    written: Written<'a>,
    index: u32,
}

impl<'a, T: Slot> Free<'a, T> {
    /// Of an index that stood in the free list, and does no longer.
    #[inline]
    pub(super) fn new(slot: &'a T, written: Written<'a>, index: u32) -> Self {
        Self { slot, written, index }
    }

    /// Begins a user. From here on whoever reads the slot passes it over.
    #[inline]
    pub(crate) fn begin(self) -> Newborn<'a, T> {
        let Self { slot, written, index } = self;
        Newborn { slot, written, index, stamp: slot.lifetime().begin(T::CLONES) }
    }
}

/// A slot that is written for a new user, by one thread, and read by nobody (I2).
#[must_use = "a slot that is dropped is never used again"]
pub(crate) struct Newborn<'a, T> {
    slot: &'a T,
    written: Written<'a>,
    index: u32,
    stamp: u64,
}

impl<T: Slot> Newborn<'_, T> {
    /// Ends the writing: one handle exists, and the slot may be read.
    #[inline]
    pub(crate) fn publish(self) -> Ours {
        let Self { slot, written, index, stamp } = self;
        slot.lifetime().publish(stamp);
        written.touch();
        Ours { kind: T::KIND, index, stamp }
    }
}

impl<T> Deref for Newborn<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.slot
    }
}

/// A slot whose last handle is gone. What it says of its user stays to be read until it is used again.
#[must_use = "a slot that is dropped is never used again"]
pub(crate) struct Ended<'a, T> {
    slot: &'a T,
    index: u32,
}

impl<'a, T: Slot> Ended<'a, T> {
    #[inline]
    pub(super) fn new(slot: &'a T, index: u32) -> Self {
        Self { slot, index }
    }

    /// For the free list, which has it from here on.
    #[inline]
    pub(super) fn into_index(self) -> u32 {
        self.index
    }
}

impl<T> Deref for Ended<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.slot
    }
}

/// Compiles only while none of them is `Clone`, and so none `Copy`: for one that is, two of the traits' methods would be meant.
const _: fn() = || {
    trait OfAll<A> {
        fn once() {}
    }
    struct IsClone;
    impl<T> OfAll<()> for T {}
    impl<T: Clone> OfAll<IsClone> for T {}

    struct Any;
    <Free<'static, Any> as OfAll<_>>::once();
    <Newborn<'static, Any> as OfAll<_>>::once();
    <Ended<'static, Any> as OfAll<_>>::once();
    <super::round::Round as OfAll<_>>::once();
    <super::round::Taking as OfAll<_>>::once();
};
