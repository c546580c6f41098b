//! What is read in a process's memory, in plain data: what each task awaits, who holds what, and what the threads do. A look tells
//! how the process was while it ran on, and says of each thing how it is known.

mod chain;
mod task;
mod thing;
mod values;
mod whole;

pub use chain::{Chain, Frame, FrameKind, Reach};
pub use task::{Claim, ClaimKind, Fate, Home, Interest, Queued, State, TaskKey, TaskLook, Wait, WaitOn};
pub use thing::{Channel, Holder, Thing, ThingId, ThingKind, Waiter, Who};
pub use values::{FrameValues, Values, Variable};
pub use whole::{
    Cost, Job, Kept, LocalSet, Owner, ProcessState, Role, Root, Sleeps, SleepsFor, Socket, Thread, Unread, Whole,
};

/// How something that was read is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Certainty {
    /// A guess from samples.
    Sampled,
    /// Bytes say so, and could be stale: a local that was dropped or moved keeps its bytes.
    #[default]
    Likely,
    /// All that could say otherwise was read, and does not.
    Proven,
}

impl Certainty {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sampled => "sampled",
            Self::Likely => "likely",
            Self::Proven => "proven",
        }
    }
}

/// What is known of the types of a program, which decides what can be read of its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Grade {
    /// What there is could not be used: of a core file or grab, the executable of its build is not here.
    Absent,
    /// Nothing: tasks, states and sizes alone.
    #[default]
    Stripped,
    /// Functions: types of futures by name.
    Symbols,
    /// Functions and lines: stacks with lines.
    Lines,
    /// Types that another build has: what they tell is at most likely.
    Twin,
    /// Types: chains, locks, holders.
    Full,
}

impl Grade {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Stripped => "stripped",
            Self::Symbols => "symbols",
            Self::Lines => "lines",
            Self::Twin => "twin",
            Self::Full => "full",
        }
    }

    /// Whether there are types to read futures by.
    pub fn has_types(self) -> bool {
        self >= Self::Twin
    }
}
