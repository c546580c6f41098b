//! What a source tells, in its order, and what it can be told.

use super::{
    Knows, Stamp, TaskDetails, TaskId, Update,
    look::{Grade, Values, Who},
};
use std::time::Duration;

/// Something that happened on the link, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Event {
    /// The state of the connection changed.
    Connection(Connection),
    /// A target begins to tell: everything that was learned before is void, since another process may answer now. It comes
    /// before [`Connection::Live`], and before the first update.
    Begin(Box<Begin>),
    /// How far a large message has come. Sent a few times a second while one is under way, and once more at its end with
    /// `received == total`. Small messages send none.
    Progress {
        /// Bytes of the message that are here.
        received: u64,
        /// Bytes that the message has.
        total: u64,
    },
    /// An update of the target's state, or a page of one.
    Update(Box<Update>),
    /// Details of the task that is being watched.
    Details(Box<TaskDetails>),
    /// There are no details to be had, or no more of them. The watch is over.
    DetailsUnavailable {
        /// The task that was asked for.
        task: TaskId,
        /// Why not, for the user.
        reason: String,
    },
    /// What the frames of a task have, which was asked for.
    Values(Box<Values>),
    /// Whether the target sends updates. Not every target tells.
    Temporality(Temporality),
    /// A command that was asked for did not work.
    CommandFailed {
        /// The command.
        command: Command,
        /// Why not, for the user.
        reason: String,
    },
    /// What becomes of the reading of the process's memory beside this source.
    Beside(Beside),
    /// The target was asked to catch up; sent once a second at most.
    CatchUp {
        /// How often it was asked since attaching.
        sent: u64,
    },
}

/// What becomes of a source that speaks beside another. When it begins is told by [`Event::Begin`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Beside {
    /// It speaks no more.
    Over {
        /// Why, for the user; empty where the user asked for it.
        reason: String,
    },
    /// It speaks alone now: the one that it spoke beside is heard no more.
    Left {
        /// Why, for the user.
        reason: String,
    },
}

/// Where the connection stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Connection {
    /// Trying.
    Connecting {
        /// From 1, counting since the last session that delivered an update.
        attempt: u32,
    },
    /// The target answered and will send updates.
    Live,
    /// The connection failed or ended. The next try follows by itself.
    Lost {
        /// Why, for the user.
        reason: String,
        /// Until the next try. [`Command::RetryNow`] cuts it short.
        retry_in: Duration,
        /// The try that failed, counted as in [`Connection::Connecting`].
        attempt: u32,
    },
    /// What answers there is nothing that can be watched, and would be the same at the next try. There is none before
    /// [`Command::RetryNow`].
    GaveUp {
        /// Why, for the user.
        reason: String,
    },
}

/// Who begins to tell.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Begin {
    /// From 1, one more each time that a source begins anew.
    pub epoch: u64,
    /// What the target speaks.
    pub protocol: Protocol,
    /// Who answers; known from an agent only.
    pub process: Option<Process>,
    /// What can be told at all, and why the rest cannot.
    pub knows: Knows,
    /// Whether it speaks beside another.
    pub mode: BeginMode,
}

/// Whether a source speaks alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum BeginMode {
    /// It does: what was known before is void.
    #[default]
    Alone,
    /// It speaks of the process that another source speaks of, and voids nothing.
    Joins,
}

impl Begin {
    /// A console.
    pub fn console(epoch: u64) -> Self {
        Self { epoch, protocol: Protocol::Console, process: None, knows: Knows::console(), mode: BeginMode::Alone }
    }

    /// An agent, which tells what it says that it can.
    pub fn agent(epoch: u64, process: Process) -> Self {
        let knows = Knows::agent(&process.capabilities);
        Self { epoch, protocol: Protocol::Agent, process: Some(process), knows, mode: BeginMode::Alone }
    }

    /// The memory of a process, of whose types so much is known.
    pub fn memory(epoch: u64, process: Process, grade: Grade) -> Self {
        let knows = Knows::memory(grade);
        Self { epoch, protocol: Protocol::Memory, process: Some(process), knows, mode: BeginMode::Alone }
    }

    /// An agent that is older than this client, and read as a console.
    pub fn older_agent(epoch: u64, process: Process) -> Self {
        Self {
            epoch,
            protocol: Protocol::Console,
            process: Some(process),
            knows: Knows::older_agent(),
            mode: BeginMode::Alone,
        }
    }
}

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Protocol {
    /// The console wire format, as any `console-subscriber` does, and an agent that is older than this client.
    Console,
    /// holdup's own service, which tells everything.
    Agent,
    /// Nothing: its memory is read.
    Memory,
}

impl Protocol {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Agent => "agent",
            Self::Memory => "memory",
        }
    }
}

/// What an agent tells about its process. Every text is the target's own and cut to the client's bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Process {
    /// Random for each run of the process, in hexadecimal. Two sessions with the same one saw the same process.
    pub boot_id: String,
    /// The process id, as the process itself sees it.
    pub pid: u32,
    /// What the service calls itself.
    pub name: String,
    /// The path of the executable, empty where it is not known.
    pub executable: String,
    /// When the process started, on its own clock.
    pub started: Option<Stamp>,
    /// The agent's version.
    pub agent_version: String,
    /// The version of tokio that the service was built with, empty where it is not known.
    pub tokio_version: String,
    /// How much is being collected, in one word.
    pub detail: String,
    /// What the agent can tell beyond the console's format, as stable names.
    pub capabilities: Vec<String>,
    /// What the agent cannot see, and why, in sentences.
    pub limitations: Vec<String>,
}

/// Whether the target sends updates. It is the target's own state, shared by everyone who watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Temporality {
    /// It does.
    Live,
    /// Someone paused it.
    Paused,
}

/// What a link can be told. None of it blocks the link, and all of it may be said in every state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Command {
    /// Stop the target's updates, for everyone who watches it.
    PauseTarget,
    /// Let the target's updates go on, for everyone who watches it.
    ResumeTarget,
    /// The target seems to lag: make it collect more, where the user lets that be done.
    CatchUp,
    /// Watch this task's details instead of any other's. The watch ends with the session.
    WatchTask(TaskId),
    /// Watch no task's details.
    UnwatchTask,
    /// Read what the frames of this task have, or of this thread's own future, now and with every look, instead of any other's. Nothing
    /// reads that otherwise.
    ReadValues(Who),
    /// Read what no frame has any more.
    LeaveValues,
    /// Read the stacks of running threads with the next look, each of which is stopped for that, for less than a millisecond.
    StopForStacks,
    /// Have the agent capture what every worker is doing now.
    CaptureStacks,
    /// Read the memory of the process beside what it tells, where it is one of this machine, or read it no more.
    ToggleMemory,
    /// Do not wait for the next try, and try again where the link gave up.
    RetryNow,
}
