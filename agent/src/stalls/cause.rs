//! Why a poll lasts, from what the kernel shows of its thread.

use crate::{
    clock::Nanos,
    stalls::kernel::{Call, Look},
};
use std::{borrow::Cow, collections::VecDeque, time::Duration};

/// What a stalled thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// Runs on a CPU: a computation, or a loop.
    Running,
    /// Sleeps in a system call.
    InSystemCall,
    /// Waits for another thread: a `std::sync` lock, a channel, a condition variable.
    Lock,
    /// Sleeps on purpose, by `std::thread::sleep` or the like.
    Sleep,
    /// Waits for a disk or another device, and cannot be interrupted.
    Device,
    /// Could run, but the kernel gives the CPU to others.
    Starved,
    /// Waits for a child process that has not started its program yet, as in `vfork`: the two share their memory until then.
    Child,
}

impl Cause {
    /// What the thread does, in words.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Running => "computes: the thread runs on a CPU",
            Self::InSystemCall => "sleeps in a system call",
            Self::Lock => "waits for another thread: a std::sync lock, a channel or a condition variable",
            Self::Sleep => "sleeps on purpose, as by std::thread::sleep",
            Self::Device => "waits for a disk or another device",
            Self::Starved => "could run, but the kernel gives the CPU to others",
            Self::Child => "waits for a child process that has not started its program yet",
        }
    }
}

/// Why, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// `None` where it could not be told; `limitation` says why.
    pub(crate) cause: Option<Cause>,
    /// The system call's name; empty where there is none or it is not known.
    pub(crate) call: String,
    /// What is not known, in words; empty when nothing is missing.
    pub(crate) limitation: Cow<'static, str>,
}

/// How much of a CPU a thread had lately.
#[derive(Debug, Default)]
pub(crate) struct Share(VecDeque<(Nanos, Duration)>);

/// Over how long a share is taken.
const WINDOW: Duration = Duration::from_millis(100);

/// A thread that could run is starved when it had less of a CPU than this.
const STARVED: f64 = 0.25;

impl Share {
    /// Notes a thread's CPU time, and says what share of a CPU it had since the time that was noted a window ago, or before
    /// that if there is none so old; `None` as long as nothing can be said.
    pub(crate) fn note(&mut self, now: Nanos, cpu: Option<Duration>) -> Option<f64> {
        let cpu = cpu?;
        while self.0.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.0.pop_front();
        }
        let (at, before) = *self.0.front().unwrap_or(&(now, cpu));
        self.0.push_back((now, cpu));
        let time = now.since(at);
        (time >= WINDOW / 5).then(|| cpu.saturating_sub(before).as_secs_f64() / time.as_secs_f64())
    }
}

/// Judges a look at a thread that had such a share of a CPU lately.
pub(crate) fn judge(look: &Look, share: Option<f64>) -> Reason {
    let known = |cause| Reason { cause: Some(cause), call: String::new(), limitation: "".into() };
    match look.state {
        Some('R') if share.is_some_and(|share| share < STARVED) => known(Cause::Starved),
        Some('R') => known(Cause::Running),
        Some('D') => {
            let call = call(look.call).0;
            let cause = if makes_a_process(&call, &look.function) { Cause::Child } else { Cause::Device };
            Reason { call, ..known(cause) }
        }
        Some('S') => asleep(look),
        Some('T' | 't') => unknown("the thread is stopped, by a signal or a debugger"),
        Some(_) => unknown("the thread has ended"),
        None if cfg!(target_os = "linux") => unknown("/proc/self/task/*/stat cannot be read"),
        None => unknown("what a thread is doing is known on Linux alone"),
    }
}

/// Whether a thread that cannot be interrupted is in there because of a process that it makes. The kernel shows this wait with the
/// letter that disks have; a call that makes a process has no other wait that lasts.
fn makes_a_process(call: &str, function: &str) -> bool {
    matches!(call, "clone" | "clone3" | "vfork" | "fork") || function.contains("vfork") || function == "kernel_clone"
}

