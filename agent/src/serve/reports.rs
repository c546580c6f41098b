//! What a client of holdup's own service is to be told, and its pages.

use super::{
    feed::Pages,
    pending::{Pending, Told},
    report, stall,
    time::timestamp,
};
use crate::{
    collect::{
        clock::Nanos,
        read,
        view::{Change, LockView, SpansView, TaskView},
    },
    panics,
    watchdog::Stall,
};
use holdup_proto::v1;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::VecDeque, sync::Arc};

/// Rows of each kind on a page: some hundreds of kilobytes.
const ROWS: usize = 500;

/// Facts on tasks that are kept for a client that is behind.
const MOST_FACTS: usize = 200_000;

/// What all clients are told in each report, made once.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// What changed before then is told. A report is as of then, and not as of when it is sent: what it does not name has
    /// not changed up to there, and nothing is known of later.
    pub(super) as_of: Option<Nanos>,
    pub(super) runtimes: Vec<v1::Runtime>,
    pub(super) workers: Vec<v1::Worker>,
    pub(super) losses: Vec<v1::Loss>,
}

/// What one client is to be told.
#[derive(Debug)]
pub(super) struct Reports {
    pub(super) locks: Pending<LockView>,
    /// Locks that were told while their holder was in the poll that took them: they do not change when that poll ends, and yet
    /// there is more to tell of them then.
    held_in_poll: Vec<u64>,
    facts: Facts,
    /// The last ones of each task.
    spans: FxHashMap<u64, SpansView>,
    stalls: Vec<Stall>,
    last_panic: u64,
    /// What the last page says; there is no page without it.
    common: Arc<Common>,
    unsent_locks: u64,
    is_due: bool,
}

impl Reports {
    /// The whole state.
    pub(super) fn all(common: Arc<Common>, stalls: Vec<Stall>) -> Self {
        let mut locks = Pending::new();
        read::locks(&mut |row| locks.want(row));
        let mut facts = Facts::default();
        read::tasks(&mut |row| facts.note(&row));
        let mut spans = FxHashMap::default();
        read::spans(&mut |row| {
            spans.insert(row.task, row);
        });
        Self {
            locks,
            held_in_poll: Vec::new(),
            facts,
            spans,
            stalls,
            last_panic: 0,
            common,
            unsent_locks: 0,
            is_due: true,
        }
    }

    pub(super) fn task(&mut self, change: &Change<TaskView>) {
        match change {
            Change::Now(row) => self.facts.note(row),
            Change::Gone(id) => self.facts.forget(*id),
        }
    }

    pub(super) fn spans(&mut self, row: SpansView) {
        self.spans.insert(row.task, row);
    }

    /// Stalls have begun, changed or ended.
    pub(super) fn stalls(&mut self, changed: &[Stall], common: Arc<Common>) {
        self.stalls.retain(|known| changed.iter().all(|stall| stall.id != known.id));
        self.stalls.extend_from_slice(changed);
        self.common = common;
        self.is_due = true;
    }

    /// A round of changes is over.
    pub(super) fn round_is_over(&mut self, common: Arc<Common>) {
        self.held_in_poll.drain(..).filter_map(read::lock).for_each(|row| self.locks.want(row));
        self.locks.next_round();
        self.common = common;
        self.is_due = true;
    }
}

impl Pages for Reports {
    type Page = v1::Report;

    fn next(&mut self) -> Option<v1::Report> {
        if !std::mem::take(&mut self.is_due) {
            return None;
        }
        let mut page = v1::Report::default();
        for told in self.locks.take(ROWS, read::lock) {
            match told {
                Told::First(row) | Told::Again(row) if row.dropped.is_none() => {
                    if row.is_held_in_poll() {
                        self.held_in_poll.push(row.resource);
                    }
                    page.locks.push(report::lock(&row));
                }
                Told::First(row) | Told::Again(row) => page.dropped_locks.push(row.resource),
                Told::Gone(id) => page.dropped_locks.push(id),
            }
        }
        page.stalls = std::mem::take(&mut self.stalls).iter().map(stall::stall).collect();
        page.tasks = self.facts.take(ROWS);
        let tasks: Vec<u64> = self.spans.keys().copied().take(ROWS).collect();
        page.spans = tasks.iter().filter_map(|task| self.spans.remove(task)).map(report::spans).collect();
        let panics = panics::after(self.last_panic);
        self.last_panic = panics.last().map_or(self.last_panic, |panic| panic.number);
        page.panics = panics.iter().map(report::panic).collect();
        page.more = !(self.locks.is_empty() && self.facts.queue.is_empty() && self.spans.is_empty());
        if page.more {
            self.is_due = true;
        } else {
            page.runtimes.clone_from(&self.common.runtimes);
            page.workers.clone_from(&self.common.workers);
            page.losses.clone_from(&self.common.losses);
            self.unsent_locks += self.locks.take_missed();
            for (kind, count) in [("unsent-locks", self.unsent_locks), ("unsent-task-facts", self.facts.left_out)] {
                page.losses.push(v1::Loss { kind: kind.to_owned(), count });
            }
        }
        page.now = self.common.as_of.map(timestamp);
        Some(page)
    }
}

/// Facts on tasks, each told once.
#[derive(Debug, Default)]
struct Facts {
    told: FxHashSet<u64>,
    queue: VecDeque<v1::TaskFacts>,
    left_out: u64,
}

impl Facts {
    fn note(&mut self, row: &TaskView) {
        if row.dropped.is_some() && self.told.remove(&row.id) {
            return;
        }
        // The runtime is known from the first poll on.
        if (row.runtime == 0 && row.dropped.is_none()) || self.told.contains(&row.id) {
            return;
        }
        if self.queue.len() == MOST_FACTS {
            self.queue.pop_front();
            self.left_out += 1;
        }
        self.queue.push_back(v1::TaskFacts { task_id: row.id, parent_id: row.parent, runtime_id: row.runtime });
        if row.dropped.is_none() {
            self.told.insert(row.id);
        }
    }

    fn forget(&mut self, id: u64) {
        self.told.remove(&id);
    }

    fn take(&mut self, most: usize) -> Vec<v1::TaskFacts> {
        self.queue.drain(..most.min(self.queue.len())).collect()
    }
}
