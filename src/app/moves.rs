//! Moving in whichever list the user is in, and sorting it.

use crate::{
    app::{
        frame::{RowId, Window},
        layer::{Body, Layer, Page},
        list::{
            cursor::{Cursor, Rows},
            rows::{ListRow, RowList},
        },
        screens::Screen,
        state::App,
        tasks::{
            groups::PLACE_COLUMNS,
            list::{Listing, TaskList, TaskRows},
        },
    },
    model::Model,
};

/// A list that one can move in.
pub(super) trait Moves {
    /// Some rows down, or up where it is negative.
    fn step(&mut self, by: isize);
    /// Moves the window; the selection stays inside it.
    fn scroll(&mut self, by: isize);
    /// To the first row, whichever it is.
    fn first(&mut self);
    /// Takes note of the window that was shown.
    fn shown(&mut self, window: Window);
}

/// A cursor, and the rows that it is on.
struct On<'a, Id, R: ?Sized> {
    cursor: &'a mut Cursor<Id>,
    rows: &'a R,
}

impl<Id: Copy + PartialEq, R: Rows<Id> + ?Sized> Moves for On<'_, Id, R> {
    fn step(&mut self, by: isize) {
        self.cursor.step(by, self.rows);
    }
    fn scroll(&mut self, by: isize) {
        self.cursor.scroll(by, self.rows);
    }
    fn first(&mut self) {
        self.cursor.first();
    }
    fn shown(&mut self, window: Window) {
        self.cursor.shown(window);
    }
}

/// The task list: it is sorted first where one goes.
struct InTasks<'a> {
    tasks: &'a mut TaskList,
    model: &'a Model,
}

impl Moves for InTasks<'_> {
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
}

impl<R: ListRow> Moves for RowList<R> {
    fn step(&mut self, by: isize) {
        RowList::step(self, by);
    }
    fn scroll(&mut self, by: isize) {
        RowList::scroll(self, by);
    }
    fn first(&mut self) {
        self.cursor.first();
    }
    fn shown(&mut self, window: Window) {
        self.cursor.shown(window);
    }
}

impl App {
    /// Does something with the list that keys move in: the page's, if one is on top, or else the screen's. A text, a menu
    /// or a question on top has none.
    pub(super) fn with_list<T>(&mut self, act: impl FnOnce(&mut dyn Moves) -> T) -> Option<T> {
        match self.layers.last_mut() {
            Some(Layer::Page(Page { body: Body::Lock { people, .. }, .. })) => return Some(act(people)),
            Some(Layer::Page(Page { body: Body::Resource { ops, .. }, .. })) => return Some(act(ops)),
            Some(Layer::Filter(_)) | None => {}
            Some(_) => return None,
        }
        let tasks = &mut self.tasks;
        Some(match (self.screen, tasks.listing) {
            (Screen::Findings, _) => act(&mut On { cursor: &mut self.finding_cursor, rows: &self.findings[..] }),
            (Screen::Tasks, Listing::Tasks) => act(&mut InTasks { tasks, model: self.open.shown().model() }),
            (Screen::Tasks, Listing::Places) => {
                act(&mut On { cursor: &mut tasks.place_cursor, rows: tasks.places.order() })
            }
            (Screen::Workers, _) => act(&mut self.workers),
            (Screen::Locks, _) => act(&mut self.locks),
            (Screen::Resources, _) => act(&mut self.resources),
        })
    }

    /// Selects the row that was clicked.
    pub(super) fn choose(&mut self, row: RowId) {
        match (row, self.layers.last_mut()) {
            (RowId::Line(at), Some(Layer::Sort(selected))) => *selected = at,
            (RowId::Op(op), Some(Layer::Page(page))) => match &mut page.body {
                Body::Lock { people, .. } => people.choose(op),
                Body::Resource { ops, .. } => ops.choose(op),
                Body::Task(_) | Body::Worker(_) => {}
            },
            (RowId::Finding(id), _) => self.finding_cursor.choose(id, &self.findings[..]),
            (RowId::Task(id), _) => {
                let rows = TaskRows::new(&self.tasks.order, self.open.shown().model());
                self.tasks.cursor.choose(id, &rows);
            }
            (RowId::Place(id), _) => self.tasks.place_cursor.choose(id, self.tasks.places.order()),
            (RowId::Worker(id), _) => self.workers.choose(id),
            (RowId::Resource(id), _) => match self.screen {
                Screen::Locks => self.locks.choose(id),
                _ => self.resources.choose(id),
            },
            (RowId::Line(_) | RowId::Op(_), _) => {}
        }
    }

    /// Sorts the list where the user is by the column so many to the right.
    pub(super) fn step_column(&mut self, by: isize) {
        let model = self.open.shown().model();
        match self.layers.last_mut() {
            Some(Layer::Page(Page { body: Body::Lock { people, .. }, .. })) => people.step_column(by, model),
            Some(Layer::Page(Page { body: Body::Resource { ops, .. }, .. })) => ops.step_column(by, model),
            _ => match self.screen {
                Screen::Findings => {}
                Screen::Tasks => self.tasks.step_column(by),
                Screen::Workers => self.workers.step_column(by, model),
                Screen::Locks => self.locks.step_column(by, model),
                Screen::Resources => self.resources.step_column(by, model),
            },
        }
    }

    /// Turns the order of the list where the user is around.
    pub(super) fn invert(&mut self) {
        let model = self.open.shown().model();
        match self.layers.last_mut() {
            Some(Layer::Page(Page { body: Body::Lock { people, .. }, .. })) => people.invert(model),
            Some(Layer::Page(Page { body: Body::Resource { ops, .. }, .. })) => ops.invert(model),
            _ => match self.screen {
                Screen::Findings => {}
                Screen::Tasks => self.tasks.invert(),
                Screen::Workers => self.workers.invert(model),
                Screen::Locks => self.locks.invert(model),
                Screen::Resources => self.resources.invert(model),
            },
        }
    }

    /// Sorts by the column whose head was clicked.
    pub(super) fn sort_by_nth(&mut self, column: usize) {
        let model = self.open.shown().model();
        match self.layers.last_mut() {
            Some(Layer::Page(Page { body: Body::Lock { people, .. }, .. })) => sort_nth(people, column, model),
            Some(Layer::Page(Page { body: Body::Resource { ops, .. }, .. })) => sort_nth(ops, column, model),
            _ => match self.screen {
                Screen::Workers => sort_nth(&mut self.workers, column, model),
                Screen::Locks => sort_nth(&mut self.locks, column, model),
                Screen::Resources => sort_nth(&mut self.resources, column, model),
                Screen::Findings | Screen::Tasks => {
                    if let Some(spec) = PLACE_COLUMNS.get(column) {
                        self.tasks.sort_places_by(spec.column);
                    }
                }
            },
        }
    }
}

fn sort_nth<R: ListRow>(list: &mut RowList<R>, column: usize, model: &Model) {
    if let Some(spec) = R::COLUMNS.get(column) {
        list.sort_by(spec.column, model);
    }
}
