//! Reports that were made up, in each of their three forms.

use super::{
    SCHEMA,
    data::{Behind, Counts, Lag, NotKnown, NotLookedFor, Process, Report, Tasks, VERSION, Window},
    rows::row,
};
use crate::{
    diagnose::{
        AwaitedRef, Confidence, CycleStep, Evidence, Finding, FindingId, Keeper, KeeperWait, KeepsBy, LockRef, Related,
        RuntimeRef, Severity, StackRef, Status, Subject, TaskRef, WaitRef, WorkerRef, lint,
    },
    update::{Frame, Place, ResourceId, RuntimeId, Stack, Stamp, TaskId, WorkerId},
};
use std::{sync::Arc, time::Duration};

fn task(id: u64, name: &str) -> TaskRef {
    TaskRef { id: TaskId(id), number: Some(id + 100), name: name.into(), kind: "task", place: "src/pair.rs:30".into() }
}

fn lock(id: u64) -> LockRef {
    LockRef { id: ResourceId(id * 1_000_000_000), number: id, kind: "Mutex", place: format!("src/pair.rs:{id}") }
}

fn at(seconds: u64) -> Stamp {
    Stamp::from_nanos(1_700_000_000_000_000_000 + seconds * 1_000_000_000)
}

fn finding(name: &str, severity: Severity, subject: Subject, related: Related) -> Finding {
    Finding {
        id: FindingId(1),
        lint: lint(name).unwrap(),
        severity,
        confidence: Confidence::Inferred,
        status: Status::Active,
        subject,
        since: at(0),
        first_seen: at(1),
        last_seen: at(11),
        episodes: 1,
        message: "something is so".into(),
        evidence: vec![
            Evidence::time("stuck", Duration::from_millis(12_300)),
            Evidence::count("tasks", 2),
            Evidence::bytes("future", 2_048),
            Evidence::share("own wakes", 0.98),
            Evidence::text("waits in", "Mutex::lock"),
        ],
        related,
    }
}

fn report(findings: &[Finding]) -> Report {
    Report {
        memory: None,
        version: VERSION,
        process: Some(Process {
            pid: 42,
            name: "echo".into(),
            executable: "/usr/bin/echo".into(),
            boot_id: "f00".into(),
            started: None,
            agent_version: "0.1.0".into(),
            tokio_version: String::new(),
            detail: "full".into(),
            limitations: vec!["no stacks".into()],
        }),
        target: "http://127.0.0.1:6669".into(),
        protocol: Some("agent"),
        window: Window {
            start: "2023-11-14T22:13:20Z".into(),
            end: "2023-11-14T22:13:30.5Z".into(),
            seconds: 10.0,
            ended: "lost",
            reason: Some("it is gone".into()),
            attached: 2,
            kept: None,
            unkept_findings: None,
        },
        counts: Counts {
            tasks: Tasks { live: 118, ended: 12, seen: 130 },
            dropped_events: 1,
            decode_issues: 2,
            lag: Lag { seconds: 0.5, worst_seconds: 1.5, catch_ups: 3 },
            behind: Behind { seconds: 0.0, worst_seconds: 12.3 },
        },
        findings: findings.iter().map(row).collect(),
        not_looked_for: ["stalled-worker", "panicked"]
            .map(|lint| NotLookedFor { lint, because: "only holdup's agent tells of it" })
            .into(),
        not_known: vec![NotKnown { fact: "workers", because: "only holdup's agent tells of it" }],
    }
}

fn step(task: TaskRef, holds: LockRef, waits_for: LockRef) -> CycleStep {
    CycleStep {
        task,
        holds: AwaitedRef::Resource(holds),
        by: KeepsBy::Guard,
        held: Duration::from_millis(12_300),
        acquired_at: None,
        waits_for: AwaitedRef::Resource(waits_for),
        waited: Duration::from_millis(12_200),
        waits_in: "Mutex::lock".into(),
        waits_at: None,
        known: Confidence::Inferred,
    }
}

