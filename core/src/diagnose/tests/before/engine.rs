//! Runs the lints after each update, and keeps what they found.

use super::{
    Check, Confidence, Finding, FindingId, LINTS, Lint, LintSettings, RELATED_MOST, Related, Settings, Severity,
    Status, Subject,
    check::{Context, Grouping, Judgement, Key, Report},
    group::{Group, Groups},
    refs,
};
use crate::{
    model::{Model, Slot, Task},
    update::{Stamp, TaskId},
};
use rustc_hash::{FxHashMap, FxHashSet};

/// Findings that are over are let go of beyond this many, the oldest first.
const PAST_MOST: usize = 1_000;

/// How many findings are active, by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Critical ones.
    pub critical: usize,
    /// Warnings.
    pub warning: usize,
    /// Notes.
    pub note: usize,
}

/// The lints at work on one model at a time.
pub(crate) struct Engine {
    lints: Vec<Running>,
    findings: Vec<Finding>,
    open: FxHashMap<(&'static str, Key), usize>,
    next_id: u64,
    /// Tasks to be asked about again after the next update, changed or not.
    again: FxHashSet<TaskId>,
    /// Whether that is every task: the first state stands, and nothing of it was judged.
    unjudged: bool,
    /// Lints that another one has spoken for, by what it spoke about.
    claimed: FxHashSet<(&'static str, Key)>,
}

/// The lint of today, which is switched on and set by the same name.
fn now(lint: &Lint) -> &'static crate::diagnose::Lint {
    crate::diagnose::lint(lint.name).expect("a lint of the same name")
}

struct Running {
    lint: &'static Lint,
    check: Check,
    groups: Groups,
}

impl Engine {
    /// The lints that are switched on, with their thresholds.
    pub(crate) fn new(settings: &Settings) -> Self {
        let enabled = LINTS.iter().filter(|lint| settings.is_enabled(now(lint)));
        let lints = enabled
            .map(|&lint| Running {
                lint,
                check: (lint.build)(&LintSettings(settings.of(now(lint)))),
                groups: Groups::default(),
            })
            .collect();
        Self {
            lints,
            findings: Vec::new(),
            open: FxHashMap::default(),
            next_id: 0,
            again: FxHashSet::default(),
            unjudged: false,
            claimed: FxHashSet::default(),
        }
    }

