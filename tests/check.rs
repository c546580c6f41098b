//! `holdup check` as it is shipped, against a real demo server in a process of its own.
#![cfg(all(feature = "demo", tokio_unstable))]

#[path = "check/many.rs"]
mod many;
mod process;
#[path = "process/running.rs"]
mod running;

use process::{holdup, run};
use running::{Running, Server};
use serde_json::Value;
use std::{net::TcpListener, path::Path, time::Duration};

/// The JSON that a run printed, valid by the schema that the executable prints.
fn json(stdout: &str) -> Value {
    let schema: Value = serde_json::from_str(&run(&["check", "--print-schema"]).stdout).unwrap();
    let report: Value = serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{report:#}");
    report
}

fn finding<'a>(report: &'a Value, lint: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["lint"] == lint).unwrap_or_else(|| panic!("no {lint} in {report:#}"))
}

#[test]
fn a_spin_is_found_on_its_task_in_every_format() {
    let server = Server::start("spin-later-poll,large-future");
    let ended = run(&["check", "--no-memory", &server.target, "--for", "4s", "--format", "json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    let report = json(&ended.stdout);
    assert_eq!(report["target"], server.target.as_str());
    assert_eq!(
        (&report["version"], &report["protocol"], &report["process"]),
        (&1.into(), &"console".into(), &Value::Null)
    );
    assert_eq!(report["window"]["ended"], "elapsed");
    assert!(report["window"]["seconds"].as_f64().unwrap() >= 4.0);
    assert!(report["counts"]["tasks"]["live"].as_u64().unwrap() > 3);
    let spin = finding(&report, "never-yields");
    assert_eq!((&spin["severity"], &spin["status"]), (&"critical".into(), &"active".into()));
    assert_eq!(spin["subject"]["kind"], "task");
    assert!(spin["subject"]["location"]["file"].as_str().unwrap().ends_with("spin_later_poll.rs"), "{spin:#}");
    assert!(spin["subject"]["location"]["line"].as_u64().is_some());
    assert_eq!(report["findings"][0]["lint"], "never-yields", "the worst first");
    // A console knows nothing of these: that they were not found is no all-clear.
    let unasked: Vec<&str> =
        report["not_looked_for"].as_array().unwrap().iter().filter_map(|unasked| unasked["lint"].as_str()).collect();
    let by_memory = ["futurelock", "waits-for-itself", "stuck-unless", "shutdown-waits", "abandoned-wait"];
    let by_agent = ["stalled-worker", "permits-gone", "channel-stuck", "driver-late", "blocking-pool-full", "panicked"];
    assert!(unasked.iter().all(|lint| by_memory.contains(lint) || by_agent.contains(lint)), "{unasked:?}");
    assert_eq!(unasked.len(), by_memory.len() + by_agent.len());
    for unasked in report["not_looked_for"].as_array().unwrap() {
        let because = unasked["because"].as_str().unwrap();
        let teller = if by_agent.iter().any(|lint| unasked["lint"] == *lint) { "agent" } else { "memory" };
        assert!(because.contains(teller), "{unasked}");
    }

    let ended = run(&["check", "--no-memory", &server.target, "--for", "3s"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    for part in [
        "CRITICAL never-yields",
        "spin_later_poll.rs:",
        "spawn_blocking",
        "NOTE large-future",
        "watched http://",
        "not looked for: stalled-worker, permits-gone, channel-stuck, driver-late, blocking-pool-full, panicked (only holdup's agent tells of it)\n",
    ] {
        assert!(ended.stdout.contains(part), "no {part:?} in\n{}", ended.stdout);
    }
    assert!(ended.stdout.find("CRITICAL").unwrap() < ended.stdout.find("NOTE").unwrap());

    let ended = run(&["check", "--no-memory", &server.target, "--for", "3s", "--format", "github"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stdout.starts_with("::error file=demo-server/src/scenarios/spin_later_poll.rs,line="),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.lines().all(|line| line.starts_with("::")), "{}", ended.stdout);
}

#[test]
fn a_target_that_tells_of_no_task_gets_no_all_clear() {
    let server = Server::start("one-filter-for-all");
    let ended = run(&["check", "--no-memory", &server.target, "--for", "5s"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    for part in ["WARNING tells-nothing", "tokio=trace,runtime=trace", "max_level_*"] {
        assert!(ended.stdout.contains(part), "no {part:?} in\n{}", ended.stdout);
    }
    let ended = run(&["check", "--no-memory", &server.target, "--for", "5s", "--format", "json"]);
    assert_eq!(finding(&json(&ended.stdout), "tells-nothing")["severity"], "warning");
}

#[test]
fn what_counts_as_a_failure_is_the_users_choice() {
    let server = Server::start("large-future");
    let check = |more: &[&str]| run(&[&["check", "--no-memory", &server.target, "--for", "2s"], more].concat());
    let noted = check(&[]);
    assert!(noted.stdout.contains("NOTE large-future"), "{}", noted.stdout);
    assert_eq!(noted.code, Some(0), "a note is below the default");
    assert_eq!(check(&["--fail-on", "note"]).code, Some(1));
    assert_eq!(check(&["--fail-on", "never"]).code, Some(0));
    let allowed = check(&["--fail-on", "note", "--allow", "all", "--warn", "never-yielded"]);
    assert_eq!(allowed.code, Some(0), "{}", allowed.stdout);
    let raised = check(&["--fail-on", "note", "-A", "all", "-W", "large-future", "--set", "large-future.size=1000000"]);
    assert_eq!(raised.code, Some(0), "{}", raised.stdout);
}

#[test]
fn a_configuration_file_switches_lints_as_the_flags_do() {
    let server = Server::start("large-future");
    let home = tempfile::tempdir().unwrap();
    let config = format!("target = '{}'\n[lints.large-future]\nenabled = false\n", server.target);
    std::fs::write(home.path().join("holdup.toml"), config).unwrap();
    let check = |more: &[&str]| {
        let mut command = holdup(home.path());
        command
            .args(["check", "--no-memory", "--for", "2s", "--fail-on", "note", "--set", "long-polls.single=1h"])
            .args(more);
        process::Ended::from(command.output().unwrap())
    };
    let off = check(&[]);
    assert_eq!(off.code, Some(0), "the target is the file's, and so is the lint: {off:?}");
    let on = check(&["-W", "large-future"]);
    assert_eq!(on.code, Some(1), "the flag weighs more: {on:?}");
}

#[test]
fn a_target_that_is_not_there_is_3_and_says_why() {
    let ended = run(&["check", "127.0.0.1:1", "--connect-timeout", "500ms"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""));
    assert!(ended.stderr.contains("http://127.0.0.1:1 could not be reached within 500ms"), "{}", ended.stderr);

    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = mute.local_addr().unwrap().to_string();
    let ended = run(&["check", &target, "--connect-timeout", "500ms"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("could not be reached"), "{}", ended.stderr);
}

#[test]
fn a_target_that_can_never_be_watched_is_3_at_once() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for peer in server.incoming() {
            let mut peer = peer.unwrap();
            std::io::Write::write_all(&mut peer, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").unwrap();
            std::io::Read::read_to_end(&mut peer, &mut Vec::new()).unwrap_or(0);
        }
    });
    // With a day to wait it would hang here if it went on trying.
    let ended = run(&["check", &target, "--connect-timeout", "1day"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""));
    assert!(ended.stderr.contains("cannot be watched: what listens there speaks HTTP/1"), "{}", ended.stderr);
}

#[test]
fn a_target_that_is_lost_for_good_is_3_after_what_was_found() {
    let server = Server::start("large-future");
    let home = tempfile::tempdir().unwrap();
    let mut command = holdup(home.path());
    command.args(["check", "--no-memory", &server.target, "--for", "4s", "--format", "json"]);
    let running = Running::start(command);
    std::thread::sleep(Duration::from_secs(2));
    drop(server);
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("was lost and did not come back"), "{}", ended.stderr);
    let report = json(&ended.stdout);
    assert_eq!(report["window"]["ended"], "lost");
    assert!(report["window"]["reason"].is_string());
    finding(&report, "large-future");
}

#[cfg(unix)]
#[test]
fn a_target_that_falls_silent_is_3_and_no_all_clear() {
    let server = Server::start("healthy");
    let home = tempfile::tempdir().unwrap();
    let mut command = holdup(home.path());
    command.args(["check", "--no-memory", &server.target, "--for", "6s", "--format", "json"]);
    let running = Running::start(command);
    std::thread::sleep(Duration::from_secs(2));
    server.signal("STOP");
    let ended = running.end();
    server.signal("CONT");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("fell silent"), "{}", ended.stderr);
    let report = json(&ended.stdout);
    assert_eq!(report["window"]["ended"], "silent");
    assert!(report["window"]["reason"].as_str().unwrap().starts_with("no update for the last "));
}

#[test]
fn what_was_found_in_a_process_that_was_restarted_is_past_and_counts() {
    let server = Server::start("spin-first-poll");
    let console = server.target.strip_prefix("http://").unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let mut command = holdup(home.path());
    command.args(["check", "--no-memory", &server.target, "--for", "8s", "--format", "json"]);
    let running = Running::start(command);
    std::thread::sleep(Duration::from_secs(3));
    drop(server);
    let _server = Server::start_at(&console, "healthy");
    let ended = running.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
    let report = json(&ended.stdout);
    assert_eq!(report["window"]["attached"], 2);
    assert_eq!(finding(&report, "never-yields")["status"], "past");
}

#[cfg(unix)]
#[test]
fn an_interrupted_check_prints_what_it_has_and_exits_by_the_same_rules() {
    let server = Server::start("spin-first-poll");
    for signal in ["INT", "TERM"] {
        let home = tempfile::tempdir().unwrap();
        let mut command = holdup(home.path());
        command.args(["check", "--no-memory", &server.target, "--for", "1h", "--format", "json"]);
        let running = Running::start(command);
        std::thread::sleep(Duration::from_secs(4));
        running.signal(signal);
        let ended = running.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
        let report = json(&ended.stdout);
        assert_eq!(report["window"]["ended"], "interrupted");
        finding(&report, "never-yields");
    }
    let home = tempfile::tempdir().unwrap();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = holdup(home.path());
    command.args(["check", &mute.local_addr().unwrap().to_string(), "--connect-timeout", "1h"]);
    let running = Running::start(command);
    std::thread::sleep(Duration::from_secs(1));
    running.signal("INT");
    let ended = running.end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
    assert!(ended.stderr.contains("stopped before"), "{}", ended.stderr);
}

#[test]
fn the_log_goes_to_a_file_and_nowhere_else() {
    let server = Server::start("healthy");
    let home = tempfile::tempdir().unwrap();
    let logs = |dir: &Path| -> Vec<std::path::PathBuf> {
        std::fs::read_dir(dir).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
    };
    let check = |more: &[&str]| {
        let mut command = holdup(home.path());
        command.args(["check", "--no-memory", &server.target, "--for", "500ms", "--fail-on", "never"]).args(more);
        process::Ended::from(command.output().unwrap())
    };
    assert_eq!(check(&[]).stderr, "");
    assert_eq!(logs(&home.path().join("state/holdup")), Vec::<std::path::PathBuf>::new(), "off unless asked for");
    assert_eq!(check(&["--log", "trace"]).stderr, "");
    assert_eq!(logs(&home.path().join("state/holdup")).len(), 1);
    let chosen = home.path().join("elsewhere");
    assert_eq!(check(&["--log", "trace", "--log-dir", chosen.to_str().unwrap()]).stderr, "");
    let files = logs(&chosen);
    assert_eq!(files.len(), 1);
    assert!(std::fs::metadata(&files[0]).unwrap().len() > 0, "something was logged");
}
