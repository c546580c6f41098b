//! File descriptors: the service's own accept must not fail because of somebody who looks at it.

/// So many are left to the service, or an eighth of all where that is less.
const RESERVE: u64 = 64;

/// The number of a descriptor.
#[cfg(unix)]
pub(in crate::serve) fn number(io: &impl std::os::fd::AsRawFd) -> Option<u64> {
    u64::try_from(io.as_raw_fd()).ok()
}

#[cfg(not(unix))]
pub(in crate::serve) fn number<T>(_: &T) -> Option<u64> {
    None
}

/// Whether enough are left for the service when this one has just been given out.
pub(in crate::serve) fn are_left(newest: Option<u64>) -> bool {
    match (most(), in_use().max(newest.map(|number| number + 1))) {
        (Some(most), Some(used)) => is_enough(most, used),
        // What is not known to be scarce is not.
        _ => true,
    }
}

fn is_enough(most: u64, used: u64) -> bool {
    used + RESERVE.min(most / 8) <= most
}

/// How many the process may have. It may change while it runs.
#[cfg(unix)]
fn most() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
}

#[cfg(not(unix))]
fn most() -> Option<u64> {
    None
}

/// How many it has: Linux tells that as the size of a folder, from 6.2 on, and zero before. There the newest one's number has to do,
/// below which there is none free.
fn in_use() -> Option<u64> {
    if cfg!(target_os = "linux") { std::fs::metadata("/proc/self/fd").ok().map(|folder| folder.len()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_is_left_to_the_service_and_of_many_sixty_four() {
        assert!(is_enough(1024, 960) && !is_enough(1024, 961));
        assert!(is_enough(256, 224) && !is_enough(256, 225));
        assert!(is_enough(1 << 20, (1 << 20) - 64));
        assert!(is_enough(u64::MAX, 1 << 20));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_limit_and_what_is_used_are_read() {
        let file = std::fs::File::open("/proc/self/limits").unwrap();
        assert!(most().unwrap() > number(&file).unwrap());
        assert!(are_left(number(&file)));
        assert!(!are_left(Some(most().unwrap() - 1)));
    }
}
