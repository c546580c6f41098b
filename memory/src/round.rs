//! Looks that follow one another: each cell is read, and gone through again only if a byte of what its last walk read is another.
//!
//! A task is believed where nothing moved while it was read: the same state before and after, and the same bytes twice. What others
//! write into a cell is not in that: references and wakes in the state word, the links of the lists that the cell is in, the waker of
//! whoever awaits its end.
//!
//! ```text
//! cells     what is read, many cells a call, and told from what it was
//! walking   what has changed, gone through
//! overview  what a look asks of all tasks, in one pass over what is at hand of them
//! ```

mod cells;
mod overview;
mod walking;

use crate::{
    Who,
    bytes::Bytes,
    future::{frames::Frames, planner::Plans, raw::Hint},
    tokio::{
        copy::{Copy, Kind, TaskType},
        header::{Header, State, word},
    },
};
pub(crate) use cells::Group;
use cells::{Buffer, Flags, Prints, Slot, find_near, runs, stale};
use overview::Overview;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
pub(crate) use walking::{Found, found, plans};

/// How often a task that moves is read again.
const TRIES: usize = 3;

/// A task that was seen.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) number: u64,
    pub(crate) group: Arc<Group>,
    pub(crate) state: State,
    /// The list that it is in; 0: in none.
    owner: u64,
    /// Whom the waker leads to of whoever awaits its end; 0: nobody does.
    pub(crate) join_waker: u64,
    /// The links of the list that it is in.
    links: (u64, u64),
    pub(crate) found: Found,
    /// It moved whenever it was read.
    pub(crate) moving: bool,
    /// How often something of its own was another than before. One that was polled, and sleeps where it slept, has another count; so
    /// has one in a queue whose neighbour left.
    pub(crate) moves: u32,
    /// Where it was spawned: an address of a place; 0 where tokio keeps none.
    pub(crate) spawned: u64,
    /// A hash of what was told of it; 0: nothing was.
    pub(crate) told: u64,
}

impl Known {
    /// What kind of task it is.
    pub(crate) fn ty(&self) -> &Arc<TaskType> {
        &self.group.ty
    }

    /// Whether it is a task, and not a job of the blocking pool.
    pub(crate) fn is_task(&self) -> bool {
        !matches!(self.ty().kind, Kind::Blocking | Kind::Worker)
    }
}

/// All tasks, by the address of their header.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    /// By address.
    slots: Vec<Slot>,
    groups: Groups,
    overview: Overview,
    buffer: Buffer,
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

/// What a round comes to.
#[derive(Debug, Default)]
struct Outcome {
    taken: Taken,
    /// The numbers of tasks that are not there any more.
    gone: Vec<u64>,
    /// Tasks whose place in their list is another than it was, and their neighbours; not all, where there are many.
    relinked: Vec<u64>,
    /// How many of what was read for the first time could not be what it was taken for.
    lies: u32,
}

/// When so many of what was found in a round are not what they seem, the others are asked for their neighbours before they are gone
/// through: to go through what lies takes as long as it likes.
const LIES: u32 = 64;
/// Where more than so many are relinked, all tasks are gone through.
const MANY: usize = 1 << 18;

impl Outcome {
    fn relink<const N: usize>(&mut self, at: [u64; N]) {
        if self.relinked.len() < MANY {
            self.relinked.extend(at);
        }
    }
}

/// What is done with a cell that was read: which it is, and what it is read by.
type Visit<'v> = dyn FnMut(u32, &mut Slot, &mut Groups, &Buffer, &mut Tools<'_>) + 'v;

/// The groups of tasks, each with its number.
#[derive(Debug, Default)]
struct Groups {
    all: Vec<Arc<Group>>,
    /// By the vtable: of which copy and type.
    types: FxHashMap<u64, (u16, Arc<TaskType>)>,
    /// By the vtable and the scheduler.
    numbers: FxHashMap<(u64, u64), u32>,
}

impl Groups {
    /// As these copies of tokio have them. There are other copies only for tasks that are all new.
    fn learn(&mut self, copies: &[Copy]) {
        if self.types.is_empty() {
            let types = copies
                .iter()
                .enumerate()
                .flat_map(|(copy, known)| known.types.iter().map(move |(at, ty)| (*at, (copy as u16, Arc::clone(ty)))));
            self.types = types.collect();
        }
    }

