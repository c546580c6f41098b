//! A sorted list that is changed by merging, never by sorting again: what comes and goes costs what it is, and the rest is
//! moved in runs.
//!
//! A list of a million cannot be sorted between two frames. It begins *rough*: its entries stand in no particular order, and
//! what belongs where somebody looks is picked out of them. [`Sorted::refine`] sorts more of it each time, until nothing is
//! rough. Between two rough ranges there is always an entry in its place.

use crate::model::Slot;
use std::{cmp::Ordering, ops::Range};

/// A row, and what it is sorted by. The key stands in two halves, so that an entry is 12 bytes and not 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    key: [u32; 2],
    pub(crate) slot: Slot,
}

impl Entry {
    pub(crate) fn new(key: u64, slot: Slot) -> Self {
        Self { key: [(key >> 32) as u32, key as u32], slot }
    }

    #[inline]
    pub(crate) fn key(&self) -> u64 {
        u64::from(self.key[0]) << 32 | u64::from(self.key[1])
    }
}

impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        // One number is compared without a branch.
        let rank = |entry: &Self| u128::from(entry.key()) << 32 | entry.slot.index() as u128;
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Entries in order, but for those in rough ranges.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    entries: Vec<Entry>,
    /// Ascending. Each has two entries or more.
    rough: Vec<Range<usize>>,
    /// Where somebody looked while the list was rough.
    excerpt: Excerpt,
}

/// The entries that belong into a range of a list.
#[derive(Debug, Default)]
struct Excerpt {
    from: usize,
    entries: Vec<Entry>,
}

/// Ranges up to this long are sorted in one go.
const RUN: usize = 16_384;

/// How many entries of a list are looked at to tell about where the others stand.
const SAMPLES: u64 = 2_048;

/// How many entries on either side of one are looked at with it: more than a screen has.
const AROUND: usize = 2_048;

