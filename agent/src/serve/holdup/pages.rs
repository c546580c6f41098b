//! What a client of holdup's own service is to be told, and its pages.

use super::{ROWS, lock_pages::LockPages, report, rows, stack};
use crate::{
    clock::Nanos,
    panics,
    read::changes,
    serve::{
        backlog::{Backlog, Due, News, Row},
        console::rows::Wakers,
        subscription::Pages,
        time::timestamp,
    },
    stalls::{record::Stall, round::WorkerStack},
    view::{LockView, OpView, ResourceView, SpansView, TaskView},
};
use holdup_proto::v1;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{sync::Arc, time::Duration};

/// Stalls that wait to be told; of more, the newest do.
const MOST_STALLS: usize = 256;

/// Stacks of a page, of stalls and of workers. Each takes some kilobytes, and a deep one tens of them.
const STACKS: usize = 32;

/// Tasks whose spans may wait to be told, beside twice as many as live.
const MOST_SPANS: usize = 1024;

/// What all clients are told in each report, made once.
#[derive(Debug, Default)]
pub(crate) struct Common {
    /// What changed before then is told. A report is as of then, and not as of when it is sent: what it does not name has
    /// not changed up to there, and nothing is known of later.
    pub(crate) as_of: Option<Nanos>,
    pub(crate) runtimes: Vec<v1::Runtime>,
    pub(crate) workers: Vec<v1::Worker>,
    pub(crate) losses: Vec<v1::Loss>,
    /// On the first page: what lasted is judged by it.
    pub(crate) standstills: Vec<v1::Standstill>,
    /// How long polls took, row by row, each with the number of the [round](Self::times_round) that it changed in last.
    pub(crate) spawn_times: Vec<(u64, Arc<v1::SpawnTimes>)>,
    pub(crate) times_round: u64,
    /// For how long nothing was told before it, where that is longer than it is set.
    pub(crate) told_every: Option<Duration>,
}

/// What one client is to be told.
///
/// One update is told in pages: first rows of tasks, resources and operations, then what speaks of these, and on the last page what is
/// told as a whole. All of it is as of the instant at which the update began.
#[derive(Debug)]
pub(crate) struct Reports {
    tasks: Backlog<TaskView>,
    resources: Backlog<ResourceView>,
    ops: Backlog<OpView>,
    wakers: Wakers,
    locks: LockPages,
    facts: Facts,
    /// The last ones of each task.
    spans: FxHashMap<u64, Arc<SpansView>>,
    /// How many there were of tasks that live, when that was looked at last.
    spans_alive: usize,
    /// Of those tasks that the update tells of.
    task_wakers: Vec<v1::TaskWakers>,
    stalls: Vec<Stall>,
    /// The latest round of captures, and how many of it were told.
    worker_stacks: (Arc<[WorkerStack]>, usize),
    /// The number of the last one that it was told of; `None` before it was told of any update.
    last_panic: Option<u64>,
    /// Up to which round it was told how long polls took.
    times_told: u64,
    /// What the last page says; there is no page without it.
    common: Arc<Common>,
    unsent: Unsent,
    /// A round is over that no update has begun with.
    is_due: bool,
    /// The client does not read.
    has_lapsed: bool,
    stage: Stage,
}

/// Rows that the client was never told of.
#[derive(Debug, Default)]
struct Unsent {
    tasks: u64,
    resources: u64,
    ops: u64,
    panics: u64,
    stalls: u64,
}

/// How far the update is told that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// None is.
    Idle,
    /// So many rows of tasks, resources and operations are still to come. What changes meanwhile waits for the next update: a slow
    /// client gets to the end of this one.
    Rows { as_of: Option<Nanos>, left: [usize; 3] },
    /// What speaks of them, and so many stalls that are still to come.
    Rest { as_of: Option<Nanos>, stalls: usize },
}

/// What of a whole state somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// What has ended and is kept, too.
    All,
    /// What lives.
    #[cfg_attr(not(feature = "history"), expect(dead_code, reason = "only a past is made of it"))]
    Living,
}

