//! The past that an agent keeps by itself, of real services in processes of their own: who comes late has what was before.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

mod process;
#[allow(dead_code, reason = "no run of the executable is under way")]
#[path = "process/running.rs"]
mod running;
#[path = "process/service.rs"]
mod service;

use process::{Ended, holdup, run};
use running::Server;
use serde_json::Value;
use service::{SAYS, Service};
use std::{
    env, fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::sleep};

/// Far above what anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wrong with the service, set where this executable is to be one.
const ROLE: &str = "HOLDUP_TEST_TROUBLE";

/// Not a test: where a process finds that it is to be a service.
#[test]
fn role() {
    let Ok(trouble) = env::var(ROLE) else { return };
    let agent = holdup_agent::builder().from_env().try_init().expect("the agent starts");
    println!("{SAYS}http://{}", agent.address().expect("it listens"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let _runtime = runtime.enter();
    match trouble.as_str() {
        "lock" => {
            let lock = Arc::new(Mutex::new(()));
            for _ in 0..3 {
                let lock = Arc::clone(&lock);
                tokio::spawn(async move {
                    loop {
                        let _held = lock.lock().await;
                        sleep(Duration::from_millis(300)).await;
                    }
                });
            }
        }
        // A thousand live, and each for a second.
        "churn" => drop(tokio::spawn(async {
            loop {
                for number in 0..100_u64 {
                    let name = format!("request-{number}-{:?}", Instant::now());
                    let spawned = tokio::task::Builder::new().name(&name).spawn(sleep(Duration::from_secs(1)));
                    drop(spawned.expect("a runtime"));
                }
                sleep(Duration::from_millis(100)).await;
            }
        })),
        "stall" => drop(tokio::spawn(async {
            loop {
                std::thread::sleep(Duration::from_secs(3));
                sleep(Duration::from_millis(500)).await;
            }
        })),
        other => panic!("{other} is no trouble"),
    }
    std::io::stdin().read_to_end(&mut Vec::new()).expect("stdin can be read");
    runtime.shutdown_background();
}

/// A service with this trouble.
fn service(trouble: &str, set: &[(&str, &str)]) -> Service {
    Service::start(ROLE, trouble, set)
}

fn run_in(folder: &Path, args: &[&str]) -> Ended {
    holdup(folder).args(args).output().unwrap().into()
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let ended = run_in(folder, args);
    assert!(matches!(ended.code, Some(0 | 1)), "{args:?}: {ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

fn check(folder: &Path, target: &str, more: &[&str]) -> Value {
    json(folder, &[&["check", target, "--format", "json", "--fail-on", "never"], more].concat())
}

fn lints(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["lint"].as_str()).collect()
}

fn live_tasks(report: &Value) -> u64 {
    report["counts"]["tasks"]["live"].as_u64().unwrap()
}

/// Records the past as soon as it has an instant so long ago.
fn recorded(folder: &Path, target: &str, file: &str, at_least: Duration) -> Value {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "it keeps nothing");
        std::thread::sleep(Duration::from_secs(2));
        let ended = run_in(folder, &["record", "--past", target, "-o", file]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.starts_with("recorded the past "), "{ended:?}");
        let info = json(folder, &["info", file, "--json"]);
        if info["seconds"].as_f64().unwrap() >= at_least.as_secs_f64() {
            return info;
        }
        fs::remove_file(folder.join(file)).unwrap();
    }
}

#[test]
fn who_comes_late_has_what_was_before() {
    let server = service("lock", &[("HOLDUP_HISTORY", "1MiB")]);
    let folder = tempfile::tempdir().unwrap();
    let info = recorded(folder.path(), &server.target, "a.holdup", Duration::from_secs(4));
    assert_eq!((&info["closed"], &info["damaged_segments"]), (&true.into(), &0.into()), "{info:#}");
    let mode = fs::metadata(folder.path().join("a.holdup")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let past = check(folder.path(), "a.holdup", &[]);
    assert!(lints(&past).contains(&"held-across-await"), "{past:#}");
    assert_eq!(past["protocol"], "agent");
    let live = check(folder.path(), &server.target, &["--for", "2s"]);
    let (past, live) = (live_tasks(&past), live_tasks(&live));
    assert!(past.abs_diff(live) <= 8, "{past} then, {live} now");
}

/// So much happens that states are told anew, and the oldest ones go.
#[test]
fn segments_that_go_leave_no_task_that_has_ended() {
    let server = service("churn", &[("HOLDUP_HISTORY", "1MiB")]);
    let folder = tempfile::tempdir().unwrap();
    // More than a mebibyte has room for.
    std::thread::sleep(Duration::from_secs(12));
    let info = recorded(folder.path(), &server.target, "a.holdup", Duration::from_secs(2));
    assert_eq!(info["damaged_segments"], 0);
    let past = check(folder.path(), "a.holdup", &[]);
    assert_eq!(past["counts"]["decode_issues"], 0, "{past:#}");
    let live = check(folder.path(), &server.target, &["--for", "2s"]);
    let (past, live) = (live_tasks(&past), live_tasks(&live));
    assert!(past < 2 * live + 200 && live < 2 * past + 200, "{past} then, {live} now");
}

/// The first file in a folder that is whole.
fn written(folder: &Path) -> PathBuf {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "nothing is written");
        std::thread::sleep(Duration::from_millis(200));
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        if let Some(file) = entries.into_iter().find(|path| path.extension().is_some_and(|end| end == "holdup")) {
            return file;
        }
    }
}

#[test]
fn at_an_alarm_it_is_written_for_who_comes_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("past");
    let set = [
        ("HOLDUP_HISTORY", "4MiB"),
        ("HOLDUP_HISTORY_DIR", kept.to_str().unwrap()),
        ("HOLDUP_ALARMS", "700ms"),
        ("HOLDUP_NAME", "orders"),
    ];
    let server = service("stall", &set);
    let file = written(&kept);
    drop(server);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("orders.past-") && name.ends_with("-stall.holdup"), "{name}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&kept), mode(&file)), (0o700, 0o600));
    let report = check(&kept, name, &[]);
    assert!(lints(&report).contains(&"stalled-worker"), "{report:#}");
    // As a recording like others it is in their form.
    let ended = run_in(&kept, &["record", "--past", name, "-o", "b.holdup"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(lints(&check(&kept, "b.holdup", &[])), lints(&report));
    let shared = run_in(&kept, &["share", name, "-o", "c.holdup"]);
    assert_eq!(shared.code, Some(0), "{shared:?}");
}

#[test]
fn where_none_is_kept_that_is_said() {
    let (without, console) = (running::with_agent("healthy"), Server::start("healthy"));
    let folder = tempfile::tempdir().unwrap();
    for (target, says) in [
        (without.target.as_str(), "HOLDUP_HISTORY=64MiB switches that on"),
        (console.target.as_str(), "it is no agent, or one that is older"),
        ("http://127.0.0.1:1", "nothing listens"),
        ("1", "no address of one"),
    ] {
        let ended = run_in(folder.path(), &["record", "--past", target, "-o", "a.holdup"]);
        assert!(ended.code == Some(2) && ended.stderr.contains(says), "{target}: {ended:?}");
        assert!(!folder.path().join("a.holdup").exists(), "{target}");
    }
    let both = run(&["record", "--past", "--for", "3s"]);
    assert!(both.code == Some(2) && both.stderr.contains("cannot be used with"), "{both:?}");
}
