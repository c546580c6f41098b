//! Which slots were written since the one reader looked last: a bit for each. Setting one that is set already, which is the
//! usual case, is one load.
//!
//! | from | to | by whom | how | what it publishes |
//! |---|---|---|---|---|
//! | clear | set | [`set`](Bitmap::set): whoever wrote the slot | [`light`](super::barrier::light), a load, and `fetch_or` with release | what was written before |
//! | set | set | the same | [`light`](super::barrier::light) and a load | nothing: whoever clears it passes [`heavy`](super::barrier::heavy) after that |
//! | set | clear | [`take`](Bitmap::take): the one reader | acquire-release swap of 64, then [`heavy`](super::barrier::heavy) | |
//!
//! The writer writes its slot and then looks at the bit; the reader clears the bit and then reads the slot. Each needs its
//! two steps in that order (I5), or a last write could stay untold for ever. The reader pays for it, see [`super::barrier`].

use super::atomics::{AtomicU64, Ordering};

/// `64 * N` bits.
#[derive(Debug)]
pub(crate) struct Bitmap<const N: usize>([AtomicU64; N]);

impl<const N: usize> Bitmap<N> {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// Sets a bit. What was written before is seen by whoever clears it.
    #[inline]
    pub(crate) fn set(&self, at: usize) {
        let (word, bit) = (&self.0[at / 64], 1 << (at % 64));
        // I5: the slot is written before the bit is looked at.
        super::barrier::light();
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Release);
        }
    }

    /// Whether a bit is set.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> bool {
        self.0[at / 64].load(Ordering::Relaxed) & (1 << (at % 64)) != 0
    }

    /// Clears 64 bits and returns them. Before what they stand for is read, [`super::barrier::heavy`] must run (I5).
    pub(crate) fn take(&self, word: usize) -> u64 {
        let word = &self.0[word];
        if word.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        word.swap(0, Ordering::AcqRel)
    }
}

/// The positions of the bits that are set.
pub(crate) fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let at = word.trailing_zeros() as usize;
            word &= word - 1;
            at
        })
    })
}