impl Whole {
    /// Wants a row, if it is of that.
    fn want<V: Row>(self, rows: &mut Backlog<V>, row: V) {
        if self == Self::All || !row.has_ended() {
            rows.want(row);
        }
    }
}

impl Reports {
    /// The whole state, or what of it lives.
    pub(crate) fn of(
        whole: Whole,
        common: Arc<Common>,
        stalls: Vec<Stall>,
        round: Arc<[WorkerStack]>,
        wakers: Wakers,
    ) -> Self {
        let (mut tasks, mut resources, mut ops) = (Backlog::new(), Backlog::new(), Backlog::new());
        changes::tasks(&mut |row| whole.want(&mut tasks, row));
        changes::resources(&mut |row| whole.want(&mut resources, row));
        changes::ops(&mut |row| whole.want(&mut ops, row));
        let mut spans = FxHashMap::default();
        changes::spans(&mut |row| {
            spans.insert(row.task, Arc::new(row));
        });
        Self {
            tasks,
            resources,
            ops,
            wakers,
            locks: LockPages::all(),
            facts: Facts::default(),
            spans_alive: spans.len(),
            spans,
            task_wakers: Vec::new(),
            stalls,
            worker_stacks: (round, 0),
            last_panic: None,
            times_told: 0,
            common,
            unsent: Unsent::default(),
            is_due: true,
            has_lapsed: false,
            stage: Stage::Idle,
        }
    }

    pub(crate) fn task(&mut self, news: &News<TaskView>) {
        self.tasks.note(news);
    }

    pub(crate) fn resource(&mut self, news: &News<ResourceView>) {
        self.resources.note(news);
    }

    pub(crate) fn op(&mut self, news: &News<OpView>) {
        self.ops.note(news);
    }

    pub(crate) fn lock(&mut self, news: &News<LockView>) {
        self.locks.note(news);
    }

    pub(crate) fn spans(&mut self, row: &Arc<SpansView>) {
        if !self.has_lapsed {
            self.spans.insert(row.task, Arc::clone(row));
        }
    }

    /// Stalls have begun, changed or ended.
    pub(crate) fn stalls(&mut self, changed: &[Stall], common: Arc<Common>) {
        for stall in changed {
            // In its place: an update that is under way tells of it all the same.
            match self.stalls.iter_mut().find(|known| known.id == stall.id) {
                Some(known) => known.clone_from(stall),
                None => self.stalls.push(stall.clone()),
            }
        }
        let most = self.stalls.len().saturating_sub(MOST_STALLS);
        self.unsent.stalls += self.stalls.drain(..most).count() as u64;
        self.common = common;
        self.is_due = true;
    }

    /// What workers are doing was captured. What an older round found is of no use then.
    pub(crate) fn worker_stacks(&mut self, round: Arc<[WorkerStack]>, common: Arc<Common>) {
        self.worker_stacks = (round, 0);
        self.common = common;
        self.is_due = true;
    }

    /// A round of changes is over.
    pub(crate) fn round_is_over(&mut self, common: Arc<Common>) {
        self.tasks.next_round();
        self.resources.next_round();
        self.ops.next_round();
        self.locks.next_round();
        if self.spans.len() > 2 * self.spans_alive + MOST_SPANS {
            self.forget_spans();
        }
        self.common = common;
        self.is_due = true;
    }

    /// The client reads again: the update that is under way goes on with everything.
    fn resume(&mut self) {
        self.tasks.resume(changes::tasks);
        self.resources.resume(changes::resources);
        self.ops.resume(changes::ops);
        self.locks.resume();
        changes::spans(&mut |row| _ = self.spans.insert(row.task, Arc::new(row)));
        let waiting = self.waiting();
        if let Stage::Rows { left, .. } = &mut self.stage {
            *left = waiting;
        }
    }

    /// Rows of each kind that are to be told by now.
    fn waiting(&self) -> [usize; 3] {
        [self.tasks.waiting(), self.resources.waiting(), self.ops.waiting()]
    }

    /// Lets go of the spans of tasks that have ended.
    fn forget_spans(&mut self) {
        self.spans.retain(|&task, _| lives(task));
        self.spans.shrink_to(MOST_SPANS);
        self.spans_alive = self.spans.len();
    }

