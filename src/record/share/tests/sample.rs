//! Events with something in each of their fields, as no single target tells them.

use crate::update::{
    Access, Across, Attribute, Begin, BeginMode, Beside, Cause, Command, Connection, Doing, Event, Field, FieldName,
    Flavor, Frame, Histogram, Holder, LockStats, Loss, MetaId, NewMetadata, NewOp, NewResource, NewTask, OpId, OpStats,
    Panic, Part, Permits, Place, PollOp, PollStats, Process, Readiness, ResourceId, ResourceStats, RuntimeId,
    RuntimeStats, SourcePlace, Span, SpawnTimes, Stack, Stall, Stamp, Standstill, Taken, TaskDetails, TaskFacts,
    TaskId, TaskKind, TaskStats, TaskWakers, Temporality, Thread, Update, Value, Verdict, VerdictKind, Waiting, Waking,
    WokenBy, WorkerId, WorkerStack, WorkerStats, look,
};
use std::{num::NonZeroU64, sync::Arc, time::Duration};

/// Numbers that name something: none of them may be seen. Each is of four bytes or of eight.
pub(super) const PID: u32 = 0xa1b2_c301;
pub(super) const TID: u32 = 0xa1b2_c302;
pub(super) const OTHER_TID: u32 = 0xa1b2_c3f3;
pub(super) const THING: u64 = 0x7f4e_d1c2_b3a4_9580;
pub(super) const ROOM: u64 = 0x7f4e_d1c2_b3a4_9600;
pub(super) const META: u64 = 0x5561_72d3_e4f5_a6b0;
pub(super) const CODE: u64 = 0x5561_8e9f_a0b1_c2d3;
pub(super) const OFFSET: u64 = 0x0012_3d4e_5f60_7182;
pub(super) const VALUE: u64 = 0x1c2d_3e4f_5a6b_7c8d;
pub(super) const BUILD: [u8; 8] = [0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88];

/// The target's clock.
pub(super) const NOW: u64 = 1_767_268_812_345_678_901;

fn stamp(seconds: u64) -> Stamp {
    Stamp::from_nanos(NOW + seconds * 1_000_000_000)
}

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

fn source_place() -> SourcePlace {
    SourcePlace { file: "src/serve.rs".into(), line: 41, column: 7 }
}

fn place() -> Place {
    Place { file: "/srv/own/src/serve.rs".into(), line: 41, column: 7 }
}

fn thread() -> Thread {
    Thread { tid: TID, name: "own-thread".into() }
}

fn stack() -> Arc<Stack> {
    let of_tokio = Place { file: "<cargo>/tokio-1.54.1/src/runtime/park.rs".into(), ..place() };
    let frame = |function: &str, place: Place| Frame {
        function: function.into(),
        place,
        module: "own".into(),
        address: CODE,
        offset: OFFSET,
    };
    Arc::new(Stack {
        frames: vec![frame("own::serve::{{closure}}", place()), frame("tokio::runtime::park::Inner::park", of_tokio)],
        approximate: true,
        captured: Some(stamp(0)),
        limitation: "it is too deep".into(),
        executable: BUILD.to_vec(),
    })
}

fn fields() -> Vec<Field> {
    let named = |name: &str, value: Value| Field { name: FieldName::Text(name.into()), value };
    vec![
        named("customer", Value::Text("somebody".into())),
        named("order", Value::U64(VALUE)),
        named("balance", Value::I64(VALUE.cast_signed())),
        named("is_rich", Value::Bool(true)),
        named("kind", Value::Text("blocking".into())),
        Field { name: FieldName::Index(MetaId(META), 1), value: Value::Text("indexed".into()) },
        Field { name: FieldName::Index(MetaId(META), 2), value: Value::U64(VALUE) },
    ]
}

fn attributes() -> Vec<Attribute> {
    let units = [Some("ms".to_owned()), Some("parsec".to_owned()), None].into_iter().cycle();
    let counted = Field { name: FieldName::Text("permits".into()), value: Value::U64(3) };
    let all = fields().into_iter().chain([counted]);
    all.zip(units).map(|(field, unit)| Attribute { field, unit }).collect()
}

