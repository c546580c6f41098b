//! A finding: one lint, on one subject, with what shows it. Plain data with everything in it that a reader needs, so that it
//! stays readable when the task, the lock or the whole process that it speaks of is gone.

use super::{Keeper, Lint, humanize};
use crate::model::Named;
use crate::packed::Word;
use crate::update::{ResourceId, RuntimeId, Stack, Stamp, TaskId, WorkerId};
use std::{fmt, sync::Arc, time::Duration};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Costs you now.
    Warning,
    /// The service is stuck, or will be.
    Critical,
}

impl Severity {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How sure we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Confidence {
    /// The target said so.
    Exact,
    /// It follows from what the target said, as long as nothing happened that the target does not report.
    Inferred,
    /// Bytes in the process's memory say so, and may be stale.
    Likely,
    /// The target lost or withheld data, so that this may be incomplete.
    Incomplete,
}

impl Confidence {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Inferred => "inferred",
            Self::Likely => "likely",
            Self::Incomplete => "incomplete",
        }
    }
}

/// Whether it still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Status {
    /// It holds now.
    Active,
    /// It held, and is over.
    Past,
}

/// A task as a finding names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskRef {
    /// The instrumentation's id, by which the model finds it.
    pub id: TaskId,
    /// Tokio's number for it, if known.
    pub number: Option<u64>,
    /// Its name, empty where it has none.
    pub name: String,
    /// Such as `task` or `blocking`.
    #[serde(with = "crate::packed::word")]
    pub kind: Word,
    /// Where it was spawned, as `file:line`.
    pub place: String,
}

/// A lock as a finding names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LockRef {
    /// The instrumentation's id.
    pub id: ResourceId,
    /// What it is known by: the order in which the target spoke of its resources.
    pub number: u64,
    /// `Mutex` or `RwLock`.
    #[serde(with = "crate::packed::word")]
    pub kind: Word,
    /// Where it was made, as `file:line`.
    pub place: String,
}

/// A runtime as a finding names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RuntimeRef {
    /// Tokio's number of it.
    pub id: RuntimeId,
    /// What the service calls it, or else its number in words.
    pub name: String,
}

/// A worker as a finding names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkerRef {
    /// Its number, and its runtime's.
    pub id: WorkerId,
    /// Its runtime.
    pub runtime: String,
    /// Its thread's name, empty where it has none.
    pub thread: String,
}

/// A stack as a finding shows it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StackRef {
    /// What it is the stack of, in a word: `stack`, `acquired`, `asleep`.
    #[serde(with = "crate::packed::word")]
    pub what: Word,
    /// Who acquired or sleeps there; `None` for the task that the finding is about.
    pub of: Option<TaskRef>,
    /// The frames.
    pub stack: Arc<Stack>,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Subject {
    /// A task; the worst one, where the finding is about many of one spawn location.
    Task(TaskRef),
    /// A lock.
    Lock(LockRef),
    /// A spawn location, as `file:line`.
    Place(String),
    /// A runtime.
    Runtime(RuntimeRef),
    /// The target as a whole.
    Target,
}

/// A measured value.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Measure {
    /// A time span.
    Time(Duration),
    /// A number of things.
    Count(u64),
    /// A size.
    Bytes(u64),
    /// From 0 to 1.
    Share(f64),
    /// Words.
    Text(String),
}

/// One fact that shows the finding.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// What the fact is, in a word or two.
    #[serde(with = "crate::packed::word")]
    pub name: Word,
    /// The fact.
    pub value: Measure,
}

impl Evidence {
    /// A time span.
    pub fn time(name: &'static str, value: Duration) -> Self {
        Self { name, value: Measure::Time(value) }
    }
    /// A count.
    pub fn count(name: &'static str, value: u64) -> Self {
        Self { name, value: Measure::Count(value) }
    }
    /// A size in bytes.
    pub fn bytes(name: &'static str, value: u64) -> Self {
        Self { name, value: Measure::Bytes(value) }
    }
    /// A share from 0 to 1.
    pub fn share(name: &'static str, value: f64) -> Self {
        Self { name, value: Measure::Share(value) }
    }
    /// Words.
    pub fn text(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: Measure::Text(value.into()) }
    }
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum AwaitedRef {
    /// A lock, a semaphore, a channel.
    Resource(LockRef),
    /// The end of a task.
    End(TaskRef),
    /// To be polled, which these threads alone could do.
    Poll(Vec<u32>),
}

/// How somebody keeps others from what they wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum KeepsBy {
    /// A guard of it, permits, reserved room.
    Guard,
    /// The same, in a future of theirs that nobody polls.
    UnpolledGuard,
    /// A place before others in its queue.
    Place,
    /// The same, with a future that nobody polls.
    UnpolledPlace,
    /// The end that sends.
    Sender,
    /// The end that receives.
    Receiver,
    /// Their own end.
    End,
    /// The thread that polls them meanwhile, and sleeps.
    Thread,
}

impl KeepsBy {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::UnpolledGuard => "unpolled-guard",
            Self::Place => "place",
            Self::UnpolledPlace => "unpolled-place",
            Self::Sender => "sender",
            Self::Receiver => "receiver",
            Self::End => "end",
            Self::Thread => "thread",
        }
    }
}