    /// A task's state, and what else is to be told of it later.
    fn task_row(&mut self, page: &mut v1::Report, row: &TaskView) {
        page.task_stats.push(rows::task_stats(row, self.wakers));
        self.task_wakers.extend(row.woken_by.as_ref().map(|kept| report::wakers(row.id, kept)));
        self.facts.note(row);
    }

    /// A page of rows, and how many are left then.
    fn rows(&mut self, page: &mut v1::Report, left: [usize; 3]) -> [usize; 3] {
        let [tasks, resources, ops] = left;
        // Of tasks that earlier pages have announced.
        page.tasks = self.facts.take();
        for told in take(&mut self.tasks, tasks, changes::task) {
            match told {
                Due::First(row) => {
                    page.new_tasks.push(rows::task(&row));
                    self.task_row(page, &row);
                }
                Due::Again(row) => self.task_row(page, &row),
                Due::Gone(id) => {
                    page.gone_tasks.push(id);
                    self.facts.forget(id);
                    self.spans.remove(&id);
                }
            }
        }
        for told in take(&mut self.resources, resources, changes::resource) {
            match told {
                Due::First(row) => {
                    page.new_resources.push(rows::resource(&row));
                    page.resource_stats.push(rows::resource_stats(&row));
                }
                Due::Again(row) => page.resource_stats.push(rows::resource_stats(&row)),
                Due::Gone(id) => page.gone_resources.push(id),
            }
        }
        for told in take(&mut self.ops, ops, changes::op) {
            match told {
                Due::First(row) => {
                    page.new_ops.push(rows::op(&row));
                    page.op_stats.push(rows::op_stats(&row));
                }
                Due::Again(row) => page.op_stats.push(rows::op_stats(&row)),
                Due::Gone(id) => page.gone_ops.push(id),
            }
        }
        left.map(|left| left.saturating_sub(ROWS))
    }

    /// A page's stalls of the `left` ones that the update has, and how many are left then.
    fn stalls_page(&mut self, page: &mut v1::Report, left: usize) -> usize {
        let first = left.min(STACKS).min(self.stalls.len());
        page.stalls = self.stalls.drain(..first).map(|told| stack::stall(&told)).collect();
        (left - first).min(self.stalls.len())
    }

    /// What else speaks of rows that were told before, after the page's stalls; whether more of it follows.
    fn rest(&mut self, page: &mut v1::Report) -> bool {
        let more_locks = self.locks.tell(page);
        let (round, told) = &mut self.worker_stacks;
        page.worker_stacks =
            round.iter().skip(*told).take(STACKS - page.stalls.len()).map(stack::worker_stack).collect();
        *told += page.worker_stacks.len();
        let more_stacks = *told < round.len();
        page.tasks = self.facts.take();
        let was_told = |task: &u64| self.tasks.is_known(*task) || self.tasks.has_ended_lately(*task);
        let known: Vec<u64> = self.spans.keys().copied().filter(was_told).collect();
        let told = known.iter().take(ROWS).filter_map(|task| self.spans.remove(task));
        page.spans = told.map(|row| report::spans(Arc::unwrap_or_clone(row))).collect();
        if known.len() <= ROWS {
            // Of a task that the client has not heard of yet, the next update tells; of one that it never will, none.
            self.spans.retain(|&task, _| lives(task));
        }
        let more_panics = self.panics(page);
        let first = self.task_wakers.len().min(ROWS);
        page.task_wakers = self.task_wakers.drain(..first).collect();
        more_locks || more_stacks || more_panics || known.len() > ROWS || !self.task_wakers.is_empty()
    }

    /// Puts a page's panics on a page; whether more follow.
    fn panics(&mut self, page: &mut v1::Report) -> bool {
        let last = self.last_panic.unwrap_or(0);
        let panics = panics::after(last, ROWS);
        // Those that came before the client did are none that it missed.
        if let (Some(last), Some(first)) = (self.last_panic, panics.first()) {
            self.unsent.panics += first.number - last - 1;
        }
        self.last_panic = Some(panics.last().map_or(last, |panic| panic.number));
        page.panics = panics.iter().map(report::panic).collect();
        panics.len() == ROWS
    }

