//! The agent on each tokio that it is tested with: the oldest, which is a long-term one, and the newest. A small service is built with each, by
//! a lock file of its own (`tests/matrix/`), and what a client is told of it is looked at.
//!
//! ```console
//! $ cargo test --test matrix -- --ignored     # builds the agent twice, in three minutes on two cores
//! ```
#![cfg(target_os = "linux")]

use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The folders of `tests/matrix/`.
const VERSIONS: [&str; 2] = ["lts", "newest"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix").join(name)
}

/// The version of tokio that a lock file pins.
fn pinned(name: &str) -> String {
    let lock: toml::Table = fs::read_to_string(folder(name).join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let tokio = packages.iter().find(|package| package["name"].as_str() == Some("tokio")).unwrap();
    tokio["version"].as_str().unwrap().to_owned()
}

fn built(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/matrix");
    let status = Command::new(env!("CARGO"))
        .current_dir(folder(name))
        .args(["build", "--quiet", "--locked", "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", "--cfg tokio_unstable")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the service does not build with {name}");
    let built = target.join("debug/matrix");
    // The next one is built to the same place.
    let own = target.join(format!("matrix-{name}"));
    fs::copy(&built, &own).expect("it was built");
    own
}

/// The service, ended when this is dropped.
struct Service(Child, String);

impl Service {
    fn start(program: &Path) -> Self {
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the service starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("text");
        Self(child, line.trim_end().to_owned())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn check(target: &str) -> Value {
    let checked = Command::new(env!("CARGO_BIN_EXE_holdup"))
        .args(["check", target, "--no-memory", "--for", "8s", "--format", "json", "--fail-on", "never"])
        .output()
        .expect("holdup runs");
    serde_json::from_slice(&checked.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&checked.stderr)))
}

#[test]
fn the_versions_that_the_agent_says_it_was_tested_with_are_those_of_the_lock_files() {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("agent/src/collect/tested.rs")).unwrap();
    let line = source.lines().find(|line| line.contains("const VERSIONS")).expect("a list of them");
    let said: BTreeSet<String> = line.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let minor = |version: String| version.rsplit_once('.').map(|(minor, _)| minor.to_owned()).expect("a version");
    let pinned: BTreeSet<String> = VERSIONS.iter().map(|name| minor(pinned(name))).collect();
    assert_eq!(said, pinned);
}

#[test]
#[ignore = "builds the agent twice"]
fn tasks_locks_and_stalls_arrive_with_each() {
    for name in VERSIONS {
        let service = Service::start(&built(name));
        let told = check(&service.1);
        let process = &told["process"];
        assert_eq!(process["tokio_version"], pinned(name), "{name}: {told:#}");
        assert_eq!(process["limitations"], serde_json::json!([]), "{name}: nothing is said to be unknown");
        assert_eq!(told["counts"]["decode_issues"], 0, "{name}");
        let findings = told["findings"].as_array().expect("a list");
        let has = |lint: &str, text: &str| {
            findings.iter().any(|finding| finding["lint"] == lint && finding.to_string().contains(text))
        };
        assert!(has("held-across-await", "keeper") && has("held-across-await", "Mutex"), "{name}: {told:#}");
        assert!(has("stalled-worker", "staller") || has("never-yields", "staller"), "{name}: {told:#}");
    }
}
