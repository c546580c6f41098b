//! What cannot be kept is counted, what is kept is bounded, and what ended long ago is told to nobody.

use crate::{
    clients::{Clients, block_on, next, until},
    process::{Roles, Service, say, until_stdin_ends},
};
use console_api::tasks::{Stats, TaskUpdate};
use holdup_proto::v1::Report;
use std::{
    collections::{HashMap, HashSet},
    thread,
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

pub(crate) const ROLES: Roles =
    &[("losses-flood", flood), ("losses-ended", ended), ("losses-scheduled", scheduled), ("losses-crowd", crowd)];

/// More than is kept for a client that is behind.
const SPAWNED: u64 = 60_000;
const ENDED: usize = 100;
const CROWD: u64 = 60_000;
const LATE: Duration = Duration::from_millis(30);

fn agent() -> holdup_agent::Agent {
    let builder = holdup_agent::builder().from_env();
    let agent = builder.address(([127, 0, 0, 1], 0).into()).try_init().expect("it starts");
    say(agent.address().expect("it listens"));
    agent
}

/// The service does something when its test says so.
fn until_told() {
    std::io::stdin().read_line(&mut String::new()).expect("stdin can be read");
}

fn spawn_short(runtime: &Runtime, waves: u64, of: u64) {
    runtime.block_on(async {
        for _ in 0..waves {
            let wave: Vec<_> = (0..of).map(|_| tokio::spawn(async {})).collect();
            for task in wave {
                task.await.expect("it does not panic");
            }
        }
    });
}

/// Spawns more short tasks, faster, than can be kept for a client to be told of.
fn flood() {
    let _agent = agent();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    spawn_short(&runtime, 1, 1);
    say("ready");
    until_told();
    let before = resident();
    spawn_short(&runtime, SPAWNED / 100, 100);
    say(resident().saturating_sub(before));
    until_stdin_ends();
}

/// Some tasks that have ended.
fn ended() {
    let _agent = agent();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    spawn_short(&runtime, 1, ENDED as u64);
    thread::sleep(Duration::from_millis(600));
    say("ready");
    until_stdin_ends();
}

/// A task that waits for its turn, and says its id, in a runtime with the agent's hooks and in one without.
fn scheduled() {
    let agent = agent();
    let plain = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut builder = Builder::new_current_thread();
    let hooked = agent.instrument(builder.enable_all()).build().expect("a runtime");
    for runtime in [plain, hooked] {
        let handle = runtime.block_on(async {
            let waits = tokio::spawn(tokio::time::sleep(Duration::from_secs(3600)));
            thread::sleep(LATE);
            tokio::task::yield_now().await;
            waits.id()
        });
        say(handle);
        // Its task goes on waiting.
        std::mem::forget(runtime);
    }
    until_stdin_ends();
}

/// Has more tasks, each in a span, than there is room for, and goes on when they have ended.
fn crowd() {
    let _agent = agent();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..CROWD)
            .map(|number| {
                let span = tracing::info_span!("request", number);
                tokio::spawn(tracing::Instrument::instrument(std::future::pending::<()>(), span))
            })
            .collect();
        tokio::task::yield_now().await;
        say("ready");
        until_told();
        for task in tasks {
            task.abort();
            assert!(task.await.expect_err("it never ends by itself").is_cancelled());
        }
        say(tokio::spawn(async { "it goes on" }).await.expect("it does not panic"));
    });
    until_stdin_ends();
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("it can be read");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is there");
    line.split_whitespace().next().expect("a number").parse().expect("a number")
}

/// What a client was told of tasks.
#[derive(Debug, Default)]
struct Heard {
    announced: HashSet<u64>,
    alive: HashSet<u64>,
    stats: HashMap<u64, Stats>,
    dropped: u64,
    /// Of those: have ended, with their last state lost.
    ended_unread: u64,
}

impl Heard {
    fn note(&mut self, update: TaskUpdate) {
        self.dropped += update.dropped_events;
        for task in &update.new_tasks {
            let id = task.id.expect("an id").id;
            assert!(self.announced.insert(id), "{id} is new twice");
            self.alive.insert(id);
        }
        for (id, stats) in update.stats_update {
            if stats.dropped_at.is_some() {
                assert!(self.alive.remove(&id), "{id} ends, and did not live");
                let polls = stats.poll_stats.as_ref().expect("a console takes no stats without").polls;
                self.ended_unread += u64::from(stats.dropped_at == stats.created_at && polls == 0);
            }
            self.stats.insert(id, stats);
        }
    }

    fn ended(&self) -> u64 {
        (self.announced.len() - self.alive.len()) as u64
    }
}

fn loss(report: &Report, kind: &str) -> Option<u64> {
    report.losses.iter().find(|loss| loss.kind == kind).map(|loss| loss.count)
}

