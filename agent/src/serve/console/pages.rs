//! What a client of the console's service is to be told, and its pages.

use super::{
    metadata,
    rows::{self, Told, Wakers},
};
use crate::{
    clock,
    read::changes,
    serve::{backlog::Backlog, subscription::Pages, time::timestamp},
    view::{Losses, OpView, ResourceView, TaskView},
};
use console_api::instrument::Update;

/// Rows of each kind on a page: some hundreds of kilobytes, where a client takes 4 MiB.
const ROWS: usize = 250;

/// Whether a client has been told of the metadata.
#[derive(Debug, PartialEq, Eq)]
enum Metadata {
    Sent,
    Unsent,
}

/// What one client is to be told.
#[derive(Debug)]
pub(crate) struct Updates {
    pub(crate) tasks: Backlog<TaskView>,
    pub(crate) resources: Backlog<ResourceView>,
    pub(crate) ops: Backlog<OpView>,
    metadata: Metadata,
    wakers: Wakers,
    /// Those that the client has been told of, or was not there for.
    losses: Losses,
    /// A round is over: there is a page even when nothing has changed, for it tells the time.
    is_due: bool,
    /// The client does not read.
    has_lapsed: bool,
}

impl Updates {
    /// The whole state.
    pub(crate) fn all(wakers: Wakers) -> Self {
        let (mut tasks, mut resources, mut ops) = (Backlog::new(), Backlog::new(), Backlog::new());
        changes::tasks(&mut |row| tasks.want(row));
        changes::resources(&mut |row| resources.want(row));
        changes::ops(&mut |row| ops.want(row));
        Self {
            tasks,
            resources,
            ops,
            metadata: Metadata::Unsent,
            wakers,
            losses: changes::losses(),
            is_due: true,
            has_lapsed: false,
        }
    }

    /// A round of changes is over.
    pub(crate) fn round_is_over(&mut self) {
        self.tasks.next_round();
        self.resources.next_round();
        self.ops.next_round();
        self.is_due = true;
    }
}

impl Pages for Updates {
    type Page = Update;

    fn next(&mut self) -> Option<Update> {
        if std::mem::take(&mut self.has_lapsed) {
            self.tasks.resume(changes::tasks);
            self.resources.resume(changes::resources);
            self.ops.resume(changes::ops);
        }
        let more = !(self.tasks.is_empty() && self.resources.is_empty() && self.ops.is_empty());
        if !more && !std::mem::take(&mut self.is_due) {
            return None;
        }
        self.is_due = false;
        let new_metadata = (self.metadata == Metadata::Unsent).then(metadata::all);
        self.metadata = Metadata::Sent;
        let tasks = self.tasks.take(ROWS, changes::task);
        let resources = self.resources.take(ROWS, changes::resource);
        let ops = self.ops.take(ROWS, changes::op);
        let losses = changes::losses();
        let before = std::mem::replace(&mut self.losses, losses);
        let missed_tasks = self.tasks.take_missed() + losses.finished_tasks - before.finished_tasks;
        let missed_resources = self.resources.take_missed() + losses.finished_resources - before.finished_resources;
        let missed_ops = self.ops.take_missed() + losses.finished_ops - before.finished_ops;
        // After the rows were read: nothing in them is later.
        let now = timestamp(clock::now());
        let tasks = Told { rows: tasks, left_out: missed_tasks, now };
        let resources = Told { rows: resources, left_out: missed_resources, now };
        let ops = Told { rows: ops, left_out: missed_ops, now };
        Some(Update {
            now: Some(now),
            new_metadata,
            task_update: Some(rows::task_update(tasks, self.wakers)),
            resource_update: Some(rows::resource_update(resources)),
            async_op_update: Some(rows::op_update(ops)),
        })
    }

    fn kept(&self) -> usize {
        self.tasks.kept() + self.resources.kept() + self.ops.kept()
    }

    fn listed(&self) -> usize {
        self.tasks.listed() + self.resources.listed() + self.ops.listed()
    }

    fn cut(&mut self) {
        self.tasks.cut();
        self.resources.cut();
        self.ops.cut();
    }

    fn lapse(&mut self) {
        self.tasks.lapse();
        self.resources.lapse();
        self.ops.lapse();
        self.has_lapsed = true;
    }
}
