//! What an agent tells becomes findings, through the model and the lints that ship: cases that must fire, and cases that must
//! not. Services are played by hand.

#[path = "agent/locks.rs"]
mod locks;
mod support;

use holdup::{
    diagnose::{Confidence, Finding, Measure, Settings, Severity, Status, Subject},
    model::{Retention, Task},
    session::Session,
    source::{Connection, Event},
    update::{
        Begin, Cause, Loss, Panic, RuntimeId, RuntimeStats, SourcePlace, Span, Stack, Stall, Stamp, Standstill,
        TaskFacts, TaskId, Update, Value, VerdictKind, WorkerId, WorkerStats,
    },
};
use std::{sync::Arc, time::Duration};
use support::{
    agent::{self, MAIN},
    service::Service,
};

/// A service with an agent, and whoever watches it.
struct Scene {
    service: Service,
    session: Session,
}

impl Scene {
    fn new(service: Service) -> Self {
        let mut session = Session::new(&Settings::default(), Retention::default());
        session.apply(Event::Begin(Box::new(Begin::agent(1, agent::process()))));
        session.apply(Event::Connection(Connection::Live));
        let mut scene = Self { service, session };
        let first = scene.service.greet();
        scene.session.apply(Event::Update(Box::new(first)));
        scene
    }

    /// Time passes, and an update and a report are sent.
    fn pass(&mut self, millis: u64, report: impl FnOnce(Stamp) -> Update) -> &mut Self {
        let rows = self.service.pass(millis).publish();
        let update = agent::together(rows, report(self.service.now()));
        self.session.apply(Event::Update(Box::new(update)));
        self
    }

    /// A report is sent.
    fn tell(&mut self, report: impl FnOnce(Stamp) -> Update) -> &mut Self {
        let report = report(self.service.now());
        self.session.apply(Event::Update(Box::new(report)));
        self
    }

    fn active(&self, lint: &str) -> Vec<&Finding> {
        let findings = self.session.engine().findings().collect::<Vec<_>>();
        findings.into_iter().filter(|finding| finding.lint.name == lint && finding.status == Status::Active).collect()
    }

    /// The one finding of a lint that holds now.
    #[track_caller]
    fn finding(&self, lint: &str) -> &Finding {
        let active = self.active(lint);
        assert_eq!(active.len(), 1, "{lint}: {:#?}", self.names());
        active[0]
    }

    fn names(&self) -> Vec<(&'static str, Status)> {
        self.session.engine().findings().map(|finding| (finding.lint.name, finding.status)).collect()
    }
}

