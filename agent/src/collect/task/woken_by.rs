//! Who woke a task: kept of the few of which somebody will ask, because they waited long for their turn, wake themselves again and
//! again, or are looked at.
//!
//! Of each there is room for a handful of wakers, the latest, in a table that is bounded. Whoever wakes a task waits for nobody: where
//! another one, or a reader, is at the same place of the table at that moment, the wake is not noted. So the counts are lower bounds.

use super::slot::{self, Slot, TASKS};
use crate::{
    clock::Nanos,
    collect::thread_state::ThreadState,
    slots::id::{self, Kind},
    view::{Waking, WokenBy},
};
use parking_lot::Mutex;
use std::{sync::LazyLock, time::Duration};

/// Wakers that are kept of a task, the latest.
pub(crate) const MOST: usize = 4;

/// Who waited for so long for their turn will be asked about.
pub(crate) const LONG_WAIT: Duration = Duration::from_millis(50);

/// So will be who woke themselves so often; again each time, in case there was no room.
pub(super) const MANY_SELF_WAKES: u64 = 100;

/// Places of the table, and tasks that share one: with their slots' numbers they are spread evenly.
const PLACES: usize = 1024;
const IN_PLACE: usize = 4;

/// Made when there is something to keep.
static KEPT: LazyLock<Box<[Mutex<Vec<Kept>>]>> = LazyLock::new(|| (0..PLACES).map(|_| Mutex::default()).collect());

/// What is kept of one task.
#[derive(Debug, Clone)]
struct Kept {
    task: u64,
    /// Since when.
    since: Nanos,
    /// The latest first.
    wakers: Vec<Waking>,
    /// Wakes by those for whom there was no room any more.
    others: u64,
}

/// Who does something on a thread.
pub(super) fn who(local: &ThreadState) -> WokenBy {
    let task = local.innermost(Kind::Task);
    let slot = id::decode(task).and_then(|span| TASKS.get(span.index));
    match slot {
        // Outside of any poll a worker drives I/O and timers, and gives those who yielded their turn back.
        Some(slot) if slot.is_worker() => WokenBy::Runtime,
        Some(_) => WokenBy::Task(task),
        // So does whoever blocks on a current-thread runtime, outside of its polls.
        None if local.is_in_block_on() => WokenBy::Runtime,
        None => WokenBy::Outside,
    }
}

fn place(task: u64) -> Option<&'static Mutex<Vec<Kept>>> {
    KEPT.get(id::decode(task)?.index as usize % PLACES)
}

/// Notes a wake of a task of which that is kept.
#[cold]
pub(super) fn note(task: u64, by: WokenBy, now: Nanos) {
    let Some(mut place) = place(task).and_then(Mutex::try_lock) else { return };
    if let Some(kept) = place.iter_mut().find(|kept| kept.task == task) {
        kept.note(by, now);
    }
}

impl Kept {
    fn note(&mut self, by: WokenBy, now: Nanos) {
        let count = match self.wakers.iter().position(|waking| waking.by == by) {
            Some(at) => self.wakers.remove(at).count,
            None if self.wakers.len() == MOST => {
                self.others += self.wakers.pop().map_or(0, |waking| waking.count);
                0
            }
            None => 0,
        };
        self.wakers.insert(0, Waking { by, count: count + 1, last: now });
    }
}

/// Keeps from now on who wakes a task, if there is room.
#[cold]
pub(crate) fn keep(task: u64, slot: &Slot, now: Nanos) {
    if slot.keeps_wakers() || !slot::wakes_are_collected() {
        return;
    }
    let Some(mut place) = place(task).and_then(Mutex::try_lock) else { return };
    if place.len() == IN_PLACE {
        place.retain(|kept| lives(kept.task));
    }
    if place.len() < IN_PLACE {
        place.push(Kept { task, since: now, wakers: Vec::with_capacity(MOST), others: 0 });
        slot.keep_wakers();
    }
}

fn lives(task: u64) -> bool {
    let slot = id::decode(task).and_then(slot::slot);
    slot.is_some_and(|slot| !slot.has_ended())
}

/// Lets go of a task that has ended. Should somebody be in the way, the next one who needs the room does.
pub(super) fn forget(task: u64) {
    if let Some(mut place) = place(task).and_then(Mutex::try_lock) {
        place.retain(|kept| kept.task != task);
    }
}

/// Who woke a task, as far as that is kept.
pub(crate) fn read(task: u64) -> Option<crate::view::Wakers> {
    let place = place(task)?.lock();
    let kept = place.iter().find(|kept| kept.task == task)?;
    Some(crate::view::Wakers { since: kept.since, latest: kept.wakers.clone(), others: kept.others })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Nanos {
        Nanos::from_raw(1 + millis * 1_000_000).unwrap()
    }

    #[test]
    fn the_latest_are_kept_and_the_others_counted() {
        let mut kept = Kept { task: 1, since: at(0), wakers: Vec::new(), others: 0 };
        for (millis, task) in [(1, 11), (2, 12), (3, 11), (4, 13), (5, 14), (6, 15), (7, 11)] {
            kept.note(WokenBy::Task(task), at(millis));
        }
        kept.note(WokenBy::Runtime, at(8));
        let told: Vec<(WokenBy, u64)> = kept.wakers.iter().map(|waking| (waking.by, waking.count)).collect();
        assert_eq!(
            told,
            [(WokenBy::Runtime, 1), (WokenBy::Task(11), 3), (WokenBy::Task(15), 1), (WokenBy::Task(14), 1)]
        );
        assert_eq!((kept.others, kept.wakers[1].last), (2, at(7)));
    }
}
