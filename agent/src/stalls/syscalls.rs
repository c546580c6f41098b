//! The names of system calls that a thread may sleep in.

/// What a call is for, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Waiting for another thread.
    Lock,
    /// Letting time pass.
    Sleep,
    Other,
}

/// Newer than the ones that libc names; the same on every architecture.
const SYS_FUTEX_WAITV: i64 = 449;
const SYS_FUTEX_WAIT: i64 = 455;

/// The name of a system call, by the number that the kernel shows; its number where it is none of those that are known.
pub(crate) fn named(number: i64) -> (String, Purpose) {
    let purpose = match number {
        libc::SYS_futex | SYS_FUTEX_WAIT | SYS_FUTEX_WAITV => Purpose::Lock,
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Purpose::Sleep,
        _ => Purpose::Other,
    };
    let known = EVERYWHERE.iter().chain(HERE).find(|(known, _)| *known == number);
    (known.map_or_else(|| format!("system call {number}"), |(_, name)| (*name).into()), purpose)
}

macro_rules! calls {
    ($($call:ident $name:literal),* $(,)?) => { &[$((libc::$call, $name)),*] };
}

/// Of every architecture that stacks are captured on.
const EVERYWHERE: &[(i64, &str)] = calls![
    SYS_read "read", SYS_write "write", SYS_readv "readv", SYS_writev "writev", SYS_pread64 "pread64",
    SYS_pwrite64 "pwrite64", SYS_preadv "preadv", SYS_pwritev "pwritev", SYS_preadv2 "preadv2",
    SYS_pwritev2 "pwritev2", SYS_close "close", SYS_openat "openat", SYS_openat2 "openat2", SYS_statx "statx",
    SYS_newfstatat "newfstatat", SYS_fstat "fstat", SYS_lseek "lseek", SYS_fsync "fsync", SYS_fdatasync "fdatasync",
    SYS_sync "sync", SYS_syncfs "syncfs", SYS_sync_file_range "sync_file_range", SYS_fallocate "fallocate",
    SYS_ftruncate "ftruncate", SYS_flock "flock", SYS_fcntl "fcntl", SYS_ioctl "ioctl", SYS_sendfile "sendfile",
    SYS_splice "splice", SYS_tee "tee", SYS_copy_file_range "copy_file_range", SYS_getdents64 "getdents64",
    SYS_unlinkat "unlinkat", SYS_renameat2 "renameat2", SYS_mkdirat "mkdirat", SYS_linkat "linkat",
    SYS_symlinkat "symlinkat", SYS_readlinkat "readlinkat", SYS_faccessat "faccessat", SYS_accept "accept",
    SYS_accept4 "accept4", SYS_connect "connect", SYS_bind "bind", SYS_listen "listen", SYS_sendto "sendto",
    SYS_recvfrom "recvfrom", SYS_sendmsg "sendmsg", SYS_recvmsg "recvmsg", SYS_sendmmsg "sendmmsg",
    SYS_recvmmsg "recvmmsg", SYS_shutdown "shutdown", SYS_socket "socket", SYS_getsockopt "getsockopt",
    SYS_setsockopt "setsockopt", SYS_ppoll "ppoll", SYS_pselect6 "pselect6", SYS_epoll_pwait "epoll_pwait",
    SYS_epoll_pwait2 "epoll_pwait2", SYS_epoll_ctl "epoll_ctl", SYS_io_uring_enter "io_uring_enter",
    SYS_io_getevents "io_getevents", SYS_futex "futex", SYS_nanosleep "nanosleep",
    SYS_clock_nanosleep "clock_nanosleep", SYS_sched_yield "sched_yield", SYS_wait4 "wait4", SYS_waitid "waitid",
    SYS_execve "execve", SYS_clone "clone", SYS_clone3 "clone3", SYS_exit "exit", SYS_exit_group "exit_group",
    SYS_mmap "mmap", SYS_munmap "munmap", SYS_mremap "mremap", SYS_mprotect "mprotect", SYS_madvise "madvise",
    SYS_msync "msync", SYS_mlock "mlock", SYS_brk "brk", SYS_rt_sigtimedwait "rt_sigtimedwait",
    SYS_rt_sigsuspend "rt_sigsuspend", SYS_pidfd_open "pidfd_open", SYS_kill "kill", SYS_tgkill "tgkill",
    SYS_semop "semop", SYS_semtimedop "semtimedop", SYS_msgsnd "msgsnd", SYS_msgrcv "msgrcv",
    SYS_mq_timedsend "mq_timedsend", SYS_mq_timedreceive "mq_timedreceive", SYS_getrandom "getrandom",
    SYS_pipe2 "pipe2", SYS_membarrier "membarrier", SYS_process_vm_readv "process_vm_readv", SYS_ptrace "ptrace",
    SYS_inotify_add_watch "inotify_add_watch",
];

/// Of x86-64 alone.
#[cfg(target_arch = "x86_64")]
const HERE: &[(i64, &str)] = calls![
    SYS_open "open", SYS_stat "stat", SYS_lstat "lstat", SYS_access "access", SYS_poll "poll", SYS_select "select",
    SYS_epoll_wait "epoll_wait", SYS_pause "pause", SYS_fork "fork", SYS_vfork "vfork", SYS_unlink "unlink",
    SYS_rename "rename", SYS_mkdir "mkdir", SYS_rmdir "rmdir", SYS_readlink "readlink", SYS_pipe "pipe",
    SYS_creat "creat", SYS_getdents "getdents",
];

#[cfg(not(target_arch = "x86_64"))]
const HERE: &[(i64, &str)] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names() {
        assert_eq!(named(libc::SYS_recvfrom), ("recvfrom".into(), Purpose::Other));
        assert_eq!(named(libc::SYS_futex), ("futex".into(), Purpose::Lock));
        assert_eq!(named(libc::SYS_clock_nanosleep), ("clock_nanosleep".into(), Purpose::Sleep));
        assert_eq!(named(99_999), ("system call 99999".into(), Purpose::Other));
    }
}
