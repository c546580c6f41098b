//! A sorted list that is changed by merging, never by sorting again: what comes and goes costs what it is, and the rest is
//! moved in runs.
//!
//! A list of a million cannot be sorted between two frames. It begins *rough*: where somebody looks, everything stands in its
//! place, and in between are ranges whose entries are the right ones in no particular order. [`Sorted::refine`] sorts more of
//! it each time, until nothing is rough. Between two rough ranges there is always an entry in its place.

use crate::model::Slot;
use std::{cmp::Ordering, ops::Range};

/// A row, and what it is sorted by. The key stands in two halves, so that an entry is 12 bytes and not 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    key: [u32; 2],
    pub(super) slot: Slot,
}

impl Entry {
    pub(super) fn new(key: u64, slot: Slot) -> Self {
        Self { key: [(key >> 32) as u32, key as u32], slot }
    }

    #[inline]
    pub(super) fn key(&self) -> u64 {
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
pub(super) struct Sorted {
    entries: Vec<Entry>,
    /// Ascending. Each has two entries or more.
    rough: Vec<Range<usize>>,
}

/// Ranges up to this long are sorted in one go.
const RUN: usize = 16_384;

impl Sorted {
    /// Takes entries in any order, and sorts them if that is done in an instant.
    pub(super) fn new(entries: Vec<Entry>, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Self {
        let mut sorted = Self { rough: Vec::from_iter(rough(0..entries.len())), entries };
        if sorted.entries.len() <= RUN {
            sorted.refine(RUN, compare);
        }
        sorted
    }

    /// The entries. Those in rough ranges are not in order.
    pub(super) fn as_slice(&self) -> &[Entry] {
        &self.entries
    }

    /// The room of the entries, to be used again.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// Whether some of it is not in order yet.
    pub(super) fn is_rough(&self) -> bool {
        !self.rough.is_empty()
    }

    /// Puts every entry of a range into its place.
    pub(super) fn place(&mut self, range: Range<usize>, compare: &impl Fn(&Entry, &Entry) -> Ordering) {
        let mut left = Vec::new();
        for within in std::mem::take(&mut self.rough) {
            let (from, to) = (range.start.max(within.start), range.end.min(within.end));
            if from >= to {
                left.push(within);
                continue;
            }
            let mut inner = within.clone();
            if to < within.end {
                let front = narrow(&mut self.entries[inner.clone()], to - within.start, End::Front, compare);
                self.entries[inner.start..inner.start + front].select_nth_unstable_by(to - within.start, compare);
                inner.end = to;
            } else if from > within.start {
                inner.start =
                    inner.end - narrow(&mut self.entries[inner.clone()], inner.end - from, End::Back, compare);
            }
            if from > within.start {
                self.entries[inner.clone()].select_nth_unstable_by(from - inner.start, compare);
                left.extend(rough(within.start..from));
            }
            if to < within.end {
                left.extend(rough(to + 1..within.end));
            }
            self.entries[from..to].sort_unstable_by(compare);
        }
        self.rough = left;
    }

    /// Puts one entry into its place, if it is in a rough range: what comes before it to its front, the others behind it.
    pub(super) fn pin(&mut self, entry: Entry, compare: &impl Fn(&Entry, &Entry) -> Ordering) {
        let Some(at) = self.rough.iter().position(|within| self.is_among(entry, within, compare)) else { return };
        let within = self.rough[at].clone();
        let entries = &mut self.entries[within.clone()];
        let mut front = 0;
        for at in 0..entries.len() {
            // Without a condition: which of two it is cannot be foreseen.
            let is_before = compare(&entries[at], &entry).is_lt();
            entries.swap(at, front);
            front += usize::from(is_before);
        }
        if let Some(itself) = entries[front..].iter().position(|other| *other == entry) {
            entries.swap(front, front + itself);
            let place = within.start + front;
            self.rough.splice(at..=at, rough(within.start..place).into_iter().chain(rough(place + 1..within.end)));
        }
    }

    /// Whether an entry belongs into a rough range.
    fn is_among(&self, entry: Entry, within: &Range<usize>, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> bool {
        let before = within.start.checked_sub(1).map(|before| &self.entries[before]);
        before.is_none_or(|before| compare(before, &entry).is_lt())
            && self.entries.get(within.end).is_none_or(|next| compare(&entry, next).is_lt())
    }

    /// Sorts more of what is rough, until about `effort` entries were sorted or moved to their side of another.
    pub(super) fn refine(&mut self, effort: usize, compare: &impl Fn(&Entry, &Entry) -> Ordering) {
        let mut done = 0;
        while done < effort {
            let Some(last) = self.rough.pop() else { return };
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
    }

    /// The place that an entry has, or will have.
    pub(super) fn position(&self, entry: Entry, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Option<usize> {
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
    pub(super) fn merge(
        &mut self,
        mut gone: Vec<Entry>,
        mut come: Vec<Entry>,
        compare: &impl Fn(&Entry, &Entry) -> Ordering,
    ) -> Result<(), Astray> {
        gone.sort_unstable_by(compare);
        come.sort_unstable_by(compare);
        self.take_out(&gone, compare)?;
        self.put_in(&come, compare);
        Ok(())
    }

    fn take_out(&mut self, gone: &[Entry], compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Result<(), Astray> {
        let entries = &mut self.entries;
        let (mut read, mut write) = (0, 0);
        for next in gone {
            let until = read + run(&entries[read..], |entry| compare(entry, next).is_lt());
            if entries.get(until) != Some(next) {
                return Err(Astray);
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
pub(super) struct Astray;

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

/// Where few of many entries are wanted, a look at some of them tells about where to part the others, and one walk moves all
/// that can be among the `wanted + 1` at an end to that end. Says how many it moved; all of them where a look tells nothing.
fn narrow(entries: &mut [Entry], wanted: usize, end: End, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> usize {
    const LOOKS: usize = 1_024;
    let length = entries.len();
    if length <= RUN || wanted > length / 16 {
        return length;
    }
    let mut looks: Vec<Entry> = entries.iter().step_by(length / LOOKS).copied().collect();
    let about = wanted * looks.len() / length * 2 + 16;
    let mut moved = 0;
    match end {
        End::Front => {
            let (_, &mut part, _) = looks.select_nth_unstable_by(about, compare);
            for at in 0..length {
                if compare(&entries[at], &part).is_lt() {
                    entries.swap(at, moved);
                    moved += 1;
                }
            }
        }
        End::Back => {
            let about = looks.len() - 1 - about;
            let (_, &mut part, _) = looks.select_nth_unstable_by(about, compare);
            for at in (0..length).rev() {
                if compare(&entries[at], &part).is_gt() {
                    moved += 1;
                    entries.swap(at, length - moved);
                }
            }
        }
    }
    if moved > wanted { moved } else { length }
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