impl Sorted {
    /// Takes entries in any order, and sorts them if that is done in an instant.
    pub(crate) fn new(entries: Vec<Entry>, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Self {
        let mut sorted = Self { rough: Vec::from_iter(rough(0..entries.len())), entries, excerpt: Excerpt::default() };
        if sorted.entries.len() <= RUN {
            sorted.refine(RUN, compare);
        }
        sorted
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry at a place: the right one where the list is not rough, or somebody looked.
    pub(crate) fn get(&self, index: usize) -> Option<&Entry> {
        let seen = index.checked_sub(self.excerpt.from).and_then(|index| self.excerpt.entries.get(index));
        seen.or_else(|| self.entries.get(index))
    }

    /// The room of the entries, to be used again.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// Whether some of it is not in order yet.
    pub(crate) fn is_rough(&self) -> bool {
        !self.rough.is_empty()
    }

    /// Looks at a range: [`Sorted::get`] then tells what belongs there.
    pub(crate) fn look(&mut self, range: Range<usize>, compare: &impl Fn(&Entry, &Entry) -> Ordering) {
        let seen = self.excerpt.from..self.excerpt.from + self.excerpt.entries.len();
        if !self.is_rough() || range.is_empty() || (seen.start <= range.start && range.end <= seen.end) {
            return;
        }
        let mut entries = Vec::with_capacity(range.len());
        let mut at = range.start;
        for within in &self.rough {
            let (from, to) = (range.start.max(within.start), range.end.min(within.end));
            if from < to {
                entries.extend_from_slice(&self.entries[at..from]);
                entries.extend(pick(&self.entries[within.clone()], from - within.start..to - within.start, compare));
                at = to;
            }
        }
        entries.extend_from_slice(&self.entries[at..range.end]);
        self.excerpt = Excerpt { from: range.start, entries };
    }

    /// Looks at an entry and those around it, if it is in a rough range.
    pub(crate) fn look_around(&mut self, entry: Entry, compare: &impl Fn(&Entry, &Entry) -> Ordering) {
        if self.excerpt.position(entry, compare).is_some() {
            return;
        }
        let Some(within) = self.rough.iter().find(|within| self.is_among(entry, within, compare)) else { return };
        let inside = &self.entries[within.clone()];
        let samples = samples(inside, compare);
        let at = samples.partition_point(|sample| compare(sample, &entry).is_lt());
        let spread = 2 * AROUND * samples.len() / inside.len() + 8;
        let (before, mut entries) =
            between(inside, at.checked_sub(spread).map(|at| samples[at]), samples.get(at + spread).copied(), compare);
        entries.sort_unstable_by(compare);
        self.excerpt = Excerpt { from: within.start + before, entries };
    }

    /// Whether an entry belongs into a rough range.
    fn is_among(&self, entry: Entry, within: &Range<usize>, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> bool {
        let before = within.start.checked_sub(1).map(|before| &self.entries[before]);
        before.is_none_or(|before| compare(before, &entry).is_lt())
            && self.entries.get(within.end).is_none_or(|next| compare(&entry, next).is_lt())
    }

    /// Sorts more of what is rough, until about `effort` entries were sorted or moved to their side of another.
    pub(crate) fn refine(&mut self, effort: usize, compare: &impl Fn(&Entry, &Entry) -> Ordering) {
        let mut done = 0;
        while done < effort {
            let Some(last) = self.rough.pop() else { break };
            done += last.len();
            if last.len() <= RUN {
                self.entries[last].sort_unstable_by(compare);
            } else {
                let middle = last.len() / 2;
                self.entries[last.clone()].select_nth_unstable_by(middle, compare);
                let middle = last.start + middle;
                self.rough.extend(rough(last.start..middle));
                self.rough.extend(rough(middle + 1..last.end));
            }
        }
        if !self.is_rough() {
            self.excerpt = Excerpt::default();
        }
    }

    /// The place that an entry has, or will have.
    pub(crate) fn position(&self, entry: Entry, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Option<usize> {
        if let Some(index) = self.excerpt.position(entry, compare) {
            return Some(index);
        }
        let mut from = 0;
        let mut to = self.entries.len();
        for within in &self.rough {
            if self.is_among(entry, within, compare) {
                let inside = &self.entries[within.clone()];
                let before = inside.iter().filter(|other| compare(other, &entry).is_lt()).count();
                return inside.contains(&entry).then_some(within.start + before);
            }
            if within.start > 0 && compare(&entry, &self.entries[within.start - 1]).is_le() {
                to = within.start;
                break;
            }
            from = within.end;
        }
        let found = self.entries[from..to].binary_search_by(|other| compare(other, &entry));
        found.ok().map(|index| from + index)
    }

    /// Takes `gone` out and puts `come` in. None may be in both, and nothing may be rough. What is said to be gone and was not
    /// there makes it say so: then the order is not what it should be.
    pub(crate) fn merge(
        &mut self,
        mut gone: Vec<Entry>,
        mut come: Vec<Entry>,
        compare: &impl Fn(&Entry, &Entry) -> Ordering,
    ) -> Result<(), Mismatch> {
        gone.sort_unstable_by(compare);
        come.sort_unstable_by(compare);
        self.take_out(&gone, compare)?;
        self.put_in(&come, compare);
        Ok(())
    }

    fn take_out(&mut self, gone: &[Entry], compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Result<(), Mismatch> {
        let entries = &mut self.entries;
        let (mut read, mut write) = (0, 0);
        for next in gone {
            let until = read + run(&entries[read..], |entry| compare(entry, next).is_lt());
            if entries.get(until) != Some(next) {
                return Err(Mismatch);
            }
            entries.copy_within(read..until, write);
            write += until - read;
            read = until + 1;
        }
        entries.copy_within(read.., write);
        entries.truncate(write + entries.len() - read);
        Ok(())
    }

    fn put_in(&mut self, come: &[Entry], compare: &impl Fn(&Entry, &Entry) -> Ordering) {
        let Some(&any) = come.first() else { return };
        let entries = &mut self.entries;
        let mut read = entries.len();
        entries.resize(read + come.len(), any);
        let mut write = entries.len();
        for next in come.iter().rev() {
            let from = read - run_back(&entries[..read], |entry| compare(entry, next).is_gt());
            write -= read - from;
            entries.copy_within(from..read, write);
            read = from;
            write -= 1;
            entries[write] = *next;
        }
    }
}

/// An entry was not where it should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mismatch;

impl Excerpt {
    fn position(&self, entry: Entry, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Option<usize> {
        let found = self.entries.binary_search_by(|other| compare(other, &entry));
        found.ok().map(|index| self.from + index)
    }
}

/// Some of many entries, in order: they tell about where the others stand. Where they are taken from follows the golden ratio: what
/// comes at regular distances in a list must not be met each time, or never.
fn samples(entries: &[Entry], compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Vec<Entry> {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let place = |nth: u64| ((u128::from(nth.wrapping_mul(GOLDEN)) * entries.len() as u128) >> 64) as usize;
    let mut samples: Vec<Entry> = (0..SAMPLES).map(|nth| entries[place(nth)]).collect();
    samples.sort_unstable_by(compare);
    samples
}

/// The entries that belong into a range of a list that is in no order.
fn pick(entries: &[Entry], range: Range<usize>, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Vec<Entry> {
    let samples = samples(entries, compare);
    let sample = |index: usize| index * samples.len() / entries.len();
    let mut spread = 4;
    loop {
        // So far the samples may be off, which they are the less the nearer they are to an end.
        let off = |at: usize| spread * (at.min(samples.len() - at).isqrt() + 2);
        let (from, to) = (sample(range.start), sample(range.end));
        let first = from.checked_sub(off(from)).map(|at| samples[at]);
        let last = samples.get(to + off(to)).copied();
        let is_all = first.is_none() && last.is_none();
        let (before, mut found) = between(entries, first, last, compare);
        if is_all || (before <= range.start && range.end <= before + found.len()) {
            let (from, to) = (range.start - before, range.end - before);
            if to < found.len() {
                found.select_nth_unstable_by(to, compare);
                found.truncate(to);
            }
            if from > 0 && from < to {
                found.select_nth_unstable_by(from, compare);
            }
            found.drain(..from);
            found.sort_unstable_by(compare);
            return found;
        }
        spread *= 4;
    }
}

/// The entries between two others, these included, and how many come before them.
fn between(
    entries: &[Entry],
    first: Option<Entry>,
    last: Option<Entry>,
    compare: &impl Fn(&Entry, &Entry) -> Ordering,
) -> (usize, Vec<Entry>) {
    match (first, last) {
        (None, None) => (0, entries.to_vec()),
        (None, Some(last)) => retain(entries, |_| false, |entry| compare(entry, &last).is_gt()),
        (Some(first), None) => retain(entries, |entry| compare(entry, &first).is_lt(), |_| false),
        (Some(first), Some(last)) => {
            retain(entries, |entry| compare(entry, &first).is_lt(), |entry| compare(entry, &last).is_gt())
        }
    }
}

fn retain(
    entries: &[Entry],
    is_before: impl Fn(&Entry) -> bool,
    is_after: impl Fn(&Entry) -> bool,
) -> (usize, Vec<Entry>) {
    let (mut before, mut found) = (0, Vec::new());
    for entry in entries {
        let (is_before, is_after) = (is_before(entry), is_after(entry));
        before += usize::from(is_before);
        // On which side an entry is cannot be foreseen; that it is on one of them can.
        if !(is_before | is_after) {
            found.push(*entry);
        }
    }
    (before, found)
}

/// A range, if it is long enough to be out of order.
fn rough(range: Range<usize>) -> Option<Range<usize>> {
    (range.len() > 1).then_some(range)
}

/// How many entries at the front are `before`. Changes lie close together where they are many, so it looks near before it looks far.
fn run(entries: &[Entry], before: impl Fn(&Entry) -> bool) -> usize {
    let mut reach = 1;
    while reach < entries.len() && before(&entries[reach]) {
        reach *= 2;
    }
    let (from, to) = (reach / 2, entries.len().min(reach + 1));
    from + entries[from..to].partition_point(before)
}

/// How many entries at the back are `after`.
fn run_back(entries: &[Entry], after: impl Fn(&Entry) -> bool) -> usize {
    let length = entries.len();
    let mut reach = 1;
    while reach < length && after(&entries[length - 1 - reach]) {
        reach *= 2;
    }
    let (near, far) = (reach / 2, length.min(reach + 1));
    let window = &entries[length - far..length - near];
    near + window.len() - window.partition_point(|entry| !after(entry))
}

#[cfg(test)]
mod tests;