fn of_every_kind() -> Vec<Finding> {
    let cycle = vec![
        CycleStep {
            acquired_at: Some("pair::ab at src/pair.rs:31".into()),
            waits_at: Some("pair::ab at src/pair.rs:32".into()),
            ..step(task(1, "ab"), lock(1), lock(2))
        },
        step(task(2, "ba"), lock(2), lock(1)),
    ];
    let waiters = (1..=16)
        .map(|id| WaitRef {
            task: task(id, "conn"),
            waited: (id != 16).then(|| Duration::from_millis(2_000 - id * 100)),
        })
        .collect();
    let nowhere = TaskRef { number: None, kind: "block_on", place: "<unknown location>".into(), ..task(3, "") };
    let ends =
        Keeper { by: KeepsBy::End, does: "is being polled", ..Keeper::of_lock(task(8, "job"), Confidence::Exact) };
    let on = Some(AwaitedRef::End(task(8, "job")));
    let timer = KeeperWait { words: "timer in 3.00 s".into(), on: None, kept: Vec::new() };
    let keeper = Keeper {
        held: Some(Duration::from_secs(2)),
        at: Some("src/pair.rs:44".into()),
        waits: vec![KeeperWait { words: "end of task 108".into(), on, kept: vec![ends] }, timer],
        ..Keeper::of_lock(task(9, "writer"), Confidence::Exact)
    };
    let held = Related {
        holder: Some(task(9, "writer")),
        keepers: vec![keeper],
        waiters,
        waiters_total: 40,
        ..Related::default()
    };
    let many = Related { tasks: vec![task(4, "a"), task(5, "b")], tasks_total: 900, ..Related::default() };
    let past =
        Finding { status: Status::Past, ..finding("large-future", Severity::Note, Subject::Task(task(1, "")), many) };
    let id = WorkerId { runtime: RuntimeId(1), index: 2 };
    let frame = |function: &str, file: &str, line| Frame {
        function: function.into(),
        place: Place { file: file.into(), line, column: 1 },
        module: "echo".into(),
        address: 4_096,
        offset: 0,
    };
    let frames = vec![
        frame("", "", 0),
        frame("std::thread::sleep", "<rust>/std/src/thread.rs", 9),
        frame("echo::report", "src/report.rs", 88),
    ];
    let stack = Arc::new(Stack { frames, approximate: true, ..Stack::default() });
    let thread = TaskRef { id: TaskId::NONE, number: None, name: "main".into(), kind: "thread", place: String::new() };
    let stalled = Related {
        worker: Some(WorkerRef { id, runtime: "main".into(), thread: String::new() }),
        stacks: vec![StackRef { what: "stack", of: None, stack }],
        holder: Some(thread),
        co_holders: vec![task(7, "reader")],
        ..Related::default()
    };
    let runtime = Subject::Runtime(RuntimeRef { id: RuntimeId(1), name: "main".into() });
    vec![
        finding("stalled-worker", Severity::Critical, Subject::Task(task(3, "report")), stalled),
        finding("blocking-pool-full", Severity::Warning, runtime, Related::default()),
        finding(
            "deadlock",
            Severity::Critical,
            Subject::Task(task(1, "ab")),
            Related { lock: Some(lock(2)), cycle, ..Related::default() },
        ),
        finding("held-across-await", Severity::Warning, Subject::Lock(lock(7)), held),
        finding("starved", Severity::Warning, Subject::Task(nowhere), Related::default()),
        finding("task-leak", Severity::Warning, Subject::Place("src/conn.rs:5".into()), Related::default()),
        finding("lost-events", Severity::Warning, Subject::Target, Related::default()),
        past,
    ]
}

#[test]
fn every_part_of_a_report_is_valid_by_the_schema() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&report(&of_every_kind()).to_json()).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&whole).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (pointer, value) in [
        ("/version", serde_json::json!(2)),
        ("/findings/0/severity", "bad".into()),
        ("/findings/0/subject/kind", "thing".into()),
        ("/findings/0/evidence/0/unit", "minutes".into()),
        ("/findings/0/since", "yesterday".into()),
        ("/window/ended", serde_json::Value::Null),
    ] {
        let mut changed = whole.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&changed), "{pointer} may be anything");
    }
}

#[test]
fn many_notes_are_told_one_by_one() {
    let of_place = |line: u64| {
        let subject = TaskRef { place: format!("src/large.rs:{line}"), ..task(line, "") };
        finding("large-future", Severity::Note, Subject::Task(subject), Related::default())
    };
    let many: Vec<Finding> = (1..=950).map(of_place).collect();
    let report = report(&many);
    let whole: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(whole["findings"].as_array().map(Vec::len), Some(950));
    let text = super::text::render(&report);
    assert_eq!(text.matches("NOTE large-future").count(), 950);
    assert!(text.contains("src/large.rs:950") && text.contains("950 notes"));
}

