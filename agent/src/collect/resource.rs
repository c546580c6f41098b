//! Resources: locks, semaphores, channels, timers.

use crate::{
    clock::Nanos,
    collect::{
        attribute::{Attributes, Change, Of, Update, Writers},
        gone_locks,
        lock_sites::Mark,
        lock_state,
        permits::Ledger,
        thread_state::ThreadState,
    },
    slots::{
        arena::Arena,
        budget,
        delivery::Delivery,
        final_states::FinalStates,
        free_list::{self, Kept},
        id::{self, Kind, Ours},
        intern,
        lifetime::{Clones, Lifetime, user},
        round::Round,
        stages,
        word::{Half, Word},
    },
    view::ResourceView,
};
use parking_lot::Mutex;
use tracing_core::{Event, Field, field::Visit, span};

#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    lifetime: Lifetime,
    /// What of it was told last, see [`crate::read::changes`].
    delivery: Delivery,
    created: Word,
    pub(crate) dropped: Word,
    parent: Word,
    pub(crate) location: Half,
    concrete_type: Half,
    kind: Half,
    flags: Half,
    /// Which kind of lock it is.
    pub(crate) lock_kind: Half,
    attributes: Attributes<6>,
    /// Kept for the next user, so that not every lock has to make one.
    pub(crate) lock: Mutex<Option<Box<lock_state::State>>>,
    /// The same of a semaphore.
    ledger: Mutex<Option<Box<Ledger>>>,
}

/// What a slot keeps beside itself, and never gives back.
fn charged<T: Default>(kept: &mut Option<Box<T>>) -> &mut T {
    kept.get_or_insert_with(|| {
        budget::charge(size_of::<T>());
        Box::default()
    })
}

const INTERNAL: u32 = 1;
/// What its parts tell of themselves holds for it, too.
const INHERITS: u32 = 2;
/// It is part of such a one.
const PART: u32 = 4;
/// It is told who has its permits: a semaphore that is part of no lock.
const COUNTED: u32 = 8;

pub(crate) static RESOURCES: Arena<Slot> = Arena::new();
pub(crate) static FINAL_STATES: FinalStates<ResourceView> = FinalStates::new();

impl stages::Slot for Slot {
    const KIND: Kind = Kind::Resource;
    const CLONES: Clones = Clones::Numbered;

    fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }
}

impl Kept for Slot {
    fn hand_over(&self, round: &Round, index: u32) {
        FINAL_STATES.add(view(round, index, self));
    }
}

/// What marks a lock as changed.
pub(crate) fn mark(lock: u32) -> Mark {
    Mark { lock, touch: |lock| RESOURCES.touch(lock) }
}

/// The id of a resource's first handle, from that of any.
#[inline]
pub(crate) fn first_handle(id: u64) -> u64 {
    match id::decode(id) {
        Some(span) => id::encode(Ours { stamp: user(span.stamp, Clones::Numbered), ..span }),
        None => 0,
    }
}

/// The slot of the resource that the thread is inside of, and the handle that it was entered by.
#[inline]
pub(crate) fn current(local: &ThreadState) -> Option<(&'static Slot, Ours)> {
    let span = id::decode(local.innermost(Kind::Resource))?;
    Some((RESOURCES.get(span.index)?, span))
}

/// Begins a resource; returns its span's id.
pub(crate) fn begin(local: &ThreadState, attributes: &span::Attributes<'_>) -> u64 {
    let mut fields = SpanFields {
        local,
        concrete_type: 0,
        kind: 0,
        file: 0,
        line: 0,
        location: 0,
        flags: 0,
        lock_kind: 0,
        is_semaphore: false,
    };
    attributes.record(&mut fields);
    let Some(slot) = local.resources.take(&free_list::RESOURCES, &RESOURCES) else { return id::INERT };
    let slot = slot.begin();
    slot.created.set(local.about_now().raw());
    slot.dropped.set(0);
    slot.parent.set(first_handle(local.innermost(Kind::Resource)));
    slot.location.set(fields.location);
    slot.concrete_type.set(fields.concrete_type);
    slot.kind.set(fields.kind);
    let parent = current(local).map(|(parent, _)| parent);
    let part = parent.is_some_and(|parent| parent.flags.get() & INHERITS != 0);
    let of_lock = parent.is_some_and(|parent| parent.lock_kind.get() != lock_state::NONE);
    let counted = fields.is_semaphore && !of_lock;
    slot.flags.set(fields.flags | if part { PART } else { 0 } | if counted { COUNTED } else { 0 });
    slot.attributes.reset();
    slot.lock_kind.set(fields.lock_kind);
    if fields.lock_kind != lock_state::NONE {
        let mut lock = slot.lock.lock();
        charged(&mut lock).reset();
    }
    id::encode(slot.publish())
}

/// A handle of the span is cloned; returns the new one's id.
#[inline]
pub(crate) fn clone_handle(local: &ThreadState, span: Ours) -> u64 {
    let Some(slot) = RESOURCES.get(span.index) else { return id::INERT };
    let id = id::encode(Ours { stamp: slot.lifetime.clone_handle(Clones::Numbered), ..span });
    local.just_cloned.set(id);
    id
}

