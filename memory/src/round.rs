//! Looks that follow one another: each cell is read, and gone through again only if a byte of what its last walk read is another.
//!
//! A task is believed where nothing moved while it was read: the same state before and after, and the same bytes twice. What others
//! write into a cell is not in that: references and wakes in the state word, the links of the lists that the cell is in, the waker of
//! whoever awaits its end.

use crate::{
    Who,
    bytes::{Bytes, Wanted},
    future::{
        frames::Frames,
        planner::Plans,
        view::View,
        walk::{Hint, RawClaim, RawWait, Walked, Walker},
    },
    tokio::{
        copy::{Copy, Kind, OTHERWISE, TaskType},
        header::{Header, uint, word},
    },
};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::{hash::Hasher, sync::Arc};

/// Cells that are near one another are read together, up to this many bytes.
const RUN: u64 = 1 << 20;
const GAP: u64 = 4096;
/// How often a task that moves is read again.
const TRIES: usize = 3;

/// A task that was seen.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) number: u64,
    pub(crate) copy: u16,
    pub(crate) ty: Arc<TaskType>,
    pub(crate) header: Header,
    /// The scheduler that it belongs to.
    pub(crate) scheduler: u64,
    /// Whom the waker leads to of whoever awaits its end; 0: nobody does.
    pub(crate) join_waker: u64,
    /// The links of the list that it is in.
    links: (u64, u64),
    hash: u64,
    /// What else its walk read: where, and what was there.
    outside: Box<[Outside]>,
    pub(crate) found: Found,
    /// It moved whenever it was read.
    pub(crate) moving: bool,
    /// Where it was spawned: an address of a place.
    pub(crate) spawned: Option<u64>,
    /// In which round it was seen last.
    seen: u32,
    /// Whether something changed in the round that was last.
    pub(crate) changed: bool,
}

/// A piece outside of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outside {
    at: u64,
    len: u32,
    hash: u64,
}

/// What a walk found, kept until it is walked again.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) chain: Option<u32>,
    pub(crate) waits: Box<[RawWait]>,
    pub(crate) claims: Box<[RawClaim]>,
    pub(crate) aliases: Box<[u64]>,
    pub(crate) opaque: u32,
    pub(crate) unread: Arc<str>,
    pub(crate) panicked: bool,
}

/// All tasks, by the address of their header. A table has room for more than it has: in boxes that room costs little.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    pub(crate) known: FxHashMap<u64, Box<Known>>,
    /// What is to be read of them, by address.
    cells: Vec<Cell>,
    round: u32,
}

/// What a round took.
#[derive(Debug, Default, Clone, std::marker::Copy)]
pub(crate) struct Taken {
    pub(crate) walked: u64,
    pub(crate) moving: u64,
}

/// What a round works with.
pub(crate) struct Tools<'a> {
    pub(crate) bytes: &'a dyn Bytes,
    pub(crate) copies: &'a [Copy],
    /// Of each copy its own.
    pub(crate) plans: &'a mut [Plans],
    pub(crate) frames: &'a mut Frames,
    pub(crate) hints: &'a mut dyn FnMut(u16, Hint),
}

impl Tasks {
    /// Reads the cells of all that is known and of what is new, and says which tasks are gone.
    pub(crate) fn round(&mut self, fresh: &[(u64, Header)], tools: &mut Tools<'_>) -> (Vec<u64>, Taken) {
        self.round = self.round.wrapping_add(1);
        let mut taken = Taken::default();
        for known in self.known.values_mut() {
            known.changed = false;
        }
        // What is new is read at once: it may live for milliseconds.
        let fresh = self.fresh(fresh, tools.copies);
        self.passes(&fresh, tools, &mut taken);
        let cells = std::mem::take(&mut self.cells);
        self.passes(&cells, tools, &mut taken);
        self.cells = cells;
        self.prune(tools);
        let round = self.round;
        let mut gone = Vec::new();
        self.known.retain(|_, known| {
            let stays = known.seen == round;
            if !stays {
                gone.push(known.number);
            }
            stays
        });
        if !fresh.is_empty() || !gone.is_empty() {
            self.cells.extend(fresh);
            let known = &self.known;
            self.cells.retain(|cell| known.get(&cell.at).is_some_and(|known| known.header.vtable == cell.ty.vtable.at));
            self.cells.sort_unstable_by_key(|cell| cell.at);
        }
        taken.moving = self.known.values().filter(|known| known.moving).count() as u64;
        (gone, taken)
    }

