//! What `holdup check PID` finds in processes that have nothing built in: of each finding one that has it, and one that looks like it
//! and has not. The processes are in `tests/memory/victims/finds`, and built as services are.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[allow(dead_code, reason = "what is typed and who runs is nothing here")]
#[path = "process/terminal.rs"]
mod terminal;
#[path = "process/victims.rs"]
mod victims;

use portable_pty::{CommandBuilder, PtySize};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{
        Once, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use terminal::Terminal;
use victims::Victim;

/// How long each is watched: some lints ask for a second, and a busy machine looks seldom.
const WATCHED: &str = "6s";

fn check(victim: &Victim) -> Value {
    let said = victims::holdup(&["check", &victim.pid(), "--format", "json", "--fail-on", "never", "--for", WATCHED]);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    // Looks that cost much are no silence of the process.
    assert_eq!(report["window"]["ended"], "elapsed", "{}", report["window"]);
    report
}

/// What is told to a program beside its case: nothing, or that nothing is to be wrong.
type Told = &'static [&'static str];

const WRONG: Told = &[];
const CONTROL: Told = &["control"];

/// The cases whose reports are read.
const CASES: [(&str, Told); 39] = [
    ("deadlock", CONTROL),
    ("join-set", CONTROL),
    ("abandoned-wait", WRONG),
    ("abandoned-wait", CONTROL),
    ("abandoned-deadlock", WRONG),
    ("held-across-await", CONTROL),
    ("lock-convoy", CONTROL),
    ("stalled-worker", WRONG),
    ("pool", CONTROL),
    ("deadlock-of-many", WRONG),
    ("deadlock-of-many", CONTROL),
    ("stalled-worker", CONTROL),
    ("undriven", WRONG),
    ("undriven", CONTROL),
    ("lost-waker", WRONG),
    ("lost-waker", CONTROL),
    ("blocking-pool-full", WRONG),
    ("blocking-pool-full", CONTROL),
    ("panicked", WRONG),
    ("panicked", CONTROL),
    ("never-polled", WRONG),
    ("deadlock", WRONG),
    ("join-set", WRONG),
    ("held-across-await", WRONG),
    ("lock-convoy", WRONG),
    ("never-polled", CONTROL),
    ("guard-only-thread", WRONG),
    ("guard-only-thread", CONTROL),
    ("guard-root", WRONG),
    ("guard-root", CONTROL),
    ("guard-job", WRONG),
    ("guard-job", CONTROL),
    ("guard-two-kinds", WRONG),
    ("guard-two-kinds", CONTROL),
    ("guard-all-workers", WRONG),
    ("guard-all-workers", CONTROL),
    ("guard-condition", CONTROL),
    ("healthy", WRONG),
    ("idle", WRONG),
];

/// So many are watched ahead of the tests that read of them: they wait more than they do.
const AHEAD: usize = 3;

/// What is found in a case. Where all tests are run, others are watched meanwhile.
fn seen(case: &str, told: Told) -> &'static Value {
    static REPORTS: [OnceLock<Value>; CASES.len()] = [const { OnceLock::new() }; CASES.len()];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    static BEGUN: Once = Once::new();
    let of = |at: usize| {
        let (case, told) = CASES[at];
        REPORTS[at].get_or_init(|| check(&Victim::start("release", &[&[case], told].concat())))
    };
    BEGUN.call_once(|| {
        let is_one_asked_for = std::env::args().nth(1).is_some_and(|argument| !argument.starts_with('-'));
        for _ in 0..if is_one_asked_for { 0 } else { AHEAD } {
            std::thread::spawn(move || {
                while let Some(at) = Some(NEXT.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < CASES.len()) {
                    of(at);
                }
            });
        }
    });
    of(CASES.iter().position(|known| *known == (case, told)).expect("a case of the table"))
}

/// The findings, each with its severity and its confidence.
fn findings(report: &Value) -> BTreeSet<(&str, &str, &str)> {
    let findings = report["findings"].as_array().into_iter().flatten();
    findings
        .filter_map(|it| Some((it["lint"].as_str()?, it["severity"].as_str()?, it["confidence"].as_str()?)))
        .collect()
}

/// A process with this wrong in it has this finding and no other.
fn fires(case: &str, expected: &[(&str, &str, &str)]) {
    let report = seen(case, WRONG);
    assert_eq!(findings(report), expected.iter().copied().collect(), "{report:#}");
}

/// In the one that looks like it nothing is found that is more than a note.
fn spares(case: &str) {
    let report = seen(case, CONTROL);
    assert!(findings(report).iter().all(|(_, severity, _)| *severity == "note"), "{report:#}");
}

