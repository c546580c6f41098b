//! What the kernel shows of a thread in `/proc/self/task`.

use std::{fs, time::Duration};

/// What a thread is doing in the kernel, if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// The letter in `stat`; `None` where it cannot be read.
    pub(crate) state: Option<char>,
    pub(crate) call: Call,
    /// Where in the kernel it sleeps; empty where that is not told.
    pub(crate) function: String,
    /// The CPU time that it has used; `None` where that is not told.
    pub(crate) cpu: Option<Duration>,
}

/// What `syscall` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Number(i64),
    /// It sleeps, but in no system call: in a page fault.
    None,
    /// It does not sleep.
    Running,
    /// It cannot be read.
    Hidden,
}

/// Looks at a thread of this process.
#[cfg(target_os = "linux")]
pub(crate) fn look(tid: u32) -> Look {
    let read = |file| fs::read_to_string(format!("/proc/self/task/{tid}/{file}")).ok();
    Look {
        state: read("stat").as_deref().and_then(state),
        call: read("syscall").as_deref().map_or(Call::Hidden, call),
        function: read("wchan").as_deref().map(function).unwrap_or_default(),
        cpu: cpu(tid),
    }
}

/// The CPU time that a thread has used; `None` where that is not told.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn cpu(tid: u32) -> Option<Duration> {
    crate::capture::running::cpu_time(tid)
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) fn cpu(_: u32) -> Option<Duration> {
    None
}

/// There is no such place on other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn look(_: u32) -> Look {
    Look { state: None, call: Call::Hidden, function: String::new(), cpu: None }
}

/// The letter after the thread's name, which may hold anything, parentheses and spaces too.
fn state(stat: &str) -> Option<char> {
    stat[stat.rfind(')')? + 1..].trim_start().chars().next()
}

fn call(syscall: &str) -> Call {
    match syscall.split_ascii_whitespace().next() {
        Some("running") => Call::Running,
        Some("-1") => Call::None,
        Some(number) => number.parse().map_or(Call::Hidden, Call::Number),
        None => Call::Hidden,
    }
}

/// The kernel shows 0 for a thread that does not sleep, and where it keeps its functions to itself.
fn function(wchan: &str) -> String {
    if wchan.trim() == "0" { String::new() } else { wchan.trim().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_shows_is_read() {
        assert_eq!(state("12 (a) R (b) S 1 2"), Some('S'));
        assert_eq!((state("12 (x"), state("12 (x)")), (None, None));
        assert_eq!(call("202 0x7f 0x80 0x0 0x0 0x0 0x0 0x7ffd 0x7fab\n"), Call::Number(202));
        assert_eq!((call("-1 0x1 0x2\n"), call("running\n"), call("")), (Call::None, Call::Running, Call::Hidden));
        assert_eq!((function("0"), function("futex_wait_queue\n")), (String::new(), "futex_wait_queue".into()));
    }
}
