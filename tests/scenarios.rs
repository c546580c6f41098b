//! Every scenario of the demo server, each in a process of its own, as `holdup check` sees it: a trouble raises its finding on the
//! right task or lock, and nothing else above a note; a control, and a trouble that no instrumentation tells, raise nothing above a note.
//!
//! What must be found stands in the table of scenarios, with the scenario. Here stands how to look.
#![cfg(feature = "demo")]

#[path = "process/memory_table.rs"]
mod memory_table;

use demo_server::{InLean, Kind, Listening, Raised, Scenario, scenario, scenarios};
use holdup::diagnose::LINTS;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, PoisonError, RwLock},
    time::Duration,
};

/// Scenarios that fill a processor run alone; the others may run beside each other.
static MACHINE: RwLock<()> = RwLock::new(());

/// How long to watch beyond the time after which a finding is true.
const MARGIN: Duration = Duration::from_secs(3);

/// Who tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    ConsoleSubscriber,
    Agent,
    LeanAgent,
}

impl By {
    fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::ConsoleSubscriber => ["--instrument", "console-subscriber", "--detail", "full"],
            Self::Agent => ["--instrument", "agent", "--detail", "full"],
            Self::LeanAgent => ["--instrument", "agent", "--detail", "lean"],
        }
    }

    /// What must be raised, and whether it is about what the scenario's table names.
    fn must_raise(self, scenario: &Scenario) -> Vec<Raised> {
        let raises = scenario.raises.zip(scenario.severity).map(|(lint, severity)| Raised { lint, severity });
        match self {
            Self::LeanAgent if scenario.in_lean == InLean::Nothing => Vec::new(),
            Self::Agent | Self::LeanAgent if scenario.from_agent.is_some() => {
                scenario.from_agent.into_iter().flatten().copied().collect()
            }
            _ => raises.into_iter().collect(),
        }
    }
}

/// A demo server, ended when this is dropped.
struct Server {
    child: Child,
    url: String,
    /// What it says, a thousand panics among it, which is of interest only where a test fails.
    said: File,
}

impl Server {
    fn start(scenario: &str, by: By) -> Self {
        let said = tempfile::tempfile().expect("a file for what it says");
        let mut child = Command::new(env!("CARGO_BIN_EXE_holdup"))
            .args([
                "demo-server",
                "--echo-addr",
                "127.0.0.1:0",
                "--console-addr",
                "127.0.0.1:0",
                "--scenario",
                scenario,
            ])
            .args(by.arguments())
            // A long trace of a panic would be a long poll.
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(said.try_clone().expect("the file is opened twice"))
            .spawn()
            .expect("the demo server starts");
        let output = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let url = lines.find_map(|line| match line.parse() {
            Ok(Listening::Console(address)) => Some(format!("http://{address}")),
            _ => None,
        });
        Self { child, url: url.expect("it says where its console listens"), said }
    }

    /// Whether it is still there, for who wonders at a report.
    fn state(&mut self) -> String {
        match self.child.try_wait() {
            Ok(None) => "the server runs".into(),
            Ok(Some(status)) => format!("the server ended: {status}"),
            Err(error) => format!("the server cannot be asked: {error}"),
        }
    }

    fn check(&self, watch: Duration, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_holdup"))
            .args(["check", &self.url, "--no-memory", "--format", "json", "--for"])
            .arg(format!("{}ms", watch.as_millis()))
            .args(arguments)
            .output()
            .expect("holdup runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", last_words(&mut self.said).unwrap_or_else(|error| error.to_string()));
        }
    }
}

/// The end of what a file says.
fn last_words(said: &mut File) -> io::Result<String> {
    const MOST: u64 = 4_096;
    let length = said.metadata()?.len();
    said.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut words = Vec::new();
    said.read_to_end(&mut words)?;
    Ok(String::from_utf8_lossy(&words).into_owned())
}

