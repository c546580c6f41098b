//! The page of a finding, as a panel: what shows it, and its story as a list in which each step leads to what it is about.

use crate::{
    app::{
        frame::{RowId, StepAbout, StepId},
        input::bindings::Context,
        list::cursor::Cursor,
        panel::{List, Opening, PageSubject, Panel, Plain, Upkeep},
        screens::Screen,
    },
    diagnose::{About, Finding, FindingId, More, Role, Step, Subject, levels},
    model::Model,
    session::Session,
    update::TaskId,
};
use rustc_hash::FxHashMap;

/// The page of a finding.
#[derive(Debug)]
pub struct FindingPage {
    /// Which.
    pub id: FindingId,
    /// What is known of it, or was last; `None` where nothing ever was.
    pub detail: Option<Box<FindingDetail>>,
    /// Where the user is in its story.
    pub cursor: Cursor<StepId>,
}

/// A finding with its story.
#[derive(Debug)]
pub struct FindingDetail {
    /// As it is, or was last.
    pub finding: Finding,
    /// Its story.
    pub steps: Vec<Step>,
    /// For each step how it hangs together with those around it.
    pub levels: Vec<Vec<More>>,
    /// The steps by id.
    pub ids: Vec<StepId>,
    /// Whether it stands among the findings.
    pub listed: Listed,
}

/// Whether a finding stands among the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// It does.
    Yes,
    /// It does, and is of a process before this one: what it names is nobody's any more.
    OfAnotherSession,
    /// Not any more.
    No,
}

impl FindingPage {
    pub(crate) fn new(id: FindingId) -> Self {
        Self { id, detail: None, cursor: Cursor::default() }
    }

    /// The selected step.
    pub fn selected(&self) -> Option<&Step> {
        self.detail.as_ref()?.steps.get(self.cursor.index())
    }
}

impl FindingDetail {
    fn of(session: &Session, finding: &Finding) -> Self {
        let steps = finding.story();
        let is_of_another = session.model().attached().is_some_and(|attached| finding.first_seen < attached);
        let depths: Vec<usize> = steps.iter().map(|step| step.depth).collect();
        Self {
            ids: ids(&steps),
            levels: levels(&depths),
            steps,
            listed: if is_of_another { Listed::OfAnotherSession } else { Listed::Yes },
            finding: finding.clone(),
        }
    }

    /// What a step leads to. What has no page of its own leads to what it is said of.
    fn opening(&self, session: &Session, at: usize) -> Option<Opening> {
        let step = self.steps.get(at)?;
        let above = || self.steps[..at].iter().rposition(|above| above.depth < step.depth);
        match step.about.as_ref() {
            Some(About::Task(task)) if task.id != TaskId::NONE => Some(Opening::Page(PageSubject::Task(task.id))),
            Some(About::Task(_)) => None,
            Some(About::Resource(resource)) => {
                let is_lock = session.model().lock(resource.id).is_some();
                let page = if is_lock { PageSubject::Lock(resource.id) } else { PageSubject::Resource(resource.id) };
                Some(Opening::Page(page))
            }
            Some(About::Place(place)) => Some(tasks_of(place)),
            Some(About::Runtime(_)) => Some(Opening::Screen(Screen::Workers)),
            Some(About::Worker(worker)) => Some(Opening::Page(PageSubject::Worker(worker.id))),
            None => match &self.finding.subject {
                // The others of its place are there.
                Subject::Task(task) if step.role == Role::More && !task.place.is_empty() => Some(tasks_of(&task.place)),
                _ => self.opening(session, above()?),
            },
        }
    }
}

/// The tasks of one spawn location.
fn tasks_of(place: &str) -> Opening {
    Opening::Tasks(format!("loc=\"{place}\""))
}

fn ids(steps: &[Step]) -> Vec<StepId> {
    let mut turns: FxHashMap<StepAbout, usize> = FxHashMap::default();
    let id = |step: &Step| {
        let about = match &step.about {
            Some(About::Task(task)) => StepAbout::Task(task.id),
            Some(About::Resource(resource)) => StepAbout::Resource(resource.id),
            Some(About::Place(_)) => StepAbout::Place,
            Some(About::Runtime(runtime)) => StepAbout::Runtime(runtime.id),
            Some(About::Worker(worker)) => StepAbout::Worker(worker.id),
            None => StepAbout::Nothing,
        };
        let turn = turns.entry(about).or_default();
        *turn += 1;
        StepId { about, turn: *turn - 1 }
    };
    steps.iter().map(id).collect()
}

impl Panel for FindingPage {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Findings, Context::Page, Context::List]
    }
    fn is_empty(&self) -> bool {
        self.detail.as_ref().is_none_or(|detail| detail.steps.is_empty())
    }
    fn refresh(&mut self, upkeep: Upkeep) {
        match (upkeep.session.engine().finding(self.id), &mut self.detail) {
            (Some(finding), detail) => *detail = Some(Box::new(FindingDetail::of(upkeep.session, finding))),
            (None, Some(detail)) => detail.listed = Listed::No,
            (None, None) => {}
        }
        if let Some(detail) = &self.detail {
            self.cursor.follow(&detail.ids[..]);
        }
    }
    fn list<'a>(&'a mut self, _: &'a Model) -> Option<Box<dyn List + 'a>> {
        let detail = self.detail.as_ref()?;
        let id = |row| if let RowId::Step(id) = row { Some(id) } else { None };
        Some(Box::new(Plain { cursor: &mut self.cursor, rows: &detail.ids[..], id }))
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        Some(RowId::Finding(self.id))
    }
    fn opening(&self, session: &Session) -> Option<Opening> {
        let detail = self.detail.as_ref().filter(|detail| detail.listed != Listed::OfAnotherSession)?;
        detail.opening(session, self.cursor.index())
    }
}
