//! The cells of tasks as they are read: many that are near one another in one call, each told from what it was by two hashes, so that
//! a cell in which nothing has changed costs its bytes and no more.

use super::Known;
use crate::{
    bytes::{Bytes, Wanted},
    tokio::{
        copy::TaskType,
        header::{HEADER, uint},
    },
};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::{hash::Hasher, ops::Range, sync::Arc};

/// Cells that are near one another are read together, up to this many bytes: what was read is hashed while it is near.
const RUN: u64 = 1 << 18;
const GAP: u64 = 4096;
/// Behind the header begins what is hashed without a look at where it is.
const BODY: usize = HEADER;
/// The state word and the link in a queue stand in front: others write those.
const OTHERS: usize = 16;

/// Tasks of one type on one scheduler.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) copy: u16,
    pub(crate) ty: Arc<TaskType>,
    /// What they have of their scheduler; 0 before a task was read.
    pub(crate) scheduler: u64,
}

/// A cell that is read in each round: what has to be at hand while nothing in it changes, and nothing else.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) at: u64,
    /// Of its task's number, once it was read.
    pub(super) number: u64,
    pub(super) prints: Prints,
    /// None: it was not read yet, or is none any more.
    pub(super) known: Option<Box<Known>>,
    /// The number of its group.
    pub(super) group: u32,
    pub(super) flags: Flags,
}

impl Slot {
    /// Lets it be gone through again, whatever its cell says.
    pub(super) fn forget(&mut self) {
        self.prints = Prints { own: u64::MAX, others: u64::MAX };
    }
}

/// What is asked of all tasks in each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags(pub(super) u16);

impl Flags {
    /// Something of it changed in the round that was last.
    pub(super) const TOUCHED: Self = Self(1);
    /// It moved whenever it was read.
    pub(super) const MOVING: Self = Self(1 << 1);
    /// Its walk read more than its cell.
    pub(super) const OUTSIDE: Self = Self(1 << 2);
    /// It refers to what others have as well: it waits for it or has it.
    pub(super) const INVOLVED: Self = Self(1 << 3);
    /// What it waits for can change while it sleeps.
    pub(super) const SHARED: Self = Self(1 << 4);
    /// Wakers of it lead to more than its header.
    pub(super) const ALIASES: Self = Self(1 << 5);
    /// It is a job of the blocking pool.
    pub(super) const JOB: Self = Self(1 << 6);
    /// It may have something that was not seen.
    pub(super) const UNREAD: Self = Self(1 << 7);
    /// It is in a runtime's list.
    pub(super) const LISTED: Self = Self(1 << 8);
    /// There was no room to tell of it.
    pub(super) const UNTOLD: Self = Self(1 << 9);

    pub(super) fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    pub(super) fn set(&mut self, which: Self) {
        self.0 |= which.0;
    }

    pub(super) fn clear(&mut self, which: Self) {
        self.0 &= !which.0;
    }
}

/// A cell as two hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Prints {
    /// Of what its own task decides.
    pub(super) own: u64,
    /// Of what others write: the state word, the links of its list, the waker of whoever awaits its end.
    pub(super) others: u64,
}

impl Prints {
    pub(super) fn of(ty: &TaskType, cell: &[u8]) -> Self {
        let trailer = usize::try_from(ty.vtable.trailer).unwrap_or(BODY) / 8 * 8;
        let trailer = trailer.clamp(BODY.min(cell.len()), cell.len());
        let (head, tail) = cell.split_at(trailer);
        let (head, body) = head.split_at(BODY.min(head.len()));
        let mut this = Self { own: hash(body), others: 0 };
        for (place, word) in words(head).enumerate() {
            match place * 8 {
                0 => this.others = mix(this.others, word),
                OTHERS.. => this.own = mix(this.own, word),
                _ => {}
            }
        }
        let links = |at| ty.owned.is_some_and(|owned| at == owned || at == owned + 8);
        let waker = |at| ty.join_waker.is_some_and(|(data, vtable)| at == data || at == vtable);
        for (place, word) in words(tail).enumerate() {
            let at = (trailer + place * 8) as u64;
            let print = if links(at) || waker(at) { &mut this.others } else { &mut this.own };
            *print = mix(*print, word);
        }
        this
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).filter_map(|word| word.try_into().ok().map(u64::from_le_bytes))
}

/// One step of a hash: for a given word no two hashes become one, nor two words for a given hash.
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0xf135_7aea_2e62_a9c5)
}

/// A hash of these bytes: four at once, since one step waits for the one before.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut lanes = [1, 2, 3, 4];
    let (rows, rest) = bytes.as_chunks::<32>();
    for row in rows {
        for (lane, word) in lanes.iter_mut().zip(words(row)) {
            *lane = mix(*lane, word);
        }
    }
    let mut hasher = FxHasher::default();
    hasher.write(rest);
    lanes.into_iter().fold(hasher.finish(), mix)
}