    /// Whether a task or a job of this number is known.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.known.values().any(|known| known.number == number)
    }

    /// Of these those whose cells are as they were when they were gone through.
    pub(crate) fn still(&self, wanted: &FxHashSet<Who>, bytes: &dyn Bytes) -> FxHashSet<Who> {
        let mut cells: Vec<Cell> = self
            .known
            .iter()
            .filter(|(_, known)| wanted.contains(&Who::Task(known.number)) && !known.moving)
            .map(|(at, known)| Cell { at: *at, copy: known.copy, ty: Arc::clone(&known.ty) })
            .collect();
        cells.sort_unstable_by_key(|cell| cell.at);
        let mut still = FxHashSet::default();
        for run in runs(&cells) {
            let buffer = Run::read(run, bytes);
            let stale = self.stale_outside(run, bytes);
            for cell in run {
                let Some(known) = self.known.get(&cell.at) else { continue };
                if !stale.contains(&cell.at) && is_same(cell, known, buffer.cell(cell)) {
                    still.insert(Who::Task(known.number));
                }
            }
        }
        still
    }

    /// Of these headers those that are not read anyhow, by address.
    fn fresh(&self, headers: &[(u64, Header)], copies: &[Copy]) -> Vec<Cell> {
        let kinds = kinds(copies);
        let fresh = headers.iter().filter_map(|(at, header)| {
            let (copy, ty) = kinds.get(&header.vtable)?;
            let read = self.known.get(at).is_some_and(|known| known.header.vtable == header.vtable);
            (!read).then(|| Cell { at: *at, copy: *copy, ty: Arc::clone(ty) })
        });
        let mut fresh: Vec<Cell> = fresh.collect();
        fresh.sort_unstable_by_key(|cell| cell.at);
        fresh.dedup_by_key(|cell| cell.at);
        fresh
    }

    /// Reads cells, and those that moved meanwhile once more.
    fn passes(&mut self, cells: &[Cell], tools: &mut Tools<'_>, taken: &mut Taken) {
        let mut again = self.pass(cells, 0, tools, taken);
        for attempt in 1..TRIES {
            if again.is_empty() {
                break;
            }
            again = self.pass(&again, attempt, tools, taken);
        }
    }

    /// Reads cells, walks those that changed, and reads these once more. What moved meanwhile is to be read again.
    fn pass(&mut self, cells: &[Cell], attempt: usize, tools: &mut Tools<'_>, taken: &mut Taken) -> Vec<Cell> {
        let mut walked: Vec<Cell> = Vec::new();
        for run in runs(cells) {
            let buffer = Run::read(run, tools.bytes);
            let stale = self.stale_outside(run, tools.bytes);
            for cell in run {
                let Some(bytes) = buffer.cell(cell) else { continue };
                if self.take_in(cell, bytes, &stale, tools) {
                    taken.walked += 1;
                    walked.push(cell.clone());
                }
            }
        }
        let mut again = Vec::new();
        for run in runs(&walked) {
            let buffer = Run::read(run, tools.bytes);
            let stale = self.stale_outside(run, tools.bytes);
            for cell in run {
                let Some(known) = self.known.get_mut(&cell.at) else { continue };
                let same = buffer.cell(cell).is_some_and(|bytes| {
                    Header::parse(bytes).is_some_and(|header| header.state.motion() == known.header.state.motion())
                        && fingerprint(cell, bytes) == known.hash
                }) && !stale.contains(&cell.at);
                known.moving = !same || known.header.state.running();
                if !same && attempt + 1 < TRIES && !known.header.state.running() {
                    known.hash = !known.hash;
                    again.push(cell.clone());
                }
            }
        }
        again
    }

    /// Of which of these cells something outside has changed that their walk read.
    fn stale_outside(&self, run: &[Cell], bytes: &dyn Bytes) -> FxHashSet<u64> {
        let mut pieces: Vec<(u64, &Outside, Vec<u8>)> = Vec::new();
        for cell in run {
            if let Some(known) = self.known.get(&cell.at) {
                pieces.extend(known.outside.iter().map(|piece| (cell.at, piece, vec![0; piece.len as usize])));
            }
        }
        let mut wanted: Vec<Wanted<'_>> =
            pieces.iter_mut().map(|(_, piece, into)| Wanted { at: piece.at, into, read: false }).collect();
        bytes.read_many(&mut wanted);
        let read: Vec<bool> = wanted.iter().map(|piece| piece.read).collect();
        pieces
            .iter()
            .zip(read)
            .filter(|((_, piece, bytes), read)| !read || hash(bytes) != piece.hash)
            .map(|((cell, ..), _)| *cell)
            .collect()
    }

    /// Takes in a cell as it was read, and says whether it was gone through.
    fn take_in(&mut self, cell: &Cell, bytes: &[u8], stale: &FxHashSet<u64>, tools: &mut Tools<'_>) -> bool {
        let vtable = &cell.ty.vtable;
        let at = |place: u64| usize::try_from(place).ok().and_then(|place| word(bytes, place));
        let Some(header) = Header::parse(bytes).filter(|header| header.plausible() && header.vtable == vtable.at)
        else {
            return false;
        };
        let Some(number) = at(vtable.id).filter(|number| (1..1 << 48).contains(number)) else { return false };
        let links = cell.ty.owned.and_then(|owned| Some((at(owned)?, at(owned + 8)?))).unwrap_or_default();
        let waker = cell.ty.join_waker.filter(|_| header.state.join_waker());
        let join_waker =
            waker.and_then(|(data, vtable)| at(vtable).filter(|vtable| *vtable != 0).and_then(|_| at(data)));
        let hash = fingerprint(cell, bytes);
        let known =
            self.known.get_mut(&cell.at).filter(|known| known.number == number && known.header.vtable == header.vtable);
        if let Some(known) = known {
            known.seen = self.round;
            known.changed |= known.header.state != header.state || known.join_waker != join_waker.unwrap_or(0);
            known.header = header;
            known.links = links;
            known.join_waker = join_waker.unwrap_or(0);
            if known.hash == hash && !stale.contains(&cell.at) && !known.moving {
                return false;
            }
        }
        let (found, outside) = walk(cell, bytes, &header, tools);
        let known = Known {
            number,
            copy: cell.copy,
            ty: Arc::clone(&cell.ty),
            header,
            scheduler: at(vtable.scheduler).unwrap_or(0),
            join_waker: join_waker.unwrap_or(0),
            links,
            hash,
            outside,
            found,
            moving: header.state.running(),
            spawned: vtable.spawned.and_then(at),
            seen: self.round,
            changed: true,
        };
        self.known.insert(cell.at, Box::new(known));
        true
    }

    /// What only looks like a task is left out: freed cells and copies on stacks keep their bytes, but nobody links to them.
    fn prune(&mut self, tools: &Tools<'_>) {
        let linked = |at: u64, known: &Known| {
            let (previous, next) = known.links;
            let back = |neighbour: u64, wanted: fn(&Known) -> u64| {
                neighbour == 0 || self.known.get(&neighbour).is_none_or(|neighbour| wanted(neighbour) == at)
            };
            back(previous, |known| known.links.1) && back(next, |known| known.links.0)
        };
        // A task that is in no list yet is being made: what has its bytes may be the stack that it is made on.
        let made = |known: &Known| {
            known.header.owner != 0 || matches!(known.ty.kind, Kind::Blocking | Kind::Worker | Kind::Unknown)
        };
        let doubtful =
            self.known.iter().filter(|(at, known)| !made(known) || known.ty.owned.is_some() && !linked(**at, known));
        // Lists change while they are read, so that neighbours of two instants contradict each other: these are read again, together.
        let kinds = kinds(tools.copies);
        let lies: Vec<u64> = doubtful
            .filter(|(at, known)| !made(known) || !(0..TRIES).any(|_| linked_now(**at, known, &kinds, tools.bytes)))
            .map(|(at, _)| *at)
            .collect();
        for at in lies {
            self.known.remove(&at);
        }
    }
}

