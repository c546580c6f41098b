//! What a thread waits for in the kernel, in words.

use crate::bytes::KernelThread;
use nix::libc;

/// What a thread waits for: the system call that it is in, else the kernel's own function; empty where neither is told.
pub(crate) fn waits_in(thread: &KernelThread) -> String {
    match thread.syscall {
        Some(number) => named(number).map_or_else(|| format!("system call {number}"), str::to_owned),
        None if thread.waits_in.is_empty() && thread.state == 'D' => "the disk or a page".into(),
        None => thread.waits_in.clone(),
    }
}

/// The name of a system call that a thread may sleep in.
fn named(number: u64) -> Option<&'static str> {
    let number = i64::try_from(number).ok()?;
    EVERYWHERE.iter().chain(HERE).find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// Newer than what has a name below, and the same on every architecture.
const SYS_FUTEX_WAITV: i64 = 449;
const SYS_FUTEX_WAIT: i64 = 455;

const EVERYWHERE: &[(i64, &str)] = &[
    (libc::SYS_futex, "futex"),
    (SYS_FUTEX_WAITV, "futex"),
    (SYS_FUTEX_WAIT, "futex"),
    (libc::SYS_epoll_pwait, "epoll_wait"),
    (libc::SYS_epoll_pwait2, "epoll_wait"),
    (libc::SYS_ppoll, "poll"),
    (libc::SYS_pselect6, "select"),
    (libc::SYS_nanosleep, "sleep"),
    (libc::SYS_clock_nanosleep, "sleep"),
    (libc::SYS_read, "read"),
    (libc::SYS_readv, "read"),
    (libc::SYS_pread64, "read of a file"),
    (libc::SYS_preadv, "read of a file"),
    (libc::SYS_write, "write"),
    (libc::SYS_writev, "write"),
    (libc::SYS_pwrite64, "write of a file"),
    (libc::SYS_pwritev, "write of a file"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_fdatasync, "fsync"),
    (libc::SYS_sync_file_range, "fsync"),
    (libc::SYS_openat, "open"),
    (libc::SYS_statx, "stat"),
    (libc::SYS_getdents64, "read of a folder"),
    (libc::SYS_flock, "lock of a file"),
    (libc::SYS_fcntl, "lock of a file"),
    (libc::SYS_accept, "accept"),
    (libc::SYS_accept4, "accept"),
    (libc::SYS_connect, "connect"),
    (libc::SYS_recvfrom, "receive"),
    (libc::SYS_recvmsg, "receive"),
    (libc::SYS_recvmmsg, "receive"),
    (libc::SYS_sendto, "send"),
    (libc::SYS_sendmsg, "send"),
    (libc::SYS_sendmmsg, "send"),
    (libc::SYS_sendfile, "send"),
    (libc::SYS_splice, "splice"),
    (libc::SYS_wait4, "the end of a process"),
    (libc::SYS_waitid, "the end of a process"),
    (libc::SYS_rt_sigtimedwait, "a signal"),
    (libc::SYS_rt_sigsuspend, "a signal"),
    (libc::SYS_io_uring_enter, "io_uring"),
    (libc::SYS_io_getevents, "the disk"),
    (libc::SYS_sched_yield, "yield"),
    (libc::SYS_mmap, "mmap"),
    (libc::SYS_munmap, "munmap"),
    (libc::SYS_mprotect, "mprotect"),
    (libc::SYS_madvise, "madvise"),
    (libc::SYS_restart_syscall, "a call that was interrupted"),
];

/// Of x86-64 alone.
#[cfg(target_arch = "x86_64")]
const HERE: &[(i64, &str)] = &[
    (libc::SYS_epoll_wait, "epoll_wait"),
    (libc::SYS_poll, "poll"),
    (libc::SYS_select, "select"),
    (libc::SYS_pause, "a signal"),
    (libc::SYS_open, "open"),
];

#[cfg(not(target_arch = "x86_64"))]
const HERE: &[(i64, &str)] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names() {
        let thread =
            |syscall, waits_in: &str| KernelThread { syscall, waits_in: waits_in.into(), ..Default::default() };
        assert_eq!(waits_in(&thread(Some(libc::SYS_futex as u64), "futex_wait_queue")), "futex");
        assert_eq!(waits_in(&thread(Some(99_999), "")), "system call 99999");
        assert_eq!(waits_in(&thread(None, "do_page_fault")), "do_page_fault");
        assert_eq!(waits_in(&thread(None, "")), "");
        assert_eq!(waits_in(&thread(Some(u64::MAX), "")), "system call 18446744073709551615");
    }
}
