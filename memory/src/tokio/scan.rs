//! Tasks found by a sweep over writable memory: every word that points to a task's vtable may be part of a header. It needs no types, and
//! finds what no list leads to: tasks of runtimes that nobody drives, blocking jobs, ended tasks whose output nobody has read.

use super::header::{HEADER, Header};
use crate::bytes::{Bytes, Region, Scene};
use std::ops::Range;

/// Memory is read in pieces of this many bytes.
const PIECE: usize = 1 << 20;
/// More candidates than this are not kept.
const MOST: usize = 20_000_000;
/// Where in a header the vtable's address is.
const VTABLE_AT: usize = 16;

/// What a sweep found.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// Where a header may stand, by address, each with what it said.
    pub(crate) candidates: Vec<(u64, Header)>,
    /// Bytes that were read.
    pub(crate) read: u64,
    /// Whether there were more candidates than are kept.
    pub(crate) cut: bool,
}

/// Goes over the writable memory of a process, pages that are present alone. `known` says whether a word is a vtable's address.
/// Stacks are left out, each told by an address in it: tasks are made on them before they are moved to where they stay.
pub(crate) fn sweep(
    scene: &Scene,
    stacks: &[u64],
    bytes: &dyn Bytes,
    known: &dyn Fn(u64) -> bool,
    span: Range<u64>,
) -> Sweep {
    let mut sweep = Sweep::default();
    let mut piece = vec![0; PIECE + HEADER];
    let heaps =
        scene.regions.iter().filter(|region| heap(region) && !stacks.iter().any(|at| region.range.contains(at)));
    for range in heaps.flat_map(|region| bytes.present(region.range.clone())) {
        let mut at = range.start;
        while at < range.end {
            // A header may stand where two pieces meet: they overlap.
            let len = usize::try_from(range.end - at).unwrap_or(PIECE).min(piece.len());
            if let Some(piece) = piece.get_mut(..len).filter(|piece| !piece.is_empty())
                && bytes.read(at, piece)
            {
                sweep.read += len as u64;
                sweep.collect(at, piece, known, &span);
            }
            at += PIECE as u64;
        }
    }
    sweep.candidates.sort_unstable_by_key(|candidate| candidate.0);
    sweep.candidates.dedup_by_key(|candidate| candidate.0);
    sweep
}

/// Whether tasks may stand there: what an allocator can hand out.
pub(crate) fn heap(region: &Region) -> bool {
    let anonymous = region.path.is_empty() || region.path == "[heap]" || region.path.starts_with("[anon");
    region.may.read() && region.may.write() && !region.may.shared() && anonymous
}

impl Sweep {
    fn collect(&mut self, at: u64, piece: &[u8], known: &dyn Fn(u64) -> bool, span: &Range<u64>) {
        for (place, word) in piece.chunks_exact(8).enumerate() {
            let Ok(word) = word.try_into().map(u64::from_le_bytes) else { continue };
            if !span.contains(&word) || !known(word) {
                continue;
            }
            let Some(start) = (place * 8).checked_sub(VTABLE_AT) else { continue };
            let header = piece.get(start..).and_then(Header::parse).filter(Header::plausible);
            let Some(header) = header else { continue };
            if self.candidates.len() == MOST {
                self.cut = true;
                return;
            }
            self.candidates.push((at + start as u64, header));
        }
    }
}
