//! What a type is, by its path. The names are tokio's and those of the crates that futures are made with; a type of no known name is
//! gone through by its members.

use crate::debug::{Type, TypeId, Types};

/// What a type is to a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// An async function, block or closure.
    Coroutine,
    /// A lock's, a semaphore's or a channel's permits.
    Acquire,
    Notified,
    Sleep,
    JoinHandle,
    JoinSet,
    LocalSet,
    OneshotReceiver,
    OneshotSender,
    MpscReceiver,
    MpscSender,
    BroadcastRecv,
    BroadcastReceiver,
    BroadcastSender,
    WatchReceiver,
    WatchSender,
    /// An `Arc` of what has no ends, and of which whoever has one can end the wait: a `Notify`, a `Barrier`.
    Handle,
    Readiness,
    PollEvented,
    /// `FuturesUnordered`, the set that most of futures' combinators are made with.
    Unordered,
    /// A guard, or permits: the member that leads to the lock, and whether that is by an `Arc`.
    Guard(GuardClass),
    /// A pointer with a vtable.
    Dyn,
    /// A pointer with a length.
    Slice,
    Vec,
    /// A box that is used again and again, made by hand: its pointer is owned.
    Reused,
    /// Half of a socket: the whole is behind a pointer, and is gone into where the half is polled.
    Half,
    /// Something shared: not gone into, but what it is of may be a lock.
    Shared,
    /// Something without futures: wakers, unions, allocators.
    Nothing,
    /// A table or tree whose insides are not gone through.
    Collection,
    Plain,
}

/// How a guard leads to its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GuardClass {
    /// The member that leads to the lock.
    pub(crate) member: &'static str,
    /// The member that counts permits; none: one permit.
    pub(crate) permits: Permits,
}

/// How many permits a guard stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permits {
    One,
    Member(&'static str),
    /// All that there are.
    All,
}

/// A future that several await.
const SHARED: &str = "futures_util::future::future::shared";

