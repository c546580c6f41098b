//! The findings, the worst first.

use crate::{
    app::{
        frame::RowId,
        input::bindings::Context,
        list::cursor::Cursor,
        panel::{List, Opening, PageSubject, Panel, Plain, Upkeep},
        screens::Screen,
    },
    diagnose::{Finding, FindingId, Status, Subject},
    model::Model,
    session::{Scope, Session},
};

/// The findings, and where the user is among them.
#[derive(Debug, Default)]
pub struct FindingList {
    /// The worst first.
    pub ids: Vec<FindingId>,
    /// Where the user is.
    pub cursor: Cursor<FindingId>,
    /// How often the engine's order had changed when they were listed.
    reordered: u64,
}

impl FindingList {
    /// The selected finding.
    pub fn selected<'a>(&self, session: &'a Session) -> Option<&'a Finding> {
        session.engine().finding(self.cursor.selected(&self.ids[..])?)
    }

    /// Those around the window.
    pub fn visible(&self) -> impl Iterator<Item = FindingId> {
        self.ids.get(self.cursor.around(0, self.ids.len())).unwrap_or_default().iter().copied()
    }

    /// How many of them are over.
    pub fn past(&self, session: &Session) -> usize {
        let is_past =
            |id: &&FindingId| session.engine().finding(**id).is_some_and(|finding| finding.status == Status::Past);
        self.ids.iter().filter(is_past).count()
    }
}

impl Panel for FindingList {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Findings, Context::List]
    }
    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    fn changed(&mut self, session: &Session, scope: Scope) {
        if matches!(scope, Scope::Rows | Scope::Everything) {
            // As long as nothing moved, the list stands as it is.
            if scope == Scope::Everything || self.reordered != session.engine().reordered() {
                self.reordered = session.engine().reordered();
                self.ids = session.engine().findings().map(|finding| finding.id).collect();
            }
            self.cursor.follow(&self.ids[..]);
        }
    }
    fn refresh(&mut self, _: Upkeep) {}
    fn list<'a>(&'a mut self, _: &'a Model) -> Option<Box<dyn List + 'a>> {
        let id = |row| if let RowId::Finding(id) = row { Some(id) } else { None };
        Some(Box::new(Plain { cursor: &mut self.cursor, rows: &self.ids[..], id }))
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        self.cursor.selected(&self.ids[..]).map(RowId::Finding)
    }
    fn opening(&self, session: &Session) -> Option<Opening> {
        Some(match &self.selected(session)?.subject {
            Subject::Task(task) => Opening::Page(PageSubject::Task(task.id)),
            Subject::Lock(lock) => Opening::Page(PageSubject::Lock(lock.id)),
            Subject::Place(place) => Opening::Tasks(format!("loc=\"{place}\"")),
            Subject::Runtime(_) => Opening::Screen(Screen::Workers),
            Subject::Target => return None,
        })
    }
}
