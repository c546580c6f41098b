//! What each action does.

use crate::{
    app::{
        clipboard,
        input::{bindings::Action, event::Effect, line::Line},
        layer::{Body, Layer, Page, PageSubject, Question, Scroll},
        screens::{SCREENS, Screen},
        state::App,
        tasks::{
            columns::{Compares, TASK_COLUMNS, TaskColumn},
            list::Listing,
        },
    },
    diagnose::{Lint, Subject},
    model::{Lock, OpId, ResourceId, TaskId, WorkerId},
    update::{Command, Temporality},
};
use std::time::Instant;

/// How far it goes to the end of a text.
const FAR: isize = isize::MAX / 2;

impl App {
    pub(super) fn act(&mut self, action: Action, at: Instant) -> Vec<Effect> {
        match action {
            Action::Quit => return vec![Effect::Quit],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Back => return self.back(),
            Action::Help => self.layers.push(Layer::Help(Scroll::default())),
            Action::Go(screen) => return self.go(screen),
            Action::GoNumber(number) => {
                return SCREENS.get(usize::from(number) - 1).map_or_else(Vec::new, |&screen| self.go(screen));
            }
            Action::NextScreen => return self.go(self.screen.offset(1)),
            Action::PreviousScreen => return self.go(self.screen.offset(-1)),
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.page_by(-1),
            Action::PageDown => self.page_by(1),
            Action::First => self.first(),
            Action::Last => self.last(),
            Action::Open => return self.open_selected(),
            Action::ColumnLeft => self.step_column(-1),
            Action::ColumnRight => self.step_column(1),
            Action::Invert => self.invert(),
            Action::Sort => self.offer_columns(),
            Action::Group => self.tasks.toggle_listing(),
            Action::Filter => self.layers.push(Layer::Filter(Line::new(self.tasks.filter_text()))),
            Action::ClearFilter => {
                self.tasks.set_filter(String::new());
                self.layers.pop();
            }
            Action::OpenLock => return self.open_lock(at),
            Action::OpenWorker => return self.open_worker(at),
            Action::Explain => self.explain(at),
            Action::Copy => return self.copy(at),
            Action::Freeze => return self.freeze(at),
            Action::PauseTarget => self.ask_to_pause(),
            Action::Retry => return vec![Effect::Send(Command::RetryNow)],
            Action::Confirm => return self.confirm(at),
            Action::Accept => self.accept(),
            _ => self.edit(action),
        }
        Vec::new()
    }

    /// Whether an action would do anything, so that only then it is offered. It may be asked for all the same.
    pub fn can(&self, action: Action) -> bool {
        let something = match self.layers.last() {
            Some(Layer::Page(page)) => match &page.body {
                Body::Task(detail) => detail.is_some(),
                Body::Worker(detail) => detail.as_ref().is_some_and(|detail| detail.row.task.is_some()),
                Body::Lock { people, .. } => !people.rows().is_empty(),
                Body::Resource { ops, .. } => !ops.rows().is_empty(),
            },
            Some(_) => true,
            None => match (self.screen, self.tasks.listing) {
                (Screen::Findings, _) => !self.findings.is_empty(),
                (Screen::Tasks, Listing::Tasks) => !self.tasks.order.is_empty(),
                (Screen::Tasks, Listing::Places) => !self.tasks.places.order().is_empty(),
                (Screen::Workers, _) => !self.workers.rows().is_empty(),
                (Screen::Locks, _) => !self.locks.rows().is_empty(),
                (Screen::Resources, _) => !self.resources.rows().is_empty(),
            },
        };
        match action {
            Action::OpenLock => self.lock().is_some(),
            Action::OpenWorker => self.worker().is_some(),
            Action::Explain => self.lint().is_some(),
            Action::Up if matches!(self.page_subject(), Some(PageSubject::Worker(_))) => true,
            Action::Up | Action::Open | Action::Copy => something,
            _ => true,
        }
    }

