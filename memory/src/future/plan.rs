//! What of a type is worth a look, as it is found once for each type: where coroutines, leaves, guards and ends of channels are in it,
//! and which pointers lead to more.

use super::class::{Referred, Word};
use crate::{ClaimKind, Interest, debug::TypeId};
use std::sync::Arc;

/// What to do with a value of a type.
#[derive(Debug)]
pub(crate) enum Plan {
    Nothing,
    Coroutine(Coroutine),
    Parts(Parts),
    Pointer {
        ownership: Ownership,
        to: TypeId,
        wakes: Option<Wakes>,
    },
    Dyn {
        pointer: u64,
        vtable: u64,
        ownership: Ownership,
        text: u32,
    },
    /// Several of a kind behind a pointer.
    Slice {
        pointer: u64,
        length: u64,
        element: TypeId,
        ownership: Ownership,
    },
    Array {
        element: TypeId,
        size: u64,
        count: u64,
    },
    Select(Select),
    Unordered(Unordered),
    Leaf(Leaf),
    Guard(GuardPlan),
    End(End),
    /// Something that may keep guards or futures, and is not gone into.
    Collection,
}

/// What a future that several await gives to what it has as a waker: behind a pointer so far in what is pointed to, and how far
/// behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wakes {
    pub(crate) pointer: u64,
    pub(crate) data: u64,
}

/// Whether a pointer owns what it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    Owned,
    /// Somebody else has it: followed where it is polled.
    Borrowed,
}

/// A structure or an enum.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Its frame, if it is one that people know.
    pub(crate) text: Option<u32>,
    pub(crate) fields: Vec<(u64, TypeId)>,
    pub(crate) arms: Option<Arms>,
    /// Whether all that it has is polled when it is.
    pub(crate) polled: Certainty,
    /// For what its insides wait, if it is a future of reading or writing.
    pub(crate) interest: Interest,
}

/// Whether something is known to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    Known,
    Unknown,
}

/// The variants of an enum.
#[derive(Debug)]
pub(crate) struct Arms {
    pub(crate) discriminant: Option<(u64, u8)>,
    pub(crate) arms: Vec<Arm>,
}

#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) values: Vec<(u128, u128)>,
    pub(crate) at: u64,
    pub(crate) ty: TypeId,
    pub(crate) worth: Certainty,
}

/// What an async function, block or closure became.
#[derive(Debug)]
pub(crate) struct Coroutine {
    pub(crate) discriminant: (u64, u8),
    pub(crate) states: Vec<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) values: Vec<(u128, u128)>,
    pub(crate) phase: Phase,
    pub(crate) text: u32,
    pub(crate) awaitee: Option<(u64, TypeId)>,
    /// Its other variables that are worth a look: where, of what type, which name.
    pub(crate) locals: Vec<(u64, TypeId, Arc<str>)>,
    /// Variables that refer to locks and channels.
    pub(crate) refers: Vec<Refer>,
}

/// Where in its life a coroutine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Unresumed,
    Ended,
    Suspended,
}

/// A variable that refers to a lock or a channel.
#[derive(Debug, Clone)]
pub(crate) struct Refer {
    /// Where the variable is.
    pub(crate) at: u64,
    /// Whether it is a pointer.
    pub(crate) by: Via,
    /// Where in what it leads to the lock begins.
    pub(crate) offset: u64,
    /// What is there is an end of a channel: its pointer is to be followed, and the channel begins so far behind where it leads.
    pub(crate) hop: Option<u64>,
    pub(crate) kind: Referred,
    pub(crate) ty: TypeId,
    pub(crate) name: Arc<str>,
    /// What its function waits for by it, if it is one of tokio's that wait.
    pub(crate) role: Option<SelfRole>,
}

/// What the variable `self` is to a function of tokio that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfRole {
    Barrier,
    /// A sender, whose function waits for the end of its channel.
    Closing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Value,
    Pointer,
}

/// The closure of a `select!`.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) text: u32,
    /// Where its bits are, and how wide.
    pub(crate) disabled: Option<(u64, u8)>,
    /// Where it has its futures, through how many pointers, and their type.
    pub(crate) futures: (u64, u8, TypeId),
}

/// `FuturesUnordered`: a list of nodes on the heap.
#[derive(Debug)]
pub(crate) struct Unordered {
    pub(crate) text: u32,
    pub(crate) head: u64,
    pub(crate) node: TypeId,
    pub(crate) next: u64,
    pub(crate) future: u64,
    pub(crate) of: TypeId,
}

/// Something that is waited for.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) text: u32,
    pub(crate) what: LeafKind,
    /// Where the waker is that it keeps.
    pub(crate) waker: Option<WakerAt>,
}

/// Where a waker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WakerAt {
    /// The pointers that lead there, each in what the one before leads to: mostly none.
    pub(crate) behind: Box<[u64]>,
    pub(crate) data: u64,
    pub(crate) vtable: u64,
}

#[derive(Debug)]
pub(crate) enum LeafKind {
    Acquire {
        semaphore: u64,
        wanted: u64,
        missing: u64,
        queued: u64,
        node: u64,
    },
    Notified {
        notify: u64,
        /// Where it begins behind what the pointer leads to.
        offset: u64,
        node: u64,
    },
    Sleep {
        seconds: u64,
        nanos: u64,
    },
    Join {
        header: u64,
    },
    JoinAny {
        length: u64,
        members: Option<Members>,
    },
    /// What its tasks share is where its waker is.
    LocalSet,
    Oneshot(Shared),
    Message(Shared),
    /// A sender that waits for its receiver to go away: where in the channel its state is.
    Closed {
        shared: Shared,
        state: u64,
    },
    /// Through the receiver that it borrows.
    Broadcast {
        receiver: u64,
        shared: Shared,
    },
    Readiness {
        record: u64,
        interest: u64,
    },
    PollEvented {
        record: u64,
        data: u64,
        fd: Option<u64>,
    },
}

/// Where the tasks of a `JoinSet` are: in two lists behind a pointer, of those that have ended and of those that have not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members {
    pub(crate) lists: u64,
    /// Where the lists begin behind what the pointer leads to.
    pub(crate) notified: u64,
    pub(crate) idle: u64,
    /// In an entry: the next one, the task's header, and how many bytes it has.
    pub(crate) next: u64,
    pub(crate) header: u64,
    pub(crate) size: u64,
}

/// A pointer to the part that the ends of a channel share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared {
    pub(crate) pointer: u64,
    /// Where the channel begins in what it leads to, behind the count of references.
    pub(crate) data: u64,
    pub(crate) ty: TypeId,
}

/// A guard, or permits.
#[derive(Debug)]
pub(crate) struct GuardPlan {
    /// Where the pointer is, what it leads to, and where in that the lock is.
    pub(crate) pointer: u64,
    pub(crate) lock: Option<(u64, Referred, TypeId)>,
    /// It leads to a sender, and that, by a pointer so far in it, to the channel.
    pub(crate) hop: Option<u64>,
    /// Where the semaphore is in what the pointer leads to, or the word of a lock of the standard library.
    pub(crate) semaphore: u64,
    pub(crate) word: Option<Word>,
    pub(crate) permits: Held,
}

/// How many permits a guard stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Held {
    /// So many.
    Fixed(u32),
    /// The number that stands there.
    At(u64),
}

/// An end of a channel.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) shared: Shared,
    pub(crate) what: ClaimKind,
    /// What it is awaited as, where it can be.
    pub(crate) leaf: Option<Leaf>,
}
