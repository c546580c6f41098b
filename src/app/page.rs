//! The pages about one thing: which there are.

use super::{
    findings::page::FindingPage,
    locks::panel::LockPage,
    panel::{PageSubject, Panel},
    resources::panel::ResourcePage,
    tasks::panel::TaskPage,
    workers::panel::WorkerPage,
};

/// A page about one thing, in place of the screen's list.
#[derive(Debug)]
pub enum Page {
    /// A task.
    Task(TaskPage),
    /// A worker.
    Worker(WorkerPage),
    /// A lock.
    Lock(LockPage),
    /// Another resource.
    Resource(ResourcePage),
    /// A finding.
    Finding(FindingPage),
}

impl Page {
    /// A page that knows nothing yet.
    pub fn new(subject: PageSubject) -> Self {
        match subject {
            PageSubject::Task(id) => Self::Task(TaskPage::new(id)),
            PageSubject::Worker(id) => Self::Worker(WorkerPage::new(id)),
            PageSubject::Lock(id) => Self::Lock(LockPage::new(id)),
            PageSubject::Resource(id) => Self::Resource(ResourcePage::new(id)),
            PageSubject::Finding(id) => Self::Finding(FindingPage::new(id)),
        }
    }

    /// What it is about.
    pub fn subject(&self) -> PageSubject {
        match self {
            Self::Task(page) => PageSubject::Task(page.id),
            Self::Worker(page) => PageSubject::Worker(page.id),
            Self::Lock(page) => PageSubject::Lock(page.id),
            Self::Resource(page) => PageSubject::Resource(page.id),
            Self::Finding(page) => PageSubject::Finding(page.id),
        }
    }

    /// As any panel.
    pub(crate) fn panel(&self) -> &dyn Panel {
        match self {
            Self::Task(page) => page,
            Self::Worker(page) => page,
            Self::Lock(page) => page,
            Self::Resource(page) => page,
            Self::Finding(page) => page,
        }
    }

    /// As any panel.
    pub(crate) fn panel_mut(&mut self) -> &mut dyn Panel {
        match self {
            Self::Task(page) => page,
            Self::Worker(page) => page,
            Self::Lock(page) => page,
            Self::Resource(page) => page,
            Self::Finding(page) => page,
        }
    }
}