    fn back(&mut self) -> Vec<Effect> {
        match self.layers.pop() {
            Some(Layer::Page(_)) => return self.watch(),
            None if self.screen == Screen::Tasks && !self.tasks.filter_text().is_empty() => {
                self.tasks.set_filter(String::new());
            }
            _ => {}
        }
        Vec::new()
    }

    fn edit(&mut self, action: Action) {
        let Some(Layer::Filter(line)) = self.layers.last_mut() else { return };
        match action {
            Action::DeleteLeft => line.delete_left(),
            Action::DeleteRight => line.delete_right(),
            Action::DeleteWord => line.delete_word(),
            Action::DeleteAll => line.delete_all(),
            Action::CursorLeft => line.left(),
            Action::CursorRight => line.right(),
            Action::CursorStart => line.start(),
            Action::CursorEnd => line.end(),
            _ => {}
        }
        self.apply_filter();
    }

    /// A filter that cannot be read stays open, with the reason.
    fn accept(&mut self) {
        if self.tasks.filter_error().is_none() {
            self.layers.pop();
        }
    }

    fn offer_columns(&mut self) {
        match self.tasks.listing {
            Listing::Tasks if self.screen == Screen::Tasks && self.layers.is_empty() => {
                let at = sortable().position(|column| column == self.tasks.order.column()).unwrap_or_default();
                self.layers.push(Layer::Sort(at));
            }
            _ => self.step_column(1),
        }
    }

    fn open_selected(&mut self) -> Vec<Effect> {
        if let Some(&Layer::Sort(at)) = self.layers.last() {
            if let Some(column) = sortable().nth(at).filter(|&column| column != self.tasks.order.column()) {
                self.tasks.sort_by(column);
            }
            self.layers.pop();
            return Vec::new();
        }
        let subject = match self.layers.last() {
            Some(Layer::Page(page)) => match &page.body {
                Body::Task(_) => None,
                Body::Worker(detail) => detail.as_ref().and_then(|detail| detail.row.task),
                Body::Lock { people, .. } => {
                    let selected = people.selected();
                    let person = people.rows().iter().find(|row| Some(row.op) == selected);
                    person.map(|row| row.task).filter(|&task| task != TaskId::NONE)
                }
                Body::Resource { ops, .. } => self.task_of(ops.selected()),
            }
            .map(PageSubject::Task),
            _ => return self.open_row(),
        };
        subject.map_or_else(Vec::new, |subject| self.open(subject))
    }

    /// The task that polled an operation last.
    fn task_of(&self, op: Option<OpId>) -> Option<TaskId> {
        self.open.shown().model().ops().get(op?)?.task
    }

    fn open_row(&mut self) -> Vec<Effect> {
        let subject = match (self.screen, self.tasks.listing) {
            (Screen::Findings, _) => match self.finding().map(|finding| &finding.subject) {
                Some(Subject::Task(task)) => Some(PageSubject::Task(task.id)),
                Some(Subject::Lock(lock)) => Some(PageSubject::Lock(lock.id)),
                Some(Subject::Place(place)) => {
                    let filter = format!("loc:\"{place}\"");
                    self.tasks.listing = Listing::Tasks;
                    self.tasks.set_filter(filter);
                    return self.go(Screen::Tasks);
                }
                Some(Subject::Runtime(_)) => return self.go(Screen::Workers),
                Some(Subject::Target) | None => None,
            },
            (Screen::Tasks, Listing::Tasks) => self.tasks.selected(self.open.shown().model()).map(PageSubject::Task),
            (Screen::Tasks, Listing::Places) => {
                self.narrow();
                None
            }
            (Screen::Workers, _) => self.workers.selected().map(PageSubject::Worker),
            (Screen::Locks, _) => self.locks.selected().map(PageSubject::Lock),
            (Screen::Resources, _) => self.resources.selected().map(|id| self.resource_page(id)),
        };
        subject.map_or_else(Vec::new, |subject| self.open(subject))
    }

