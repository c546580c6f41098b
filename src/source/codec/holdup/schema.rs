//! What a `Report` message of `holdup.v1` is made of, by its field numbers in `holdup.proto`. What is told as a whole goes to the last
//! page of its update, wherever it stands in the messages; all else goes to the page that it falls on.

use super::{field, id, lock, loss, op, resource, runtime, stall, task, time, worker_stack};
use crate::{
    source::codec::{
        read,
        walk::{Schema, Shape, Walker},
    },
    update::{DecodeIssues, Dropped, Loss, OpId, Part, ResourceId, RuntimeStats, Stamp, TaskId, Update, WorkerStats},
};
use holdup_proto::v1 as proto;
use std::time::Duration;

/// The numbers of what is a number, or may be told as numbers one by one.
const MORE: u64 = 2;
const GONE_LOCKS: u64 = 6;
const GONE_TASKS: u64 = 19;
const GONE_RESOURCES: u64 = 20;
const GONE_OPS: u64 = 21;
const WHOLES: u64 = 24;
const STANDSTILLS: u64 = 25;
const TASK_WAKERS: u64 = 26;
const TOLD_EVERY: u64 = 27;
const SPAWN_TIMES: u64 = 28;
const LAST: u64 = 29;

/// No more runtimes, and workers, are kept of one update, and no more kinds of losses: an update may go on for as long as its target
/// likes, and these wait for its end.
pub(super) const MOST_RUNTIMES: usize = 8_192;
pub(super) const MOST_LOSSES: usize = 128;

/// Keeps one more of what waits for the end, if there is room.
fn keep<T>(list: &mut Option<Vec<T>>, told: Option<T>, most: usize, issues: &mut DecodeIssues) {
    let list = list.get_or_insert_default();
    if list.len() < most {
        list.extend(told);
    } else {
        issues.cut_text += 1;
    }
}

/// holdup's own format. An update comes in as many messages as it takes.
#[derive(Debug, Default)]
pub(in crate::source) struct Holdup {
    /// More messages of this update follow the one under way.
    more: bool,
    told_every: Option<Duration>,
    runtimes: Option<Vec<RuntimeStats>>,
    workers: Option<Vec<WorkerStats>>,
    losses: Option<Vec<Loss>>,
}

impl Holdup {
    fn whole(&mut self, kind: u64) {
        match i32::try_from(kind).ok().and_then(|kind| proto::Whole::try_from(kind).ok()) {
            Some(proto::Whole::Runtimes) => _ = self.runtimes.get_or_insert_default(),
            Some(proto::Whole::Workers) => _ = self.workers.get_or_insert_default(),
            Some(proto::Whole::Losses) => _ = self.losses.get_or_insert_default(),
            Some(proto::Whole::Unspecified) | None => {}
        }
    }
}

impl Schema for Holdup {
    type Entry = u64;

    const MAX_ENTRY: usize = 256 * 1024;

    fn at(section: Option<u64>, number: u64) -> Shape<u64> {
        match number {
            1 | 3..=LAST if section.is_none() => Shape::Entry(number),
            _ => Shape::Unknown,
        }
    }

    fn number(&mut self, _: Option<u64>, number: u64, value: u64, page: &mut Update) {
        match number {
            MORE => self.more = value != 0,
            TOLD_EVERY => self.told_every = (value > 0).then(|| Duration::from_millis(value)),
            GONE_LOCKS => page.gone_locks.push(ResourceId(value)),
            GONE_TASKS => page.gone_tasks.push(TaskId(value)),
            GONE_RESOURCES => page.gone_resources.push(ResourceId(value)),
            GONE_OPS => page.gone_ops.push(OpId(value)),
            WHOLES => self.whole(value),
            _ => {}
        }
    }

