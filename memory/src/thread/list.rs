//! The thread pointers of all threads, without asking the kernel, which tells them to a debugger alone.
//!
//! One thread's structure is found at the top of its stack, or where the first thread's was put; the list that goes through all of
//! them leads to the others. Each is believed when it names itself, its neighbours name it, and its id is one that the kernel knows.

use super::libc::{Layout, Libc, word};
use crate::bytes::{Bytes, KernelThread, Region, Scene};
use rustc_hash::{FxHashMap, FxHashSet};

/// At the top of a mapping, so much is looked through.
const TOP: u64 = 64 << 10;
/// In all, so much is looked through in one look.
const MOST_BYTES: u64 = 256 << 20;
/// So many places that look like a thread's structure are asked whether they are in a list.
const MOST_CANDIDATES: usize = 20_000;
/// A list longer than this is a loop.
const MOST_LINKS: usize = 70_000;

/// Where the threads' structures are.
#[derive(Debug, Clone, Default)]
pub(crate) struct List {
    /// The C library, once a thread of it was found.
    pub(crate) libc: Option<Libc>,
    /// By the id that the looking one sees: the structure.
    pub(crate) structures: FxHashMap<u32, u64>,
    /// The ids for which memory was searched in vain.
    sought: FxHashSet<u32>,
}

impl List {
    /// Looks where the threads are; those that are known are only checked.
    pub(crate) fn renew(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        self.check(scene, bytes);
        let missing = |list: &Self| scene.threads.iter().any(|thread| !list.structures.contains_key(&thread.id));
        if missing(self) {
            self.walk(scene, bytes);
        }
        let hopeless = |list: &Self| {
            scene
                .threads
                .iter()
                .all(|thread| list.structures.contains_key(&thread.id) || list.sought.contains(&thread.id))
        };
        if !hopeless(self) {
            self.search(scene, bytes);
            self.sought =
                scene.threads.iter().map(|thread| thread.id).filter(|id| !self.structures.contains_key(id)).collect();
        }
    }

    /// Lets go of those that are not what they were.
    fn check(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        let Some(layout) = self.libc.map(Libc::layout) else { return };
        let known: Vec<(&KernelThread, u64)> =
            scene.threads.iter().filter_map(|thread| Some((thread, *self.structures.get(&thread.id)?))).collect();
        let at: Vec<u64> = known.iter().map(|(_, at)| *at).collect();
        let read = layout.read_many(&at, bytes);
        self.structures = known
            .iter()
            .zip(&read)
            .filter(|((thread, at), structure)| layout.recognize(*at, structure) == Some(thread.inner_id))
            .map(|((thread, at), _)| (thread.id, *at))
            .collect();
        self.sought.retain(|id| scene.threads.iter().any(|thread| thread.id == *id));
    }

    /// Goes through the lists of those that are known.
    fn walk(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        let Some(layout) = self.libc.map(Libc::layout) else { return };
        let ids = ids(scene);
        let mut seen: FxHashSet<u64> = self.structures.values().copied().collect();
        // Each step takes all that the step before led to, so that a list costs few calls where it branches, and one a link at most.
        let mut next: Vec<u64> = seen.iter().copied().collect();
        while !next.is_empty() && seen.len() < MOST_LINKS {
            let read = layout.read_many(&next, bytes);
            let mut further = Vec::new();
            for (at, structure) in next.iter().zip(&read) {
                let id = layout.recognize(*at, structure).and_then(|id| ids.get(&id));
                if let Some(id) = id {
                    self.structures.entry(*id).or_insert(*at);
                } else {
                    further.extend(neighbours(*at, &layout, bytes).into_iter().filter(|at| seen.insert(*at)));
                }
                // The head of a list is no thread, but leads on as one does: it stands alone, so that its words are read by themselves.
                let links = match (word(structure, layout.next), word(structure, layout.previous)) {
                    (Some(next), Some(previous)) => Some((next, previous)),
                    _ => head(*at, &layout, bytes),
                };
                if let Some((next, previous)) = links {
                    further.extend(
                        [next, previous].map(|link| layout.follow(link)).into_iter().filter(|at| seen.insert(*at)),
                    );
                }
            }
            next = further;
        }
    }

