//! What was seen, as plain data: the JSON of `holdup check`, field by field. Whoever changes it changes
//! `schema/check.schema.json` with it, and the version where a reader of the old form would be wrong.

use super::{
    exact::{self, RuntimeRow, StackRow, WorkerRow},
    watch::{End, Plan, Seen},
};
use crate::{
    diagnose::{Evidence, Finding, LockRef, Measure, Status, Subject, TaskRef, WaitRef},
    model::Stamp,
    wire,
};
use serde::Serialize;
use std::time::Duration;

/// The version of the JSON. It grows when a field changes its meaning or goes; new fields do not change it.
pub const VERSION: u32 = 1;

/// The whole of it. Durations are in seconds, instants by the target's clock in RFC 3339.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// Who answered last; nothing but an agent tells.
    pub process: Option<Process>,
    /// The target as it was asked for.
    pub target: String,
    /// `console` or `agent`.
    pub protocol: Option<&'static str>,
    /// When we watched.
    pub window: Window,
    /// How much there was.
    pub counts: Counts,
    /// Every finding of the window, those that are over included: the worst first.
    pub findings: Vec<Row>,
}

/// The process that answered.
#[derive(Debug, Serialize)]
pub struct Process {
    /// As the process itself sees it.
    pub pid: u32,
    /// What the service calls itself.
    pub name: String,
    /// Its path, empty where it is not known.
    pub executable: String,
    /// Random for each run of the process.
    pub boot_id: String,
    /// When it started.
    pub started: Option<String>,
    /// The agent's.
    pub agent_version: String,
    /// Empty where it is not known.
    pub tokio_version: String,
    /// How much is being collected, in one word.
    pub detail: String,
    /// What the agent cannot see in this process, and why.
    pub limitations: Vec<String>,
}

/// When we watched.
#[derive(Debug, Serialize)]
pub struct Window {
    /// The target's clock at the first update.
    pub start: String,
    /// The target's clock at the last one.
    pub end: String,
    /// By our own clock.
    pub seconds: f64,
    /// `elapsed`, `interrupted` or `lost`.
    pub ended: &'static str,
    /// Why the target was lost, where it was.
    pub reason: Option<String>,
    /// How often we attached: more than once where the target was lost in between.
    pub attached: u64,
}

/// How much there was.
#[derive(Debug, Serialize)]
pub struct Counts {
    /// Tasks.
    pub tasks: Tasks,
    /// Events that the target said it dropped.
    pub dropped_events: u64,
    /// Parts of its messages that could not be used.
    pub decode_issues: u64,
    /// How late its announcements were.
    pub lag: Lag,
    /// How late the link delivered what it said.
    pub behind: Behind,
}

/// Tasks.
#[derive(Debug, Serialize)]
pub struct Tasks {
    /// Alive at the end.
    pub live: usize,
    /// Ended within the window, as far as they were seen.
    pub ended: usize,
    /// Both.
    pub seen: usize,
}

/// How late the target's announcements were.
#[derive(Debug, Serialize)]
pub struct Lag {
    /// At the end.
    pub seconds: f64,
    /// At the worst.
    pub worst_seconds: f64,
    /// How often the target was asked to catch up.
    pub catch_ups: u64,
}

/// How late the link delivered what the target said; nothing where that was less than a moment.
#[derive(Debug, Serialize)]
pub struct Behind {
    /// At the end.
    pub seconds: f64,
    /// At the worst.
    pub worst_seconds: f64,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The lint.
    pub lint: &'static str,
    /// How bad.
    pub severity: &'static str,
    /// How sure.
    pub confidence: &'static str,
    /// `active` or `past`, at the end.
    pub status: &'static str,
    /// What it is about.
    pub subject: Named,
    /// Since when the condition holds, or held.
    pub since: String,
    /// When it was first seen.
    pub first_seen: String,
    /// When it was last seen.
    pub last_seen: String,
    /// How often it began.
    pub episodes: u64,
    /// In one line, the subject left out.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Fact>,
    /// Who else is in it.
    pub related: Others,
    /// What to do about it.
    pub advice: &'static str,
}

/// A subject by its kind.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Named {
    /// A task.
    Task(TaskRow),
    /// A lock.
    Lock(LockRow),
    /// A spawn location.
    Place {
        /// Where.
        location: Option<Location>,
    },
    /// A runtime.
    Runtime(RuntimeRow),
    /// The target as a whole.
    Target,
}

