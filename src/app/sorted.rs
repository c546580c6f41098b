//! A sorted list that is changed by merging, never by sorting again: what comes and goes costs what it is, and the rest is
//! copied in runs.

use crate::model::Slot;
use std::cmp::Ordering;

/// A row, and what it is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) key: u64,
    pub(super) slot: Slot,
}

/// Entries in order.
#[derive(Debug, Default)]
pub(super) struct Sorted(Vec<Entry>);

impl Sorted {
    /// Takes entries that are in order already.
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    pub(super) fn as_slice(&self) -> &[Entry] {
        &self.0
    }

    /// The place of an entry.
    pub(super) fn position(&self, entry: Entry, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> Option<usize> {
        self.0.binary_search_by(|other| compare(other, &entry)).ok()
    }

    /// Takes `gone` out and puts `come` in. Entries of `gone` must be there, and none may be in both.
    pub(super) fn merge(
        &mut self,
        mut gone: Vec<Entry>,
        mut come: Vec<Entry>,
        compare: &impl Fn(&Entry, &Entry) -> Ordering,
    ) {
        if gone.is_empty() && come.is_empty() {
            return;
        }
        gone.sort_unstable_by(compare);
        come.sort_unstable_by(compare);
        let old = &self.0[..];
        let mut new = Vec::with_capacity((old.len() + come.len()).saturating_sub(gone.len()));
        let (mut gone, mut come) = (gone.into_iter().peekable(), come.into_iter().peekable());
        let mut at = 0;
        loop {
            let comes = match (gone.peek(), come.peek()) {
                (None, None) => break,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some(gone), Some(come)) => compare(come, gone).is_lt(),
            };
            let Some(next) = (if comes { come.next() } else { gone.next() }) else { break };
            let run = at + run(&old[at..], &next, compare);
            new.extend_from_slice(&old[at..run]);
            at = run;
            if comes {
                new.push(next);
            } else if old.get(at) == Some(&next) {
                at += 1;
            }
        }
        new.extend_from_slice(&old[at..]);
        self.0 = new;
    }
}

/// How many entries come before `next`. Changes lie close together where they are many, so it looks near before it looks far.
fn run(entries: &[Entry], next: &Entry, compare: &impl Fn(&Entry, &Entry) -> Ordering) -> usize {
    let mut reach = 1;
    while reach < entries.len() && compare(&entries[reach], next).is_lt() {
        reach *= 2;
    }
    let (from, to) = (reach / 2, entries.len().min(reach + 1));
    from + entries[from..to].partition_point(|entry| compare(entry, next).is_lt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merging_is_sorting(
            old in proptest::collection::btree_set((0_u64..50, 0_usize..50), 0..60),
            changes in proptest::collection::vec((0_usize..60, 0_u64..50, 50_usize..99), 0..40),
        ) {
            let entry = |(key, slot)| Entry { key, slot: Slot::from_index(slot) };
            let old: Vec<Entry> = old.into_iter().map(entry).collect();
            let mut gone: Vec<Entry> = changes.iter().filter_map(|&(at, ..)| old.get(at).copied()).collect();
            gone.sort_unstable();
            gone.dedup();
            let mut come: Vec<Entry> = changes.iter().map(|&(_, key, slot)| entry((key, slot))).collect();
            come.sort_unstable();
            come.dedup();
            let mut expected: Vec<Entry> = old.iter().filter(|entry| !gone.contains(entry)).copied().collect();
            expected.extend(&come);
            expected.sort_unstable();
            let mut sorted = Sorted::new(old);
            sorted.merge(gone, come, &Entry::cmp);
            prop_assert_eq!(sorted.as_slice(), &expected[..]);
        }
    }
}
