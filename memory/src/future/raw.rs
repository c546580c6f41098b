//! What a walk finds, as bytes say it: addresses of what is waited for and had, before anybody has asked the other end.

use super::{
    class::{Referred, Word},
    frames::Step,
};
use crate::{Basis, ClaimKind, Interest, Reach, debug::TypeId};
use std::sync::Arc;

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    pub(crate) steps: Vec<Step>,
    pub(crate) waits: Vec<RawWait>,
    pub(crate) claims: Vec<RawClaim>,
    pub(crate) hints: Vec<Hint>,
    /// Addresses at which a waker leads to this task, beside its header.
    pub(crate) aliases: Vec<u64>,
    /// What was met and not gone into: values of these types, or of one that is not known. No two are the same.
    pub(crate) opaque: Vec<Option<TypeId>>,
    /// What cannot be: the bytes are not what they are taken for.
    pub(crate) wrong: Option<Arc<str>>,
}

/// What a leaf says that it waits for.
#[derive(Debug, Clone)]
pub(crate) struct RawWait {
    pub(crate) frame: u16,
    pub(crate) reach: Reach,
    pub(crate) on: RawOn,
    /// Whom the waker leads to that the leaf keeps, if it keeps one.
    pub(crate) waker: Option<u64>,
    /// For what tokio waits for it, where that is something else.
    pub(crate) by: Option<By>,
}

/// A function of tokio that waits for a notification, and where what that is of begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// One that waits at a barrier.
    Barrier(u64),
    /// One that waits for the end of a channel.
    Closed(Referred, u64),
}

impl RawWait {
    /// Whether it is for something that others wait for or have as well, and that is told of.
    pub(crate) fn is_for_a_thing(&self) -> bool {
        !matches!(self.on, RawOn::Sleep { .. } | RawOn::Join { .. } | RawOn::JoinAny { .. } | RawOn::LocalSet { .. })
    }

    /// Whether what is waited for is others' as well, so that it can change while the one who waits sleeps.
    pub(crate) fn is_shared(&self) -> bool {
        !matches!(self.on, RawOn::Sleep { .. } | RawOn::Notified { .. })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawOn {
    Acquire {
        semaphore: u64,
        wanted: u64,
        missing: u64,
        queued: bool,
        node: u64,
    },
    Notified {
        notify: u64,
        node: u64,
    },
    Sleep {
        seconds: i64,
        nanos: u32,
    },
    Join {
        header: u64,
    },
    JoinAny {
        length: u64,
        /// The headers of all its tasks, where none of them is known to it to have ended.
        members: Box<[u64]>,
    },
    LocalSet {
        at: u64,
    },
    Oneshot {
        at: u64,
        ty: TypeId,
    },
    Message {
        at: u64,
        ty: TypeId,
    },
    /// The end of a oneshot, for which its sender waits.
    Closed {
        at: u64,
        ty: TypeId,
    },
    Broadcast {
        at: u64,
        ty: TypeId,
    },
    Io {
        record: u64,
        fd: Option<i32>,
        interest: Interest,
    },
}

/// What a frame says that it has.
#[derive(Debug, Clone)]
pub(crate) struct RawClaim {
    pub(crate) frame: u16,
    /// Where it stands.
    pub(crate) at: u64,
    /// Of a guard the semaphore, or the word of a lock of the standard library; of an end what it leads to.
    pub(crate) of: u64,
    pub(crate) part: Part,
    pub(crate) what: ClaimKind,
    pub(crate) local: Arc<str>,
    /// Likely where a pointer led there that is kept and not used: what it led to may have been freed.
    pub(crate) basis: Basis,
    /// Where in which type it stands: the same place in every task of this build.
    pub(crate) site: (u32, u64),
}

/// What a claim is a part of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Semaphore,
    Word(Word),
    /// A channel, of this type.
    Channel(TypeId),
}

/// That something at this address is of this kind.
#[derive(Debug, Clone)]
pub(crate) struct Hint {
    pub(crate) base: u64,
    pub(crate) kind: Referred,
    pub(crate) ty: TypeId,
    /// By which variable; empty for a guard's own pointer.
    pub(crate) name: Arc<str>,
}