fn process() -> Process {
    Process {
        boot_id: "0123456789abcdef".into(),
        pid: PID,
        name: "orders".into(),
        executable: "/srv/own/bin/orders".into(),
        started: Some(stamp(0)),
        agent_version: "0.1.0".into(),
        tokio_version: "1.54.1".into(),
        detail: "full".into(),
        capabilities: ["tasks", "locks", "stalls", "permits", "captures", "spawn-times", "own"]
            .map(String::from)
            .to_vec(),
        limitations: vec!["no stacks are captured".into()],
    }
}

/// What an agent tells, and what a memory beside it: each kind of event, each part of an update.
pub(super) fn events() -> Vec<Event> {
    let mut memory = Begin::memory(2, process(), look::Grade::Full);
    memory.mode = BeginMode::Joins;
    let reason = || "the host own-host.example is not there".to_owned();
    vec![
        Event::Connection(Connection::Connecting { attempt: 1 }),
        Event::Begin(Box::new(Begin::agent(1, process()))),
        Event::Connection(Connection::Live),
        Event::Temporality(Temporality::Live),
        Event::Update(Box::new(rows(0, Part::More))),
        Event::Update(Box::new(beside(0))),
        Event::Begin(Box::new(memory)),
        Event::Update(Box::new(look(1))),
        Event::Details(Box::new(details())),
        Event::DetailsUnavailable { task: TaskId(1), reason: reason() },
        Event::Values(Box::new(values())),
        Event::CommandFailed { command: Command::ReadValues(look::Who::Root(TID)), reason: reason() },
        Event::CatchUp { sent: 2 },
        Event::Update(Box::new(rows(2, Part::Last))),
        Event::Update(Box::new(look(3))),
        Event::Update(Box::new(beside(4))),
        Event::Update(Box::new(look(5))),
        Event::Beside(Beside::Left { reason: reason() }),
        Event::Connection(Connection::Lost { reason: reason(), retry_in: Duration::from_secs(1), attempt: 1 }),
        Event::Update(Box::new(look(6))),
        Event::Connection(Connection::GaveUp { reason: reason() }),
    ]
}

/// What ends, after which less is known.
pub(super) fn ends() -> Vec<Event> {
    vec![
        Event::Beside(Beside::Over { reason: "it has ended".into() }),
        Event::Update(Box::new(Update {
            now: Some(stamp(9)),
            gone_tasks: vec![TaskId(2)],
            gone_resources: vec![ResourceId(4)],
            gone_ops: vec![OpId(5)],
            gone_locks: vec![ResourceId(4)],
            gone_looks: vec![look::TaskKey::Number(number(7))],
            ..Update::default()
        })),
    ]
}

fn rows(seconds: u64, part: Part) -> Update {
    let polls = PollStats {
        count: 5,
        last_started: Some(stamp(seconds)),
        last_ended: Some(stamp(seconds)),
        busy: Duration::from_millis(400),
    };
    let task = |id: u64| NewTask {
        id: TaskId(id),
        metadata: Some(MetaId(META)),
        number: Some(number(id + 5)),
        name: "conn".into(),
        kind: Some(TaskKind::Task),
        size: 128,
        original_size: 4_096,
        fields: fields(),
        place: Some(source_place()),
    };
    let stats = TaskStats {
        created: Some(stamp(0)),
        dropped: None,
        last_wake: Some(stamp(seconds)),
        polls,
        scheduled: Duration::from_millis(7),
        wakes: 3,
        self_wakes: 1,
        waker_clones: 2,
        waker_drops: 2,
    };
    Update {
        now: Some(stamp(seconds)),
        metadata: vec![NewMetadata {
            id: MetaId(META),
            name: "runtime.spawn".into(),
            target: "own::target".into(),
            field_names: ["task.name", "secret", "count"].map(String::from).to_vec(),
        }],
        new_tasks: vec![task(1), task(2)],
        task_stats: vec![(TaskId(1), stats), (TaskId(2), TaskStats { dropped: Some(stamp(seconds)), ..stats })],
        new_resources: vec![NewResource {
            id: ResourceId(4),
            metadata: Some(MetaId(META)),
            parent: Some(ResourceId(3)),
            kind: "Sync".into(),
            concrete_type: "Mutex".into(),
            target: "tokio::sync::mutex".into(),
            place: Some(source_place()),
            internal: true,
        }],
        resource_stats: vec![(ResourceId(4), resource_stats(seconds))],
        new_ops: vec![NewOp {
            id: OpId(5),
            parent: Some(OpId(6)),
            resource: Some(ResourceId(4)),
            source: "Mutex::lock".into(),
        }],
        op_stats: vec![(
            OpId(5),
            OpStats { created: Some(stamp(0)), dropped: None, task: Some(TaskId(1)), polls, attributes: attributes() },
        )],
        poll_ops: vec![PollOp {
            resource: ResourceId(4),
            op: Some(OpId(5)),
            task: Some(TaskId(1)),
            readiness: Readiness::Pending,
        }],
        part,
        ..Update::default()
    }
}

