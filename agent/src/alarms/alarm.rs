//! An alarm, as a service's callback gets it.

use crate::text::words::span;
use std::{
    fmt::{self, Write as _},
    time::Duration,
};

/// Something critical that has lasted, as the agent tells it by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alarm {
    /// What.
    pub kind: AlarmKind,
    /// The runtime that it is about: its name, or else its number in words.
    pub runtime: String,
    /// For how long it has lasted, or lasted.
    pub lasted: Duration,
    /// Who keeps a worker: one, or one for each worker when all are stuck; at most eight are named.
    pub stuck: Vec<Stuck>,
    /// Stalls of the same place that were not told since the alarm before, because that was less than a minute ago.
    pub unsaid: u64,
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlarmKind {
    /// One poll has kept its worker for too long.
    Stall,
    /// Every worker of a runtime is in such a poll: nothing on it goes on.
    AllWorkersStuck,
}

impl AlarmKind {
    /// The word for it, kebab-case and stable.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stall => "stall",
            Self::AllWorkersStuck => "all-workers-stuck",
        }
    }
}

/// A poll that keeps a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stuck {
    /// The worker's number in its runtime.
    pub worker: u32,
    /// Its thread's name, empty where it has none.
    pub thread: String,
    /// The task: its kind, tokio's number of it, its name if it has one, and where it was spawned.
    pub task: String,
    /// For how long the poll has lasted, or lasted.
    pub lasted: Duration,
    /// Whether it is over.
    pub is_over: bool,
    /// What the thread does, in words.
    pub cause: String,
    /// The thread's stack, a line for each function, the innermost first; or why there is none.
    pub stack: String,
}

impl Alarm {
    /// It in one line.
    pub(crate) fn headline(&self) -> String {
        let mut said = match (self.kind, &*self.stuck) {
            (AlarmKind::Stall, [stuck, ..]) => {
                let is = if stuck.is_over { "was" } else { "has been" };
                format!(
                    "worker {} of {} {is} in one poll for {}: {}; {}",
                    stuck.worker,
                    self.runtime,
                    span(stuck.lasted),
                    stuck.task,
                    stuck.cause
                )
            }
            _ => format!("all workers of {} have been stuck for {}", self.runtime, span(self.lasted)),
        };
        if self.unsaid > 0 {
            // Writing to a string cannot fail.
            let _ = write!(said, "; {} more of that place were not told since the last time", self.unsaid);
        }
        said
    }

    /// The stacks: of several, each after a line that says whose it is.
    pub(crate) fn stacks(&self) -> String {
        if let (AlarmKind::Stall, [stuck, ..]) = (self.kind, &*self.stuck) {
            return stuck.stack.clone();
        }
        let one = |stuck: &Stuck| {
            let Stuck { worker, task, cause, stack, .. } = stuck;
            format!("worker {worker}, {} in one poll of {task}; {cause}:\n{stack}", span(stuck.lasted))
        };
        self.stuck.iter().map(one).collect()
    }
}

impl fmt::Display for Alarm {
    /// All of it, in lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.headline(), self.stacks())
    }
}