/// How long to watch, and with which thresholds: those that take minutes to reach by default are shortened.
fn plan(scenario: &Scenario) -> (Duration, &'static [&'static str]) {
    match scenario.name {
        "task-leak" => (Duration::from_secs(18), &["--set", "task-leak.grows=5s"]),
        _ => (scenario.within + MARGIN, &[]),
    }
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a finding is one that a scenario must raise: its lint, at least its severity, and its task or its lock.
fn is_it(scenario: &Scenario, raised: Raised, finding: &Value) -> bool {
    let rank = |severity: &str| ["note", "warning", "critical"].iter().position(|&known| known == severity);
    let subject = &finding["subject"];
    let in_file = |place: &Value| text(place, "/location/file") == scenario.file;
    let steps = || finding["related"]["cycle"].as_array().into_iter().flatten();
    let tasks = || [subject, &finding["related"]["holder"]].into_iter().chain(steps().map(|step| &step["task"]));
    let locks = || [subject, &finding["related"]["lock"]].into_iter().chain(steps().map(|step| &step["waits_for"]));
    let is_about = match text(subject, "/kind") {
        "task" | "lock" => {
            let lock = |kind| locks().any(|lock| text(lock, "/lock_kind") == kind && in_file(lock));
            (scenario.tasks.is_empty() || tasks().any(|task| scenario.tasks.contains(&text(task, "/name"))))
                && scenario.lock.is_none_or(lock)
        }
        "place" => in_file(subject),
        _ => true,
    };
    text(finding, "/lint") == raised.lint && rank(text(finding, "/severity")) >= rank(raised.severity) && is_about
}

fn verify(name: &str, by: By, attach_after: Duration) {
    let scenario = scenario(name).expect("the scenario is in the table");
    let mut server = Server::start(name, by);
    std::thread::sleep(attach_after);
    let (watch, thresholds) = plan(scenario);
    let output = server.check(watch, thresholds);
    let server = server.state();
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{name} by {by:?}: no report: {error}\n{said}{server}"));
    let findings = report["findings"].as_array().expect("a report has findings");
    let told = || format!("{name} by {by:?} reported {report:#}\n{said}{}, {server}", output.status);

    let must_raise = by.must_raise(scenario);
    for raised in &must_raise {
        assert!(findings.iter().any(|finding| is_it(scenario, *raised, finding)), "{raised:?}: {}", told());
    }
    let may_raise = |lint: &str| match (by, scenario.raises) {
        // What only a target that lags gives reason for.
        (By::Agent | By::LeanAgent, Some("lagging-target")) => false,
        (_, raises) => raises == Some(lint) || must_raise.iter().any(|raised| raised.lint == lint),
    };
    for finding in findings.iter().filter(|finding| text(finding, "/severity") != "note") {
        let lint = text(finding, "/lint");
        // Without wakers a wait with a timeout looks like one without, and the finding says so.
        let mut evidence = finding["evidence"].as_array().into_iter().flatten();
        let hedged = by == By::LeanAgent && evidence.any(|fact| fact["name"] == "caveat");
        let is_true = may_raise(lint) || scenario.also.contains(&lint) || (lint == "deadlock" && hedged);
        assert!(is_true, "{lint} is not true of {}", told());
    }
    if scenario.kind == Kind::Control {
        assert!(findings.iter().all(|finding| text(finding, "/lint") != "held-across-await"), "{}", told());
    }
    let above_note = findings.iter().any(|finding| text(finding, "/severity") != "note");
    assert_eq!(output.status.code(), Some(i32::from(above_note)), "the exit code says what was found");
}

/// All who can tell.
const ALL: [By; 3] = [By::ConsoleSubscriber, By::Agent, By::LeanAgent];

/// A scenario, by each of those who can tell.
fn verify_all(name: &str) {
    verify_by(name, &ALL, Duration::ZERO);
}

/// The same by these, who come so late.
fn verify_by(name: &str, by: &[By], attach_after: Duration) {
    if fills_a_processor(name) {
        let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
        for by in by {
            verify(name, *by, attach_after);
        }
    } else {
        let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        std::thread::scope(|scope| {
            for by in by {
                scope.spawn(move || verify(name, *by, attach_after));
            }
        });
    }
}

/// So many run beside each other that leave the processors to others.
const BESIDE: usize = 6;

/// Each scenario by one of those who can tell, in turn. By all of them it is a test of its own.
#[test]
fn each_is_told_of_by_one_who_can_tell() {
    let numbered = || scenarios().iter().map(|scenario| scenario.name).enumerate();
    let by = |number: usize| ALL[number % ALL.len()];
    {
        let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        let quiet = Mutex::new(numbered().filter(|(_, name)| !fills_a_processor(name)));
        let next = || quiet.lock().unwrap_or_else(PoisonError::into_inner).next();
        std::thread::scope(|scope| {
            for _ in 0..BESIDE {
                scope.spawn(|| {
                    while let Some((number, name)) = next() {
                        verify(name, by(number), Duration::ZERO);
                    }
                });
            }
        });
    }
    let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    for (number, name) in numbered().filter(|(_, name)| fills_a_processor(name)) {
        // A lean agent takes its time for these.
        let by = if number.is_multiple_of(2) { By::ConsoleSubscriber } else { By::Agent };
        verify(name, by, Duration::ZERO);
    }
}

fn fills_a_processor(name: &str) -> bool {
    matches!(
        name,
        "spin-first-poll"
            | "spin-later-poll"
            | "stalled-by-loop"
            | "starved"
            | "short-of-processors"
            | "in-turn"
            | "never-idle"
            | "busy-reader"
            | "driver-late"
            | "driver-in-turn"
            | "brief-lock"
            | "contended-lock"
            | "lock-convoy"
            | "long-polls"
            | "churn"
            | "task-leak"
            | "panics-by-the-hundred"
            | "stood-still"
    )
}

macro_rules! scenarios {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        #[ignore = "all of them take ten minutes: CI has each by one of those who can tell"]
        fn $test() {
            verify_all($name);
        })*

        #[test]
        fn every_scenario_has_its_test() {
            let tested = [$($name),*];
            let untested: Vec<_> = scenarios().iter().map(|scenario| scenario.name).filter(|name| !tested.contains(name)).collect();
            assert!(untested.is_empty(), "no test for {untested:?}");
        }
    };
}

