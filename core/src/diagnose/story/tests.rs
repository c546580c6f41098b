use super::*;
use crate::{
    diagnose::{Evidence, FindingId, Related, Severity, Status, lint},
    update::{Frame, Place, ResourceId, RuntimeId, Stamp, TaskId, WorkerId},
};
use std::sync::Arc;

fn task(id: u64, name: &str) -> TaskRef {
    TaskRef { id: TaskId(id), number: Some(id), name: name.into(), kind: "task", place: format!("src/{name}.rs:1") }
}

fn thing(id: u64, kind: &'static str) -> LockRef {
    LockRef { id: ResourceId(id), number: id, kind, place: format!("src/things.rs:{id}") }
}

fn on(id: u64, kind: &'static str) -> AwaitedRef {
    AwaitedRef::Resource(thing(id, kind))
}

fn finding(name: &str, subject: Subject, related: Related) -> Finding {
    Finding {
        id: FindingId(1),
        lint: lint(name).unwrap(),
        severity: Severity::Critical,
        confidence: Confidence::Exact,
        status: Status::Active,
        subject,
        since: Stamp::MIN,
        first_seen: Stamp::MIN,
        last_seen: Stamp::MIN,
        episodes: 1,
        message: String::new(),
        evidence: vec![Evidence::count("tasks", 2)],
        related,
    }
}

fn step(who: TaskRef, holds: AwaitedRef, by: KeepsBy, waits_for: AwaitedRef, waited: u64) -> CycleStep {
    CycleStep {
        holds,
        by,
        held: Duration::from_secs(9),
        acquired_at: None,
        waits_for,
        waited: Duration::from_secs(waited),
        waits_in: String::new(),
        waits_at: Some(format!("{}::run at src/{}.rs:7", who.name, who.name)),
        known: Confidence::Exact,
        task: who,
    }
}

fn ring(cycle: Vec<CycleStep>) -> Finding {
    let subject = Subject::Task(cycle[0].task.clone());
    finding("deadlock", subject, Related { cycle, ..Related::default() })
}

/// The story as a reader has it, with a mark at the line to change first.
fn told(finding: &Finding) -> Vec<String> {
    let line = |step: &Step| {
        let mark = if step.change.is_some() { "! " } else { "" };
        format!("{}{mark}{}", "  ".repeat(step.depth), step.in_full())
    };
    finding.story().iter().map(line).collect()
}

#[test]
fn a_ring_is_told_in_the_order_in_which_they_wait_and_ends_where_it_began() {
    let room = "room in an mpsc channel";
    let finding = ring(vec![
        step(task(1, "a"), on(3, "mpsc channel"), KeepsBy::Sender, on(2, room), 9),
        step(task(2, "b"), on(2, room), KeepsBy::Receiver, AwaitedRef::End(task(3, "c")), 8),
        step(task(3, "c"), AwaitedRef::End(task(3, "c")), KeepsBy::End, on(3, "mpsc channel"), 7),
    ]);
    assert_eq!(
        told(&finding),
        [
            "task 1 a src/a.rs:1",
            "  waits for room in an mpsc channel 2 src/things.rs:2 for 9.00 s, asleep in a::run at src/a.rs:7",
            "    task 2 b src/b.rs:1 has the receiver, which would make it",
            "      ! waits for the end of task 3 c src/c.rs:1 for 8.00 s, asleep in b::run at src/b.rs:7",
            "        task 3 c src/c.rs:1 has not ended",
            "          waits for a message of the mpsc channel 3 src/things.rs:3 for 7.00 s, asleep in c::run at src/c.rs:7",
            "            task 1 a src/a.rs:1 (above) has its sender",
        ]
    );
    // The last one is the first.
    let steps = finding.story();
    assert_eq!(steps.first().unwrap().about, steps.last().unwrap().about);
}

#[test]
fn of_those_who_hold_something_the_one_who_asked_last_is_to_be_mended_first() {
    let crossed = |waits: [u64; 2]| {
        ring(vec![
            step(task(1, "a"), on(1, "Mutex"), KeepsBy::Guard, on(2, "Mutex"), waits[0]),
            step(task(2, "b"), on(2, "Mutex"), KeepsBy::Guard, on(1, "Mutex"), waits[1]),
        ])
    };
    let at_fault = |finding: &Finding| {
        let steps = finding.story();
        let marked: Vec<usize> = (0..steps.len()).filter(|&at| steps[at].change.is_some()).collect();
        marked
    };
    assert_eq!(at_fault(&crossed([5, 9])), [1], "a asked after b did");
    assert_eq!(at_fault(&crossed([9, 5])), [3]);
    assert_eq!(at_fault(&crossed([9, 9])), [3], "nothing tells who was last: the one who closes the story");
}