#[test]
fn text_is_for_people() {
    insta::assert_snapshot!(super::text::render(&report(&of_every_kind())));
}

/// How deep a line of a story stands, by what is drawn before it, and what it says.
fn drawn_step(line: &str) -> (usize, &str) {
    let words = line.trim_start_matches(['├', '╰', '│', ' ']);
    ((line.chars().count() - words.chars().count()) / 2, words)
}

#[test]
fn text_and_json_tell_the_same_steps() {
    let report = report(&of_every_kind());
    let whole: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let text = super::text::render(&report);
    let mut told = 0;
    for (row, paragraph) in whole["findings"].as_array().unwrap().iter().zip(text.split("\n\n")) {
        let steps = row["story"].as_array().unwrap();
        let lines = paragraph.lines().skip_while(|line| !line.starts_with("  story "));
        let is_story = |line: &&str| line.starts_with("  story ") || line.starts_with(&" ".repeat(26));
        let mut lines = lines.take_while(is_story).map(|line| drawn_step(&line[26..]));
        // What it is about alone stands in the first line.
        for step in steps.iter().filter(|_| steps.len() > 1) {
            let (depth, words) = (step["depth"].as_u64().unwrap() as usize, step["words"].as_str().unwrap());
            let alike = |other: &&serde_json::Value| other["role"] == step["role"] && other["depth"] == step["depth"];
            let before = steps.iter().take_while(|other| *other != step).filter(alike).count();
            if before >= 5 || step["role"] == "more" {
                continue;
            }
            let (drawn, line) = lines.next().unwrap_or_else(|| panic!("{words} is not told:\n{paragraph}"));
            let known = step["known"].as_str().filter(|known| *known != row["confidence"]);
            assert_eq!(
                (drawn, line.to_owned()),
                (depth, known.map_or(words.to_owned(), |it| format!("{words}, {it}")))
            );
            if let Some(change) = step["change"].as_str() {
                assert_eq!(lines.next().map(|(_, line)| line.to_owned()), Some(format!("change this first: {change}")));
            }
            told += 1;
        }
        assert!(lines.all(|(_, line)| line.starts_with("and ") && line.ends_with(" more")), "{paragraph}");
    }
    assert!(told > 15, "{told} steps");
}

#[test]
fn annotations_stand_on_the_lines_that_they_name() {
    insta::assert_snapshot!(super::github::render(&report(&of_every_kind())));
    let one = super::github::render(&report(&of_every_kind()[..1]));
    assert!(one.contains(" s: 1 finding, "), "{one}");
}

#[test]
fn nothing_that_a_target_says_acts_upon_a_terminal_or_a_runner() {
    let hostile = "\x1b]0;owned\x07\n::error::owned\r\u{9b}2J\u{202e}";
    let named = TaskRef { place: format!("{hostile}:1"), ..task(1, hostile) };
    let finding = finding("starved", Severity::Warning, Subject::Task(named), Related::default());
    let mut finding = Finding { message: hostile.into(), ..finding };
    finding.evidence.push(Evidence::text("waits in", hostile));
    let report = report(&[finding]);
    for text in [super::text::render(&report), super::github::render(&report)] {
        assert!(!text.chars().any(|letter| letter != '\n' && letter.is_control()), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("::error")), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    let long = Finding { message: "x".repeat(1 << 20), ..of_every_kind().remove(0) };
    assert!(super::text::render(&super::tests::report(&[long])).len() < 8_192);
}

#[test]
fn stacks_of_several_holders_say_whose_they_are() {
    let stack = Arc::new(Stack {
        frames: vec![Frame { function: "state::flush".into(), ..Frame::default() }],
        ..Stack::default()
    });
    let of = |who| StackRef { what: "asleep", of: Some(who), stack: Arc::clone(&stack) };
    let told = |stacks| {
        let related = Related { stacks, ..Related::default() };
        super::text::render(&report(&[finding(
            "held-across-await",
            Severity::Warning,
            Subject::Lock(lock(1)),
            related,
        )]))
    };
    let both = told(vec![of(task(1, "reader")), of(task(2, "writer"))]);
    assert!(both.contains("  asleep                  task 101 reader src/pair.rs:30\n"), "{both}");
    assert!(both.contains("  asleep                  task 102 writer src/pair.rs:30\n"), "{both}");
    let one = told(vec![of(task(1, "reader")), of(task(1, "reader"))]);
    assert!(one.contains("  asleep                  state::flush\n") && !one.contains("reader"), "{one}");
}
