//! What each action does.

use crate::{
    app::{
        clipboard,
        frame::RowId,
        input::{bindings::Action, event::Effect, line::Line},
        layer::{Layer, Question},
        options::ValuesForm,
        panel::{Opening, PageSubject},
        screens::{SCREENS, Screen},
        scroll::Scroll,
        state::{App, Company},
        tasks::{
            columns::{Compares, TASK_COLUMNS, TaskColumn},
            list::Listing,
        },
        tour::Tour,
        workers,
    },
    diagnose::{Lint, Subject},
    model::Lock,
    record::Seek,
    update::{Command, Protocol, ResourceId, TaskId, Temporality, WorkerId},
};
use std::time::Instant;

/// How far it goes to the end of a text.
const FAR: isize = isize::MAX / 2;

impl App {
    pub(super) fn act(&mut self, action: Action, at: Instant) -> Vec<Effect> {
        if self.past.is_recording() && action.asks_the_target() {
            self.say("this is a recording: nobody can be asked for more", at);
            return Vec::new();
        }
        match action {
            Action::Quit => return vec![Effect::Quit],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Back => return self.back(),
            Action::Help => self.layers.push(Layer::Help(Scroll::default())),
            Action::Go(screen) => return self.go(screen),
            Action::GoNumber(number) => {
                return SCREENS.get(usize::from(number) - 1).map_or_else(Vec::new, |spec| self.go(spec.screen));
            }
            Action::NextScreen => return self.go(self.screen.offset(1)),
            Action::PreviousScreen => return self.go(self.screen.offset(-1)),
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.page_by(-1),
            Action::PageDown => self.page_by(1),
            Action::First => self.first(),
            Action::Last => self.last(),
            Action::Open => return self.open_selected(at),
            Action::ColumnLeft => drop(self.with_list(|list| list.step_column(-1))),
            Action::ColumnRight => drop(self.with_list(|list| list.step_column(1))),
            Action::Invert => drop(self.with_list(|list| list.invert())),
            Action::Sort => self.offer_columns(),
            Action::Group => self.panels.tasks.next_listing(self.open.shown().model().knows()),
            Action::Unfold => self.stacks = self.stacks.toggled(),
            Action::Filter => self.layers.push(Layer::Filter(Line::new(self.panels.tasks.filter_text()))),
            Action::ClearFilter => {
                self.panels.tasks.set_filter(String::new());
                self.layers.pop();
            }
            Action::OpenLock => return self.open_lock(at),
            Action::OpenWorker => return self.open_worker(at),
            Action::Explain => self.explain(at),
            Action::Copy => return self.copy(at),
            Action::Freeze => return self.freeze(at),
            Action::PauseTarget => self.ask_to_pause(at),
            Action::StopForStacks => return self.stop_for_stacks(at),
            Action::Values => return self.toggle_values(at),
            Action::ToggleMemory => return self.toggle_memory(at),
            Action::StepBack
            | Action::StepOn
            | Action::PreviousMark
            | Action::NextMark
            | Action::Present
            | Action::Play
            | Action::Slower
            | Action::Faster => return self.travel(action, at),
            Action::Save => return self.save_the_past(at),
            Action::AllTargets => return vec![Effect::AllTargets],
            Action::Mend => return self.tour.as_mut().map_or_else(Vec::new, Tour::mend),
            Action::NextStop => return self.tour.as_mut().map_or_else(Vec::new, Tour::go_on),
            Action::Retry => return vec![Effect::Send(Command::RetryNow)],
            Action::Confirm => return self.confirm(at),
            Action::Accept => self.accept(),
            _ => self.edit(action),
        }
        Vec::new()
    }

    fn can_pause(&self) -> bool {
        self.session().status().begun.as_ref().is_none_or(|begun| begun.protocol == Protocol::Console)
    }

