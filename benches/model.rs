//! What the model and the lints cost: the first state, an update of one percent, and the diagnosis of both.
//!
//! `cargo bench --bench model`

mod service;

use divan::{Bencher, counter::ItemsCount};
use holdup::{
    diagnose::{Engine, Settings},
    model::{Model, Retention},
    update::{NewOp, OpId, OpStats, PollStats, ResourceId, TaskId, Update},
};
use service::{Named, SIZES, first_state, one_percent};

fn main() {
    divan::main();
}

fn loaded(tasks: u64) -> (Model, Engine) {
    let (mut model, mut engine) = (Model::new(Retention::default()), Engine::new(&Settings::default()));
    model.apply(first_state(tasks, Named::InGroups));
    engine.observe(&model);
    model.apply(one_percent(tasks, 1));
    engine.observe(&model);
    (model, engine)
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn apply_first_state(bencher: Bencher, tasks: u64) {
    bencher.counter(ItemsCount::new(tasks)).with_inputs(|| first_state(tasks, Named::InGroups)).bench_values(
        |update| {
            let mut model = Model::new(Retention::default());
            model.apply(update);
            model
        },
    );
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
fn clone(bencher: Bencher, tasks: u64) {
    let (model, _) = loaded(tasks);
    bencher.counter(ItemsCount::new(tasks)).bench_local(|| model.clone());
}

/// As [`clone`], of tasks that each wait on an operation, a hundred on each resource.
#[divan::bench(args = SIZES, sample_count = 20)]
fn clone_with_an_operation_each(bencher: Bencher, tasks: u64) {
    let (mut model, _) = loaded(tasks);
    let (now, polled) = (model.now(), PollStats { count: 1, last_ended: model.now(), ..PollStats::default() });
    let op = |task: u64| NewOp {
        id: OpId(task),
        parent: None,
        resource: Some(ResourceId(task / 100 + 1)),
        source: "Mutex::lock".into(),
    };
    let stats = |task: u64| {
        (OpId(task), OpStats { task: Some(TaskId(task)), created: now, polls: polled, ..OpStats::default() })
    };
    let (new_ops, op_stats) = ((1..=tasks).map(op).collect(), (1..=tasks).map(stats).collect());
    model.apply(Update { now, new_ops, op_stats, ..Update::default() });
    assert_eq!(model.ops().len() as u64, tasks);
    bencher.counter(ItemsCount::new(tasks)).bench_local(|| model.clone());
}

/// What follows a clone: the chunks that one percent of the tasks are in are copied.
#[divan::bench(args = SIZES, sample_count = 5)]
fn apply_one_percent_to_a_clone(bencher: Bencher, tasks: u64) {
    let (model, _) = loaded(tasks);
    let inputs = || (model.clone(), one_percent(tasks, 2));
    bencher.counter(ItemsCount::new(tasks / 100)).with_inputs(inputs).bench_local_values(|(mut model, update)| {
        model.apply(update);
        model
    });
}

#[divan::bench(args = SIZES, sample_count = 20)]
fn diagnose_one_percent(bencher: Bencher, tasks: u64) {
    let (mut model, mut engine) = loaded(tasks);
    model.apply(one_percent(tasks, 2));
    bencher.counter(ItemsCount::new(tasks / 100)).bench_local(|| engine.observe(&model));
}