    /// Searches for a thread's structure where one may be.
    fn search(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        let ids = ids(scene);
        let (mut left, mut candidates_left) = (MOST_BYTES, MOST_CANDIDATES);
        let known = self.libc;
        for region in places(scene) {
            let found = self.structures.len();
            let candidates: Vec<Libc> =
                Libc::ALL.into_iter().filter(|libc| known.is_none_or(|known| known == *libc)).collect();
            for run in bytes.present(region) {
                if left == 0 || candidates_left == 0 {
                    return;
                }
                left = left.saturating_sub(run.end - run.start);
                let mut memory = vec![0; usize::try_from(run.end - run.start).unwrap_or(0)];
                if !bytes.read(run.start, &mut memory) {
                    continue;
                }
                for libc in &candidates {
                    let layout = libc.layout();
                    for (at, id) in structures(&memory, run.start, &layout) {
                        let Some(id) = ids.get(&id).filter(|_| candidates_left > 0) else { continue };
                        candidates_left -= 1;
                        let structure = memory.get((at - run.start) as usize..).unwrap_or_default();
                        if layout.linked(at, structure, bytes) {
                            self.libc = Some(*libc);
                            self.structures.entry(*id).or_insert(at);
                        }
                    }
                }
                if scene.threads.iter().all(|thread| self.structures.contains_key(&thread.id)) {
                    return;
                }
            }
            // One is enough: the list leads to the others. If it does not, the search goes on for them.
            if found < self.structures.len() {
                self.walk(scene, bytes);
                if scene.threads.iter().all(|thread| self.structures.contains_key(&thread.id)) {
                    return;
                }
            }
        }
    }
}

/// The kernel's ids by those that the process itself sees.
fn ids(scene: &Scene) -> FxHashMap<u32, u32> {
    scene.threads.iter().map(|thread| (thread.inner_id, thread.id)).collect()
}

/// The links of a list's head.
fn head(at: u64, layout: &Layout, bytes: &dyn Bytes) -> Option<(u64, u64)> {
    bytes.word(at.wrapping_add(layout.next)).zip(bytes.word(at.wrapping_add(layout.previous)))
}

/// The library has several lists, one for threads whose stacks it made and one for the others, among which is the first; their heads
/// stand side by side. What the lists beside a head lead to.
fn neighbours(at: u64, layout: &Layout, bytes: &dyn Bytes) -> Vec<u64> {
    if layout.links != super::libc::Links::Nodes {
        return Vec::new();
    }
    let head = at.wrapping_add(layout.next);
    let heads = [head.wrapping_sub(32), head.wrapping_sub(16), head.wrapping_add(16), head.wrapping_add(32)];
    let ends = |head: u64| {
        let (next, previous) = (bytes.word(head)?, bytes.word(head.wrapping_add(8))?);
        let agree =
            next != head && bytes.word(next.wrapping_add(8)) == Some(head) && bytes.word(previous) == Some(head);
        agree.then_some([layout.follow(next), layout.follow(previous)])
    };
    heads.into_iter().filter_map(ends).flatten().collect()
}

/// What in a piece of memory looks like a thread's structure, with the id in it.
fn structures<'a>(memory: &'a [u8], from: u64, layout: &'a Layout) -> impl Iterator<Item = (u64, u32)> + 'a {
    let span = layout.span() as usize;
    let first = from.next_multiple_of(8) - from;
    (first as usize..memory.len().saturating_sub(span - 1)).step_by(8).filter_map(move |offset| {
        let at = from + offset as u64;
        let structure = memory.get(offset..offset + span)?;
        // Most words are no pointer to themselves: the cheap question first.
        (layout.selves.is_empty() || word(structure, 0) == Some(at)).then_some(())?;
        Some((at, layout.recognize(at, structure)?))
    })
}

/// Where structures may be: above where threads sleep, at the tops of anonymous mappings, where a static program's heap begins, and
/// small mappings as a whole, among which is the first thread's.
fn places(scene: &Scene) -> Vec<std::ops::Range<u64>> {
    let plain = |region: &&Region| {
        region.may.read() && region.may.write() && !region.may.shared() && region.inode == 0 && region.path != "[stack]"
    };
    let top = |region: &Region| region.range.end.saturating_sub(TOP).max(region.range.start)..region.range.end;
    let mut places = Vec::new();
    for thread in &scene.threads {
        let stack = thread.registers.and_then(|registers| crate::bytes::find(&scene.regions, registers.sp));
        if let Some(region) = stack.filter(plain) {
            places.push(top(region));
        }
    }
    places.truncate(8);
    let all = || scene.regions.iter().filter(plain);
    places.extend(
        all()
            .filter(|region| region.path == "[heap]")
            .map(|heap| heap.range.start..heap.range.end.min(heap.range.start.saturating_add(16 * TOP))),
    );
    places.extend(
        all().filter(|region| region.range.end - region.range.start <= 16 * TOP).map(|region| region.range.clone()),
    );
    places.extend(all().filter(|region| region.range.end - region.range.start > 16 * TOP).map(top));
    places
}