/// Whether the neighbours of a task in its list lead back to it, at this moment.
fn linked_now(at: u64, known: &Known, kinds: &FxHashMap<u64, (u16, Arc<TaskType>)>, bytes: &dyn Bytes) -> bool {
    let back = |neighbour: u64, offset: u64| {
        let vtable = neighbour.checked_add(16).and_then(|at| bytes.word(at))?;
        let owned = kinds.get(&vtable)?.1.owned?;
        bytes.word(neighbour.checked_add(owned)?.checked_add(offset)?)
    };
    let read = |place: u64| at.checked_add(place).and_then(|at| bytes.word(at));
    let Some(owned) = known.ty.owned else { return false };
    let same = read(16) == Some(known.header.vtable) && read(known.ty.vtable.id) == Some(known.number);
    let (Some(previous), Some(next)) = (read(owned), read(owned + 8)) else { return false };
    same && (previous == 0 || back(previous, 8) == Some(at)) && (next == 0 || back(next, 0) == Some(at))
}

/// A cell to be read.
#[derive(Debug, Clone)]
struct Cell {
    at: u64,
    copy: u16,
    ty: Arc<TaskType>,
}

impl Cell {
    fn end(&self) -> u64 {
        self.at.saturating_add(self.ty.size)
    }
}

fn kinds(copies: &[Copy]) -> FxHashMap<u64, (u16, Arc<TaskType>)> {
    copies
        .iter()
        .enumerate()
        .flat_map(|(copy, known)| known.types.iter().map(move |(at, ty)| (*at, (copy as u16, Arc::clone(ty)))))
        .collect()
}

