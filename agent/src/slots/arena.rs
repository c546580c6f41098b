//! Slots that never move and are never freed, in chunks that are made as they are needed, with a bit for each that was
//! written. Whoever has an index gets at its slot with one load.
//!
//! An arena is a static, and nothing but zeros until its first chunk is made (an `OnceLock` is not): an executable that links the
//! agent has no byte of it, and a process that does not start the agent no page.

use super::{
    bitmap::Bitmap,
    budget,
    id::INDEX_BITS,
    round::Round,
    stages::{Ended, Slot},
};
use once_cell::race::OnceBox;

/// Slots in a chunk.
const CHUNK: usize = 1024;
const CHUNKS: usize = (1 << INDEX_BITS) / CHUNK;

type Marks = Bitmap<{ CHUNK / 64 }>;

/// The slots of one kind, and which of them were written.
pub(crate) struct Arena<T> {
    slots: [OnceBox<[T; CHUNK]>; CHUNKS],
    /// Made before the slots that they are of (I8).
    written: [OnceBox<Marks>; CHUNKS],
}

impl<T: Default> Arena<T> {
    /// What a chunk takes.
    const BYTES: usize = size_of::<Marks>() + CHUNK * size_of::<T>();

    #[expect(
        clippy::large_stack_arrays,
        reason = "an arena is a static, and this is evaluated when the crate is compiled"
    )]
    pub(crate) const fn new() -> Self {
        Self { slots: [const { OnceBox::new() }; CHUNKS], written: [const { OnceBox::new() }; CHUNKS] }
    }

    /// Makes sure that there are slots up to and without `end`. Whether there are: they may be more than there is memory for.
    pub(crate) fn reach(&self, end: u32) -> bool {
        self.up_to(end).all(|(slots, written)| {
            let is_there = slots.get().is_some() || budget::take(Self::BYTES);
            if is_there {
                written.get_or_init(|| Box::new(Bitmap::new()));
                slots.get_or_init(|| {
                    let slots: Vec<T> = (0..CHUNK).map(|_| T::default()).collect();
                    slots.try_into().unwrap_or_else(|_| unreachable!("there are as many as were made"))
                });
            }
            is_there
        })
    }

    /// Whether there are such slots, or there is memory for them.
    pub(crate) fn may_reach(&self, end: u32) -> bool {
        self.up_to(end).last().is_none_or(|(slots, _)| slots.get().is_some() || budget::has(Self::BYTES))
    }

    fn up_to(&self, end: u32) -> impl Iterator<Item = (&OnceBox<[T; CHUNK]>, &OnceBox<Marks>)> {
        self.slots.iter().zip(&self.written).take((end as usize).div_ceil(CHUNK))
    }
}

impl<T> Arena<T> {
    /// The slot, where there is one.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        Some(&self.slots.get(index as usize / CHUNK)?.get()?[index as usize % CHUNK])
    }

    /// The slot, and where to note that it was written, where there is one.
    #[inline]
    pub(crate) fn at(&self, index: u32) -> Option<(&T, Written<'_>)> {
        let (chunk, at) = (index as usize / CHUNK, index as usize % CHUNK);
        Some((&self.slots.get(chunk)?.get()?[at], Written { bits: self.written.get(chunk)?.get()?, at }))
    }

    /// A handle is dropped. With the last one `end` writes what is to be read of the end, and the slot is handed out.
    #[inline]
    pub(crate) fn drop_handle(&self, index: u32, end: impl FnOnce(&T)) -> Option<Ended<'_, T>>
    where
        T: Slot,
    {
        let (slot, written) = self.at(index)?;
        if !slot.lifetime().drop_handle(|| end(slot)) {
            return None;
        }
        written.touch();
        Some(Ended::new(slot, index))
    }

    /// Notes that the slot was written.
    #[inline]
    pub(crate) fn touch(&self, index: u32) {
        if let Some(written) = self.written.get(index as usize / CHUNK).and_then(OnceBox::get) {
            written.set(index as usize % CHUNK);
        }
    }

    /// Whether the slot was written since it was read.
    pub(crate) fn is_touched(&self, index: u32) -> bool {
        let written = self.written.get(index as usize / CHUNK).and_then(OnceBox::get);
        written.is_some_and(|written| written.get(index as usize % CHUNK))
    }

    /// Takes the indices of the slots that were written, in order. Before they are read, [`super::barrier::heavy`] must run (I5):
    /// [`Round::begin`] sees to it.
    pub(super) fn take_touched(&self, into: &mut Vec<u32>) {
        for (at, written) in self.written.iter().map_while(OnceBox::get).enumerate() {
            for word in 0..CHUNK / 64 {
                let base = (at * CHUNK + word * 64) as u32;
                into.extend(super::bitmap::ones(written.take(word)).map(|bit| base + bit as u32));
            }
        }
    }

    /// Every slot, with its index.
    pub(crate) fn iter(&self, _round: &Round) -> impl Iterator<Item = (u32, &T)> {
        // I8: chunks are made in order.
        self.slots.iter().map_while(OnceBox::get).enumerate().flat_map(|(at, chunk)| {
            chunk.iter().enumerate().map(move |(in_chunk, slot)| ((at * CHUNK + in_chunk) as u32, slot))
        })
    }
}

/// Where to note that a slot was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    bits: &'a Marks,
    at: usize,
}

impl Written<'_> {
    /// Notes that the slot was written.
    #[inline]
    pub(crate) fn touch(self) {
        self.bits.set(self.at);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use object::{Object, ObjectSection, ObjectSymbol};
    use std::fs;

    #[test]
    fn statics_of_the_agent_take_no_room_in_an_executable() {
        let bytes = fs::read("/proc/self/exe").expect("this executable can be read");
        let file = object::File::parse(&*bytes).expect("it is one");
        // What the dynamic linker has to write to is in a section of its own: tables of functions, and the addresses of texts.
        let [mut zeros, mut written] = [0; 2];
        for symbol in file.symbols().filter(|symbol| symbol.name().is_ok_and(|name| name.contains("holdup_agent"))) {
            let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
            match section.as_ref().and_then(|section| section.name().ok()) {
                Some(".bss") => zeros += symbol.size(),
                Some(".data") => written += symbol.size(),
                _ => {}
            }
        }
        assert!(zeros > 1 << 20, "the arenas were not found: {zeros} bytes of zeros");
        assert!(written < 16 << 10, "{written} bytes are written into every executable that links the agent");
    }
}
