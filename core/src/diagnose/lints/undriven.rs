//! `undriven`: tasks are woken, and nobody drives what would run them.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, Subject, Threshold,
        contradiction::{self, When},
        label,
        lint::{Check, Cx, Grouping, Key, Report},
    },
    model::{Task, Undriven},
    number::humanize,
    update::{Fact, FactSet, Flavor, Stamp, TaskKind, nanos},
};
use rustc_hash::FxHashMap;
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "woken for this long, while it is told that nobody drives its runtime or LocalSet",
};

const QUIET: Param = Param {
    name: "quiet",
    default: Threshold::Time(Duration::from_secs(3)),
    help: "the same where that is not told, and follows: nobody had anything to do for this long",
};

pub(super) static LINT: Lint = Lint {
    name: "undriven",
    summary: "Tasks are woken, and nobody drives their runtime or LocalSet: no thread is in its block_on, nobody awaits the set.",
    severities: &[Severity::Warning],
    advice: "Keep a thread in the runtime's block_on for as long as its tasks are to run, or spawn them on a runtime whose workers \
             run by themselves; await the LocalSet, or run what needs it by LocalSet::run_until.",
    explanation: include_str!("undriven.md"),
    params: &[LASTS, QUIET],
    needs: FactSet::NONE,
    when: When::Now,
    subsumes: &["starved", "never-polled"],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let mut groups: FxHashMap<Key, Vec<Waiting>> = FxHashMap::default();
    for task in cx.model.hot().filter(is_queued) {
        let Some(since) = task.scheduled_since() else { continue };
        let Some(cause) = cause(cx, &task, since).filter(|_| !cx.model.sources_differ_on(&task)) else { continue };
        if contradiction::may_be_of_others(cx, &task) {
            continue;
        }
        let key = Grouping::Place.key(task.id(), task.place());
        groups.entry(key).or_default().push(Waiting { task, since, cause });
    }
    let mut reports: Vec<Report> = groups.into_iter().filter_map(|(key, waiting)| report(cx, key, waiting)).collect();
    reports.sort_by_key(|report| report.since);
    reports
}

/// A task that waits for nobody.
struct Waiting<'a> {
    task: Task<'a>,
    since: Stamp,
    cause: Cause,
}

fn is_queued(task: &Task) -> bool {
    matches!(task.kind(), TaskKind::Task | TaskKind::Local) && !task.has_ended()
}

/// What is said of those of one spawn location: the one speaks for all who has waited for longest.
fn report(cx: &Cx, key: Key, mut waiting: Vec<Waiting>) -> Option<Report> {
    waiting.sort_by_key(|waiting| (waiting.since, waiting.task.id()));
    let (first, others) = waiting.split_first()?;
    let (message, evidence) = describe(cx, first);
    Some(Report {
        key,
        severity: Severity::Warning,
        confidence: if matches!(first.cause, Cause::Told(_)) { Confidence::Exact } else { Confidence::Inferred },
        since: first.since,
        subject: Subject::Task(label::task(cx.model, &first.task)),
        message,
        evidence,
        related: Related {
            tasks: others.iter().take(RELATED_MOST).map(|other| label::task(cx.model, &other.task)).collect(),
            tasks_total: waiting.len(),
            ..Related::default()
        },
    })
}

/// How it is known that nobody comes.
#[derive(Debug, Clone, Copy)]
enum Cause {
    Told(Undriven),
    Quiet,
}

fn cause(cx: &Cx, task: &Task, since: Stamp) -> Option<Cause> {
    let lasted = cx.lasted(since, cx.settled);
    if lasted < cx.values.time(&LASTS) {
        return None;
    }
    if let Some(told) = cx.model.undriven(task) {
        let from = if let Undriven::Runtime(_, from) = told { from.max(since) } else { since };
        let lasts = cx.lasted(from, cx.now) >= cx.values.time(&LASTS) && is_borne_out(cx, task, from);
        return lasts.then_some(Cause::Told(told));
    }
    // Without counts of polls nobody knows who had anything to do.
    let counts = cx.model.knows().has(Fact::Polls);
    let may_follow = counts && lasted >= cx.values.time(&QUIET) && !cx.model.is_driven(task);
    // Of what is long past no more is known than of the last seconds.
    let from = since.max(before(cx.now, cx.values.time(&QUIET)));
    (may_follow && cx.model.is_quiet(from)).then_some(Cause::Quiet)
}

fn before(now: Stamp, span: Duration) -> Stamp {
    Stamp::from_nanos(now.nanos().saturating_sub(nanos(span)))
}

/// Whether enough looks have shown it, where it is looks that do.
fn is_borne_out(cx: &Cx, task: &Task, from: Stamp) -> bool {
    let counts = cx.model.knows().has(Fact::Polls);
    let of_set = task.look().is_some() && task.kind() == TaskKind::Local;
    if counts && !of_set { cx.model.is_runtime_borne_out(from, cx.now) } else { looks_bear_out(cx, from) }
}

fn looks_bear_out(cx: &Cx, from: Stamp) -> bool {
    cx.model.memory().now().is_some_and(|looked| cx.model.is_borne_out_by_looks(from, looked))
}

fn describe(cx: &Cx, waiting: &Waiting) -> (String, Vec<Evidence>) {
    let Waiting { task, since, cause } = waiting;
    let since = *since;
    let waited = humanize(cx.lasted(since, cx.now));
    let is_new = task.polls() == 0 && cx.model.knows().has(Fact::Polls);
    let woken = if is_new {
        format!("spawned {waited} ago and never polled")
    } else {
        format!("woken, and not polled for {waited}")
    };
    let mut evidence = vec![Evidence::time("woken for", cx.lasted(since, cx.now))];
    let message = match *cause {
        Cause::Told(Undriven::Runtime(id, from)) => {
            evidence.extend(of_runtime(cx, task, from));
            format!("{woken}: nobody drives {}", label::runtime(cx.model, id).name)
        }
        Cause::Told(of_set) => {
            let why = match of_set {
                Undriven::SetWithoutThread => "the thread that made it has ended, and no other can run its tasks",
                Undriven::SetOfIdleThread => {
                    "the thread that made it is in no block_on, and no other can run its tasks"
                }
                _ => "the thread that made it is in a block_on, whose future does not await it",
            };
            evidence.push(Evidence::text("LocalSet", why));
            format!("{woken}: nobody awaits its LocalSet")
        }
        Cause::Quiet => {
            evidence.push(Evidence::text("caveat", CAVEAT));
            format!("{woken}, while no worker was busy: nobody drives its {}", whose(task))
        }
    };
    (message, evidence)
}

/// What follows and is not told.
const CAVEAT: &str = "Which runtime it is of is not told. That nobody drives it follows: all polls together took less than half of a thread, \
                      and none went on for long, so that any worker would have come.";

fn whose(task: &Task) -> &'static str {
    if task.kind() == TaskKind::Local { "LocalSet" } else { "runtime" }
}

fn of_runtime(cx: &Cx, task: &Task, from: Stamp) -> Vec<Evidence> {
    let Some(runtime) = cx.model.runtime_of(task) else { return Vec::new() };
    let threads = match runtime.stats.flavor {
        Some(Flavor::CurrentThread) => "no thread is in the block_on of this current-thread runtime",
        _ => "none of its workers is there",
    };
    vec![
        Evidence::text("runtime", format!("{}: {threads}", runtime.label())),
        Evidence::time("undriven for at least", cx.lasted(from, cx.now)),
        Evidence::count("its tasks", runtime.stats.alive_tasks),
        Evidence::count("queued there", runtime.stats.global_queue),
    ]
}