    fn number(&mut self, vtable: u64, scheduler: u64) -> Option<u32> {
        if let Some(number) = self.numbers.get(&(vtable, scheduler)) {
            return Some(*number);
        }
        let (copy, ty) = self.types.get(&vtable)?;
        let number = u32::try_from(self.all.len()).ok()?;
        self.all.push(Arc::new(Group { copy: *copy, ty: Arc::clone(ty), scheduler }));
        self.numbers.insert((vtable, scheduler), number);
        Some(number)
    }

    /// Forgets groups that no task is of, once there are more groups than tasks.
    fn forget(&mut self, slots: &mut [Slot]) {
        if self.all.len() <= 1024 + 2 * slots.len() {
            return;
        }
        let old = std::mem::take(&mut self.all);
        self.numbers.clear();
        for slot in slots {
            let group = old.get(slot.group as usize);
            slot.group = group.and_then(|group| self.number(group.ty.vtable.at, group.scheduler)).unwrap_or(u32::MAX);
        }
    }
}

impl Tasks {
    /// Reads the cells of all that is known and of what is new, and says which tasks are gone.
    pub(crate) fn round(&mut self, fresh: Vec<(u64, Header)>, tools: &mut Tools<'_>) -> (Vec<u64>, Taken) {
        let mut outcome = Outcome::default();
        self.groups.learn(tools.copies);
        // What is new is read at once: it may live for milliseconds.
        let mut new = self.fresh(&fresh);
        drop(fresh);
        self.passes(&mut new, tools, &mut outcome);
        let mut slots = std::mem::take(&mut self.slots);
        for slot in &mut slots {
            slot.flags.clear(Flags::TOUCHED);
        }
        self.passes(&mut slots, tools, &mut outcome);
        self.slots = slots;
        let before = self.slots.len();
        self.slots.retain(|slot| slot.known.is_some());
        let lost = before - self.slots.len();
        new.retain(|slot| slot.known.is_some());
        if self.slots.is_empty() {
            self.slots = new;
        } else if !new.is_empty() {
            self.slots.append(&mut new);
            // What was kept first: a new one at the same address is another reading of it.
            self.slots.sort_by_key(|slot| slot.at);
            self.slots.dedup_by_key(|slot| slot.at);
        }
        self.prune(&mut outcome, tools);
        if lost > 0 && self.slots.capacity() / 4 > self.slots.len() {
            self.slots.shrink_to_fit();
        }
        self.groups.forget(&mut self.slots);
        self.overview = Overview::new(&self.slots, self.groups.all.len());
        outcome.taken.moving = self.overview.moving;
        (outcome.gone, outcome.taken)
    }

    /// The task or job at this address.
    pub(crate) fn get(&self, at: u64) -> Option<&Known> {
        let found = self.slots.binary_search_by_key(&at, |slot| slot.at).ok()?;
        self.slots.get(found)?.known.as_deref()
    }

    /// Of these those whose cells are as they were when they were gone through.
    pub(crate) fn still(&mut self, wanted: &FxHashSet<Who>, bytes: &dyn Bytes) -> FxHashSet<Who> {
        let is_wanted = |slot: &Slot| !slot.flags.has(Flags::MOVING) && wanted.contains(&Who::Task(slot.number));
        let which: Vec<u32> = indices(&self.slots, is_wanted).collect();
        let mut still = FxHashSet::default();
        for run in runs(&self.slots, &which, &self.groups.all) {
            self.buffer.read(&self.slots, run, &self.groups.all, bytes);
            let stale = stale(&self.slots, run, bytes);
            for index in run {
                let Some(slot) = self.slots.get(*index as usize) else { continue };
                if !stale.contains(index) && is_same(slot, &self.groups, &self.buffer) {
                    still.insert(Who::Task(slot.number));
                }
            }
        }
        still
    }

    /// Of these headers those that are not read anyhow, by address.
    fn fresh(&mut self, headers: &[(u64, Header)]) -> Vec<Slot> {
        let mut near = 0;
        let mut fresh: Vec<Slot> = Vec::new();
        for (at, header) in headers {
            let Some(group) = self.groups.number(header.vtable, 0) else { continue };
            let known =
                find_near(&self.slots, near, *at).and_then(|index| self.slots.get(index).map(|slot| (index, slot)));
            if let Some((index, slot)) = known {
                near = index;
                if slot.known.as_ref().is_some_and(|known| known.ty().vtable.at == header.vtable) {
                    continue;
                }
            }
            let (prints, flags) = (Prints::default(), Flags::default());
            fresh.push(Slot { at: *at, number: 0, prints, known: None, group, flags });
        }
        fresh.sort_unstable_by_key(|slot| slot.at);
        fresh.dedup_by_key(|slot| slot.at);
        fresh
    }