    /// What is told as a whole.
    fn wholes(&mut self, page: &mut v1::Report) {
        page.runtimes.clone_from(&self.common.runtimes);
        page.workers.clone_from(&self.common.workers);
        page.losses.clone_from(&self.common.losses);
        let news = self.common.spawn_times.iter().filter(|(changed, _)| *changed > self.times_told);
        page.spawn_times = news.map(|(_, times)| v1::SpawnTimes::clone(times)).collect();
        self.times_told = self.common.times_round;
        let every = self.common.told_every.unwrap_or_default();
        page.told_every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        self.unsent.tasks += self.tasks.take_missed();
        self.unsent.resources += self.resources.take_missed();
        self.unsent.ops += self.ops.take_missed();
        let unsent = [
            ("unsent-tasks", self.unsent.tasks),
            ("unsent-resources", self.unsent.resources),
            ("unsent-ops", self.unsent.ops),
            ("unsent-locks", self.locks.unsent()),
            ("unsent-panics", self.unsent.panics),
            ("unsent-stalls", self.unsent.stalls),
        ];
        page.losses.extend(unsent.map(|(kind, count)| v1::Loss { kind: kind.to_owned(), count }));
        page.wholes = [v1::Whole::Runtimes, v1::Whole::Workers, v1::Whole::Losses].map(Into::into).to_vec();
    }
}

fn lives(task: u64) -> bool {
    changes::task(task).is_some_and(|row| row.dropped.is_none())
}

/// Takes a page's rows of the `left` ones that the update has.
fn take<V: Row>(backlog: &mut Backlog<V>, left: usize, read: impl Fn(u64) -> Option<V>) -> Vec<Due<V>> {
    backlog.take_first(left.min(ROWS), read)
}

impl Pages for Reports {
    type Page = v1::Report;

    fn next(&mut self) -> Option<v1::Report> {
        let mut page = v1::Report::default();
        if std::mem::take(&mut self.has_lapsed) {
            self.resume();
        }
        if self.stage == Stage::Idle {
            if !std::mem::take(&mut self.is_due) {
                return None;
            }
            self.stage = Stage::Rows { as_of: self.common.as_of, left: self.waiting() };
            page.standstills.clone_from(&self.common.standstills);
        }
        if let Stage::Rows { as_of, left } = self.stage {
            if left != [0; 3] {
                let left = self.rows(&mut page, left);
                self.stage = Stage::Rows { as_of, left };
                page.now = as_of.map(timestamp);
                page.more = true;
                return Some(page);
            }
            let is_known = |task: u64| self.tasks.is_known(task);
            self.locks.begin(&is_known);
            self.stage = Stage::Rest { as_of, stalls: self.stalls.len() };
        }
        let (as_of, stalls) = match self.stage {
            Stage::Rest { as_of, stalls } => (as_of, stalls),
            Stage::Idle | Stage::Rows { .. } => (self.common.as_of, 0),
        };
        page.now = as_of.map(timestamp);
        let stalls = self.stalls_page(&mut page, stalls);
        page.more = self.rest(&mut page) || stalls > 0;
        if page.more {
            self.stage = Stage::Rest { as_of, stalls };
        } else {
            self.wholes(&mut page);
            self.stage = Stage::Idle;
        }
        Some(page)
    }
    fn kept(&self) -> usize {
        self.tasks.kept() + self.resources.kept() + self.ops.kept() + self.locks.kept()
    }

    fn listed(&self) -> usize {
        self.tasks.listed() + self.resources.listed() + self.ops.listed() + self.locks.listed()
    }

    fn cut(&mut self) {
        self.tasks.cut();
        self.resources.cut();
        self.ops.cut();
        self.locks.cut();
        self.forget_spans();
    }

    fn lapse(&mut self) {
        self.tasks.lapse();
        self.resources.lapse();
        self.ops.lapse();
        self.locks.lapse();
        (self.spans, self.spans_alive) = (FxHashMap::default(), 0);
        self.has_lapsed = true;
    }
}

