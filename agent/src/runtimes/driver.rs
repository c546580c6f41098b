//! Whether a thread waits for I/O events, as the kernel tells.

/// `None` where it cannot be told.
#[cfg(target_os = "linux")]
pub(super) fn waits_for_io(tid: u32) -> Option<bool> {
    #[cfg(target_arch = "x86_64")]
    const EPOLL: &[libc::c_long] = &[libc::SYS_epoll_wait, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2];
    #[cfg(not(target_arch = "x86_64"))]
    const EPOLL: &[libc::c_long] = &[libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2];

    let told = std::fs::read_to_string(format!("/proc/self/task/{tid}/syscall")).ok()?;
    match told.split_whitespace().next()? {
        "running" => Some(false),
        number => number.parse().ok().map(|number| EPOLL.contains(&number)),
    }
}

/// `None` where it cannot be told.
#[cfg(not(target_os = "linux"))]
pub(super) fn waits_for_io(_tid: u32) -> Option<bool> {
    None
}
