use super::*;
use crate::{
    app::options::Charset,
    diagnose::Settings,
    model::Retention,
    report::{End, Totals},
    session::Session,
    update::{
        Begin, Event, Place, Process, Update,
        look::{
            Certainty, Chain, ClaimKind, Fate, Frame, FrameKind, FrameValues, Grade, Holder, Home, Queued, Reach,
            State, TaskKey, TaskLook, Thing, ThingKind, Unread, Variable, Wait, WaitOn, Waiter, Who, Whole,
        },
    },
};
use std::{num::NonZeroU64, time::Duration};

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).expect("a number")
}

fn frame(depth: u16, name: &str, kind: FrameKind, file: &str, line: u32) -> Frame {
    let place = Place { file: file.into(), line, column: 0 };
    Frame { depth, name: name.into(), kind, reach: Reach::Polled, place }
}

fn look(chain: u32, waits: Vec<Wait>) -> TaskLook {
    TaskLook {
        state: State::Idle,
        queued: Queued::Unknown,
        future: if chain == 0 { "orders::serve" } else { "orders::report" }.into(),
        place: None,
        local: false,
        home: Home::Unknown,
        size: 512,
        references: 2,
        fate: Fate::Open,
        chain: Some(chain),
        unread: "".into(),
        waits: waits.into(),
        claims: Box::default(),
    }
}

/// Three tasks that wait for a connection, and one that has it.
fn session() -> Session {
    let mut session = Session::new(&Settings::default(), Retention::default());
    let process = Process { pid: 4242, name: "orders".into(), tokio_version: "1.54.1".into(), ..Process::default() };
    let process = Process { detail: "full".into(), ..process };
    session.apply(Event::Begin(Box::new(Begin::memory(1, process, Grade::Full))));
    let serve = Chain {
        frames: vec![
            frame(0, "orders::serve", FrameKind::Async, "src/main.rs", 31),
            frame(1, "tower::Oneshot<…>", FrameKind::Wrapper, "", 0),
            frame(2, "axum::handler", FrameKind::Async, "<cargo>/axum-0.8/src/lib.rs", 9),
            frame(3, "orders::load", FrameKind::Async, "src/store.rs", 22),
            frame(4, "Acquire", FrameKind::Leaf, "", 0),
        ],
    };
    let report = Chain {
        frames: vec![
            frame(0, "orders::report", FrameKind::Async, "src/report.rs", 88),
            frame(1, "TcpStream::readable", FrameKind::Leaf, "", 0),
        ],
    };
    let on = WaitOn::Permits { of: ThingId(0x100), wanted: 1, missing: 1 };
    let waits = || vec![Wait { frame: 4, on, certainty: Certainty::Proven }];
    let io = WaitOn::Io { fd: Some(9), interest: crate::update::look::Interest::Read };
    let mut task_looks: Vec<_> = (3..6).map(|task| (TaskKey::Number(number(task)), look(0, waits()).into())).collect();
    let reads = vec![Wait { frame: 1, on: io, certainty: Certainty::Proven }];
    task_looks.push((TaskKey::Number(number(9)), look(1, reads).into()));
    let thing = Thing {
        id: ThingId(0x100),
        kind: ThingKind::Mutex,
        ty: "Mutex<Conn>".into(),
        names: vec!["conn of orders::slow".into()],
        of: None,
        free: Some(0),
        total: Some(1),
        held: Some(1),
        channel: None,
        holders: vec![Holder {
            who: Who::Task(number(9)),
            what: ClaimKind::Permits(1),
            certainty: Certainty::Proven,
            place: Place { file: "src/report.rs".into(), line: 88, column: 0 },
            local: "guard".into(),
        }],
        unseen: 0,
        perhaps: Vec::new(),
        doubt: "".into(),
        queue: (3..6).map(|task| Waiter { who: Who::Task(number(task)), wanted: 1, missing: 1 }).collect(),
        steady: true,
    };
    let unread = vec![Unread { what: "1 task of libplugin.so".into(), why: "it is stripped".into() }];
    session.apply(Event::Update(Box::new(Update {
        now: Some(Stamp::from_seconds(1_000)),
        chains: vec![serve.into(), report.into()],
        task_looks,
        look: Some(Box::new(Whole { things: vec![thing], unread, ..Whole::default() })),
        ..Update::default()
    })));
    session
}

#[test]
fn a_tree_is_what_one_pastes_into_a_ticket() {
    let tree = TreeOf::new(&Target::Pid(4242), &observed(Vec::new())).expect("a tree");
    insta::assert_snapshot!("tree", render(&tree, Charset::Unicode));
    assert!(render(&tree, Charset::Ascii).is_ascii() || render(&tree, Charset::Ascii).contains('…'));
}

#[test]
fn the_json_has_types_lines_and_ids() {
    let json: serde_json::Value =
        serde_json::from_str(&TreeOf::new(&Target::Pid(4242), &observed(Vec::new())).expect("a tree").to_json())
            .expect("JSON");
    assert_eq!(json["pid"], 4242);
    assert_eq!(json["chains"][0]["count"], 3);
    assert_eq!(json["chains"][0]["frames"][3]["location"]["line"], 22);
    assert_eq!(json["chains"][0]["waits"][0]["thing"], "0x100");
    assert_eq!(json["things"][0]["holders"][0]["task"], 9);
    assert_eq!(json["unread"][0]["because"], "it is stripped");
}

fn observed(values: Vec<Values>) -> Observation {
    let (session, end_at) = (session(), Stamp::from_seconds(1_000));
    let (elapsed, end) = (Duration::from_secs(1), End::Elapsed);
    Observation { session, start: end_at, end_at, values, elapsed, end, totals: Totals::default() }
}

#[test]
fn what_frames_hold_is_there_where_it_was_asked_for() {
    let secret = Variable { name: "id".into(), ty: "u64".into(), value: "4711".into(), owns: true };
    let place = Place { file: "src/store.rs".into(), line: 22, column: 0 };
    let frame =
        FrameValues { name: "orders::load".into(), place, reach: Reach::Polled, variables: vec![secret], left_out: 0 };
    let speakers = speakers(session().model());
    let task = |of: u64| Who::Task(number(of));
    assert!(speakers.contains(&task(3)) && !speakers.contains(&task(4)), "{speakers:?}");
    let values = vec![Values { of: Who::Task(number(3)), frames: vec![frame], unread: "".into() }];
    let tree = |values| TreeOf::new(&Target::Pid(4242), &observed(values)).expect("a tree");
    assert!(!tree(Vec::new()).to_json().contains("values"));
    let asked = tree(values);
    assert!(asked.to_json().contains("4711"));
    let text = render(&asked, Charset::Unicode);
    assert!(text.contains("    orders::load src/store.rs:22\n      id: u64 = 4711 ?\n"), "{text}");
}
