//! Types that may keep a guard where no walk goes: collections of guards, structures with one, channels that carry one. A lock whose
//! guard such a type of the program can have is never said to be proven somebody's; and no more is a channel's end that sends. Of ends
//! that receive there is one each, and it is mostly in the hands of whoever receives.

/// Types that only pass a value on, or that a walk goes through.
const PASSING: &[&[u8]] = &[
    b"Option",
    b"Result",
    b"Poll",
    b"ControlFlow",
    b"Pin",
    b"Box",
    b"Vec",
    b"MaybeUninit",
    b"ManuallyDrop",
    b"MaybeDangling",
    b"UnsafeCell",
    b"PhantomData",
    b"NonNull",
    b"Unique",
    b"Ready",
    b"MaybeDone",
    b"TryMaybeDone",
    b"Timeout",
    // What `select!` makes of its branches.
    b"Out",
    b"Instrumented",
    b"PollFn",
    // The walk knows it as a handle.
    b"OwnedNotified",
    // What `lock` of the standard library gives where somebody panicked.
    b"PoisonError",
    b"TryLockError",
];
/// Of which lock a guard of this path is.
const GUARDS: &[(&[u8], &str)] = &[
    (b"tokio::sync::mutex::MutexGuard<", "tokio::sync::mutex::Mutex"),
    (b"tokio::sync::mutex::OwnedMutexGuard<", "tokio::sync::mutex::Mutex"),
    (b"tokio::sync::mutex::OwnedMappedMutexGuard<", "tokio::sync::mutex::Mutex"),
    (b"tokio::sync::rwlock::read_guard::RwLockReadGuard<", "tokio::sync::rwlock::RwLock"),
    (b"tokio::sync::rwlock::owned_read_guard::OwnedRwLockReadGuard<", "tokio::sync::rwlock::RwLock"),
    (b"tokio::sync::rwlock::write_guard::RwLockWriteGuard<", "tokio::sync::rwlock::RwLock"),
    (b"tokio::sync::rwlock::owned_write_guard::OwnedRwLockWriteGuard<", "tokio::sync::rwlock::RwLock"),
    (b"tokio::sync::rwlock::owned_write_guard_mapped::OwnedRwLockMappedWriteGuard<", "tokio::sync::rwlock::RwLock"),
    (b"std::sync::poison::mutex::MutexGuard<", "std::sync::poison::mutex::Mutex"),
    (b"std::sync::poison::rwlock::RwLockReadGuard<", "std::sync::poison::rwlock::RwLock"),
    (b"std::sync::poison::rwlock::RwLockWriteGuard<", "std::sync::poison::rwlock::RwLock"),
    (b"std::sync::mutex::MutexGuard<", "std::sync::mutex::Mutex"),
    (b"std::sync::rwlock::RwLockReadGuard<", "std::sync::rwlock::RwLock"),
    (b"std::sync::rwlock::RwLockWriteGuard<", "std::sync::rwlock::RwLock"),
];
/// Guards that do not say which lock they are of: any of its kind.
const MAPPED: &[(&[u8], &str)] = &[
    (b"tokio::sync::mutex::MappedMutexGuard<", "tokio::sync::mutex::Mutex<"),
    (b"tokio::sync::rwlock::write_guard_mapped::RwLockMappedWriteGuard<", "tokio::sync::rwlock::RwLock<"),
];

/// Ends that send, and what the channel is.
const SENDERS: &[(&[u8], &str)] = &[
    (b"tokio::sync::mpsc::bounded::Sender<", MPSC),
    (b"tokio::sync::mpsc::bounded::OwnedPermit<", MPSC),
    (b"tokio::sync::mpsc::unbounded::UnboundedSender<", MPSC),
    (b"tokio::sync::oneshot::Sender<", "tokio::sync::oneshot::Inner"),
    (b"tokio::sync::watch::Sender<", "tokio::sync::watch::Shared"),
    (b"tokio::sync::broadcast::Sender<", "tokio::sync::broadcast::Shared"),
];
const MPSC: &str = "tokio::sync::mpsc::chan::Chan";
/// What is handed around in an `Arc`: whoever has one may end a wait, as a sender may.
const HANDLES: [&[u8]; 2] =
    [b"alloc::sync::Arc<tokio::sync::notify::Notify", b"alloc::sync::Arc<tokio::sync::barrier::Barrier"];
/// What such an `Arc` leads to.
const COUNTED: &[u8] = b"alloc::sync::ArcInner<";

/// What a channel's senders are noted as: by the path of its type, of which what it carries is the first that it is generic over.
pub(super) fn sender_of(channel: &[u8]) -> Option<String> {
    if let Some(of) = channel.strip_prefix(COUNTED) {
        return HANDLES.iter().find(|handle| handle.ends_with(first(of))).map(|handle| handle_of(handle));
    }
    let at = channel.iter().position(|byte| *byte == b'<')?;
    let (kind, rest) = channel.split_at_checked(at + 1)?;
    let kind = String::from_utf8_lossy(kind);
    let is_one = SENDERS.iter().any(|(_, known)| kind.strip_suffix('<') == Some(known));
    is_one.then(|| noted(&kind, first(rest)))
}

fn noted(kind: &str, of: &[u8]) -> String {
    format!("sender of {}<{}>", kind.trim_end_matches('<'), String::from_utf8_lossy(of))
}

fn handle_of(handle: &[u8]) -> String {
    format!("{}>", String::from_utf8_lossy(handle))
}

/// Whether a type of this name is gone through, or is a coroutine.
pub(super) fn passes(name: &[u8]) -> bool {
    let bare = name.split(|byte| *byte == b'<').next().unwrap_or(name);
    name.starts_with(b"{async_") || name.starts_with(b"(") || PASSING.contains(&bare)
}

