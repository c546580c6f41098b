//! A resource's page, as a panel; and what a row of the resources' list leads to.

use super::list::{OpRow, ResourceDetail, ResourceRow, op_rows, resource_rows};
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
    update::{ResourceId, Stamp},
};

impl ScreenRow for ResourceRow {
    fn all(model: &Model, now: Stamp) -> Vec<Self> {
        resource_rows(model, now)
    }
    /// A lock has a page of its own.
    fn page(id: ResourceId, model: &Model) -> PageSubject {
        match model.lock(id) {
            Some(_) => PageSubject::Lock(id),
            None => PageSubject::Resource(id),
        }
    }
}

/// The page of a resource.
#[derive(Debug)]
pub struct ResourcePage {
    /// Which.
    pub id: ResourceId,
    /// What is known of it.
    pub detail: Option<Box<ResourceDetail>>,
    /// The operations on it.
    pub ops: RowList<OpRow>,
}

impl ResourcePage {
    pub(crate) fn new(id: ResourceId) -> Self {
        Self { id, detail: None, ops: RowList::default() }
    }
}

impl Panel for ResourcePage {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Page, Context::Table, Context::List]
    }
    fn is_empty(&self) -> bool {
        self.ops.rows().is_empty()
    }
    fn refresh(&mut self, upkeep: Upkeep) {
        let Some(now) = upkeep.now else { return };
        let model = upkeep.session.model();
        self.detail = ResourceDetail::of(model, self.id, now).map(Box::new);
        self.ops.show(op_rows(model, self.id, now), model);
    }
    fn list<'a>(&'a mut self, model: &'a Model) -> Option<Box<dyn List + 'a>> {
        Some(Box::new(Sortable { rows: &mut self.ops, model }))
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        Some(RowId::Resource(self.id))
    }
    /// The task that polled the selected operation last.
    fn opening(&self, session: &Session) -> Option<Opening> {
        let task = session.model().ops().get(self.ops.selected()?)?.task?;
        Some(Opening::Page(PageSubject::Task(task)))
    }
}