const TABLE: &[(&str, &str, Class)] = &[
    ("tokio::sync::batch_semaphore", "Acquire", Class::Acquire),
    ("tokio::sync::notify", "Notified", Class::Notified),
    ("tokio::sync::notify", "OwnedNotified", Class::Notified),
    ("tokio::time::sleep", "Sleep", Class::Sleep),
    // What a `Sleep` has one of in some versions.
    ("tokio::runtime::time::entry", "TimerEntry", Class::Sleep),
    ("tokio::runtime::time_alt::timer", "Timer", Class::Sleep),
    ("tokio::runtime::task::join", "JoinHandle", Class::JoinHandle),
    ("tokio::task::join_set", "JoinSet", Class::JoinSet),
    ("tokio::task::local", "LocalSet", Class::LocalSet),
    ("tokio::sync::oneshot", "Receiver", Class::OneshotReceiver),
    ("tokio::sync::oneshot", "Sender", Class::OneshotSender),
    ("tokio::sync::mpsc::chan", "Rx", Class::MpscReceiver),
    ("tokio::sync::mpsc::chan", "Tx", Class::MpscSender),
    ("tokio::sync::broadcast", "Recv", Class::BroadcastRecv),
    ("tokio::sync::broadcast", "Receiver", Class::BroadcastReceiver),
    ("tokio::sync::broadcast", "Sender", Class::BroadcastSender),
    ("tokio::sync::watch", "Receiver", Class::WatchReceiver),
    ("tokio::sync::watch", "Sender", Class::WatchSender),
    ("tokio::runtime::io::scheduled_io", "Readiness", Class::Readiness),
    ("tokio::io::poll_evented", "PollEvented", Class::PollEvented),
    ("tokio::net::tcp::split", "ReadHalf", Class::Half),
    ("tokio::net::tcp::split", "WriteHalf", Class::Half),
    ("tokio::net::tcp::split_owned", "OwnedReadHalf", Class::Half),
    ("tokio::net::tcp::split_owned", "OwnedWriteHalf", Class::Half),
    ("tokio::net::unix::split", "ReadHalf", Class::Half),
    ("tokio::net::unix::split", "WriteHalf", Class::Half),
    ("tokio::net::unix::split_owned", "OwnedReadHalf", Class::Half),
    ("tokio::net::unix::split_owned", "OwnedWriteHalf", Class::Half),
    ("tokio::io::split", "ReadHalf", Class::Half),
    ("tokio::io::split", "WriteHalf", Class::Half),
    // What waits for a signal, and senders and streams of tokio-util.
    ("tokio::signal::reusable_box", "ReusableBoxFuture", Class::Reused),
    ("tokio_util::sync::reusable_box", "ReusableBoxFuture", Class::Reused),
    ("futures_util::stream::futures_unordered", "FuturesUnordered", Class::Unordered),
    // Whoever polls it first polls what is inside, for all.
    (SHARED, "Shared", Class::Half),
    ("tokio::sync::mutex", "MutexGuard", guard("lock", Permits::One)),
    ("tokio::sync::mutex", "OwnedMutexGuard", guard("lock", Permits::One)),
    ("tokio::sync::mutex", "MappedMutexGuard", guard("s", Permits::One)),
    ("tokio::sync::mutex", "OwnedMappedMutexGuard", guard("lock", Permits::One)),
    ("tokio::sync::rwlock::read_guard", "RwLockReadGuard", guard("s", Permits::One)),
    ("tokio::sync::rwlock::owned_read_guard", "OwnedRwLockReadGuard", guard("lock", Permits::One)),
    ("tokio::sync::rwlock::write_guard", "RwLockWriteGuard", guard("s", Permits::Member("permits_acquired"))),
    (
        "tokio::sync::rwlock::write_guard_mapped",
        "RwLockMappedWriteGuard",
        guard("s", Permits::Member("permits_acquired")),
    ),
    (
        "tokio::sync::rwlock::owned_write_guard",
        "OwnedRwLockWriteGuard",
        guard("lock", Permits::Member("permits_acquired")),
    ),
    (
        "tokio::sync::rwlock::owned_write_guard_mapped",
        "OwnedRwLockMappedWriteGuard",
        guard("lock", Permits::Member("permits_acquired")),
    ),
    ("tokio::sync::semaphore", "SemaphorePermit", guard("sem", Permits::Member("permits"))),
    ("tokio::sync::semaphore", "OwnedSemaphorePermit", guard("sem", Permits::Member("permits"))),
    ("tokio::sync::mpsc::bounded", "Permit", guard("chan", Permits::One)),
    ("tokio::sync::mpsc::bounded", "OwnedPermit", guard("chan", Permits::One)),
    ("tokio::sync::mpsc::bounded", "PermitIterator", guard("chan", Permits::Member("n"))),
    ("std::sync::poison::mutex", "MutexGuard", guard("lock", Permits::One)),
    ("std::sync::poison::rwlock", "RwLockReadGuard", guard("inner_lock", Permits::One)),
    ("std::sync::poison::rwlock", "RwLockWriteGuard", guard("lock", Permits::All)),
    // As they were called until Rust 1.85.
    ("std::sync::mutex", "MutexGuard", guard("lock", Permits::One)),
    ("std::sync::rwlock", "RwLockReadGuard", guard("inner_lock", Permits::One)),
    ("std::sync::rwlock", "RwLockWriteGuard", guard("lock", Permits::All)),
    ("alloc::vec", "Vec", Class::Vec),
    ("alloc::sync", "Arc", Class::Shared),
    ("alloc::sync", "Weak", Class::Shared),
    ("alloc::rc", "Rc", Class::Shared),
    ("alloc::rc", "Weak", Class::Shared),
    ("core::task::wake", "Waker", Class::Nothing),
    ("core::task::wake", "RawWaker", Class::Nothing),
    ("hashbrown::raw", "RawTable", Class::Collection),
    ("alloc::collections::btree::map", "BTreeMap", Class::Collection),
    ("alloc::collections::vec_deque", "VecDeque", Class::Collection),
    ("slab", "Slab", Class::Collection),
];

const fn guard(member: &'static str, permits: Permits) -> Class {
    Class::Guard(GuardClass { member, permits })
}

/// What this type is.
pub(crate) fn classify(ty: &Type) -> Class {
    if ty.is_coroutine() {
        return Class::Coroutine;
    }
    if ty.is_handle() {
        return Class::Handle;
    }
    if let Some((.., class)) = TABLE.iter().find(|(space, name, _)| ty.is(space, name)) {
        return *class;
    }
    if ty.member("vtable").is_some() && (ty.member("pointer").is_some() || ty.member("data_ptr").is_some()) {
        return Class::Dyn;
    }
    if ty.member("data_ptr").is_some() && ty.member("length").is_some() {
        return Class::Slice;
    }
    Class::Plain
}

