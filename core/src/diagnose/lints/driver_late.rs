//! `driver-late`: timers are due, and the driver that would see to them has no turn, though no poll is long.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, Subject, TaskRef, Threshold,
        contradiction::When,
        label,
        lint::{Check, Cx, Key, Report},
    },
    model::{Runtime, Task, TaskState, Worker},
    number::{humanize, plural},
    update::{
        Fact, FactSet, RuntimeId, Stamp, TaskId,
        look::{Role, Thread},
        nanos,
    },
};
use std::time::Duration;

const LATE: Param = Param {
    name: "late",
    default: Threshold::Time(Duration::from_millis(100)),
    help: "timers have been due for this long, and nobody has driven the driver",
};

/// So many looks in a row must have shown it: between two turns of a driver a timer is late, for a moment, in any runtime.
const LOOKS: usize = 4;

/// Turns of a worker that take longer are of long polls, which have lints of their own.
const LONG: Duration = Duration::from_millis(100);

/// So many of those who keep the workers are told of.
const NAMED: usize = 3;

pub(super) static LINT: Lint = Lint {
    name: "driver-late",
    summary: "Timers are due and sockets wait, and nobody has driven the driver: tasks that are always ready keep the workers.",
    severities: &[Severity::Warning],
    advice: "A worker sees to timers and sockets when it runs out of tasks, and every 61 polls otherwise. Let those who are always ready \
             do less in each poll, or move them to spawn_blocking; tokio::task::yield_now gives the driver its turn, waking oneself does \
             not. Builder::event_interval makes its turns more frequent.",
    explanation: include_str!("driver_late.md"),
    params: &[LATE],
    needs: FactSet::of(&[Fact::DriverTurns]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    cx.model
        .agent()
        .runtimes()
        .iter()
        .filter_map(|runtime| by_wheel(cx, runtime).or_else(|| by_turns(cx, runtime)))
        .collect()
}

/// As the wheel of a runtime's timers tells, from memory: the earliest that is due, in each of the latest looks.
fn by_wheel(cx: &Cx, runtime: &Runtime) -> Option<Report> {
    let seen = late(cx, runtime.lags())?;
    let turn = slowest_turn(cx, runtime.stats.id).filter(|turn| *turn < LONG)?;
    let keepers = seen_to_be_polled(cx, runtime.stats.id);
    let evidence = vec![
        Evidence::time("due for", seen.last),
        Evidence::time("longest that was seen", seen.longest),
        Evidence::count("looks in a row", seen.count),
        Evidence::time("each turn takes", turn),
    ];
    let what = format!("a timer was due {} ago", humanize(seen.last));
    report(cx, runtime, Late { since: seen.since, what, confidence: Confidence::Exact, evidence, keepers })
}

/// As an agent tells when the driver had its turns. Whether a timer is due there nobody knows: it is said only where somebody sleeps.
fn by_turns(cx: &Cx, runtime: &Runtime) -> Option<Report> {
    let seen = late(cx, runtime.gaps())?;
    let id = runtime.stats.id;
    let workers = cx.model.agent().workers().iter().filter(|worker| worker.stats.id.runtime == id);
    let polled = |worker: &Worker| {
        let task = cx.model.tasks().get(worker.stats.polling?)?;
        Some((label::task(cx.model, &task), worker.stats.id.index))
    };
    let keepers: Vec<(TaskRef, u32)> = workers.filter_map(polled).collect();
    let keeps: Vec<TaskId> = keepers.iter().map(|(task, _)| task.id).collect();
    let evidence = vec![Evidence::time("no turn for", seen.longest), Evidence::count("looks in a row", seen.count)];
    let what = format!("its driver has had no turn for up to {}", humanize(seen.longest));
    let late = Late { since: seen.since, what, confidence: Confidence::Likely, evidence, keepers };
    let mut report = report(cx, runtime, late)?;
    let is_asleep = |task: &Task| {
        task.state() == TaskState::Idle
            && !keeps.contains(&task.id())
            && cx.model.runtime_of(task).is_some_and(|of| of.stats.id == id)
    };
    let asleep = cx.model.tasks().iter().filter(is_asleep).count() as u64;
    report.evidence.insert(1, Evidence::count("tasks asleep there", asleep));
    (asleep > 0).then_some(report)
}

/// The latest looks in a row at which a runtime was late.
struct Seen {
    since: Stamp,
    last: Duration,
    longest: Duration,
    count: u64,
}

fn late(cx: &Cx, looks: impl DoubleEndedIterator<Item = (Stamp, Duration)>) -> Option<Seen> {
    let late = cx.values.time(&LATE);
    let looks: Vec<(Stamp, Duration)> = looks.rev().take_while(|(_, lag)| *lag >= late).collect();
    let ((_, last), (first, first_lag)) = (*looks.first()?, *looks.last()?);
    let since = Stamp::from_nanos(first.nanos().saturating_sub(nanos(first_lag)));
    let longest = looks.iter().map(|(_, lag)| *lag).max().unwrap_or(last);
    (looks.len() >= LOOKS).then_some(Seen { since, last, longest, count: looks.len() as u64 })
}

/// A runtime that is late, as something tells.
struct Late {
    since: Stamp,
    what: String,
    confidence: Confidence,
    evidence: Vec<Evidence>,
    /// The tasks that its workers are seen to poll, each with the worker's number.
    keepers: Vec<(TaskRef, u32)>,
}

fn report(cx: &Cx, runtime: &Runtime, late: Late) -> Option<Report> {
    let Late { since, what, confidence, mut evidence, keepers } = late;
    let id = runtime.stats.id;
    let is_kept = runtime.stats.driven == Some(true) && !has_stalled(cx, id, since);
    let stood = cx.model.standstills().within(since, cx.now);
    if !is_kept || !stood.is_zero() || (keepers.len() as u64) < runtime.stats.workers {
        return None;
    }
    evidence.extend(keepers.iter().take(NAMED).map(|(task, worker)| {
        Evidence::text("seen to be polled", format!("{} by worker {worker}", label::in_words(task)))
    }));
    let first = keepers.first().map_or_else(String::new, |(task, _)| label::in_words(task));
    let who = match keepers.len() {
        1 => format!("{first} keeps its worker"),
        count => format!("{}, {first} among them, keep its workers", plural(count as u64, "task")),
    };
    Some(Report {
        key: Key::Runtime(id),
        severity: Severity::Warning,
        confidence,
        since,
        subject: Subject::Runtime(label::runtime(cx.model, id)),
        message: format!("{what}, and no poll is long: {who}"),
        evidence,
        related: Related {
            tasks_total: keepers.len(),
            tasks: keepers.into_iter().map(|(task, _)| task).take(RELATED_MOST).collect(),
            ..Related::default()
        },
    })
}

/// The tasks that a runtime's workers are seen to poll, as memory tells.
fn seen_to_be_polled(cx: &Cx, runtime: RuntimeId) -> Vec<(TaskRef, u32)> {
    let Some(whole) = cx.model.memory().whole() else { return Vec::new() };
    let of_thread = |thread: &Thread| match thread.role {
        Role::Worker(worker) if worker.runtime == runtime => {
            let task = cx.model.tasks().get(cx.model.task_of_number(thread.polls?))?;
            Some((label::task(cx.model, &task), worker.index))
        }
        _ => None,
    };
    whole.threads.iter().filter_map(of_thread).collect()
}

/// How long a turn of the slowest worker took of late; `None` where that is not known of all.
fn slowest_turn(cx: &Cx, runtime: RuntimeId) -> Option<Duration> {
    let workers = cx.model.agent().workers().iter().filter(|worker| worker.stats.id.runtime == runtime);
    workers.map(|worker| worker.turn).collect::<Option<Vec<Duration>>>()?.into_iter().max()
}

/// Whether a poll was long on a runtime since then: that is its fault.
fn has_stalled(cx: &Cx, runtime: RuntimeId, since: Stamp) -> bool {
    let counts = |ended: Option<Stamp>| ended.is_none_or(|ended| ended >= since);
    cx.model.agent().stalls().any(|stall| stall.runtime == runtime && counts(stall.ended))
}
