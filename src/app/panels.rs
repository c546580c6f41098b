//! What each screen shows.

use super::{
    findings::panel::FindingList, list::panel::ListPanel, locks::list::LockRow, panel::Panel,
    resources::list::ResourceRow, screens::Screen, tasks::list::TaskList, workers::list::WorkerRow,
};

/// What each screen shows.
#[derive(Debug, Default)]
pub struct Panels {
    /// The findings.
    pub findings: FindingList,
    /// The tasks.
    pub tasks: TaskList,
    /// The workers.
    pub workers: ListPanel<WorkerRow>,
    /// The locks.
    pub locks: ListPanel<LockRow>,
    /// The resources.
    pub resources: ListPanel<ResourceRow>,
}

impl Panels {
    /// What this screen shows.
    pub(crate) fn of(&self, screen: Screen) -> &dyn Panel {
        match screen {
            Screen::Findings => &self.findings,
            Screen::Tasks => &self.tasks,
            Screen::Workers => &self.workers,
            Screen::Locks => &self.locks,
            Screen::Resources => &self.resources,
        }
    }

    /// What this screen shows.
    pub(crate) fn of_mut(&mut self, screen: Screen) -> &mut dyn Panel {
        match screen {
            Screen::Findings => &mut self.findings,
            Screen::Tasks => &mut self.tasks,
            Screen::Workers => &mut self.workers,
            Screen::Locks => &mut self.locks,
            Screen::Resources => &mut self.resources,
        }
    }
}
