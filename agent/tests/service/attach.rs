//! A client that attaches: who answers, which runtimes there are, what their workers do, and what is wrong with them.

use crate::{
    clients::{Clients, block_on, next, until},
    process::{Roles, Service, say, until_stdin_ends},
};
use holdup_proto::v1::{Report, Runtime, Worker, runtime::Flavor, stall::Cause, verdict};
use std::{
    collections::{BTreeMap, HashSet},
    thread,
    time::{Duration, SystemTime},
};
use tokio::runtime::Builder;

pub(crate) const ROLES: Roles = &[
    ("attach-calm", calm),
    ("attach-stuck", stuck),
    ("attach-full-pool", full_pool),
    ("attach-many-runtimes", many_runtimes),
    ("attach-panics", panics),
    ("attach-panic-hook", panic_hook),
    ("attach-many-panics", many_panics),
    ("attach-stalls", stalls),
    ("attach-in-place", in_place),
    ("attach-spawns", spawns),
];

pub(crate) fn agent() -> holdup_agent::Agent {
    let builder = holdup_agent::builder().from_env();
    let agent = builder.address(([127, 0, 0, 1], 0).into()).try_init().expect("it starts");
    say(agent.address().expect("it listens"));
    agent
}

fn multi(name: &str, workers: usize) -> Builder {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(workers).thread_name(name).enable_all();
    builder
}

/// Two runtimes, one of them named by the service and one by its builder; the second polls now and then.
fn calm() {
    let agent = agent();
    let main = multi("main-worker", 3).build().expect("a runtime");
    agent.runtime("main", main.handle());
    let ticks = multi("ticks-worker", 1).name("ticks").build().expect("a runtime");
    ticks.spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    say("ready");
    until_stdin_ends();
}

/// A runtime whose workers are all in one long poll each.
fn stuck() {
    let _agent = agent();
    let runtime = multi("stuck-worker", 2).name("stuck").build().expect("a runtime");
    for _ in 0..2 {
        runtime.spawn(async { thread::sleep(Duration::from_secs(3600)) });
    }
    until_stdin_ends();
    runtime.shutdown_background();
}

fn full_pool() {
    let _agent = agent();
    let runtime = multi("pool-worker", 1).name("pool").max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..3 {
            tokio::task::spawn_blocking(|| thread::sleep(Duration::from_secs(3600)));
        }
    });
    until_stdin_ends();
    runtime.shutdown_background();
}

/// A runtime for each request, and one that stays.
fn many_runtimes() {
    let _agent = agent();
    let stays = multi("stays", 1).name("stays").build().expect("a runtime");
    stays.spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    for _ in 0..500 {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { tokio::spawn(async {}).await.expect("it does not panic") });
    }
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    say(open);
    until_stdin_ends();
}

/// A task that ends in a panic, one that catches it, and one that panics in a blocking job.
fn panics() {
    let _agent = agent();
    let runtime = multi("panics-worker", 1).build().expect("a runtime");
    runtime.block_on(async {
        let ends = tokio::spawn(async {
            tokio::task::yield_now().await;
            panic!("out of {}", "luck");
        });
        assert!(ends.await.is_err());
        let catches = tokio::spawn(async {
            let caught = std::panic::catch_unwind(|| panic!("this one is caught"));
            tokio::task::yield_now().await;
            caught.is_err()
        });
        assert!(catches.await.expect("it does not end in a panic"));
        assert!(tokio::task::spawn_blocking(|| panic!("in a job")).await.is_err());
    });
    say("ready");
    until_stdin_ends();
}

/// Tasks that panic by the hundred once somebody watches.
fn many_panics() {
    std::panic::set_hook(Box::new(|_| {}));
    let _agent = agent();
    let runtime = multi("panics-worker", 2).build().expect("a runtime");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("stdin can be read");
    runtime.block_on(async {
        let panics = (0..PANICS).map(|_| {
            let task = tokio::task::Builder::new().name("victim");
            task.spawn(async { panic!("poisoned") }).expect("it spawns")
        });
        for task in panics.collect::<Vec<_>>() {
            assert!(task.await.is_err());
        }
    });
    until_stdin_ends();
}