fn resource_stats(seconds: u64) -> ResourceStats {
    let taken = Taken { task: Some(TaskId(1)), permits: 1, since: stamp(0) };
    ResourceStats {
        created: Some(stamp(0)),
        dropped: None,
        attributes: attributes(),
        permits: Some(Box::new(Permits {
            first: 3,
            taken: vec![taken],
            known: true,
            givers: vec![Some(TaskId(2)), None],
            returned: Some(stamp(seconds)),
        })),
    }
}

fn beside(seconds: u64) -> Update {
    let worker = WorkerId { runtime: RuntimeId(1), index: 0 };
    let span = Span { name: "request".into(), fields: vec![("peer".into(), "somebody".into())] };
    let holder = Holder {
        task: None,
        thread: Some(thread()),
        access: Access::Exclusive,
        since: stamp(0),
        across: Across::Await,
        acquired_at: Some(stack()),
        suspended_at: Some(stack()),
    };
    let held = Holder { task: Some(TaskId(1)), thread: None, ..holder.clone() };
    let lock = LockStats {
        holders: vec![holder, held],
        waiters: vec![Waiting { op: OpId(5), task: Some(TaskId(2)), access: Access::Shared, since: Some(stamp(0)) }],
        more_waiters: 1,
        acquisitions: 9,
        contended: 2,
        across_count: 1,
        across_longest: Duration::from_secs(1),
        hold_times: vec![1, 2],
        longest_hold: Duration::from_secs(1),
        unknown_holders: 1,
        id: ResourceId(4),
    };
    let panic = |task: u64| Panic {
        task: TaskId(task),
        message: "called `Option::unwrap()` on somebody".into(),
        place: source_place(),
        at: stamp(seconds),
        task_name: "conn".into(),
        spawned_at: Some(source_place()),
    };
    Update {
        now: Some(stamp(seconds)),
        task_facts: vec![(TaskId(1), TaskFacts { parent: Some(TaskId(2)), runtime: Some(RuntimeId(1)) })],
        task_spans: vec![(TaskId(1), vec![span])],
        task_wakers: vec![(
            TaskId(1),
            TaskWakers {
                since: Some(stamp(0)),
                wakers: vec![
                    Waking { by: WokenBy::Task(TaskId(2)), count: 3, last: Some(stamp(0)) },
                    Waking { by: WokenBy::Runtime, count: 1, last: None },
                ],
                others: 1,
            },
        )],
        locks: vec![lock],
        stalls: vec![stall(worker, seconds)],
        worker_stacks: vec![WorkerStack {
            id: worker,
            thread: Some(thread()),
            doing: Doing::Sleeping,
            task: Some(TaskId(1)),
            at: stamp(seconds),
            stack: Some(stack()),
        }],
        spawn_times: vec![
            SpawnTimes { place: Some(source_place()), polls: vec![5 + seconds, 1], waits: vec![4 + seconds] },
            SpawnTimes { place: None, polls: vec![seconds], waits: vec![1] },
        ],
        standstills: vec![Standstill { from: stamp(0), to: stamp(seconds) }],
        panics: vec![panic(1), panic(99)],
        runtimes: Some(vec![runtime(seconds)]),
        workers: Some(vec![WorkerStats {
            id: worker,
            thread: Some(thread()),
            polling: Some(TaskId(1)),
            polling_since: Some(stamp(0)),
            busy: Duration::from_secs(1),
            tick: Some(4),
            cpu_wait: Some(Duration::from_secs(1)),
            ..WorkerStats::default()
        }]),
        losses: Some(vec![
            Loss { kind: "finished-tasks".into(), count: 1 + seconds },
            Loss { kind: "own-kind".into(), count: 1 + seconds },
        ]),
        told_every: Some(Duration::from_secs(1)),
        late: Duration::from_millis(1),
        ..Update::default()
    }
}

