//! What a task waits for that is ready and not polled: a worker, or a processor for its worker. As an agent tells.

use super::engine::Scene;
use crate::{
    diagnose::{Engine, Finding, Measure, Settings},
    model::{Model, Retention, tests::service::Service},
    update::{
        Cause, Knows, RuntimeId, RuntimeStats, Stall, Stamp, TaskFacts, TaskId, TaskWakers, Thread, Update, Waking,
        WokenBy, WorkerId, WorkerStats,
    },
};
use std::time::Duration;

const MAIN: RuntimeId = RuntimeId(1);

/// A service with an agent, one worker of which is always busy.
struct Told {
    service: Service,
    scene: Scene,
    /// Milliseconds that have passed, and that the worker waited of each second, where that is told.
    millis: u64,
    waits: Option<u64>,
    /// What the worker polls, and what stalls.
    polling: Option<TaskId>,
    stalls: Vec<Stall>,
}

impl Told {
    fn new(waits: Option<u64>) -> Self {
        let knows = Knows::agent(&["wakers", "stalls"].map(str::to_owned));
        let scene =
            Scene { model: Model::told_by(knows, Retention::default()), engine: Engine::new(&Settings::default()) };
        Self { service: Service::new(), scene, millis: 0, waits, polling: None, stalls: Vec::new() }
    }

    fn spawn(&mut self, name: &str, place: &str) -> TaskId {
        let task = self.service.spawn(name, place);
        self.service.keep_waker(task).poll(task, 0);
        task
    }

    /// An update, after so many milliseconds.
    fn update(&mut self, millis: u64) {
        self.tell(millis, Vec::new());
    }

    fn tell(&mut self, millis: u64, task_wakers: Vec<(TaskId, TaskWakers)>) {
        let update = if self.millis == 0 { self.service.greet() } else { self.service.pass(millis).publish() };
        self.millis += millis;
        let worker = WorkerStats {
            id: WorkerId { runtime: MAIN, index: 0 },
            thread: Some(Thread { tid: 7, name: String::new() }),
            polling: self.polling,
            busy: Duration::from_millis(self.millis),
            cpu_wait: self.waits.map(|of_each| Duration::from_millis(self.millis * of_each / 1_000)),
            ..WorkerStats::default()
        };
        let facts = TaskFacts { parent: None, runtime: Some(MAIN) };
        self.scene.take(Update {
            workers: Some(vec![worker]),
            runtimes: Some(vec![RuntimeStats { id: MAIN, ..RuntimeStats::default() }]),
            task_facts: self.service.task_ids().into_iter().map(|task| (task, facts)).collect(),
            task_wakers,
            stalls: std::mem::take(&mut self.stalls),
            ..update
        });
    }

    fn starved(&self) -> &Finding {
        self.scene.finding("starved")
    }

    fn evidence(&self, name: &str) -> Option<Measure> {
        self.starved().evidence.iter().find(|fact| fact.name == name).map(|fact| fact.value.clone())
    }
}

/// A task that is woken and waits for its turn, on a worker that waits so long for a processor of each second.
fn waits_on_a_worker_that_waits(of_each: Option<u64>) -> Told {
    let mut told = Told::new(of_each);
    let task = told.spawn("ready", "src/ready.rs:3");
    for _ in 0..3 {
        told.update(1_000);
    }
    told.service.wake(task);
    told.update(1_000);
    told.update(1_000);
    assert_eq!(told.scene.active(), ["starved"]);
    told
}

#[test]
fn who_waits_for_a_worker_is_told_from_who_waits_for_a_processor() {
    let said = |of_each| {
        let told = waits_on_a_worker_that_waits(of_each);
        let waits_for = match told.evidence("waits for") {
            Some(Measure::Text(text)) => text,
            _ => String::new(),
        };
        (told.starved().message.clone(), waits_for)
    };
    let (message, waits_for) = said(Some(20));
    assert_eq!((message.as_str(), waits_for.as_str()), ("woken, and not polled for 2.00 s, for a worker", "a worker"));
    let (message, waits_for) = said(Some(800));
    assert!(message.ends_with("for a processor: its workers waited 80% of their time for one"), "{message}");
    assert_eq!(waits_for, "a processor");
    let (message, waits_for) = said(Some(400));
    assert!(message.ends_with(", for a worker; its workers waited 40% of their time for a processor"), "{message}");
    assert_eq!(waits_for, "a worker and a processor");
    let (message, waits_for) = said(None);
    assert_eq!((message.as_str(), waits_for.as_str()), ("woken, and not polled for 2.00 s", ""), "it is not told");
}