    /// Reads cells, and those that moved meanwhile once more.
    fn passes(&mut self, slots: &mut [Slot], tools: &mut Tools<'_>, outcome: &mut Outcome) {
        let mut which: Vec<u32> = indices(slots, |_| true).collect();
        for attempt in 0..TRIES {
            if which.is_empty() {
                break;
            }
            which = self.pass(slots, &which, attempt, tools, outcome);
        }
    }

    /// Reads cells, walks those that changed, and reads these once more. What moved meanwhile is to be read again.
    fn pass(
        &mut self,
        slots: &mut [Slot],
        which: &[u32],
        attempt: usize,
        tools: &mut Tools<'_>,
        outcome: &mut Outcome,
    ) -> Vec<u32> {
        let mut walked: Vec<u32> = Vec::new();
        self.each(slots, which, tools, &mut |index, slot, groups, buffer, tools| {
            if take_in(slot, groups, buffer, tools, outcome) {
                walked.push(index);
            }
        });
        outcome.taken.walked += walked.len() as u64;
        let mut again = Vec::new();
        self.each(slots, &walked, tools, &mut |index, slot, groups, buffer, _| {
            let same = is_same(slot, groups, buffer);
            let Some(known) = slot.known.as_deref_mut() else { return };
            let running = known.state.running();
            known.moving = !same || running;
            if !same && attempt + 1 < TRIES && !running {
                slot.forget();
                again.push(index);
            }
            slot.mark();
        });
        again
    }

    /// Reads cells, those together that are near one another, and visits each. One of which something else has changed that its walk
    /// read is none of those that are as they were, whatever its cell says.
    fn each(&mut self, slots: &mut [Slot], which: &[u32], tools: &mut Tools<'_>, visit: &mut Visit<'_>) {
        let mut rest = which;
        while let Some(run) = { runs(slots, rest, &self.groups.all).next() }.map(<[u32]>::len) {
            let (run, after) = rest.split_at(run);
            rest = after;
            self.buffer.read(slots, run, &self.groups.all, tools.bytes);
            let stale = stale(slots, run, tools.bytes);
            for index in run {
                let Some(slot) = slots.get_mut(*index as usize) else { continue };
                if stale.contains(index) {
                    slot.forget();
                }
                visit(*index, slot, &mut self.groups, &self.buffer, tools);
            }
        }
    }

    /// What only looks like a task is left out: freed cells and copies on stacks keep their bytes, but nobody links to them.
    /// A task whose place in its list is as it was stays one.
    fn prune(&mut self, outcome: &mut Outcome, tools: &Tools<'_>) {
        let relinked = &mut outcome.relinked;
        let suspects: Vec<u32> = if relinked.len() >= MANY || relinked.len() > self.slots.len() / 8 {
            indices(&self.slots, |_| true).collect()
        } else {
            relinked.sort_unstable();
            relinked.dedup();
            let found = relinked.iter().filter_map(|at| self.slots.binary_search_by_key(at, |slot| slot.at).ok());
            found.map(|index| index as u32).collect()
        };
        let lies = |index: &&u32| -> bool {
            let index = **index as usize;
            let Some(known) = self.slots.get(index).and_then(|slot| slot.known.as_deref()) else { return false };
            let at = self.slots.get(index).map_or(0, |slot| slot.at);
            // Lists change while they are read, so that neighbours of two instants contradict each other: these are read again, together.
            !is_made(known)
                || known.ty().owned.is_some()
                    && !self.is_linked(index, at, known)
                    && !linked_now(at, known.ty(), known.number, &self.groups, tools.bytes)
        };
        let lies: Vec<u32> = suspects.iter().filter(lies).copied().collect();
        let mut gone: Vec<u64> = Vec::new();
        for index in &lies {
            let Some(slot) = self.slots.get_mut(*index as usize) else { continue };
            gone.extend(slot.known.take().filter(|known| known.told != 0).map(|known| known.number));
        }
        if !lies.is_empty() {
            self.slots.retain(|slot| slot.known.is_some());
        }
        // What was told and only looked like a task may be told of the task itself by now.
        if !gone.is_empty() {
            let elsewhere: FxHashSet<u64> =
                self.slots.iter().map(|slot| slot.number).filter(|number| gone.contains(number)).collect();
            outcome.gone.extend(gone.into_iter().filter(|number| !elsewhere.contains(number)));
        }
    }

