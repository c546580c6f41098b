//! `stalled-worker`: a worker that has been in one poll for too long, seen while it lasts, with the reason.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, RELATED_MOST, Related, Severity, StackRef, Subject, Threshold,
        contradiction::When,
        label,
        lint::{Check, Cx, Grouping, Key, Report},
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

/// Stalls of one key that last, or are news, the latest first; of each task one.
struct Group<'a> {
    key: Key,
    stalls: Vec<&'a Stall>,
}

impl<'a> Group<'a> {
    fn add(&mut self, stall: &'a Stall) {
        // Of two stalls of one task, the one that lasts says more than the one that is over.
        if stall.task.is_none() || self.stalls.iter().all(|other| other.task != stall.task) {
            self.stalls.push(stall);
        }
    }

    /// The one that says most: that which lasts, and has done so for longest.
    fn worst(&self, cx: &Cx) -> Option<&'a Stall> {
        let weight = |stall: &&Stall| (stall.ended.is_none(), cx.model.stalled(stall, cx.now));
        // Of equal ones the latest.
        self.stalls.iter().rev().copied().max_by_key(weight)
    }
}

/// Tasks of one place that stall say one thing: a drop that blocks does so in each of them.
fn key(cx: &Cx, stall: &Stall, worker: WorkerId) -> Key {
    let Some(task) = stall.task else { return Key::Worker(worker) };
    cx.model.tasks().get(task).map_or(Key::Task(task), |row| Grouping::Place.key(task, row.place()))
}

fn counts(cx: &Cx, stall: &Stall) -> bool {
    let over = stall.ended.is_some_and(|ended| cx.now.since(ended) > RECENT);
    let least = cx.values.time(&LASTS);
    !over && cx.model.stalled(stall, cx.now) >= least && !stall.lacks_a_processor(least)
}

fn place(stall: &Stall) -> Option<String> {
    let place = &stall.stack.as_ref()?.top()?.place;
    (!place.file.is_empty()).then(|| place.to_string())
}

fn report(cx: &Cx, group: &Group<'_>) -> Option<Report> {
    let stall = group.worst(cx)?;
    let worker = stall.worker?;
    let lasted = cx.model.stalled(stall, cx.now);
    let agent = cx.model.agent();
    let named = format!("worker {}", agent.worker_label(worker));
    let mut message = format!("{named} {} in one poll: {}", humanize(lasted), stall.cause_in_short());
    if let Some(frame) = stall.stack.as_ref().and_then(|stack| stack.top()) {
        message = match place(stall) {
            None => format!("{message} in {}", frame.name()),
            Some(place) => format!("{message} at {place}"),
        };
    }
    if stall.queued > 0 {
        message = format!("{message}; {} behind it", plural(stall.queued, "task"));
    }
    let others: Vec<&Stall> =
        group.stalls.iter().copied().filter(|other| other.task.is_some() && other.task != stall.task).collect();
    if !others.is_empty() {
        message = format!("{message}; {} more of this place", plural(others.len() as u64, "task"));
    }
    let mut evidence = evidence(cx, stall, worker, lasted);
    let here = place(stall);
    let mut elsewhere: Vec<String> =
        others.iter().filter_map(|other| place(other)).filter(|at| here.as_ref() != Some(at)).collect();
    elsewhere.sort_unstable();
    elsewhere.dedup();
    elsewhere.truncate(RELATED_MOST);
    evidence.extend(elsewhere.into_iter().map(|at| Evidence::text("also at", at)));
    let tasks = others.iter().filter_map(|other| other.task).take(RELATED_MOST);
    Some(Report {
        key: group.key,
        severity: Severity::Critical,
        confidence: Confidence::Exact,
        since: group.stalls.iter().map(|stall| stall.since).min().unwrap_or(stall.since),
        subject: match stall.task {
            Some(task) => Subject::Task(label::task_by_id(cx.model, task)),
            None => Subject::Runtime(label::runtime(cx.model, worker.runtime)),
        },
        message,
        evidence,
        related: Related {
            worker: Some(label::worker(cx.model, worker)),
            tasks: tasks.map(|task| label::task_by_id(cx.model, task)).collect(),
            tasks_total: others.len() + usize::from(stall.task.is_some()),
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
    let mut groups: Vec<Group<'_>> = Vec::new();
    for stall in cx.model.agent().stalls().rev().filter(|stall| counts(cx, stall)) {
        // A poll on a thread that is no worker, as inside block_in_place, keeps none.
        let Some(worker) = stall.worker else { continue };
        let key = key(cx, stall, worker);
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.add(stall),
            None => groups.push(Group { key, stalls: vec![stall] }),
        }
    }
    let mut reports: Vec<Report> = groups.iter().filter_map(|group| report(cx, group)).collect();
    reports.sort_by_key(|report| report.since);
    reports
}