/// Whether what a future of this namespace has is polled whenever it is. Of a future written by hand nothing is known, nor of one
/// that several await.
pub(crate) fn polls_all(space: &str) -> bool {
    const CRATES: &[&str] =
        &["core", "alloc", "std", "tokio", "futures_util", "futures_core", "tracing", "pin_project_lite"];
    // A wait for a token, and what is run until it is cancelled.
    let is_token = space == "tokio_util::sync::cancellation_token";
    space != SHARED && (is_token || CRATES.contains(&space.split("::").next().unwrap_or_default()))
}

/// Whether this is of a future that several await: who of them polls it is not known.
pub(crate) fn is_shared(space: &str) -> bool {
    space == SHARED
}

/// Whether a structure of this namespace is named in a chain: a future that somebody wrote down, and not what such are made of.
pub(crate) fn is_named(space: &str, name: &str) -> bool {
    const PLUMBING: &[&str] = &["core", "alloc", "std", ""];
    const PARTS: &[&str] =
        &["MaybeDone", "TryMaybeDone", "OrderWrapper", "Pin", "Stage", "Fuse", "Fut", "Reset", "Join"];
    let bare = name.split('<').next().unwrap_or_default();
    space != SHARED
        && !PLUMBING.contains(&space.split("::").next().unwrap_or_default())
        && !PARTS.contains(&bare)
        && !bare.starts_with(['{', '('])
}

/// The kinds of lock and channel that something may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referred {
    Mutex,
    RwLock,
    Semaphore,
    OnceCell,
    Notify,
    Barrier,
    /// The shared part of an mpsc channel.
    Chan,
    Watch,
    Broadcast,
    StdMutex,
    StdRwLock,
}

/// Which of them this type is.
pub(crate) fn referred(ty: &Type) -> Option<Referred> {
    const TABLE: &[(&str, &str, Referred)] = &[
        ("tokio::sync::mutex", "Mutex", Referred::Mutex),
        ("tokio::sync::rwlock", "RwLock", Referred::RwLock),
        ("tokio::sync::semaphore", "Semaphore", Referred::Semaphore),
        ("tokio::sync::once_cell", "OnceCell", Referred::OnceCell),
        ("tokio::sync::notify", "Notify", Referred::Notify),
        ("tokio::sync::barrier", "Barrier", Referred::Barrier),
        ("tokio::sync::mpsc::chan", "Chan", Referred::Chan),
        ("tokio::sync::watch", "Shared", Referred::Watch),
        ("tokio::sync::broadcast", "Shared", Referred::Broadcast),
        ("std::sync::poison::mutex", "Mutex", Referred::StdMutex),
        ("std::sync::poison::rwlock", "RwLock", Referred::StdRwLock),
        ("std::sync::mutex", "Mutex", Referred::StdMutex),
        ("std::sync::rwlock", "RwLock", Referred::StdRwLock),
    ];
    TABLE.iter().find(|(space, name, _)| ty.is(space, name)).map(|row| row.2)
}

/// A lock of the standard library as it is made on Linux: of one word, or of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Mutex,
    RwLock,
}

/// Which of them this type is, and the member by which it is known who has it.
fn word(ty: &Type) -> Option<(Word, &'static str)> {
    let is_one = ty.space.starts_with("std::sys::") && ty.space.ends_with("::futex");
    match &*ty.name {
        "Mutex" if is_one => Some((Word::Mutex, "futex")),
        "RwLock" if is_one => Some((Word::RwLock, "state")),
        _ => None,
    }
}

/// Whether a type is a lock of the standard library.
pub(crate) fn is_of_std(ty: &Type) -> bool {
    word(ty).is_some() || matches!(referred(ty), Some(Referred::StdMutex | Referred::StdRwLock))
}

/// Where in a lock of the standard library its word is.
pub(crate) fn word_within(types: &dyn Types, lock: TypeId) -> Option<(Word, u64)> {
    is_of_std(&types.ty(lock)).then_some(())?;
    let (at, inner) = types.find(lock, &|ty| word(ty).is_some(), 3)?;
    let (word, member) = word(&types.ty(inner))?;
    let (place, _) = types.path(inner, &[member])?;
    Some((word, at.checked_add(place)?))
}
