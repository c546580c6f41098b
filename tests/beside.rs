//! A service of this machine that stock console-subscriber or the agent tells of, with its memory read beside it, over the real wire.
//! The demo server is built for this with types, so that its chains can be read.
#![cfg(all(feature = "demo", target_os = "linux"))]

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The server, with all debug information.
fn with_types() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/types");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", "holdup-demo"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_DEV_DEBUG", "2")
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the demo server does not build");
    target.join("debug/demo-server")
}

/// A server, ended when this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server whose tasks wait for locks that were taken long before anybody attaches.
fn server(instrument: &str) -> Server {
    let mut child = Command::new(with_types())
        .args(["--instrument", instrument, "--scenario", "deadlock,brief-lock,nested-permits", "--load", "0"])
        .args(["--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the demo server starts");
    let said = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let url = said.into_iter().find_map(|line| line.split_once("listening on http://").map(|(_, at)| at.to_owned()));
    // Longer than what is over is kept with the second scenario.
    std::thread::sleep(Duration::from_secs(8));
    Server { child, url: url.expect("where it listens") }
}

fn check(url: &str, more: &[&str]) -> Value {
    let checked = Command::new(env!("CARGO_BIN_EXE_holdup"))
        .args(["check", url, "--for", "30s", "--format", "json", "--fail-on", "never"])
        .args(more)
        .output()
        .expect("holdup runs");
    serde_json::from_slice(&checked.stdout).expect("JSON")
}

/// Who holds a lock, by the findings: each with the confidence.
fn holders(told: &Value) -> Vec<(String, String)> {
    let findings = told["findings"].as_array().into_iter().flatten();
    let of_locks = findings.filter(|finding| finding["lint"] == "deadlock" || finding["lint"] == "held-across-await");
    let mut named = Vec::new();
    for finding in of_locks {
        let confidence = finding["confidence"].as_str().unwrap_or_default();
        let steps = finding["related"]["cycle"].as_array().into_iter().flatten().map(|step| &step["task"]);
        let all = steps.chain([&finding["related"]["holder"]]);
        let told = all.filter_map(|task| task["name"].as_str());
        named.extend(told.map(|name| (name.to_owned(), confidence.to_owned())));
    }
    named.sort();
    named.dedup();
    named
}

#[test]
#[ignore = "builds the demo server with types, for minutes"]
fn stock_console_subscriber_has_the_holders_that_memory_finds_on_late_attach() {
    let server = server("console-subscriber");
    let alone = check(&server.url, &["--no-memory"]);
    assert!(holders(&alone).is_empty(), "the console cannot know: {alone:#}");
    let both = check(&server.url, &[]);
    let names: Vec<String> = holders(&both).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["deadlock-ab", "deadlock-ba"], "{both:#}");
    assert!(holders(&both).iter().all(|(_, how)| how != "inferred"), "{both:#}");
}

#[test]
#[ignore = "builds the demo server with types, for minutes"]
fn an_agent_s_word_stands_with_memory_beside_it() {
    let server = server("agent");
    let both = check(&server.url, &[]);
    let names: Vec<String> = holders(&both).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["deadlock-ab", "deadlock-ba"], "{both:#}");
    let lints: Vec<&str> =
        both["findings"].as_array().into_iter().flatten().filter_map(|finding| finding["lint"].as_str()).collect();
    assert!(lints.contains(&"deadlock"), "{both:#}");
    // What both tell of is one thing, with the place and the time that the agent knows.
    assert_eq!(lints.iter().filter(|lint| **lint == "permits-gone").count(), 1, "{both:#}");
    let gone = both["findings"].as_array().into_iter().flatten().find(|finding| finding["lint"] == "permits-gone");
    let gone = gone.expect("a semaphore");
    assert_eq!(gone["status"], "active", "{gone:#}");
    assert!(gone.to_string().contains("nested_permits.rs:25"), "{gone:#}");
}
