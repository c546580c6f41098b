//! Operations on resources: one call of `Mutex::lock` and its like, and how its future is polled.
//!
//! Times in here are those of the edges of the task's poll: an operation is polled for nanoseconds, and the clock is not read
//! for it. When an operation on a lock begins to wait, it is.

use crate::{
    clock::Nanos,
    collect::{
        attribute::{Attributes, Change, Of, Update, Writers},
        lock_sites, lock_state, locks, resource,
        thread_state::ThreadState,
    },
    slots::{
        arena::Arena,
        delivery::Delivery,
        final_states::FinalStates,
        free_list::{self, Kept},
        id::{self, Kind, Ours},
        intern,
        lifetime::{Clones, Lifetime, Reading},
        round::Round,
        stages,
        word::{Half, Word},
    },
    view::{Access, OpView, Polls},
};
use std::time::Duration;
use tracing_core::{Event, Field, field::Visit, span};

#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    lifetime: Lifetime,
    /// What of it was told last, see [`crate::read::changes`].
    delivery: Delivery,
    resource: Word,
    parent: Word,
    task: Word,
    polls: Word,
    first: Word,
    started: Word,
    ended: Word,
    busy: Word,
    created: Word,
    pub(crate) dropped: Word,
    source: Half,
    flags: Half,
    /// How it asks for a lock, see [`access`].
    access: Half,
    /// [`NEVER`], [`WAITS`] or [`SERVED`].
    waiting: Half,
    attributes: Attributes<4>,
}

/// What its parts tell of themselves holds for it, too.
const INHERITS: u32 = 1;
/// It is part of such a one.
const PART: u32 = 2;

/// It was not polled in vain.
pub(crate) const NEVER: u32 = 0;
/// It was polled in vain, and is not done.
const WAITS: u32 = 1;
/// It was polled in vain, and is done.
const SERVED: u32 = 2;

pub(crate) static OPS: Arena<Slot> = Arena::new();
pub(crate) static FINAL_STATES: FinalStates<OpView> = FinalStates::new();

#[inline]
fn access(raw: u32) -> Option<Access> {
    match raw {
        1 => Some(Access::Exclusive),
        2 => Some(Access::Shared),
        _ => None,
    }
}

impl Slot {
    /// Ended without ever having to wait, and never told of: as if it had not been.
    fn has_passed(&self, seen: Reading) -> bool {
        !seen.is_alive() && self.waiting.get() == NEVER && !self.delivery.has_heard_of(seen.stamp(Clones::Alike))
    }

    /// The lock that it asks for, and how; `None` when its resource is no lock.
    #[inline]
    fn lock(&self) -> Option<(Ours, Access)> {
        let access = access(self.access.get())?;
        Some((id::decode(self.resource.get())?, access))
    }
}

impl stages::Slot for Slot {
    const KIND: Kind = Kind::Op;
    const CLONES: Clones = Clones::Alike;

    fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    fn is_worth_telling(&self, seen: Reading) -> bool {
        !self.has_passed(seen)
    }
}

impl Kept for Slot {
    fn hand_over(&self, round: &Round, index: u32) {
        FINAL_STATES.add(view(round, index, self));
    }
}

/// Begins an operation on the resource that the thread is inside of; returns its span's id.
#[inline]
pub(crate) fn begin(local: &ThreadState, attributes: &span::Attributes<'_>) -> u64 {
    let Some((resource, _)) = resource::current(local) else { return id::INERT };
    let Some(slot) = local.ops.take(&free_list::OPS, &OPS) else { return id::INERT };
    let mut fields = SpanFields { local, source: 0, flags: 0, shared: 1 };
    attributes.record(&mut fields);
    let slot = slot.begin();
    slot.resource.set(resource::first_handle(local.innermost(Kind::Resource)));
    slot.parent.set(local.innermost(Kind::Op));
    for word in [&slot.task, &slot.polls, &slot.first, &slot.started, &slot.ended, &slot.busy, &slot.dropped] {
        word.set(0);
    }
    slot.created.set(local.about_now().raw());
    slot.source.set(fields.source);
    let parent = id::decode(local.innermost(Kind::Op)).and_then(|span| OPS.get(span.index));
    let part = parent.is_some_and(|parent| parent.flags.get() & INHERITS != 0);
    slot.flags.set(fields.flags | if part { PART } else { 0 });
    slot.access.set(if resource.lock_kind.get() == lock_state::NONE { 0 } else { fields.shared });
    slot.waiting.set(NEVER);
    slot.attributes.reset();
    id::encode(slot.publish())
}

/// The operation is entered: it is polled, or something is done on its behalf.
#[inline]
pub(crate) fn enter(local: &ThreadState, span: Ours, id: u64) {
    let outer = local.innermost(Kind::Op);
    if !local.push(Kind::Op, id) || outer == id {
        return;
    }
    let Some((slot, written)) = OPS.at(span.index) else { return };
    let now = local.about_now().raw();
    if slot.polls.get() == 0 {
        slot.first.set(now);
    }
    slot.polls.add(1);
    slot.started.set(now);
    written.touch();
}

