//! What the screens show of a process whose memory is read. The pictures are under `tests/snapshots/`.

mod stage;
mod support;

use holdup::{
    app::{Charset, Options, Palette},
    source::{Process, Protocol},
    update::{
        Place, RuntimeId, RuntimeStats, SourcePlace, Stamp, TaskId, Thread, Update, WorkerId, WorkerStats,
        look::{
            Certainty, Chain, Channel, Claim, ClaimKind, Fate, Frame, FrameKind, Holder, Home, Interest, Queued, Reach,
            State, TaskKey, TaskLook, Thing, ThingId, ThingKind, Wait, WaitOn, Waiter, Who, Whole,
        },
    },
};
use insta::assert_snapshot;
use stage::{Stage, options};
use std::{num::NonZeroU64, sync::Arc};

const LOCK: ThingId = ThingId(0x7f00_1000);

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).expect("a number")
}

fn frame(depth: u16, name: &str, kind: FrameKind, place: &str) -> Frame {
    let (file, line) = place.split_once(':').unwrap_or(("", "0"));
    let place = Place { file: file.into(), line: line.parse().unwrap_or(0), column: 0 };
    Frame { depth, name: name.into(), kind, reach: Reach::Polled, place }
}

/// The way down to the lock, to the socket, and to two at once.
fn chains() -> Vec<Arc<Chain>> {
    let serve = vec![
        frame(0, "orders::serve", FrameKind::Async, "src/main.rs:31"),
        frame(1, "Timeout<…>", FrameKind::Wrapper, ""),
        frame(2, "axum::handler", FrameKind::Async, "<cargo>/axum-0.8.4/src/handler/mod.rs:220"),
        frame(3, "Box<dyn Future>", FrameKind::Wrapper, ""),
        frame(4, "orders::store::load", FrameKind::Async, "src/store.rs:22"),
        frame(5, "Mutex::lock", FrameKind::Leaf, ""),
    ];
    let report = vec![
        frame(0, "orders::report", FrameKind::Async, "src/report.rs:88"),
        frame(1, "TcpStream::readable", FrameKind::Leaf, ""),
    ];
    let watch = vec![
        frame(0, "orders::watch", FrameKind::Async, "src/watch.rs:14"),
        frame(1, "select!", FrameKind::Several, "src/watch.rs:14"),
        frame(2, "orders::tick", FrameKind::Async, "src/watch.rs:20"),
        frame(3, "Sleep", FrameKind::Leaf, ""),
        frame(2, "Notified", FrameKind::Leaf, ""),
        Frame { reach: Reach::Held, ..frame(1, "orders::flush", FrameKind::Async, "src/watch.rs:40") },
    ];
    [serve, report, watch].map(|frames| Arc::new(Chain { frames })).into()
}

fn look(future: &str, chain: u32, waits: Vec<Wait>) -> TaskLook {
    TaskLook {
        state: State::Idle,
        queued: Queued::Unknown,
        future: future.into(),
        place: Some(SourcePlace { file: "src/main.rs".into(), line: 30, column: 0 }),
        local: false,
        home: Home::Unknown,
        size: 1_024,
        references: 2,
        fate: Fate::Open,
        chain: Some(chain),
        unread: "".into(),
        waits: waits.into(),
        claims: Box::default(),
    }
}

fn wait(frame: u16, on: WaitOn) -> Wait {
    Wait { frame, on, certainty: Certainty::Proven }
}

fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_700_000_000_000_000_000 + millis * 1_000_000)
}