/// One step of a deadlock: a task, what it keeps and the one before waits for, and what it waits for and the next one keeps.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CycleStep {
    /// The task.
    pub task: TaskRef,
    /// What it keeps.
    pub holds: AwaitedRef,
    /// How.
    pub by: KeepsBy,
    /// For how long it has.
    pub held: Duration,
    /// Where it acquired that, as far as an agent tells: the function and its line. Of what a future has that nobody polls, where that
    /// sleeps.
    pub acquired_at: Option<String>,
    /// What it waits for.
    pub waits_for: AwaitedRef,
    /// For how long it has.
    pub waited: Duration,
    /// What it waits in, such as `Mutex::lock`; empty where that is not told.
    pub waits_in: String,
    /// Where it waits, as far as that is known.
    pub waits_at: Option<String>,
    /// How it is known that it keeps what it does.
    pub known: Confidence,
}

impl LockRef {
    /// In words: what it is, its number, and where it was made.
    pub fn in_words(&self) -> String {
        format!("{} {} {}", self.kind, self.number, self.place)
    }
}

impl AwaitedRef {
    /// The lock, semaphore or channel, if it is one.
    pub fn resource(&self) -> Option<&LockRef> {
        if let Self::Resource(resource) = self { Some(resource) } else { None }
    }

    /// In words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Resource(resource) => resource.in_words(),
            Self::End(task) => format!("the end of {}", super::label::in_words(task)),
            Self::Poll(threads) => format!("a poll, by {} alone", threads_in_words(threads)),
        }
    }
}

/// Threads by their numbers, a few of them.
fn threads_in_words(threads: &[u32]) -> String {
    let ids: Vec<String> = threads.iter().take(RELATED_MOST).map(ToString::to_string).collect();
    match threads {
        [_] => format!("thread {}", ids.join("")),
        _ => format!("one of the threads {}", ids.join(", ")),
    }
}

/// A task that waits, and for how long it has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WaitRef {
    /// The task.
    pub task: TaskRef,
    /// How long it has waited; `None` where it is not told since when.
    pub waited: Option<Duration>,
}

impl WaitRef {
    /// For how long, in words.
    pub fn waited_in_words(&self) -> String {
        self.waited.map_or_else(|| "an unknown time".to_owned(), humanize)
    }
}

/// Who else is in it.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Related {
    /// The lock that it is about, where the subject is not one.
    pub lock: Option<LockRef>,
    /// Who holds the lock; of several, one.
    pub holder: Option<TaskRef>,
    /// The others who hold it, if they read; at most [`RELATED_MOST`].
    pub co_holders: Vec<TaskRef>,
    /// Both of them, or those who keep something else, with what they wait for; empty where no more is known.
    pub keepers: Vec<Keeper>,
    /// The worker that it is about.
    pub worker: Option<WorkerRef>,
    /// Stacks that show it.
    pub stacks: Vec<StackRef>,
    /// Who waits for the lock, first come first; at most [`RELATED_MOST`].
    pub waiters: Vec<WaitRef>,
    /// How many wait, those not named included.
    pub waiters_total: usize,
    /// A deadlock's cycle.
    pub cycle: Vec<CycleStep>,
    /// Other tasks of the same spawn location that the lint fires for; at most [`RELATED_MOST`].
    pub tasks: Vec<TaskRef>,
    /// How many tasks the lint fires for, the subject and those not named included.
    pub tasks_total: usize,
}

/// A finding names at most this many of each kind of other task.
pub const RELATED_MOST: usize = 16;

/// A finding's own number, for as long as the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct FindingId(pub u64);

/// One lint, on one subject.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// Its number.
    pub id: FindingId,
    /// The lint.
    #[serde(with = "super::lint::by_name")]
    pub lint: &'static Lint,
    /// How bad it got.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// Whether it still holds.
    pub status: Status,
    /// What it is about.
    pub subject: Subject,
    /// Since when the condition holds, by the target's clock.
    pub since: Stamp,
    /// When it was first seen, by the target's clock.
    pub first_seen: Stamp,
    /// When it was last seen, by the target's clock.
    pub last_seen: Stamp,
    /// How often it began.
    pub episodes: u64,
    /// The finding in one line, subject left out.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// Who else is in it.
    pub related: Related,
}

impl Finding {
    /// The tasks that it speaks of as at fault or in it, those that merely wait apart.
    pub(super) fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let subject = match &self.subject {
            Subject::Task(subject) => Some(subject),
            _ => None,
        };
        let related = &self.related;
        let named = subject.into_iter().chain(&related.holder).chain(&related.co_holders).chain(&related.tasks);
        named.chain(related.cycle.iter().map(|step| &step.task)).map(|task| task.id)
    }

    /// Adds every row that it names.
    pub(super) fn name_rows(&self, named: &mut Named) {
        let related = &self.related;
        let stacks = related.stacks.iter().filter_map(|stack| stack.of.as_ref());
        let others = stacks.chain(related.waiters.iter().map(|waiter| &waiter.task)).map(|task| task.id);
        named.tasks.extend(self.tasks().chain(others));
        let subject = if let Subject::Lock(lock) = &self.subject { Some(lock) } else { None };
        named.resources.extend(subject.into_iter().chain(&related.lock).map(|lock| lock.id));
        for awaited in related.cycle.iter().flat_map(|step| [&step.holds, &step.waits_for]) {
            match awaited {
                AwaitedRef::Resource(resource) => drop(named.resources.insert(resource.id)),
                AwaitedRef::End(task) => drop(named.tasks.insert(task.id)),
                AwaitedRef::Poll(_) => {}
            }
        }
    }

    /// Whether the finding speaks of a task.
    pub fn concerns(&self, task: TaskId) -> bool {
        self.tasks().any(|other| other == task)
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        self.lint.advice
    }
}