/// Cells in the order of their addresses, those together that are near one another.
fn runs(cells: &[Cell]) -> impl Iterator<Item = &[Cell]> {
    let mut rest = cells;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut end = first.end();
        let mut count = 1;
        for cell in rest.iter().skip(1) {
            if cell.at > end.saturating_add(GAP) || cell.end().saturating_sub(first.at) > RUN {
                break;
            }
            end = end.max(cell.end());
            count += 1;
        }
        let (run, after) = rest.split_at(count);
        rest = after;
        Some(run)
    })
}

/// The bytes of a run of cells.
struct Run {
    start: u64,
    whole: Option<Vec<u8>>,
    each: FxHashMap<u64, Vec<u8>>,
}

impl Run {
    fn read(cells: &[Cell], bytes: &dyn Bytes) -> Self {
        let start = cells.first().map_or(0, |cell| cell.at);
        let end = cells.iter().map(Cell::end).max().unwrap_or(start);
        let mut whole = vec![0; usize::try_from(end - start).unwrap_or(0)];
        if bytes.read(start, &mut whole) {
            return Self { start, whole: Some(whole), each: FxHashMap::default() };
        }
        // Something between them is not there: each by itself.
        let each = cells.iter().filter_map(|cell| {
            let mut piece = vec![0; usize::try_from(cell.ty.size).ok()?];
            bytes.read(cell.at, &mut piece).then_some((cell.at, piece))
        });
        Self { start, whole: None, each: each.collect() }
    }

    fn cell(&self, cell: &Cell) -> Option<&[u8]> {
        match &self.whole {
            Some(whole) => {
                let from = usize::try_from(cell.at.checked_sub(self.start)?).ok()?;
                whole.get(from..from.checked_add(usize::try_from(cell.ty.size).ok()?)?)
            }
            None => self.each.get(&cell.at).map(Vec::as_slice),
        }
    }
}

