//! Wakes and wakers, counted by whoever wakes a task; apart from those the ones from inside of its own polls, which one thread
//! at a time counts.

use super::{slot::TASKS, woken_by};
use crate::{
    collect::{lock_sites, thread_state::ThreadState},
    slots::{
        id::{self, Kind},
        word::Word,
    },
    view::WokenBy,
};

/// What is done to a waker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WakerOp {
    Clone,
    Drop,
    Wake,
    WakeByRef,
}

/// Something is done to a task's waker.
///
/// A waker may outlive its task, and is no handle (I3 of [`crate::slots`]): so these words alone are written by somebody who only looks whether the slot is
/// still its task's. Were the slot given to another task between the look at its life and the write, the other
/// one would be counted a waker too many or too few: for that, thousands of tasks would have to end in between.
#[inline]
pub(crate) fn waker(local: &ThreadState, id: u64, op: WakerOp) {
    let Some(span) = id::decode(id).filter(|span| span.kind == Kind::Task) else { return };
    let Some((slot, written)) = TASKS.at(span.index) else { return };
    if !slot.is_of(span.stamp) {
        return;
    }
    let is_self = local.innermost(Kind::Task) == id || local.is_inside(id);
    let count = |of_self: &Word, of_others: &Word| if is_self { of_self.add(1) } else { of_others.add_shared(1) };
    match op {
        WakerOp::Clone => {
            count(&slot.self_clones, &slot.clones);
            if is_self {
                lock_sites::pending(local);
            }
        }
        WakerOp::Drop => count(&slot.self_drops, &slot.drops),
        WakerOp::Wake | WakerOp::WakeByRef => {
            let now = local.now();
            slot.last_wake.set(now.raw());
            count(&slot.self_wakes, &slot.wakes);
            if !is_self && woken_by::who(local) == WokenBy::Runtime {
                local.thread().wakes_outside(now);
            }
            if slot.keeps_wakers() {
                woken_by::note(id, if is_self { WokenBy::Task(id) } else { woken_by::who(local) }, now);
            } else if is_self && slot.self_wakes.get().is_multiple_of(woken_by::MANY_SELF_WAKES) {
                woken_by::keep(id, slot, now);
            }
            if op == WakerOp::Wake {
                count(&slot.self_drops, &slot.drops);
            }
        }
    }
    // The end of its own poll is noted soon enough.
    if !is_self {
        written.touch();
    }
}
