//! A poll that lasts too long, as the agent's watchdog tells it while it lasts: where, why, and the thread's stack.

use super::{RuntimeId, Stack, Stamp, TaskId, Thread, WorkerId};
use std::{sync::Arc, time::Duration};

/// What the thread of a stall is doing, as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Cause {
    /// That could not be told.
    #[default]
    Unknown,
    /// It runs.
    Running,
    /// It sleeps in a system call.
    SystemCall,
    /// It waits for another thread.
    Lock,
    /// It sleeps on purpose.
    Sleep,
    /// It waits for a device.
    Device,
    /// It could run, and the kernel lets others.
    Starved,
    /// It waits for a child process that has not started its program yet.
    Child,
}

/// A poll that lasts, or lasted, longer than the agent's threshold.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Stall {
    /// Unique in the process.
    pub id: u64,
    /// The runtime.
    pub runtime: RuntimeId,
    /// The worker; `None` for a poll on a thread that is none, such as one inside `block_in_place`.
    pub worker: Option<WorkerId>,
    /// The thread.
    pub thread: Option<Thread>,
    /// The task.
    pub task: Option<TaskId>,
    /// When the poll began.
    pub since: Stamp,
    /// When it ended; `None` while it lasts.
    pub ended: Option<Stamp>,
    /// What the thread is doing.
    pub cause: Cause,
    /// The system call that it is in, empty where that is not known.
    pub system_call: String,
    /// Where in the kernel it sleeps, empty where that is not known.
    pub kernel_function: String,
    /// Time on a processor since the poll was found to last.
    pub on_cpu: Duration,
    /// Tasks in the worker's own queue.
    pub queued: u64,
    /// Its stack. Shared, since findings keep it.
    pub stack: Option<Arc<Stack>>,
    /// Why something of this is missing, in words; empty when nothing is.
    pub limitation: String,
}

impl Stall {
    /// Whether its thread only waits for a processor: it could run, and has had less of one in this poll than `most`. Whoever is polled
    /// then has no part in it.
    pub fn lacks_a_processor(&self, most: Duration) -> bool {
        self.cause == Cause::Starved && self.on_cpu < most
    }

    /// What the thread is doing, in words.
    pub fn cause_in_words(&self) -> String {
        let call = |said: &str| match self.system_call.as_str() {
            "" => said.to_owned(),
            call => format!("{said} ({call})"),
        };
        match self.cause {
            Cause::Unknown if self.limitation.is_empty() => "what its thread is doing is not known".into(),
            Cause::Unknown => format!("what its thread is doing is not known: {}", self.limitation),
            Cause::Running => "computes: the thread runs on a CPU".into(),
            Cause::SystemCall if self.kernel_function.is_empty() => call("sleeps in a system call"),
            Cause::SystemCall => format!("{}, in {}", call("sleeps in a system call"), self.kernel_function),
            Cause::Lock => call("waits for another thread: a std::sync lock, a channel or a condition variable"),
            Cause::Sleep => call("sleeps on purpose, as by std::thread::sleep"),
            Cause::Device => call("waits for a disk or another device"),
            Cause::Child => call("waits for a child process that has not started its program yet"),
            Cause::Starved => "could run, but the kernel gives the CPU to others".into(),
        }
    }

    /// The same in a word or two.
    pub fn cause_in_short(&self) -> &'static str {
        match self.cause {
            Cause::Unknown => "cause unknown",
            Cause::Running => "computes",
            Cause::SystemCall => "in a system call",
            Cause::Lock => "waits for a thread",
            Cause::Sleep => "sleeps",
            Cause::Device => "waits for a device",
            Cause::Child => "waits for a child",
            Cause::Starved => "starved of CPU",
        }
    }
}
