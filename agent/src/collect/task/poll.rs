//! The edges of a task's polls: how long it waited, how long each poll took. Written by the thread that polls the task, which
//! is one at a time (I6 of [`crate::slots`]).

use super::{
    slot::{self, ROW_SHIFT, Slot, TASKS, TRACED, WORKER},
    woken_by,
};
use crate::{
    clock::Nanos,
    collect::{
        lock_sites, spans,
        thread_state::{Polled, ThreadState},
        threads,
    },
    slots::{
        doublings::Of,
        id::{self, Kind, Ours},
    },
    view::TaskKind,
};

/// A poll begins.
#[inline]
pub(crate) fn enter(local: &ThreadState, span: Ours, id: u64) {
    let Some((slot, written)) = TASKS.at(span.index) else { return };
    let outer = local.innermost(Kind::Task);
    if !local.push(Kind::Task, id) || outer == id {
        return;
    }
    let now = local.now();
    let polls = slot.polls.get();
    if polls == 0 {
        slot.first.set(now.raw());
        slot.runtime.set(local.runtime(slot.kind()) as u32);
        // A worker is a job that polls tasks.
        let is_job = slot.kind() == TaskKind::Blocking && !slot.is_worker();
        local.count_for(if is_job { Polled::Job } else { Polled::Task });
    }
    slot.polls.set(polls + 1);
    // Processors' counters may differ by a little: a task that moves from one to another still begins its poll after it ended
    // the one before. `is_polled` lives on that.
    let before = slot.started.get();
    slot.started.set(now.raw().max(slot.ended.get() + 1));
    let waited = match local.latency.take() {
        0 if slot::wakes_are_collected() => {
            // Woken during its last poll, it waited from that poll's end on.
            let woken = slot.last_wake.get().max(slot.ended.get());
            (woken != 0).then(|| now.raw().saturating_sub(woken))
        }
        // When it was woken is not known.
        0 => None,
        latency => Some(latency - 1),
    };
    let kind = slot.kind.get();
    if let Some(waited) = waited {
        // Whoever enters the span to drop the future was not woken for it.
        if slot.last_wake.get() >= before || !slot::wakes_are_collected() {
            local.doublings.count(kind >> ROW_SHIFT, Of::Wait, waited);
        }
        slot.scheduled.add(waited);
        slot.scheduled_times.record(waited);
        if u128::from(waited) >= woken_by::LONG_WAIT.as_nanos() {
            woken_by::keep(id, slot, now);
        }
    }
    // Of a task that polls others inside of its own polls, those spans count that it enters after the last of them.
    local.take_innermost_of_theirs();
    // A worker's thread is known from its start, whether it ever polls a task or not.
    let thread = local.thread();
    if kind & WORKER == 0 {
        thread.set_polling(id, now);
    }
    if kind & TRACED != 0 {
        lock_sites::entered(local, slot, id, now);
    }
    written.touch();
}

/// A poll ends.
#[inline]
pub(crate) fn exit(local: &ThreadState, span: Ours, id: u64) {
    let Some((slot, written)) = TASKS.at(span.index) else { return };
    if !local.pop(Kind::Task, id) {
        return;
    }
    let outer = local.innermost(Kind::Task);
    if outer == id {
        return;
    }
    let now = local.now();
    if local.traced.get() == id {
        lock_sites::left(local, id);
    }
    let started = slot.started.get();
    let took = now.raw().saturating_sub(started);
    slot.ended.set(started + took);
    slot.busy.add(took);
    slot.poll_times.record(took);
    local.doublings.count(slot.kind.get() >> ROW_SHIFT, Of::Poll, took);
    local.just_left.set(id);
    let innermost = local.take_innermost_of_theirs();
    if innermost != slot.context.get() || local.context_rewritten.take() {
        slot.set_context(innermost);
    }
    let outside = id::decode(outer).and_then(|span| TASKS.get(span.index)).filter(|slot| !slot.is_worker());
    let (outer, since) = outside.map_or((0, 0), |slot| (outer, slot.started.get()));
    local.thread().set_polling(outer, Nanos::from_raw(since).unwrap_or(now));
    written.touch();
    if std::thread::panicking() {
        threads::unwinds(id);
    }
}

impl Slot {
    /// Another context than after the poll before.
    #[cold]
    fn set_context(&self, innermost: u64) {
        self.context.set(innermost);
        self.extra.lock().context = spans::context(innermost);
        self.has_extra.set(1);
        self.context_changed.set(1);
    }
}