fn mutex(certainty: Certainty) -> Thing {
    Thing {
        id: LOCK,
        kind: ThingKind::Mutex,
        ty: "Mutex<Conn>".into(),
        names: vec!["conn of orders::store::load".into()],
        of: None,
        free: Some(0),
        total: Some(1),
        held: Some(1),
        channel: None,
        holders: vec![Holder {
            who: Who::Task(number(9)),
            what: ClaimKind::Permits(1),
            certainty,
            place: Place { file: "src/report.rs".into(), line: 88, column: 0 },
            local: "guard".into(),
        }],
        unseen: 0,
        perhaps: Vec::new(),
        doubt: "".into(),
        queue: (20..32).map(|task| Waiter { who: Who::Task(number(task)), wanted: 1, missing: 1 }).collect(),
        steady: true,
    }
}

fn whole(certainty: Certainty, millis: u64) -> Update {
    let runtime = RuntimeId(1);
    let worker = |index: u32, polling: Option<u64>| WorkerStats {
        id: WorkerId { runtime, index },
        thread: Some(Thread { tid: 4243 + index, name: "tokio-rt-worker".into() }),
        polling: polling.map(TaskId),
        tick: Some(millis),
        ..WorkerStats::default()
    };
    let stats = RuntimeStats { id: runtime, workers: 2, alive_tasks: 15, ..RuntimeStats::default() };
    Update {
        now: Some(at(millis)),
        runtimes: Some(vec![stats]),
        workers: Some(vec![worker(0, None), worker(1, Some(40))]),
        look: Some(Box::new(Whole { things: vec![mutex(certainty)], ..Whole::default() })),
        ..Update::default()
    }
}

/// Twelve tasks that wait for a lock, one that has it, one that runs and one with several ends.
fn stage((width, height): (u16, u16), options: Options, certainty: Certainty) -> Stage {
    let queued = || look("orders::serve", 0, vec![wait(5, WaitOn::Permits { of: LOCK, wanted: 1, missing: 1 })]);
    let reads = WaitOn::Io { fd: Some(9), interest: Interest::Read };
    let ticks = vec![wait(3, WaitOn::Timer(at(9_000))), wait(4, WaitOn::Thing(ThingId(0x7f00_2000)))];
    let running =
        TaskLook { state: State::Running, chain: None, unread: "it runs".into(), ..look("orders::spin", 0, vec![]) };
    let mut task_looks: Vec<(TaskKey, Arc<TaskLook>)> = vec![
        (TaskKey::Number(number(9)), look("orders::report", 1, vec![wait(1, reads)]).into()),
        (TaskKey::Number(number(10)), look("orders::watch", 2, ticks).into()),
        (TaskKey::Number(number(40)), running.into()),
    ];
    task_looks.extend((20..32).map(|task| (TaskKey::Number(number(task)), queued().into())));
    let mut stage = Stage::new(width, height, options);
    let process = Process { pid: 4242, name: "orders".into(), tokio_version: "1.54.1".into(), ..Process::default() };
    let process = Process { detail: "full".into(), ..process };
    let first = Update { chains: chains(), task_looks, ..whole(certainty, 0) };
    let rounds = (1..5).map(|round| whole(certainty, round * 500));
    stage.attach_to(Protocol::Memory, Some(process), std::iter::once(first).chain(rounds));
    stage
}

