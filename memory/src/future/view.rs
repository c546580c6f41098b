//! The bytes that one walk reads: the task's cell, which was read at once, and what it points to, each piece once, so that a walk sees
//! every byte at one instant, and which they were is known afterwards.

use crate::bytes::Bytes;
use crate::tokio::header::{uint, word};

/// More than this outside of the cell is not read for one task.
const MOST_BYTES: usize = 4 << 20;
const MOST_PIECES: usize = 4096;

/// What a walk reads from.
pub(crate) struct View<'a> {
    memory: &'a dyn Bytes,
    base: u64,
    cell: &'a [u8],
    outside: Vec<(u64, Vec<u8>)>,
    read: usize,
}

impl<'a> View<'a> {
    pub(crate) fn new(memory: &'a dyn Bytes, base: u64, cell: &'a [u8]) -> Self {
        Self { memory, base, cell, outside: Vec::new(), read: 0 }
    }

    /// Reads this piece, unless it was; false where it cannot be read, or would be too much.
    pub(crate) fn fetch(&mut self, at: u64, len: u64) -> bool {
        let Ok(size) = usize::try_from(len) else { return false };
        if self.slice(at, size).is_some() {
            return true;
        }
        if size > MOST_BYTES - self.read.min(MOST_BYTES) || self.outside.len() >= MOST_PIECES {
            return false;
        }
        let mut bytes = vec![0; size];
        if !self.memory.read(at, &mut bytes) {
            return false;
        }
        self.read += size;
        self.outside.push((at, bytes));
        true
    }

    /// These bytes, of what was read by now.
    pub(crate) fn slice(&self, at: u64, len: usize) -> Option<&[u8]> {
        let within = |base: u64, bytes: &'_ [u8]| -> Option<usize> {
            let start = usize::try_from(at.checked_sub(base)?).ok()?;
            (start.checked_add(len)? <= bytes.len()).then_some(start)
        };
        if let Some(start) = within(self.base, self.cell) {
            return self.cell.get(start..start + len);
        }
        self.outside.iter().find_map(|(base, bytes)| {
            let start = within(*base, bytes)?;
            bytes.get(start..start + len)
        })
    }

    pub(crate) fn word(&self, at: u64) -> Option<u64> {
        word(self.slice(at, 8)?, 0)
    }

    pub(crate) fn uint(&self, at: u64, size: u8) -> Option<u128> {
        uint(self.slice(at, usize::from(size))?, 0, usize::from(size))
    }

    /// What was read beside the cell: for a later look to compare.
    pub(crate) fn footprint(self) -> Vec<(u64, Vec<u8>)> {
        self.outside
    }
}
