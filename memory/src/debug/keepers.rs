//! Types that may keep a guard where no walk goes: collections of guards, structures with one, channels that carry one. A lock whose
//! guard such a type of the program can have is never said to be proven somebody's.

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
];
/// Guards that do not say which lock they are of: any of its kind.
const MAPPED: &[(&[u8], &str)] = &[
    (b"tokio::sync::mutex::MappedMutexGuard<", "tokio::sync::mutex::Mutex<"),
    (b"tokio::sync::rwlock::write_guard_mapped::RwLockMappedWriteGuard<", "tokio::sync::rwlock::RwLock<"),
];

/// Whether a type of this name is gone through, or is a coroutine.
pub(super) fn passes(name: &[u8]) -> bool {
    let bare = name.split(|byte| *byte == b'<').next().unwrap_or(name);
    name.starts_with(b"{async_") || name.starts_with(b"(") || PASSING.contains(&bare)
}

/// The locks whose guards stand in this path: `tokio::sync::mutex::Mutex<u64>`, or its beginning where more is not said.
pub(super) fn locks(path: &[u8]) -> Vec<String> {
    // Most names have none.
    if memchr::memmem::find(path, b"Guard<").is_none() {
        return Vec::new();
    }
    let mut locks = Vec::new();
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
        assert!(of("HashMap<u32, std::sync::MutexGuard<u8>>").is_empty());
    }

    #[test]
    fn what_is_gone_through_keeps_nothing_unseen() {
        for name in ["Option<tokio::sync::mutex::MutexGuard<u8>>", "{async_fn_env#0}<u8>", "(u8, u8)", "Pin<&mut u8>"] {
            assert!(passes(name.as_bytes()), "{name}");
        }
        for name in ["HashMap<u8, u8>", "Held", "{closure_env#0}", "JoinHandle<u8>", "Optional"] {
            assert!(!passes(name.as_bytes()), "{name}");
        }
    }
}
