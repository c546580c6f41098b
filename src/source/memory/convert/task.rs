//! Tasks and what they await.

use super::{thing, whole};
use crate::update::{
    Place, SourcePlace, Stamp,
    look::{
        Certainty, Chain, Claim, ClaimKind, Fate, Frame, FrameKind, Home, Interest, Queued, Reach, State, TaskLook,
        Wait, WaitOn,
    },
};
use holdup_memory as memory;
use std::{num::NonZeroU64, sync::Arc, time::Duration};

pub(super) fn chain(chain: &memory::Chain) -> Arc<Chain> {
    Arc::new(Chain { frames: chain.frames.iter().map(frame).collect() })
}

fn frame(frame: &memory::Frame) -> Frame {
    Frame {
        depth: frame.depth,
        name: frame.name.to_string(),
        kind: match frame.kind {
            memory::FrameKind::Async => FrameKind::Async,
            memory::FrameKind::Several => FrameKind::Several,
            memory::FrameKind::Wrapper => FrameKind::Wrapper,
            memory::FrameKind::Leaf => FrameKind::Leaf,
            memory::FrameKind::Opaque => FrameKind::Opaque,
        },
        reach: reach(frame.reach),
        place: place(frame.place.as_ref()),
    }
}

pub(super) fn reach(reach: memory::Reach) -> Reach {
    match reach {
        memory::Reach::Polled => Reach::Polled,
        memory::Reach::Held => Reach::Held,
        memory::Reach::Disabled => Reach::Disabled,
        memory::Reach::Maybe => Reach::Maybe,
    }
}

/// A place, fit for a screen; without a file where it is not known.
pub(super) fn place(place: Option<&memory::Place>) -> Place {
    place.map_or_else(Place::default, |place| source(place).into())
}

fn source(place: &memory::Place) -> SourcePlace {
    SourcePlace { file: place.file.to_string(), line: place.line, column: 0 }
}

pub(super) fn look(task: &memory::Task, stamp: impl Fn(Duration) -> Stamp) -> TaskLook {
    TaskLook {
        state: match task.state {
            memory::TaskState::Idle => State::Idle,
            memory::TaskState::Woken => State::Woken,
            memory::TaskState::Running => State::Running,
            memory::TaskState::Complete => State::Complete,
        },
        queued: match task.queued {
            memory::Queued::Unknown => Queued::Unknown,
            memory::Queued::Lifo(worker) => Queued::Lifo(worker),
            memory::Queued::Local(worker) => Queued::Local(worker),
            memory::Queued::Injected => Queued::Injected,
            memory::Queued::Deferred(worker) => Queued::Deferred(worker),
        },
        future: task.future.clone(),
        place: task.defined.as_ref().or(task.spawned.as_ref()).map(source),
        local: task.local,
        home: match (task.set, task.runtime) {
            (Some(set), _) => Home::Set(thing::id(set)),
            (None, Some(runtime)) => Home::Runtime(whole::runtime_id(runtime as usize)),
            (None, None) => Home::Unknown,
        },
        size: task.size,
        references: task.references.saturating_sub(u32::from(task.join_interest)),
        fate: match (task.panicked, task.cancelled) {
            (true, _) => Fate::Panicked,
            (false, true) => Fate::Cancelled,
            (false, false) => Fate::Open,
        },
        chain: task.chain,
        unread: task.unread.clone(),
        waits: waits(&task.waits, stamp),
        claims: claims(&task.claims),
    }
}

pub(super) fn waits(waits: &[memory::Wait], stamp: impl Fn(Duration) -> Stamp) -> Box<[Wait]> {
    let wait = |wait: &memory::Wait| Wait {
        frame: wait.frame,
        on: wait_on(&wait.what, &stamp),
        certainty: certainty(wait.basis),
    };
    waits.iter().map(wait).collect()
}

fn wait_on(what: &memory::WaitOn, stamp: impl Fn(Duration) -> Stamp) -> WaitOn {
    match *what {
        memory::WaitOn::Permits { of, wanted, missing } => WaitOn::Permits { of: thing::id(of), wanted, missing },
        memory::WaitOn::Notified(of)
        | memory::WaitOn::Oneshot(of)
        | memory::WaitOn::Message(of)
        | memory::WaitOn::Watch(of)
        | memory::WaitOn::Broadcast(of)
        | memory::WaitOn::Barrier(of) => WaitOn::Thing(thing::id(of)),
        memory::WaitOn::Closed(of) => WaitOn::Closed(thing::id(of)),
        memory::WaitOn::Timer(at) => WaitOn::Timer(stamp(at)),
        memory::WaitOn::Join { task, .. } => WaitOn::Join(task.and_then(NonZeroU64::new)),
        memory::WaitOn::JoinAny(tasks) => WaitOn::JoinAny(tasks),
        memory::WaitOn::JoinOneOf(task) => NonZeroU64::new(task).map_or(WaitOn::Join(None), WaitOn::JoinOneOf),
        memory::WaitOn::LocalSet(_) => WaitOn::LocalSet,
        memory::WaitOn::Io { fd, interest, .. } => WaitOn::Io {
            fd,
            interest: match interest {
                memory::Interest::Any => Interest::Any,
                memory::Interest::Read => Interest::Read,
                memory::Interest::Write => Interest::Write,
            },
        },
        memory::WaitOn::Nothing => WaitOn::Nothing,
        memory::WaitOn::Other => WaitOn::Other,
    }
}

pub(super) fn claims(claims: &[memory::Claim]) -> Box<[Claim]> {
    let claim = |claim: &memory::Claim| Claim {
        frame: claim.frame,
        of: thing::id(claim.of),
        what: claim_kind(claim.what),
        local: claim.local.clone(),
    };
    claims.iter().map(claim).collect()
}

pub(super) fn claim_kind(what: memory::ClaimKind) -> ClaimKind {
    match what {
        memory::ClaimKind::Permits(permits) => ClaimKind::Permits(permits),
        memory::ClaimKind::Sender => ClaimKind::Sender,
        memory::ClaimKind::Receiver => ClaimKind::Receiver,
    }
}

pub(super) fn certainty(basis: memory::Basis) -> Certainty {
    match basis {
        memory::Basis::Sampled => Certainty::Sampled,
        memory::Basis::Likely => Certainty::Likely,
        memory::Basis::Proven => Certainty::Proven,
    }
}
