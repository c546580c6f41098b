//! One target after another, made up: what is told of it, and that it stays within bounds and right.

#![allow(clippy::float_cmp, reason = "counts are exact in a float")]

use super::{
    collector::{Collector, Hears},
    findings::Turn,
};
use crate::{
    diagnose::{LINTS, Settings},
    model::Retention,
    update::{
        Begin, Connection, Event, Flavor, LockStats, Loss, NewTask, PollStats, Process, RuntimeId, RuntimeStats,
        SourcePlace, Stamp, TaskFacts, TaskId, TaskStats, Update, WorkerId, WorkerStats, look::Grade,
    },
};
use holdup_metrics::{Format, Label, Metric, OTHER, Page, SERIES, Sources, TABLE, Target};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[path = "../../tests/support/service.rs"]
#[expect(clippy::duplicate_mod, reason = "no room is to know another's tests")]
mod service;

use service::{Service, Take};

const LITTLE: Retention = Retention { keep: Some(Duration::ZERO), most: 10, max_bytes: 4 << 20, beside: 0 };

/// Tasks of one update.
const EACH: u64 = 1_000;

fn at(second: u64) -> Stamp {
    Stamp::from_nanos((1_000_000 + second) * 1_000_000_000)
}

fn collector() -> Collector {
    Collector::new(&Settings::default(), LITTLE, None)
}

fn take(collector: &mut Collector, event: Event) {
    collector.take(event, 1_700_000_000_000_000_000);
}

fn attach(collector: &mut Collector, begin: Begin) {
    take(collector, Event::Begin(Box::new(begin)));
    take(collector, Event::Connection(Connection::Live));
}

fn lose(collector: &mut Collector) {
    let lost = Connection::Lost { reason: "broken pipe".into(), retry_in: Duration::from_secs(1), attempt: 1 };
    take(collector, Event::Connection(lost));
}

fn tell(collector: &mut Collector, update: Update) {
    take(collector, Event::Update(Box::new(update)));
}

fn agent(boot: &str) -> Begin {
    let process = Process {
        boot_id: boot.into(),
        name: "orders".into(),
        tokio_version: "1.54.1".into(),
        capabilities: ["stalls", "wakers", "scheduled"].map(String::from).into(),
        ..Process::default()
    };
    Begin::agent(1, process)
}

/// Tasks of these numbers, each of a place of its own, polled so often; those below `ended` are over.
fn tasks(numbers: std::ops::Range<u64>, polls: u64, ended: u64, second: u64) -> Update {
    let place = |id: u64| SourcePlace { file: "src/made.rs".into(), line: id as u32 + 1, column: 1 };
    let new = |id: u64| NewTask { place: Some(place(id)), ..NewTask::new(TaskId(id + 1)) };
    let stats = |id: u64| TaskStats {
        created: Some(at(0)),
        dropped: (id < ended).then(|| at(second)),
        polls: PollStats { count: polls, busy: Duration::from_secs(polls), ..PollStats::default() },
        ..TaskStats::default()
    };
    Update {
        now: Some(at(second)),
        new_tasks: numbers.clone().map(new).collect(),
        task_stats: numbers.map(|id| (TaskId(id + 1), stats(id))).collect(),
        ..Update::default()
    }
}

fn series(page: &Page, metric: Metric) -> f64 {
    page.sum(metric)
}

/// What a page tells that has values, and what this source can know.
fn tells_only(page: &Page, source: Sources) {
    let text = Format::Text.write(vec![Target { labels: Vec::new(), page: page.clone() }]);
    for family in TABLE {
        let name = format!("# TYPE {} ", family.name());
        let can = family.from.has(source) || family.from.has(Sources::EXPORT);
        assert!(can || !text.contains(&name), "{name} is not {source:?}'s to tell");
    }
}

