//! Whom the engine hears, whom it silences, and what it describes.

use crate::{
    diagnose::{Engine, Finding, Flag, Settings, Status},
    model::{Model, Retention, tests::service::Service},
    update::{NewTask, PollStats, SourcePlace, Stamp, TaskId, TaskStats, Update},
};
use std::time::Duration;

pub(super) struct Scene {
    pub(super) model: Model,
    pub(super) engine: Engine,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self { model: Model::new(Retention::default()), engine: Engine::new(&Settings::default()) }
    }

    pub(super) fn take(&mut self, update: Update) {
        self.model.apply(update);
        self.engine.observe(&self.model);
    }

    pub(super) fn active(&self) -> Vec<&'static str> {
        let active = self.engine.findings().filter(|finding| finding.status == Status::Active);
        active.map(|finding| finding.lint.name).collect()
    }

    pub(super) fn finding(&self, lint: &str) -> &Finding {
        self.engine.findings().find(|finding| finding.lint.name == lint).expect("it was found")
    }

    fn lints(&self, task: TaskId) -> Vec<&'static str> {
        self.engine.lints_of(&self.model, task).map(|(lint, _)| lint.name).collect()
    }
}

/// Plays one poll of this length with an update every 100 ms.
fn long_poll(scene: &mut Scene, service: &mut Service, task: TaskId, millis: u64) {
    service.wake(task).start(task);
    for _ in 0..millis / 100 {
        scene.take(service.pass(100).publish());
    }
    scene.take(service.end(task).publish());
}

#[test]
fn one_long_poll_silences_another_lint_only_while_its_finding_lasts() {
    let mut service = Service::new();
    let task = service.spawn("busy", "src/a.rs:1");
    service.keep_waker(task).poll(task, 0);
    let mut scene = Scene::new();
    scene.take(service.greet());
    scene.take(service.pass(100).publish());
    long_poll(&mut scene, &mut service, task, 500);
    assert_eq!(scene.finding("never-yields").status, Status::Past);
    // What is over was caught; what comes later, and is never caught in the act, is told of.
    service.pass(90_000);
    scene.take(service.publish());
    assert_eq!(scene.active(), [""; 0], "the poll is no longer news");
    for _ in 0..12 {
        service.wake(task).poll(task, 60).pass(20);
        scene.take(service.publish());
    }
    assert_eq!(scene.active(), ["long-polls"]);
    assert_eq!(scene.lints(task), ["long-polls"]);
}

#[test]
fn what_was_said_of_a_task_silences_nothing_of_another_with_its_id() {
    let at = |millis: u64| Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000);
    let announce = |line| NewTask {
        place: Some(SourcePlace { file: "src/a.rs".into(), line, column: 1 }),
        ..NewTask::new(TaskId(7))
    };
    let stats = |created, started, ended: Option<u64>, busy: u64, dropped: Option<u64>| TaskStats {
        created: Some(at(created)),
        dropped: dropped.map(at),
        waker_clones: 1,
        polls: PollStats {
            count: 1,
            last_started: Some(at(started)),
            last_ended: ended.map(at),
            busy: Duration::from_millis(busy),
        },
        ..TaskStats::default()
    };
    let update = |now, new: Option<NewTask>, stats| Update {
        now: Some(at(now)),
        new_tasks: new.into_iter().collect(),
        task_stats: vec![(TaskId(7), stats)],
        ..Update::default()
    };
    let mut scene = Scene::new();
    scene.take(update(100, Some(announce(1)), stats(0, 50, None, 0, None)));
    for now in [600, 1_100, 1_600] {
        scene.take(update(now, None, stats(0, 50, None, 0, None)));
    }
    assert_eq!(scene.active(), ["never-yields"]);
    // It ends, its row is let go of, and its id is given to another task, with a poll that nobody caught.
    scene.take(update(2_000, None, stats(0, 50, Some(1_900), 1_850, Some(1_900))));
    scene.take(update(12_000, Some(announce(2)), stats(11_000, 11_000, Some(11_001), 1, None)));
    let polled = TaskStats {
        wakes: 1,
        polls: PollStats { count: 2, ..stats(11_000, 12_100, Some(12_400), 301, None).polls },
        ..stats(11_000, 0, None, 0, None)
    };
    scene.take(update(12_500, None, polled));
    assert_eq!(scene.active(), ["long-polls"]);
}

/// Many tasks with large futures, in as many places as there are tasks in a group.
fn large(tasks: u64, places: u64) -> Update {
    let at = Stamp::from_nanos(1_000_000_000_000);
    let announce = |id: u64| NewTask {
        size: 2_000 + id as u32,
        place: Some(SourcePlace { file: "src/a.rs".into(), line: (id % places) as u32 + 1, column: 1 }),
        ..NewTask::new(TaskId(id))
    };
    let polls = PollStats { count: 1, last_started: Some(at), last_ended: Some(at), busy: Duration::ZERO };
    let stats = TaskStats { created: Some(at), waker_clones: 1, polls, ..TaskStats::default() };
    Update {
        now: Some(at.plus(Duration::from_secs(1))),
        new_tasks: (1..=tasks).map(announce).collect(),
        task_stats: (1..=tasks).map(|id| (TaskId(id), stats)).collect(),
        ..Update::default()
    }
}