/// The operation is left.
#[inline]
pub(crate) fn exit(local: &ThreadState, span: Ours, id: u64) {
    if !local.pop(Kind::Op, id) || local.innermost(Kind::Op) == id {
        return;
    }
    let Some(slot) = OPS.get(span.index) else { return };
    let now = local.about_now().raw();
    slot.busy.add(now.saturating_sub(slot.started.get()));
    slot.ended.set(now);
}

/// A handle of the span is cloned.
#[inline]
pub(crate) fn clone_handle(span: Ours) {
    if let Some(slot) = OPS.get(span.index) {
        slot.lifetime.clone_handle(Clones::Alike);
    }
}

/// A handle of the span is dropped. True when it was the last one.
#[inline]
pub(crate) fn close(local: &ThreadState, span: Ours, id: u64) -> bool {
    let ended = OPS.drop_handle(span.index, |slot| slot.dropped.set(local.about_now().raw()));
    let Some(slot) = ended else { return false };
    if slot.waiting.get() == WAITS {
        forget(&slot, id);
    }
    // What never had to wait, and nobody has seen, is not worth keeping.
    if slot.waiting.get() == NEVER && !slot.delivery.has_heard_of(span.stamp) {
        local.ops.recycle(&free_list::OPS, slot);
    } else {
        local.ops.retire(&free_list::OPS, slot);
    }
    true
}

/// The operation waits for a lock no longer, and has not got it.
#[cold]
fn forget(slot: &Slot, id: u64) {
    if let Some((lock, _)) = slot.lock() {
        locks::leave(lock, id, locks::Leave::Cancelled);
    }
}

/// What came of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polled {
    Ready,
    Pending,
}

/// The operation that the thread is inside of was polled.
#[inline]
pub(crate) fn polled(local: &ThreadState, polled: Polled) {
    if polled == Polled::Pending {
        lock_sites::pending(local);
    }
    let id = local.innermost(Kind::Op);
    let Some(span) = id::decode(id) else { return };
    let Some(slot) = OPS.get(span.index) else { return };
    let task = local.innermost(Kind::Task);
    let moved = slot.task.get() != task && task != 0;
    if moved {
        slot.task.set(task);
    }
    match (polled, slot.waiting.get() == WAITS) {
        (Polled::Ready, true) => {
            slot.waiting.set(SERVED);
            if let Some((lock, _)) = slot.lock() {
                locks::leave(lock, id, locks::Leave::Served(local.about_now()));
            }
        }
        (Polled::Pending, waits) if moved || !waits => {
            slot.waiting.set(WAITS);
            if let Some((lock, access)) = slot.lock() {
                locks::wait(lock, id, task, access, local);
            }
        }
        _ => {}
    }
}

/// An attribute of the operation that the thread is inside of changes.
#[inline]
pub(crate) fn update(local: &ThreadState, event: &Event<'_>) {
    let Some(span) = id::decode(local.innermost(Kind::Op)) else { return };
    let Some(slot) = OPS.get(span.index) else { return };
    let mut update = Update::new(local);
    event.record(&mut update);
    // Whoever polls it, and whoever gives it permits: the semaphore lets them do so one at a time.
    slot.attributes.update(&update, Of::Itself, Writers::One);
    if let (Some("permits_obtained"), Change::Add, Some(permits)) = (update.name(), update.change(), update.number()) {
        resource::obtained(local, slot.resource.get(), slot.task.get(), permits);
    }
    OPS.touch(span.index);
    if slot.flags.get() & PART != 0
        && let Some(span) = id::decode(slot.parent.get())
        && let Some(parent) = OPS.get(span.index)
    {
        parent.attributes.update(&update, Of::Child, Writers::One);
        OPS.touch(span.index);
    }
}

/// A copy of a slot; `None` when it is nobody's.
pub(crate) fn view(round: &Round, index: u32, slot: &Slot) -> Option<OpView> {
    round.read(slot, |seen| {
        let span = Ours { kind: Kind::Op, index, stamp: seen.stamp(Clones::Alike) };
        let view = Nanos::from_raw(slot.created.get()).map(|created| OpView {
            id: id::encode(span),
            resource: slot.resource.get(),
            source: intern::text(slot.source.get()),
            parent: slot.parent.get(),
            task: slot.task.get(),
            polls: Polls {
                count: slot.polls.get(),
                first: Nanos::from_raw(slot.first.get()),
                last_started: Nanos::from_raw(slot.started.get()),
                last_ended: Nanos::from_raw(slot.ended.get()),
                busy: Duration::from_nanos(slot.busy.get()),
            },
            attributes: slot.attributes.view(),
            created,
            dropped: Nanos::from_raw(slot.dropped.get()),
        });
        view.filter(|_| !slot.has_passed(seen))
    })
}

/// What a `runtime.resource.async_op` span tells.
struct SpanFields<'a> {
    local: &'a ThreadState,
    source: u32,
    flags: u32,
    shared: u32,
}

impl Visit for SpanFields<'_> {
    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "inherits_child_attrs" && value {
            self.flags |= INHERITS;
        }
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "source" {
            self.source = self.local.recent.text(value);
            self.shared = if value.starts_with("RwLock::read") { 2 } else { 1 };
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