scenarios! {
    lock_across_await: "lock-across-await",
    lock_across_await_uncontended: "lock-across-await-uncontended",
    rwlock_across_await: "rwlock-across-await",
    deadlock: "deadlock",
    self_deadlock: "self-deadlock",
    lock_convoy: "lock-convoy",
    spin_first_poll: "spin-first-poll",
    spin_later_poll: "spin-later-poll",
    blocking_sleep: "blocking-sleep",
    long_polls: "long-polls",
    starved: "starved",
    short_of_processors: "short-of-processors",
    lost_waker: "lost-waker",
    task_leak: "task-leak",
    self_wakes: "self-wakes",
    auto_boxed_future: "auto-boxed-future",
    large_future: "large-future",
    stalled_by_sleep: "stalled-by-sleep",
    stalled_by_loop: "stalled-by-loop",
    stalled_by_mutex: "stalled-by-mutex",
    stalled_by_read: "stalled-by-read",
    vfork: "vfork",
    all_workers_stalled: "all-workers-stalled",
    driver_blocked: "driver-blocked",
    stalled_local_set: "stalled-local-set",
    blocking_pool_full: "blocking-pool-full",
    panics: "panics",
    healthy: "healthy",
    brief_lock: "brief-lock",
    contended_lock: "contended-lock",
    in_turn: "in-turn",
    spawn_blocking: "spawn-blocking",
    semaphore_rate_limit: "semaphore-rate-limit",
    sleeper: "sleeper",
    local_set: "local-set",
    current_thread: "current-thread",
    churn: "churn",
    two_runtimes: "two-runtimes",
    block_in_place: "block-in-place",
    nested_spans: "nested-spans",
    slow_pool: "slow-pool",
    backpressure: "backpressure",
    ended_with_a_job: "ended-with-a-job",
    leaked_guard: "leaked-guard",
    stood_still: "stood-still",
    panics_by_the_hundred: "panics-by-the-hundred",
    one_filter_for_all: "one-filter-for-all",
    futurelock: "futurelock",
    nested_permits: "nested-permits",
    full_channels: "full-channels",
    reserved_slots: "reserved-slots",
    held_up_receiver: "held-up-receiver",
    waits_for_itself: "waits-for-itself",
    stuck_unless: "stuck-unless",
    abandoned_wait: "abandoned-wait",
    undriven: "undriven",
    undriven_local_set: "undriven-local-set",
    driver_late: "driver-late",
    driver_in_turn: "driver-in-turn",
    job_stuck: "job-stuck",
    lasting_job: "lasting-job",
    shutdown_waits: "shutdown-waits",
    brief_shutdowns: "brief-shutdowns",
    never_idle: "never-idle",
    busy_reader: "busy-reader",
    brief_block_ons: "brief-block-ons",
    busy_block_on: "busy-block-on",
}

