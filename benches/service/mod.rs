//! A service of as many tasks as one likes, for benches.

#![allow(dead_code, reason = "each bench uses a part of this")]

use holdup::update::{Field, FieldName, NewTask, PollStats, SourcePlace, Stamp, TaskId, TaskStats, Update, Value};
use std::time::Duration;

/// Up to what the issue asks for.
pub(crate) const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];

/// What tasks are called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    /// A hundred names for all of them.
    InGroups,
    /// Each its own.
    Apart,
}

pub(crate) fn at(second: u64) -> Stamp {
    Stamp::from_nanos((1_000_000 + second) * 1_000_000_000)
}

fn announce(id: u64, named: Named) -> NewTask {
    let name = match named {
        Named::InGroups => format!("worker-{}", id % 100),
        Named::Apart => format!("conn-{:07}", id.wrapping_mul(7_919) % 10_000_000),
    };
    let field = |name: &str, value| Field { name: FieldName::Text(name.into()), value };
    let fields = vec![
        field("kind", Value::Text("task".into())),
        field("task.name", Value::Text(name)),
        field("task.id", Value::U64(id)),
    ];
    let place = Some(SourcePlace { file: "src/worker.rs".into(), line: (id % 8) as u32 + 1, column: 5 });
    NewTask::from_fields(TaskId(id), None, fields, place)
}

fn stats(polls: u64, second: u64) -> TaskStats {
    TaskStats {
        created: Some(at(0)),
        last_wake: Some(at(second)),
        polls: PollStats {
            count: polls,
            last_started: Some(at(second).plus(Duration::from_micros(5))),
            last_ended: Some(at(second).plus(Duration::from_micros(35))),
            busy: Duration::from_micros(30) * polls as u32,
        },
        wakes: polls,
        waker_clones: polls + 1,
        waker_drops: polls,
        ..TaskStats::default()
    }
}

pub(crate) fn first_state(tasks: u64, named: Named) -> Update {
    Update {
        now: Some(at(1)),
        new_tasks: (1..=tasks).map(|id| announce(id, named)).collect(),
        task_stats: (1..=tasks).map(|id| (TaskId(id), stats(1 + id.wrapping_mul(2_654_435_761) % 1_000, 0))).collect(),
        ..Update::default()
    }
}

/// One percent of the tasks, spread over all of them.
pub(crate) fn one_percent(tasks: u64, second: u64) -> Update {
    let changed = (1..=tasks).step_by(100).map(|id| (TaskId(id + second % 100), stats(1_000 + second, second)));
    Update { now: Some(at(second + 1)), task_stats: changed.collect(), ..Update::default() }
}

/// The same with large futures: a share of the tasks, in percent, spread over so many places of their own.
pub(crate) fn large_futures(mut update: Update, share: u64, places: u64) -> Update {
    let large = update.new_tasks.iter_mut().filter(|task| task.id.0 % 100 < share);
    for (at, task) in large.enumerate() {
        task.fields.push(Field { name: FieldName::Text("size.bytes".into()), value: Value::U64(4_096) });
        let line = (at as u64 % places) as u32 + 1;
        task.place = Some(SourcePlace { file: "src/large.rs".into(), line, column: 5 });
    }
    update
}
