//! Asks the lints after each update, and keeps what they found.

use super::{
    Finding, FindingId, LINTS, Lint, NotLookedFor, Settings, Severity, Status, contradiction,
    findings::{Findings, Moment},
    flags::{Flag, Flags, NAMED},
    graph::Graphs,
    groups::{self, Speaker},
    lint::{Check, Cx, Judgement, Key},
    lint_state::LintState,
    round::Round,
    settings::Values,
    silence::Silence,
};
use crate::{
    model::{Model, Named, Slot, Task},
    update::{Knows, Stamp, TaskId},
};
use rustc_hash::FxHashSet;

/// How many findings are active, by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Critical ones.
    pub critical: usize,
    /// Warnings.
    pub warning: usize,
    /// Notes.
    pub note: usize,
}

impl Tally {
    /// Of each severity.
    pub fn all(self) -> usize {
        self.critical + self.warning + self.note
    }
}

/// In an outline there are no more findings than this.
const OUTLINED: usize = 1_000;

/// The lints at work on one model at a time.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Engine {
    states: Vec<LintState>,
    flags: Flags,
    findings: Findings,
    silence: Silence,
    /// Tasks to be asked about again after the next complete update, changed or not.
    again: FxHashSet<Slot>,
    /// Whether that is every task: the first state stands, and nothing of it was judged.
    unjudged: bool,
    /// Findings that somebody looks at.
    watched: FxHashSet<FindingId>,
    /// Active findings that an outline had no room for.
    unkept: usize,
}

impl Engine {
    /// The lints that are switched on, with their thresholds.
    pub fn new(settings: &Settings) -> Self {
        let enabled = LINTS.iter().enumerate().filter(|(_, lint)| settings.is_enabled(lint));
        Self {
            states: enabled.map(|(at, &lint)| LintState::new(lint, at, settings)).collect(),
            flags: Flags::default(),
            findings: Findings::default(),
            silence: Silence::default(),
            again: FxHashSet::default(),
            unjudged: false,
            watched: FxHashSet::default(),
            unkept: 0,
        }
    }