const PANICS: u64 = 3000;

/// A service whose own panic hook takes its time, as one that prints a backtrace does.
fn panic_hook() {
    std::panic::set_hook(Box::new(|_| thread::sleep(Duration::from_millis(600))));
    let _agent = agent();
    let runtime = multi("panics-worker", 2).build().expect("a runtime");
    runtime.block_on(async {
        let ends = tokio::task::Builder::new().name("ends").spawn(async { panic!("out of luck") }).expect("it spawns");
        assert!(ends.await.is_err());
        let goes_on = async {
            assert!(std::panic::catch_unwind(|| panic!("this one is caught")).is_err());
            thread::sleep(Duration::from_millis(300));
        };
        tokio::task::Builder::new()
            .name("goes-on")
            .spawn(goes_on)
            .expect("it spawns")
            .await
            .expect("it does not panic");
    });
    say("ready");
    until_stdin_ends();
}

/// Longer than a test takes to see it.
const STALL: Duration = Duration::from_secs(2);

#[inline(never)]
fn sleeps_in_a_poll() {
    thread::sleep(STALL);
}

/// Two workers, one of which stalls when the service is told to.
fn stalls() {
    let _agent = agent();
    let runtime = multi("stalls-worker", 2).name("stalls").build().expect("a runtime");
    runtime.block_on(async {
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            sleeps_in_a_poll();
        })
        .await
        .expect("it does not panic");
    });
    until_stdin_ends();
}