#[test]
fn every_lint_that_can_judge_is_there_with_nothing_found_and_no_other() {
    for (begin, source) in [
        (Begin::console(1), Sources::STOCK),
        (agent("a"), Sources::AGENT),
        (Begin::memory(1, Process::default(), Grade::Full), Sources::MEMORY),
    ] {
        let knows = begin.knows.clone();
        let mut collector = collector();
        attach(&mut collector, begin);
        let page = collector.page();
        tells_only(&page, source);
        for lint in LINTS {
            let able = knows.facts().has_all(lint.needs).then_some(0.0);
            for severity in lint.severities {
                for metric in [Metric::Findings, Metric::FindingsBegun] {
                    assert_eq!(page.value(metric, &[lint.name, severity.name()]), able, "{}", lint.name);
                }
            }
            assert_eq!(page.value(Metric::FindingAge, &[lint.name]), able, "{}", lint.name);
        }
    }
}

#[test]
fn a_lint_that_is_switched_off_is_not_there() {
    let mut settings = Settings::default();
    settings.disable("deadlock").unwrap();
    let mut collector = Collector::new(&settings, LITTLE, None);
    attach(&mut collector, Begin::console(1));
    assert_eq!(collector.page().value(Metric::FindingAge, &["deadlock"]), None);
}

#[test]
fn a_finding_is_counted_when_it_begins_and_told_while_it_lasts() {
    let mut collector = collector();
    attach(&mut collector, Begin::console(1));
    let task = |size| NewTask { size, place: None, ..NewTask::new(TaskId(7)) };
    let large = Update { new_tasks: vec![task(100_000)], ..tasks(6..7, 1, 0, 1) };
    let numbers = |collector: &mut Collector| {
        let page = collector.page();
        let labels = ["large-future", "note"];
        (page.value(Metric::Findings, &labels), page.value(Metric::FindingsBegun, &labels))
    };
    tell(&mut collector, large);
    for second in 2..4 {
        tell(&mut collector, tasks(0..1, second, 0, second));
    }
    assert_eq!(numbers(&mut collector), (Some(1.0), Some(1.0)));
    assert!(collector.page().value(Metric::FindingAge, &["large-future"]).is_some_and(|age| age > 0.0));
    for second in 4..6 {
        tell(&mut collector, tasks(6..7, 1, 7, second));
    }
    assert_eq!(numbers(&mut collector), (Some(0.0), Some(1.0)));
    assert_eq!(collector.page().value(Metric::FindingAge, &["large-future"]), Some(0.0));
}

#[test]
fn somebody_is_told_of_a_finding_once_when_it_begins_and_once_when_it_ends_or_is_lost() {
    let turns = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&turns);
    let hears: Hears = Box::new(move |heard| {
        let (lint, place, service) = (heard.finding.lint.name, heard.place.clone(), heard.whose.service.clone());
        told.lock().unwrap().push((lint, heard.turn, place, service, heard.lasted.as_secs()));
    });
    let mut collector = Collector::new(&Settings::default(), LITTLE, Some(hears));
    let large = || Update {
        new_tasks: vec![NewTask {
            size: 100_000,
            place: Some(SourcePlace { file: "/srv/orders/src/made.rs".into(), line: 7, column: 1 }),
            ..NewTask::new(TaskId(7))
        }],
        ..tasks(6..7, 1, 0, 1)
    };
    attach(&mut collector, agent("a"));
    tell(&mut collector, large());
    for second in 2..4 {
        tell(&mut collector, tasks(0..1, second, 0, second));
    }
    for second in 4..6 {
        tell(&mut collector, tasks(6..7, 1, 7, second));
    }
    attach(&mut collector, agent("a"));
    tell(&mut collector, large());
    tell(&mut collector, tasks(0..1, 2, 0, 3));
    lose(&mut collector);
    lose(&mut collector);
    let all = turns.lock().unwrap();
    let large: Vec<_> = all.iter().filter(|(lint, ..)| *lint == "large-future").collect();
    let turns: Vec<Turn> = large.iter().map(|(_, turn, ..)| *turn).collect();
    assert_eq!(turns, [Turn::Begun, Turn::Over, Turn::Begun, Turn::Lost], "{all:?}");
    assert!(large.iter().all(|(_, _, place, service, _)| place == "orders/src/made.rs:7" && service == "orders"));
    assert!(large[1].4 > 0, "{all:?}");
    // Also one that another explains ends.
    let (begun, ended): (Vec<_>, Vec<_>) = all.iter().partition(|(_, turn, ..)| *turn == Turn::Begun);
    assert!(begun.len() > 4 && begun.len() == ended.len(), "{all:?}");
}

