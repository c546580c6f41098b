//! Lists that are made anew, as panels: the workers, the locks, the resources; and the lists of a page.

use super::rows::{ListRow, RowList};
use crate::{
    app::{
        frame::{RowId, Window},
        input::bindings::Context,
        panel::{List, Opening, PageSubject, Panel, Upkeep},
    },
    model::{Model, Stamp},
    session::{Scope, Session},
};
use std::time::{Duration, Instant};

/// How long a list that is made anew stays as it was made, if no update comes.
const LISTED: Duration = Duration::from_secs(1);

/// A row that stands for something of which there is a list on a screen of its own.
pub trait ScreenRow: ListRow {
    /// All rows, in any order.
    fn all(model: &Model, now: Stamp) -> Vec<Self>
    where
        Self: Sized;
    /// What its page is about.
    fn page(id: Self::Id, model: &Model) -> PageSubject;
}

/// A screen's list that is made anew after an update, and for the times in it once a second.
#[derive(Debug)]
pub struct ListPanel<R: ListRow> {
    /// The rows.
    pub rows: RowList<R>,
    /// When they were made; `None` since something changed.
    made: Option<Instant>,
}

impl<R: ListRow> Default for ListPanel<R> {
    fn default() -> Self {
        Self { rows: RowList::default(), made: None }
    }
}

impl<R: ScreenRow> Panel for ListPanel<R> {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Table, Context::List]
    }
    fn is_empty(&self) -> bool {
        self.rows.rows().is_empty()
    }
    fn changed(&mut self, _: &Session, scope: Scope) {
        if matches!(scope, Scope::Rows | Scope::Everything) {
            self.made = None;
        }
    }
    fn restart(&mut self) {
        *self = Self::default();
    }
    fn refresh(&mut self, Upkeep { session, now, at }: Upkeep) {
        let fresh = self.made.is_some_and(|made| at.saturating_duration_since(made) < LISTED);
        if let (Some(now), false) = (now, fresh) {
            self.rows.show(R::all(session.model(), now), session.model());
            self.made = Some(at);
        }
    }
    fn list<'a>(&'a mut self, model: &'a Model) -> Option<Box<dyn List + 'a>> {
        Some(Box::new(Sortable { rows: &mut self.rows, model }))
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        self.rows.selected().map(R::row)
    }
    fn opening(&self, session: &Session) -> Option<Opening> {
        self.rows.selected().map(|id| Opening::Page(R::page(id, session.model())))
    }
}

/// A list with columns to sort by.
pub(crate) struct Sortable<'a, R: ListRow> {
    pub rows: &'a mut RowList<R>,
    pub model: &'a Model,
}

impl<R: ListRow> List for Sortable<'_, R> {
    fn step(&mut self, by: isize) {
        self.rows.step(by);
    }
    fn scroll(&mut self, by: isize) {
        self.rows.scroll(by);
    }
    fn first(&mut self) {
        self.rows.cursor.first();
    }
    fn shown(&mut self, window: Window) {
        self.rows.cursor.shown(window);
    }
    fn choose(&mut self, row: RowId) {
        if let Some(id) = R::of_row(row) {
            self.rows.choose(id);
        }
    }
    fn step_column(&mut self, by: isize) {
        self.rows.step_column(by, self.model);
    }
    fn sort_by_nth(&mut self, column: usize) {
        if let Some(spec) = R::COLUMNS.get(column) {
            self.rows.sort_by(spec.column, self.model);
        }
    }
    fn invert(&mut self) {
        self.rows.invert(self.model);
    }
}
