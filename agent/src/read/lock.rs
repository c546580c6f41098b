//! Copies of what is known of a lock.

#[cfg(feature = "metrics")]
use crate::view::LockTotals;
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

/// A lock's kind, the number of the place where it was made, and what it has come to so far; `None` when the slot is nobody's, or no lock's, or it is gone.
#[cfg(feature = "metrics")]
pub(crate) fn totals(round: &Round, slot: &resource::Slot) -> Option<(u32, u32, LockTotals)> {
    round.read(slot, |_| {
        let kind = slot.lock_kind.get();
        (kind != NONE && slot.dropped.get() == 0).then_some(())?;
        let lock = slot.lock.lock();
        let state = lock.as_deref()?;
        let waited = Duration::from_nanos(state.waited);
        let totals = LockTotals { waiters: state.waiters.len() as u64, acquisitions: state.acquisitions, waited };
        Some((kind, slot.location.get(), totals))
    })
}

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
