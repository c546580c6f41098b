//! `holdup share`, as it is shipped: what is in the file that it writes, of real demo servers in processes of their own.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

#[allow(dead_code, reason = "nothing is typed in a home of no folder")]
mod process;
#[allow(dead_code, reason = "what runs here are servers")]
#[path = "process/running.rs"]
mod running;
#[allow(dead_code, reason = "what is typed runs in a folder")]
#[path = "process/victims.rs"]
mod victims;

use holdup::{
    record::{Player, Recording},
    session::Session,
    update::{Event, Part},
};
use process::{Ended, holdup};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use victims::Victim;

/// Runs it in a folder.
fn run_in(folder: &Path, args: &[&str]) -> Ended {
    holdup(folder).args(args).output().unwrap().into()
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let ended = run_in(folder, args);
    assert!(matches!(ended.code, Some(0 | 1)) && ended.stderr.is_empty(), "{args:?}: {ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Records a target for a while as `a.holdup`, and shares it as `b.holdup`.
fn recorded(folder: &Path, target: &str, lasting: &str) {
    let args = ["record", target, "-o", "a.holdup", "--for", lasting, "--connect-timeout", "60s"];
    let ended = run_in(folder, &args);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = run_in(folder, &["share", "a.holdup", "-o", "b.holdup"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.starts_with("shared ") && !ended.stderr.contains("damaged"), "{ended:?}");
}

/// All that stands in a file, compressed or not.
fn unpacked(folder: &Path, file: &str) -> Vec<u8> {
    let bytes = fs::read(folder.join(file)).unwrap();
    [bytes.clone(), zstd::decode_all(bytes.as_slice()).unwrap()].concat()
}

fn has(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// What is wrong after each complete update: lint, severity, and for how long it has been so.
fn found(folder: &Path, file: &str) -> Vec<(Duration, Vec<String>)> {
    let mut player = Player::new(Recording::open(&folder.join(file)).unwrap()).unwrap();
    let mut all = Vec::new();
    while let Some(event) = player.step().unwrap() {
        if matches!(&event, Event::Update(update) if update.part == Part::Last) {
            all.push((player.moment().at, findings(player.session())));
        }
    }
    all
}

fn findings(session: &Session) -> Vec<String> {
    let Some(now) = session.model().now() else { return Vec::new() };
    let finding = |finding: &holdup::diagnose::Finding| {
        let (since, seen) = (now.since(finding.since), now.since(finding.first_seen));
        let (lint, severity, status) = (finding.lint.name, finding.severity, finding.status);
        let related = &finding.related;
        let (waiters, tasks, cycle) = (related.waiters_total, related.tasks_total, related.cycle.len());
        format!("{lint} {severity} {status:?} {:?} {since:?} {seen:?} {waiters} {tasks} {cycle}", finding.confidence)
    };
    session.engine().findings().map(finding).collect()
}

fn assert_alike(folder: &Path, lints: &[&str]) {
    let (then, now) = (found(folder, "a.holdup"), found(folder, "b.holdup"));
    assert!(then.len() > 2, "{} updates", then.len());
    assert_eq!(now, then);
    for lint in lints {
        assert!(then.iter().any(|(_, found)| found.iter().any(|line| line.starts_with(lint))), "{lint}: {then:#?}");
    }
}

#[test]
fn what_is_shared_has_the_same_findings_and_no_name_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = running::with_agent("lock-across-await,panics,spin-later-poll");
    recorded(folder, &server.target, "8s");
    assert_alike(folder, &["held-across-await", "panicked", "stalled-worker"]);
    assert_eq!(fs::metadata(folder.join("b.holdup")).unwrap().permissions().mode() & 0o777, 0o600);

    // What the original says of itself, the copy says no more.
    let host = server.target.trim_start_matches("http://");
    let pid = server.pid().to_string();
    let (original, shared) = (unpacked(folder, "a.holdup"), unpacked(folder, "b.holdup"));
    for name in [
        host,
        "demo-server",
        "demo_server",
        "panics.rs",
        "spawns-and-forgets",
        "asked for a panic",
        "lock_across_await",
        "scenarios",
    ] {
        assert!(!has(&shared, name), "{name} is in what is shared");
    }
    // What the agent can tell is no secret, and decides what is known.
    assert!(!has(&shared, "ability-") && has(&shared, "spawn-times") && has(&shared, "captures"));
    for name in [host, "panics", "spawns-and-forgets", "asked for a panic", "scenarios/"] {
        assert!(has(&original, name), "{name} is in the recording");
    }
    let said = json(folder, &["info", "b.holdup", "--json"]);
    let told = json(folder, &["info", "a.holdup", "--json"]);
    for same in ["updates", "most_tasks", "attached", "findings", "closed", "seconds"] {
        assert_eq!(said[same], told[same], "{same}");
    }
    assert!(said["from"].as_str().unwrap().starts_with("1970-01-01T00:00:0"), "{said:#}");
    assert!(said["target"].as_str().unwrap().starts_with("target-"), "{said:#}");
    assert!(!said["processes"].to_string().contains(&pid), "{said:#}");

    // Findings say what to look at in the same words, but for names.
    let check = ["check", "b.holdup", "--format", "json", "--fail-on", "never"];
    let report = json(folder, &check);
    let one = report["findings"].as_array().unwrap().iter().find(|one| one["lint"] == "held-across-await").unwrap();
    let place = one["subject"]["place"].as_str().or(one["lock"]["place"].as_str());
    assert!(place.is_none_or(|place| place.contains(".rs:")), "{one:#}");
    assert!(run_in(folder, &["check", "b.holdup", "--fail-on", "note"]).code == Some(1));
}

#[test]
fn what_a_console_tells_is_shared_with_the_same_findings() {
    let folder = tempfile::tempdir().unwrap();
    let server = running::Server::start("lock-across-await,lock-convoy");
    recorded(folder.path(), &server.target, "8s");
    assert_alike(folder.path(), &["held-across-await", "lock-convoy"]);
}

#[test]
fn the_memory_of_a_process_is_shared_with_its_chains() {
    // Tasks that wait for each other; a thread that sleeps for a lock of the standard library; a runtime that nobody drives; a worker that is kept.
    for (case, lint) in [
        ("deadlock", "deadlock"),
        ("lock-convoy", "lock-convoy"),
        ("guard-only-thread", "deadlock"),
        ("undriven", "undriven"),
        ("stalled-worker", "stalled-worker"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let victim = Victim::start("release", &[case]);
        recorded(folder, &victim.pid(), "6s");
        assert_alike(folder, &[lint]);
        let [original, shared] = ["a.holdup", "b.holdup"].map(|file| unpacked(folder, file));
        for name in ["finds::", "finds/src", "victims", "/target/"] {
            assert!(!has(&shared, name), "{case}: {name} is in what is shared");
        }
        assert!(has(&original, "finds::"), "{case}: its functions are in the recording");
        let tree = run_in(folder, &["tree", "b.holdup"]);
        assert_eq!(tree.code, Some(0), "{case}: {tree:?}");
        assert!(tree.stdout.contains(".rs:") && tree.stdout.contains("name-"), "{case}: {}", tree.stdout);
    }
}

#[test]
fn the_time_is_kept_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = running::with_agent("lock-across-await");
    recorded(folder, &server.target, "3s");
    let kept = run_in(folder, &["share", "a.holdup", "-o", "kept.holdup", "--keep-time"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let [original, kept] = ["a.holdup", "kept.holdup"].map(|file| json(folder, &["info", file, "--json"]));
    assert_eq!((&kept["from"], &kept["to"]), (&original["from"], &original["to"]));
    assert!(!original["from"].as_str().unwrap().starts_with("1970"), "{original:#}");
}

#[test]
fn nothing_is_written_over_and_what_is_damaged_is_said_to_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = running::with_agent("churn");
    recorded(folder, &server.target, "4s");
    for taken in ["a.holdup", "b.holdup"] {
        let before = fs::read(folder.join(taken)).unwrap();
        let ended = run_in(folder, &["share", "a.holdup", "-o", taken]);
        assert!(ended.code == Some(2) && ended.stderr.contains("is there already"), "{ended:?}");
        assert_eq!(fs::read(folder.join(taken)).unwrap(), before);
    }
    let bytes = fs::read(folder.join("a.holdup")).unwrap();
    fs::write(folder.join("cut.holdup"), &bytes[..bytes.len() * 3 / 4]).unwrap();
    let ended = run_in(folder, &["share", "cut.holdup", "-o", "c.holdup"]);
    assert!(ended.code == Some(0) && ended.stderr.contains("was not closed"), "{ended:?}");
    assert_eq!(json(folder, &["info", "c.holdup", "--json"])["closed"], true);

    fs::write(folder.join("text.holdup"), "no recording").unwrap();
    let ended = run_in(folder, &["share", "text.holdup", "-o", "d.holdup"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("no recording of holdup's"), "{ended:?}");
    // Of one in which nothing can be read no file is left.
    fs::write(folder.join("head.holdup"), &bytes[..300]).unwrap();
    let ended = run_in(folder, &["share", "head.holdup", "-o", "d.holdup"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("nothing can be read in it"), "{ended:?}");
    assert!(!folder.join("d.holdup").exists());
    assert_eq!(run_in(folder, &["share", "a.holdup"]).code, Some(2));
}