/// Two tasks that wait for each other: one has a lock and waits for room in a channel, the other receives and waits for the lock.
fn crossed((width, height): (u16, u16), options: Options) -> Stage {
    let (room, channel) = (ThingId(0x7f00_2001), ThingId(0x7f00_2000));
    let claim = |of, what| Claim { frame: 0, of, what, local: "it".into() };
    let permits = |of| WaitOn::Permits { of, wanted: 1, missing: 1 };
    let place = |file: &str, line| Place { file: file.into(), line, column: 0 };
    let chain = |name, at: &str, leaf| {
        let frames = vec![frame(0, name, FrameKind::Async, at), frame(1, leaf, FrameKind::Leaf, "")];
        Arc::new(Chain { frames })
    };
    let chains = vec![
        chain("orders::produce", "src/produce.rs:52", "Sender::send"),
        chain("orders::consume", "src/consume.rs:17", "Mutex::lock"),
    ];
    let task = |number: u64, future: &str, chain, on, claims: [Claim; 1]| {
        let look = TaskLook { claims: claims.into(), ..look(future, chain, vec![wait(1, on)]) };
        (TaskKey::Number(self::number(number)), Arc::new(look))
    };
    let holder = |task, what, place: Place| Holder {
        who: Who::Task(number(task)),
        what,
        certainty: Certainty::Proven,
        place,
        local: "it".into(),
    };
    let queue = |task| vec![Waiter { who: Who::Task(number(task)), wanted: 1, missing: 1 }];
    let lock = Thing {
        holders: vec![holder(20, ClaimKind::Permits(1), place("src/produce.rs", 52))],
        queue: queue(21),
        ..mutex(Certainty::Proven)
    };
    let stands =
        Channel { messages: Some(8), bound: Some(8), senders: Some(1), receivers: Some(1), closed: Some(false) };
    let sends = Thing {
        id: channel,
        kind: ThingKind::Mpsc,
        ty: "mpsc::channel<Order>".into(),
        names: vec!["orders of orders::produce".into()],
        channel: Some(stands),
        holders: vec![
            holder(20, ClaimKind::Sender, place("src/produce.rs", 52)),
            holder(21, ClaimKind::Receiver, place("src/consume.rs", 17)),
        ],
        free: None,
        total: None,
        held: None,
        queue: Vec::new(),
        ..lock.clone()
    };
    let has_room = Thing {
        id: room,
        kind: ThingKind::Room,
        of: Some(channel),
        holders: Vec::new(),
        queue: queue(20),
        free: Some(0),
        total: Some(8),
        held: Some(0),
        ..sends.clone()
    };
    let round = |millis| Update {
        look: Some(Box::new(Whole { things: vec![lock.clone(), sends.clone(), has_room.clone()], ..Whole::default() })),
        ..whole(Certainty::Proven, millis)
    };
    let task_looks = vec![
        task(20, "orders::produce", 0, permits(room), [claim(LOCK, ClaimKind::Permits(1))]),
        task(21, "orders::consume", 1, permits(LOCK), [claim(channel, ClaimKind::Receiver)]),
    ];
    let mut stage = Stage::new(width, height, options);
    let process = Process { pid: 4242, name: "orders".into(), tokio_version: "1.54.1".into(), ..Process::default() };
    let process = Process { detail: "full".into(), ..process };
    let first = Update { chains, task_looks, ..round(0) };
    stage.attach_to(Protocol::Memory, Some(process), std::iter::once(first).chain((1..5).map(|at| round(at * 500))));
    stage
}

fn pictures_of(name: &str, keys: &str, stage: impl Fn((u16, u16)) -> Stage) {
    for size in [(80, 24), (200, 50)] {
        let mut stage = stage(size);
        stage.keys(keys);
        assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), stage.text());
    }
}

fn pictures(name: &str, keys: &str) {
    pictures_of(name, keys, |size| stage(size, options(), Certainty::Proven));
}

#[test]
fn a_finding_s_page_tells_its_story_as_a_tree() {
    let crossed = |size| crossed(size, options());
    pictures_of("deadlock_among_findings", "", crossed);
    pictures_of("deadlock_page", "enter down down down", crossed);
    pictures("held_across_await_page", "enter down");
    pictures("lock_convoy_page", "down enter");
}

