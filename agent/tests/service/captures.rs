//! Stacks on demand, over the wire: who asks sees what the workers do, and whoever asks too often, at the wrong time or without the right harms
//! nobody.

use crate::{
    clients::{Clients, block_on, next, until},
    process::{Roles, Service, say, until_stdin_ends, until_told},
};
use futures::{StreamExt, stream::FuturesUnordered};
use holdup_proto::v1::{CaptureStacksRequest, Report, WorkerStack, worker_stack::Doing};
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::{Duration, Instant},
};
use tokio::{runtime::Builder, time::timeout};
use tonic::{Code, Status};

pub(crate) const ROLES: Roles = &[("captures-busy", busy), ("captures-idle", idle), ("captures-ends", ends)];

/// A token that may do it, and one that may do everything else.
const MAY: &str = "0123456789abcdef0123456789abcdef";
const MAY_NOT: &str = "fedcba9876543210fedcba9876543210";

/// Far above what anything takes here.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is asked again where something was not there in time.
const TRIES: usize = 20;

/// What is said for a worker that is in no stall, however long its poll lasts.
const NO_STALLS: (&str, &str) = ("HOLDUP_STALL_THRESHOLD", "1h");

fn agent() -> holdup_agent::Agent {
    holdup_agent::builder().from_env().address(([127, 0, 0, 1], 0).into()).try_init().expect("it starts")
}

/// Two workers: one computes in one poll, for good, and the other is woken now and then.
fn runtime() -> tokio::runtime::Runtime {
    static NEVER: AtomicBool = AtomicBool::new(false);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let named = tokio::task::Builder::new().name("computes");
    named.spawn_on(async { stalling::computes(&AtomicU32::new(0), &NEVER) }, runtime.handle()).expect("a runtime");
    runtime.spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    // A worker is known once it has polled something.
    runtime.block_on(async { tokio::spawn(async {}).await.expect("it does not panic") });
    runtime
}

fn busy() {
    let agent = agent();
    let runtime = runtime();
    say(agent.address().expect("it listens"));
    until_stdin_ends();
    runtime.shutdown_background();
}

/// A runtime that nothing was ever polled on.
fn idle() {
    let agent = agent();
    say(agent.address().expect("it listens"));
    until_stdin_ends();
}

/// The agent ends, and the service goes on.
fn ends() {
    let agent = agent();
    let runtime = runtime();
    say(agent.address().expect("it listens"));
    until_told();
    agent.shutdown();
    let goes_on = runtime.block_on(async { tokio::spawn(async { 3 }).await.expect("it does not panic") });
    say(format_args!("goes on: {goes_on}"));
    until_stdin_ends();
    runtime.shutdown_background();
}

fn start(role: &str, more: &[(&str, &str)]) -> (Service, SocketAddr) {
    let tokens = format!("{MAY} watch,capture\n{MAY_NOT} watch,pause");
    let mut service = Service::start(role, &[&[("HOLDUP_TOKEN", tokens.as_str()), NO_STALLS], more].concat());
    let address = service.address();
    (service, address)
}

async fn ask(clients: &mut Clients) -> Result<(), Status> {
    let asked = clients.diagnostics.capture_stacks(CaptureStacksRequest {});
    timeout(PATIENCE, asked).await.expect("in time").map(drop)
}

/// Asks as soon as it may be asked again.
async fn ask_in_turn(clients: &mut Clients) {
    loop {
        match ask(clients).await {
            Ok(()) => return,
            Err(status) if status.code() == Code::ResourceExhausted => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(status) => panic!("{status}"),
        }
    }
}

fn has(row: &WorkerStack, function: &str) -> bool {
    row.stack.iter().flat_map(|stack| &stack.frames).any(|frame| frame.function == function)
}

#[test]
fn who_may_sees_what_each_worker_does_and_so_does_everybody_who_watches() {
    let (_service, address) = start("captures-busy", &[]);
    block_on(async {
        let mut clients = Clients::connect_with(address, Some(MAY)).await;
        assert!(clients.describe().await.capabilities.contains(&"captures".to_owned()));
        let mut watches = Clients::connect_with(address, Some(MAY_NOT)).await.reports().await;
        let mut reports = clients.reports().await;
        let task = |report: &Report| report.new_tasks.iter().find(|task| task.name == "computes").map(|task| task.id);
        let task = task(&until(&mut reports, |report| task(report).is_some()).await).expect("it was told");
        let seen = |rows: &[WorkerStack]| {
            let computes = rows.iter().find(|row| has(row, "stalling::computes"));
            computes.is_some_and(|row| row.doing() == Doing::Running && row.task_id == task)
                && rows.iter().any(|row| row.doing() == Doing::Parked && row.stack.is_none())
        };
        let mut found = Vec::new();
        for _ in 0..TRIES {
            ask_in_turn(&mut clients).await;
            let report = until(&mut reports, |report| !report.worker_stacks.is_empty()).await;
            assert!(report.stalls.is_empty(), "it is no stall: {:?}", report.stalls);
            found = report.worker_stacks;
            if seen(&found) {
                break;
            }
        }
        assert!(seen(&found) && found.len() == 2, "{found:#?}");
        let workers: HashSet<u32> = found.iter().map(|row| row.worker).collect();
        assert_eq!(workers, HashSet::from([0, 1]));
        assert!(found.iter().all(|row| row.at.is_some() && row.thread.as_ref().is_some_and(|thread| thread.tid > 0)));
        until(&mut watches, |report| report.worker_stacks == found).await;
        let mut late = Clients::connect_with(address, Some(MAY_NOT)).await.reports().await;
        until(&mut late, |report| report.worker_stacks == found).await;
    });
}

