//! Very many findings at once: each is there, all that are shown are described, and all end.

use super::engine::Scene;
use crate::{
    diagnose::{Engine, LINTS, Settings, Status, lint_mask},
    model::{Model, Retention},
    update::{
        Access, Across, Holder, Knows, LockStats, NewResource, NewTask, OpId, PollStats, ResourceId, SourcePlace,
        Stamp, TaskId, TaskStats, Update, Waiting,
    },
};
use std::time::Duration;

pub(super) const LOCKS: u64 = 10_000;

fn at(seconds: u64) -> Stamp {
    Stamp::from_nanos((1_000 + seconds) * 1_000_000_000)
}

/// Tasks that sleep, and locks, none of them in use.
pub(super) fn service() -> Update {
    let place = Some(SourcePlace { file: "src/a.rs".into(), line: 1, column: 1 });
    let polls = PollStats { count: 1, last_started: Some(at(0)), last_ended: Some(at(0)), busy: Duration::ZERO };
    let stats = TaskStats { created: Some(at(0)), waker_clones: 1, polls, ..TaskStats::default() };
    let lock = |id| NewResource {
        id: ResourceId(id),
        metadata: None,
        parent: None,
        kind: "Sync".into(),
        concrete_type: "Mutex".into(),
        target: "tokio::sync::mutex".into(),
        place: place.clone(),
        internal: false,
    };
    Update {
        now: Some(at(1)),
        new_tasks: (1..=LOCKS + 1).map(|id| NewTask { place: place.clone(), ..NewTask::new(TaskId(id)) }).collect(),
        task_stats: (1..=LOCKS + 1).map(|id| (TaskId(id), stats)).collect(),
        new_resources: (1..=LOCKS).map(lock).collect(),
        ..Update::default()
    }
}

/// What is told of every lock: who has it, for whom another task waits.
pub(super) fn held(seconds: u64, holder: impl Fn(u64) -> Option<u64>) -> Update {
    let lock = |id| {
        let holder = holder(id).map(|task| Holder {
            task: Some(TaskId(task)),
            thread: None,
            access: Access::Exclusive,
            since: at(0),
            across: Across::Await,
            acquired_at: None,
            suspended_at: None,
        });
        let waits =
            Waiting { op: OpId(id), task: Some(TaskId(LOCKS + 1)), access: Access::Exclusive, since: Some(at(1)) };
        let waiters = holder.iter().map(|_| waits).collect();
        LockStats { across_count: 1, holders: holder.into_iter().collect(), waiters, ..LockStats::new(ResourceId(id)) }
    };
    Update { now: Some(at(seconds)), locks: (1..=LOCKS).map(lock).collect(), ..Update::default() }
}

fn finds_each_and_ends_each(holder: impl Fn(u64) -> u64) {
    let knows = Knows::agent(&["locks".to_owned(), "wakers".to_owned()]);
    let model = Model::told_by(knows, Retention::default());
    let mut scene = Scene { model, engine: Engine::new(&Settings::default()) };
    scene.take(service());
    let active = |scene: &Scene| {
        let active = scene.engine.findings().filter(|finding| finding.status == Status::Active);
        active.filter(|finding| finding.lint.name == "held-across-await").count() as u64
    };
    for seconds in 2..8 {
        scene.take(held(seconds, |lock| Some(holder(lock))));
    }
    assert_eq!(active(&scene), LOCKS);
    let shown = scene.engine.findings().take(100);
    assert!(
        shown.into_iter().all(|finding| finding.message.contains("held for 7.") && finding.related.holder.is_some())
    );
    let accused = TaskId(holder(1));
    assert!(scene.engine.lints_of(&scene.model, accused).any(|(lint, _)| lint.name == "held-across-await"));
    for seconds in 8..20 {
        scene.take(held(seconds, |_| None));
    }
    assert_eq!(active(&scene), 0);
    assert!(scene.engine.lints_of(&scene.model, accused).next().is_none());
    let kept = scene.engine.findings().count();
    assert!(kept <= 1_000, "{kept} that are over are kept");
}

#[test]
fn ten_thousand_locks_that_are_held_across_an_await_are_found_and_let_go_of() {
    finds_each_and_ends_each(|lock| lock);
}

#[test]
fn and_so_are_those_that_one_task_holds() {
    finds_each_and_ends_each(|_| 1);
}

#[test]
fn each_lint_is_told_from_all_others_in_a_set() {
    let masks: Vec<u64> = LINTS.iter().map(|&lint| lint_mask(|other| other == lint)).collect();
    let all = masks.iter().fold(0, |all, mask| all | mask);
    assert_eq!(
        (all.count_ones() as usize, masks.iter().filter(|mask| mask.is_power_of_two()).count()),
        (LINTS.len(), LINTS.len())
    );
}