    /// Every finding, active ones first, then the worst, then the latest; of those that came at once, the worst lint's first.
    pub(crate) fn findings(&self) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| {
            let rank = (finding.status == Status::Active, finding.severity, finding.first_seen);
            (std::cmp::Reverse(rank), finding.id)
        });
        findings
    }

    /// One finding.
    pub(crate) fn finding(&self, id: FindingId) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.id == id)
    }

    /// How many findings are active.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for finding in self.findings.iter().filter(|finding| finding.status == Status::Active) {
            match finding.severity {
                Severity::Critical => tally.critical += 1,
                Severity::Warning => tally.warning += 1,
                Severity::Note => tally.note += 1,
            }
        }
        tally
    }

    /// The lints that fire for a task now, with their severity.
    pub(crate) fn lints_of(&self, task: TaskId) -> impl Iterator<Item = (&'static Lint, Severity)> {
        let of_groups = self.lints.iter().filter_map(move |running| {
            let key = running.groups.key_of(task)?;
            let &index = self.open.get(&(running.lint.name, key))?;
            Some((running.lint, self.findings[index].severity))
        });
        let whole = self.open.iter().filter(|((name, _), _)| self.is_whole(name)).filter_map(move |(_, &index)| {
            let finding = &self.findings[index];
            finding.concerns(task).then_some((finding.lint, finding.severity))
        });
        of_groups.chain(whole)
    }

    /// Every task that a finding of its own fires for now, with the lint and its severity. A task comes once for each lint.
    pub(crate) fn flagged(&self) -> impl Iterator<Item = (TaskId, &'static Lint, Severity)> {
        let of_groups = self.lints.iter().flat_map(move |running| {
            running.groups.iter().filter_map(move |(key, group)| {
                let &index = self.open.get(&(running.lint.name, key))?;
                let severity = self.findings[index].severity;
                Some(group.tasks().map(move |task| (task, running.lint, severity)))
            })
        });
        let of_locks = self.open.iter().filter(|((name, _), _)| self.is_whole(name)).flat_map(|(_, &index)| {
            let finding = &self.findings[index];
            finding.tasks().map(move |task| (task, finding.lint, finding.severity))
        });
        of_groups.flatten().chain(of_locks)
    }

    /// Whether a lint is one that is asked about the whole model: its findings name the tasks themselves.
    fn is_whole(&self, name: &str) -> bool {
        self.lints.iter().any(|running| running.lint.name == name && matches!(running.check, Check::Whole(_)))
    }

    /// Another process or attachment begins: what was found so far is over, and stays to be read.
    pub(crate) fn begin_session(&mut self) {
        for finding in &mut self.findings {
            finding.status = Status::Past;
        }
        self.open.clear();
        self.again.clear();
        self.unjudged = false;
        self.claimed.clear();
        for running in &mut self.lints {
            running.groups = Groups::default();
        }
    }

    /// Looks at what the model's latest update changed, and, when it is complete, at all that may have changed with the time.
    pub(crate) fn observe(&mut self, model: &Model) {
        let (Some(now), settled) = (model.now(), model.settled()) else { return };
        let cx = Context { model, now, settled: settled.unwrap_or(Stamp::MIN) };
        for &(_, task) in &model.changes().removed {
            self.again.remove(&task);
            for running in &mut self.lints {
                running.groups.clear(task);
            }
        }
        // Before a second update has confirmed the first, nothing is certain.
        if settled.is_none() {
            self.unjudged = true;
            // What an agent tells needs no confirmation.
            if model.changes().complete && model.agent().speaks() {
                self.conclude(&cx);
            }
            return;
        }
        if model.changes().complete && std::mem::take(&mut self.unjudged) {
            for task in model.tasks().iter() {
                self.ask(&cx, &task);
            }
        } else {
            for task in self.due(model).into_iter().filter_map(|slot| model.tasks().at(slot)) {
                self.ask(&cx, &task);
            }
        }
        if model.changes().complete {
            self.conclude(&cx);
        }
    }

    /// The tasks to be asked about.
    fn due(&mut self, model: &Model) -> FxHashSet<Slot> {
        let mut due: FxHashSet<Slot> = model.changes().tasks.iter().copied().collect();
        if model.changes().complete {
            due.extend(model.hot().map(Task::slot));
            let again = std::mem::take(&mut self.again);
            due.extend(again.into_iter().filter_map(|task| model.tasks().slot(task)));
            for running in &self.lints {
                due.extend(running.groups.tasks().into_iter().filter_map(|task| model.tasks().slot(task)));
            }
        }
        due
    }

    fn ask(&mut self, cx: &Context, task: &Task) {
        for running in &mut self.lints {
            let Check::Task(grouping, check) = &running.check else { continue };
            match check.judge(cx, task) {
                Judgement::Clear => running.groups.clear(task.id()),
                Judgement::AskAgain => {
                    running.groups.clear(task.id());
                    self.again.insert(task.id());
                }
                Judgement::Fires(verdict) => {
                    let key = match grouping {
                        Grouping::Place if task.place().is_known() => Key::Place(task.place()),
                        _ => Key::Task(task.id()),
                    };
                    running.groups.set(task.id(), key, verdict);
                }
            }
        }
    }

    /// Turns what fires into findings.
    fn conclude(&mut self, cx: &Context) {
        let mut lints = std::mem::take(&mut self.lints);
        for running in &mut lints {
            let reports = match &mut running.check {
                Check::Whole(check) => check.judge(cx),
                Check::Task(..) => self.reports(cx, running),
            };
            self.take(cx, running.lint, reports);
        }
        self.lints = lints;
        self.forget();
    }

    fn reports(&self, cx: &Context, running: &Running) -> Vec<Report> {
        let Check::Task(_, check) = &running.check else { return Vec::new() };
        let of_group = |(key, group): (Key, &Group)| {
            let (worst, verdict) = group.worst(|task| !self.claimed.contains(&(running.lint.name, Key::Task(task))))?;
            let task = cx.model.tasks().get(worst)?;
            let description = check.describe(cx, &task);
            let others = group.tasks().filter(|&other| other != worst).take(RELATED_MOST);
            let related = Related {
                tasks: others.map(|other| refs::task_by_id(cx.model, other)).collect(),
                tasks_total: group.len(),
                ..Related::default()
            };
            Some(Report {
                key,
                severity: verdict.severity,
                confidence: Confidence::Exact,
                since: verdict.since,
                subject: Subject::Task(refs::task(cx.model, &task)),
                message: description.message,
                evidence: description.evidence,
                related,
            })
        };
        running.groups.iter().filter_map(of_group).collect()
    }

    fn take(&mut self, cx: &Context, lint: &'static Lint, reports: Vec<Report>) {
        let mut seen = FxHashSet::default();
        for report in reports {
            if self.claimed.contains(&(lint.name, report.key)) {
                continue;
            }
            seen.insert(report.key);
            self.claim(lint, &report);
            self.raise(cx, lint, report);
        }
        self.open.retain(|&(name, key), &mut index| {
            let over = name == lint.name && !seen.contains(&key);
            if over {
                self.findings[index].status = Status::Past;
            }
            !over
        });
    }

    /// Silences the lints that this one speaks for, and takes back what they are saying.
    fn claim(&mut self, lint: &Lint, report: &Report) {
        for &subsumed in lint.subsumes {
            let steps = report.related.cycle.iter();
            let in_cycle = steps.flat_map(|step| [Key::Lock(step.waits_for.id), Key::Task(step.task.id)]);
            for key in in_cycle.chain([report.key]) {
                self.claimed.insert((subsumed, key));
                if let Some(index) = self.open.remove(&(subsumed, key)) {
                    self.withdraw(index);
                }
            }
        }
    }

    /// Takes a finding out of the list.
    fn withdraw(&mut self, index: usize) {
        self.findings.remove(index);
        for open in self.open.values_mut().filter(|open| **open > index) {
            *open -= 1;
        }
    }

    fn raise(&mut self, cx: &Context, lint: &'static Lint, report: Report) {
        let trusted = cx.model.health().is_whole() || report.key == Key::Target;
        let confidence = if trusted { report.confidence } else { Confidence::Incomplete };
        if let Some(&index) = self.open.get(&(lint.name, report.key)) {
            let finding = &mut self.findings[index];
            finding.severity = finding.severity.max(report.severity);
            finding.confidence = confidence;
            finding.since = report.since;
            finding.last_seen = cx.now;
            finding.subject = report.subject;
            finding.message = report.message;
            finding.evidence = report.evidence;
            finding.related = report.related;
            return;
        }
        let again = self.findings.iter().position(|finding| {
            finding.lint == lint
                && finding.status == Status::Past
                && finding.is_about(&report, cx.model.attached().unwrap_or(cx.now))
        });
        self.next_id += 1;
        let mut finding = Finding {
            id: FindingId(self.next_id),
            lint,
            severity: report.severity,
            confidence,
            status: Status::Active,
            subject: report.subject,
            since: report.since,
            first_seen: cx.now,
            last_seen: cx.now,
            episodes: 1,
            message: report.message,
            evidence: report.evidence,
            related: report.related,
        };
        let index = if let Some(index) = again {
            let before = &self.findings[index];
            finding.id = before.id;
            finding.first_seen = before.first_seen;
            finding.severity = finding.severity.max(before.severity);
            finding.episodes = before.episodes + 1;
            self.findings[index] = finding;
            index
        } else {
            self.findings.push(finding);
            self.findings.len() - 1
        };
        self.open.insert((lint.name, report.key), index);
    }

    fn forget(&mut self) {
        if self.findings.len() <= self.open.len() + PAST_MOST {
            return;
        }
        let mut excess = self.findings.len() - self.open.len() - PAST_MOST;
        let mut kept = Vec::with_capacity(self.findings.len());
        let mut moved = FxHashMap::default();
        for (index, finding) in std::mem::take(&mut self.findings).into_iter().enumerate() {
            if finding.status == Status::Past && excess > 0 {
                excess -= 1;
            } else {
                moved.insert(index, kept.len());
                kept.push(finding);
            }
        }
        self.findings = kept;
        for index in self.open.values_mut() {
            *index = moved[index];
        }
    }
}

impl Finding {
    /// Whether this past finding is of the same thing as a new report, in the same session.
    fn is_about(&self, report: &Report, session: Stamp) -> bool {
        if self.first_seen < session {
            return false;
        }
        match (&self.subject, &report.subject) {
            (Subject::Task(mine), Subject::Task(theirs)) => match report.key {
                Key::Place(_) => mine.place == theirs.place,
                _ => mine.id == theirs.id,
            },
            (mine, theirs) => mine == theirs,
        }
    }

    /// The tasks that it speaks of as at fault or in it, those that merely wait apart.
    fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let subject = match &self.subject {
            Subject::Task(subject) => Some(subject),
            _ => None,
        };
        let related = &self.related;
        let named = subject.into_iter().chain(&related.holder).chain(&related.co_holders).chain(&related.tasks);
        named.chain(related.cycle.iter().map(|step| &step.task)).map(|task| task.id)
    }

    /// Whether the finding speaks of a task.
    pub(crate) fn concerns(&self, task: TaskId) -> bool {
        self.tasks().any(|other| other == task)
    }
}
