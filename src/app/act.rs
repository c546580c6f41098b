//! What each action does.

use super::{
    Action, App, Effect, Layer, Line, RowId, SCREENS, Screen, copy,
    layers::{PageSubject, Question, Scroll},
    task_columns::{Compares, TASK_COLUMNS, TaskColumn},
    task_list::Listing,
};
use crate::{
    diagnose::Subject,
    model::ResourceId,
    wire::{Command, Temporality},
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
            Action::ColumnLeft => self.tasks.step_column(-1),
            Action::ColumnRight => self.tasks.step_column(1),
            Action::Invert => self.tasks.invert(),
            Action::Sort => self.offer_columns(),
            Action::Group => self.tasks.toggle_listing(),
            Action::Filter => self.layers.push(Layer::Filter(Line::new(self.tasks.filter_text()))),
            Action::ClearFilter => {
                self.tasks.set_filter(String::new());
                self.layers.pop();
            }
            Action::OpenLock => return self.open_lock(at),
            Action::OpenTask => {}
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
        if !self.layers.is_empty() {
            return true;
        }
        let rows = match (self.screen, self.tasks.listing) {
            (Screen::Findings, _) => self.findings.len(),
            (Screen::Tasks, Listing::Tasks) => self.tasks.order.len(),
            (Screen::Tasks, Listing::Places) => self.tasks.places.order().len(),
            (Screen::Locks | Screen::Resources, _) => 0,
        };
        match action {
            Action::OpenLock => self.finding().and_then(lock_of).is_some(),
            Action::Up | Action::Open | Action::Explain | Action::Copy => rows > 0,
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
            Listing::Tasks if self.screen == Screen::Tasks => {
                let at = sortable().position(|column| column == self.tasks.order.column()).unwrap_or_default();
                self.layers.push(Layer::Sort(at));
            }
            _ => self.tasks.step_column(1),
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
                Some(Subject::Target) | None => None,
            },
            (Screen::Tasks, Listing::Tasks) => self.tasks.selected(&self.watched.model).map(PageSubject::Task),
            (Screen::Tasks, Listing::Places) => {
                self.narrow();
                None
            }
            (Screen::Locks | Screen::Resources, _) => None,
        };
        subject.map_or_else(Vec::new, |subject| self.open(subject))
    }

    /// From a spawn location to its tasks.
    fn narrow(&mut self) {
        if let Some(place) = self.tasks.selected_place() {
            let filter = format!("loc:\"{}\"", self.watched.model.place(place));
            self.tasks.toggle_listing();
            self.tasks.set_filter(filter);
            self.tasks.cursor.first();
        }
    }

    fn open_lock(&mut self, at: Instant) -> Vec<Effect> {
        let lock = match self.page_subject() {
            Some(PageSubject::Task(task)) => {
                let held =
                    |(_, lock): &(_, &crate::model::Lock)| lock.holds.iter().any(|hold| hold.acquire.task == task);
                let held = self.watched.model.locks().find(held).map(|(resource, _)| resource.id);
                let awaited = self.watched.model.waits_of(task).filter_map(|op| op.resource);
                held.or_else(|| awaited.into_iter().find(|&lock| self.watched.model.lock(lock).is_some()))
            }
            _ => self.finding().and_then(lock_of),
        };
        let Some(lock) = lock else {
            self.say("there is no lock in this", at);
            return Vec::new();
        };
        self.open(PageSubject::Lock(lock))
    }

    fn explain(&mut self, at: Instant) {
        let lint = match self.page_subject() {
            Some(PageSubject::Task(task)) => {
                self.watched.engine.lints_of(task).max_by_key(|&(_, severity)| severity).map(|(lint, _)| lint)
            }
            _ => self.finding().map(|finding| finding.lint),
        };
        match lint {
            Some(lint) => self.layers.push(Layer::Explain(lint, Scroll::default())),
            None => self.say("there is no finding here", at),
        }
    }

    fn copy(&mut self, at: Instant) -> Vec<Effect> {
        let task = match self.page_subject() {
            Some(PageSubject::Task(task)) => Some(task),
            None if self.screen == Screen::Tasks => self.tasks.selected(&self.watched.model),
            _ => None,
        };
        let text = match task {
            Some(task) => copy::task(&self.watched, task, self.now(at)),
            None => self.finding().filter(|_| self.screen == Screen::Findings).map(copy::finding),
        };
        let Some(text) = text else {
            self.say("there is nothing to copy here", at);
            return Vec::new();
        };
        self.say("copied, if the terminal allows it", at);
        vec![Effect::Copy(text)]
    }

    fn freeze(&mut self, at: Instant) -> Vec<Effect> {
        if self.watched.held().is_none() {
            self.watched.freeze();
            return Vec::new();
        }
        let epoch = self.epoch();
        let reaction = self.watched.thaw();
        self.react(reaction, epoch, at)
    }

    fn ask_to_pause(&mut self) {
        self.layers.push(Layer::Ask(match self.watched.temporality {
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
        match self.layers.last_mut() {
            Some(Layer::Help(scroll) | Layer::Explain(_, scroll)) => scroll.by(by, self.seen.scroll_most),
            Some(Layer::Page(page)) => page.scroll.by(by, self.seen.scroll_most),
            Some(Layer::Sort(at)) => *at = at.saturating_add_signed(by).min(sortable().count() - 1),
            Some(Layer::Ask(_)) => {}
            Some(Layer::Filter(_)) | None => self.step_list(by),
        }
    }

    fn step_list(&mut self, by: isize) {
        let rows = super::task_list::TaskRows::new(&self.tasks.order, &self.watched.model);
        match (self.screen, self.tasks.listing) {
            (Screen::Findings, _) => self.finding_cursor.step(by, &self.findings[..]),
            (Screen::Tasks, Listing::Tasks) => self.tasks.cursor.step(by, &rows),
            (Screen::Tasks, Listing::Places) => self.tasks.place_cursor.step(by, self.tasks.places.order()),
            (Screen::Locks | Screen::Resources, _) => {}
        }
    }

    /// A page of a list is what was visible of it; of a text, what can be seen without losing the thread.
    fn page_by(&mut self, by: isize) {
        let rows = self.seen.window.map_or(10, |window| window.rows).max(1) as isize;
        self.step(by * rows);
    }

    fn first(&mut self) {
        if matches!(self.layers.last(), Some(layer) if !matches!(layer, Layer::Filter(_))) {
            return self.step(-FAR);
        }
        match (self.screen, self.tasks.listing) {
            (Screen::Findings, _) => self.finding_cursor.first(),
            (Screen::Tasks, Listing::Tasks) => self.tasks.cursor.first(),
            (Screen::Tasks, Listing::Places) => self.tasks.place_cursor.first(),
            (Screen::Locks | Screen::Resources, _) => {}
        }
    }

    fn last(&mut self) {
        self.step(FAR);
    }

    pub(super) fn wheel(&mut self, by: isize) {
        if matches!(self.layers.last(), Some(layer) if !matches!(layer, Layer::Filter(_))) {
            return self.step(by);
        }
        let rows = super::task_list::TaskRows::new(&self.tasks.order, &self.watched.model);
        match (self.screen, self.tasks.listing) {
            (Screen::Findings, _) => self.finding_cursor.scroll(by, &self.findings[..]),
            (Screen::Tasks, Listing::Tasks) => self.tasks.cursor.scroll(by, &rows),
            (Screen::Tasks, Listing::Places) => self.tasks.place_cursor.scroll(by, self.tasks.places.order()),
            (Screen::Locks | Screen::Resources, _) => {}
        }
    }

    /// Selects the row that was clicked.
    pub(super) fn choose(&mut self, row: RowId) {
        let rows = super::task_list::TaskRows::new(&self.tasks.order, &self.watched.model);
        match row {
            RowId::Finding(id) => self.finding_cursor.choose(id, &self.findings[..]),
            RowId::Task(id) => self.tasks.cursor.choose(id, &rows),
            RowId::Place(id) => self.tasks.place_cursor.choose(id, self.tasks.places.order()),
            RowId::Resource(_) | RowId::Op(_) => {}
            RowId::Line(at) => {
                if let Some(Layer::Sort(selected)) = self.layers.last_mut() {
                    *selected = at;
                }
            }
        }
    }

    pub(super) fn sort_by_nth(&mut self, column: usize) {
        if let Some(spec) = super::places::PLACE_COLUMNS.get(column) {
            if self.tasks.places.column == spec.column {
                self.tasks.invert();
            }
            self.tasks.places.column = spec.column;
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