    /// From a spawn location to its tasks.
    fn narrow(&mut self) {
        if let Some(place) = self.tasks.selected_place() {
            let filter = format!("loc:\"{}\"", self.open.shown().model().place(place));
            self.tasks.toggle_listing();
            self.tasks.set_filter(filter);
            self.tasks.cursor.first();
        }
    }

    /// A lock has a page of its own.
    fn resource_page(&self, id: ResourceId) -> PageSubject {
        match self.open.shown().model().lock(id) {
            Some(_) => PageSubject::Lock(id),
            None => PageSubject::Resource(id),
        }
    }

    /// The lock that the page or the selection is about.
    fn lock(&self) -> Option<ResourceId> {
        match (self.page_subject(), self.screen) {
            (Some(PageSubject::Task(task)), _) => self.lock_of_task(task),
            (None, Screen::Findings) => self.finding().and_then(lock_of),
            (None, Screen::Tasks) => self.lock_of_task(self.tasks.selected(self.open.shown().model())?),
            _ => None,
        }
    }

    /// The lock that a task holds, or else waits for.
    fn lock_of_task(&self, task: TaskId) -> Option<ResourceId> {
        let model = self.open.shown().model();
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
        let agent = self.open.shown().model().agent();
        match (self.page_subject(), self.screen) {
            (Some(PageSubject::Task(task)), _) => {
                let stalled = || agent.stall_of_task(task).and_then(|stall| stall.worker);
                agent.worker_of(task).map(|worker| worker.stats.id).or_else(stalled)
            }
            (None, Screen::Findings) => self.finding()?.related.worker.as_ref().map(|worker| worker.id),
            _ => None,
        }
    }

    fn open_worker(&mut self, at: Instant) -> Vec<Effect> {
        let Some(worker) = self.worker() else {
            let agent = self.open.shown().model().agent().speaks();
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
        match (self.page_subject(), self.screen) {
            (Some(PageSubject::Task(task)), _) => {
                self.open.shown().engine().lints_of(task).max_by_key(|&(_, severity)| severity).map(|(lint, _)| lint)
            }
            (None, Screen::Findings) => self.finding().map(|finding| finding.lint),
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
        let task = match self.page_subject() {
            Some(PageSubject::Task(task)) => Some(task),
            None if self.screen == Screen::Tasks => self.tasks.selected(self.open.shown().model()),
            _ => None,
        };
        let text = match task {
            Some(task) => clipboard::task(self.open.shown(), task, self.now(at)),
            None => self.finding().filter(|_| self.screen == Screen::Findings).map(clipboard::finding),
        };
        let Some(text) = text else {
            self.say("there is nothing to copy here", at);
            return Vec::new();
        };
        self.say("copied, if the terminal allows it", at);
        vec![Effect::Copy(text)]
    }

    fn freeze(&mut self, at: Instant) -> Vec<Effect> {
        if self.open.held().is_none() {
            self.open.freeze();
            return Vec::new();
        }
        let epoch = self.epoch();
        let scope = self.open.thaw();
        self.react(scope, epoch, at)
    }

    fn ask_to_pause(&mut self) {
        self.layers.push(Layer::Ask(match self.open.shown().status().temporality {
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
        let most = self.seen.scroll_most;
        match self.layers.last_mut() {
            Some(
                Layer::Help(scroll)
                | Layer::Explain(_, scroll)
                | Layer::Page(Page { body: Body::Task(_) | Body::Worker(_), scroll, .. }),
            ) => scroll.by(by, most),
            Some(Layer::Sort(at)) => *at = at.saturating_add_signed(by).min(sortable().count() - 1),
            _ => drop(self.with_list(|list| list.step(by))),
        }
    }

    /// A page of a list is what was visible of it; of a text, what can be seen without losing the thread.
    fn page_by(&mut self, by: isize) {
        let rows = self.seen.window.map_or(10, |window| window.rows).max(1) as isize;
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
    let of_cycle = finding.related.cycle.first().map(|step| step.waits_for.id);
    finding.related.lock.as_ref().map(|lock| lock.id).or(of_cycle)
}
