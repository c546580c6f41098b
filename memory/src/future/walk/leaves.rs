//! Where a walk ends: in what is waited for, and in what a frame has of locks and channels.

use super::{
    super::{
        plan::{End, GuardPlan, Held, Leaf, LeafKind, Members, WakerAt},
        raw::{Hint, Part, RawClaim, RawOn, RawWait},
        view::View,
    },
    Here, LOWEST, Walk,
};
use crate::{ClaimKind, Interest, Reach};
use std::sync::Arc;

/// Bytes of a leaf that something may point into.
const LEAF: u64 = 64;
/// Of a set of more tasks it is not told which these are.
const MOST_JOINED: u64 = 64;
/// The bit of a oneshot's state that says that its sender's waker is there.
const TX_TASK_SET: u64 = 8;

impl Walk<'_, '_, '_> {
    pub(super) fn leaf(&mut self, at: u64, leaf: &Leaf, here: &Here) {
        let view = &mut *self.view;
        let read = |view: &View<'_>, place: u64| view.word(at.wrapping_add(place));
        let on = match &leaf.what {
            LeafKind::Acquire { semaphore, wanted, missing, queued, node } => {
                let queued = view.uint(at.wrapping_add(*queued), 1);
                match (read(view, *semaphore), read(view, *wanted), read(view, *missing), queued) {
                    (Some(semaphore), Some(wanted), Some(missing), Some(queued @ 0..=1)) => Some(RawOn::Acquire {
                        semaphore,
                        wanted,
                        missing,
                        queued: queued == 1,
                        node: at.wrapping_add(*node),
                    }),
                    _ => None,
                }
            }
            LeafKind::Notified { notify, offset, node } => read(view, *notify)
                .map(|notify| RawOn::Notified { notify: notify.wrapping_add(*offset), node: at.wrapping_add(*node) }),
            LeafKind::Sleep { seconds, nanos } => {
                let nanos = view.uint(at.wrapping_add(*nanos), 4).and_then(|nanos| u32::try_from(nanos).ok());
                read(view, *seconds)
                    .zip(nanos.filter(|nanos| *nanos < 1_000_000_000))
                    .map(|(seconds, nanos)| RawOn::Sleep { seconds: seconds.cast_signed(), nanos })
            }
            LeafKind::Join { header } => {
                read(view, *header).filter(|header| *header != 0).map(|header| RawOn::Join { header })
            }
            LeafKind::JoinAny { length, members } => read(view, *length).map(|length| {
                let members = members.and_then(|members| joined(view, at, members, length));
                RawOn::JoinAny { length, members: members.unwrap_or_default().into() }
            }),
            LeafKind::LocalSet => leaf.waker.as_ref().and_then(|waker| {
                let shared = behind(view, at, waker)?;
                Some(RawOn::LocalSet { at: shared })
            }),
            LeafKind::Oneshot(shared) => {
                // The channel is let go of when its value is taken.
                let Some(inner) = read(view, shared.pointer).filter(|inner| *inner != 0) else { return };
                Some(RawOn::Oneshot { at: inner.wrapping_add(shared.data), ty: shared.ty })
            }
            LeafKind::Message(shared) => read(view, shared.pointer)
                .map(|chan| RawOn::Message { at: chan.wrapping_add(shared.data), ty: shared.ty }),
            LeafKind::Closed { shared, state } => {
                let inner = read(view, shared.pointer).filter(|inner| *inner >= LOWEST);
                let Some(channel) = inner.map(|inner| inner.wrapping_add(shared.data)) else { return };
                let place = channel.wrapping_add(*state);
                let state = view.fetch(place, 8).then(|| view.word(place)).flatten();
                // Most senders that are polled are not: what polls them waits for something else.
                if state.is_none_or(|state| state & TX_TASK_SET == 0) {
                    return;
                }
                Some(RawOn::Closed { at: channel, ty: shared.ty })
            }
            LeafKind::Broadcast { receiver, shared } => {
                let place = read(view, *receiver).map(|at| at.wrapping_add(shared.pointer)).filter(|at| *at >= LOWEST);
                let pointer = place.filter(|at| view.fetch(*at, 8)).and_then(|at| view.word(at));
                pointer.map(|pointer| RawOn::Broadcast { at: pointer.wrapping_add(shared.data), ty: shared.ty })
            }
            LeafKind::Readiness { record, interest } => {
                let bits = view.uint(at.wrapping_add(*interest), 1);
                read(view, *record).map(|record| RawOn::Io { record, fd: None, interest: direction(bits) })
            }
            LeafKind::PollEvented { record, data, fd } => {
                let fd = fd.and_then(|fd| view.uint(at.wrapping_add(fd), 4)).map(|fd| fd as u32 as i32);
                read(view, *record).map(|record| RawOn::Io {
                    record: record.wrapping_add(*data),
                    fd,
                    interest: here.interest,
                })
            }
        };
        let Some(on) = on else {
            if here.reach == Reach::Polled {
                self.found.wrong = Some("what is waited for is nothing that it can be".into());
            }
            return;
        };
        // What is kept and not polled matters where it stands in a queue.
        if !here.polled() && !matches!(on, RawOn::Acquire { queued: true, .. }) {
            return;
        }
        let waker = leaf.waker.as_ref().and_then(|waker| {
            let start = behind(view, at, waker)?;
            let mut word = |place: u64| {
                let place = start.wrapping_add(place);
                view.fetch(place, 8).then(|| view.word(place)).flatten()
            };
            word(waker.vtable).filter(|vtable| *vtable != 0).and_then(|_| word(waker.data))
        });
        let mut here = here.clone();
        if here.reach == Reach::Held && self.is_pointed_at(at, LEAF, &here.awaited) {
            here.reach = Reach::Maybe;
        }
        let frame = self.step(leaf.text, &here);
        self.found.waits.push(RawWait { frame, reach: here.reach, on, waker, by: here.by });
    }

    pub(super) fn guard(&mut self, at: u64, guard: &GuardPlan, here: &Here) {
        let mut target = self.view.word(at.wrapping_add(guard.pointer));
        if let Some(hop) = guard.hop {
            let place = target.filter(|target| *target >= LOWEST).map(|target| target.wrapping_add(hop));
            target = place.filter(|place| self.view.fetch(*place, 8)).and_then(|place| self.view.word(place));
        }
        let Some(target) = target.filter(|target| *target >= LOWEST) else { return };
        let permits = match guard.permits {
            Held::Fixed(permits) => Some(permits),
            Held::At(place) => {
                let width = 4;
                self.view.uint(at.wrapping_add(place), width).and_then(|permits| u32::try_from(permits).ok())
            }
        };
        let Some(permits) = permits.filter(|permits| *permits > 0) else { return };
        if let Some((offset, kind, ty)) = guard.lock {
            let base = target.wrapping_add(offset);
            self.found.hints.push(Hint { base, kind, ty, name: Arc::from("") });
        }
        let part = guard.word.map_or(Part::Semaphore, Part::Word);
        self.claim(at, target.wrapping_add(guard.semaphore), part, ClaimKind::Permits(permits), here);
    }

    pub(super) fn end(&mut self, at: u64, end: &End, here: &Here) {
        let target = self.view.word(at.wrapping_add(end.shared.pointer)).filter(|target| *target >= LOWEST);
        let Some(target) = target.map(|target| target.wrapping_add(end.shared.data)) else { return };
        if let Some(leaf) = end.leaf.as_ref().filter(|_| here.polled()) {
            self.leaf(at, leaf, here);
        }
        self.claim(at, target, Part::Channel(end.shared.ty), end.what, here);
    }

    fn claim(&mut self, at: u64, of: u64, part: Part, what: ClaimKind, here: &Here) {
        let site = (here.site.0, at.wrapping_sub(here.site.1));
        let (frame, local, basis) = (here.frame, Arc::clone(&here.local), here.basis);
        self.found.claims.push(RawClaim { frame, at, of, part, what, local, basis, site });
    }
}