    /// Every finding, active ones first, then the worst, then the latest; of those that came at once, the worst lint's first.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter()
    }

    /// How often that order has changed: as long as it stands, so does the list.
    pub fn reordered(&self) -> u64 {
        self.findings.reordered
    }

    /// One finding.
    pub fn finding(&self, id: FindingId) -> Option<&Finding> {
        self.findings.get(id)
    }

    /// How many more were active than an outline has; none, where this is whole.
    pub fn unkept(&self) -> usize {
        self.unkept
    }

    /// How many findings are active.
    pub fn tally(&self) -> Tally {
        self.findings.tally()
    }

    /// The findings that somebody looks at: where there are very many, these are described at each update all the same.
    pub fn watch(&mut self, findings: impl IntoIterator<Item = FindingId>) {
        self.watched.clear();
        self.watched.extend(findings);
    }

    /// The lints that fire for a task now, with their severity.
    pub fn lints_of(&self, model: &Model, task: TaskId) -> impl Iterator<Item = (&'static Lint, Severity)> {
        let of_groups = model.tasks().slot(task).into_iter().flat_map(move |slot| self.said_of(model, slot));
        of_groups.chain(self.named_by(task))
    }

    /// What stands against the task in a slot, if anything does.
    #[inline]
    pub fn flag(&self, model: &Model, slot: Slot) -> Option<Flag> {
        if self.flags.bits(slot) == 0 { None } else { self.flag_of(model, slot) }
    }

    /// Few tasks come here, and those that do not should not pay for it.
    #[cold]
    fn flag_of(&self, model: &Model, slot: Slot) -> Option<Flag> {
        let task = model.tasks().at(slot)?.id();
        Flag::of(self.said_of(model, slot).chain(self.named_by(task)))
    }

    /// The tasks that anything may stand against, as [`Engine::flag`] tells, in the order of their slots.
    pub fn flagged(&self) -> impl Iterator<Item = Slot> {
        self.flags.with(u32::MAX).map(|(slot, _)| slot)
    }

    /// The tasks that stand differently after the latest update. One may come more than once.
    pub fn reflagged(&self) -> &[Slot] {
        self.flags.changed()
    }

    /// What lints on tasks say of the task in a slot.
    fn said_of(&self, model: &Model, slot: Slot) -> impl Iterator<Item = (&'static Lint, Severity)> {
        let (bits, task) = (self.flags.bits(slot), model.tasks().at(slot));
        let firing = self.states.iter().filter(move |state| state.bit & bits != 0);
        firing.filter_map(move |state| {
            let Check::Task { by, .. } = state.lint.check else { return None };
            let said = state.groups.get(&by.key(task?.id(), task?.place()))?.said?;
            Some((state.lint, said.severity))
        })
    }

    /// What findings on locks and on the whole say of a task.
    fn named_by(&self, task: TaskId) -> impl Iterator<Item = (&'static Lint, Severity)> {
        let findings = self.flags.named(task).iter().filter_map(|&id| self.findings.get(id));
        findings.map(|finding| (finding.lint, finding.severity))
    }

    /// The lints that are switched on and cannot judge, with the reason: what the source does not know.
    pub fn not_looked_for(&self, knows: &Knows) -> Vec<NotLookedFor> {
        let missing = |state: &LintState| {
            let because = knows.why_not_all(state.lint.needs)?;
            Some(NotLookedFor { lint: state.lint, because })
        };
        self.states.iter().filter_map(missing).collect()
    }

    /// Another process or attachment begins: what was found so far is over, and stays to be read.
    pub fn begin_session(&mut self) {
        self.findings.end_all();
        self.flags = Flags::default();
        self.silence = Silence::default();
        self.again.clear();
        self.unjudged = false;
        for state in &mut self.states {
            state.groups.clear();
            state.locks.clear();
        }
    }

    /// What it found, of which there may be too much: the first findings, and the rows that they name.
    pub fn outline(&self) -> (Self, Named) {
        let findings = self.findings.first(OUTLINED);
        let findings_kept = findings.tally().all();
        let mut named = Named::default();
        findings.iter().for_each(|finding| finding.name_rows(&mut named));
        let states = self.states.iter().map(LintState::outline).collect();
        let outline = Self {
            states,
            flags: Flags::default(),
            findings,
            silence: Silence::default(),
            again: FxHashSet::default(),
            unjudged: false,
            watched: FxHashSet::default(),
            // What a file said may be anything.
            unkept: self.unkept.saturating_add(self.tally().all()).saturating_sub(findings_kept),
        };
        (outline, named)
    }

    /// The rows of an outline stand elsewhere: what is found says by itself which tasks it names.
    pub fn name_again(&mut self, model: &Model) {
        self.flags = Flags::default();
        for finding in self.findings.iter().filter(|finding| finding.status == Status::Active) {
            for task in finding.tasks() {
                self.flags.name(task, model.tasks().slot(task), finding.id);
            }
        }
        self.flags.begin();
    }

    /// Looks at what the model's latest update changed, and, when it is complete, at all that may have changed with the time.
    pub fn observe(&mut self, model: &Model) {
        self.flags.begin();
        let (Some(now), settled) = (model.now(), model.settled()) else { return };
        let cx = Cx {
            model,
            now,
            settled: settled.unwrap_or(Stamp::MIN),
            values: &Values::default(),
            graphs: &Graphs::default(),
        };
        self.forget_those_that_left(model);
        self.flag_named(model);
        let is_complete = model.changes().complete;
        // Before a second update has confirmed the first, nothing is certain.
        if settled.is_none() {
            self.unjudged = true;
            // What an agent tells needs no confirmation.
            if is_complete && model.agent().speaks() {
                self.conclude(&cx);
            }
            return;
        }
        if is_complete {
            self.hear_all_again();
        }
        let able = self.states.iter().filter(|state| state.can_judge(model.knows()));
        let bits = able.fold(0, |bits, state| bits | state.bit);
        if is_complete && std::mem::take(&mut self.unjudged) {
            for task in model.tasks().iter() {
                self.ask(&cx, &task, bits);
            }
        } else {
            for &slot in &model.changes().tasks {
                let Some(task) = model.tasks().at(slot) else { continue };
                self.ask(&cx, &task, bits);
            }
            if is_complete {
                self.ask_as_time_passes(&cx, bits);
            }
        }
        if is_complete {
            self.conclude(&cx);
        }
    }

    /// Describes every active finding as it is now, however many there are. For whoever tells of all of them at once.
    pub fn describe_all(&mut self, model: &Model) {
        let (Some(now), settled) = (model.now(), model.settled()) else { return };
        let cx = Cx {
            model,
            now,
            settled: settled.unwrap_or(Stamp::MIN),
            values: &Values::default(),
            graphs: &Graphs::default(),
        };
        let (states, mut round) = self.round(&cx);
        for state in states {
            round.describe_all(state, &Cx { values: &state.values, ..cx });
        }
    }

    /// Rows that are gone, and tasks whose spawn location is now another one: their groups are found by the old one.
    fn forget_those_that_left(&mut self, model: &Model) {
        for &(slot, task, place) in &model.changes().left {
            for state in &mut self.states {
                let Check::Task { by, .. } = state.lint.check else { continue };
                if self.flags.clear(slot, state.bit) {
                    groups::leave(&mut state.groups, by.key(task, place), slot);
                }
            }
            self.flags.clear(slot, NAMED);
            self.again.remove(&slot);
        }
        for &(_, task) in &model.changes().removed {
            self.silence.forget(task);
        }
    }

    /// A finding may name a task before its row is there.
    fn flag_named(&mut self, model: &Model) {
        if !self.flags.names_any() {
            return;
        }
        for &slot in &model.changes().tasks {
            let Some(task) = model.tasks().at(slot) else { continue };
            if !self.flags.named(task.id()).is_empty() {
                self.flags.set(slot, NAMED);
            }
        }
    }

    /// Of lints whose verdicts change with the time, every task is asked again, and the worst of them speaks.
    fn hear_all_again(&mut self) {
        for state in self.states.iter_mut().filter(|state| state.asked_as_time_passes()) {
            for group in state.groups.values_mut() {
                group.speaker = None;
                group.stale = false;
            }
        }
    }

    /// Asks what depends on the time of tasks that nobody reported: of those that run or wait to run, of those that were to be
    /// asked again, and of those that it fires for.
    fn ask_as_time_passes(&mut self, cx: &Cx, able: u32) {
        let states = self.states.iter().filter(|state| state.asked_as_time_passes());
        let bits = able & states.fold(0, |bits, state| bits | state.bit);
        for task in cx.model.hot() {
            self.ask(cx, &task, bits);
        }
        let again = std::mem::take(&mut self.again);
        let flagged: Vec<(Slot, u32)> = self.flags.with(bits).collect();
        for (slot, bits) in again.into_iter().map(|slot| (slot, bits)).chain(flagged) {
            let Some(task) = cx.model.tasks().at(slot) else { continue };
            self.ask(cx, &task, bits);
        }
    }

    /// Asks the lints of these bits about a task.
    fn ask(&mut self, cx: &Cx, task: &Task, bits: u32) {
        let slot = task.slot();
        for state in &mut self.states {
            let Check::Task { by, judge, .. } = state.lint.check else { continue };
            if state.bit & bits == 0 {
                continue;
            }
            let judgement = judge(&Cx { values: &state.values, ..*cx }, task);
            let judgement = contradiction::of_task(cx, state.lint, task, judgement);
            let key = || by.key(task.id(), task.place());
            match judgement {
                Judgement::Clear | Judgement::AskAgain => {
                    if self.flags.clear(slot, state.bit) {
                        groups::leave(&mut state.groups, key(), slot);
                    }
                    if judgement == Judgement::AskAgain {
                        self.again.insert(slot);
                    }
                }
                Judgement::Fires(verdict) => {
                    if self.flags.set(slot, state.bit) {
                        groups::join(&mut state.groups, key(), slot);
                    }
                    let Some(group) = state.groups.get_mut(&key()) else { continue };
                    if self.silence.holds(state.at, Key::Task(task.id()), verdict.since) {
                        group.silence(slot);
                    } else {
                        group.hear(Speaker { slot, task: task.id(), verdict });
                    }
                }
            }
        }
    }

    /// Turns what fires into findings.
    fn conclude(&mut self, cx: &Cx) {
        self.silence.pass(cx.now);
        let (states, mut round) = self.round(cx);
        for state in states.iter_mut().filter(|state| state.can_judge(cx.model.knows())) {
            let values = state.values.clone();
            round.conclude(state, &Cx { values: &values, ..*cx });
        }
        self.findings.forget();
    }

    fn round(&mut self, cx: &Cx) -> (&mut [LintState], Round<'_>) {
        let moment = Moment { now: cx.now, trusted: cx.model.health().is_whole() };
        let due = self.findings.due(&self.watched, cx.now);
        let Self { states, flags, findings, silence, .. } = self;
        (states, Round { moment, due, findings, flags, silence })
    }
}