    fn stop_for_stacks(&mut self, at: Instant) -> Vec<Effect> {
        if self.past.shown().is_some() {
            self.say("stacks are taken of the present, and this is the past: End leads to the present", at);
            return Vec::new();
        }
        let from = workers::now::StacksFrom::of(self.session());
        if from == workers::now::StacksFrom::Agent && self.missed().is_some() {
            self.say("stacks are captured as they are now, and the display stands still", at);
            return Vec::new();
        }
        let (said, command) = from.ask();
        self.say(said, at);
        command.map(Effect::Send).into_iter().collect()
    }

    fn toggle_values(&mut self, at: Instant) -> Vec<Effect> {
        if !self.live().model().memory().speaks() {
            self.say("what frames hold is read from memory, which is not read here", at);
            return Vec::new();
        }
        if self.missed().is_some() {
            self.say("what frames hold is read as it is now, and the display stands still", at);
            return Vec::new();
        }
        self.values = self.values.toggled();
        let said = match self.values {
            ValuesForm::Read => "what its frames hold is read while a task's page is open: it may be secret",
            ValuesForm::Left => "what frames hold is read no more",
        };
        self.say(said, at);
        self.ask_for_values()
    }

    fn toggle_memory(&mut self, at: Instant) -> Vec<Effect> {
        let begun = self.live().status().begun.as_ref();
        if begun.is_some_and(|begun| begun.protocol == Protocol::Memory) {
            self.say("memory is all that is read of this process", at);
            return Vec::new();
        }
        let said = if self.live().status().beside.is_some() {
            "memory is read no more"
        } else {
            "looking for its memory on this machine"
        };
        self.say(said, at);
        vec![Effect::Send(Command::ToggleMemory)]
    }

    /// Whether an action would do anything, so that only then it is offered. It may be asked for all the same.
    pub fn can(&self, action: Action) -> bool {
        let something = match self.layers.last() {
            Some(Layer::Page(page)) => !page.panel().is_empty(),
            Some(_) => true,
            None => !self.panels.of(self.screen).is_empty(),
        };
        if self.past.is_recording() && action.asks_the_target() {
            return false;
        }
        match action {
            Action::OpenLock => self.lock().is_some(),
            Action::Mend => self.tour.is_some_and(|tour| tour.can_mend()),
            Action::NextStop => self.tour.is_some_and(|tour| tour.can_go_on()),
            Action::Values => self.session().model().memory().speaks(),
            Action::StopForStacks => workers::now::StacksFrom::of(self.session()).ask().1.is_some(),
            Action::OpenWorker => self.worker().is_some(),
            Action::Explain => self.lint().is_some(),
            Action::PauseTarget => self.can_pause(),
            Action::Up if matches!(self.page_subject(), Some(PageSubject::Worker(_))) => true,
            Action::Copy => self.subject().is_some(),
            Action::Up | Action::Open => something,
            _ => true,
        }
    }

    fn back(&mut self) -> Vec<Effect> {
        match self.layers.pop() {
            Some(Layer::Page(_)) => return self.watch(),
            None => {
                if !self.panels.of_mut(self.screen).widen() && self.company == Company::OneOfMany {
                    return vec![Effect::AllTargets];
                }
            }
            Some(_) => {}
        }
        Vec::new()
    }

    fn edit(&mut self, action: Action) {
        let Some(Layer::Filter(line)) = self.layers.last_mut() else { return };
        line.edit(action);
        self.apply_filter();
    }

    /// A filter that cannot be read stays open, with the reason.
    fn accept(&mut self) {
        if self.panels.tasks.filter_error().is_none() {
            self.layers.pop();
        }
    }

    fn offer_columns(&mut self) {
        match self.panels.tasks.listing {
            Listing::Tasks if self.screen == Screen::Tasks && self.layers.is_empty() => {
                let at = sortable().position(|column| column == self.panels.tasks.order.column()).unwrap_or_default();
                self.layers.push(Layer::Sort(at));
            }
            _ => drop(self.with_list(|list| list.step_column(1))),
        }
    }

