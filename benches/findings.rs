//! What the engine costs where it finds something: many tasks, a share of them flagged, in so many places.
//!
//! `cargo bench --bench findings`

mod service;

use divan::{Bencher, counter::ItemsCount};
use holdup::{
    diagnose::{Engine, Settings},
    model::{Model, Retention},
    update::Update,
};
use service::{Named, at, first_state, large_futures, one_percent};

fn main() {
    divan::main();
}

/// Tasks, the share of them that are flagged in percent, and in how many places.
const CASES: [(u64, u64, u64); 6] = [
    (100_000, 2, 950),
    (1_000_000, 0, 950),
    (1_000_000, 2, 950),
    (1_000_000, 10, 950),
    (1_000_000, 100, 950),
    (1_000_000, 100, 8),
];

fn loaded((tasks, share, places): (u64, u64, u64)) -> (Model, Engine) {
    let mut model = Model::new(Retention { max_bytes: usize::MAX, ..Retention::default() });
    let mut engine = Engine::new(&Settings::default());
    model.apply(large_futures(first_state(tasks, Named::InGroups), share, places));
    engine.observe(&model);
    model.apply(Update { now: Some(at(2)), ..Update::default() });
    (model, engine)
}

/// All tasks are judged, and what they come to is raised and described.
#[divan::bench(args = CASES, sample_count = 3, sample_size = 1)]
fn judge_first_state(bencher: Bencher, case: (u64, u64, u64)) {
    let (model, engine) = loaded(case);
    bencher
        .counter(ItemsCount::new(case.0))
        .with_inputs(|| engine.clone())
        .bench_local_refs(|engine| engine.observe(&model));
}

/// An update of one percent of the tasks.
#[divan::bench(args = CASES, sample_count = 10, sample_size = 1)]
fn judge_one_percent(bencher: Bencher, case: (u64, u64, u64)) {
    let (mut model, mut engine) = loaded(case);
    engine.observe(&model);
    model.apply(one_percent(case.0, 2));
    bencher.counter(ItemsCount::new(case.0 / 100)).bench_local(|| engine.observe(&model));
}

/// A copy of the engine, as it is made with a session.
#[divan::bench(args = CASES, sample_count = 10, sample_size = 1)]
fn clone(bencher: Bencher, case: (u64, u64, u64)) {
    let (model, mut engine) = loaded(case);
    engine.observe(&model);
    bencher.bench_local(|| engine.clone());
}
