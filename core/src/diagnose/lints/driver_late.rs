//! `driver-late`: timers are due, and the driver that would see to them has no turn, though no poll is long.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, Subject, TaskRef, Threshold,
        contradiction::When,
        label,
        lint::{Check, Cx, Key, Report},
    },
    model::Runtime,
    number::{humanize, plural},
    update::{
        Fact, FactSet, RuntimeId, Stamp,
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
    needs: FactSet::of(&[Fact::Threads]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    cx.model.agent().runtimes().iter().filter_map(|runtime| report(cx, runtime)).collect()
}

/// As the wheel of a runtime's timers tells: the earliest that is due, in each of the latest looks.
fn report(cx: &Cx, runtime: &Runtime) -> Option<Report> {
    let late = cx.values.time(&LATE);
    let looks: Vec<(Stamp, Duration)> = runtime.lags().rev().take_while(|(_, lag)| *lag >= late).collect();
    let ((_, lag), (first, first_lag)) = (looks.first()?, looks.last()?);
    let since = Stamp::from_nanos(first.nanos().saturating_sub(nanos(*first_lag)));
    let id = runtime.stats.id;
    let turn = slowest_turn(cx, id).filter(|turn| *turn < LONG)?;
    let is_kept = runtime.stats.driven == Some(true) && !has_stalled(cx, id, since);
    let stood = cx.model.standstills().within(since, cx.now);
    let keepers = keepers(cx, id);
    if looks.len() < LOOKS || !is_kept || !stood.is_zero() || (keepers.len() as u64) < runtime.stats.workers {
        return None;
    }
    let longest = looks.iter().map(|(_, lag)| *lag).max().unwrap_or(*lag);
    let mut evidence = vec![
        Evidence::time("due for", *lag),
        Evidence::time("longest that was seen", longest),
        Evidence::count("looks in a row", looks.len() as u64),
        Evidence::time("each turn takes", turn),
    ];
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
        confidence: Confidence::Exact,
        since,
        subject: Subject::Runtime(label::runtime(cx.model, id)),
        message: format!("a timer was due {} ago, and no poll is long: {who}", humanize(*lag)),
        evidence,
        related: Related {
            tasks_total: keepers.len(),
            tasks: keepers.into_iter().map(|(task, _)| task).take(RELATED_MOST).collect(),
            ..Related::default()
        },
    })
}

/// The tasks that a runtime's workers are seen to poll, each with the worker's number.
fn keepers(cx: &Cx, runtime: RuntimeId) -> Vec<(TaskRef, u32)> {
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
