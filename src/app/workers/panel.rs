//! A worker's page, as a panel; and what a row of the workers' list leads to.

use super::{
    list::{WorkerRow, worker_rows},
    page::WorkerDetail,
};
use crate::{
    app::{
        frame::RowId,
        input::bindings::Context,
        list::panel::ScreenRow,
        panel::{Opening, PageSubject, Panel, Upkeep},
        scroll::Scroll,
    },
    model::Model,
    session::Session,
    update::{Stamp, WorkerId},
};

impl ScreenRow for WorkerRow {
    fn all(model: &Model, now: Stamp) -> Vec<Self> {
        worker_rows(model, now)
    }
    fn page(id: WorkerId, _: &Model) -> PageSubject {
        PageSubject::Worker(id)
    }
}

/// The page of a worker.
#[derive(Debug)]
pub struct WorkerPage {
    /// Which.
    pub id: WorkerId,
    /// What is known of it, or was last.
    pub detail: Option<Box<WorkerDetail>>,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

impl WorkerPage {
    pub(crate) fn new(id: WorkerId) -> Self {
        Self { id, detail: None, scroll: Scroll::default() }
    }
}

impl Panel for WorkerPage {
    fn contexts(&self) -> &'static [Context] {
        &[Context::WorkerPage, Context::Page, Context::Text]
    }
    fn is_empty(&self) -> bool {
        self.detail.as_ref().is_none_or(|detail| detail.row.task.is_none())
    }
    fn refresh(&mut self, upkeep: Upkeep) {
        // Of a worker that is gone, what was last known stays.
        if let Some(fresh) = upkeep.now.and_then(|now| WorkerDetail::of(upkeep.session, self.id, now)) {
            self.detail = Some(Box::new(fresh));
        }
    }
    fn text(&mut self) -> Option<&mut Scroll> {
        Some(&mut self.scroll)
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        Some(RowId::Worker(self.id))
    }
    fn opening(&self, _: &Session) -> Option<Opening> {
        self.detail.as_ref()?.row.task.map(|task| Opening::Page(PageSubject::Task(task)))
    }
}