/// The same in a place where nobody waits.
fn in_place() {
    let _agent = agent();
    let runtime = multi("place-worker", 1).name("place").build().expect("a runtime");
    runtime.spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    runtime.spawn(async {
        loop {
            tokio::task::block_in_place(|| thread::sleep(Duration::from_millis(700)));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    until_stdin_ends();
    runtime.shutdown_background();
}

/// Many idle tasks, and one that spawns short ones.
fn spawns() {
    let _agent = agent();
    let runtime = multi("spawns-worker", 2).name("spawns").build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..IDLE {
            tokio::spawn(std::future::pending::<()>());
        }
        let spawns = tokio::task::Builder::new().name("spawns");
        let spawns = spawns.spawn(async {
            loop {
                for _ in 0..20 {
                    tokio::spawn(async {}).await.expect("it does not panic");
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        say("ready");
        drop(spawns);
    });
    until_stdin_ends();
    runtime.shutdown_background();
}

const IDLE: usize = 20_000;

/// Both levels of detail.
const DETAILS: [[(&str, &str); 1]; 2] = [[("HOLDUP_DETAIL", "full")], [("HOLDUP_DETAIL", "lean")]];

fn runtime<'a>(report: &'a Report, name: &str) -> Option<&'a Runtime> {
    report.runtimes.iter().find(|runtime| runtime.name == name)
}

fn workers<'a>(report: &'a Report, runtime: &Runtime) -> Vec<&'a Worker> {
    report.workers.iter().filter(|worker| worker.runtime_id == runtime.id).collect()
}

fn verdicts(report: &Report, name: &str) -> Vec<verdict::Kind> {
    runtime(report, name).into_iter().flat_map(|runtime| &runtime.verdicts).map(verdict_kind).collect()
}

fn verdict_kind(verdict: &holdup_proto::v1::Verdict) -> verdict::Kind {
    verdict.kind.try_into().expect("a known verdict")
}

#[test]
fn it_says_who_it_is() {
    let mut service = Service::start("attach-calm", &[("HOLDUP_NAME", "orders"), ("HOLDUP_DETAIL", "lean")]);
    let address = service.address();
    let (first, second) = block_on(async {
        let mut clients = Clients::connect(address).await;
        (clients.describe().await, clients.describe().await)
    });
    assert_eq!(first, second, "nothing of it changes");
    let process = first.process.expect("it names its process");
    assert_eq!(process.boot_id.len(), 16);
    assert_eq!(process.name, "orders");
    assert_eq!(process.agent_version, env!("CARGO_PKG_VERSION"));
    assert!(process.executable.contains("service-"), "{}", process.executable);
    let started: SystemTime = process.started_at.expect("it says when").try_into().expect("a time");
    assert!(started.elapsed().expect("in the past") < Duration::from_secs(600));
    assert_eq!(first.detail, "lean");
    assert!(first.capabilities.iter().any(|known| known == "workers"), "{:?}", first.capabilities);
}

#[test]
fn runtimes_go_by_their_names_and_an_idle_worker_is_not_busy() {
    let mut service = Service::start("attach-calm", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let known = |report: &Report| runtime(report, "main").is_some() && runtime(report, "ticks").is_some();
        let first = until(&mut reports, known).await;
        let main = runtime(&first, "main").expect("it is known");
        assert_eq!((main.workers, main.flavor), (3, Flavor::MultiThread.into()));
        let ticks = runtime(&first, "ticks").expect("it is known");
        assert_eq!(ticks.alive_tasks, 1);
        assert!(main.verdicts.is_empty() && ticks.verdicts.is_empty());

        let mut polls = 0;
        let later = until(&mut reports, |report| {
            polls = workers(report, ticks).iter().map(|worker| worker.polls).sum();
            polls > 20
        })
        .await;
        let ticking = workers(&later, ticks);
        let thread = ticking[0].thread.as_ref().expect("it has polled");
        assert!(thread.tid > 0 && thread.name == "ticks-worker", "{thread:?}");
        let busy: Duration = ticking[0].busy.expect("it says").try_into().expect("a duration");
        // Each of its polls takes microseconds.
        assert!(busy < Duration::from_millis(200), "{busy:?} for {polls} polls");
        assert!(!later.losses.is_empty() && later.losses.iter().all(|loss| loss.count == 0), "{:?}", later.losses);
    });
}

#[test]
fn workers_in_a_long_poll_are_busy_all_the_time_and_the_runtime_is_called_stuck() {
    for detail in DETAILS {
        let mut service = Service::start("attach-stuck", &detail);
        let address = service.address();
        block_on(async {
            let mut reports = Clients::connect(address).await.reports().await;
            let stuck = |report: &Report| verdicts(report, "stuck").contains(&verdict::Kind::AllWorkersStuck);
            let first = until(&mut reports, stuck).await;
            let now = |report: &Report| -> SystemTime { report.now.expect("it says when").try_into().expect("a time") };
            let busy = |report: &Report| -> Vec<Duration> {
                let stuck = runtime(report, "stuck").expect("it is known");
                let busy = workers(report, stuck).into_iter().map(|worker| worker.busy.expect("it says"));
                busy.map(|busy| busy.try_into().expect("a duration")).collect()
            };
            let stuck = runtime(&first, "stuck").expect("it is known");
            for worker in workers(&first, stuck) {
                assert_ne!(worker.polling, 0);
                assert!(worker.polling_since.is_some());
            }
            let second = until(&mut reports, |report| {
                now(report).duration_since(now(&first)).is_ok_and(|passed| passed > Duration::from_millis(500))
            })
            .await;
            let passed = now(&second).duration_since(now(&first)).expect("later");
            for (before, after) in busy(&first).into_iter().zip(busy(&second)) {
                // Looked at a moment before the report was put together.
                let share = after.saturating_sub(before).as_secs_f64() / passed.as_secs_f64();
                assert!((0.8..1.2).contains(&share), "{share}");
            }
        });
    }
}