    fn decode(&mut self, number: u64, bytes: &[u8], now: &mut Option<Stamp>, page: &mut Update) {
        let issues = &mut page.issues;
        match number {
            1 => {
                if let Some(at) = read(bytes, issues) {
                    *now = time::stamp(Some(at), issues);
                }
            }
            3 => {
                let told = read(bytes, issues).map(|one| runtime::runtime(one, issues));
                keep(&mut self.runtimes, told, MOST_RUNTIMES, issues);
            }
            4 => {
                let told = read(bytes, issues).map(|one| runtime::worker(one, issues));
                keep(&mut self.workers, told, MOST_RUNTIMES, issues);
            }
            5 => page.locks.extend(read(bytes, issues).and_then(|one| lock::lock(one, issues))),
            GONE_LOCKS => page.gone_locks.extend(id::packed_ids(bytes, issues).map(ResourceId)),
            7 => page.stalls.extend(read(bytes, issues).and_then(|one| stall::stall(one, issues))),
            8 => page.task_spans.extend(read(bytes, issues).and_then(|one| task::spans(one, issues))),
            9 => page.panics.extend(read(bytes, issues).and_then(|one| task::panic(one, issues))),
            10 => {
                let told = read(bytes, issues).map(|one| loss::loss(one, issues));
                keep(&mut self.losses, told, MOST_LOSSES, issues);
            }
            11 => page.task_facts.extend(read(bytes, issues).and_then(|one| task::task_facts(&one, issues))),
            12 => page.new_tasks.extend(read(bytes, issues).and_then(|one| task::new_task(one, issues))),
            13 => page.task_stats.extend(read(bytes, issues).and_then(|one| task::task_stats(&one, issues))),
            14 => {
                page.new_resources.extend(read(bytes, issues).and_then(|one| resource::new_resource(one, issues)));
            }
            15 => {
                page.resource_stats.extend(read(bytes, issues).and_then(|one| resource::resource_stats(one, issues)));
            }
            16 => page.new_ops.extend(read(bytes, issues).and_then(|one| op::new_op(one, issues))),
            17 => page.op_stats.extend(read(bytes, issues).and_then(|one| op::op_stats(one, issues))),
            18 => page.poll_ops.extend(read(bytes, issues).and_then(|one| op::poll_op(&one, issues))),
            GONE_TASKS => page.gone_tasks.extend(id::packed_ids(bytes, issues).map(TaskId)),
            GONE_RESOURCES => page.gone_resources.extend(id::packed_ids(bytes, issues).map(ResourceId)),
            GONE_OPS => page.gone_ops.extend(id::packed_ids(bytes, issues).map(OpId)),
            22 => {
                let told = read(bytes, issues).map(|one: proto::Dropped| Dropped {
                    tasks: one.tasks,
                    resources: one.resources,
                    ops: one.ops,
                });
                page.dropped = told.unwrap_or(page.dropped);
            }
            23 => page.metadata.extend(read(bytes, issues).and_then(|one| field::metadata(one, issues))),
            WHOLES => id::packed_ids(bytes, issues).for_each(|kind| self.whole(kind)),
            STANDSTILLS => page.standstills.extend(read(bytes, issues).and_then(|one| stall::standstill(&one, issues))),
            TASK_WAKERS => page.task_wakers.extend(read(bytes, issues).and_then(|one| task::wakers(one, issues))),
            SPAWN_TIMES => page.spawn_times.extend(read(bytes, issues).map(|one| task::spawn_times(one, issues))),
            LAST => {
                let told = read(bytes, issues).and_then(|one| worker_stack::worker_stack(one, issues));
                page.worker_stacks.extend(told);
            }
            _ => {}
        }
    }

    fn end(&mut self, page: &mut Update) -> Part {
        if std::mem::take(&mut self.more) {
            return Part::More;
        }
        let told = std::mem::take(self);
        (page.runtimes, page.workers, page.losses) = (told.runtimes, told.workers, told.losses);
        page.told_every = told.told_every;
        Part::Last
    }
}

/// One message of `holdup.v1` that is here as a whole → pages of an update. What of it cannot be used is counted in them.
pub fn decode(message: &[u8]) -> Vec<Update> {
    let (mut walker, mut pages) = (Walker::<Holdup>::default(), Vec::new());
    walker.begin(message.len());
    walker.feed(message, &mut pages);
    pages.push(walker.end());
    pages
}
