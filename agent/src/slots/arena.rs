//! Slots that never move and are never freed, in chunks that are made as they are needed, with a bit for each that was
//! written. Whoever has an index gets at its slot with two loads.

use super::{bitmap::Bitmap, budget, id::INDEX_BITS};
use std::sync::OnceLock;

/// Slots in a chunk.
const CHUNK: usize = 1024;
const CHUNKS: usize = (1 << INDEX_BITS) / CHUNK;

struct Chunk<T> {
    slots: Box<[T; CHUNK]>,
    written: Bitmap<{ CHUNK / 64 }>,
}

/// The slots of one kind.
pub(crate) struct Arena<T> {
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
}

impl<T: Default> Arena<T> {
    #[expect(
        clippy::large_stack_arrays,
        reason = "an arena is a static, and this is evaluated when the crate is compiled"
    )]
    pub(crate) const fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Makes sure that there are slots up to and without `end`. Whether there are: they may be more than there is memory for.
    pub(crate) fn reach(&self, end: u32) -> bool {
        self.up_to(end).iter().all(|chunk| {
            let is_there = chunk.get().is_some() || budget::take(Chunk::<T>::BYTES);
            if is_there {
                chunk.get_or_init(Chunk::new);
            }
            is_there
        })
    }

    /// Whether there are such slots, or there is memory for them.
    pub(crate) fn may_reach(&self, end: u32) -> bool {
        self.up_to(end).last().is_none_or(|chunk| chunk.get().is_some() || budget::has(Chunk::<T>::BYTES))
    }

    fn up_to(&self, end: u32) -> &[OnceLock<Chunk<T>>] {
        &self.chunks[..(end as usize).div_ceil(CHUNK).min(CHUNKS)]
    }
}

impl<T> Arena<T> {
    /// The slot, where there is one.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let chunk = self.chunks.get(index as usize / CHUNK)?.get()?;
        Some(&chunk.slots[index as usize % CHUNK])
    }

    /// The slot, and where to note that it was written, where there is one.
    #[inline]
    pub(crate) fn at(&self, index: u32) -> Option<(&T, Written<'_>)> {
        let chunk = self.chunks.get(index as usize / CHUNK)?.get()?;
        let at = index as usize % CHUNK;
        Some((&chunk.slots[at], Written { bits: &chunk.written, at }))
    }

    /// Notes that the slot was written.
    #[inline]
    pub(crate) fn touch(&self, index: u32) {
        if let Some(chunk) = self.chunks.get(index as usize / CHUNK).and_then(OnceLock::get) {
            chunk.written.set(index as usize % CHUNK);
        }
    }

    /// Whether the slot was written since it was read.
    pub(crate) fn is_touched(&self, index: u32) -> bool {
        let chunk = self.chunks.get(index as usize / CHUNK).and_then(OnceLock::get);
        chunk.is_some_and(|chunk| chunk.written.get(index as usize % CHUNK))
    }

    /// Takes the indices of the slots that were written, in order. Before they are read, [`super::barrier::heavy`] must run.
    pub(crate) fn take_touched(&self, into: &mut Vec<u32>) {
        for (at, chunk) in self.made().enumerate() {
            for word in 0..CHUNK / 64 {
                let base = (at * CHUNK + word * 64) as u32;
                into.extend(super::bitmap::ones(chunk.written.take(word)).map(|bit| base + bit as u32));
            }
        }
    }

    /// Every slot, with its index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.made().enumerate().flat_map(|(at, chunk)| {
            chunk.slots.iter().enumerate().map(move |(in_chunk, slot)| ((at * CHUNK + in_chunk) as u32, slot))
        })
    }

    /// The chunks that were made. They are made in order.
    fn made(&self) -> impl Iterator<Item = &Chunk<T>> {
        self.chunks.iter().map_while(OnceLock::get)
    }
}

/// Where to note that a slot was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    bits: &'a Bitmap<{ CHUNK / 64 }>,
    at: usize,
}

impl Written<'_> {
    /// Notes that the slot was written.
    #[inline]
    pub(crate) fn touch(self) {
        self.bits.set(self.at);
    }
}

impl<T: Default> Chunk<T> {
    const BYTES: usize = size_of::<Self>() + CHUNK * size_of::<T>();

    fn new() -> Self {
        let slots: Vec<T> = (0..CHUNK).map(|_| T::default()).collect();
        let slots = slots.try_into().unwrap_or_else(|_| unreachable!("there are as many as were made"));
        Self { slots, written: Bitmap::new() }
    }
}