    /// Whether the neighbours of a task in its list lead back to it, as they were read.
    fn is_linked(&self, index: usize, at: u64, known: &Known) -> bool {
        let back = |neighbour: u64, wanted: fn(&Known) -> u64| {
            let found = find_near(&self.slots, index, neighbour).and_then(|found| self.slots.get(found));
            neighbour == 0 || found.and_then(|slot| slot.known.as_deref()).is_none_or(|known| wanted(known) == at)
        };
        let (previous, next) = known.links;
        back(previous, |known| known.links.1) && back(next, |known| known.links.0)
    }
}

/// Which slots these are.
fn indices(slots: &[Slot], which: impl Fn(&Slot) -> bool) -> impl Iterator<Item = u32> {
    slots.iter().enumerate().filter(move |(_, slot)| which(slot)).map(|(index, _)| index as u32)
}

/// A task that is in no list yet is being made: what has its bytes may be the stack that it is made on.
fn is_made(known: &Known) -> bool {
    known.owner != 0 || matches!(known.ty().kind, Kind::Blocking | Kind::Worker | Kind::Unknown)
}

/// Whether a cell that nobody knows yet stands where it says: between its neighbours, or in no list at all.
fn stands(at: u64, ty: &TaskType, read: &Reading, groups: &Groups, bytes: &dyn Bytes) -> bool {
    if read.header.owner == 0 {
        return matches!(ty.kind, Kind::Blocking | Kind::Worker | Kind::Unknown);
    }
    ty.owned.is_none() || linked_now(at, ty, read.number, groups, bytes)
}

/// Whether the neighbours of a task in its list lead back to it, at one of some moments: lists change while they are read.
fn linked_now(at: u64, ty: &TaskType, number: u64, groups: &Groups, bytes: &dyn Bytes) -> bool {
    let Some(owned) = ty.owned else { return false };
    let back = |neighbour: u64, offset: u64| {
        let vtable = neighbour.checked_add(16).and_then(|at| bytes.word(at))?;
        let owned = groups.types.get(&vtable)?.1.owned?;
        bytes.word(neighbour.checked_add(owned)?.checked_add(offset)?)
    };
    let read = |place: u64| at.checked_add(place).and_then(|at| bytes.word(at));
    (0..TRIES).any(|_| {
        let same = read(16) == Some(ty.vtable.at) && read(ty.vtable.id) == Some(number);
        let (Some(previous), Some(next)) = (read(owned), read(owned.saturating_add(8))) else { return false };
        same && (previous == 0 || back(previous, 8) == Some(at)) && (next == 0 || back(next, 0) == Some(at))
    })
}

/// Whether a cell is as it was when its task was gone through.
fn is_same(slot: &Slot, groups: &Groups, buffer: &Buffer) -> bool {
    let ty = groups.all.get(slot.group as usize).map(|group| &group.ty);
    let state = slot.known.as_ref().map(|known| known.state);
    ty.zip(state).is_some_and(|(ty, state)| {
        buffer.cell(slot, ty).is_some_and(|cell| {
            Header::parse(cell).is_some_and(|header| header.state.motion() == state.motion())
                && Prints::of(ty, cell).own == slot.prints.own
        })
    })
}