#[test]
fn a_full_blocking_pool_is_called_that() {
    let mut service = Service::start("attach-full-pool", &[]);
    let address = service.address();
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let full = |report: &Report| verdicts(report, "pool").contains(&verdict::Kind::BlockingPoolFull);
        let report = until(&mut reports, full).await;
        let pool = runtime(&report, "pool").expect("it is known");
        assert_eq!((pool.blocking_threads, pool.idle_blocking_threads, pool.blocking_queue_depth), (1, 0, 2));
    });
}

#[test]
fn runtimes_that_have_ended_are_let_go() {
    let mut service = Service::start("attach-many-runtimes", &[]);
    let address = service.address();
    let open: usize = service.hear().parse().expect("a number");
    assert!(open < 200, "{open} files are open");
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let alone = |report: &Report| report.runtimes.len() == 1 && runtime(report, "stays").is_some();
        until(&mut reports, alone).await;
    });
}

#[test]
fn a_panic_that_ends_a_task_is_told_with_message_and_place_and_one_that_is_caught_is_not() {
    let mut service = Service::start("attach-panics", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let report = until(&mut reports, |report| !report.panics.is_empty()).await;
        let messages: Vec<&str> = report.panics.iter().map(|panic| panic.message.as_str()).collect();
        assert_eq!(messages, ["out of luck", "in a job"]);
        for panic in &report.panics {
            assert!(panic.task_id != 0 && panic.line > 0 && panic.file.ends_with("attach.rs"), "{panic:?}");
        }
    });
}

#[test]
fn panics_by_the_hundred_are_each_told_with_the_name_of_the_task_or_counted() {
    let mut service = Service::start("attach-many-panics", &[]);
    let address = service.address();
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        until(&mut reports, |report| !report.more).await;
        service.tell();
        let (mut told, mut unsent) = (0, 0);
        while told + unsent < PANICS {
            let report = next(&mut reports).await;
            told += report.panics.len() as u64;
            for panic in report.panics {
                assert_eq!(panic.task_name, "victim");
                assert!(panic.spawned_at.is_some_and(|at| at.file.ends_with("attach.rs")));
            }
            unsent = report.losses.iter().find(|loss| loss.kind == "unsent-panics").map_or(unsent, |loss| loss.count);
        }
        assert_eq!(told + unsent, PANICS);
        assert!(told >= 1000, "{told} are told");
    });
}

#[test]
fn who_prints_a_panic_stalls_nobody_and_what_it_does_after_that_counts_from_there() {
    let mut service = Service::start("attach-panic-hook", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let (mut tasks, mut panics, mut stalls) = (Vec::new(), Vec::new(), BTreeMap::new());
        loop {
            let report = next(&mut reports).await;
            tasks.extend(report.new_tasks);
            panics.extend(report.panics);
            stalls.extend(report.stalls.into_iter().map(|stall| (stall.id, stall)));
            // That it is over is noticed when the watchdog looks next.
            if !report.more && stalls.values().all(|stall| stall.ended_at.is_some()) {
                break;
            }
        }
        let stalls: Vec<_> = stalls.into_values().collect();
        assert_eq!(panics.iter().map(|panic| panic.task_name.as_str()).collect::<Vec<_>>(), ["ends"]);
        let stalled: Vec<&str> = stalls
            .iter()
            .map(|stall| tasks.iter().find(|task| task.id == stall.task_id).map_or("", |task| task.name.as_str()))
            .collect();
        assert_eq!(stalled, ["goes-on"], "{stalls:#?}");
        let time = |at: Option<prost_types::Timestamp>| SystemTime::try_from(at.expect("a time")).expect("a time");
        let lasted = time(stalls[0].ended_at).duration_since(time(stalls[0].since)).expect("it ends later");
        assert!(lasted < Duration::from_millis(600), "{lasted:?}");
    });
}

