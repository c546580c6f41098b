//! `holdup diff`, as it is shipped, of real services that are watched side by side: what one of them does more of is told, and nothing else is.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

mod process;
#[path = "process/running.rs"]
mod running;
#[path = "process/service.rs"]
mod service;

use process::{Ended, holdup, run};
use rand::{Rng as _, SeedableRng as _};
use running::{Running, Server};
use serde_json::Value;
use service::{SAYS, Service};
use std::{
    env, fs,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::Read as _,
    path::Path,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{MissedTickBehavior, interval, sleep},
};

/// How much work the service does, as a percentage: set where this executable is to be one.
const ROLE: &str = "HOLDUP_TEST_WORK";

/// The task that does the work.
const COMPUTES: &str = "computes";

/// The machine, for one test at a time: what it has to do for the others is a difference.
static MACHINE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Not a test: where a process finds that it is to be a service, whose work and whose threads are the same each time.
#[test]
fn role() {
    let Some(work) = env::var(ROLE).ok().and_then(|percent| percent.parse::<u64>().ok()) else { return };
    let agent = holdup_agent::builder().from_env().try_init().expect("the agent starts");
    println!("{SAYS}http://{}", agent.address().expect("it listens"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let _runtime = runtime.enter();
    let every = |millis| {
        let mut every = interval(Duration::from_millis(millis));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        every
    };
    for _ in 0..4 {
        let mut every = every(10);
        tokio::spawn(async move {
            loop {
                every.tick().await;
            }
        });
    }
    let computing = async move {
        let mut every = every(20);
        loop {
            every.tick().await;
            keep(Duration::from_micros(40 * work));
        }
    };
    tokio::task::Builder::new().name(COMPUTES).spawn(computing).expect("a runtime");
    let lock = Arc::new(Mutex::new(()));
    for _ in 0..2 {
        let lock = Arc::clone(&lock);
        tokio::spawn(async move {
            // By chance, as requests come: two that take it every so many milliseconds meet as often as their clocks happen to lie, in one process
            // again and again and in another never.
            let mut chance = rand::rngs::StdRng::seed_from_u64(RandomState::new().build_hasher().finish());
            loop {
                sleep(Duration::from_millis(chance.random_range(1..50))).await;
                let _held = lock.lock().await;
                keep(Duration::from_micros(300));
            }
        });
    }
    std::io::stdin().read_to_end(&mut Vec::new()).expect("stdin can be read");
    runtime.shutdown_background();
}

/// Keeps its thread for this long, and no processor: a machine that has something else to do makes it hardly longer.
fn keep(lasting: Duration) {
    std::thread::sleep(lasting);
}

/// A service that does so much work, in percent.
fn service(detail: &str, work: u32) -> Service {
    // An agent that is not optimized may take more of a processor than it is given, and tells less often then.
    Service::start(ROLE, &work.to_string(), &[("HOLDUP_CPU", "100%"), ("HOLDUP_DETAIL", detail)])
}

fn run_in(folder: &Path, args: &[&str]) -> Ended {
    holdup(folder).args(args).output().unwrap().into()
}

/// Records all of these at the same time, so that whatever the machine has to do beside, it has to do for all of them.
fn record(folder: &Path, lasting: &str, targets: &[(&str, &str)]) {
    let recorders: Vec<Running> = targets
        .iter()
        .map(|(name, target)| {
            let mut command = holdup(folder);
            command.args(["record", target, "-o", &format!("{name}.holdup"), "--for", lasting, "--no-memory"]);
            command.args(["--connect-timeout", "60s"]);
            Running::start(command)
        })
        .collect();
    for recorder in recorders {
        let ended = recorder.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

/// What a comparison says as JSON, valid by the schema that the executable prints, and its exit code.
fn compared(folder: &Path, args: &[&str]) -> (Value, Option<i32>) {
    let ended = run_in(folder, &[&["diff"], args, &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let schema: Value = serde_json::from_str(&run(&["diff", "--print-schema"]).stdout).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{report:#}");
    (report, ended.code)
}

/// A measure of the task that does the work.
fn metric<'a>(report: &'a Value, name: &str) -> &'a Value {
    let place = report["locations"].as_array().unwrap().iter().find(|place| place["name"] == COMPUTES);
    let metrics = place.unwrap_or_else(|| panic!("it is not there: {report:#}"))["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap()
}

/// Two services that do the same, and one that computes a fifth more. Whatever is wrong, in words.
fn same_and_more(lasting: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let services = [100, 100, 120].map(|work| service("full", work));
    let [before, same, more] = services.each_ref().map(|service| service.target.as_str());
    record(folder.path(), lasting, &[("before", before), ("same", same), ("more", more)]);
    let mut wrong = Vec::new();
    let (report, code) = compared(folder.path(), &["before.holdup", "same.holdup"]);
    let windows = ["before", "after"].map(|side| &report[side]["windows"]);
    if windows != [10, 10] {
        wrong.push(format!("of the same: {windows:?} windows"));
    }
    if code != Some(0) || report["told"] != 0 {
        wrong.push(format!(
            "of the same: {code:?}, {}",
            run_in(folder.path(), &["diff", "before.holdup", "same.holdup"]).stdout
        ));
    }
    let (report, code) = compared(folder.path(), &["before.holdup", "more.holdup"]);
    let busy = metric(&report, "busy");
    let text = run_in(folder.path(), &["diff", "before.holdup", "more.holdup"]);
    let is_told = text.stdout.contains("WORSE") && text.stdout.contains("% of a worker");
    if code != Some(1) || busy["verdict"] != "worse" || !is_told {
        wrong.push(format!("of more: {code:?}, {busy:#}, {}", text.stdout));
    }
    if report["told"] != 1 {
        wrong.push(format!("of more: {} are told: {}", report["told"], text.stdout));
    }
    // An agent tells lengths: 4 ms and 4.8 ms are both between 2^12 and 2^13 µs.
    for of in ["poll-p50", "wake-to-poll-p50"] {
        let median = metric(&report, of);
        if median["before"]["most"].as_f64().is_none_or(|most| most <= 0.0) || !median["because"].is_null() {
            wrong.push(format!("of more: {median:#}"));
        }
    }
    wrong
}

#[test]
fn a_fifth_more_work_at_one_spawn_location_is_told_and_nothing_else_is() {
    let _alone = alone();
    // What a process of somebody else's takes of the machine is a difference, and told as one: one turn in which nobody does is enough.
    let mut wrong = Vec::new();
    for turn in 1..=3 {
        let now = same_and_more("11s");
        if now.is_empty() {
            return;
        }
        wrong.extend(now.into_iter().map(|wrong| format!("{turn}: {wrong}")));
    }
    panic!("{}", wrong.join("\n"));
}

/// Ten times, for half a minute each.
#[test]
#[ignore = "it takes ten minutes"]
fn a_fifth_more_work_is_told_ten_times_of_ten_and_nothing_else_ever_is() {
    let _alone = alone();
    let wrong: Vec<String> = (0..10)
        .flat_map(|turn| {
            let wrong = same_and_more("31s");
            println!("{turn}: {} wrong", wrong.len());
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_console_does_not_tell_is_not_known_and_what_is_too_little_is_said() {
    let _alone = alone();
    let server = Server::start("contended-lock");
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), "11s", &[("a", &server.target)]);
    let (report, code) = compared(folder.path(), &["a.holdup", "a.holdup"]);
    assert_eq!((code, &report["told"], &report["worse"]), (Some(0), &0.into(), &false.into()), "{report:#}");
    let metrics = report["locations"].as_array().unwrap().iter().flat_map(|place| place["metrics"].as_array().unwrap());
    let lengths: Vec<&Value> = metrics.filter(|metric| metric["name"].as_str().unwrap().contains("-p")).collect();
    assert!(!lengths.is_empty());
    for metric in lengths {
        assert_eq!((&metric["verdict"], &metric["before"]), (&"not-known".into(), &Value::Null), "{metric:#}");
        assert!(metric["because"].as_str().unwrap().contains("agent"), "{metric:#}");
    }
    let locks = report["locks"].as_array().unwrap();
    assert!(locks.iter().any(|lock| lock["name"] == "Mutex" && lock["verdict"] == "same"), "{report:#}");
    let text = run_in(folder.path(), &["diff", "a.holdup", "a.holdup"]).stdout;
    assert!(text.contains("not known: poll-p50") && text.ends_with("no change is told\n"), "{text}");
    // A moment of the live service is too little, and no verdict.
    let (report, code) = compared(folder.path(), &["a.holdup", &server.target, "--for", "100ms", "--no-memory"]);
    assert_eq!((code, &report["told"]), (Some(0), &0.into()), "{report:#}");
    let text = run_in(folder.path(), &["diff", "a.holdup", &server.target, "--for", "100ms", "--no-memory"]).stdout;
    // On a machine that has much else to do a moment has ten windows, too, and some of it is enough.
    let said = if text.contains(" in 10 windows\nspawn") {
        "no change is told\n"
    } else {
        "nothing is compared: it is too little\n"
    };
    assert!(text.ends_with(said) && text.contains("too little"), "{text}");
}

#[test]
fn a_recording_is_compared_with_what_lives_and_lean_detail_tells_no_waits() {
    let _alone = alone();
    let service = service("lean", 100);
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), "11s", &[("before", &service.target)]);
    let (report, code) = compared(folder.path(), &["before.holdup", &service.target, "--for", "11s", "--no-memory"]);
    assert_eq!((&report["before"]["windows"], &report["after"]["windows"]), (&10.into(), &10.into()), "{report:#}");
    assert_eq!(code, Some(i32::from(report["worse"] == true)));
    assert_eq!(report["after"]["target"], service.target.as_str());
    assert!(metric(&report, "busy")["after"]["least"].as_f64() > Some(0.05), "{report:#}");
    assert!(metric(&report, "poll-p50")["after"]["least"].as_f64() > Some(0.0), "{report:#}");
    let waits = metric(&report, "wake-to-poll-p50");
    assert_eq!((&waits["verdict"], &waits["after"]), (&"not-known".into(), &Value::Null), "{waits:#}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text.holdup"), "no recording").unwrap();
    for (args, code, says) in [
        (["text.holdup", "text.holdup"], 3, "no recording of holdup's"),
        (["none.holdup", "text.holdup"], 3, "No such file"),
        (["http://127.0.0.1:1", "text.holdup"], 2, "is no recording"),
    ] {
        let ended = run_in(folder.path(), &[&["diff"], args.as_slice()].concat());
        assert!(ended.code == Some(code) && ended.stderr.contains(says), "{args:?}: {ended:?}");
    }
    let alone = run(&["diff", "text.holdup"]);
    assert!(alone.code == Some(2) && alone.stderr.contains("AFTER"), "{alone:?}");
    let nonsense = run(&["diff", "a.holdup", "b.holdup", "--change", "much"]);
    assert!(nonsense.code == Some(2) && nonsense.stderr.contains("percentage"), "{nonsense:?}");
}