/// A task.
#[derive(Debug, Serialize)]
pub struct TaskRow {
    /// The instrumentation's id.
    pub id: u64,
    /// Tokio's number for it.
    pub number: Option<u64>,
    /// Its name.
    pub name: Option<String>,
    /// Such as `task` or `blocking`.
    pub task_kind: &'static str,
    /// Where it was spawned.
    pub location: Option<Location>,
}

/// A lock.
#[derive(Debug, Serialize)]
pub struct LockRow {
    /// The instrumentation's id.
    pub id: u64,
    /// `Mutex` or `RwLock`.
    pub lock_kind: &'static str,
    /// Where it was made.
    pub location: Option<Location>,
}

/// A place in the service's source.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: Option<u32>,
}

/// A measured value.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// The value with its type.
    #[serde(flatten)]
    pub value: FactValue,
    /// In words, as the text has it.
    #[serde(skip)]
    pub words: String,
}

/// A value with its type.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FactValue {
    /// Seconds.
    Duration {
        /// How many.
        value: f64,
        /// In what.
        unit: &'static str,
    },
    /// A number of things.
    Count {
        /// How many.
        value: u64,
        /// None.
        unit: Option<&'static str>,
    },
    /// A size.
    Size {
        /// How many.
        value: u64,
        /// In what.
        unit: &'static str,
    },
    /// From 0 to 1.
    Share {
        /// How much.
        value: f64,
        /// None.
        unit: Option<&'static str>,
    },
    /// Words.
    Text {
        /// Which.
        value: String,
        /// None.
        unit: Option<&'static str>,
    },
}

/// Who else is in a finding.
#[derive(Debug, Serialize)]
pub struct Others {
    /// The lock that it is about.
    pub lock: Option<LockRow>,
    /// Who holds it; of several who read, one.
    pub holder: Option<TaskRow>,
    /// The others who hold it.
    pub co_holders: Vec<TaskRow>,
    /// The worker that it is about; nothing but an agent tells.
    pub worker: Option<WorkerRow>,
    /// Stacks that show it; nothing but an agent tells.
    pub stacks: Vec<StackRow>,
    /// Who waits for it, first come first.
    pub waiters: Vec<Waiter>,
    /// How many wait, those not named included.
    pub waiters_total: usize,
    /// A deadlock's cycle.
    pub cycle: Vec<Step>,
    /// Others of one spawn location.
    pub tasks: Vec<TaskRow>,
    /// How many there are, the subject and those not named included.
    pub tasks_total: usize,
}

/// A task that waits.
#[derive(Debug, Serialize)]
pub struct Waiter {
    /// The task.
    pub task: TaskRow,
    /// For how long.
    pub waited_seconds: f64,
}

/// One edge of a deadlock.
#[derive(Debug, Serialize)]
pub struct Step {
    /// The task.
    pub task: TaskRow,
    /// What it waits for.
    pub waits_for: LockRow,
}

impl Report {
    /// What was seen.
    pub fn new(plan: &Plan, seen: &Seen) -> Self {
        let model = &seen.watched.model;
        let session = seen.watched.session.as_ref();
        let live = model.counts().live;
        let mut findings = seen.watched.engine.findings();
        // The worst first, whether or not it is over.
        findings.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.status == Status::Active)));
        Self {
            version: VERSION,
            process: session.and_then(|session| session.process.as_ref()).map(process),
            target: plan.target.to_string(),
            protocol: session.map(|session| protocol(session.protocol)),
            window: window(seen),
            counts: Counts {
                tasks: Tasks { live, ended: seen.totals.tasks.saturating_sub(live), seen: seen.totals.tasks },
                dropped_events: seen.totals.dropped.total(),
                decode_issues: seen.totals.issues.total(),
                lag: Lag {
                    seconds: model.health().lag.as_secs_f64(),
                    worst_seconds: seen.totals.worst_lag.as_secs_f64(),
                    catch_ups: seen.totals.catch_ups,
                },
                behind: Behind {
                    seconds: model.health().behind.as_secs_f64(),
                    worst_seconds: seen.totals.worst_behind.as_secs_f64(),
                },
            },
            findings: findings.into_iter().map(row).collect(),
        }
    }

    /// As JSON, with a line feed at its end.
    pub fn to_json(&self) -> String {
        // Every part is a struct of plain data, so that there is nothing to fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

fn process(process: &wire::Process) -> Process {
    Process {
        pid: process.pid,
        name: process.name.clone(),
        executable: process.executable.clone(),
        boot_id: process.boot_id.clone(),
        started: process.started.map(rfc3339),
        agent_version: process.agent_version.clone(),
        tokio_version: process.tokio_version.clone(),
        detail: process.detail.clone(),
        limitations: process.limitations.clone(),
    }
}

fn protocol(protocol: wire::Protocol) -> &'static str {
    match protocol {
        wire::Protocol::Console => "console",
        wire::Protocol::Agent => "agent",
    }
}