fn runtime(seconds: u64) -> RuntimeStats {
    RuntimeStats {
        id: RuntimeId(1),
        name: "io".into(),
        flavor: Some(Flavor::MultiThread),
        workers: 1,
        timer_lag: Some(Duration::from_secs(1)),
        driver_gap: Some(Duration::from_secs(1)),
        driven: Some(true),
        verdicts: vec![Verdict { kind: VerdictKind::AllWorkersStuck, since: Some(stamp(seconds)) }],
        ..RuntimeStats::default()
    }
}

fn stall(worker: WorkerId, seconds: u64) -> Stall {
    Stall {
        id: 1,
        runtime: RuntimeId(1),
        worker: Some(worker),
        thread: Some(thread()),
        task: Some(TaskId(1)),
        since: stamp(0),
        ended: (seconds > 3).then(|| stamp(seconds)),
        cause: Cause::SystemCall,
        system_call: "futex".into(),
        kernel_function: "futex_wait_queue".into(),
        on_cpu: Duration::from_millis(1),
        queued: 2,
        stack: Some(stack()),
        limitation: "the kernel tells nothing".into(),
    }
}

fn details() -> TaskDetails {
    let times = Histogram { buckets: vec![(1_000, 2)], outliers: 1, largest_outlier: Some(9) };
    TaskDetails { task: TaskId(1), now: Some(stamp(1)), poll_times: Some(times.clone()), scheduled_times: Some(times) }
}

fn values() -> look::Values {
    look::Values {
        of: look::Who::Root(TID),
        frames: vec![look::FrameValues {
            name: "own::serve".into(),
            place: place(),
            reach: look::Reach::Polled,
            variables: vec![look::Variable {
                name: "password".into(),
                ty: "own::Password".into(),
                value: "\"hunter2\"".into(),
                owns: true,
            }],
            left_out: 1,
        }],
        unread: "it moves".into(),
    }
}

fn look(seconds: u64) -> Update {
    let frame = |depth: u16, name: &str, kind: look::FrameKind| look::Frame {
        depth,
        name: name.into(),
        kind,
        reach: look::Reach::Polled,
        place: place(),
    };
    let chain = look::Chain {
        frames: vec![
            frame(0, "own::serve", look::FrameKind::Async),
            frame(1, "own::load (not started)", look::FrameKind::Async),
            frame(2, "Acquire", look::FrameKind::Leaf),
        ],
    };
    let wait = |on: look::WaitOn| look::Wait { frame: 2, on, certainty: look::Certainty::Proven };
    let permits = look::WaitOn::Permits { of: look::ThingId(THING), wanted: 1, missing: 1 };
    let told = look::TaskLook {
        state: look::State::Idle,
        queued: look::Queued::Local(0),
        future: "own::serve".into(),
        place: Some(source_place()),
        local: true,
        home: look::Home::Set(look::ThingId(THING)),
        size: 64,
        references: 2,
        fate: look::Fate::Cancelled,
        chain: Some(0),
        unread: if seconds == 3 { "it moves".into() } else { "".into() },
        waits: [
            wait(permits),
            wait(look::WaitOn::Closed(look::ThingId(ROOM))),
            wait(look::WaitOn::Timer(stamp(seconds))),
            wait(look::WaitOn::Io { fd: Some(7), interest: look::Interest::Read }),
        ]
        .into(),
        claims: [look::Claim {
            frame: 0,
            of: look::ThingId(THING),
            what: look::ClaimKind::Permits(1),
            local: "guard".into(),
        }]
        .into(),
    };
    let by_id = look::TaskKey::Id(TaskId(1));
    Update {
        now: Some(stamp(seconds)),
        chains: if seconds == 1 { vec![Arc::new(chain)] } else { Vec::new() },
        task_looks: vec![(look::TaskKey::Number(number(7)), Arc::new(told.clone())), (by_id, Arc::new(told))],
        look: Some(Box::new(whole(wait(permits)))),
        mode: BeginMode::Joins,
        ..Update::default()
    }
}

