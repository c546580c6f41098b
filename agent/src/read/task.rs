//! Copies of a task's slot, for whoever reads it while others write.

#[cfg(feature = "metrics")]
use crate::collect::task::slot::wakes_are_collected;
use crate::{
    clock::Nanos,
    collect::task::{
        slot::{Slot, TASKS},
        woken_by,
    },
    slots::{
        final_states::FinalStates,
        free_list::Kept,
        id::{self, Kind, Ours},
        intern,
        lifetime::Clones,
        round::Round,
    },
    view::{Histograms, Polls, TaskView, Wakes},
};
use std::time::Duration;

/// A copy of a slot; `None` when it is nobody's.
pub(crate) fn view(round: &Round, index: u32, slot: &Slot) -> Option<TaskView> {
    round.read(slot, |seen| {
        let stamp = seen.stamp(Clones::Alike);
        let created = Nanos::from_raw(slot.created.get());
        let name = if slot.has_extra.get() == 0 { None } else { slot.extra.lock().name.clone() };
        let self_wakes = slot.self_wakes.get();
        let task = id::encode(Ours { kind: Kind::Task, index, stamp });
        created.map(|created| TaskView {
            id: task,
            tokio_id: slot.tokio_id.get(),
            kind: slot.kind(),
            name,
            function: slot.function.get().checked_sub(1).map(intern::text),
            location: intern::location(slot.location.get()),
            size: slot.size.get().into(),
            original_size: slot.original_size.get().checked_sub(1).map(u64::from),
            created,
            dropped: Nanos::from_raw(slot.dropped.get()),
            polls: Polls {
                count: slot.polls.get(),
                first: Nanos::from_raw(slot.first.get()),
                last_started: Nanos::from_raw(slot.started.get()),
                last_ended: Nanos::from_raw(slot.ended.get()),
                busy: Duration::from_nanos(slot.busy.get()),
            },
            scheduled: Duration::from_nanos(slot.scheduled.get()),
            wakes: Wakes {
                wakes: slot.wakes_by_others() + self_wakes,
                self_wakes,
                clones: slot.clones.get() + slot.self_clones.get(),
                drops: slot.drops.get() + slot.self_drops.get(),
                last: Nanos::from_raw(slot.last_wake.get()),
            },
            woken_by: if slot.keeps_wakers() { woken_by::read(task) } else { None },
            parent: slot.parent.get(),
            runtime: slot.runtime.get().into(),
        })
    })
}

/// What a task does.
#[cfg(feature = "metrics")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// It is polled.
    Running,
    /// It was woken, or not polled yet. Where wakes are not collected, the latter alone.
    Scheduled,
    Idle,
}

/// What a task does that lives, and the [row](crate::collect::task::row) of its spawn location; `None` when the slot is nobody's. It looks at no more than that: there may
/// be very many.
#[cfg(feature = "metrics")]
pub(crate) fn doing(round: &Round, slot: &Slot) -> Option<(u32, Doing)> {
    round.read(slot, |_| {
        let (started, ended) = (slot.started.get(), slot.ended.get());
        let lives = slot.dropped.get() == 0 && slot.created.get() != 0;
        let is_woken = || slot.polls.get() == 0 || wakes_are_collected() && slot.last_wake.get() > started;
        let doing = if started > ended {
            Doing::Running
        } else if is_woken() {
            Doing::Scheduled
        } else {
            Doing::Idle
        };
        lives.then_some((slot.row(), doing))
    })
}

/// The histograms of a task that is still there.
pub(crate) fn histograms(round: &Round, span: Ours) -> Option<Histograms> {
    let slot = TASKS.get(span.index)?;
    round.read(slot, |seen| {
        let is_there = seen.stamp(Clones::Alike) == span.stamp;
        is_there.then(|| Histograms { polls: slot.poll_times.read(), scheduled: slot.scheduled_times.read() })
    })
}

/// Last states of tasks whose slots were used again before their end was told.
pub(crate) static FINAL_STATES: FinalStates<TaskView> = FinalStates::new();

impl Kept for Slot {
    fn hand_over(&self, round: &Round, index: u32) {
        FINAL_STATES.add(view(round, index, self));
    }
}