fn window(seen: &Seen) -> Window {
    let (ended, reason) = match &seen.end {
        End::Elapsed => ("elapsed", None),
        End::Interrupted => ("interrupted", None),
        End::Lost { reason } => ("lost", Some(reason.clone())),
    };
    Window {
        start: rfc3339(seen.start),
        end: rfc3339(seen.end_at),
        seconds: seen.elapsed.as_secs_f64(),
        ended,
        reason,
        attached: seen.totals.sessions,
    }
}

pub(super) fn row(finding: &Finding) -> Row {
    let related = &finding.related;
    Row {
        lint: finding.lint.name,
        severity: finding.severity.name(),
        confidence: finding.confidence.name(),
        status: match finding.status {
            Status::Active => "active",
            Status::Past => "past",
        },
        subject: match &finding.subject {
            Subject::Task(subject) => Named::Task(task(subject)),
            Subject::Lock(subject) => Named::Lock(lock(subject)),
            Subject::Place(place) => Named::Place { location: location(place) },
            Subject::Runtime(subject) => Named::Runtime(exact::runtime(subject)),
            Subject::Target => Named::Target,
        },
        since: rfc3339(finding.since),
        first_seen: rfc3339(finding.first_seen),
        last_seen: rfc3339(finding.last_seen),
        episodes: finding.episodes,
        message: finding.message.clone(),
        evidence: finding.evidence.iter().map(fact).collect(),
        related: Others {
            lock: related.lock.as_ref().map(lock),
            holder: related.holder.as_ref().map(task),
            co_holders: related.co_holders.iter().map(task).collect(),
            worker: related.worker.as_ref().map(exact::worker),
            stacks: related.stacks.iter().map(exact::stack).collect(),
            waiters: related.waiters.iter().map(waiter).collect(),
            waiters_total: related.waiters_total,
            cycle: related
                .cycle
                .iter()
                .map(|step| Step { task: task(&step.task), waits_for: lock(&step.waits_for) })
                .collect(),
            tasks: related.tasks.iter().map(task).collect(),
            tasks_total: related.tasks_total,
        },
        advice: finding.advice(),
    }
}

fn task(task: &TaskRef) -> TaskRow {
    TaskRow {
        id: task.id.0,
        number: task.number,
        name: (!task.name.is_empty()).then(|| task.name.clone()),
        task_kind: task.kind,
        location: location(&task.place),
    }
}

fn lock(lock: &LockRef) -> LockRow {
    LockRow { id: lock.id.0, lock_kind: lock.kind, location: location(&lock.place) }
}

fn waiter(wait: &WaitRef) -> Waiter {
    Waiter { task: task(&wait.task), waited_seconds: wait.waited.as_secs_f64() }
}

/// A place as findings write it: `file:line`, or a file alone, or that it is not known.
fn location(place: &str) -> Option<Location> {
    if place.is_empty() || place == crate::model::Place::default().to_string() {
        return None;
    }
    let with_line = place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    Some(match with_line {
        Some((file, line)) => Location { file: file.to_owned(), line: Some(line) },
        None => Location { file: place.to_owned(), line: None },
    })
}

fn fact(evidence: &Evidence) -> Fact {
    use crate::diagnose::{humanize, humanize_bytes};
    let (value, words) = match &evidence.value {
        Measure::Time(time) => (FactValue::Duration { value: seconds(*time), unit: "seconds" }, humanize(*time)),
        &Measure::Count(value) => (FactValue::Count { value, unit: None }, value.to_string()),
        &Measure::Bytes(value) => (FactValue::Size { value, unit: "bytes" }, humanize_bytes(value)),
        &Measure::Share(value) => (FactValue::Share { value, unit: None }, format!("{:.0}%", value * 100.0)),
        Measure::Text(text) => (FactValue::Text { value: text.clone(), unit: None }, text.clone()),
    };
    Fact { name: evidence.name, value, words }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// An instant of the target's clock; one beyond what the format can say is the latest that it can.
fn rfc3339(at: Stamp) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).unwrap_or(jiff::Timestamp::MAX).to_string()
}