#[test]
fn a_hundred_thousand_spawn_locations_are_bounded_and_their_sums_are_right() {
    let mut collector = collector();
    attach(&mut collector, Begin::console(1));
    for round in 0..100_u64 {
        let numbers = round * EACH..(round + 1) * EACH;
        tell(&mut collector, tasks(numbers.clone(), 1, 0, 2 * round));
        tell(&mut collector, Update { new_tasks: Vec::new(), ..tasks(numbers, 3, u64::MAX, 2 * round + 1) });
        if round % 10 == 0 {
            let _ = collector.page();
        }
    }
    tell(&mut collector, tasks(200_000..200_005, 2, 0, 300));
    let page = collector.page();
    assert_eq!(series(&page, Metric::TaskPolls), 300_010.0, "those that are over and gone included");
    assert_eq!(series(&page, Metric::SpawnedTasks), 100_005.0);
    assert_eq!(series(&page, Metric::Tasks), 5.0);
    assert_eq!(page.value(Metric::AliveTasks, &[""]), Some(5.0));
    assert!(page.value(Metric::FoldedSeries, &[Label::Location.word()]).is_some_and(|folded| folded > 4_096.0));
    assert!(page.value(Metric::TaskPolls, &[OTHER]).is_some_and(|polls| polls > 290_000.0));
    assert!(page.lines() <= SERIES, "{}", page.lines());
}

#[test]
fn counters_go_on_while_the_process_is_the_same_and_begin_anew_with_another() {
    let mut collector = collector();
    attach(&mut collector, agent("a"));
    let with_losses = |mut update: Update, count: u64| {
        let facts = TaskFacts { parent: None, runtime: Some(RuntimeId(1)) };
        update.task_facts = update.new_tasks.iter().map(|task| (task.id, facts)).collect();
        update.losses = Some(vec![Loss { kind: "spans".into(), count }]);
        update.runtimes = Some(vec![RuntimeStats { id: RuntimeId(1), name: "main".into(), ..RuntimeStats::default() }]);
        update
    };
    tell(&mut collector, with_losses(tasks(0..10, 2, 0, 1), 1));
    tell(&mut collector, with_losses(Update { new_tasks: Vec::new(), ..tasks(0..5, 4, 5, 2) }, 1));
    tell(&mut collector, with_losses(tasks(5..6, 2, 0, 9), 2));
    let numbers = |collector: &mut Collector| {
        let page = collector.page();
        (
            series(&page, Metric::TaskPolls),
            series(&page, Metric::TaskBusy),
            page.value(Metric::SpawnedTasks, &["main"]),
            page.value(Metric::LostEvents, &["spans"]),
        )
    };
    assert_eq!(numbers(&mut collector), (30.0, 30.0, Some(10.0), Some(2.0)));

    lose(&mut collector);
    let page = collector.page();
    assert_eq!((page.lines(), page.value(Metric::TargetUp, &[])), (2, Some(0.0)));
    assert_eq!(page.value(Metric::TargetLastUpdate, &[]), Some(1_700_000_000.0));

    // Of ten tasks five had ended, and one more did meanwhile; the others went on.
    attach(&mut collector, agent("a"));
    tell(&mut collector, with_losses(tasks(6..10, 2, 0, 20), 2));
    assert_eq!(numbers(&mut collector), (30.0, 30.0, Some(10.0), Some(2.0)));
    tell(&mut collector, with_losses(tasks(6..11, 3, 0, 21), 5));
    assert_eq!(numbers(&mut collector), (37.0, 37.0, Some(11.0), Some(5.0)), "four polls, and a task that has three");

    // It is lost before its first update is whole, and comes back once more.
    lose(&mut collector);
    attach(&mut collector, agent("a"));
    tell(&mut collector, Update { part: crate::update::Part::More, ..tasks(6..8, 3, 0, 30) });
    assert!(numbers(&mut collector).0 >= 37.0);
    lose(&mut collector);
    attach(&mut collector, agent("a"));
    tell(&mut collector, with_losses(tasks(6..11, 3, 0, 31), 5));
    assert_eq!(numbers(&mut collector), (37.0, 37.0, Some(11.0), Some(5.0)));

    attach(&mut collector, agent("b"));
    tell(&mut collector, with_losses(tasks(0..2, 1, 0, 1), 0));
    assert_eq!(numbers(&mut collector), (2.0, 2.0, Some(2.0), Some(0.0)));
}

