//! Tokio's record of a descriptor where no types say how it is laid out: the ways in which a compiler may have put its fields, held
//! against records until those are left that satisfy them all. `io` has the same by types.

use super::{header::word, semaphore::read_all};
use crate::{
    Interest,
    bytes::{Bytes, Region, find},
};

/// The words that a record's fields take, in whatever order.
const WORDS: usize = 10;
/// Records begin at multiples of this.
pub(crate) const ALIGNED: u64 = 128;
/// The words of a node in a record's list.
const NODE: usize = 6;
/// A longer list is not followed.
const MOST_NODES: usize = 256;
/// Bits of readiness.
const BITS: u64 = 0x3f;
const READABLE: u64 = 1;
const WRITABLE: u64 = 2;
/// What ends a wait: what is readable or writable, and what was closed in that direction.
const READS: u64 = READABLE | 4;
const WRITES: u64 = WRITABLE | 8;
const SHUTDOWN: u64 = 1 << 31;
/// So many records that agree outweigh one that does not: it may have been read while it changed.
const OUTWEIGH: usize = 8;

/// A record, word by word.
pub(crate) type Record = [u64; WORDS];

/// What an address is in.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a>(pub(crate) &'a [Region]);

impl Memory<'_> {
    fn is(self, at: u64, which: fn(&Region) -> bool) -> bool {
        at != 0 && at.is_multiple_of(8) && find(self.0, at).is_some_and(|region| region.may.read() && which(region))
    }

    fn constant(self, at: u64) -> bool {
        self.is(at, |region| !region.may.write())
    }

    /// Nothing, or where something may stand that is written to.
    fn link(self, at: u64) -> bool {
        at == 0 || self.is(at, |region| region.may.write())
    }
}

/// Where the words of a waker are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    data: usize,
    vtable: usize,
}

/// One way to lay out a record: where fields begin, by words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    links: usize,
    readiness: usize,
    lock: usize,
    list: usize,
    reader: Slot,
    writer: Slot,
}

/// What a record says of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It is not of this layout.
    No,
    /// Somebody waits for what has come.
    Against,
    /// It may be.
    Open,
    /// Somebody waits for the one thing that has not come.
    For,
}

impl Layout {
    /// All ways. Fields of one type stay in the order in which they are written: the reader's waker is before the writer's.
    fn all() -> impl Iterator<Item = Self> {
        let outer = [(0, 2, 3), (0, 9, 2), (1, 0, 3), (8, 0, 1), (7, 9, 0), (8, 7, 0)];
        let inner = [(1, 3, 5), (3, 1, 5), (5, 1, 3)];
        outer.into_iter().flat_map(move |(links, readiness, lock)| {
            inner.into_iter().flat_map(move |(list, reader, writer)| {
                [(0, 1), (1, 0)].into_iter().map(move |(data, vtable)| {
                    let slot = |at: usize| Slot { data: lock + at + data, vtable: lock + at + vtable };
                    Self { links, readiness, lock, list: lock + list, reader: slot(reader), writer: slot(writer) }
                })
            })
        })
    }

    fn fit(&self, record: &Record, memory: Memory<'_>) -> Fit {
        let link = |place| memory.link(at(record, place));
        let registered = |place| link(place) && at(record, place).is_multiple_of(ALIGNED);
        let (head, tail) = (at(record, self.list), at(record, self.list + 1));
        let listed = link(self.list) && link(self.list + 1) && (head == 0) == (tail == 0);
        let readiness = at(record, self.readiness);
        let is_readiness = readiness >> 32 == 0 && readiness & 0xffff & !BITS == 0;
        let is_lock = at(record, self.lock) & 0xff <= 3;
        let wakers = [self.reader, self.writer].map(|slot| at(record, slot.vtable));
        let are_wakers = wakers.iter().all(|vtable| *vtable == 0 || memory.constant(*vtable));
        if !(registered(self.links) && registered(self.links + 1) && listed && is_readiness && is_lock && are_wakers) {
            return Fit::No;
        }
        let [reads, writes] = [READS, WRITES].map(|bits| readiness & bits != 0);
        match wakers.map(|vtable| vtable != 0) {
            _ if readiness & SHUTDOWN != 0 => Fit::Open,
            [true, _] if reads => Fit::Against,
            [_, true] if writes => Fit::Against,
            [true, false] if writes => Fit::For,
            [false, true] if reads => Fit::For,
            _ => Fit::Open,
        }
    }
}

/// The layouts that the records of one driver have left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layouts(Vec<Layout>);

impl Layouts {
    /// Leaves those that these records can be of. Where none is left of what was known, records are others than they were.
    pub(crate) fn narrow(&mut self, records: &[Record], memory: Memory<'_>) {
        let satisfied = |layout: &Layout| {
            let fits: Vec<Fit> = records.iter().map(|record| layout.fit(record, memory)).collect();
            let count = |wanted| fits.iter().filter(|fit| **fit == wanted).count();
            count(Fit::No) * OUTWEIGH <= fits.len() && count(Fit::Against) * OUTWEIGH <= count(Fit::For)
        };
        let mut left: Vec<Layout> = self.0.iter().copied().filter(satisfied).collect();
        if left.is_empty() {
            left = Layout::all().filter(satisfied).collect();
        }
        if !left.is_empty() {
            self.0 = left;
        }
    }

