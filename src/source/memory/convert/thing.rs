//! Locks, semaphores and channels.

use super::task;
use crate::update::look::{Channel, Holder, Thing, ThingId, ThingKind, Waiter, Who};
use holdup_memory as memory;
use std::num::NonZeroU64;

pub(super) fn id(of: memory::Address) -> ThingId {
    ThingId(of)
}

pub(super) fn thing(thing: &memory::Thing) -> Thing {
    Thing {
        id: id(thing.at),
        kind: kind(thing.kind),
        ty: thing.ty.clone(),
        names: thing.names.clone(),
        of: thing.of.map(id),
        free: thing.free,
        total: thing.total,
        held: thing.held,
        channel: thing.channel.map(channel),
        holders: thing.holders.iter().map(holder).collect(),
        unseen: thing.unseen,
        perhaps: thing.perhaps.iter().copied().map(who).collect(),
        doubt: thing.doubt.clone(),
        queue: thing.queue.iter().map(waiter).collect(),
        steady: thing.steady,
    }
}

fn kind(kind: memory::ThingKind) -> ThingKind {
    match kind {
        memory::ThingKind::Mutex => ThingKind::Mutex,
        memory::ThingKind::RwLock => ThingKind::RwLock,
        memory::ThingKind::Semaphore => ThingKind::Semaphore,
        memory::ThingKind::OnceCell => ThingKind::OnceCell,
        memory::ThingKind::Unknown => ThingKind::Unknown,
        memory::ThingKind::Room => ThingKind::Room,
        memory::ThingKind::Mpsc => ThingKind::Mpsc,
        memory::ThingKind::Oneshot => ThingKind::Oneshot,
        memory::ThingKind::Watch => ThingKind::Watch,
        memory::ThingKind::Broadcast => ThingKind::Broadcast,
        memory::ThingKind::Notify => ThingKind::Notify,
        memory::ThingKind::Barrier => ThingKind::Barrier,
        memory::ThingKind::StdMutex => ThingKind::StdMutex,
        memory::ThingKind::StdRwLock => ThingKind::StdRwLock,
    }
}

fn channel(channel: memory::Channel) -> Channel {
    let memory::Channel { messages, bound, senders, receivers, closed } = channel;
    Channel { messages, bound, senders, receivers, closed }
}

fn who(who: memory::Who) -> Who {
    match who {
        memory::Who::Task(number) => NonZeroU64::new(number).map_or(Who::Unknown, Who::Task),
        memory::Who::Root(thread) => Who::Root(thread),
        memory::Who::Unknown => Who::Unknown,
    }
}

fn holder(holder: &memory::Holder) -> Holder {
    Holder {
        who: who(holder.who),
        what: task::claim_kind(holder.what),
        certainty: task::certainty(holder.basis),
        place: task::place(holder.place.as_ref()),
        local: holder.local.clone(),
    }
}

fn waiter(waiter: &memory::Waiter) -> Waiter {
    Waiter { who: who(waiter.who), wanted: waiter.wanted, missing: waiter.missing }
}