/// A handle of the span is dropped. True when it was the last one.
#[inline]
pub(crate) fn close(local: &ThreadState, span: Ours) -> bool {
    let ended = RESOURCES.drop_handle(span.index, |slot| {
        slot.dropped.set(local.about_now().raw());
        let kind = slot.lock_kind.get();
        if kind != lock_state::NONE
            && let Some(state) = slot.lock.lock().as_deref()
        {
            gone_locks::add(kind, slot.location.get(), state);
        }
    });
    let is_over = ended.is_some();
    if let Some(slot) = ended {
        local.resources.retire(&free_list::RESOURCES, slot);
    }
    is_over
}

/// An attribute of the resource that the thread is inside of changes.
#[inline]
pub(crate) fn update(local: &ThreadState, event: &Event<'_>) {
    let Some((slot, span)) = current(local) else { return };
    let mut update = Update::new(local);
    event.record(&mut update);
    slot.attributes.update(&update, Of::Itself, Writers::Many);
    if slot.flags.get() & COUNTED != 0 {
        count(local, slot, span, &update);
    }
    RESOURCES.touch(span.index);
    if slot.flags.get() & PART != 0
        && let Some(span) = id::decode(slot.parent.get())
        && let Some(parent) = RESOURCES.get(span.index)
    {
        parent.attributes.update(&update, Of::Child, Writers::Many);
        RESOURCES.touch(span.index);
    }
}

/// Permits are taken out of a semaphore's pool, or given back to it.
fn count(local: &ThreadState, slot: &Slot, span: Ours, update: &Update<'_>) {
    let Some(permits) = update.number().filter(|_| update.name() == Some("permits")) else { return };
    let (task, now) = (local.innermost(Kind::Task), local.about_now());
    let mut ledger = slot.ledger.lock();
    match (update.change(), &mut *ledger) {
        (Change::Set, ledger) => charged(ledger).reset(permits),
        (Change::Add, Some(ledger)) => ledger.give_back(task, permits, now),
        (Change::Subtract, Some(ledger)) => {
            ledger.take(task, permits, now);
            // The operation that they were taken for tells next what it has got.
            local.taken_for.set(first_handle(id::encode(span)));
        }
        (_, None) => {}
    }
}

/// An operation on a resource, of this task, has got permits.
pub(crate) fn obtained(local: &ThreadState, resource: u64, of: u64, permits: u64) {
    if local.taken_for.take() == resource {
        return;
    }
    // Handed on by whoever gives them back.
    let Some(span) = id::decode(resource) else { return };
    let Some(slot) = RESOURCES.get(span.index).filter(|slot| slot.flags.get() & COUNTED != 0) else { return };
    if let Some(ledger) = slot.ledger.lock().as_mut() {
        let (task, now) = (local.innermost(Kind::Task), local.about_now());
        ledger.give_back(task, permits, now);
        ledger.take(of, permits, now);
    }
    RESOURCES.touch(span.index);
}

/// A copy of a slot; `None` when it is nobody's.
pub(crate) fn view(round: &Round, index: u32, slot: &Slot) -> Option<ResourceView> {
    round.read(slot, |seen| {
        let span = Ours { kind: Kind::Resource, index, stamp: seen.stamp(Clones::Numbered) };
        let mut attributes = slot.attributes.view();
        if let Some(lock) = slot.lock.lock().as_ref().filter(|_| slot.lock_kind.get() != lock_state::NONE) {
            lock.attributes(slot.lock_kind.get(), &mut attributes);
        }
        Nanos::from_raw(slot.created.get()).map(|created| ResourceView {
            id: id::encode(span),
            parent: slot.parent.get(),
            concrete_type: intern::text(slot.concrete_type.get()),
            kind: intern::text(slot.kind.get()),
            location: intern::location(slot.location.get()),
            internal: slot.flags.get() & INTERNAL != 0,
            attributes,
            permits: slot
                .ledger
                .lock()
                .as_ref()
                .filter(|_| slot.flags.get() & COUNTED != 0)
                .map(|ledger| ledger.view()),
            created,
            dropped: Nanos::from_raw(slot.dropped.get()),
        })
    })
}

/// What a `runtime.resource` span tells.
struct SpanFields<'a> {
    local: &'a ThreadState,
    concrete_type: u32,
    kind: u32,
    file: u32,
    line: u32,
    location: u32,
    flags: u32,
    lock_kind: u32,
    is_semaphore: bool,
}

impl Visit for SpanFields<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "loc.line" => self.line = value as u32,
            // The last one of the three.
            "loc.col" => self.location = self.local.recent.location(self.file, self.line, value as u32),
            _ => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.flags |= match field.name() {
            "is_internal" if value => INTERNAL,
            "inherits_child_attrs" if value => INHERITS,
            _ => 0,
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "concrete_type" => {
                self.concrete_type = self.local.recent.text(value);
                self.lock_kind = lock_state::kind(value);
                self.is_semaphore = value == "Semaphore";
            }
            "kind" => self.kind = self.local.recent.text(value),
            "loc.file" => self.file = self.local.recent.text(value),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