    /// Of a record whoever waits for it by polling, and for what: as data and vtable of their waker. Nobody, where it is of no layout.
    pub(crate) fn polled(&self, record: &Record, memory: Memory<'_>) -> Vec<(u64, u64, Interest)> {
        let mut found: Vec<(Slot, Interest)> = Vec::new();
        for layout in self.fitting(record, memory) {
            for (slot, interest) in [(layout.reader, Interest::Read), (layout.writer, Interest::Write)] {
                match found.iter_mut().find(|known| known.0 == slot) {
                    Some(known) if known.1 != interest => known.1 = Interest::Any,
                    Some(_) => {}
                    None => found.push((slot, interest)),
                }
            }
        }
        let wakers =
            found.into_iter().map(|(slot, interest)| (at(record, slot.data), at(record, slot.vtable), interest));
        wakers.filter(|(data, vtable, _)| *data != 0 && memory.constant(*vtable)).collect()
    }

    /// Both ends of a record's list, where those that are left agree on it.
    pub(crate) fn list(&self, record: &Record, memory: Memory<'_>) -> Option<(u64, u64)> {
        let ends = |layout: &Layout| (at(record, layout.list), at(record, layout.list + 1));
        agreed(self.fitting(record, memory).map(ends)).filter(|(head, _)| *head != 0)
    }

    /// The word that is another with each event, where those that are left agree on it.
    pub(crate) fn readiness(&self, record: &Record, memory: Memory<'_>) -> Option<u64> {
        agreed(self.fitting(record, memory).map(|layout| at(record, layout.readiness)))
    }

    fn fitting<'a>(&'a self, record: &'a Record, memory: Memory<'a>) -> impl Iterator<Item = &'a Layout> {
        self.0.iter().filter(move |layout| matches!(layout.fit(record, memory), Fit::Open | Fit::For))
    }
}

/// What all of these are.
fn agreed<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Reads the records at these addresses.
pub(crate) fn records(at: &[u64], bytes: &dyn Bytes) -> Vec<Option<Record>> {
    read_all(bytes, at, WORDS * 8).into_iter().map(|bytes| Some(words(&bytes?))).collect()
}

/// Whoever stands in a record's list, and for what: each node by itself names the waker that `who` knows, and its neighbours agree that
/// it is between them. None of them, where the list cannot be followed from end to end.
pub(crate) fn waiters(
    (head, tail): (u64, u64),
    bytes: &dyn Bytes,
    who: &mut dyn FnMut(u64, u64) -> Option<u64>,
) -> Vec<(u64, Interest)> {
    for links in 0..NODE - 1 {
        let Some(nodes) = follow(head, tail, links, bytes) else { continue };
        return nodes.iter().filter_map(|node| waiter(node, links, who)).collect();
    }
    Vec::new()
}

/// The nodes from one end to the other, if the links are at this word of each.
fn follow(head: u64, tail: u64, links: usize, bytes: &dyn Bytes) -> Option<Vec<[u64; NODE]>> {
    let (mut nodes, mut node, mut before) = (Vec::new(), head, 0);
    while nodes.len() < MOST_NODES && node.is_multiple_of(8) {
        let mut piece = [0; NODE * 8];
        if !bytes.read(node, &mut piece) {
            return None;
        }
        let read: [u64; NODE] = words(&piece);
        let (previous, next) = (at(&read, links), at(&read, links + 1));
        if previous != before {
            return None;
        }
        nodes.push(read);
        if next == 0 {
            return (node == tail).then_some(nodes);
        }
        (before, node) = (node, next);
    }
    None
}

fn waiter(node: &[u64; NODE], links: usize, who: &mut dyn FnMut(u64, u64) -> Option<u64>) -> Option<(u64, Interest)> {
    let is_free = |place: &usize| *place != links && *place != links + 1;
    let pairs = (0..NODE - 1).filter(|place| is_free(place) && is_free(&(place + 1)));
    let (waker, waits) = pairs.into_iter().find_map(|place| {
        let (one, other) = (at(node, place), at(node, place + 1));
        Some((place, who(one, other).or_else(|| who(other, one))?))
    })?;
    let rest = (0..NODE).filter(|place| is_free(place) && *place != waker && *place != waker + 1);
    let mut interests = rest.map(|place| at(node, place)).filter(|word| (1..=BITS).contains(word));
    // An interest in errors or in what is urgent comes beside one of these.
    Some(match (interests.next()?, interests.next()) {
        (interest, None) if interest & (READABLE | WRITABLE) == READABLE => (waits, Interest::Read),
        (interest, None) if interest & (READABLE | WRITABLE) == WRITABLE => (waits, Interest::Write),
        _ => (waits, Interest::Any),
    })
}

fn at(words: &[u64], place: usize) -> u64 {
    words.get(place).copied().unwrap_or_default()
}

fn words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    std::array::from_fn(|place| word(bytes, place * 8).unwrap_or_default())
}

#[cfg(test)]
mod tests;
