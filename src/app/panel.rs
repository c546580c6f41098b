//! What a screen's list, or a page about one thing, can do. What lies around it (which one is shown, what a key means) is the
//! [`App`](super::App)'s business.

use crate::{
    app::{
        frame::{RowId, Window},
        input::bindings::Context,
        list::cursor::{Cursor, Rows},
        screens::Screen,
        scroll::Scroll,
    },
    diagnose::FindingId,
    model::Model,
    session::{Scope, Session},
    update::{ResourceId, Stamp, TaskId, WorkerId},
};
use std::time::Instant;

/// A list that one can move in.
pub(crate) trait List {
    /// Some rows down, or up where it is negative.
    fn step(&mut self, by: isize);
    /// Moves the window; the selection stays inside it.
    fn scroll(&mut self, by: isize);
    /// To the first row, whichever it is.
    fn first(&mut self);
    /// Takes note of the window that was shown.
    fn shown(&mut self, window: Window);
    /// Selects a row, if it is one of this list's.
    fn choose(&mut self, row: RowId);
    /// Sorts by the column so many to the right, or to the left where it is negative.
    fn step_column(&mut self, by: isize);
    /// Sorts by the column with this number, from the left; by the one that decides already, the other way round.
    fn sort_by_nth(&mut self, column: usize);
    /// Turns the order round.
    fn invert(&mut self);
}

/// What is shown is brought up to date with this.
#[derive(Clone, Copy)]
pub(crate) struct Upkeep<'a> {
    /// The target as it is shown.
    pub session: &'a Session,
    /// The target's clock, where anything is known of it.
    pub now: Option<Stamp>,
    /// This machine's clock.
    pub at: Instant,
}

/// What opening a row leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A page.
    Page(PageSubject),
    /// The tasks that this filter lets through.
    Tasks(String),
    /// A screen.
    Screen(Screen),
    /// The findings that the selected row stands for.
    Unfold,
}

/// A screen's list, or a page about one thing.
pub(crate) trait Panel {
    /// Where the user is, the innermost context first; those that hold everywhere are left out.
    fn contexts(&self) -> &'static [Context];
    /// Whether there is nothing in it that could be opened or copied.
    fn is_empty(&self) -> bool;
    /// Takes note of what an event changed. What the user looks at comes up to date with [`Panel::refresh`].
    fn changed(&mut self, _: &Session, _: Scope) {}
    /// Another process's rows follow: what was selected is gone.
    fn restart(&mut self) {}
    /// Whether so much has changed that it should be refreshed even while nobody looks.
    fn is_behind(&self) -> bool {
        false
    }
    /// Brings it up to date, since it is about to be shown.
    fn refresh(&mut self, upkeep: Upkeep);
    /// The list in it.
    fn list<'a>(&'a mut self, _: &'a Model) -> Option<Box<dyn List + 'a>> {
        None
    }
    /// How far its text is scrolled, where it is one.
    fn text(&mut self) -> Option<&mut Scroll> {
        None
    }
    /// What is selected, or else what all of it is about.
    fn subject(&self, session: &Session) -> Option<RowId>;
    /// What opening the selected row leads to.
    fn opening(&self, session: &Session) -> Option<Opening>;
    /// Takes back what narrows it; whether anything did.
    fn widen(&mut self) -> bool {
        false
    }
}

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageSubject {
    /// A task.
    Task(TaskId),
    /// A worker.
    Worker(WorkerId),
    /// A lock.
    Lock(ResourceId),
    /// A resource.
    Resource(ResourceId),
    /// A finding.
    Finding(FindingId),
}

/// A list without columns to sort by: a cursor, and the rows that it is on.
pub(crate) struct Plain<'a, Id, R: ?Sized> {
    pub cursor: &'a mut Cursor<Id>,
    pub rows: &'a R,
    pub id: fn(RowId) -> Option<Id>,
}

impl<Id: Copy + PartialEq, R: Rows<Id> + ?Sized> List for Plain<'_, Id, R> {
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
    fn choose(&mut self, row: RowId) {
        if let Some(id) = (self.id)(row) {
            self.cursor.choose(id, self.rows);
        }
    }
    fn step_column(&mut self, _: isize) {}
    fn sort_by_nth(&mut self, _: usize) {}
    fn invert(&mut self) {}
}
