#![allow(unsafe_code, reason = "membarrier has no safe wrapper in libc")]
//! A memory barrier of which one side is free: [`light`] on the service's threads, at every event, keeps the compiler from
//! reordering; [`heavy`] on the agent's thread, now and then, makes every running thread of the process pass a full barrier. On the two
//! together stands I5 of [`super`].

#[cfg(target_os = "linux")]
use std::sync::OnceLock;
use std::sync::atomic::{Ordering, compiler_fence, fence};

/// The writer's side: writes before it are ordered with reads after it, as far as [`heavy`] is concerned.
#[inline]
pub(crate) fn light() {
    compiler_fence(Ordering::SeqCst);
}

/// The reader's side.
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    #[cfg(target_os = "linux")]
    if membarrier() {
        return;
    }
    // Nothing makes the other threads pass a barrier. A store leaves the processor's buffer within microseconds, and a
    // thread that is taken off its processor passes a barrier by that.
    std::thread::sleep(std::time::Duration::from_millis(1));
}

/// Whether the kernel did it.
#[cfg(target_os = "linux")]
fn membarrier() -> bool {
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    // SAFETY: membarrier takes numbers, touches no memory of ours, and answers an unknown command with an error.
    let call = |command: libc::c_int| unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 };
    *REGISTERED.get_or_init(|| call(REGISTER_PRIVATE_EXPEDITED)) && call(PRIVATE_EXPEDITED)
}