fn asleep(look: &Look) -> Reason {
    let (name, cause) = call(look.call);
    let known = |cause| Reason { cause: Some(cause), call: name.clone(), limitation: "".into() };
    match (look.call, cause) {
        // It woke up while it was looked at.
        (Call::Running, _) => known(Cause::Running),
        (Call::Number(_), cause) => known(cause),
        (Call::None, _) => known(Cause::Device),
        (Call::Hidden, _) if look.function.contains("futex") => known(Cause::Lock),
        (Call::Hidden, _) if look.function.contains("nanosleep") => known(Cause::Sleep),
        (Call::Hidden, _) => Reason {
            limitation: "/proc/self/task/*/syscall cannot be read: the system call is not known".into(),
            ..known(Cause::InSystemCall)
        },
    }
}

#[cfg(target_os = "linux")]
fn call(call: Call) -> (String, Cause) {
    use crate::stalls::syscalls::{Purpose, named};
    let Call::Number(number) = call else { return (String::new(), Cause::InSystemCall) };
    let (name, purpose) = named(number);
    let cause = match purpose {
        Purpose::Lock => Cause::Lock,
        Purpose::Sleep => Cause::Sleep,
        Purpose::Other => Cause::InSystemCall,
    };
    (name, cause)
}

#[cfg(not(target_os = "linux"))]
fn call(_: Call) -> (String, Cause) {
    (String::new(), Cause::InSystemCall)
}

fn unknown(limitation: &'static str) -> Reason {
    Reason { cause: None, call: String::new(), limitation: limitation.into() }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn look(state: char, call: Call, function: &str) -> Look {
        Look { state: Some(state), call, function: function.into(), cpu: None }
    }

    fn cause(state: char, call: Call, share: Option<f64>) -> Option<Cause> {
        judge(&look(state, call, ""), share).cause
    }

    #[test]
    fn each_cause_is_told() {
        assert_eq!(cause('R', Call::Running, None), Some(Cause::Running));
        assert_eq!(cause('R', Call::Running, Some(0.9)), Some(Cause::Running));
        assert_eq!(cause('R', Call::Running, Some(0.1)), Some(Cause::Starved));
        assert_eq!(cause('S', Call::Number(libc::SYS_futex), Some(0.0)), Some(Cause::Lock));
        assert_eq!(cause('S', Call::Number(libc::SYS_clock_nanosleep), None), Some(Cause::Sleep));
        assert_eq!(cause('S', Call::Number(libc::SYS_recvfrom), None), Some(Cause::InSystemCall));
        assert_eq!(cause('S', Call::None, None), Some(Cause::Device));
        assert_eq!(cause('D', Call::Number(libc::SYS_fsync), None), Some(Cause::Device));
        assert_eq!(judge(&look('D', Call::Number(libc::SYS_fsync), ""), None).call, "fsync");
        assert_eq!(cause('D', Call::Number(libc::SYS_clone), None), Some(Cause::Child));
        assert_eq!(judge(&look('D', Call::Hidden, "wait_for_vfork_done"), None).cause, Some(Cause::Child));
        assert_eq!(cause('T', Call::Running, None), None);
    }

    #[test]
    fn what_the_kernel_hides_is_said() {
        assert_eq!(judge(&look('S', Call::Hidden, "futex_wait_queue"), None).cause, Some(Cause::Lock));
        assert_eq!(judge(&look('S', Call::Hidden, "hrtimer_nanosleep"), None).cause, Some(Cause::Sleep));
        let hidden = judge(&look('S', Call::Hidden, ""), None);
        assert_eq!(hidden.cause, Some(Cause::InSystemCall));
        assert!(hidden.limitation.contains("cannot be read"));
        let blind = judge(&Look { state: None, ..look('S', Call::Hidden, "") }, None);
        assert!(blind.cause.is_none() && blind.limitation.contains("cannot be read"));
    }

    #[test]
    fn a_share_is_taken_over_a_window() {
        let at = |millis: u64| Nanos::from_raw(1 + millis * 1_000_000).unwrap();
        let cpu = |millis| Some(Duration::from_millis(millis));
        let mut share = Share::default();
        assert_eq!(share.note(at(0), cpu(500)), None);
        assert_eq!(share.note(at(10), cpu(500)), None, "too early to tell");
        assert_eq!(share.note(at(50), cpu(525)), Some(0.5));
        assert_eq!(share.note(at(100), cpu(525)), Some(0.25));
        assert_eq!(share.note(at(150), cpu(525)), Some(0.0), "since 50");
        assert_eq!(share.note(at(200), None), None);
    }
}