#[test]
fn a_stall_is_told_while_it_lasts_with_its_stack_and_then_that_it_is_over() {
    for detail in DETAILS {
        let mut service = Service::start("attach-stalls", &detail);
        let address = service.address();
        block_on(async {
            let mut reports = Clients::connect(address).await.reports().await;
            let report = until(&mut reports, |report| !report.stalls.is_empty()).await;
            let stall = &report.stalls[0];
            assert!(stall.ended_at.is_none(), "since {:?} until {:?}", stall.since, stall.ended_at);
            assert_eq!(stall.cause, Cause::Sleep as i32);
            assert_eq!(runtime(&report, "stalls").map(|runtime| runtime.id), Some(stall.runtime_id));
            let worker = report.workers.iter().find(|worker| Some(worker.index) == stall.worker).expect("a worker");
            assert_eq!((worker.polling, &worker.thread), (stall.task_id, &stall.thread));

            // To read the first stack takes its time in a build that is not optimized.
            let (mut stack, mut ended) = (stall.stack.clone(), None);
            while stack.is_none() || ended.is_none() {
                let report = next(&mut reports).await;
                let changed = report.stalls.into_iter().filter(|changed| changed.id == stall.id);
                for changed in changed {
                    (stack, ended) = (changed.stack.or(stack), changed.ended_at.or(ended));
                }
            }
            let frames = stack.expect("it was waited for").frames;
            let here = frames.iter().find(|frame| frame.function.contains("sleeps_in_a_poll"));
            let here = here.expect("it is on the stack");
            assert!(here.file.ends_with("attach.rs") && here.line > 0, "{here:?}");
        });
    }
}

#[test]
fn what_blocks_in_place_stalls_nobody() {
    let mut service = Service::start("attach-in-place", &[]);
    let address = service.address();
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let mut polls = 0;
        until(&mut reports, |report| {
            assert!(report.stalls.is_empty(), "{:?}", report.stalls);
            let Some(place) = runtime(report, "place") else { return false };
            assert!(place.verdicts.is_empty(), "{:?}", place.verdicts);
            polls = workers(report, place).iter().map(|worker| worker.polls).sum();
            polls > 150
        })
        .await;
    });
}

#[test]
fn a_client_gets_the_whole_state_in_pages_and_then_what_changes_and_nothing_is_lost() {
    for detail in DETAILS {
        let mut service = Service::start("attach-spawns", &detail);
        let address = service.address();
        assert_eq!(service.hear(), "ready");
        block_on(async {
            let mut clients = Clients::connect(address).await;
            let mut updates = clients.updates().await;
            let (mut alive, mut ended, mut spawner) = (HashSet::new(), 0, None);
            while alive.len() < IDLE || ended < 500 {
                let update = next(&mut updates).await;
                let tasks = update.task_update.expect("it is always there");
                assert_eq!(tasks.dropped_events, 0);
                assert!(tasks.new_tasks.len() <= 1000, "a page is bounded");
                for task in tasks.new_tasks {
                    let id = task.id.expect("an id").id;
                    assert!(alive.insert(id), "{id} is new twice");
                    let named = |field: &console_api::Field| format!("{field}").ends_with("=spawns");
                    if task.fields.iter().any(named) {
                        spawner = Some(id);
                    }
                }
                for (id, stats) in tasks.stats_update {
                    assert!(alive.contains(&id), "{id} was never announced");
                    if stats.dropped_at.is_some() {
                        assert!(alive.remove(&id));
                        ended += 1;
                    }
                }
            }
            // And who spawned them.
            let mut reports = clients.reports().await;
            let by_spawner = |report: &Report| report.tasks.iter().any(|facts| Some(facts.parent_id) == spawner);
            let report = until(&mut reports, by_spawner).await;
            let facts = report.tasks.iter().find(|facts| Some(facts.parent_id) == spawner).expect("it is there");
            assert!(facts.runtime_id > 0);
        });
    }
}
