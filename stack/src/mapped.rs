//! Bytes of a file that is loaded, where it is mapped once more: they stay when the library is unloaded, and are no memory of the
//! process's own.

use crate::memory::{Memory, OwnMemory};
use memmap2::Mmap;
use std::{
    fs::File,
    ops::{Deref, Range},
    sync::Arc,
};

/// Bytes that are compared at once.
const PIECE: usize = 16 << 10;

/// Such bytes.
#[derive(Debug, Clone)]
pub(crate) struct Mapped {
    map: Arc<Mmap>,
    range: Range<usize>,
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.map.get(self.range.clone()).unwrap_or_default()
    }
}

impl Mapped {
    /// The bytes of this file from here on, if they are those that are loaded at the address: the file may have been replaced.
    pub(crate) fn loaded(path: &str, offset: u64, address: u64, len: usize) -> Option<Self> {
        let file = File::open(path).ok()?;
        #[allow(unsafe_code, reason = "mapping has no safe wrapper")]
        // SAFETY: it is mapped to be read. Cut short, it ends the process, which has the same file mapped as its code.
        let map = unsafe { Mmap::map(&file) }.ok()?;
        let start = usize::try_from(offset).ok()?;
        let mapped = Self { range: start..start.checked_add(len)?, map: Arc::new(map) };
        let mut loaded = [0; PIECE];
        let mut at = address;
        for piece in mapped.chunks(PIECE) {
            let loaded = loaded.get_mut(..piece.len())?;
            (OwnMemory.fill(at, loaded) && loaded == piece).then_some(())?;
            at = at.checked_add(piece.len() as u64)?;
        }
        (mapped.len() == len).then_some(mapped)
    }
}