fn text<'a>(finding: &'a Finding, name: &str) -> Option<&'a str> {
    finding.evidence.iter().find(|evidence| evidence.name == name).and_then(|evidence| match &evidence.value {
        Measure::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

fn workers(polling: Option<(u32, TaskId, Stamp)>) -> Vec<WorkerStats> {
    (0..2)
        .map(|index| {
            let own = polling.filter(|&(on, ..)| on == index);
            WorkerStats {
                polling: own.map(|(_, task, _)| task),
                polling_since: own.map(|(.., since)| since),
                ..agent::worker(index, Duration::from_secs(1))
            }
        })
        .collect()
}

/// A task that entered a poll and has not come back.
fn stuck() -> (Scene, TaskId, Stamp) {
    let mut service = Service::new();
    let task = service.spawn("report", "src/report.rs:12");
    service.pass(10).start(task);
    let since = service.now();
    (Scene::new(service), task, since)
}

#[test]
fn a_stalled_worker_is_found_by_the_first_report_with_its_reason_and_its_line() {
    let (mut scene, task, since) = stuck();
    let spans = vec![(task, vec![Span { name: "request".into(), fields: vec![("id".into(), "7".into())] }])];
    scene.service.pass(150);
    scene.tell(|now| Update {
        workers: Some(workers(Some((1, task, since)))),
        stalls: vec![agent::stall(1, Some(1), task, since)],
        runtimes: Some(vec![RuntimeStats {
            verdicts: vec![agent::verdict(VerdictKind::DriverBlocked, since)],
            ..agent::runtime(1, "main", 2)
        }]),
        task_spans: spans,
        ..agent::report(now)
    });
    let finding = scene.finding("stalled-worker");
    assert_eq!((finding.severity, finding.confidence, finding.since), (Severity::Critical, Confidence::Exact, since));
    assert!(matches!(&finding.subject, Subject::Task(subject) if subject.name == "report"));
    assert_eq!(finding.message, "worker 1 150 ms in one poll: sleeps at src/report.rs:88; 14 tasks behind it");
    assert_eq!(text(finding, "span"), Some("request{id=7}"));
    assert_eq!(text(finding, "thread"), Some("sleeps on purpose, as by std::thread::sleep (clock_nanosleep)"));
    assert!(text(finding, "runtime").is_some_and(|said| said.contains("timers and I/O stand still")));
    assert_eq!(finding.related.worker.as_ref().map(|worker| worker.id.index), Some(1));
    assert_eq!(finding.related.stacks[0].stack.frames.len(), 7);
    assert!(
        scene.session.engine().lints_of(scene.session.model(), task).any(|(lint, _)| lint.name == "stalled-worker"),
        "the task is flagged"
    );
}

#[test]
fn the_same_poll_is_not_told_twice_and_when_it_is_over_that_is_so() {
    let (mut scene, task, since) = stuck();
    let report = |stall: Stall| {
        move |now| Update { workers: Some(workers(Some((0, task, since)))), stalls: vec![stall], ..agent::report(now) }
    };
    for _ in 0..4 {
        scene.pass(700, report(agent::stall(1, Some(0), task, since)));
    }
    assert_eq!(scene.finding("stalled-worker").episodes, 1);
    assert!(scene.active("never-yields").is_empty(), "it says the same less well");
    scene.service.end(task);
    let ended = Some(scene.service.now());
    scene.pass(5_000, report(Stall { ended, ..agent::stall(1, Some(0), task, since) }));
    scene.pass(700, |now| Update { workers: Some(workers(None)), ..agent::report(now) });
    assert!(scene.active("stalled-worker").is_empty());
    assert!(scene.active("long-polls").is_empty(), "it was told while it lasted");
}

#[test]
fn a_stall_between_two_reports_is_shown_all_the_same() {
    let (mut scene, task, since) = stuck();
    scene.service.pass(400).end(task);
    let ended = Some(scene.service.now());
    let stall = Stall { ended, ..agent::stall(1, Some(0), task, since) };
    scene.pass(100, |now| Update { stalls: vec![stall], ..agent::report(now) });
    assert!(scene.finding("stalled-worker").message.contains("400 ms"));
    scene.pass(1_200, agent::report);
    assert!(scene.active("stalled-worker").is_empty());
}

#[test]
fn what_an_agent_tells_of_a_standstill_is_taken_out_of_every_poll() {
    let (mut scene, task, since) = stuck();
    let polling = move |now| Update { workers: Some(workers(Some((0, task, since)))), ..agent::report(now) };
    scene.pass(60, polling);
    let from = scene.service.now();
    // Before the poll was over for long enough, and a stall that a slower agent makes of it.
    let stood = move |now| Update {
        standstills: vec![Standstill { from, to: now }],
        stalls: vec![agent::stall(1, Some(0), task, since)],
        ..polling(now)
    };
    scene.pass(2_000, stood).pass(20, polling).pass(10, polling);
    assert_eq!(scene.names(), [("stood-still", Status::Active)]);
    assert_eq!(
        scene.finding("stood-still").message,
        "the process stood still for 2.00 s: none of its tasks is at fault"
    );
    assert_eq!(scene.finding("stood-still").confidence, Confidence::Exact);
    // What lasts longer is a stall.
    scene.pass(100, polling);
    assert!(scene.finding("stalled-worker").message.contains("190 ms"), "{}", scene.finding("stalled-worker").message);
}

#[test]
fn a_poll_on_a_thread_that_is_no_worker_stalls_none() {
    // block_in_place: the poll lasts, its thread is no worker any more, and the workers poll others.
    let (mut scene, task, since) = stuck();
    for _ in 0..5 {
        scene.pass(700, |now| Update {
            workers: Some(workers(None)),
            stalls: vec![agent::stall(1, None, task, since)],
            ..agent::report(now)
        });
    }
    assert_eq!(scene.names(), [], "neither a stalled worker nor a task that never yields");
}

#[test]
fn a_worker_without_a_stall_is_none_however_long_it_is_parked_or_busy() {
    let mut service = Service::new();
    let task = service.spawn("busy", "src/main.rs:7");
    service.pass(10).poll(task, 5);
    let mut scene = Scene::new(service);
    for _ in 0..5 {
        scene.service.pass(695).wake(task).start(task).keep_waker(task);
        let since = scene.service.now();
        scene.pass(5, |now| Update { workers: Some(workers(Some((0, task, since)))), ..agent::report(now) });
        scene.service.end(task);
    }
    assert_eq!(scene.names(), []);
}

#[test]
fn without_a_watchdog_a_poll_on_a_worker_is_still_one_that_never_yields() {
    let (mut scene, task, since) = stuck();
    for _ in 0..3 {
        scene.pass(700, |now| Update { workers: Some(workers(Some((0, task, since)))), ..agent::report(now) });
    }
    assert_eq!(text(scene.finding("never-yields"), "caveat"), Some("The agent sees the poll on a worker."));
}

#[test]
fn a_stall_whose_task_or_stack_is_not_known_says_so() {
    let (mut scene, _, since) = stuck();
    let stall = Stall {
        task: None,
        cause: Cause::Unknown,
        stack: Some(Arc::new(Stack { limitation: "the capture is switched off".into(), ..Stack::default() })),
        limitation: "/proc cannot be read".into(),
        queued: 0,
        ..agent::stall(1, Some(1), TaskId(1), since)
    };
    scene.pass(300, |now| Update {
        stalls: vec![stall],
        runtimes: Some(vec![agent::runtime(1, "main", 2)]),
        ..agent::report(now)
    });
    let finding = scene.finding("stalled-worker");
    assert!(matches!(&finding.subject, Subject::Runtime(runtime) if runtime.name == "main"));
    assert_eq!(finding.message, "worker 1 300 ms in one poll: cause unknown");
    let said: Vec<_> = finding.evidence.iter().filter(|evidence| evidence.name == "not known").collect();
    assert_eq!(said.len(), 2);
}

#[test]
fn without_wakers_nobody_is_accused_of_having_lost_one() {
    for (wakers, found) in [("wakers", 1), ("nothing", 0)] {
        let mut service = Service::new();
        let task = service.spawn("asleep", "src/mailbox.rs:3");
        service.pass(5).poll(task, 1);
        let mut scene = Scene::new(service);
        let capabilities = vec![wakers.to_owned()];
        let process = holdup::source::Process { capabilities, ..agent::process() };
        scene.session.apply(Event::Begin(Box::new(Begin::agent(2, process))));
        let first = scene.service.greet();
        scene.session.apply(Event::Update(Box::new(first)));
        for _ in 0..4 {
            scene.pass(1_000, agent::report);
        }
        assert_eq!(scene.active("lost-waker").len(), found, "{wakers}");
        let unasked = scene.session.not_looked_for();
        let is_named = unasked.iter().any(|unasked| unasked.lint.name == "lost-waker" && !unasked.because.is_empty());
        assert_eq!(is_named, found == 0, "{unasked:?}");
    }
}

#[test]
fn long_polls_off_the_workers_are_nobodys_trouble() {
    // Again and again inside block_in_place, and nothing told of any worker that was kept.
    let mut service = Service::new();
    let task = service.spawn("digest", "src/hash.rs:3");
    service.keep_waker(task).pass(5);
    let mut scene = Scene::new(service);
    for _ in 0..4 {
        scene.service.wake(task).poll(task, 600);
        scene.pass(100, |now| Update { workers: Some(workers(None)), ..agent::report(now) });
    }
    assert_eq!(scene.names(), []);
}

/// A runtime whose pool has this many jobs waiting, and this many idle threads.
fn pool(waiting: u64, idle: u64) -> Vec<RuntimeStats> {
    vec![RuntimeStats { blocking_queue: waiting, idle_blocking_threads: idle, ..agent::runtime(1, "main", 2) }]
}

#[test]
fn a_blocking_pool_is_full_when_that_lasts() {
    let mut service = Service::new();
    let kind = [("kind", Value::Text("blocking".into()))];
    let runs = service.spawn_with("", "src/hash.rs:5", &kind);
    let waits = service.spawn_with("", "src/hash.rs:9", &kind);
    service.pass(10).start(runs);
    let mut scene = Scene::new(service);
    let report = |waiting, idle| move |now| Update { runtimes: Some(pool(waiting, idle)), ..agent::report(now) };
    scene.pass(700, report(3, 0));
    assert!(scene.active("blocking-pool-full").is_empty(), "a new thread takes a moment to start");
    scene.pass(700, report(5, 0)).pass(700, report(7, 0));
    let finding = scene.finding("blocking-pool-full");
    assert_eq!(
        (finding.severity, finding.message.as_str()),
        (Severity::Warning, "7 blocking jobs wait for a thread, all 4 busy for 1.40 s")
    );
    assert_eq!((finding.related.waiters[0].task.id, finding.related.waiters_total), (waits, 7));
    assert!(text(finding, "longest job").is_some_and(|job| job.contains("src/hash.rs:5")));
    assert!(scene.active("never-polled").is_empty(), "a job behind a full pool is the pool's matter");
    scene.pass(700, report(0, 0));
    assert!(scene.active("blocking-pool-full").is_empty());
    // Full, then not, then full: it never lasted.
    for round in 0..6 {
        scene.pass(700, report(round % 2, round % 2));
    }
    assert!(scene.active("blocking-pool-full").is_empty());
}

fn panicked(task: TaskId, at: Stamp) -> Panic {
    let place = SourcePlace { file: "src/parse.rs".into(), line: 40, column: 9 };
    Panic { task, message: "bad line\nof input".into(), place, at, task_name: String::new(), spawned_at: None }
}

#[test]
fn panics_of_one_spawn_location_are_one_finding_for_a_minute() {
    let mut service = Service::new();
    let tasks = ["a", "b"].map(|name| service.spawn(name, "src/net.rs:7"));
    let other = service.spawn("other", "src/other.rs:1");
    service.pass(5).poll(other, 1).keep_waker(other);
    let mut scene = Scene::new(service);
    for task in tasks {
        scene.service.poll(task, 1).finish(task);
        let at = scene.service.now();
        scene.pass(500, |now| Update { panics: vec![panicked(task, at)], ..agent::report(now) });
    }
    // The tasks themselves are let go of, and what was found names them still.
    for _ in 0..20 {
        scene.pass(1_000, agent::report);
    }
    let finding = scene.finding("panicked");
    assert_eq!(finding.message, "panicked 2 times, the last at src/parse.rs:40: bad line");
    assert!(matches!(&finding.subject, Subject::Task(subject) if subject.name == "b"));
    assert_eq!(text(finding, "said"), Some("bad line\nof input"));
    for _ in 0..60 {
        scene.pass(1_000, agent::report);
    }
    assert!(scene.active("panicked").is_empty());
    assert_eq!(scene.names(), [("panicked", Status::Past)], "a task that ended in peace is no panic");
}

#[test]
fn a_panic_that_is_told_before_its_task_is_named_as_soon_as_that_is() {
    let mut scene = Scene::new(Service::new());
    let task = scene.service.spawn("late", "src/net.rs:7");
    let at = scene.service.now();
    scene.tell(|now| Update { panics: vec![panicked(task, at)], ..agent::report(now) });
    scene.service.pass(1).poll(task, 1).finish(task);
    scene.pass(100, agent::report).pass(100, agent::report);
    assert!(matches!(&scene.finding("panicked").subject, Subject::Task(subject) if subject.name == "late"));
}

#[test]
fn a_thousand_panics_of_tasks_that_were_gone_already_are_one_finding_that_names_and_counts_them() {
    let mut scene = Scene::new(Service::new());
    let at = scene.service.now();
    let spawned_at = Some(SourcePlace { file: "src/net.rs".into(), line: 7, column: 1 });
    let gone = |id: u64| Panic { task_name: "conn".into(), spawned_at: spawned_at.clone(), ..panicked(TaskId(id), at) };
    scene.pass(100, |now| Update { panics: (900..2_000).map(gone).collect(), ..agent::report(now) });
    let finding = scene.finding("panicked");
    assert!(
        matches!(&finding.subject, Subject::Task(subject) if subject.name == "conn" && subject.place == "src/net.rs:7"),
        "{:?}",
        finding.subject
    );
    assert!(finding.message.starts_with("panicked 1100 times, the last at src/parse.rs:40"), "{}", finding.message);
    assert_eq!((finding.related.tasks_total, scene.active("panicked").len()), (1_100, 1));
    for _ in 0..70 {
        scene.pass(1_000, agent::report);
    }
    assert!(scene.active("panicked").is_empty());
}

#[test]
fn what_an_agent_lost_is_news_when_it_grows_and_what_ended_is_not_lost() {
    let mut scene = Scene::new(Service::new());
    let losses = |finished, unseen| {
        move |now| Update {
            losses: Some(vec![
                Loss { kind: "finished-tasks".into(), count: finished },
                Loss { kind: "unseen".into(), count: unseen },
            ]),
            ..agent::report(now)
        }
    };
    scene.pass(700, losses(5, 3)).pass(700, losses(9_000, 3)).pass(700, losses(18_000, 3));
    assert_eq!(
        scene.names(),
        [],
        "what was lost before we came, and what is over, is missing from nothing that is shown"
    );
    scene.pass(700, losses(18_000, 10));
    assert_eq!(scene.finding("lost-events").message, "the agent could not keep everything: 7 unseen");
}

#[test]
fn an_agent_that_announces_late_or_in_parts_is_neither_behind_nor_blind() {
    let mut service = Service::new();
    for _ in 0..500 {
        service.spawn("", "src/net.rs:7");
    }
    let mut scene = Scene::new(service);
    for _ in 0..3 {
        for _ in 0..130 {
            scene.service.spawn("", "src/net.rs:7");
        }
        scene.pass(5_000, agent::report);
    }
    assert!(scene.active("lagging-target").is_empty() && scene.active("blind-target").is_empty());
}

#[test]
fn tasks_are_found_by_their_spans_and_their_runtime() {
    use holdup::app::{Cache, Cx, Filter};
    let mut service = Service::new();
    let tasks = ["a", "b"].map(|name| service.spawn(name, "src/net.rs:7"));
    let mut scene = Scene::new(service);
    let span = Span { name: "request".into(), fields: vec![("peer".into(), "10.0.0.1".into())] };
    scene.pass(10, agent::report).tell(|now| Update {
        runtimes: Some(vec![agent::runtime(1, "main", 2), agent::runtime(2, "Metrics", 1)]),
        task_spans: vec![(tasks[0], vec![span])],
        task_facts: vec![
            (tasks[0], TaskFacts { parent: None, runtime: Some(MAIN) }),
            (tasks[1], TaskFacts { parent: Some(tasks[0]), runtime: Some(RuntimeId(2)) }),
        ],
        ..agent::report(now)
    });
    assert_eq!(scene.session.model().changes().tasks.len(), 3, "they are looked at again");
    let shown = |filter: &str| {
        let filter: Filter = filter.parse().unwrap();
        let (model, engine) = (scene.session.model(), scene.session.engine());
        let cx = Cx { model, engine, now: scene.service.now() };
        let tasks = model.tasks().iter().filter(|task| filter.matches(&cx, &mut Cache::default(), task));
        tasks.map(Task::id).collect::<Vec<_>>()
    };
    assert_eq!(shown("span:peer=10.0.0.1"), [tasks[0]]);
    assert_eq!(shown("-span:request"), [tasks[1]]);
    assert_eq!(shown("request"), [tasks[0]], "a word alone is looked for in spans too");
    assert_eq!(shown("runtime:metrics"), [tasks[1]]);
    let worker = WorkerId { runtime: RuntimeId(2), index: 0 };
    assert_eq!(scene.session.model().agent().worker_label(worker), "Metrics/0");
}

/// A drop that blocks does so in each task of its place.
#[test]
fn tasks_of_one_place_that_stall_one_after_the_other_are_one_finding() {
    let (mut scene, first, since) = stuck();
    scene.pass(150, |now| Update {
        workers: Some(workers(Some((0, first, since)))),
        stalls: vec![agent::stall(1, Some(0), first, since)],
        ..agent::report(now)
    });
    let mut before = (1, first, since);
    for number in 2..6 {
        let (id, task, since) = before;
        scene.service.end(task);
        let ended = Some(scene.service.now());
        let next = scene.service.spawn("report", "src/report.rs:12");
        scene.service.start(next);
        let began = scene.service.now();
        scene.pass(300, |now| Update {
            workers: Some(workers(Some((0, next, began)))),
            stalls: vec![
                Stall { ended, ..agent::stall(id, Some(0), task, since) },
                agent::stall(number, Some(0), next, began),
            ],
            ..agent::report(now)
        });
        before = (number, next, began);
    }
    let all: Vec<_> =
        scene.session.engine().findings().filter(|finding| finding.lint.name == "stalled-worker").collect();
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].episodes, 1);
    assert!(all[0].message.contains("more of this place"), "{}", all[0].message);
    assert!(scene.active("never-yields").is_empty() && scene.active("long-polls").is_empty(), "it says the same");
}
