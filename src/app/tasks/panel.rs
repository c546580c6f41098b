//! The task list and a task's page, as panels.

use super::{
    groups::{GROUP_COLUMNS, GroupKey},
    list::{Listing, TaskList},
    page::TaskDetail,
};
use crate::{
    app::{
        frame::{RowId, Window},
        input::bindings::Context,
        panel::{List, Opening, PageSubject, Panel, Upkeep},
        scroll::Scroll,
    },
    model::{Model, PlaceId},
    session::{Scope, Session},
    update::TaskId,
};

impl Panel for TaskList {
    fn contexts(&self) -> &'static [Context] {
        match self.listing {
            Listing::Tasks => &[Context::Tasks, Context::Table, Context::List],
            Listing::Groups => &[Context::Groups, Context::Table, Context::List],
        }
    }
    fn is_empty(&self) -> bool {
        match self.listing {
            Listing::Tasks => self.order.is_empty(),
            Listing::Groups => self.groups.order().is_empty(),
        }
    }
    fn changed(&mut self, session: &Session, scope: Scope) {
        match scope {
            Scope::Nothing | Scope::Status => {}
            Scope::Rows => self.note(session),
            Scope::Everything => self.reload(),
        }
    }
    fn restart(&mut self) {
        TaskList::restart(self);
    }
    fn is_behind(&self) -> bool {
        TaskList::is_behind(self)
    }
    fn refresh(&mut self, upkeep: Upkeep) {
        self.settle(upkeep.session);
    }
    fn list<'a>(&'a mut self, model: &'a Model) -> Option<Box<dyn List + 'a>> {
        Some(match self.listing {
            Listing::Tasks => Box::new(InTasks { tasks: self, model }),
            Listing::Groups => Box::new(InGroups(self)),
        })
    }
    fn subject(&self, session: &Session) -> Option<RowId> {
        match self.listing {
            Listing::Tasks => self.selected(session.model()).map(RowId::Task),
            Listing::Groups => self.selected_group().map(RowId::Group),
        }
    }
    fn opening(&self, session: &Session) -> Option<Opening> {
        match self.subject(session)? {
            RowId::Task(task) => Some(Opening::Page(PageSubject::Task(task))),
            RowId::Group(GroupKey::Place(place)) => Some(Opening::Tasks(filter_of(session.model(), place))),
            RowId::Group(GroupKey::Chain(Some(chain))) => Some(Opening::Tasks(format!("chain:{chain}"))),
            RowId::Group(GroupKey::Chain(None)) => Some(Opening::Tasks("chain:none".into())),
            RowId::Group(key @ GroupKey::Awaits(_)) => {
                let words = key.in_words(session.model()).replace('"', "");
                Some(Opening::Tasks(format!("awaits:\"{words}\"")))
            }
            _ => None,
        }
    }
    fn widen(&mut self) -> bool {
        let narrow = !self.filter_text().is_empty();
        if narrow {
            self.set_filter(String::new());
        }
        narrow
    }
}

/// What lets the tasks of one spawn location through, and no others.
fn filter_of(model: &Model, id: PlaceId) -> String {
    let place = model.place(id);
    let mut others = (0..model.places()).map(PlaceId::from_index).filter(|&other| other != id);
    // A line that spawns twice needs the column as well.
    if others.any(|other| model.place(other).to_string() == place.to_string()) {
        return format!("loc=\"{place}:{}\"", place.column);
    }
    format!("loc=\"{place}\"")
}

/// The tasks: sorted first where one goes.
struct InTasks<'a> {
    tasks: &'a mut TaskList,
    model: &'a Model,
}

impl List for InTasks<'_> {
    fn step(&mut self, by: isize) {
        self.tasks.step(by, self.model);
    }
    fn scroll(&mut self, by: isize) {
        self.tasks.scroll(by, self.model);
    }
    fn first(&mut self) {
        self.tasks.cursor.first();
    }
    fn shown(&mut self, window: Window) {
        self.tasks.cursor.shown(window);
    }
    fn choose(&mut self, row: RowId) {
        if let RowId::Task(id) = row {
            self.tasks.choose(id, self.model);
        }
    }
    fn step_column(&mut self, by: isize) {
        self.tasks.step_column(by);
    }
    /// Its heads name their columns.
    fn sort_by_nth(&mut self, _: usize) {}
    fn invert(&mut self) {
        self.tasks.invert();
    }
}

/// The spawn locations.
struct InGroups<'a>(&'a mut TaskList);

impl List for InGroups<'_> {
    fn step(&mut self, by: isize) {
        self.0.group_cursor.step(by, self.0.groups.order());
    }
    fn scroll(&mut self, by: isize) {
        self.0.group_cursor.scroll(by, self.0.groups.order());
    }
    fn first(&mut self) {
        self.0.group_cursor.first();
    }
    fn shown(&mut self, window: Window) {
        self.0.group_cursor.shown(window);
    }
    fn choose(&mut self, row: RowId) {
        if let RowId::Group(id) = row {
            self.0.group_cursor.choose(id, self.0.groups.order());
        }
    }
    fn step_column(&mut self, by: isize) {
        self.0.step_column(by);
    }
    fn sort_by_nth(&mut self, column: usize) {
        if let Some(spec) = GROUP_COLUMNS.get(column) {
            self.0.sort_groups_by(spec.column);
        }
    }
    fn invert(&mut self) {
        self.0.invert();
    }
}

/// The page of a task.
#[derive(Debug)]
pub struct TaskPage {
    /// Which.
    pub id: TaskId,
    /// What is known of it, or was last.
    pub detail: Option<Box<TaskDetail>>,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

impl TaskPage {
    pub(crate) fn new(id: TaskId) -> Self {
        Self { id, detail: None, scroll: Scroll::default() }
    }
}

impl Panel for TaskPage {
    fn contexts(&self) -> &'static [Context] {
        &[Context::TaskPage, Context::Page, Context::Text]
    }
    fn is_empty(&self) -> bool {
        self.detail.is_none()
    }
    fn refresh(&mut self, upkeep: Upkeep) {
        let Some(now) = upkeep.now else { return };
        let before = self.detail.take().map(|detail| *detail);
        self.detail = TaskDetail::refresh(before, upkeep.session, self.id, now).map(Box::new);
    }
    fn text(&mut self) -> Option<&mut Scroll> {
        Some(&mut self.scroll)
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        Some(RowId::Task(self.id))
    }
    fn opening(&self, _: &Session) -> Option<Opening> {
        None
    }
}
