//! Tokio's semaphore, which locks and the room of channels are made with: permits that are free, and the queue of those that wait.

use super::header::word;
use crate::{
    bytes::{Bytes, Wanted},
    debug::{Index, TypeId, Types},
};
use rustc_hash::FxHashSet;

const SEMAPHORE: &str = "tokio::sync::batch_semaphore::Semaphore";
const ACQUIRE: &str = "tokio::sync::batch_semaphore::Acquire";
/// The bit that says that a semaphore is closed, and how far the count stands above it.
const CLOSED: u64 = 1;
const SHIFT: u32 = 1;
/// More who wait are counted from their own side, and not by the queue.
const MOST: usize = 100_000;

/// Where things are in a semaphore and in those that wait for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    size: u64,
    permits: u64,
    head: u64,
    tail: u64,
    acquire: u64,
    node: u64,
    wanted: u64,
    missing: u64,
    waker: (u64, u64),
    previous: u64,
}

/// A semaphore, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Semaphore {
    pub(crate) free: u64,
    pub(crate) closed: bool,
    /// Who waits, first served first.
    pub(crate) queue: Vec<Queued>,
    /// Whether the queue was followed to its end.
    pub(crate) whole: bool,
}

/// One who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queued {
    /// Where its node is, inside of what waits.
    pub(crate) node: u64,
    pub(crate) wanted: u64,
    pub(crate) missing: u64,
    /// Whom its waker leads to.
    pub(crate) waker: u64,
}

impl Layout {
    /// From tokio's types.
    pub(crate) fn new(types: &dyn Types, index: &Index) -> Option<Self> {
        let semaphore = *index.named.get(SEMAPHORE)?;
        let acquire = *index.named.get(ACQUIRE)?;
        let (list, list_ty) = types.find(semaphore, &|ty| ty.name.starts_with("LinkedList<"), 8)?;
        let (node, node_ty) = types.path(acquire, &["node"])?;
        let (waker, waker_ty) = types.path(node_ty, &["waker"])?;
        let (data, vtable) = types.waker(waker_ty)?;
        let (pointers, pointers_ty) = types.path(node_ty, &["pointers"])?;
        let (inner, inner_ty) = types.find(pointers_ty, &|ty| ty.member("prev").is_some(), 5)?;
        let at = |ty: TypeId, name: &str| types.path(ty, &[name]).map(|found| found.0);
        Some(Self {
            size: types.ty(semaphore).size,
            permits: at(semaphore, "permits")?,
            head: list + at(list_ty, "head")?,
            tail: list + at(list_ty, "tail")?,
            acquire: types.ty(acquire).size,
            node,
            wanted: at(acquire, "num_permits")?,
            missing: node + at(node_ty, "state")?,
            waker: (node + waker + data, node + waker + vtable),
            previous: node + pointers + inner + at(inner_ty, "prev")?,
        })
    }

    /// Reads many, each with its queue. A queue is followed one node of all at a time.
    pub(crate) fn read(&self, at: &[u64], bytes: &dyn Bytes) -> Vec<Option<Semaphore>> {
        let Ok(size) = usize::try_from(self.size) else { return vec![None; at.len()] };
        let read = read_all(bytes, at, size);
        let mut found = Vec::with_capacity(at.len());
        for bytes_of_one in read {
            found.push(bytes_of_one.and_then(|semaphore| self.parse(&semaphore, bytes)));
        }
        found
    }

    fn parse(&self, semaphore: &[u8], bytes: &dyn Bytes) -> Option<Semaphore> {
        let get = |at: u64| word(semaphore, usize::try_from(at).ok()?);
        let permits = get(self.permits)?;
        let mut found =
            Semaphore { free: permits >> SHIFT, closed: permits & CLOSED != 0, queue: Vec::new(), whole: false };
        // Served from the tail.
        let (head, mut node) = (get(self.head)?, get(self.tail)?);
        let mut seen = FxHashSet::default();
        let mut last = 0;
        while node != 0 && seen.len() < MOST && seen.insert(node) {
            let Some((queued, previous)) = self.queued(node, bytes) else { return Some(found) };
            found.queue.push(queued);
            last = node;
            node = previous;
        }
        found.whole = node == 0 && last == head;
        Some(found)
    }

    fn queued(&self, node: u64, bytes: &dyn Bytes) -> Option<(Queued, u64)> {
        let start = node.checked_sub(self.node)?;
        let mut acquire = vec![0; usize::try_from(self.acquire).ok().filter(|size| *size < 4096)?];
        if !bytes.read(start, &mut acquire) {
            return None;
        }
        let get = |at: u64| word(&acquire, usize::try_from(at).ok()?);
        let waker = if get(self.waker.1)? == 0 { 0 } else { get(self.waker.0)? };
        let queued = Queued { node, wanted: get(self.wanted)?, missing: get(self.missing)?, waker };
        Some((queued, get(self.previous)?))
    }
}

/// Reads a piece of this size at each of these addresses.
pub(crate) fn read_all(bytes: &dyn Bytes, at: &[u64], size: usize) -> Vec<Option<Vec<u8>>> {
    let mut pieces = vec![vec![0; size]; at.len()];
    let mut wanted: Vec<Wanted<'_>> =
        at.iter().zip(&mut pieces).map(|(at, into)| Wanted { at: *at, into, read: false }).collect();
    bytes.read_many(&mut wanted);
    let read: Vec<bool> = wanted.iter().map(|piece| piece.read).collect();
    pieces.into_iter().zip(read).map(|(piece, read)| read.then_some(piece)).collect()
}