/// A line of the table of instruments: what memory, stock console-subscriber, and the agent in lean and in full detail say of it, and the
/// scenarios that show it.
#[derive(Default)]
struct Line {
    said: [BTreeSet<&'static str>; 4],
    shown: BTreeSet<&'static str>,
}

impl Line {
    fn add(&mut self, instrument: usize, said: &'static str, scenario: &'static str) {
        self.said[instrument].insert(said);
        self.shown.insert(scenario);
    }

    /// The most that an instrument says.
    fn cell(&self, instrument: usize) -> &'static str {
        let words = ["yes", "critical", "warning", "note", "by chance"];
        words.into_iter().find(|word| self.said[instrument].contains(word)).unwrap_or("–")
    }
}

/// What each instrument says of what the scenarios show, as a table: what it says at least, where a test of a scenario asks for it.
fn instruments() -> String {
    let by_memory = memory_table::table();
    let mut lines: BTreeMap<&str, Line> = BTreeMap::new();
    for scenario in scenarios() {
        let memory = &by_memory[scenario.name];
        for (raised, said) in [(&memory.always, "yes"), (&memory.by_chance, "by chance")] {
            for lint in raised {
                let known = LINTS.iter().find(|known| known.name == lint).expect("it is a lint");
                lines.entry(known.name).or_default().add(0, said, scenario.name);
            }
        }
        for (instrument, by) in (1..).zip([By::ConsoleSubscriber, By::LeanAgent, By::Agent]) {
            for Raised { lint, severity } in by.must_raise(scenario) {
                lines.entry(lint).or_default().add(instrument, severity, scenario.name);
            }
        }
    }
    let head = "| finding | memory alone | stock console-subscriber | agent, lean | agent, full | shown by |";
    let mut table = vec![head.to_owned(), "|---|---|---|---|---|---|".to_owned()];
    for lint in LINTS.iter().map(|lint| lint.name) {
        let Some(row) = lines.remove(lint) else { continue };
        let cells = [0, 1, 2, 3].map(|instrument| row.cell(instrument)).join(" | ");
        let shown = row.shown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        table.push(format!("| `{lint}` | {cells} | {shown} |"));
    }
    table.join("\n") + "\n"
}

#[test]
fn what_each_instrument_can_know_is_in_the_table() {
    let (said, table) = (include_str!("../docs/findings.md"), instruments());
    assert!(said.contains(&table), "docs/findings.md has another table than the scenarios, which is:\n{table}");
    let shown = |lint: &str| table.contains(&format!("\n| `{lint}` |"));
    let missing: Vec<_> = LINTS
        .iter()
        .map(|lint| lint.name)
        .filter(|lint| !shown(lint) && !said.contains(&format!("`{lint}`")))
        .collect();
    assert!(missing.is_empty(), "docs/findings.md does not say why no scenario shows {missing:?}");
}