/// The headers of all tasks of a set of so many, where none of them has ended as far as the set knows.
fn joined(view: &mut View<'_>, at: u64, members: Members, length: u64) -> Option<Vec<u64>> {
    let mut word = |place: u64, size: u64| {
        let is_there = place >= LOWEST && view.fetch(place, size);
        is_there.then(|| view.word(place)).flatten()
    };
    let lists = word(at.wrapping_add(members.lists), 8)?;
    let list = |place: u64| lists.wrapping_add(place);
    if length == 0 || length > MOST_JOINED || word(list(members.notified), 8)? != 0 {
        return None;
    }
    let mut entry = word(list(members.idle), 8)?;
    let mut headers = Vec::new();
    while entry != 0 && (headers.len() as u64) < length {
        word(entry, members.size)?;
        headers.push(word(entry.wrapping_add(members.header), 8)?);
        entry = word(entry.wrapping_add(members.next), 8)?;
    }
    (entry == 0 && headers.len() as u64 == length).then_some(headers)
}

/// Where what a waker is in begins: here, or behind pointers.
fn behind(view: &mut View<'_>, at: u64, waker: &WakerAt) -> Option<u64> {
    waker.behind.iter().try_fold(at, |at, pointer| {
        let place = at.wrapping_add(*pointer);
        view.fetch(place, 8).then(|| view.word(place)).flatten().filter(|target| *target >= LOWEST)
    })
}

/// Tokio's bits of what a descriptor is awaited for.
fn direction(bits: Option<u128>) -> Interest {
    match bits {
        Some(bits) if bits & 3 == 1 => Interest::Read,
        Some(bits) if bits & 3 == 2 => Interest::Write,
        _ => Interest::Any,
    }
}