#[test]
fn who_may_not_is_told_so_and_takes_no_round_from_who_may() {
    let (_service, address) = start("captures-busy", &[]);
    block_on(async {
        let mut clients = Clients::connect_with(address, Some(MAY_NOT)).await;
        for _ in 0..3 {
            let status = ask(&mut clients).await.expect_err("it has no right");
            assert_eq!(status.code(), Code::PermissionDenied);
            assert!(status.message().contains("takes the right to capture"), "{status}");
        }
        ask(&mut Clients::connect_with(address, Some(MAY)).await).await.expect("nobody has asked before");
    });
}

#[test]
fn a_flood_of_asks_is_one_round_in_a_second_and_each_other_is_told_why() {
    let (_service, address) = start("captures-busy", &[]);
    block_on(async {
        let mut reports = Clients::connect_with(address, Some(MAY)).await.reports().await;
        next(&mut reports).await;
        let begun = Instant::now();
        let flood = (0..8).map(|_| async move {
            let (mut clients, mut had) = (Clients::connect_with(address, Some(MAY)).await, 0_u64);
            for _ in 0..200 {
                match ask(&mut clients).await {
                    Ok(()) => had += 1,
                    Err(status) => {
                        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
                        let said = status.message();
                        assert!(said.contains("less than a second ago") || said.contains("just now"), "{status}");
                    }
                }
            }
            had
        });
        let mut flood: FuturesUnordered<_> = flood.collect();
        let (mut had, mut rounds) = (0, HashSet::new());
        // Whoever watches goes on to be told meanwhile.
        loop {
            tokio::select! {
                one = flood.next() => match one {
                    Some(one) => had += one,
                    None => break,
                },
                report = next(&mut reports) => rounds.extend(at(&report)),
            }
        }
        let most = begun.elapsed().as_secs() + 1;
        assert!((1..=most).contains(&had), "{had} rounds in less than {most} s");
        // The last one may be on its way.
        let mut told = Clients::connect_with(address, Some(MAY)).await.reports().await;
        rounds.extend(at(&until(&mut told, |report| !report.worker_stacks.is_empty()).await));
        assert!(rounds.len() as u64 <= had, "{} rounds were captured for {had} who were given one", rounds.len());
    });
}

/// When the round of a report was: as of one of its workers.
fn at(report: &Report) -> Option<(i64, i32)> {
    let row = report.worker_stacks.iter().min_by_key(|row| row.worker)?;
    row.at.map(|at| (at.seconds, at.nanos))
}

#[test]
fn where_stacks_are_switched_off_or_there_is_no_worker_it_says_so() {
    for (role, stacks, said) in [
        ("captures-busy", "off", "switched off in this service (HOLDUP_STACKS)"),
        ("captures-idle", "all", "no worker"),
    ] {
        let (_service, address) = start(role, &[("HOLDUP_STACKS", stacks)]);
        let status = block_on(async { ask(&mut Clients::connect_with(address, Some(MAY)).await).await });
        let status = status.expect_err(said);
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(status.message().contains(said), "{status}");
    }
}

#[test]
fn where_a_worker_cannot_be_captured_it_says_why() {
    let cases: [(&str, &str, &[&str]); 3] = [
        ("captures-busy", "asleep", &["the thread runs, and interrupting threads is switched off"]),
        ("hindered-crowded", "all", &["on the stack for signals (SA_ONSTACK)"]),
        ("hindered-eperm", "all", &["(timer_create: ", "(process_vm_readv: "]),
    ];
    for (role, stacks, whys) in cases {
        let (mut service, address) = start(role, &[("HOLDUP_STACKS", stacks)]);
        if role != "captures-busy" {
            assert!(service.hear().starts_with("missing: "));
        }
        block_on(async {
            let mut clients = Clients::connect_with(address, Some(MAY)).await;
            let mut reports = clients.reports().await;
            let (mut found, mut tries) = (Vec::new(), 0);
            let says = |found: &[WorkerStack], why: &str| {
                found.iter().any(|row| row.stack.as_ref().is_some_and(|stack| stack.limitation.contains(why)))
            };
            while !whys.iter().all(|why| says(&found, why)) {
                assert!(tries < TRIES, "{role}: {found:#?}");
                tries += 1;
                // Its workers may not have begun.
                match ask(&mut clients).await {
                    Ok(()) => {
                        found = until(&mut reports, |report| !report.worker_stacks.is_empty()).await.worker_stacks;
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
                }
            }
        });
    }
}

#[test]
fn an_agent_that_ends_in_the_midst_of_asks_ends_and_the_service_goes_on() {
    static HAD: AtomicU32 = AtomicU32::new(0);
    let (mut service, address) = start("captures-ends", &[]);
    block_on(async {
        let asks: FuturesUnordered<_> = (0..4)
            .map(|_| async move {
                let mut clients = Clients::connect_with(address, Some(MAY)).await;
                loop {
                    match ask(&mut clients).await {
                        Ok(()) => drop(HAD.fetch_add(1, Ordering::Relaxed)),
                        Err(status) if status.code() == Code::ResourceExhausted => {}
                        Err(_) => return,
                    }
                }
            })
            .collect();
        let told = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            while HAD.load(Ordering::Relaxed) == 0 {
                assert!(begun.elapsed() < PATIENCE, "no round is captured");
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(500));
            service.tell();
            (service.hear(), service)
        });
        timeout(2 * PATIENCE, asks.collect::<Vec<_>>()).await.expect("each is told");
        let (said, _service) = told.await.expect("it is heard");
        assert_eq!(said, "goes on: 3");
    });
}
