//! `blocking-pool-full`: jobs for the blocking pool wait, since all of its threads are busy.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, Subject, Threshold, WaitRef,
        contradiction::When,
        label,
        lint::{Check, Cx, Key, Report},
    },
    model::{Runtime, Task},
    number::{humanize, plural},
    update::{Fact, FactSet},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "jobs have waited, and no thread was idle, for this long",
};

pub(super) static LINT: Lint = Lint {
    name: "blocking-pool-full",
    summary: "Jobs wait for the blocking pool, and none of its threads is idle.",
    severities: &[Severity::Warning],
    advice: "Bound how many blocking jobs are started at once (a Semaphore around spawn_blocking), give work that never ends a \
             thread of its own, or raise max_blocking_threads.",
    explanation: include_str!("blocking_pool_full.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::BlockingPools]),
    when: When::Now,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn report(cx: &Cx, runtime: &Runtime) -> Option<Report> {
    let since = runtime.blocking_full?;
    let lasted = cx.lasted(since, cx.now);
    if lasted < cx.values.time(&LASTS) || !cx.model.is_runtime_borne_out(since, cx.now) {
        return None;
    }
    let stats = &runtime.stats;
    let facts = |task: &Task| cx.model.agent().facts(task.id());
    // A multi-threaded runtime's workers are blocking tasks too, by a trick of its own.
    let is_worker = |task: &Task| cx.model.place(task.place()).file.starts_with("<cargo>/tokio-");
    // Of one whose runtime nobody tells it is known where there is only one.
    let is_only = cx.model.agent().runtimes().len() == 1;
    let is_of_it = |task: &Task| facts(task).runtime.map_or(is_only, |of| of == stats.id);
    let of_runtime = |task: &Task| is_of_it(task) && !(is_worker(task) && task.polls() > 0);
    let blocking = cx.model.hot().filter(|task| task.kind().may_block());
    let (mut running, mut waiting): (Vec<Task>, Vec<Task>) =
        blocking.filter(of_runtime).partition(|task| task.polls() > 0);
    running.sort_by_key(|task| (task.running_since(), task.id()));
    waiting.sort_by_key(|task| (task.created(), task.id()));
    // Where nobody tells when they were spawned, since when they are known to wait.
    let ages = cx.model.knows().has(Fact::Ages);
    let seen = |task: &Task| task.scheduled_since().map_or(Duration::ZERO, |since| cx.now.since(since));
    let waited = |task: &Task| if ages { task.total(cx.now) } else { seen(task) };
    let mut evidence = vec![
        Evidence::count("waiting", stats.blocking_queue),
        Evidence::count("threads", stats.blocking_threads),
        Evidence::time("full for", lasted),
    ];
    if let Some(first) = waiting.first() {
        evidence.push(Evidence::time("longest wait", waited(first)));
    }
    if let Some(oldest) = running.first() {
        let busy = oldest.running_since().map_or(Duration::ZERO, |since| cx.now.since(since));
        let place = cx.model.place(oldest.place());
        let which = match place.file.as_str() {
            "" => cx.model.task_name(oldest).to_owned(),
            _ => format!("spawned at {place}"),
        };
        evidence.push(Evidence::text("longest job", format!("{} so far, {which}", humanize(busy))));
    }
    let refer = |task: &Task| WaitRef { task: label::task(cx.model, task), waited: Some(waited(task)) };
    Some(Report {
        key: Key::Runtime(stats.id),
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since,
        subject: Subject::Runtime(label::runtime(cx.model, stats.id)),
        message: format!(
            "{} for a thread, all {} busy for {}",
            waits(stats.blocking_queue),
            stats.blocking_threads,
            humanize(lasted)
        ),
        evidence,
        related: Related {
            waiters: waiting.iter().take(RELATED_MOST).map(refer).collect(),
            waiters_total: usize::try_from(stats.blocking_queue).unwrap_or(usize::MAX),
            ..Related::default()
        },
    })
}

fn waits(jobs: u64) -> String {
    format!("{} {}", plural(jobs, "blocking job"), if jobs == 1 { "waits" } else { "wait" })
}

fn judge(cx: &Cx) -> Vec<Report> {
    cx.model.agent().runtimes().iter().filter_map(|runtime| report(cx, runtime)).collect()
}