/// Whether a cell is as it was when its task was gone through.
fn is_same(cell: &Cell, known: &Known, bytes: Option<&[u8]>) -> bool {
    bytes.is_some_and(|bytes| {
        let header = Header::parse(bytes);
        header.is_some_and(|header| header.state.motion() == known.header.state.motion())
            && fingerprint(cell, bytes) == known.hash
    })
}

/// What a cell's own task decides of its bytes.
fn fingerprint(cell: &Cell, bytes: &[u8]) -> u64 {
    let masked = |at: u64| {
        let links = cell.ty.owned.is_some_and(|owned| at == owned || at == owned + 8);
        let waker = cell.ty.join_waker.is_some_and(|(data, vtable)| at == data || at == vtable);
        // The state word and the link in a queue are others' as well.
        at < 16 || links || waker
    };
    let mut hasher = FxHasher::default();
    for (place, word) in bytes.chunks_exact(8).enumerate() {
        let at = place as u64 * 8;
        if (at >= 32 && at < cell.ty.vtable.trailer) || !masked(at) {
            hasher.write_u64(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        }
    }
    hasher.finish()
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// Goes through a task's future, and says what was read of it outside of its cell.
fn walk(cell: &Cell, bytes: &[u8], header: &Header, tools: &mut Tools<'_>) -> (Found, Box<[Outside]>) {
    let nothing = |unread: &str| (Found { unread: Arc::from(unread), ..Found::default() }, Box::default());
    let ty = &cell.ty;
    let Some(stage) = &ty.stage else { return nothing(&ty.unread) };
    let read = |(at, width): (u64, u8)| uint(bytes, usize::try_from(at).ok()?, usize::from(width));
    let within = |values: &[(u128, u128)], value| values.iter().any(|(from, to)| (*from..=*to).contains(&value));
    let Some(value) = read(stage.discriminant) else { return nothing("its stage cannot be read") };
    if header.state.complete() || within(&stage.finished, value) {
        let panicked = within(&stage.finished, value)
            && stage.panicked.as_ref().is_some_and(|panicked| {
                panicked.checks.iter().all(|(at, width, values)| {
                    let otherwise = width & OTHERWISE != 0;
                    read((*at, width & !OTHERWISE)).is_some_and(|value| within(values, value) != otherwise)
                })
            });
        return (Found { panicked, ..Found::default() }, Box::default());
    }
    if !within(&stage.running, value) {
        return nothing("it is being polled");
    }
    if header.state.running() {
        return nothing("it is being polled");
    }
    let (Some(plans), Some(copy)) =
        (tools.plans.get_mut(usize::from(cell.copy)), tools.copies.get(usize::from(cell.copy)))
    else {
        return nothing(&ty.unread);
    };
    let mut view = View::new(tools.bytes, cell.at, bytes);
    let dynamic = |vtable: u64| copy.dynamic(vtable);
    let mut walker = Walker { plans, frames: tools.frames, dynamic: &dynamic, standing: None };
    let seen = walker.future(&mut view, cell.at + stage.at, stage.future);
    let outside = view
        .footprint()
        .into_iter()
        .map(|(at, bytes)| Outside { at, len: bytes.len() as u32, hash: hash(&bytes) })
        .collect();
    (found(seen, cell.copy, tools.frames, tools.hints), outside)
}

/// What is kept of a walk.
pub(crate) fn found(walked: Walked, copy: u16, frames: &mut Frames, hints: &mut dyn FnMut(u16, Hint)) -> Found {
    for hint in walked.hints {
        hints(copy, hint);
    }
    if let Some(wrong) = walked.wrong {
        return Found { unread: wrong, ..Found::default() };
    }
    Found {
        chain: Some(frames.chain(&walked.steps)),
        waits: walked.waits.into(),
        claims: walked.claims.into(),
        aliases: walked.aliases.into(),
        opaque: walked.opaque,
        unread: Arc::from(""),
        panicked: false,
    }
}

/// The plans of each copy.
pub(crate) fn plans(copies: &[Copy]) -> Vec<Plans> {
    copies.iter().map(|copy| Plans::new(Arc::clone(&copy.debug))).collect()
}
