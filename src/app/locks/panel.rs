//! A lock's page, as a panel; and what a row of the locks' list leads to.

use super::{
    list::{LockRow, lock_rows},
    page::{LockDetail, LockUserRow, lock_users},
};
use crate::{
    app::{
        frame::RowId,
        input::bindings::Context,
        list::{
            panel::{ScreenRow, Sortable},
            rows::RowList,
        },
        panel::{List, Opening, PageSubject, Panel, Upkeep},
    },
    model::Model,
    session::Session,
    update::{ResourceId, Stamp, TaskId},
};

impl ScreenRow for LockRow {
    fn all(model: &Model, now: Stamp) -> Vec<Self> {
        lock_rows(model, now)
    }
    fn page(id: ResourceId, _: &Model) -> PageSubject {
        PageSubject::Lock(id)
    }
}

/// The page of a lock.
#[derive(Debug)]
pub struct LockPage {
    /// Which.
    pub id: ResourceId,
    /// What is known of it.
    pub detail: Option<Box<LockDetail>>,
    /// Who holds it, and who waits for it.
    pub users: RowList<LockUserRow>,
}

impl LockPage {
    pub(crate) fn new(id: ResourceId) -> Self {
        Self { id, detail: None, users: RowList::default() }
    }
}

impl Panel for LockPage {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Page, Context::Table, Context::List]
    }
    fn is_empty(&self) -> bool {
        self.users.rows().is_empty()
    }
    fn refresh(&mut self, upkeep: Upkeep) {
        let Some(now) = upkeep.now else { return };
        let model = upkeep.session.model();
        self.detail = LockDetail::of(upkeep.session, self.id, now).map(Box::new);
        self.users.show(lock_users(model, self.id, now), model);
    }
    fn list<'a>(&'a mut self, model: &'a Model) -> Option<Box<dyn List + 'a>> {
        Some(Box::new(Sortable { rows: &mut self.users, model }))
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        Some(RowId::Resource(self.id))
    }
    fn opening(&self, _: &Session) -> Option<Opening> {
        let selected = self.users.selected();
        let user = self.users.rows().iter().find(|row| Some(row.op) == selected)?;
        (user.task != TaskId::NONE).then_some(Opening::Page(PageSubject::Task(user.task)))
    }
}
