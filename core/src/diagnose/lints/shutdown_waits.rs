//! `shutdown-waits`: a thread drops a runtime, or shuts it down, and waits for what still runs there.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, StackRef, Subject, TaskRef, Threshold,
        contradiction::When,
        label,
        lint::{Check, Cx, Key, Report},
    },
    number::humanize,
    update::{
        Fact, FactSet, Stack, Stamp,
        look::{ProcessState, Role, Thread, Whole},
    },
};
use std::{sync::Arc, time::Duration};

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "the thread has waited for this long",
};

/// The function in which the end of a runtime waits for its threads.
const WAITS: &str = "tokio::runtime::blocking::pool::BlockingPool::shutdown";

/// So many of those that it may wait for are told with what they do.
const NAMED: usize = 4;

pub(super) static LINT: Lint = Lint {
    name: "shutdown-waits",
    summary: "A runtime is being dropped or shut down, and waits for a blocking job or a poll that goes on.",
    severities: &[Severity::Warning],
    advice: "The end of a runtime waits for its blocking jobs and for polls that go on: tell jobs to end before, or use \
             Runtime::shutdown_timeout, or shutdown_background, which leaves them behind.",
    explanation: include_str!("shutdown_waits.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::Threads]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let runs = |whole: &&Whole| whole.state == ProcessState::Running;
    let Some(whole) = cx.model.memory().whole().filter(runs) else { return Vec::new() };
    let mut waiting: Vec<(Stamp, &Thread)> = whole.threads.iter().filter_map(|thread| since(cx, thread)).collect();
    waiting.sort_by_key(|(since, thread)| (*since, thread.id));
    // There is one finding for the target: several such threads wait for the same jobs, as far as anybody knows.
    waiting.first().map(|(since, thread)| report(cx, whole, *since, thread, waiting.len())).into_iter().collect()
}

/// Since when a thread has waited for the end of a runtime, if it has for long.
fn since<'a>(cx: &Cx, thread: &'a Thread) -> Option<(Stamp, &'a Thread)> {
    let stack = thread.stack.as_ref()?;
    let waits = stack.frames.iter().any(|frame| frame.function.starts_with(WAITS));
    let since = cx.model.memory().slept_since(thread.id).filter(|_| waits)?;
    let looked = cx.model.memory().now()?;
    let lasts = cx.lasted(since, looked) >= cx.values.time(&LASTS) && cx.model.is_borne_out_by_looks(since, looked);
    lasts.then_some((since, thread))
}

/// Something that the end of a runtime may wait for.
struct Running {
    task: TaskRef,
    does: String,
    stack: Option<Arc<Stack>>,
}

fn report(cx: &Cx, whole: &Whole, since: Stamp, thread: &Thread, threads: usize) -> Report {
    let running = running(cx, whole);
    let waited = humanize(cx.lasted(since, cx.now));
    let name = if thread.name.is_empty() { format!("{}", thread.id) } else { thread.name.clone() };
    let what = match &*running {
        [] => "what still runs is not known".to_owned(),
        [only] => format!("what still runs is {}", label::in_words(&only.task)),
        [first, ..] => {
            format!("{} jobs or polls still run, {} among them", running.len(), label::in_words(&first.task))
        }
    };
    let mut evidence = vec![Evidence::time("waits for", cx.lasted(since, cx.now))];
    if let Some(frame) = thread.stack.as_ref().and_then(|stack| stack.top()) {
        evidence.push(Evidence::text("at", frame.in_words()));
    }
    if threads > 1 {
        evidence.push(Evidence::count("threads that wait so", threads as u64));
    }
    evidence.extend(
        running.iter().take(NAMED).map(|running| {
            Evidence::text("still runs", format!("{} {}", label::in_words(&running.task), running.does))
        }),
    );
    if running.len() > 1 {
        evidence.push(Evidence::text("not known", "of which runtime a job is"));
    }
    let mut stacks: Vec<StackRef> =
        thread.stack.iter().map(|stack| StackRef { what: "stack", of: None, stack: stack.clone() }).collect();
    stacks.extend(running.iter().take(NAMED).filter_map(|running| {
        Some(StackRef { what: "stack", of: Some(running.task.clone()), stack: running.stack.clone()? })
    }));
    Report {
        key: Key::Target,
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since,
        subject: Subject::Target,
        message: format!("thread {name} has waited {waited} for the end of a runtime; {what}"),
        evidence,
        related: Related {
            tasks_total: running.len(),
            tasks: running.into_iter().map(|running| running.task).take(RELATED_MOST).collect(),
            stacks,
            ..Related::default()
        },
    }
}

/// The jobs that run, and the tasks that workers poll.
fn running(cx: &Cx, whole: &Whole) -> Vec<Running> {
    let of_job = |job: &crate::update::look::Job| {
        let thread = whole.threads.iter().find(|thread| Some(thread.id) == job.thread)?;
        Some((job.number, thread))
    };
    let jobs = whole.jobs.iter().filter_map(of_job);
    let is_worker = |thread: &&Thread| matches!(thread.role, Role::Worker(_));
    let polled = whole.threads.iter().filter(is_worker).filter_map(|thread| Some((thread.polls?, thread)));
    let told = |(number, thread): (std::num::NonZeroU64, &Thread)| {
        let at = thread.stack.as_ref().and_then(|stack| stack.top()).map(|frame| format!(" at {}", frame.in_words()));
        Running {
            task: label::task_by_id(cx.model, cx.model.task_of_number(number)),
            does: format!("on thread {}{}", thread.name, at.unwrap_or_default()),
            stack: thread.stack.clone().filter(|stack| !stack.frames.is_empty()),
        }
    };
    jobs.chain(polled).map(told).collect()
}
