//! Which pages of a process are present. Reading one that is not would swap it in, allocate it, or wake whoever serves its faults;
//! so none is read of which this does not say that it is there.
//!
//! What was present stays so for the look: the answer is kept until [`Pages::renew`]. What was not is asked for again each time.

use rustc_hash::FxHashMap;
use std::{fs::File, ops::Range, os::unix::fs::FileExt};

/// Pages whose answers are kept together, a bit each.
const BLOCK: u64 = 64;
/// Blocks that are asked for at once.
const AT_ONCE: u64 = 64;
/// A range longer than this is not gone through to its end: nothing has so much memory, but anything may reserve it.
const MOST_BYTES: u64 = 512 << 30;
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;

/// How a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// It is there.
    Present,
    /// It is in the swap space, or on its way.
    Swapped,
    /// It was never touched, or is its file's.
    Untouched,
}

/// What is known of pages.
#[derive(Debug)]
pub(crate) struct Pages {
    file: Option<File>,
    size: u64,
    /// By the number of the block: a bit for each page that is present.
    blocks: FxHashMap<u64, u64>,
    last: Option<(u64, u64)>,
    buffer: Vec<u8>,
    calls: u64,
}

impl Pages {
    /// Of a process whose `pagemap` this is; where there is none, nothing is known.
    pub(crate) fn new(file: Option<File>, size: u64) -> Self {
        Self { file, size, blocks: FxHashMap::default(), last: None, buffer: Vec::new(), calls: 0 }
    }

    /// Forgets what was present. The file is opened anew, since it is of the program that ran when it was opened.
    pub(crate) fn renew(&mut self, file: Option<File>) {
        self.file = file;
        self.blocks.clear();
        self.last = None;
    }

    /// Whether pages can be told apart at all.
    pub(crate) fn told(&self) -> bool {
        self.file.is_some()
    }

    /// System calls made since this was asked last.
    pub(crate) fn take_calls(&mut self) -> u64 {
        std::mem::take(&mut self.calls)
    }

    /// Whether all of these bytes are on pages that are present, or nothing can be told.
    pub(crate) fn all(&mut self, range: Range<u64>) -> bool {
        if self.file.is_none() || range.is_empty() {
            return true;
        }
        let (first, last) = (range.start / self.size, (range.end - 1) / self.size);
        let mut page = first;
        while page <= last {
            let stop = (page / BLOCK + 1) * BLOCK;
            let wanted = bits(page % BLOCK, (last + 1).min(stop) - page) << (page % BLOCK);
            if self.block(page / BLOCK, last / BLOCK + 1) & wanted != wanted {
                return false;
            }
            page = stop;
        }
        true
    }

    /// How the page is that holds this address.
    pub(crate) fn page(&mut self, at: u64) -> Page {
        let page = at / self.size;
        if self.file.is_none() || self.block(page / BLOCK, page / BLOCK + 1) >> (page % BLOCK) & 1 == 1 {
            return Page::Present;
        }
        let mut entry = [0; 8];
        self.calls += 1;
        let file = self.file.as_ref().zip(page.checked_mul(8));
        let read = file.is_some_and(|(file, at)| file.read_exact_at(&mut entry, at).is_ok());
        match u64::from_le_bytes(entry) {
            entry if entry & PRESENT != 0 => {
                *self.blocks.entry(page / BLOCK).or_default() |= 1 << (page % BLOCK);
                self.last = None;
                Page::Present
            }
            entry if entry & SWAPPED != 0 || !read => Page::Swapped,
            _ => Page::Untouched,
        }
    }

    /// The runs of pages of this range that are present.
    pub(crate) fn runs(&mut self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = Vec::new();
        if self.file.is_none() || range.is_empty() {
            return runs;
        }
        let range = range.start..range.end.min(range.start.saturating_add(MOST_BYTES));
        let (mut page, end) = (range.start / self.size, range.end.div_ceil(self.size));
        while page < end {
            let block = self.block(page / BLOCK, end.div_ceil(BLOCK));
            let stop = end.min((page / BLOCK + 1) * BLOCK);
            while page < stop {
                let left = block >> (page % BLOCK);
                if left == 0 {
                    page = stop;
                    continue;
                }
                page += u64::from(left.trailing_zeros());
                let count = u64::from((left >> left.trailing_zeros()).trailing_ones());
                let (from, to) = (page.min(stop), (page + count).min(stop));
                page = to;
                let run = from.saturating_mul(self.size).max(range.start)..to.saturating_mul(self.size).min(range.end);
                match runs.last_mut() {
                    Some(before) if before.end == run.start => before.end = run.end,
                    _ if !run.is_empty() => runs.push(run),
                    _ => {}
                }
            }
        }
        runs
    }

