//! `stalled-worker`: a worker that has been in one poll for too long, seen while it lasts, with the reason.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, Related, Severity, StackRef, Subject, Threshold,
        contradiction::When,
        label,
        lint::{Check, Cx, Key, Report},
    },
    model::Runtime,
    number::{humanize, plural},
    update::{Fact, FactSet, Stall, VerdictKind, WorkerId},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_millis(100)),
    help: "a poll that has kept a worker this long; the agent has a threshold of its own",
};

/// How long a stall that is over counts: one that began and ended between two reports is shown all the same.
const RECENT: Duration = Duration::from_secs(1);

pub(super) static LINT: Lint = Lint {
    name: "stalled-worker",
    summary: "A worker has been inside one poll for too long: whatever is queued behind it waits.",
    severities: &[Severity::Critical],
    advice: "Move blocking calls and long computation to tokio::task::spawn_blocking; replace std::sync locks that are held for \
             long; in a long loop, await tokio::task::yield_now().",
    explanation: include_str!("stalled_worker.md"),
    params: &[LASTS],
    needs: FactSet::of(&[Fact::Stalls]),
    when: When::Now,
    subsumes: &["never-yields", "long-polls"],
    check: Check::Whole(judge),
};

fn report(cx: &Cx, stall: &Stall) -> Option<Report> {
    // A poll on a thread that is no worker, as inside block_in_place, keeps none.
    let worker = stall.worker?;
    let lasted = cx.model.stalled(stall, cx.now);
    let over = stall.ended.is_some_and(|ended| cx.now.since(ended) > RECENT);
    let least = cx.values.time(&LASTS);
    if over || lasted < least || stall.lacks_a_processor(least) {
        return None;
    }
    let agent = cx.model.agent();
    let named = format!("worker {}", agent.worker_label(worker));
    let top = stall.stack.as_ref().and_then(|stack| stack.top());
    let mut message = format!("{named} {} in one poll: {}", humanize(lasted), stall.cause_in_short());
    if let Some(frame) = top {
        message = match frame.place.file.as_str() {
            "" => format!("{message} in {}", frame.name()),
            _ => format!("{message} at {}", frame.place),
        };
    }
    if stall.queued > 0 {
        message = format!("{message}; {} behind it", plural(stall.queued, "task"));
    }
    Some(Report {
        key: stall.task.map_or(Key::Worker(worker), Key::Task),
        severity: Severity::Critical,
        confidence: Confidence::Exact,
        since: stall.since,
        subject: match stall.task {
            Some(task) => Subject::Task(label::task_by_id(cx.model, task)),
            None => Subject::Runtime(label::runtime(cx.model, worker.runtime)),
        },
        message,
        evidence: evidence(cx, stall, worker, lasted),
        related: Related {
            worker: Some(label::worker(cx.model, worker)),
            stacks: stall
                .stack
                .iter()
                .map(|stack| StackRef { what: "stack", of: None, stack: stack.clone() })
                .collect(),
            ..Related::default()
        },
    })
}

fn evidence(cx: &Cx, stall: &Stall, worker: WorkerId, lasted: Duration) -> Vec<Evidence> {
    let agent = cx.model.agent();
    let mut evidence = vec![
        Evidence::time(if stall.ended.is_some() { "lasted" } else { "current poll" }, lasted),
        Evidence::count("queued behind", stall.queued),
    ];
    if !stall.on_cpu.is_zero() {
        evidence.push(Evidence::time("on a CPU", stall.on_cpu));
    }
    evidence.push(Evidence::text("thread", stall.cause_in_words()));
    if let Some(frame) = stall.stack.as_ref().and_then(|stack| stack.top()) {
        evidence.push(Evidence::text("at", frame.in_words()));
    }
    if let Some(span) = stall.task.and_then(|task| label::span(cx.model, task)) {
        evidence.push(Evidence::text("span", span));
    }
    if let Some(runtime) = agent.runtime(worker.runtime) {
        evidence.extend(verdicts(cx, runtime));
    }
    let missing = stall.stack.as_ref().map_or("", |stack| &stack.limitation);
    for said in [stall.limitation.as_str(), missing] {
        if !said.is_empty() {
            evidence.push(Evidence::text("not known", said));
        }
    }
    evidence
}

/// What the stall means for the whole runtime.
fn verdicts(cx: &Cx, runtime: &Runtime) -> Vec<Evidence> {
    let kinds = [VerdictKind::AllWorkersStuck, VerdictKind::DriverBlocked];
    let held = kinds.into_iter().filter_map(|kind| Some((kind, runtime.verdict(kind, cx.now)?)));
    let said = |(kind, since): (VerdictKind, _)| {
        format!("{}: {}, for {}", runtime.label(), kind.in_words(), humanize(cx.now.since(since)))
    };
    held.map(|verdict| Evidence::text("runtime", said(verdict))).collect()
}

fn judge(cx: &Cx) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    // The latest first: of two stalls of one task, the one that lasts says more than the one that is over.
    for stall in cx.model.agent().stalls().rev() {
        let Some(report) = report(cx, stall) else { continue };
        if reports.iter().all(|other| other.key != report.key) {
            reports.push(report);
        }
    }
    reports.sort_by_key(|report| report.since);
    reports
}
