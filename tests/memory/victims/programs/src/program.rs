//! A program as plain data: what there is, and what each task does with it, step by step. The process that runs it and the test that
//! knows what must come of it share this, and nothing else.

use serde::{Deserialize, Serialize};

/// A program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// What the tasks wait for, but for ends and tasks.
    pub things: Vec<Thing>,
    /// The ends of its channels.
    pub ends: Vec<End>,
    /// Its tasks. Those that no other spawns run from the start.
    pub tasks: Vec<Task>,
    /// How many steps there are: their numbers are below this, and none is taken twice.
    pub steps: usize,
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Thing {
    Mutex,
    /// Of a type of which guards are put away where no frame shows them.
    KeptMutex,
    RwLock,
    Semaphore(u32),
    /// A channel with room for so many messages.
    Channel(u32),
    Oneshot,
    Watch,
}

/// An end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub thing: usize,
    pub side: Side,
    /// The task that uses it. Until that is spawned, whoever spawns it has the end.
    pub task: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    Gives,
    Takes,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The task that spawns it.
    pub parent: Option<usize>,
    pub body: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub number: usize,
    pub what: What,
}

/// What a step does. What stands in braces of its own comes step after step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// Takes permits of a thing, has them for `body`, and gives them back before `after`, in the same scope.
    Hold {
        thing: usize,
        how: How,
        body: Vec<Step>,
        after: Vec<Step>,
    },
    /// The same with room in a channel.
    Reserve {
        end: usize,
        body: Vec<Step>,
        after: Vec<Step>,
    },
    /// Takes a lock, and puts its guard away.
    Keep {
        thing: usize,
        place: Place,
    },
    /// Sends into a channel, or sets a value.
    Give {
        end: usize,
    },
    /// Waits for a message, a value or a change.
    Take {
        end: usize,
    },
    Sleep(Length),
    /// Spawns a task, and gives it its ends; it has the handle for `body`.
    Spawn {
        task: usize,
        body: Vec<Step>,
    },
    /// Waits for a task that this one spawned.
    Join {
        task: usize,
    },
    /// `join!`.
    Both {
        left: Vec<Step>,
        right: Vec<Step>,
    },
    /// `select!`.
    Either {
        branches: Vec<Branch>,
    },
    Timeout {
        length: Length,
        body: Vec<Step>,
    },
    /// Starts a future, and polls something else while it has it.
    Start {
        start: Start,
        first: Vec<Step>,
        rest: Vec<Step>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    Lock,
    LockOwned,
    Read,
    Write,
    Permits(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In a map that is shared.
    Map,
    /// In a job that has it for a while.
    ShortJob,
    /// In a job that waits for ever.
    LongJob,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Length {
    /// Over by the time at which anybody looks.
    Short,
    /// Longer than the test.
    Long,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// Its precondition.
    pub enabled: bool,
    pub body: Vec<Step>,
}

/// How a future is started and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// Boxed, polled once, kept, and dropped at the end.
    Once,
    /// Boxed, polled by a `select!` with a short sleep, kept, and awaited at the end.
    Beside,
    /// Pinned in its frame, polled by a `select!` with a short sleep, kept, and dropped at the end.
    Pinned,
    /// Boxed, polled once, and dropped before the rest.
    Dropped,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    Idle,
    /// It waits; a future that is started is polled.
    Waiting,
    /// What it took it has; what it started, or spawned, or awaits is under way.
    Inside,
    /// It gave it back; a guard that is put away is there; a future that was started is awaited.
    After,
    Done,
    /// Dropped before its end.
    Gone,
}

impl Phase {
    pub fn number(self) -> u64 {
        self as u64
    }

    /// That of a number.
    pub fn of(number: u64) -> Self {
        [Self::Idle, Self::Waiting, Self::Inside, Self::After].get(number as usize).copied().unwrap_or(Self::Done)
    }
}

/// How far a program has come, as the process that runs it tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Tokio's number of each task; 0 of those that were not spawned.
    pub tasks: Vec<u64>,
    /// By the step's number: its phase, and when that began.
    pub steps: Vec<(u64, u64)>,
}

impl What {
    /// The blocks inside of it.
    pub fn blocks(&self) -> Vec<&Vec<Step>> {
        match self {
            Self::Hold { body, after, .. } | Self::Reserve { body, after, .. } => vec![body, after],
            Self::Spawn { body, .. } | Self::Timeout { body, .. } => vec![body],
            Self::Both { left, right } => vec![left, right],
            Self::Either { branches } => branches.iter().map(|branch| &branch.body).collect(),
            Self::Start { first, rest, .. } => vec![first, rest],
            Self::Keep { .. } | Self::Give { .. } | Self::Take { .. } | Self::Sleep(_) | Self::Join { .. } => {
                Vec::new()
            }
        }
    }
}

impl Program {
    /// The task and all that it spawns, and these, and so on.
    pub fn below(&self, task: usize) -> Vec<usize> {
        let is_below = |mut at: usize| {
            loop {
                if at == task {
                    return true;
                }
                match self.tasks[at].parent {
                    Some(parent) => at = parent,
                    None => return false,
                }
            }
        };
        (0..self.tasks.len()).filter(|at| is_below(*at)).collect()
    }
}

/// What the steps of a block use that only one can use at a time: ends, and handles of tasks.
pub fn uses(block: &[Step], program: &Program) -> Vec<Used> {
    let mut used = Vec::new();
    for step in block {
        match &step.what {
            What::Give { end } | What::Take { end } | What::Reserve { end, .. } => used.push(Used::End(*end)),
            What::Join { task } => used.push(Used::Handle(*task)),
            What::Spawn { task, .. } => {
                let below = program.below(*task);
                let ends = program.ends.iter().enumerate().filter(|(_, end)| below.contains(&end.task));
                used.extend(ends.map(|(at, _)| Used::End(at)));
            }
            _ => {}
        }
        for inner in step.what.blocks() {
            used.extend(uses(inner, program));
        }
    }
    used
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Used {
    End(usize),
    Handle(usize),
}