    fn open_selected(&mut self, at: Instant) -> Vec<Effect> {
        if let Some(&Layer::Sort(nth)) = self.layers.last() {
            if let Some(column) = sortable().nth(nth).filter(|&column| column != self.panels.tasks.order.column()) {
                self.panels.tasks.sort_by(column);
            }
            self.layers.pop();
            return Vec::new();
        }
        match self.panel().opening(self.session()) {
            Some(Opening::Page(subject)) => self.open(subject),
            Some(Opening::Screen(screen)) => self.go(screen),
            Some(Opening::Tasks(filter)) => {
                self.panels.tasks.narrow(filter);
                self.go(Screen::Tasks)
            }
            Some(Opening::Unfold) => {
                self.panels.findings.unfold();
                Vec::new()
            }
            None => {
                if !self.panel().is_empty() {
                    self.say("there is no page for this", at);
                }
                Vec::new()
            }
        }
    }

    /// What the page or the selection is about.
    fn subject(&self) -> Option<RowId> {
        self.panel().subject(self.session())
    }

    /// The lock that the page or the selection is about.
    fn lock(&self) -> Option<ResourceId> {
        match self.subject()? {
            RowId::Task(task) => self.lock_of_task(task),
            RowId::Finding(finding) => self.session().engine().finding(finding).and_then(lock_of),
            _ => None,
        }
    }

    /// The lock that a task holds, or else waits for.
    fn lock_of_task(&self, task: TaskId) -> Option<ResourceId> {
        let model = self.session().model();
        let holds = |lock: &Lock| lock.holds.iter().any(|hold| hold.acquire.task == task);
        let held = model.locks().find(|(_, lock)| holds(lock)).map(|(resource, _)| resource.id);
        held.or_else(|| model.waits_of(task).filter_map(|op| op.resource).find(|&id| model.lock(id).is_some()))
    }

    fn open_lock(&mut self, at: Instant) -> Vec<Effect> {
        let Some(lock) = self.lock() else {
            self.say("there is no lock in this", at);
            return Vec::new();
        };
        self.open(PageSubject::Lock(lock))
    }

    /// The worker that the page or the selection is about.
    fn worker(&self) -> Option<WorkerId> {
        let agent = self.session().model().agent();
        match self.subject()? {
            RowId::Task(task) => {
                let stalled = || agent.stall_of_task(task).and_then(|stall| stall.worker);
                agent.worker_of(task).map(|worker| worker.stats.id).or_else(stalled)
            }
            RowId::Finding(finding) => {
                self.session().engine().finding(finding)?.related.worker.as_ref().map(|worker| worker.id)
            }
            _ => None,
        }
    }

    fn open_worker(&mut self, at: Instant) -> Vec<Effect> {
        let Some(worker) = self.worker() else {
            let agent = self.session().model().agent().speaks();
            let why = if agent {
                "there is no worker in this"
            } else {
                "only holdup's agent tells of workers: see 3 Workers"
            };
            self.say(why, at);
            return Vec::new();
        };
        self.open(PageSubject::Worker(worker))
    }