#[test]
fn of_each_task_the_end_is_told_or_its_loss_is_counted() {
    // With little room, most are lost before they can be read; with much, most have to wait for the client.
    for (bytes, detail) in [("64KiB", "full"), ("64KiB", "lean"), ("64MiB", "full")] {
        let environment = [("HOLDUP_RETENTION_BYTES", bytes), ("HOLDUP_DETAIL", detail)];
        let mut service = Service::start("losses-flood", &environment);
        let address = service.address();
        assert_eq!(service.hear(), "ready");
        block_on(async {
            let mut clients = Clients::connect(address).await;
            let (mut updates, mut heard) = (clients.updates().await, Heard::default());
            heard.note(next(&mut updates).await.task_update.expect("it is always there"));
            let (before, alive) = (heard.ended(), heard.alive.len() as u64);
            let mut reports = clients.reports().await;
            until(&mut reports, |report| loss(report, "finished-tasks") == Some(0)).await;

            // Nothing is read meanwhile.
            service.tell();
            let kib: u64 = service.hear().parse().expect("a number");
            assert!(kib < 100 << 10, "{kib} KiB more are in use");

            // The one that spawned them has ended, too.
            let known = |heard: &Heard| heard.ended() - before + heard.dropped - heard.ended_unread;
            while known(&heard) < SPAWNED + 1 {
                heard.note(next(&mut updates).await.task_update.expect("it is always there"));
            }
            for _ in 0..3 {
                heard.note(next(&mut updates).await.task_update.expect("it is always there"));
            }
            let report = until(&mut reports, |report| loss(report, "finished-tasks").is_some() && !report.more).await;
            let lost = loss(&report, "finished-tasks").expect("it is there");
            assert!(lost <= heard.dropped, "{lost} of {}", heard.dropped);
            // Nobody lives on with a console whose end could not be read.
            assert_eq!(heard.alive.len() as u64, alive, "{} of {} were not read", heard.ended_unread, heard.dropped);
            assert_eq!(known(&heard), SPAWNED + 1, "{lost} were lost, of {} dropped", heard.dropped);
        });
    }
}

#[test]
fn what_finds_no_room_in_the_agents_memory_is_counted_and_the_service_goes_on() {
    let mut service = Service::start("losses-crowd", &[("HOLDUP_MEMORY", "8MiB")]);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let mut clients = Clients::connect(address).await;
        let (mut reports, mut told) = (clients.reports().await, 0);
        let report = loop {
            let report = next(&mut reports).await;
            told += report.new_tasks.len() as u64;
            if !report.more {
                break report;
            }
        };
        // Five eighths of it are for 20,480 slots of 256 bytes, less what other things take.
        assert!((17_000..=20_480).contains(&told), "{told}");
        let unseen = loss(&report, "unseen").expect("it is there");
        assert!(told + unseen > CROWD && told + unseen < CROWD + 100, "{told} are told, and {unseen} were not seen");
        assert!(loss(&report, "spans").is_some_and(|spans| (50_000..CROWD).contains(&spans)), "{:?}", report.losses);
    });
    service.tell();
    assert_eq!(service.hear(), "it goes on");
}

#[test]
fn a_console_is_told_that_a_task_has_ended_whose_last_state_is_lost() {
    // Next to nothing that has ended is kept where it was, and for a client that does not read no last states are kept at all.
    let environment = [("HOLDUP_MEMORY", "32MiB"), ("HOLDUP_RETENTION_BYTES", "64KiB")];
    let mut service = Service::start("losses-crowd", &environment);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let (mut updates, mut heard) = (Clients::connect(address).await.updates().await, Heard::default());
        while (heard.alive.len() as u64) < CROWD {
            heard.note(next(&mut updates).await.task_update.expect("it is always there"));
        }
        // Nothing is read meanwhile, and the connection's window has room for a quarter of it.
        service.tell();
        assert_eq!(service.hear(), "it goes on");
        thread::sleep(Duration::from_secs(3));
        while !heard.alive.is_empty() {
            heard.note(next(&mut updates).await.task_update.expect("it is always there"));
        }
        let (lost, dropped) = (heard.ended_unread, heard.dropped);
        assert!((CROWD / 4..=dropped).contains(&lost), "{lost} last states were lost, of {dropped} dropped events");
    });
}

#[test]
fn what_ended_longer_ago_than_the_retention_is_not_told_to_those_who_come_later() {
    for (retention, most) in [("300ms", 0), ("1h", ENDED)] {
        let mut service = Service::start("losses-ended", &[("HOLDUP_RETENTION", retention)]);
        let address = service.address();
        assert_eq!(service.hear(), "ready");
        block_on(async {
            let mut updates = Clients::connect(address).await.updates().await;
            let mut heard = Heard::default();
            // All of it fits into the first page.
            heard.note(next(&mut updates).await.task_update.expect("it is always there"));
            next(&mut updates).await;
            let ended = heard.ended() as usize;
            // Besides them there is the one that spawned them.
            assert!(if most == 0 { ended == 0 } else { ended > most }, "{retention}: {ended}");
        });
    }
}

#[test]
fn how_long_a_task_waited_for_its_turn_is_known_in_lean_detail_from_the_hooks() {
    let mut service = Service::start("losses-scheduled", &[("HOLDUP_DETAIL", "lean")]);
    let address = service.address();
    let [plain, hooked]: [u64; 2] = [service.hear(), service.hear()].map(|id| id.parse().expect("a number"));
    assert_ne!(plain, hooked);
    block_on(async {
        let mut updates = Clients::connect(address).await.updates().await;
        let update = next(&mut updates).await.task_update.expect("it is always there");
        let waited = |tokio_id: u64| {
            let is_it = |field: &console_api::Field| format!("{field}") == format!("task.id={tokio_id}");
            let task = update.new_tasks.iter().find(|task| task.fields.iter().any(is_it)).expect("it is told");
            let stats = &update.stats_update[&task.id.expect("an id").id];
            Duration::try_from(stats.scheduled_time.expect("it is always there")).expect("a duration")
        };
        assert_eq!(waited(plain), Duration::ZERO);
        assert!(waited(hooked) >= LATE, "{:?}", waited(hooked));
    });
}