#[test]
fn each_step_of_a_story_leads_to_what_it_is_about_and_back() {
    let mut stage = crossed((120, 40), options());
    stage.keys("enter").shows(&["╭ deadlock ── task 20 orders::produce", "▌task 20", "change first"]);
    stage.keys("enter").shows(&["╭ task 20 orders::produce"]).keys("esc").shows(&["▌task 20"]);
    stage
        .keys("j enter")
        .shows(&["╭ room in an mpsc channel"])
        .keys("esc")
        .shows(&["▌╰─ ▲ waits for room", "change this first: let go of the lock before this wait"]);
    stage.keys("down enter").shows(&["╭ task 21 orders::consume"]).keys("esc").shows(&["▌   ╰─ task 21"]);
    stage.keys("j enter").shows(&["╭ Mutex of Conn"]).keys("esc").shows(&["▌      ╰─ waits for Mutex"]);
    // The last step is about the first one's task: its page is the same.
    stage.keys("end").shows(&["(above)"]).keys("enter").shows(&["╭ task 20 orders::produce"]);
    stage.keys("esc k").shows(&["▌      ╰─ waits for Mutex"]).keys("esc").shows(&["╭ Findings"]);
    // What the list can do, the page can.
    stage.keys("enter e").shows(&["deadlock ─", "What it means"]).keys("esc l").shows(&["╭ "]).keys("esc y");
    let copied = stage.host.copied.pop().expect("it is copied");
    assert!(copied.contains("╰ waits for room in an mpsc channel") && copied.contains("change this first"), "{copied}");
    // With the mouse: a click selects, and a second one opens.
    stage.click("task 21 orders::consume has").shows(&["▌   ╰─ task 21"]).click("task 21 orders::consume has");
    stage.shows(&["╭ task 21 orders::consume"]);
}

#[test]
fn the_page_of_a_finding_of_another_process_leads_nowhere() {
    let mut stage = crossed((120, 40), options());
    let process = Process { pid: 1, name: "orders".into(), ..Process::default() };
    stage.attach_to(
        Protocol::Memory,
        Some(process),
        (0..3).map(|round| whole(Certainty::Likely, 60_000 + round * 500)),
    );
    stage
        .keys("G enter")
        .shows(&["It is of a process before this one"])
        .keys("enter")
        .shows(&["there is no page for this"]);
}

#[test]
fn a_story_fits_every_size() {
    for charset in [Charset::Unicode, Charset::Ascii] {
        let mut stage = crossed((80, 24), Options { charset, ..options() });
        stage.keys("enter down");
        for (width, height) in [(1, 1), (40, 10), (41, 11), (55, 12), (60, 16), (200, 10), (40, 60), (300, 80)] {
            stage.resize(width, height).keys("j k");
            assert!(charset == Charset::Unicode || stage.text().is_ascii(), "{}", stage.text());
        }
    }
}

#[test]
fn findings_begin_with_what_most_wait_for() {
    pictures("findings", "");
}

#[test]
fn tasks_with_what_each_awaits() {
    pictures("tasks", "t");
}

#[test]
fn tasks_by_chain_and_by_what_they_wait_for() {
    pictures("by_chain", "t z z");
    pictures("by_thing", "t z z z");
}

#[test]
fn a_group_opens_the_tasks_that_are_in_it() {
    let mut stage = stage((120, 30), options(), Certainty::Proven);
    stage.keys("t z z z enter");
    let text = stage.text();
    assert!(text.contains("awaits:\"Mutex<Conn> conn of orders::store::load\"") && text.contains("12 of 15"), "{text}");
}

#[test]
fn a_task_s_page_has_its_chain() {
    pictures("task", "t down down enter");
    pictures("task_with_several_ends", "t end enter");
}

#[test]
fn workers_and_locks() {
    pictures("workers", "W");
    pictures("locks", "L");
    pictures("lock", "L enter");
}

#[test]
fn without_colours_and_in_ascii_the_same_is_said() {
    let plain = Options { palette: Palette::Off, charset: Charset::Ascii, ..options() };
    let mut stage = stage((80, 24), plain, Certainty::Likely);
    stage.keys("L enter");
    let text = stage.text();
    assert!(text.is_ascii() && text.contains("likely"), "{text}");
    assert_snapshot!("lock_ascii", text);
    stage.keys("esc t down down enter");
    assert!(stage.text().is_ascii(), "{}", stage.text());
    assert_snapshot!("task_ascii", stage.text());
}