fn whole(wait: look::Wait) -> look::Whole {
    let thing = |id: u64, kind: look::ThingKind, of: Option<u64>| look::Thing {
        id: look::ThingId(id),
        kind,
        ty: "Mutex<own::Conn>".into(),
        names: vec!["conn of own::serve".into()],
        of: of.map(look::ThingId),
        free: Some(0),
        total: Some(1),
        held: Some(1),
        channel: Some(look::Channel { messages: Some(1), bound: Some(2), ..look::Channel::default() }),
        holders: vec![look::Holder {
            who: look::Who::Task(number(7)),
            what: look::ClaimKind::Permits(1),
            certainty: look::Certainty::Proven,
            place: place(),
            local: "guard".into(),
        }],
        unseen: 1,
        perhaps: vec![look::Who::Root(OTHER_TID)],
        doubt: "somebody else may have it".into(),
        queue: vec![look::Waiter { who: look::Who::Root(TID), wanted: 1, missing: 1 }],
        steady: true,
    };
    let socket = |fd: i32, local: &str, peer: &str| look::Socket {
        fd,
        local: local.into(),
        peer: peer.into(),
        listens: peer.is_empty(),
        silent: Some(Duration::from_secs(3)),
    };
    look::Whole {
        things: vec![thing(THING, look::ThingKind::Mutex, None), thing(ROOM, look::ThingKind::Room, Some(THING))],
        threads: vec![look::Thread {
            id: TID,
            name: "own-thread".into(),
            state: 'S',
            waits_in: "futex".into(),
            cpu: Some(Duration::from_secs(1)),
            waited: Some(Duration::from_secs(1)),
            role: look::Role::Worker(WorkerId { runtime: RuntimeId(1), index: 0 }),
            polls: Some(number(7)),
            sleeps: Some(look::Sleeps { lock: look::SleepsFor::Mutex, at: Some(look::ThingId(THING)) }),
            stack: Some(stack()),
            stopped: Some(Duration::from_millis(1)),
        }],
        roots: vec![look::Root {
            thread: TID,
            future: "own::main".into(),
            chain: Some(0),
            unread: "it moves".into(),
            waits: [wait].into(),
            claims: Box::default(),
        }],
        jobs: vec![look::Job { number: number(12), closure: "own::work::{closure}".into(), thread: Some(OTHER_TID) }],
        sets: vec![look::LocalSet { id: look::ThingId(THING), owner: look::Owner::Thread(TID) }],
        kept: vec![look::Kept { home: look::Home::Runtime(RuntimeId(1)), threads: vec![TID, OTHER_TID] }],
        sockets: vec![socket(7, "10.1.2.3:5432", "10.9.8.7:40000"), socket(8, "10.1.2.3:5432", "")],
        unread: vec![look::Unread { what: "the types".into(), why: "they are stripped".into() }],
        state: look::ProcessState::Running,
        cost: look::Cost { took: Duration::from_millis(3), bytes: 9, walked: 2, moving: 1, stopped: Duration::ZERO },
    }
}