#[test]
fn of_a_future_that_is_not_polled_its_own_line_is_to_be_changed() {
    let kept = CycleStep {
        acquired_at: Some("a::second at src/a.rs:3".into()),
        ..step(task(1, "a"), on(1, "Mutex"), KeepsBy::UnpolledGuard, on(1, "Mutex"), 2)
    };
    assert_eq!(
        told(&ring(vec![kept])),
        [
            "! task 1 a src/a.rs:1, at a::second at src/a.rs:3",
            "  waits for Mutex 1 src/things.rs:1 for 2.00 s, asleep in a::run at src/a.rs:7",
            "    task 1 a src/a.rs:1 (above) has it in a future that it does not poll for 9.00 s, at a::second at src/a.rs:3",
        ]
    );
}

#[test]
fn who_keeps_a_lock_comes_before_who_waits_for_it_each_with_what_they_wait_for() {
    let timer = KeeperWait { words: "timer in 3.00 s".into(), on: None, kept: Vec::new() };
    let reader = Keeper { waits: vec![timer], ..Keeper::of_lock(task(2, "b"), Confidence::Likely) };
    let table = on(2, "RwLock");
    let wait = KeeperWait { words: String::new(), on: Some(table), kept: vec![reader] };
    let writer = Keeper {
        held: Some(Duration::from_secs(4)),
        at: Some("src/a.rs:9".into()),
        waits: vec![wait],
        ..Keeper::of_lock(task(1, "a"), Confidence::Exact)
    };
    let waiter = |id| WaitRef { task: task(id, "c"), waited: (id == 3).then_some(Duration::from_secs(1)) };
    let related =
        Related { keepers: vec![writer], waiters: vec![waiter(3), waiter(4)], waiters_total: 7, ..Related::default() };
    assert_eq!(
        told(&finding("held-across-await", Subject::Lock(thing(1, "Mutex")), related)),
        [
            "Mutex 1 src/things.rs:1",
            "  ! task 1 a src/a.rs:1 holds it for 4.00 s, asleep at src/a.rs:9",
            "    waits for RwLock 2 src/things.rs:2",
            "      task 2 b src/b.rs:1 holds it",
            "        waits for timer in 3.00 s",
            "  task 3 c src/c.rs:1 waits for it for 1.00 s",
            "  task 4 c src/c.rs:1 waits for it",
            "  5 more wait for it",
        ]
    );
}

#[test]
fn without_a_line_nothing_is_said_to_be_changed() {
    let related = Related { holder: Some(task(1, "a")), co_holders: vec![task(2, "b")], ..Related::default() };
    let steps = told(&finding("lock-convoy", Subject::Lock(thing(1, "RwLock")), related));
    assert_eq!(steps, ["RwLock 1 src/things.rs:1", "  task 1 a src/a.rs:1 holds it", "  task 2 b src/b.rs:1 holds it"]);
}

#[test]
fn where_nobody_waits_it_is_told_who_it_is_where_and_who_else() {
    let frame = Frame {
        function: "a::scan".into(),
        place: Place { file: "src/a.rs".into(), line: 5, column: 1 },
        ..Frame::default()
    };
    let stack = Arc::new(Stack { frames: vec![frame], ..Stack::default() });
    let id = WorkerId { runtime: RuntimeId(1), index: 2 };
    let stalled = Related {
        worker: Some(WorkerRef { id, runtime: "main".into(), thread: String::new() }),
        stacks: vec![StackRef { what: "stack", of: None, stack }],
        tasks: vec![task(2, "a")],
        tasks_total: 9,
        ..Related::default()
    };
    let stalled = finding("stalled-worker", Subject::Task(task(1, "a")), stalled);
    assert_eq!(
        told(&stalled),
        [
            "task 1 a src/a.rs:1, in its poll at a::scan at src/a.rs:5",
            "  on worker 2 of main",
            "  task 2 a src/a.rs:1 too",
            "  7 more too",
        ]
    );
    assert_eq!(stalled.other_tasks(), 8);
    let runs = Related { tasks: vec![task(1, "a")], tasks_total: 1, ..Related::default() };
    let ends = finding("shutdown-waits", Subject::Target, runs);
    assert_eq!((told(&ends), ends.other_tasks()), (vec!["task 1 a src/a.rs:1".to_owned()], 1));
    assert_eq!(told(&finding("lost-events", Subject::Target, Related::default())), Vec::<String>::new());
}

#[test]
fn a_tree_is_drawn_by_how_deep_its_lines_stand() {
    let depths = [0, 1, 2, 1, 1, 2, 0];
    let lines: Vec<(String, String)> = levels(&depths).iter().map(|levels| drawn(levels, LINES)).collect();
    let before: Vec<&str> = lines.iter().map(|(before, _)| before.as_str()).collect();
    assert_eq!(before, ["", "├ ", "│ ╰ ", "├ ", "╰ ", "  ╰ ", ""]);
    assert_eq!(lines[1].1, "│ ");
}