    /// The bits of a block. If it has to be asked for, those that follow it are, too, up to `end`.
    fn block(&mut self, number: u64, end: u64) -> u64 {
        if let Some((last, block)) = self.last
            && last == number
        {
            return block;
        }
        let block = match self.blocks.get(&number) {
            Some(block) => *block,
            None => self.ask(number, end.saturating_sub(number).clamp(1, AT_ONCE)),
        };
        self.last = Some((number, block));
        block
    }

    /// Asks for blocks, keeps them, and returns the first.
    fn ask(&mut self, number: u64, count: u64) -> u64 {
        self.buffer.resize((count * BLOCK * 8) as usize, 0);
        self.calls += 1;
        let read = match (&self.file, number.checked_mul(BLOCK * 8)) {
            (Some(file), Some(at)) => file.read_at(&mut self.buffer, at).unwrap_or(0),
            _ => 0,
        };
        let read = self.buffer.get(..read).unwrap_or_default();
        let mut blocks = read.chunks((BLOCK * 8) as usize).map(|entries| {
            // The highest bit of the last byte.
            let present = entries.chunks_exact(8).map(|entry| u64::from(entry[7] >> 7));
            present.enumerate().fold(0, |block, (page, bit)| block | bit << page)
        });
        for (offset, block) in (0..count).map(|offset| (offset, blocks.next().unwrap_or(0))) {
            self.blocks.insert(number + offset, block);
        }
        self.blocks.get(&number).copied().unwrap_or(0)
    }
}

/// So many bits, of those that are left from `from` on.
fn bits(from: u64, count: u64) -> u64 {
    u64::MAX >> (BLOCK - count.clamp(1, BLOCK - from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn pages(present: &[usize], count: usize) -> Pages {
        let mut file = tempfile::tempfile().unwrap();
        let entries: Vec<u8> =
            (0..count).flat_map(|page| (if present.contains(&page) { PRESENT } else { 0 }).to_le_bytes()).collect();
        file.write_all(&entries).unwrap();
        Pages::new(Some(file), 4096)
    }

    #[test]
    fn runs_join_over_words_and_blocks() {
        let present: Vec<usize> = (60..70).chain(510..520).chain([1000]).collect();
        let mut pages = pages(&present, 1024);
        let run = |from: u64, to: u64| from * 4096..to * 4096;
        assert_eq!(pages.runs(0..1024 * 4096), [run(60, 70), run(510, 520), run(1000, 1001)]);
        assert_eq!(pages.runs(61 * 4096 + 5..62 * 4096 + 9).first(), Some(&(61 * 4096 + 5..62 * 4096 + 9)));
        assert_eq!(pages.runs(5000 * 4096..6000 * 4096), []);
        assert!(pages.all(60 * 4096 + 1..70 * 4096) && !pages.all(60 * 4096..70 * 4096 + 1));
        assert_eq!((pages.page(60 * 4096), pages.page(59 * 4096)), (Page::Present, Page::Untouched));
        assert!(pages.all(7..7));
        assert_eq!(pages.page(u64::MAX), Page::Swapped);
    }

    proptest::proptest! {
        #[test]
        fn runs_are_what_is_present(present in proptest::collection::btree_set(0_usize..1500, 0..200)) {
            let list: Vec<usize> = present.iter().copied().collect();
            let mut pages = pages(&list, 1500);
            let told: std::collections::BTreeSet<usize> =
                pages.runs(0..1500 * 4096).into_iter().flat_map(|run| (run.start / 4096) as usize..(run.end / 4096) as usize).collect();
            proptest::prop_assert_eq!(told, present);
        }
    }
}
