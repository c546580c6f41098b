//! The port at which a process is instrumented, and by what. Nobody is connected to: a thread of that name is there, and of the
//! sockets on which the process listens one is watched by what that thread sleeps in.

use super::{Instrumentation, Port};
use crate::bytes::proc;
use nix::libc;

/// Threads by which it is told, by how their names begin. A program may serve the console on a thread of its own.
const THREADS: [(&str, Instrumentation); 2] =
    [("holdup-agent", Instrumentation::Agent), ("console", Instrumentation::Console)];
/// The names that these have from holdup's agent and from console-subscriber, as far as the kernel keeps them.
const OWN: [&str; 2] = ["holdup-agent", "console_subscri"];
/// A thread that runs just now is asked so many times.
const TRIES: usize = 3;

/// What this thread's name says that it serves, in a program that has the service that consoles ask.
fn served(name: &str) -> Option<Instrumentation> {
    THREADS.iter().find(|(known, _)| name.starts_with(known)).map(|(_, what)| *what)
}

/// Where a thread of this name serves, among the sockets on which its process listens: each its descriptor and its address.
pub(super) fn port(pid: u32, (thread, name): &(u32, String), listens: &[(i32, String)]) -> Option<Port> {
    let what = served(name)?;
    let folder = format!("/proc/{pid}");
    let watched = epoll(pid, *thread).map(|epoll| proc::watched(&folder, &[epoll])).unwrap_or_default();
    let found = listens.iter().find(|(descriptor, _)| watched.iter().any(|watched| watched.fd == *descriptor));
    let at = found.map(|(_, address)| address.clone());
    // The names that they give their threads themselves say it without a port; `console` alone may be something else.
    (at.is_some() || OWN.iter().any(|own| name.starts_with(own))).then_some(Port { what, at })
}

/// The descriptor of epoll in which a thread sleeps.
fn epoll(pid: u32, thread: u32) -> Option<i32> {
    for _ in 0..TRIES {
        let text = proc::text(&format!("/proc/{pid}/task/{thread}/syscall"))?;
        if let Some(descriptor) = descriptor(&text) {
            return Some(descriptor);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    None
}

/// What a call of `epoll_wait` waits for, as `syscall` tells it: its number, and then what it was given.
fn descriptor(syscall: &str) -> Option<i32> {
    let mut words = syscall.split_ascii_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    #[cfg(target_arch = "x86_64")]
    let older = number == libc::SYS_epoll_wait;
    #[cfg(not(target_arch = "x86_64"))]
    let older = false;
    let waits = older || [libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2].contains(&number);
    let given = words.next()?.strip_prefix("0x")?;
    waits.then(|| i32::from_str_radix(given, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_that_of_a_thread_that_waits() {
        let call = |number: i64| format!("{number} 0x1f 0x7ffd 0x400 0xffffffff 0x0 0x8 0x7ffc 0x7ffb\n");
        assert_eq!(descriptor(&call(libc::SYS_epoll_pwait)), Some(31));
        assert_eq!(descriptor(&call(libc::SYS_read)), None);
        for none in ["running\n", "", "-1 0x7ffc 0x7ffb\n"] {
            assert_eq!(descriptor(none), None);
        }
        assert_eq!(served("console_subscri"), Some(Instrumentation::Console));
        assert_eq!((served("holdup-agent"), served("holdup-stacks")), (Some(Instrumentation::Agent), None));
    }
}
