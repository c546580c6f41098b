//! The scenarios of the demo server by its memory alone, with nothing built into it: which of them `holdup check PID` finds stands in a
//! table of `docs/memory.md`, beside those that memory cannot tell. The short form holds the table against the scenarios that there are;
//! the long one (`--ignored`) builds the server with types, and runs them all.
#![cfg(all(feature = "demo", target_os = "linux"))]

#[path = "process/memory_table.rs"]
mod memory_table;

use demo_server::{Kind, Listening, Processors, Scenario, scenarios};
use memory_table::table;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Scenarios that run at once: those of the demo are an echo service each, with a thing or two beside it.
const AT_ONCE: usize = 4;
/// How often one is watched until it is found.
const WINDOWS: usize = 3;
/// How long one is watched beyond the time after which its finding is true.
const MARGIN: Duration = Duration::from_secs(5);

#[test]
fn every_scenario_is_in_the_table() {
    let said = table();
    let named: BTreeSet<&str> = said.keys().copied().collect();
    let there: BTreeSet<&str> = scenarios().iter().map(|scenario| scenario.name).collect();
    assert_eq!(named, there);
    for scenario in scenarios().iter().filter(|scenario| scenario.kind == Kind::Control) {
        let row = &said[scenario.name];
        let mut raised = row.always.iter().chain(&row.by_chance);
        assert!(raised.all(|lint| *lint == "stood-still"), "{}: {row:?}", scenario.name);
    }
}

/// A server that ends with this.
struct Server {
    child: Child,
    _stdin: Option<ChildStdin>,
}

impl Server {
    fn start(file: &Path, scenario: &str) -> Self {
        let mut child = Command::new(file)
            .args(["--instrument", "none", "--exit-with-stdin", "--scenario", scenario])
            .args(["--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"])
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo server starts");
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines().map_while(Result::ok);
        assert!(lines.any(|line| matches!(line.parse(), Ok(Listening::Echo(_)))), "{scenario} does not listen");
        Self { child, _stdin: stdin }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server with types, which the tests' own has not.
fn built() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/types");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "holdup-demo", "--target-dir"])
        .arg(&target)
        .env("CARGO_PROFILE_DEV_DEBUG", "2")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the demo server is not built");
    target.join("debug/demo-server")
}

/// The lints that are raised above a note, in as many windows as are wanted: what lasts for half a second at a time stands between
/// two looks as often as not.
fn raised_by(file: &Path, scenario: &Scenario, wanted: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    let mut all = BTreeSet::new();
    for _ in 0..WINDOWS {
        all.extend(raised(file, scenario, wanted)?);
        if all.is_superset(wanted) {
            break;
        }
    }
    Ok(all)
}

/// The lints that are raised above a note in one window, and those of these that are no more than that.
fn raised(file: &Path, scenario: &Scenario, notes: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    let server = Server::start(file, scenario.name);
    let window = scenario.within.min(Duration::from_secs(10)) + MARGIN;
    let output = Command::new(env!("CARGO_BIN_EXE_holdup"))
        .args(["check", &server.child.id().to_string(), "--format", "json", "--connect-timeout", "60s", "--for"])
        .arg(format!("{}ms", window.as_millis()))
        .output()
        .map_err(|error| error.to_string())?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let findings = report["findings"].as_array().into_iter().flatten();
    let named = findings.filter_map(|finding| Some((finding["lint"].as_str()?, finding["severity"].as_str()?)));
    let counts = |&(lint, severity): &(&str, &str)| severity != "note" || notes.contains(lint);
    Ok(named.filter(counts).map(|(lint, _)| lint.to_owned()).collect())
}

#[test]
#[ignore = "builds the server with types, and takes two minutes beside that"]
fn each_scenario_by_its_memory() {
    let (file, said) = (built(), table());
    let wrong = Mutex::new(Vec::new());
    let look = |scenario: &Scenario| {
        let row = &said[scenario.name];
        let found = raised_by(&file, scenario, &row.always);
        eprintln!("{}: {found:?}", scenario.name);
        let fits = |found: &BTreeSet<String>| {
            found.is_superset(&row.always)
                && found.iter().all(|lint| row.always.contains(lint) || row.by_chance.contains(lint))
        };
        if !found.as_ref().is_ok_and(fits) {
            let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
            wrong.push(format!("{}: {found:?}, not {row:?}", scenario.name));
        }
    };
    let (beside, alone): (Vec<&Scenario>, Vec<&Scenario>) =
        scenarios().iter().partition(|scenario| scenario.processors == Processors::Left);
    let queue = Mutex::new(beside.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(scenario) = next else { return };
                    look(scenario);
                }
            });
        }
    });
    alone.into_iter().for_each(look);
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