#[test]
fn of_a_mean_wait_it_is_told_how_much_was_for_a_processor() {
    let mut told = Told::new(Some(750));
    let task = told.spawn("ready", "src/ready.rs:3");
    told.update(1_000);
    for _ in 0..8 {
        for _ in 0..4 {
            told.service.wake(task).pass(200).poll(task, 1);
        }
        told.millis += 804;
        told.update(196);
    }
    assert_eq!(told.scene.active(), ["starved"]);
    let Some(Measure::Time(wait)) = told.evidence("of it for a CPU") else { panic!("{:?}", told.starved()) };
    assert!((140..=160).contains(&wait.as_millis()), "{wait:?}");
    let Some(Measure::Share(share)) = told.evidence("workers' CPU wait") else { panic!("{:?}", told.starved()) };
    assert!((share - 0.75).abs() < 0.02, "{share}");
}

#[test]
fn it_is_told_who_woke_it() {
    let mut told = Told::new(Some(20));
    let (task, feeder) = (told.spawn("ready", "src/ready.rs:3"), told.spawn("feeder", "src/feed.rs:9"));
    for _ in 0..3 {
        told.update(1_000);
    }
    told.service.wake(task);
    let waking = |by, count| Waking { by, count, last: Some(Stamp::from_nanos(1)) };
    let wakers = vec![
        waking(WokenBy::Task(feeder), 120),
        waking(WokenBy::Task(task), 1),
        waking(WokenBy::Runtime, 3),
        waking(WokenBy::Outside, 2),
    ];
    told.tell(1_000, vec![(task, TaskWakers { since: None, wakers, others: 7 })]);
    told.update(1_000);
    let Some(Measure::Text(by)) = told.evidence("woken by") else { panic!("{:?}", told.starved()) };
    assert!(by.contains("feeder (120 times); itself (once); the runtime: I/O, a timer or a turn"), "{by}");
    assert!(by.ends_with("yielded (3 times); code outside of any task (2 times); others before (7 times)"), "{by}");
}

/// A worker that has been in one poll for 3 s, of which it had so many milliseconds of a processor.
fn stalls(cause: Cause, on_cpu: u64) -> Vec<&'static str> {
    let mut told = Told::new(Some(900));
    let task = told.spawn("digest", "src/hash.rs:3");
    for _ in 0..3 {
        told.update(1_000);
    }
    told.service.wake(task).start(task);
    let since = told.service.now();
    let id = WorkerId { runtime: MAIN, index: 0 };
    for _ in 0..3 {
        told.polling = Some(task);
        told.stalls = vec![Stall {
            id: 1,
            runtime: MAIN,
            worker: Some(id),
            thread: None,
            task: Some(task),
            since,
            ended: None,
            cause,
            system_call: String::new(),
            kernel_function: String::new(),
            on_cpu: Duration::from_millis(on_cpu),
            queued: 0,
            stack: None,
            limitation: String::new(),
        }];
        told.update(1_000);
    }
    told.scene.active()
}

#[test]
fn who_is_polled_while_the_worker_has_no_processor_is_not_accused_of_that() {
    assert_eq!(stalls(Cause::Starved, 40), [""; 0]);
    assert_eq!(stalls(Cause::Starved, 400), ["stalled-worker"], "it needs that much itself");
    assert_eq!(stalls(Cause::Running, 40), ["stalled-worker"]);
    assert_eq!(stalls(Cause::Sleep, 0), ["stalled-worker"]);
}

/// A task whose polls take 40 ms each, on a worker that waits so long of each second.
fn long_polls(of_each: Option<u64>) -> Vec<&'static str> {
    let mut told = Told::new(of_each);
    let task = told.spawn("digest", "src/hash.rs:3");
    for _ in 0..3 {
        told.update(1_000);
    }
    for _ in 0..20 {
        told.service.wake(task).poll(task, 40);
        told.millis += 40;
        told.update(160);
    }
    told.scene.active()
}

#[test]
fn polls_that_are_long_for_want_of_a_processor_are_not_called_long() {
    assert_eq!(long_polls(Some(850)), [""; 0]);
    assert_eq!(long_polls(Some(50)), ["long-polls"]);
    assert_eq!(long_polls(None), ["long-polls"]);
}
