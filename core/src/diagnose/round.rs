//! What one complete update comes to: what the lints fire for becomes findings, and what they no longer fire for ends.

use super::{
    Confidence, CycleStep, Finding, FindingId, Lint, RELATED_MOST, Related, Subject, contradiction,
    findings::{Due, Findings, Moment},
    flags::Flags,
    groups::{Group, Said, Speaker},
    label,
    lint::{Asked, Check, Cx, Grouping, Judgement, Key, Report},
    lint_state::LintState,
    silence::Silence,
};
use crate::{
    model::Task,
    update::{Stamp, TaskId},
};
use rustc_hash::FxHashSet;
use std::cmp::Reverse;

/// One complete update, looked at lint by lint: the worst first, since it may silence others.
pub(super) struct Round<'a> {
    pub(super) moment: Moment,
    pub(super) due: Due,
    pub(super) findings: &'a mut Findings,
    pub(super) flags: &'a mut Flags,
    pub(super) silence: &'a mut Silence,
}

impl Round<'_> {
    /// Brings a lint's findings up to date.
    pub(super) fn conclude(&mut self, state: &mut LintState, cx: &Cx) {
        match state.lint.check {
            Check::Task { by, judge, .. } => {
                self.mend(state, by, cx, judge);
                self.conclude_groups(state, cx);
                self.tell_turned(state, by, cx);
                state.groups.retain(|_, group| group.count > 0);
            }
            Check::Lock { asked, .. } => self.conclude_locks(state, asked, cx),
            Check::Whole(judge) => {
                let mut seen = FxHashSet::default();
                let allowed = |report: &Report| contradiction::allows(cx, state.lint, report);
                for report in judge(cx).into_iter().filter(allowed) {
                    if !self.is_silent(state.at, &report) {
                        seen.insert(report.key);
                        self.raise(state, report, None, cx);
                    }
                }
                self.end_others(state, &seen, cx);
            }
        }
    }

    /// Finds who speaks where that is not known, and who else is there: one pass over those that are flagged, for all groups.
    fn mend(&mut self, state: &mut LintState, by: Grouping, cx: &Cx, judge: fn(&Cx, &Task) -> Judgement) {
        let (mut unsure, mut thin) = (0, 0);
        for group in state.groups.values_mut() {
            let is_silent =
                |speaker: &Speaker| self.silence.holds(state.at, Key::Task(speaker.task), speaker.verdict.since);
            let speaker = group.speaker.filter(is_silent);
            if let Some(speaker) = speaker {
                group.silence(speaker.slot);
            }
            group.stale |= group.speaker.is_none() && group.count > 0;
            if group.stale {
                group.speaker = None;
                unsure += 1;
            }
            thin += usize::from(group.is_thin());
        }
        // To look for the next one that is flagged may mean to look at all there are.
        if unsure + thin == 0 {
            return;
        }
        for (slot, _) in self.flags.with(state.bit) {
            if unsure + thin == 0 {
                break;
            }
            let Some(task) = cx.model.tasks().at(slot) else { continue };
            let Some(group) = state.groups.get_mut(&by.key(task.id(), task.place())) else { continue };
            if group.is_thin() {
                group.know(slot);
                thin -= usize::from(!group.is_thin());
            }
            if group.stale
                && let Judgement::Fires(verdict) = contradiction::of_task(cx, state.lint, &task, judge(cx, &task))
                && !self.silence.holds(state.at, Key::Task(task.id()), verdict.since)
            {
                group.compare(Speaker { slot, task: task.id(), verdict });
            }
        }
        for group in state.groups.values_mut() {
            group.stale = false;
        }
    }

    fn conclude_groups(&mut self, state: &mut LintState, cx: &Cx) {
        let mut keys: Vec<Key> = state.groups.keys().copied().collect();
        let begins = |group: &Group| group.said.is_none() && group.speaker.is_some();
        if state.groups.values().any(begins) {
            // Of those that begin at once, the worst comes first.
            let rank = |key: &Key| state.groups.get(key)?.speaker.map(|speaker| speaker.rank());
            keys.sort_by_cached_key(|key| Reverse(rank(key)));
        }
        for key in keys {
            let Some(group) = state.groups.get(&key) else { continue };
            let before = group.said;
            let ending = self.ending(state.at, key, group.speaker.map(|speaker| speaker.verdict.since));
            let speaker = group.speaker.filter(|_| ending == Ending::Over);
            let said = speaker.and_then(|speaker| self.say(state, key, &speaker, cx));
            if let (Some(before), None) = (before, said) {
                self.stop(before.finding, ending);
            }
            if let Some(group) = state.groups.get_mut(&key) {
                group.turned = said != before;
                group.said = said;
            }
        }
    }

    /// What a group's speaker says for it.
    fn say(&mut self, state: &LintState, key: Key, speaker: &Speaker, cx: &Cx) -> Option<Said> {
        let group = state.groups.get(&key)?;
        let (verdict, task) = (speaker.verdict, Some(speaker.task));
        let open = self.findings.open(state.at, key);
        let id = match open.filter(|_| !self.findings.must_describe(&self.due, open, verdict.severity, task)) {
            Some(id) => {
                self.findings.renew(id, verdict.severity, verdict.since, self.moment);
                self.findings.count(id, group.count);
                id
            }
            None => self.raise(state, describe(state.lint, key, group, speaker, cx)?, task, cx)?,
        };
        let severity = self.findings.get(id)?.severity;
        Some(Said { finding: id, severity })
    }

    /// Where a group's finding began, ended or got worse, all of its tasks stand differently.
    fn tell_turned(&mut self, state: &LintState, by: Grouping, cx: &Cx) {
        let turned = || state.groups.values().filter(|group| group.turned);
        let mut many = false;
        for group in turned() {
            many |= group.known.len() < group.count;
            group.known.iter().for_each(|&slot| self.flags.touch(slot));
        }
        if !many {
            return;
        }
        let is_turned = |slot| {
            let task = cx.model.tasks().at(slot)?;
            state.groups.get(&by.key(task.id(), task.place())).map(|group| group.turned)
        };
        let slots: Vec<_> = self.flags.with(state.bit).map(|(slot, _)| slot).collect();
        for slot in slots.into_iter().filter(|&slot| is_turned(slot) == Some(true)) {
            self.flags.touch(slot);
        }
    }

    fn conclude_locks(&mut self, state: &mut LintState, asked: Asked, cx: &Cx) {
        let Check::Lock { judge, describe, .. } = state.lint.check else { return };
        let mut due = cx.model.changes().locks.clone();
        due.extend(std::mem::take(&mut state.locks));
        let (mut seen, mut fires) = (FxHashSet::default(), FxHashSet::default());
        for id in due {
            let Some((resource, lock)) = cx.model.lock(id).filter(|_| seen.insert(id)) else { continue };
            let judgement = judge(cx, resource, lock);
            let verdict = match contradiction::of_lock(cx, state.lint, resource, judgement) {
                Judgement::Clear => continue,
                Judgement::AskAgain => None,
                Judgement::Fires(verdict) => Some(verdict),
            };
            if asked == Asked::AsTimePasses {
                state.locks.insert(id);
            }
            let key = Key::Lock(id);
            let Some(verdict) = verdict.filter(|verdict| !self.silence.holds(state.at, key, verdict.since)) else {
                continue;
            };
            let open = self.findings.open(state.at, key);
            let goes_on = open.filter(|_| !self.findings.must_describe(&self.due, open, verdict.severity, None));
            if let Some(id) = goes_on {
                self.findings.renew(id, verdict.severity, verdict.since, self.moment);
                fires.insert(key);
            } else if let Some(report) = describe(cx, resource, lock) {
                self.raise(state, report, None, cx);
                fires.insert(key);
            }
        }
        self.end_others(state, &fires, cx);
    }

    /// Takes in a report, lets it speak for others, and flags the tasks that it names.
    fn raise(&mut self, state: &LintState, report: Report, speaker: Option<TaskId>, cx: &Cx) -> Option<FindingId> {
        let names_tasks = !matches!(state.lint.check, Check::Task { .. });
        let open = self.findings.open(state.at, report.key).filter(|_| names_tasks);
        let before = open.map_or_else(Vec::new, |id| self.names(id));
        let severity = open.and_then(|id| self.findings.get(id)).map(|finding| finding.severity);
        let key = report.key;
        let id = self.findings.raise(state.at, report, speaker, self.moment)?;
        if names_tasks {
            let after = self.names(id);
            let goes_on = severity == self.findings.get(id).map(|finding| finding.severity);
            if !goes_on || before != after {
                for task in before {
                    self.flags.unname(task, cx.model.tasks().slot(task), id);
                }
                for task in after {
                    self.flags.name(task, cx.model.tasks().slot(task), id);
                }
            }
        }
        if !state.subsumed.is_empty() {
            let related = self.findings.get(id).map(|finding| &finding.related);
            let steps = related.into_iter().flat_map(|related| &related.cycle);
            // Others of a set are as much of it as those whose way round is told.
            let set = related.filter(|related| !related.cycle.is_empty());
            let others: Vec<Key> =
                set.into_iter().flat_map(|related| &related.tasks).map(|task| Key::Task(task.id)).collect();
            let of_step = |step: &CycleStep| {
                let resource = step.waits_for.resource().map(|resource| Key::Lock(resource.id));
                resource.into_iter().chain([Key::Task(step.task.id)])
            };
            let in_cycle = steps.flat_map(of_step);
            // Of a place it speaks by the tasks that it names.
            let of_place = matches!(key, Key::Place(_)).then(|| self.names(id)).unwrap_or_default();
            let keys = in_cycle.chain(others).chain([key]).chain(of_place.into_iter().map(Key::Task));
            self.silence.speak(id, &state.subsumed, keys, self.moment.now);
        }
        Some(id)
    }

    /// The tasks that a finding names, each once.
    fn names(&self, id: FindingId) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> = self.findings.get(id).into_iter().flat_map(Finding::tasks).collect();
        tasks.sort_unstable();
        tasks.dedup();
        tasks
    }

    /// What a lint reported before and does not report again is over.
    fn end_others(&mut self, state: &LintState, seen: &FxHashSet<Key>, cx: &Cx) {
        let over: Vec<(Key, FindingId)> =
            self.findings.all_open(state.at).filter(|(key, _)| !seen.contains(key)).collect();
        for (key, id) in over {
            for task in self.names(id) {
                self.flags.unname(task, cx.model.tasks().slot(task), id);
            }
            let since = self.findings.get(id).map(|finding| finding.since);
            let of_place = matches!(key, Key::Place(_)) && self.is_silenced(state.at, id);
            let ending = if of_place { Ending::Silenced } else { self.ending(state.at, key, since) };
            self.stop(id, ending);
        }
    }

    /// Whether another finding says better what a lint reports: of a place, where it does of each task that the report is about.
    fn is_silent(&self, lint: usize, report: &Report) -> bool {
        let Related { tasks, tasks_total, .. } = &report.related;
        let is_told = |id: TaskId| self.silence.holds(lint, Key::Task(id), report.since);
        let of_place = || match (&report.subject, report.key) {
            // Its subject is one of so many.
            (Subject::Task(task), Key::Place(_)) if tasks.len() + 1 >= *tasks_total => {
                is_told(task.id) && tasks.iter().all(|task| is_told(task.id))
            }
            _ => false,
        };
        self.silence.holds(lint, report.key, report.since) || of_place()
    }

    /// The same of a finding that is open.
    fn is_silenced(&self, lint: usize, id: FindingId) -> bool {
        let finding = self.findings.get(id);
        finding.is_some_and(|finding| {
            let mut tasks = finding.tasks().peekable();
            tasks.peek().is_some() && tasks.all(|task| self.silence.holds(lint, Key::Task(task), finding.since))
        })
    }

    /// How what a lint says of something would end now.
    fn ending(&self, lint: usize, key: Key, since: Option<Stamp>) -> Ending {
        if self.silence.holds(lint, key, since.unwrap_or(Stamp::MIN)) { Ending::Silenced } else { Ending::Over }
    }

    /// A finding is over; or, where another one says it better, out of the list.
    fn stop(&mut self, id: FindingId, end: Ending) {
        match end {
            Ending::Over => self.findings.end(id),
            Ending::Silenced => self.findings.withdraw(id),
        }
        self.silence.end(id, self.moment.now);
    }

    /// Describes all that is active as it is now.
    pub(super) fn describe_all(&mut self, state: &LintState, cx: &Cx) {
        match state.lint.check {
            Check::Task { .. } => {
                for (&key, group) in &state.groups {
                    let Some(speaker) = group.speaker.filter(|_| group.said.is_some()) else { continue };
                    if let Some(report) = describe(state.lint, key, group, &speaker, cx) {
                        self.raise(state, report, Some(speaker.task), cx);
                    }
                }
            }
            Check::Lock { describe, .. } => {
                let open: Vec<Key> = self.findings.all_open(state.at).map(|(key, _)| key).collect();
                for key in open {
                    let Key::Lock(id) = key else { continue };
                    let report = cx.model.lock(id).and_then(|(resource, lock)| describe(cx, resource, lock));
                    if let Some(report) = report {
                        self.raise(state, report, None, cx);
                    }
                }
            }
            // They are described whenever they are judged.
            Check::Whole(_) => {}
        }
    }
}

/// How a finding goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It no longer holds.
    Over,
    /// Another one says it better.
    Silenced,
}

/// A group's finding, as its speaker shows it.
fn describe(lint: &Lint, key: Key, group: &Group, speaker: &Speaker, cx: &Cx) -> Option<Report> {
    let Check::Task { describe, .. } = lint.check else { return None };
    let task = cx.model.tasks().at(speaker.slot)?;
    let description = describe(cx, &task);
    let others = group.known.iter().filter(|&&slot| slot != speaker.slot);
    let others = others.filter_map(|&slot| cx.model.tasks().at(slot)).take(RELATED_MOST);
    Some(Report {
        key,
        severity: speaker.verdict.severity,
        confidence: Confidence::Exact,
        since: speaker.verdict.since,
        subject: Subject::Task(label::task(cx.model, &task)),
        message: description.message,
        evidence: description.evidence,
        related: Related {
            tasks: others.map(|other| label::task(cx.model, &other)).collect(),
            tasks_total: group.count,
            ..Related::default()
        },
    })
}
