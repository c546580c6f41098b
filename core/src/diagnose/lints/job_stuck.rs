//! `job-stuck`: a blocking job that goes on for far longer than the others of its place took.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, Related, Severity, StackRef, Subject, Threshold,
        contradiction::When,
        label,
        lint::{Check, Cx, Key, Report},
    },
    model::{Jobs, Task},
    number::{humanize, plural},
    update::{FactSet, TaskKind, look::Thread},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(5)),
    help: "a job has run for at least this long",
};

const TIMES: Param = Param {
    name: "times",
    default: Threshold::Count(20),
    help: "and for this many times what the longest of the others took",
};

const OTHERS: Param =
    Param { name: "others", default: Threshold::Count(5), help: "of which at least this many have ended" };

pub(super) static LINT: Lint = Lint {
    name: "job-stuck",
    summary: "A blocking job goes on for far longer than the others of its place took.",
    severities: &[Severity::Warning],
    advice: "See what its thread does, and bound it: a timeout on the socket, file or lock that it waits for. Aborting its task does not \
             end a blocking job, and each one that never ends keeps a thread of the pool.",
    explanation: include_str!("job_stuck.md"),
    params: &[LASTS, TIMES, OTHERS],
    needs: FactSet::NONE,
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let running = cx.model.hot().filter(|task| task.kind() == TaskKind::Blocking);
    let mut reports: Vec<Report> = running.filter_map(|job| report(cx, &job)).collect();
    reports.sort_by_key(|report| report.since);
    reports
}

fn report(cx: &Cx, job: &Task) -> Option<Report> {
    let since = job.running_since()?;
    let lasted = cx.lasted(since, cx.settled);
    let others = cx.model.jobs_like(job);
    let longest = others.longest.saturating_mul(u32::try_from(cx.values.count(&TIMES)).unwrap_or(u32::MAX));
    let is_far_over = lasted >= cx.values.time(&LASTS).max(longest) && others.count >= cx.values.count(&OTHERS);
    if !is_far_over || !is_of_service(cx, job) || is_pool_full(cx, job) {
        return None;
    }
    let thread = thread(cx, job);
    let stack = thread.and_then(|thread| thread.stack.clone()).filter(|stack| !stack.frames.is_empty());
    let at = stack.as_ref().and_then(|stack| stack.top());
    let mut message = format!(
        "the job has run for {}, where {} of its place took {} at the longest",
        humanize(cx.lasted(since, cx.now)),
        plural(others.count, "other"),
        humanize(others.longest)
    );
    if let Some(frame) = at {
        message = format!("{message}; it is at {}", frame.in_words());
    }
    Some(Report {
        key: Key::Task(job.id()),
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since,
        subject: Subject::Task(label::task(cx.model, job)),
        message,
        evidence: evidence(cx, job, others, thread),
        related: Related {
            stacks: stack.into_iter().map(|stack| StackRef { what: "stack", of: None, stack }).collect(),
            ..Related::default()
        },
    })
}

fn evidence(cx: &Cx, job: &Task, others: Jobs, thread: Option<&Thread>) -> Vec<Evidence> {
    let lasted = job.running_since().map_or(Duration::ZERO, |since| cx.lasted(since, cx.now));
    let mut evidence = vec![
        Evidence::time("runs for", lasted),
        Evidence::count("others that ended", others.count),
        Evidence::time("longest of them", others.longest),
    ];
    match thread {
        Some(thread) if !thread.waits_in.is_empty() => {
            evidence.push(Evidence::text("thread", format!("{} sleeps in {}", thread.name, thread.waits_in)));
        }
        Some(thread) if thread.state == 'R' => {
            evidence.push(Evidence::text("thread", format!("{} runs on a CPU", thread.name)));
        }
        _ => evidence.push(Evidence::text("not known", "what its thread does: the process's memory tells it")),
    }
    evidence
}

/// The thread that runs a job, where its memory is read.
fn thread<'a>(cx: &Cx<'a>, job: &Task) -> Option<&'a Thread> {
    let (whole, number) = (cx.model.memory().whole()?, job.number()?);
    let thread = whole.jobs.iter().find(|known| known.number == number)?.thread?;
    whole.threads.iter().find(|known| known.id == thread)
}

/// Jobs that tokio makes itself are of very different kinds in one place: reads of the standard input among writes.
fn is_of_service(cx: &Cx, job: &Task) -> bool {
    let place = cx.model.place(job.place());
    let name = cx.model.task_name(job);
    if place.file.is_empty() { !name.is_empty() && !name.starts_with("tokio::") } else { place.is_of_service() }
}

/// Where the pool is full, that is the finding, and it names the longest job.
fn is_pool_full(cx: &Cx, job: &Task) -> bool {
    let of = cx.model.runtime_of(job).map(|of| of.stats.id);
    let mut full = cx.model.agent().runtimes().iter().filter(|runtime| runtime.blocking_full.is_some());
    full.any(|runtime| of.is_none_or(|of| of == runtime.stats.id))
}