/// Whatever the memory of a process says, a look at it ends, with what was seen or with why nothing was.
#[test]
fn memory_that_lies_ends_in_words() {
    for (how, asked) in [
        ("headers", &["tree", "--values"][..]),
        ("scramble", &["tree"]),
        ("lists", &["check", "--for", "2s"]),
        ("storm", &["check", "--for", "2s", "--values", "--format", "json"]),
    ] {
        let victim = Victim::start_of("victim", "release", &["hostile", how, "1"]);
        let output = victims::run(&[asked, &[&victim.pid()]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{how}: {said}");
        assert!(!said.contains("panicked"), "{how}: {said}");
        assert!(!output.stdout.is_empty() || said.starts_with("error: "), "{how}: {said}");
    }
}

macro_rules! finds {
    ($($name:ident: $case:literal, $severity:literal, $confidence:literal;)*) => {$(
        mod $name {
            #[test]
            fn fires() {
                super::fires($case, &[($case, $severity, $confidence)]);
            }

            #[test]
            fn spares() {
                super::spares($case);
            }
        }
    )*};
}

finds! {
    stalled_worker: "stalled-worker", "critical", "exact";
    undriven: "undriven", "warning", "exact";
    lost_waker: "lost-waker", "critical", "exact";
    blocking_pool_full: "blocking-pool-full", "warning", "exact";
    panicked: "panicked", "warning", "exact";
}

#[test]
fn tasks_behind_one_that_keeps_the_only_worker() {
    fires("never-polled", &[("never-polled", "warning", "exact"), ("stalled-worker", "critical", "exact")]);
}

#[test]
fn tasks_that_are_polled_soon_after_they_were_spawned() {
    spares("never-polled");
}

#[test]
fn two_who_wait_for_each_other_s_locks() {
    fires("deadlock", &[("deadlock", "critical", "exact")]);
}

/// Each has what the other waits for, and one of them gives up after five seconds, and asks again.
#[test]
fn a_wait_with_a_timeout_is_no_deadlock() {
    let report = seen("deadlock", CONTROL);
    let lints: Vec<&str> = findings(report).iter().map(|(lint, ..)| *lint).collect();
    assert!(lints.contains(&"stuck-unless"), "{report:#}");
    assert!(lints.iter().all(|lint| ["held-across-await", "stuck-unless"].contains(lint)), "{report:#}");
}

#[test]
fn one_who_waits_for_any_task_of_a_set_that_waits_for_its_lock() {
    fires("join-set", &[("deadlock", "critical", "exact")]);
}

/// One of the set ends in time. Those who wait for the lock meanwhile are behind one who sleeps with it.
#[test]
fn a_set_of_which_one_task_ends_in_time_is_no_deadlock() {
    let report = seen("join-set", CONTROL);
    let spared = |&(lint, ..): &(&str, &str, &str)| ["held-across-await", "lock-convoy"].contains(&lint);
    assert!(findings(report).iter().all(spared), "{report:#}");
}

/// Notifications and barriers, each with all of its handles in the hands of who waits.
#[test]
fn waits_that_nobody_is_left_to_end() {
    let report = seen("abandoned-wait", WRONG);
    let found: Vec<&Value> = report["findings"].as_array().unwrap().iter().collect();
    let messages: Vec<&str> = found.iter().filter_map(|it| it["message"].as_str()).collect();
    assert!(found.iter().all(|it| it["lint"] == "abandoned-wait" && it["severity"] == "note"), "{report:#}");
    let waits = |what: &str| messages.iter().filter(|it| it.starts_with(what)).count();
    assert_eq!(waits("waits for a notification that nobody else could give, for "), 2, "{report:#}");
    assert_eq!(waits("2 tasks wait at a barrier for 3, to which only they have a handle, for "), 1, "{report:#}");
    assert_eq!(messages.len(), 3, "{report:#}");
    assert!(found.iter().any(|it| it["evidence"].to_string().contains("awaits their end")), "{report:#}");
}

#[test]
fn waits_that_somebody_may_yet_end() {
    let report = seen("abandoned-wait", CONTROL);
    assert!(findings(report).is_empty(), "{report:#}");
}

#[test]
fn a_barrier_in_a_set_that_keeps_a_lock_is_a_part_of_the_deadlock() {
    let report = seen("abandoned-deadlock", WRONG);
    assert_eq!(findings(report), BTreeSet::from([("deadlock", "critical", "exact")]), "{report:#}");
    let story = report["findings"][0]["story"].to_string();
    assert!(story.contains("waits for the others of the") && story.contains("has a handle to it"), "{report:#}");
}

/// A thread sleeps for a lock of the standard library, and who has that can only go on if that thread does: since it alone could poll them,
/// or since they wait for what runs on it. Who has it is inferred: whoever else could have it sleeps as well.
#[test]
fn threads_that_sleep_for_what_waits_for_them() {
    for (case, place) in [
        ("guard-only-thread", "finds::guards::keeps "),
        ("guard-root", "finds::guards::root_has_it::"),
        ("guard-job", "finds::guards::job_waits::"),
        ("guard-two-kinds", "finds::guards::two_kinds::"),
        ("guard-all-workers", "finds::guards::keeps "),
    ] {
        let report = seen(case, WRONG);
        assert_eq!(findings(report), [("deadlock", "critical", "inferred")].into(), "{case}: {report:#}");
        let cycle = report["findings"][0]["related"]["cycle"].as_array().expect("a way round");
        let at = |step: &Value| step["waits_at"].as_str().unwrap_or_default().to_owned();
        // Where the one sleeps who has the lock, and where the other's thread does.
        let holder =
            cycle.iter().find(|step| step["holds"]["lock_kind"].as_str().is_some_and(|it| it.starts_with("std ")));
        assert!(at(holder.expect("who has it")).starts_with(place), "{case}: {cycle:#?}");
        let sleeps = |step: &&Value| step["waits_in"].as_str().is_some_and(|it| it.starts_with("std::sync::"));
        assert!(at(cycle.iter().find(sleeps).expect("who sleeps")).contains("guards.rs:"), "{case}: {cycle:#?}");
    }
}

/// A lock that somebody else has, of which only bytes are left over, and who has it goes on; one that is given back before; one whose
/// holder another worker can poll; a condition.
#[test]
fn threads_that_sleep_for_what_comes_are_no_deadlock() {
    for case in
        ["guard-only-thread", "guard-root", "guard-job", "guard-two-kinds", "guard-all-workers", "guard-condition"]
    {
        let report = seen(case, CONTROL);
        // The one who sleeps may have been the one who saw to the timers of its runtime.
        let stalls = |&(lint, severity, _): &(&str, &str, &str)| {
            ["stalled-worker", "driver-late"].contains(&lint) || severity == "note"
        };
        assert!(findings(report).iter().all(stalls), "{case}: {report:#}");
    }
}

#[test]
fn one_who_sleeps_with_a_lock_that_another_waits_for() {
    fires("held-across-await", &[("held-across-await", "critical", "exact")]);
}

/// Whoever has it has it across an await, and somebody waits. Nobody waits for long.
#[test]
fn a_lock_that_changes_hands_between_two_is_nothing_critical() {
    let report = seen("held-across-await", CONTROL);
    let spared = |&(lint, severity, _): &(&str, &str, &str)| lint == "held-across-await" && severity != "critical";
    assert!(findings(report).iter().all(spared), "{report:#}");
}

#[test]
fn a_queue_that_stands_is_a_convoy() {
    let expected = [("held-across-await", "critical", "exact"), ("lock-convoy", "warning", "exact")];
    fires("lock-convoy", &expected);
}

#[test]
fn a_queue_in_which_everybody_has_a_turn_soon_is_none() {
    let report = seen("lock-convoy", CONTROL);
    let spared = |&(lint, severity, _): &(&str, &str, &str)| lint == "held-across-await" && severity != "critical";
    assert!(findings(report).iter().all(spared), "{report:#}");
}

/// A spin is told as a worker that stalls: of polls memory keeps no count, and says so.
#[test]
fn what_never_yields_is_a_worker_that_stalls() {
    let report = seen("stalled-worker", WRONG);
    let unasked = report["not_looked_for"].as_array().into_iter().flatten();
    let unasked: Vec<&str> = unasked.filter_map(|it| it["lint"].as_str()).collect();
    assert!(unasked.contains(&"never-yields"), "{report:#}");
}

/// What the first line says.
fn first_line(report: &Value) -> &str {
    report["memory"]["summary"].as_str().expect("a line")
}

#[test]
fn the_first_line_of_a_pool_names_those_who_have_it_and_their_silent_peer() {
    let victim = Victim::start("release", &["pool"]);
    let report = check(&victim);
    let said = first_line(&report);
    let (waits, has) = said.split_once("; ").expect("who has it");
    assert_eq!(waits, "56 of 65 tasks wait, in one chain, for Semaphore Pool.permits");
    assert!(has.starts_with("4 tasks likely have its permits, at finds/src/pool.rs:"), "{said}");
    assert!(has.contains(", and wait for 127.0.0.1:") && has.contains(", silent for "), "{said}");
    // A terminal says the same before anything is selected, and the text of `check` and `tree` begins with it.
    let (words, _) = said.split_once(", silent for ").expect("how long");
    for (rows, cols) in [(24, 80), (50, 200)] {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_holdup"));
        command.arg(victim.pid());
        let terminal = Terminal::start(command, &[]);
        terminal.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 });
        let flat = |screen: &vt100::Screen| {
            let lines = screen.contents().replace(|c: char| !c.is_ascii(), " ");
            lines.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        terminal.until(words, |screen| flat(screen).contains(words));
    }
    let text = victims::holdup(&["check", &victim.pid(), "--fail-on", "never", "--for", "1s"]);
    assert!(text.starts_with(words), "{text}");
    let tree = victims::holdup(&["tree", &victim.pid()]);
    assert!(tree.lines().nth(1).is_some_and(|line| line.starts_with(words)), "{tree}");
}

#[test]
fn the_first_line_of_a_pool_that_works_accuses_nobody() {
    let report = seen("pool", CONTROL);
    assert!(!first_line(report).contains("silent"), "{}", first_line(report));
    assert!(findings(report).iter().all(|(_, severity, _)| *severity == "note"), "{report:#}");
}

#[test]
fn the_first_line_of_a_deadlock_of_many_says_that_it_is_one() {
    let report = seen("deadlock-of-many", WRONG);
    let said = first_line(report);
    assert!(said.starts_with("41 of 42 tasks wait, in 2 chains, for Mutex<u64> "), "{said}");
    assert!(said.contains(" has it, at finds/src/locks.rs:") && said.ends_with(": a deadlock."), "{said}");
    let report = seen("deadlock-of-many", CONTROL);
    let said = first_line(report);
    assert!(said.starts_with("40 of 41 tasks wait, in one chain, for Mutex<u64> "), "{said}");
    assert!(said.contains(" has it, at finds/src/locks.rs:") && said.contains(", and waits for timer in "), "{said}");
}

#[test]
fn where_all_is_well_the_first_line_says_what_they_wait_for_and_nothing_is_found() {
    for case in ["healthy", "idle"] {
        let report = seen(case, WRONG);
        let said = first_line(report);
        assert!(said.contains("tasks: ") && said.contains(" for a timer"), "{case}: {said}");
        assert!(findings(report).iter().all(|(_, severity, _)| *severity == "note"), "{report:#}");
    }
}

/// Without types nothing is said of locks, and what to set is; what is exact in every build is found all the same.
#[test]
#[ignore = "builds the programs once more, stripped"]
fn a_stripped_build_says_what_it_does_not_tell_and_what_to_set() {
    let report = check(&Victim::start("stripped", &["deadlock"]));
    let said = first_line(&report);
    // How many: a stripped build does not tell a task from what a worker is to tokio.
    assert!(said.contains(" tasks: what they wait for is not known, since the executable is stripped: "), "{said}");
    assert!(said.contains("under [profile.release], set `strip = false` and `debug = 2`"), "{said}");
    assert!(findings(&report).is_empty(), "{report:#}");
    let unasked = report["not_looked_for"].as_array().into_iter().flatten();
    let by_types = unasked.filter(|it| it["because"].as_str().is_some_and(|why| why.contains("debug = 2")));
    let by_types: BTreeSet<&str> = by_types.filter_map(|it| it["lint"].as_str()).collect();
    let expected = ["deadlock", "held-across-await", "lock-convoy", "never-polled", "stalled-worker"];
    assert!(by_types.is_superset(&expected.into()), "{by_types:?}");
    assert!(by_types.is_superset(&["blocking-pool-full", "panicked"].into()), "{by_types:?}");
    let report = check(&Victim::start("stripped", &["lost-waker"]));
    assert_eq!(findings(&report), [("lost-waker", "critical", "exact")].into(), "{report:#}");
    let report = check(&Victim::start("stripped", &["lost-waker", "control"]));
    assert!(findings(&report).is_empty(), "{report:#}");
}

/// Which descriptor somebody waits for is told without types as well, and no wait for something else is taken for one.
#[test]
#[ignore = "builds the programs once more, stripped"]
fn a_stripped_build_tells_who_waits_for_which_descriptor() {
    let report = check(&Victim::start("stripped", &["idle"]));
    let said = first_line(&report);
    assert!(said.contains(" 1 waits for connections on 127.0.0.1:"), "{said}");
    assert!(said.contains(" for something that is not known") && said.contains("`debug = 2`"), "{said}");
    let report = check(&Victim::start("stripped", &["healthy"]));
    let chains = report["memory"]["chains"].as_array().into_iter().flatten();
    let waits: Vec<&Value> = chains.flat_map(|chain| chain["waits"].as_array().into_iter().flatten()).collect();
    let reads = |wait: &&Value| {
        wait["what"].as_str().is_some_and(|what| what.starts_with("127.0.0.1:") && what.ends_with(" readable"))
    };
    assert!(waits.iter().any(reads), "{report:#}");
    assert!(waits.iter().all(|wait| wait["certainty"] == "likely"), "{report:#}");
    assert!(findings(&report).iter().all(|(_, severity, _)| *severity == "note"), "{report:#}");
}