/// What the findings `starved` say that those tasks wait for, in so many windows: nothing is said before the workers were watched.
fn lacks(name: &str, by: By, windows: usize) -> Vec<String> {
    let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    let scenario = scenario(name).expect("the scenario is in the table");
    let server = Server::start(name, by);
    let starved = Raised { lint: "starved", severity: "warning" };
    let said = |_| {
        let report: Value =
            serde_json::from_slice(&server.check(Duration::from_secs(5), &[]).stdout).expect("there is a report");
        let findings = report["findings"].as_array().cloned().unwrap_or_default();
        let ours = findings.into_iter().filter(|finding| is_it(scenario, starved, finding));
        let evidence = ours.flat_map(|finding| finding["evidence"].as_array().cloned().unwrap_or_default());
        evidence.filter(|fact| fact["name"] == "waits for").map(|fact| text(&fact, "/value").to_owned()).collect()
    };
    (0..windows).map(said).find(|said: &Vec<String>| !said.is_empty()).unwrap_or_default()
}

#[test]
fn an_agent_tells_a_wait_for_a_worker_from_one_for_a_processor() {
    for by in [By::Agent, By::LeanAgent] {
        let said = lacks("starved", by, 4);
        assert!(!said.is_empty() && said.iter().all(|said| said == "a worker"), "{by:?}: {said:?}");
        let said = lacks("short-of-processors", by, 4);
        assert!(!said.is_empty() && said.iter().all(|said| said == "a processor"), "{by:?}: {said:?}");
    }
    assert_eq!(lacks("starved", By::ConsoleSubscriber, 2), [""; 0], "a console does not tell");
}

/// A scenario that began before the client came.
fn verify_late(name: &str, by: &[By]) {
    verify_by(name, by, Duration::from_secs(5));
}

const BOTH: [By; 2] = [By::ConsoleSubscriber, By::Agent];

#[test]
fn a_deadlock_older_than_the_client_is_found_too() {
    verify_late("deadlock", &BOTH);
}

#[test]
fn an_agent_tells_where_a_lock_was_acquired_and_where_its_holder_sleeps() {
    let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let scenario = scenario("lock-across-await").expect("the scenario is in the table");
    let source = include_str!("../demo-server/src/scenarios/lock_across_await.rs");
    let place = |code: &str| {
        let line = source.lines().position(|line| line.contains(code)).expect("the scenario does it") + 1;
        format!("{}:{line}", scenario.file)
    };
    let (acquired, asleep) = (place("held.lock().await"), place("sleep(HELD).await"));
    let server = Server::start(scenario.name, By::Agent);
    // A window may end just as the lock is acquired, before there is anything to tell of that.
    let told = (0..5).any(|_| {
        let report: Value =
            serde_json::from_slice(&server.check(MARGIN, &[]).stdout).expect("there is a report of each window");
        let findings = report["findings"].as_array().into_iter().flatten();
        let evidence: Vec<(&str, &str)> = findings
            .filter(|finding| text(finding, "/lint") == "held-across-await")
            .flat_map(|finding| finding["evidence"].as_array().into_iter().flatten())
            .map(|evidence| (text(evidence, "/name"), text(evidence, "/value")))
            .collect();
        let at = |name, place: &str| {
            let found = evidence.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert!(found.is_none_or(|value| value.ends_with(place)), "{name} {found:?}, which is not {place}");
            found.is_some()
        };
        at("acquired at", &acquired) & at("asleep at", &asleep)
    });
    assert!(told, "no window told both {acquired} and {asleep}");
}

