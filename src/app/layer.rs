//! What lies on top of the screens: pages, texts, questions. The topmost layer gets the keys.

use crate::{
    app::{
        input::{bindings::Place, line::Line},
        list::rows::RowList,
        locks::page::{LockDetail, PersonRow, lock_people},
        resources::list::{OpRow, ResourceDetail, op_rows},
        tasks::page::TaskDetail,
        workers::page::WorkerDetail,
    },
    diagnose::Lint,
    model::{ResourceId, Stamp, TaskId, WorkerId},
    session::Session,
};

/// One layer.
#[derive(Debug)]
pub enum Layer {
    /// A page about one thing, in place of the screen's list.
    Page(Page),
    /// Every key.
    Help(Scroll),
    /// What a lint means.
    Explain(&'static Lint, Scroll),
    /// A filter is being typed; what was in force before stands beside it.
    Filter(Line),
    /// The columns to sort by, and which one is selected.
    Sort(usize),
    /// A question.
    Ask(Question),
}

/// A page about one thing.
#[derive(Debug)]
pub struct Page {
    /// The thing.
    pub subject: PageSubject,
    /// How far its text is scrolled.
    pub scroll: Scroll,
    /// What it shows.
    pub body: Body,
}

/// What a page shows, as of the latest [`App::prepare`](crate::app::state::App::prepare). What is `None` is not known, or no longer.
#[derive(Debug)]
pub enum Body {
    /// A task.
    Task(Option<Box<TaskDetail>>),
    /// A worker.
    Worker(Option<Box<WorkerDetail>>),
    /// A lock.
    Lock {
        /// What is known of it.
        detail: Option<Box<LockDetail>>,
        /// Who holds it, and who waits for it.
        people: RowList<PersonRow>,
    },
    /// Another resource.
    Resource {
        /// What is known of it.
        detail: Option<Box<ResourceDetail>>,
        /// The operations on it.
        ops: RowList<OpRow>,
    },
}

impl Page {
    /// A page that knows nothing yet.
    pub fn new(subject: PageSubject) -> Self {
        let body = match subject {
            PageSubject::Task(_) => Body::Task(None),
            PageSubject::Worker(_) => Body::Worker(None),
            PageSubject::Lock(_) => Body::Lock { detail: None, people: RowList::default() },
            PageSubject::Resource(_) => Body::Resource { detail: None, ops: RowList::default() },
        };
        Self { subject, scroll: Scroll::default(), body }
    }

    /// Brings it up to date. Of a task that is gone, what was last known stays.
    pub fn refresh(&mut self, session: &Session, now: Stamp) {
        let model = session.model();
        match (&mut self.body, self.subject) {
            (Body::Task(detail), PageSubject::Task(id)) => {
                let before = detail.take().map(|detail| *detail);
                *detail = TaskDetail::refresh(before, session, id, now).map(Box::new);
            }
            (Body::Worker(detail), PageSubject::Worker(id)) => {
                // Of a worker that is gone, what was last known stays.
                if let Some(fresh) = WorkerDetail::of(session, id, now) {
                    *detail = Some(Box::new(fresh));
                }
            }
            (Body::Lock { detail, people }, PageSubject::Lock(id)) => {
                *detail = LockDetail::of(session, id, now).map(Box::new);
                people.show(lock_people(model, id, now), model);
            }
            (Body::Resource { detail, ops }, PageSubject::Resource(id)) => {
                *detail = ResourceDetail::of(model, id, now).map(Box::new);
                ops.show(op_rows(model, id, now), model);
            }
            _ => {}
        }
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
}

/// How far a text is scrolled, in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll(pub usize);

impl Scroll {
    /// Moves, and stays within a text that can be scrolled this far.
    pub fn by(&mut self, lines: isize, most: usize) {
        self.0 = self.0.min(most).saturating_add_signed(lines).min(most);
    }
}

/// Something that is asked before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether to pause the target for everyone who watches it.
    PauseTarget,
    /// Whether to let the target go on for everyone who watches it.
    ResumeTarget,
}

impl Question {
    /// What is asked.
    pub fn text(self) -> &'static str {
        match self {
            Self::PauseTarget => {
                "Pause the target? It stops sending updates to everyone who watches it, not only to you. \
                 Space lets your own display stand still instead."
            }
            Self::ResumeTarget => "Let the target go on? It sends updates again to everyone who watches it.",
        }
    }
}

impl Layer {
    /// Where the user is while this layer lies on top, the innermost place first. A page leaves the common keys in force.
    pub fn places(&self) -> &'static [Place] {
        match self {
            Self::Page(Page { subject: PageSubject::Task(_), .. }) => {
                &[Place::TaskPage, Place::Page, Place::Text, Place::Lost, Place::Anywhere, Place::Always]
            }
            Self::Page(Page { subject: PageSubject::Worker(_), .. }) => {
                &[Place::WorkerPage, Place::Page, Place::Text, Place::Lost, Place::Anywhere, Place::Always]
            }
            Self::Page(_) => &[Place::Page, Place::Table, Place::List, Place::Lost, Place::Anywhere, Place::Always],
            Self::Help(_) | Self::Explain(..) => &[Place::Text, Place::Anywhere, Place::Always],
            Self::Filter(_) => &[Place::Input, Place::Always],
            Self::Sort(_) => &[Place::Menu, Place::Anywhere, Place::Always],
            Self::Ask(_) => &[Place::Question, Place::Always],
        }
    }
}
