//! A poll that lasts too long, as the agent's watchdog tells it while it lasts: where, why, and the thread's stack.

use super::{Place, Stamp, TaskId, runtime::RuntimeId, worker::WorkerId};
use std::{sync::Arc, time::Duration};

/// A thread of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Thread {
    /// The system's id of it, 0 where that is not known.
    pub tid: u32,
    /// Its name, empty where it has none.
    pub name: String,
}

/// What the thread of a stall is doing, as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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

/// Where the files of others begin: dependencies, as [`Place`] shortens them, and the standard library.
const FOREIGN: [&str; 3] = ["<cargo>/", "<rust>/", "library/"];

/// A poll that lasts, or lasted, longer than the agent's threshold.
#[derive(Debug, Clone, PartialEq)]
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

/// A thread's stack, or a future's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stack {
    /// Innermost first.
    pub frames: Vec<Frame>,
    /// Whether parts of it were guessed.
    pub approximate: bool,
    /// When it was captured.
    pub captured: Option<Stamp>,
    /// Why there are no frames, in words.
    pub limitation: String,
}

/// One frame of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The function, empty where it is not known.
    pub function: String,
    /// Where in the source, without a file where that is not known.
    pub place: Place,
    /// The file name of the module that it is in.
    pub module: String,
    /// The address in the process.
    pub address: u64,
}

impl Stall {
    /// How long the poll has lasted at `now`, or lasted.
    pub fn lasted(&self, now: Stamp) -> Duration {
        self.ended.unwrap_or(now).since(self.since)
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

impl Stack {
    /// The innermost frame of the service's own code: past the standard library, the runtime and other dependencies.
    pub fn service_frame(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.is_of_service())
    }

    /// The frame that says most: the service's own, or else the innermost that is named.
    pub fn top(&self) -> Option<&Frame> {
        self.service_frame().or_else(|| self.frames.iter().find(|frame| !frame.function.is_empty()))
    }
}

impl Frame {
    /// Whether this is the service's own code, as far as its file tells: no dependency from a registry, and not the standard
    /// library.
    pub fn is_of_service(&self) -> bool {
        let file = self.place.file.as_str();
        let foreign = FOREIGN.iter().any(|part| file.starts_with(part));
        std::path::Path::new(file).extension().is_some_and(|extension| extension == "rs") && !foreign
    }

    /// The frame in words: its function and its place, as far as they are known.
    pub fn in_words(&self) -> String {
        let function = match (self.function.as_str(), self.module.as_str()) {
            ("", "") => format!("{:#x}", self.address),
            ("", module) => format!("{:#x} in {module}", self.address),
            _ => self.name().into_owned(),
        };
        if self.place.file.is_empty() { function } else { format!("{function} at {}", self.place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::update::SourcePlace;

    fn frame(function: &str, file: &str) -> Frame {
        let place = Place::from(SourcePlace { file: file.into(), line: 7, column: 1 });
        Frame { function: function.into(), place, ..Frame::default() }
    }

    #[test]
    fn the_top_frame_is_the_services_own() {
        let frames = vec![
            Frame { module: "libc.so.6".into(), address: 0x7f00, ..Frame::default() },
            frame("std::thread::sleep", "/rustc/abc/library/std/src/thread/mod.rs"),
            frame("<core::pin::Pin<P> as Future>::poll", "/root/.rustup/lib/rustlib/src/rust/library/core/src/pin.rs"),
            frame("rand::random", "/srv/.cargo/registry/src/index-1f/rand-0.9/src/lib.rs"),
            frame("echo::report::render", "src/report.rs"),
            frame("echo::main", "src/main.rs"),
        ];
        let stack = Stack { frames, ..Stack::default() };
        assert_eq!(
            stack.service_frame().map(Frame::in_words).as_deref(),
            Some("echo::report::render at src/report.rs:7")
        );
        let foreign = Stack { frames: stack.frames[..3].to_vec(), ..Stack::default() };
        assert_eq!(foreign.service_frame(), None);
        assert_eq!(foreign.top().map(|frame| frame.function.as_str()), Some("std::thread::sleep"));
        assert_eq!(stack.frames[0].in_words(), "0x7f00 in libc.so.6");
    }
}