/// Takes in a cell as it was read, and says whether it was gone through.
fn take_in(
    slot: &mut Slot,
    groups: &mut Groups,
    buffer: &Buffer,
    tools: &mut Tools<'_>,
    outcome: &mut Outcome,
) -> bool {
    let Some(group) = groups.all.get(slot.group as usize).map(Arc::clone) else { return false };
    let ty = &group.ty;
    let cell = buffer.cell(slot, ty);
    let prints = cell.map(|cell| Prints::of(ty, cell)).unwrap_or_default();
    let calm = !slot.flags.has(Flags::MOVING);
    if cell.is_some() && slot.known.is_some() && prints == slot.prints && calm {
        return false;
    }
    let read = cell.and_then(|cell| Reading::of(ty, cell));
    let (Some(cell), Some(read)) = (cell, read) else {
        outcome.gone.extend(slot.known.take().map(|known| known.number));
        return false;
    };
    // Another task may have the cell of one that has ended.
    let replaced = slot.known.take_if(|known| known.number != read.number);
    outcome.gone.extend(replaced.map(|known| known.number));
    slot.number = read.number;
    let old = slot.prints;
    slot.prints = prints;
    if let Some(known) = slot.known.as_deref_mut() {
        if known.links != read.links {
            outcome.relink([slot.at, known.links.0, known.links.1, read.links.0, read.links.1]);
        }
        if known.state != read.header.state || known.join_waker != read.join_waker {
            slot.flags.set(Flags::TOUCHED);
        }
        known.state = read.header.state;
        known.owner = read.header.owner;
        known.links = read.links;
        known.join_waker = read.join_waker;
        if prints.own == old.own && calm {
            slot.mark();
            return false;
        }
    }
    let fresh = slot.known.is_none();
    if fresh && outcome.lies >= LIES && !stands(slot.at, ty, &read, groups, tools.bytes) {
        return false;
    }
    let found = walking::walk(slot.at, &group, cell, &read.header, tools);
    let asleep = !read.header.state.running() && !read.header.state.complete();
    if fresh && asleep && found.chain.is_none() && ty.stage.is_some() {
        outcome.lies = outcome.lies.saturating_add(1);
    }
    let group = match groups.number(read.header.vtable, read.scheduler) {
        Some(number) => {
            slot.group = number;
            groups.all.get(number as usize).map_or(group, Arc::clone)
        }
        None => group,
    };
    let another = u32::from(prints.own != old.own);
    let (told, moves) = slot.known.as_ref().map_or((0, 0), |known| (known.told, known.moves.wrapping_add(another)));
    if slot.known.is_none() || slot.known.as_ref().is_some_and(|known| known.owner != read.header.owner) {
        outcome.relink([slot.at, read.links.0, read.links.1]);
    }
    let known = Known {
        number: read.number,
        group,
        state: read.header.state,
        owner: read.header.owner,
        join_waker: read.join_waker,
        links: read.links,
        found,
        moving: read.header.state.running(),
        moves,
        spawned: read.spawned,
        told,
    };
    match slot.known.as_deref_mut() {
        Some(place) => *place = known,
        None => slot.known = Some(Box::new(known)),
    }
    slot.flags.set(Flags::TOUCHED);
    slot.mark();
    true
}

/// What a cell says beside its future.
struct Reading {
    header: Header,
    number: u64,
    links: (u64, u64),
    join_waker: u64,
    scheduler: u64,
    spawned: u64,
}

/// Nobody has spawned so many tasks. Addresses, which a cell that was freed may have there, are beyond.
const MOST_NUMBERS: u64 = 1 << 40;

impl Reading {
    /// `None` where these bytes are no cell of this type.
    fn of(ty: &TaskType, cell: &[u8]) -> Option<Self> {
        let at = |place: u64| usize::try_from(place).ok().and_then(|place| word(cell, place));
        let vtable = &ty.vtable;
        let header = Header::parse(cell).filter(|header| header.plausible() && header.vtable == vtable.at)?;
        // A job of the blocking pool is in no list, so that nothing else tells it from what a freed cell has become: it is never linked in a queue.
        let is_job = matches!(ty.kind, Kind::Blocking | Kind::Worker);
        if is_job && header.queue_next != 0 {
            return None;
        }
        let number = at(vtable.id).filter(|number| (1..MOST_NUMBERS).contains(number))?;
        let waker = ty.join_waker.filter(|_| header.state.join_waker());
        let join_waker =
            waker.and_then(|(data, vtable)| at(vtable).filter(|vtable| *vtable != 0).and_then(|_| at(data)));
        Some(Self {
            header,
            number,
            links: ty.owned.and_then(|owned| Some((at(owned)?, at(owned + 8)?))).unwrap_or_default(),
            join_waker: join_waker.unwrap_or(0),
            scheduler: at(vtable.scheduler).unwrap_or(0),
            spawned: vtable.spawned.and_then(at).unwrap_or(0),
        })
    }
}