/// A piece outside of a cell that a walk read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outside {
    pub(super) at: u64,
    pub(super) len: u32,
    pub(super) hash: u64,
}

/// Of which of these slots something outside of their cells has changed that their walk read.
pub(super) fn stale(slots: &[Slot], run: &[u32], bytes: &dyn Bytes) -> FxHashSet<u32> {
    let pieces = || {
        run.iter().filter_map(|index| Some((*index, slots.get(*index as usize)?))).flat_map(|(index, slot)| {
            let known = slot.known.as_deref().filter(|_| slot.flags.has(Flags::OUTSIDE));
            known.into_iter().flat_map(move |known| known.found.outside().iter().map(move |piece| (index, piece)))
        })
    };
    let mut stale = FxHashSet::default();
    let size: usize = pieces().map(|(_, piece)| piece.len as usize).sum();
    if size == 0 {
        return stale;
    }
    let mut buffer = vec![0; size];
    let mut rest = buffer.as_mut_slice();
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for (_, piece) in pieces() {
        let (into, after) = rest.split_at_mut(piece.len as usize);
        wanted.push(Wanted { at: piece.at, into, read: false });
        rest = after;
    }
    bytes.read_many(&mut wanted);
    for ((index, piece), wanted) in pieces().zip(&wanted) {
        if !wanted.read || hash(wanted.into) != piece.hash {
            stale.insert(index);
        }
    }
    stale
}

/// Slots in the order of their addresses, those together that are near one another.
pub(super) fn runs<'a>(
    slots: &'a [Slot],
    which: &'a [u32],
    groups: &'a [Arc<Group>],
) -> impl Iterator<Item = &'a [u32]> {
    let mut rest = which;
    std::iter::from_fn(move || {
        let range = |index: &u32| slots.get(*index as usize).map_or(0..0, |slot| place(slot, groups));
        let first = range(rest.first()?);
        let mut end = first.end;
        let mut count = 1;
        for index in rest.iter().skip(1) {
            let cell = range(index);
            if cell.start > end.saturating_add(GAP) || cell.end.saturating_sub(first.start) > RUN {
                break;
            }
            end = end.max(cell.end);
            count += 1;
        }
        let (run, after) = rest.split_at(count);
        rest = after;
        Some(run)
    })
}

/// Where the cell of a slot is.
fn place(slot: &Slot, groups: &[Arc<Group>]) -> Range<u64> {
    let size = groups.get(slot.group as usize).map_or(0, |group| group.ty.size);
    slot.at..slot.at.saturating_add(size)
}

/// The bytes of a run of cells, in memory that the next run has, too.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: u64,
    /// Where something between them is not there: each by itself.
    each: Option<FxHashMap<u64, Vec<u8>>>,
}

impl Buffer {
    pub(super) fn read(&mut self, slots: &[Slot], run: &[u32], groups: &[Arc<Group>], bytes: &dyn Bytes) {
        let cells = || run.iter().filter_map(|index| slots.get(*index as usize)).map(|slot| place(slot, groups));
        self.start = cells().next().map_or(0, |cell| cell.start);
        let end = cells().map(|cell| cell.end).max().unwrap_or(self.start);
        let len = usize::try_from(end.saturating_sub(self.start)).unwrap_or(0);
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
        self.each = None;
        if self.bytes.get_mut(..len).is_some_and(|whole| bytes.read(self.start, whole)) {
            return;
        }
        let each = cells().filter_map(|cell| {
            let mut piece = vec![0; usize::try_from(cell.end - cell.start).ok()?];
            bytes.read(cell.start, &mut piece).then_some((cell.start, piece))
        });
        self.each = Some(each.collect());
    }

    pub(super) fn cell(&self, slot: &Slot, ty: &TaskType) -> Option<&[u8]> {
        if let Some(each) = &self.each {
            return each.get(&slot.at).map(Vec::as_slice);
        }
        let from = usize::try_from(slot.at.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(usize::try_from(ty.size).ok()?)?)
    }
}

/// Where in slots that are in the order of their addresses one is, looked for from a place near it.
pub(super) fn find_near(slots: &[Slot], near: usize, at: u64) -> Option<usize> {
    let (mut from, mut to) = (near, near);
    let mut step = 1;
    if slots.get(near).is_some_and(|slot| slot.at <= at) {
        while slots.get(to).is_some_and(|slot| slot.at <= at) {
            from = to;
            to = to.saturating_add(step);
            step *= 2;
        }
    } else {
        while from > 0 && slots.get(from).is_none_or(|slot| slot.at > at) {
            to = from;
            from = from.saturating_sub(step);
            step *= 2;
        }
    }
    let within = slots.get(from..to.min(slots.len()).saturating_add(1).min(slots.len()))?;
    within.binary_search_by_key(&at, |slot| slot.at).ok().map(|found| from + found)
}

/// A number of a cell.
pub(super) fn number(cell: &[u8], (at, width): (u64, u8)) -> Option<u128> {
    uint(cell, usize::try_from(at).ok()?, usize::from(width))
}