    /// The lint that the page or the selection is about.
    fn lint(&self) -> Option<&'static Lint> {
        let (model, engine) = (self.session().model(), self.session().engine());
        match self.subject()? {
            RowId::Task(task) => {
                engine.lints_of(model, task).max_by_key(|&(_, severity)| severity).map(|(lint, _)| lint)
            }
            RowId::Finding(finding) => engine.finding(finding).map(|finding| finding.lint),
            _ => None,
        }
    }

    fn explain(&mut self, at: Instant) {
        match self.lint() {
            Some(lint) => self.layers.push(Layer::Explain(lint, Scroll::default())),
            None => self.say("there is no finding here", at),
        }
    }

    fn copy(&mut self, at: Instant) -> Vec<Effect> {
        let session = self.session();
        let text = match self.subject() {
            Some(RowId::Task(task)) => clipboard::task(session, task, self.now(at)),
            Some(RowId::Finding(finding)) => session.engine().finding(finding).map(clipboard::finding),
            _ => None,
        };
        let Some(text) = text else {
            self.say("there is nothing to copy here", at);
            return Vec::new();
        };
        self.say("copied, if the terminal allows it", at);
        vec![Effect::Copy(text)]
    }

    fn freeze(&mut self, at: Instant) -> Vec<Effect> {
        if self.open.missed().is_none() {
            self.open.freeze();
            return if self.past.stop(at) { vec![Effect::Past(Seek::Line)] } else { Vec::new() };
        }
        let epoch = self.epoch();
        let scope = self.open.thaw();
        self.react(scope, epoch, at)
    }

    /// An agent is not paused: what stops is what tokio-console is told, for everyone, and nothing here.
    fn ask_to_pause(&mut self, at: Instant) {
        if !self.can_pause() {
            self.say("an agent is not paused: it tells of changes alone; space freezes the display", at);
            return;
        }
        self.layers.push(Layer::Ask(match self.session().status().temporality {
            Some(Temporality::Paused) => Question::ResumeTarget,
            _ => Question::PauseTarget,
        }));
    }

    fn confirm(&mut self, at: Instant) -> Vec<Effect> {
        let Some(Layer::Ask(question)) = self.layers.pop() else { return Vec::new() };
        let (command, said) = match question {
            Question::PauseTarget => (Command::PauseTarget, "asked the target to pause"),
            Question::ResumeTarget => (Command::ResumeTarget, "asked the target to go on"),
        };
        self.say(said, at);
        vec![Effect::Send(command)]
    }

    fn step(&mut self, by: isize) {
        let most = self.last_frame.scroll_most;
        match self.layers.last_mut() {
            Some(Layer::Help(scroll) | Layer::Explain(_, scroll)) => return scroll.by(by, most),
            Some(Layer::Sort(at)) => *at = at.saturating_add_signed(by).min(sortable().count() - 1),
            Some(Layer::Page(page)) => {
                if let Some(scroll) = page.panel_mut().text() {
                    return scroll.by(by, most);
                }
            }
            Some(Layer::Filter(_) | Layer::Ask(_)) | None => {}
        }
        self.with_list(|list| list.step(by));
    }

    /// Selects the row that was clicked.
    pub(super) fn choose(&mut self, row: RowId) {
        if let (RowId::Line(at), Some(Layer::Sort(selected))) = (row, self.layers.last_mut()) {
            *selected = at;
        }
        self.with_list(|list| list.choose(row));
    }

    /// A page of a list is what was visible of it; of a text, what can be seen without losing the thread.
    fn page_by(&mut self, by: isize) {
        let rows = self.last_frame.window.map_or(10, |window| window.rows).max(1) as isize;
        self.step(by * rows);
    }

    fn first(&mut self) {
        if self.with_list(|list| list.first()).is_none() {
            self.step(-FAR);
        }
    }

    fn last(&mut self) {
        self.step(FAR);
    }

    pub(super) fn wheel(&mut self, by: isize) {
        if self.with_list(|list| list.scroll(by)).is_none() {
            self.step(by);
        }
    }
}

/// The columns that the tasks can be sorted by.
pub fn sortable() -> impl Iterator<Item = TaskColumn> {
    TASK_COLUMNS.iter().map(|spec| spec.column).filter(|column| column.compares() != Compares::Nothing)
}

/// The lock that a finding is about, if any.
fn lock_of(finding: &crate::diagnose::Finding) -> Option<ResourceId> {
    if let Subject::Lock(lock) = &finding.subject {
        return Some(lock.id);
    }
    let of_cycle = finding.related.cycle.iter().find_map(|step| step.waits_for.resource()).map(|resource| resource.id);
    finding.related.lock.as_ref().map(|lock| lock.id).or(of_cycle)
}
