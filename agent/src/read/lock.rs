//! Copies of what is known of a lock.

use crate::{
    clock::{self, Nanos},
    collect::{
        lock_state::{Hold, NONE, across},
        resource,
    },
    slots::{
        id::{self, Kind, Ours},
        lifetime::Clones,
        round::Round,
    },
    view::{self, LockView, MOST_HOLDERS, MOST_WAITERS},
};
use std::time::Duration;

/// A copy of what is known of a lock; `None` when the slot is nobody's, or no lock's.
pub(crate) fn view(round: &Round, index: u32, slot: &resource::Slot) -> Option<LockView> {
    round.read(slot, |seen| {
        let span = Ours { kind: Kind::Resource, index, stamp: seen.stamp(Clones::Numbered) };
        (slot.lock_kind.get() != NONE).then_some(())?;
        slot.lock.lock().as_mut().map(|state| {
            let mut across_await = state.across;
            let now = clock::now();
            state.flagged |= state.offends(now);
            state.look_at_holders(resource::mark(index), now);
            // Those who acquire it wait meanwhile: a bounded copy.
            let listed = state.holders.iter().take(MOST_HOLDERS).filter(|hold| !hold.is_unknown());
            let holders: Vec<view::Holder> = listed.map(Hold::view).collect();
            let unknown = state.holders.len() - holders.len();
            for holder in holders.iter().filter(|holder| holder.is_across_await) {
                across(&mut across_await, now.since(holder.since));
            }
            let waiters = state.waiters.iter().take(MOST_WAITERS);
            LockView {
                resource: id::encode(span),
                holders,
                unknown_holders: unknown as u64,
                waiters: waiters
                    .map(|wait| view::Waiter { op: wait.op, task: wait.task, access: wait.access, since: wait.since })
                    .collect(),
                more_waiters: state.waiters.len().saturating_sub(MOST_WAITERS) as u64,
                acquisitions: state.acquisitions,
                contended: state.contended,
                across_await,
                hold_times: state.hold_times,
                held: Duration::from_nanos(state.held),
                longest_hold: Duration::from_nanos(state.longest),
                dropped: Nanos::from_raw(slot.dropped.get()),
            }
        })
    })
}