/// Facts on tasks, each told once, on a page after the one that tells of the task.
#[derive(Debug, Default)]
struct Facts {
    told: FxHashSet<u64>,
    next: Vec<v1::TaskFacts>,
}

impl Facts {
    /// A row is told.
    fn note(&mut self, row: &TaskView) {
        if row.dropped.is_some() && self.told.remove(&row.id) {
            return;
        }
        // The runtime is known from the first poll on.
        if (row.runtime == 0 && row.dropped.is_none()) || self.told.contains(&row.id) {
            return;
        }
        self.next.push(v1::TaskFacts { task_id: row.id, parent_id: row.parent, runtime_id: row.runtime });
        if row.dropped.is_none() {
            self.told.insert(row.id);
        }
    }

    fn forget(&mut self, id: u64) {
        self.told.remove(&id);
    }

    /// Those of the page before.
    fn take(&mut self) -> Vec<v1::TaskFacts> {
        std::mem::take(&mut self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Stack;
    use holdup_stack::frame::Frame;
    use prost::Message as _;

    /// With as deep a stack as there is, of long names.
    fn stall(id: u64) -> Stall {
        let since = Nanos::from_raw(1).expect("it is not 0");
        let frame = Frame {
            function: "f".repeat(300).into(),
            file: "/build/orders/src/queue.rs".into(),
            line: 7,
            column: 9,
            address: u64::MAX,
            offset: u64::MAX,
            module: "orders".into(),
            inlined: false,
        };
        let stack = Stack { frames: vec![frame; 128], ..Stack::none(since, "") };
        Stall { stack: Some(Arc::new(stack)), ..Stall::of_worker(id, 0, since) }
    }

    #[test]
    fn many_deep_stalls_are_told_once_each_in_pages_that_anybody_accepts() {
        let common = Arc::new(Common::default());
        let mut reports = Reports::of(Whole::All, Arc::clone(&common), Vec::new(), Arc::default(), Wakers::Counted);
        // What the other tests of this process have left is told first.
        while reports.next().is_some() {}
        let all: Vec<Stall> = (1..=MOST_STALLS as u64).map(stall).collect();
        reports.stalls(&all, Arc::clone(&common));
        let first = reports.next().expect("a page");
        // One that waits changes, and is told in this update as it is then; one more comes, and is the next one's.
        let changed = Stall { queued: 3, ..stall(256) };
        reports.stalls(&[changed, stall(257)], common);
        let pages: Vec<_> = std::iter::once(first).chain(std::iter::from_fn(|| reports.next())).collect();
        assert!(pages.iter().all(|page| page.encoded_len() < 4 << 20));
        let told = pages.iter().flat_map(|page| &page.stalls).map(|stall| (stall.id, stall.queued));
        assert!(told.eq((1..=257).map(|id| (id, if id == 256 { 3 } else { 0 }))));
        let ends: Vec<_> = pages.iter().filter(|page| !page.more).map(|page| page.stalls.len()).collect();
        assert_eq!(ends, [STACKS, 1], "two updates");
    }

    #[test]
    fn lengths_of_polls_are_told_when_there_are_new_ones_and_not_again() {
        let common = |round, changed| {
            let times = v1::SpawnTimes { polls: vec![round], ..v1::SpawnTimes::default() };
            Arc::new(Common { spawn_times: vec![(changed, Arc::new(times))], times_round: round, ..Common::default() })
        };
        let mut reports = Reports::of(Whole::All, common(1, 1), Vec::new(), Arc::default(), Wakers::Counted);
        let told = |reports: &mut Reports| -> Vec<Vec<u64>> {
            let pages = std::iter::from_fn(|| reports.next());
            pages.flat_map(|page| page.spawn_times).map(|times| times.polls).collect()
        };
        assert_eq!(told(&mut reports), [[1]]);
        reports.round_is_over(common(2, 1));
        assert_eq!(told(&mut reports), Vec::<Vec<u64>>::new());
        reports.round_is_over(common(3, 3));
        // Who does not read for a round is told of it in the next one.
        reports.round_is_over(common(4, 3));
        assert_eq!(told(&mut reports), [[4]]);
    }
}
