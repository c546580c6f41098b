//! What a look asks of all tasks: found in one pass over what is at hand of each, so that what sleeps alone is not gone to.

use super::{
    Known, Tasks,
    cells::{Flags, Slot},
};
use crate::Who;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Which tasks are what, by their number among the slots.
#[derive(Debug, Default)]
pub(super) struct Overview {
    pub(super) moving: u64,
    tasks: usize,
    listed: u64,
    /// Of which something may be to be told.
    lively: Vec<u32>,
    involved: Vec<u32>,
    unread: Vec<u32>,
    jobs: Vec<u32>,
    /// Of each group a task.
    groups: Vec<Option<u32>>,
    /// Whom wakers lead to that lead to no header.
    aliases: FxHashMap<u64, u64>,
}

impl Overview {
    pub(super) fn new(slots: &[Slot], groups: usize) -> Self {
        let mut this = Self { groups: vec![None; groups], ..Self::default() };
        for (index, slot) in slots.iter().enumerate() {
            let (flags, index) = (slot.flags, index as u32);
            if let Some(one) = this.groups.get_mut(slot.group as usize) {
                *one = Some(index);
            }
            this.moving += u64::from(flags.has(Flags::MOVING));
            this.listed += u64::from(flags.has(Flags::LISTED));
            if flags.has(Flags::JOB) {
                this.jobs.push(index);
            } else {
                this.tasks += 1;
                if flags.has(Flags(Flags::TOUCHED.0 | Flags::SHARED.0 | Flags::UNTOLD.0)) {
                    this.lively.push(index);
                }
            }
            if flags.has(Flags::INVOLVED) && !flags.has(Flags::MOVING) {
                this.involved.push(index);
            }
            if flags.has(Flags::UNREAD) {
                this.unread.push(index);
            }
            if flags.has(Flags::ALIASES)
                && let Some(known) = &slot.known
            {
                this.aliases.extend(known.found.aliases().iter().map(|alias| (*alias, slot.number)));
            }
        }
        this
    }
}

impl Slot {
    /// Notes what its task is to a look.
    pub(super) fn mark(&mut self) {
        use crate::{future::raw::RawWait, tokio::copy::Kind};
        let Some(known) = &self.known else { return };
        let (found, state) = (&known.found, known.state);
        let over = state.complete() || known.ty().kind == Kind::Worker;
        let read = found.chain.is_some() && !known.moving && found.opaque().is_empty();
        let mut flags = Flags(self.flags.0 & (Flags::TOUCHED.0 | Flags::UNTOLD.0));
        for (which, is_so) in [
            (Flags::MOVING, known.moving),
            (Flags::OUTSIDE, !found.outside().is_empty()),
            (Flags::INVOLVED, !found.claims().is_empty() || found.waits.iter().any(RawWait::is_for_a_thing)),
            (Flags::SHARED, found.waits.iter().any(RawWait::is_shared)),
            (Flags::ALIASES, !found.aliases().is_empty()),
            (Flags::JOB, !known.is_task()),
            (Flags::UNREAD, !over && !read),
            (Flags::LISTED, known.owner != 0 && !state.complete()),
        ] {
            if is_so {
                flags.set(which);
            }
        }
        self.flags = flags;
    }
}

impl Tasks {
    /// How many tasks there are, without jobs.
    pub(crate) fn count(&self) -> usize {
        self.overview.tasks
    }

    /// How many of them are in a runtime's list and have not ended.
    pub(crate) fn listed(&self) -> u64 {
        self.overview.listed
    }

    /// Tasks that wait for something that others may have, or have it, and do not move.
    pub(crate) fn involved(&self) -> impl Iterator<Item = &Known> {
        self.these(&self.overview.involved).map(|(_, known)| known)
    }

    /// What the blocking pool was given, workers among it, by address.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = (u64, &Known)> {
        self.these(&self.overview.jobs)
    }

    /// Tasks and jobs that may have something that was not seen.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &Known> {
        self.these(&self.overview.unread).map(|(_, known)| known)
    }

    /// Of each group of tasks one.
    pub(crate) fn of_each_group(&self) -> impl Iterator<Item = (u64, &Known)> {
        self.overview.groups.iter().flatten().filter_map(|index| self.slot(*index))
    }

    /// Tasks of which something may be to be told: those that changed, those that wait for what can change while they sleep, and
    /// those at these addresses. Each with what [`Self::tell`] takes.
    pub(crate) fn lively(&self, also: impl Iterator<Item = u64>) -> Vec<u32> {
        let also: BTreeSet<u32> = also
            .filter_map(|at| self.slots.binary_search_by_key(&at, |slot| slot.at).ok())
            .filter(|index| {
                let others = Flags(Flags::TOUCHED.0 | Flags::SHARED.0 | Flags::UNTOLD.0 | Flags::JOB.0);
                self.slots.get(*index).is_some_and(|slot| !slot.flags.has(others))
            })
            .map(|index| index as u32)
            .collect();
        self.overview.lively.iter().copied().chain(also).collect()
    }

    /// The address of this slot's task, and the task.
    pub(crate) fn slot(&self, index: u32) -> Option<(u64, &Known)> {
        let slot = self.slots.get(index as usize)?;
        Some((slot.at, slot.known.as_deref()?))
    }

    /// The task or job of this number, with its address.
    pub(crate) fn numbered(&self, number: u64) -> Option<(u64, &Known)> {
        let slot = self.slots.iter().find(|slot| slot.number == number)?;
        Some((slot.at, slot.known.as_deref()?))
    }

    /// Notes what was told of tasks, as hashes, and which are to be told later.
    pub(crate) fn tell(&mut self, told: &[(u32, u64)], later: &[u32]) {
        for (index, hash) in told {
            let Some(slot) = self.slots.get_mut(*index as usize) else { continue };
            slot.flags.clear(Flags(Flags::UNTOLD.0 | Flags::TOUCHED.0));
            if let Some(known) = &mut slot.known {
                known.told = *hash;
            }
        }
        for index in later {
            if let Some(slot) = self.slots.get_mut(*index as usize) {
                slot.flags.set(Flags::UNTOLD);
            }
        }
        if !later.is_empty() {
            self.overview = Overview::new(&self.slots, self.groups.all.len());
        }
    }

    /// Whether a task or job of each of these numbers is known.
    pub(crate) fn has_all(&self, numbers: &[u64]) -> bool {
        let mut missing: BTreeSet<u64> = numbers.iter().copied().collect();
        for slot in &self.slots {
            if missing.is_empty() {
                break;
            }
            missing.remove(&slot.number);
        }
        missing.is_empty()
    }

    /// Whom a waker leads to that leads to this address.
    pub(crate) fn who(&self, waker: u64) -> Option<Who> {
        let aliased = || self.overview.aliases.get(&waker).copied();
        self.get(waker).map(|known| known.number).or_else(aliased).map(Who::Task)
    }

    fn these<'a>(&'a self, which: &'a [u32]) -> impl Iterator<Item = (u64, &'a Known)> {
        which.iter().filter_map(|index| self.slot(*index))
    }
}

impl Known {
    /// The copy of tokio that it belongs to.
    pub(crate) fn copy(&self) -> u16 {
        self.group.copy
    }

    /// The scheduler that it belongs to.
    pub(crate) fn scheduler(&self) -> u64 {
        self.group.scheduler
    }
}
