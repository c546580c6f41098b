//! What the model and the lints cost: the first state, an update of one percent, and the diagnosis of both.
//!
//! `cargo bench --bench model`

use divan::{Bencher, counter::ItemsCount};
use holdup::{
    diagnose::{Engine, Settings},
    model::{
        Model, Retention, Stamp, TaskId,
        update::{Field, FieldName, NewTask, PollStats, SourcePlace, TaskStats, Update, Value},
    },
};
use std::time::Duration;

const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

fn at(second: u64) -> Stamp {
    Stamp::from_nanos((1_000_000 + second) * 1_000_000_000)
}

fn announce(id: u64) -> NewTask {
    let field = |name: &str, value| Field { name: FieldName::Text(name.into()), value };
    NewTask {
        id: TaskId(id),
        metadata: None,
        fields: vec![
            field("kind", Value::Text("task".into())),
            field("task.name", Value::Text(format!("worker-{}", id % 100))),
            field("task.id", Value::U64(id)),
        ],
        place: Some(SourcePlace { file: "src/worker.rs".into(), line: (id % 8) as u32 + 1, column: 5 }),
    }
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

fn first_state(tasks: u64) -> Update {
    Update {
        now: Some(at(1)),
        new_tasks: (1..=tasks).map(announce).collect(),
        task_stats: (1..=tasks).map(|id| (TaskId(id), stats(1, 0))).collect(),
        ..Update::default()
    }
}

/// One percent of the tasks, spread over all of them.
fn one_percent(tasks: u64, second: u64) -> Update {
    let changed = (1..=tasks).step_by(100).map(|id| (TaskId(id + second % 100), stats(second + 1, second)));
    Update { now: Some(at(second + 1)), task_stats: changed.collect(), ..Update::default() }
}

fn loaded(tasks: u64) -> (Model, Engine) {
    let (mut model, mut engine) = (Model::new(Retention::default()), Engine::new(&Settings::default()));
    model.apply(first_state(tasks));
    engine.observe(&model);
    model.apply(one_percent(tasks, 1));
    engine.observe(&model);
    (model, engine)
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn apply_first_state(bencher: Bencher, tasks: u64) {
    bencher.counter(ItemsCount::new(tasks)).with_inputs(|| first_state(tasks)).bench_values(|update| {
        let mut model = Model::new(Retention::default());
        model.apply(update);
        model
    });
}

#[divan::bench(args = SIZES, sample_count = 20)]
fn apply_one_percent(bencher: Bencher, tasks: u64) {
    let (mut model, _) = loaded(tasks);
    let mut second = 1;
    let next = || {
        second += 1;
        one_percent(tasks, second)
    };
    bencher.counter(ItemsCount::new(tasks / 100)).with_inputs(next).bench_local_values(|update| model.apply(update));
}

#[divan::bench(args = SIZES, sample_count = 20)]
fn diagnose_one_percent(bencher: Bencher, tasks: u64) {
    let (mut model, mut engine) = loaded(tasks);
    model.apply(one_percent(tasks, 2));
    bencher.counter(ItemsCount::new(tasks / 100)).bench_local(|| engine.observe(&model));
}
