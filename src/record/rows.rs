//! The numbers of tasks, column by column: of each that was told before in the same segment, what differs.

use crate::{
    packed::{Column, Differences},
    update::{PollStats, Stamp, TaskId, TaskStats, nanos},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The statistics of tasks in one update.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Rows {
    ids: Column,
    columns: Vec<Differences>,
}

/// So many numbers, the first of which are instants.
const NUMBERS: usize = 12;
const INSTANTS: usize = 4;

/// What was told last of each task in this segment.
#[derive(Debug, Default)]
pub(super) struct Told(FxHashMap<TaskId, [u64; NUMBERS]>);

impl Told {
    pub(super) fn write(&mut self, stats: &[(TaskId, TaskStats)], now: Option<Stamp>) -> Option<Rows> {
        if stats.is_empty() {
            return None;
        }
        let differences: Vec<[u64; NUMBERS]> = stats
            .iter()
            .map(|(id, stats)| {
                let numbers = numbers(stats);
                let before = self.0.insert(*id, numbers).unwrap_or_else(|| first(now));
                std::array::from_fn(|at| numbers[at].wrapping_sub(before[at]))
            })
            .collect();
        let columns = (0..NUMBERS).map(|column| differences.iter().map(|row| row[column]).collect());
        Some(Rows { ids: stats.iter().map(|(id, _)| id.0).collect(), columns: columns.collect() })
    }

    /// `None` where its parts do not fit together.
    pub(super) fn read(&mut self, rows: &Rows, now: Option<Stamp>) -> Option<Vec<(TaskId, TaskStats)>> {
        let ids = rows.ids.numbers();
        let columns: Option<Vec<&[u64]>> = rows.columns.iter().map(|column| column.of(ids.len())).collect();
        let columns: [&[u64]; NUMBERS] = columns?.try_into().ok()?;
        let row = |(at, &id): (usize, &u64)| {
            let before = self.0.entry(TaskId(id)).or_insert_with(|| first(now));
            *before = std::array::from_fn(|column| before[column].wrapping_add(columns[column][at]));
            (TaskId(id), stats(before))
        };
        Some(ids.iter().enumerate().map(row).collect())
    }

    /// These tasks are gone.
    pub(super) fn forget(&mut self, gone: &[TaskId]) {
        for id in gone {
            self.0.remove(id);
        }
    }
}

/// What the first numbers of a task are told as the difference to: its instants are not far from now.
fn first(now: Option<Stamp>) -> [u64; NUMBERS] {
    let now = now.map_or(0, Stamp::nanos);
    std::array::from_fn(|at| if at < INSTANTS { now } else { 0 })
}

fn numbers(stats: &TaskStats) -> [u64; NUMBERS] {
    let of = |stamp: Option<Stamp>| stamp.map_or(0, Stamp::nanos);
    [
        of(stats.created),
        of(stats.last_wake),
        of(stats.polls.last_started),
        of(stats.polls.last_ended),
        of(stats.dropped),
        stats.polls.count,
        nanos(stats.polls.busy),
        nanos(stats.scheduled),
        stats.wakes,
        stats.self_wakes,
        stats.waker_clones,
        stats.waker_drops,
    ]
}

fn stats(numbers: &[u64; NUMBERS]) -> TaskStats {
    let of = |nanos: u64| (nanos != 0).then(|| Stamp::from_nanos(nanos));
    let &[created, last_wake, last_started, last_ended, dropped, count, busy, scheduled, wakes, own, clones, drops] =
        numbers;
    TaskStats {
        created: of(created),
        dropped: of(dropped),
        last_wake: of(last_wake),
        polls: PollStats {
            count,
            last_started: of(last_started),
            last_ended: of(last_ended),
            busy: Duration::from_nanos(busy),
        },
        scheduled: Duration::from_nanos(scheduled),
        wakes,
        self_wakes: own,
        waker_clones: clones,
        waker_drops: drops,
    }
}