/// Whether a type of this name, wherever it is, may be a guard of the standard library's, or a handle.
pub(super) fn may_be_of_std(name: &[u8]) -> bool {
    [&b"MutexGuard<"[..], b"RwLockReadGuard<", b"RwLockWriteGuard<", b"Arc<tokio::sync::"]
        .iter()
        .any(|guard| name.starts_with(guard))
}

/// Whether a type of this name may be a guard or an end that sends. Most are neither.
pub(super) fn may_be_one(name: &[u8]) -> bool {
    [&b"Guard<"[..], b"Sender<", b"OwnedPermit<", b"Arc<tokio::sync::"]
        .iter()
        .any(|part| memchr::memmem::find(name, part).is_some())
}

/// The locks whose guards stand in this path: `tokio::sync::mutex::Mutex<u64>`, or its beginning where more is not said; and the channels
/// of which an end that sends does.
pub(super) fn locks(path: &[u8]) -> Vec<String> {
    if !may_be_one(path) {
        return Vec::new();
    }
    let mut locks = Vec::new();
    for (sender, kind) in SENDERS {
        for at in memchr::memmem::find_iter(path, sender) {
            let rest = path.get(at + sender.len()..).unwrap_or_default();
            locks.push(noted(kind, first(rest)));
        }
    }
    for handle in HANDLES {
        let ends = |at: usize| matches!(path.get(at + handle.len()), Some(b'>' | b','));
        if memchr::memmem::find_iter(path, handle).any(ends) {
            locks.push(handle_of(handle));
        }
    }
    for (guard, lock) in GUARDS {
        for at in memchr::memmem::find_iter(path, guard) {
            let rest = path.get(at + guard.len()..).unwrap_or_default();
            let of = String::from_utf8_lossy(first(rest));
            locks.push(format!("{lock}<{of}>"));
        }
    }
    let mapped = MAPPED.iter().filter(|(guard, _)| memchr::memmem::find(path, guard).is_some());
    locks.extend(mapped.map(|(_, lock)| (*lock).to_owned()));
    locks
}

/// The first of what something is generic over.
fn first(rest: &[u8]) -> &[u8] {
    let mut depth = 0_u32;
    let end = rest.iter().position(|byte| {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' | b')' | b']' if depth > 0 => depth -= 1,
            b'>' | b',' if depth == 0 => return true,
            _ => {}
        }
        false
    });
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_that_a_name_has_in_it() {
        let of = |name: &str| locks(name.as_bytes());
        let map =
            "std::collections::hash::map::HashMap<u32, tokio::sync::mutex::OwnedMutexGuard<alloc::vec::Vec<(u8, u8)>>>";
        assert_eq!(of(map), ["tokio::sync::mutex::Mutex<alloc::vec::Vec<(u8, u8)>>"]);
        let read = "Sender<tokio::sync::rwlock::owned_read_guard::OwnedRwLockReadGuard<app::State, u8>>";
        assert_eq!(of(read), ["tokio::sync::rwlock::RwLock<app::State>"]);
        assert_eq!(of("Slab<tokio::sync::mutex::MappedMutexGuard<u8>>"), ["tokio::sync::mutex::Mutex<"]);
        let of_std = "Slab<std::sync::poison::mutex::MutexGuard<app::State>>";
        assert_eq!(of(of_std), ["std::sync::poison::mutex::Mutex<app::State>"]);
        assert!(of("HashMap<u32, app::sync::MutexGuard<u8>>").is_empty());
    }

    #[test]
    fn senders_that_a_name_has_in_it() {
        let map = "HashMap<u32, tokio::sync::mpsc::bounded::Sender<alloc::vec::Vec<(u8, u8)>>, RandomState>";
        let sender = sender_of(
            b"tokio::sync::mpsc::chan::Chan<alloc::vec::Vec<(u8, u8)>, tokio::sync::mpsc::bounded::Semaphore>",
        );
        assert_eq!(locks(map.as_bytes()), [sender.unwrap()]);
        assert_eq!(
            sender_of(b"tokio::sync::oneshot::Inner<u8>").as_deref(),
            Some("sender of tokio::sync::oneshot::Inner<u8>")
        );
        assert_eq!(sender_of(b"tokio::sync::notify::Notify"), None);
    }

    #[test]
    fn handles_that_a_name_has_in_it() {
        let map = "Vec<alloc::sync::Arc<tokio::sync::notify::Notify, alloc::alloc::Global>, alloc::alloc::Global>";
        let handle = sender_of(b"alloc::sync::ArcInner<tokio::sync::notify::Notify>");
        assert_eq!(locks(map.as_bytes()), [handle.unwrap()]);
        assert!(locks(b"Slab<alloc::sync::Arc<tokio::sync::notify::NotifyList>>").is_empty());
        assert_eq!(sender_of(b"alloc::sync::ArcInner<tokio::sync::mutex::Mutex<u8>>"), None);
    }

    #[test]
    fn what_is_gone_through_keeps_nothing_unseen() {
        for name in [
            "PoisonError<std::sync::poison::mutex::MutexGuard<u8>>",
            "Option<tokio::sync::mutex::MutexGuard<u8>>",
            "{async_fn_env#0}<u8>",
            "(u8, u8)",
            "Pin<&mut u8>",
        ] {
            assert!(passes(name.as_bytes()), "{name}");
        }
        for name in ["HashMap<u8, u8>", "Held", "{closure_env#0}", "JoinHandle<u8>", "Optional"] {
            assert!(!passes(name.as_bytes()), "{name}");
        }
    }
}