#[test]
fn a_guard_that_has_outlived_its_task_is_not_said_to_be_held_by_one_that_sleeps() {
    let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start("leaked-guard", By::Agent);
    // Longer than what has ended is shown: its name is told all the same.
    std::thread::sleep(Duration::from_secs(1));
    let report: Value =
        serde_json::from_slice(&server.check(Duration::from_secs(10), &[]).stdout).expect("there is a report");
    let findings = report["findings"].as_array().into_iter().flatten();
    let of_lock: Vec<&Value> = findings.filter(|finding| text(finding, "/lint") == "held-across-await").collect();
    let [finding] = of_lock[..] else { panic!("{report:#}") };
    let said = text(finding, "/message");
    assert!(said.contains("of a task that has ended; 1 task waits") && !said.contains("sleeps"), "{said}");
    assert_eq!(text(finding, "/related/holder/name"), "leaks-a-guard");
}

#[test]
fn each_of_a_thousand_panics_is_counted() {
    let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start("panics-by-the-hundred", By::Agent);
    // Each prints a backtrace where that is wanted, one after the other.
    let counted = (0..10).any(|_| {
        let report: Value =
            serde_json::from_slice(&server.check(MARGIN, &[]).stdout).expect("there is a report of each window");
        let findings = report["findings"].as_array().into_iter().flatten();
        let mut of_victims = findings.filter(|finding| {
            text(finding, "/lint") == "panicked" && text(finding, "/subject/name") == "finds-it-poisoned"
        });
        of_victims.any(|finding| finding["related"]["tasks_total"] == 1_000)
    });
    assert!(counted, "no window counted a thousand");
}

/// Whether the evidence of a stalled worker says this in one of a few windows: one may end while the worker is back for a moment.
fn stalls_tell(server: &Server, what: &str) -> bool {
    (0..5).any(|_| {
        let report: Value =
            serde_json::from_slice(&server.check(MARGIN, &[]).stdout).expect("there is a report of each window");
        let findings = report["findings"].as_array().into_iter().flatten();
        let mut evidence = findings
            .filter(|finding| text(finding, "/lint") == "stalled-worker")
            .flat_map(|finding| finding["evidence"].as_array().into_iter().flatten());
        evidence.any(|evidence| text(evidence, "/value").contains(what))
    })
}

#[test]
fn an_agent_tells_that_a_worker_waits_for_a_child_that_has_not_started_its_program() {
    let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start("vfork", By::Agent);
    let child = "waits for a child process that has not started its program yet";
    assert!(stalls_tell(&server, child), "no window told of the child");
}

#[test]
fn a_console_says_that_block_in_place_looks_like_a_long_poll() {
    let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start("block-in-place", By::ConsoleSubscriber);
    // The same poll, seen while it lasts, would speak for the other lint.
    let report: Value =
        serde_json::from_slice(&server.check(Duration::from_secs(8), &["--allow", "never-yields"]).stdout)
            .expect("there is a report");
    let mut findings = report["findings"].as_array().into_iter().flatten();
    let long = findings.find(|finding| text(finding, "/lint") == "long-polls").expect("its polls are long");
    let mut evidence = long["evidence"].as_array().into_iter().flatten();
    assert!(evidence.any(|evidence| text(evidence, "/value").contains("block_in_place")), "{long:#}");
}

#[test]
fn an_agent_tells_that_timers_and_sockets_wait_for_a_worker() {
    let _beside = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start("driver-blocked", By::Agent);
    let driver = "driver-blocked: the I/O driver is blocked";
    assert!(stalls_tell(&server, driver), "no window told that the driver is blocked");
}

#[test]
fn a_lock_held_across_awaits_before_the_client_came_is_found_too() {
    verify_late("lock-across-await", &BOTH);
}

#[test]
fn a_task_that_spins_since_before_the_client_came_is_found_too() {
    // It fills a processor. An agent knows of each poll whoever watches; a console tells of this one when it is asked.
    verify_late("spin-first-poll", &[By::ConsoleSubscriber]);
}