#[test]
fn locks_count_on_when_they_are_gone_and_waiters_are_those_that_wait() {
    let mut service = Service::new();
    let mut collector = collector();
    attach(&mut collector, Begin::console(1));
    let lock = service.mutex("src/db.rs:7");
    let [one, two] = ["one", "two"].map(|name| service.spawn(name, "src/main.rs:1"));
    tell(&mut collector, service.greet());
    for _ in 0..3 {
        service.start(one).take(one, lock, Take::Lock).pass(5).release(lock, Take::Lock).end(one);
        tell(&mut collector, service.pass(1_000).publish());
    }
    let labels = ["src/db.rs:7", "Mutex"];
    let page = collector.page();
    assert_eq!(page.value(Metric::LockAcquisitions, &labels), Some(3.0));
    assert_eq!(page.value(Metric::LockWaiters, &labels), Some(0.0));
    service.start(one).take(one, lock, Take::Lock).end(one);
    service.start(two).ask(two, lock, Take::Lock);
    service.end(two);
    for _ in 0..3 {
        tell(&mut collector, service.pass(1_000).publish());
    }
    assert_eq!(collector.page().value(Metric::LockWaiters, &labels), Some(1.0));
    service.cancel(two).start(one).release(lock, Take::Lock).end(one).drop_resource(lock);
    for _ in 0..5 {
        tell(&mut collector, service.pass(1_000).publish());
    }
    let page = collector.page();
    assert!(page.value(Metric::LockAcquisitions, &labels).is_some_and(|count| count >= 4.0));
    assert_eq!(page.value(Metric::LockWaiters, &labels), None);
}

#[test]
fn an_agent_tells_what_its_clients_are_told_and_of_the_rest_there_is_nothing() {
    let mut collector = collector();
    attach(&mut collector, agent("a"));
    let hostile = "x\"}\n\u{1b}[2J\\";
    let runtime = RuntimeStats {
        id: RuntimeId(1),
        name: hostile.into(),
        flavor: Some(Flavor::MultiThread),
        workers: 2,
        alive_tasks: 5,
        ..RuntimeStats::default()
    };
    let worker = |index| WorkerStats {
        id: WorkerId { runtime: RuntimeId(1), index },
        busy: Duration::from_secs(3),
        ..WorkerStats::default()
    };
    let facts = TaskFacts { parent: None, runtime: Some(RuntimeId(1)) };
    let mut service = Service::new();
    service.mutex("src/db.rs:7");
    let id = service.lock_ids()[0];
    let rows = service.greet();
    let update = Update {
        runtimes: Some(vec![runtime]),
        workers: Some((0..2).map(worker).collect()),
        losses: Some(vec![Loss { kind: "unseen".into(), count: 3 }]),
        task_facts: vec![(TaskId(1), facts)],
        metadata: rows.metadata,
        new_resources: rows.new_resources,
        resource_stats: rows.resource_stats,
        locks: vec![LockStats { acquisitions: 9, ..LockStats::new(id) }],
        ..tasks(0..1, 1, 0, 1)
    };
    tell(&mut collector, update);
    let page = collector.page();
    tells_only(&page, Sources::AGENT);
    let text = Format::Text.write(vec![Target { labels: Vec::new(), page: page.clone() }]);
    for family in TABLE.iter().filter(|family| family.from.has(Sources::AGENT)) {
        let is_there = text.contains(&format!("# TYPE {} ", family.name()));
        let is_left_out = [Metric::PollDuration, Metric::ScheduleDelay, Metric::LockWait, Metric::BuildInfo];
        assert_eq!(is_there, !is_left_out.contains(&family.metric), "{}", family.name());
    }
    assert_eq!(page.value(Metric::LockAcquisitions, &["src/db.rs:7", "Mutex"]), Some(9.0));
    assert_eq!(series(&page, Metric::WorkerBusy), 6.0);
    assert!(text.contains("tokio_workers{runtime=\"x\\\"}\u{fffd}\u{fffd}[2J\\\\\"} 2.0"), "{text}");
}