fn second(seconds: u64) -> Update {
    Update { now: Some(Stamp::from_nanos((1_000 + seconds) * 1_000_000_000)), ..Update::default() }
}

fn drop_task(id: u64, seconds: u64) -> Update {
    let at = Stamp::from_nanos(1_000_000_000_000);
    let stats = TaskStats { created: Some(at), dropped: Some(at), waker_clones: 1, ..TaskStats::default() };
    Update { task_stats: vec![(TaskId(id), stats)], ..second(seconds) }
}

#[test]
fn of_many_findings_those_that_change_are_described_and_the_others_in_turn() {
    let mut scene = Scene::new();
    scene.take(large(3_000, 1_000));
    scene.take(second(2));
    assert_eq!(scene.engine.tally().note, 1_000);
    let subject = |scene: &Scene, line: usize| {
        let place = format!("src/a.rs:{line}");
        let about = |finding: &&Finding| format!("{:?}", finding.subject).contains(&format!("\"{place}\""));
        scene.engine.findings().find(about).map(|finding| (finding.message.clone(), finding.related.tasks_total))
    };
    // The largest of each place speaks for it: of the tasks 9, 1009 and 2009, the last.
    assert_eq!(subject(&scene, 10), Some(("its future takes 3.91 KiB".into(), 3)));
    scene.take(drop_task(2_009, 3));
    assert_eq!(subject(&scene, 10), Some(("its future takes 2.93 KiB".into(), 2)), "another one speaks");
    scene.take(drop_task(9, 4));
    assert_eq!(subject(&scene, 10), Some(("its future takes 2.93 KiB".into(), 1)), "the count is always right");
    let named = |scene: &Scene| {
        let names_itself = |finding: &&Finding| finding.related.tasks.len() + 1 > finding.related.tasks_total;
        scene.engine.findings().filter(names_itself).count()
    };
    scene.engine.describe_all(&scene.model);
    assert_eq!(named(&scene), 0, "whoever tells of all of them has all as they are");
    // Whatever is not described at an update has its turn later.
    scene.take(drop_task(2_500, 5));
    scene.take(drop_task(500, 6));
    let mut updates = 0;
    while named(&scene) > 0 {
        updates += 1;
        scene.take(second(6 + updates));
        assert!(updates < 20, "it never had its turn");
    }
}

#[test]
fn a_list_that_nothing_moves_in_keeps_its_order() {
    let mut scene = Scene::new();
    scene.take(large(50, 10));
    scene.take(second(2));
    let before = scene.engine.reordered();
    scene.take(second(3));
    assert_eq!(scene.engine.reordered(), before);
    scene.take(drop_task(50, 4));
    assert_eq!(scene.engine.reordered(), before, "others speak for its place");
}

#[test]
fn a_second_announcement_takes_a_task_to_another_group() {
    let mut scene = Scene::new();
    scene.take(large(4, 2));
    scene.take(second(2));
    let counts = |scene: &Scene| {
        let mut counts: Vec<usize> = scene.engine.findings().map(|finding| finding.related.tasks_total).collect();
        counts.sort_unstable();
        counts
    };
    assert_eq!(counts(&scene), [2, 2]);
    let mut again = large(4, 2);
    again.new_tasks.truncate(1);
    again.new_tasks[0].place = Some(SourcePlace { file: "src/b.rs".into(), line: 9, column: 1 });
    scene.take(Update { task_stats: Vec::new(), ..Update { new_tasks: again.new_tasks, ..second(3) } });
    assert_eq!(counts(&scene), [1, 1, 2]);
    let slot = scene.model.tasks().slot(TaskId(1)).expect("known");
    assert_eq!(scene.engine.flag(&scene.model, slot).map(Flag::count), Some(1));
    assert!(scene.engine.reflagged().contains(&slot));
    // A session that was cloned goes its own way.
    let clone = scene.engine.clone();
    scene.engine.begin_session();
    assert_eq!((clone.tally().note, scene.engine.tally().note), (3, 0));
    assert_eq!(scene.engine.findings().count(), 3, "what is over stays to be read");
}

#[test]
fn of_nine_hundred_and_fifty_places_whoever_tells_of_all_of_them_has_each() {
    let mut scene = Scene::new();
    scene.take(large(1_900, 950));
    scene.take(second(2));
    scene.engine.describe_all(&scene.model);
    assert_eq!(scene.engine.tally().note, 950);
    let subjects: std::collections::BTreeSet<String> =
        scene.engine.findings().map(|finding| format!("{:?}", finding.subject)).collect();
    assert_eq!(subjects.len(), 950, "each of its own place");
    let is_whole = |finding: &Finding| {
        let related = &finding.related;
        finding.status == Status::Active && related.tasks_total == 2 && related.tasks.len() == 1
    };
    assert!(scene.engine.findings().all(|finding| is_whole(finding) && !finding.message.is_empty()));
}
