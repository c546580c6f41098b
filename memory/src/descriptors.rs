//! Which task waits for which descriptor, in builds without types: the kernel says where tokio's record of each descriptor is, and a
//! waker that is kept there leads to a task. Nothing here knows of frames.

use crate::{
    Basis, Grade, Interest, Wait, WaitOn,
    bytes::{Bytes, Region, Watched},
    round::{Known, Tasks},
    tokio::{
        copy::Copy,
        io::Wakers,
        record::{self, ALIGNED, Layouts, Memory, Record},
    },
};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// More records of one driver than this are not read.
const MOST: usize = 1 << 18;
/// So many are asked how they are laid out.
const MOST_ASKED: usize = 4096;
/// What `mio` gives with the descriptor by which it wakes itself: a driver of tokio's has one.
const WAKES: u64 = 0;
/// Functions of a waker's vtable.
const FUNCTIONS: usize = 4;

/// What is known of the records of each driver, by its epoll descriptor.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    layouts: FxHashMap<i32, Layouts>,
}

/// Who waits for which descriptor.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// By the address of a task's header: the record, its descriptor, and for what.
    by: FxHashMap<u64, BTreeSet<(u64, i32, Interest)>>,
    /// What was read of those records.
    pub(crate) records: FxHashMap<u64, Wakers>,
}

/// What is read of.
#[derive(Clone, std::marker::Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) tasks: &'a Tasks,
    pub(crate) copies: &'a [Copy],
    pub(crate) regions: &'a [Region],
    pub(crate) bytes: &'a dyn Bytes,
}

impl Descriptors {
    /// Reads the records of descriptors that are watched, if there are tasks of which no types tell what they wait for.
    pub(crate) fn read(&mut self, watched: &[Watched], sources: Sources<'_>) -> Waiting {
        let mut waiting = Waiting::default();
        if !sources.copies.iter().any(is_bare) {
            return waiting;
        }
        let drivers: BTreeSet<i32> =
            watched.iter().filter(|watched| watched.data == WAKES).map(|watched| watched.epoll).collect();
        self.layouts.retain(|epoll, _| drivers.contains(epoll));
        let memory = Memory(sources.regions);
        let mut tasks = Owners { sources, vtables: FxHashMap::default() };
        for epoll in drivers {
            let its = watched.iter().filter(|watched| {
                watched.epoll == epoll && watched.data != WAKES && watched.data.is_multiple_of(ALIGNED)
            });
            let its: Vec<&Watched> = its.take(MOST).collect();
            let at: Vec<u64> = its.iter().map(|watched| watched.data).collect();
            let read = record::records(&at, sources.bytes);
            let layouts = self.layouts.entry(epoll).or_default();
            let asked: Vec<Record> = read.iter().copied().flatten().take(MOST_ASKED).collect();
            layouts.narrow(&asked, memory);
            for (watched, record) in its.iter().zip(&read) {
                let Some(record) = record else { continue };
                let mut found: Vec<(u64, Interest)> = Vec::new();
                for (data, vtable, interest) in layouts.polled(record, memory) {
                    found.extend(tasks.task(data, vtable).map(|task| (task, interest)));
                }
                if let Some(ends) = layouts.list(record, memory) {
                    found.extend(record::waiters(ends, sources.bytes, &mut |one, other| tasks.task(one, other)));
                }
                if found.is_empty() {
                    continue;
                }
                let readiness = layouts.readiness(record, memory).unwrap_or(0);
                waiting.records.insert(watched.data, Wakers { readiness, ..Wakers::default() });
                for (task, interest) in found {
                    waiting.by.entry(task).or_default().insert((watched.data, watched.fd, interest));
                }
            }
        }
        waiting
    }
}

/// Whether no types tell what tasks of this copy wait for.
fn is_bare(copy: &Copy) -> bool {
    copy.debug.grade() < Grade::Twin
}

/// Whom wakers lead to, by both of their words.
struct Owners<'a> {
    sources: Sources<'a>,
    /// Whether the vtable at this address is one of a waker, of which copy.
    vtables: FxHashMap<(u16, u64), VtableIs>,
}

#[derive(Clone, std::marker::Copy, PartialEq, Eq)]
enum VtableIs {
    OfWakers,
    None,
}

impl Owners<'_> {
    /// The header of the task that this waker wakes: that of a task of a copy without types, whose own object has the vtable.
    fn task(&mut self, data: u64, vtable: u64) -> Option<u64> {
        let known = self.sources.tasks.get(data).filter(|known| known.is_task())?;
        let copy = self.sources.copies.get(usize::from(known.copy())).filter(|copy| is_bare(copy))?;
        let bytes = self.sources.bytes;
        let is = *self.vtables.entry((known.copy(), vtable)).or_insert_with(|| {
            let object = &copy.object;
            let constant = object.constant.iter().any(|range| range.contains(&vtable));
            let function = |place: usize| bytes.word(vtable.checked_add(place as u64 * 8)?);
            let code = |place: usize| function(place).is_some_and(|at| object.has_code(at));
            if constant && (0..FUNCTIONS).all(code) { VtableIs::OfWakers } else { VtableIs::None }
        });
        (is == VtableIs::OfWakers).then_some(data)
    }
}

impl Waiting {
    /// What the task at this address waits for. One that is not gone through because it moves is not told of. Where there are more
    /// references to it than it has here, somebody else may wake it as well: a waker that is kept here may be left from before.
    pub(crate) fn of(&self, at: u64, known: &Known) -> Vec<Wait> {
        let told = !known.moving && known.found.chain.is_none();
        let Some(its) = self.by.get(&at).filter(|_| told) else { return Vec::new() };
        let wait = |what| Wait { frame: 0, what, basis: Basis::Likely };
        let io = its.iter().map(|(of, fd, interest)| WaitOn::Io { of: *of, fd: Some(*fd), interest: *interest });
        let mut waits: Vec<Wait> = io.map(wait).collect();
        // The list of its runtime has one, and its handle.
        let accounted = 1 + u64::from(known.state.join_interest()) + its.len() as u64;
        if known.state.references() > accounted {
            waits.push(wait(WaitOn::Other));
        }
        waits
    }

    /// The headers of all who wait.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = u64> {
        self.by.keys().copied()
    }

    /// The descriptors that are waited for.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = i32> {
        self.by.values().flatten().map(|(_, fd, _)| *fd)
    }
}
