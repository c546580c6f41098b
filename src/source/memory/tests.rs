//! Looks that are made by hand, and what the link makes of them.

use super::{
    Clock, FAULT, Stacks, open,
    reader::Looks,
    rounds::{Pace, Suspects, Watched},
};
use crate::{
    source::memory::Failure,
    update::{
        Command, Connection, Event, Fact, Part, Protocol, ResourceId, Stamp, TaskId, Update,
        look::{Certainty, Grade, TaskKey, WaitOn, Who},
    },
};
use holdup_memory as memory;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::VecDeque,
    num::NonZeroU64,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// What stands in the process's memory.
const SECRET: &str = "4711-secret";

fn look(at: u64) -> memory::Look {
    let process = memory::Process {
        pid: 4242,
        name: "orders".into(),
        executable: "/srv/orders".into(),
        copies: vec![memory::Copy {
            object: "/srv/orders".into(),
            version: Some("1.54.1".into()),
            grade: memory::Grade::Full,
            from: "".into(),
        }],
        ..memory::Process::default()
    };
    memory::Look {
        at: Duration::from_millis(at),
        process,
        changed: Vec::new(),
        untold: 0,
        ended: Vec::new(),
        tasks: 0,
        chains: Vec::new(),
        things: Vec::new(),
        runtimes: Vec::new(),
        sets: Vec::new(),
        threads: Vec::new(),
        roots: Vec::new(),
        jobs: Vec::new(),
        sockets: Vec::new(),
        unread: Vec::new(),
        cost: memory::Cost::default(),
    }
}

fn task(number: u64) -> memory::Task {
    let waits = [memory::Wait {
        frame: 1,
        what: memory::WaitOn::Permits { of: 0x100, wanted: 1, missing: 1 },
        basis: memory::Basis::Proven,
    }];
    memory::Task {
        number,
        address: 0x7000 + number,
        runtime: Some(0),
        local: false,
        set: None,
        state: memory::TaskState::Idle,
        queued: memory::Queued::Unknown,
        cancelled: false,
        references: 3,
        join_interest: true,
        future: "orders::slow".into(),
        defined: Some(memory::Place { file: "src/store.rs".into(), line: 20 }),
        spawned: None,
        size: 512,
        chain: Some(0),
        unread: "".into(),
        waits: waits.into(),
        claims: Box::default(),
        panicked: false,
    }
}

/// Tells each of these looks once, and then that the process has ended.
struct Told(Vec<memory::Look>);

impl Looks for Told {
    fn look(&mut self, _: Stacks) -> Result<memory::Look, Failure> {
        if self.0.is_empty() {
            return Err(Failure::Gone("process 4242 has ended".into()));
        }
        Ok(self.0.remove(0))
    }

    fn values(&mut self, of: Who) -> Result<memory::Values, Failure> {
        let Who::Task(task) = of else { return Err(Failure::Gone("it is a task that is asked for".into())) };
        let variable = memory::Variable { name: "id".into(), ty: "u64".into(), value: SECRET.into(), owns: false };
        let frame = memory::FrameValues {
            name: "orders::slow".into(),
            place: None,
            reach: memory::Reach::Polled,
            variables: vec![variable],
            left_out: 0,
        };
        Ok(memory::Values { of: memory::Who::Task(task.get()), frames: vec![frame], unread: "".into() })
    }
}

const SOON: Pace = Pace { every: Duration::from_millis(1), rest: 0, most: Duration::MAX };

fn many() -> memory::Look {
    let frame = |depth, name: &str, kind| memory::Frame {
        depth,
        name: name.into(),
        kind,
        reach: memory::Reach::Polled,
        place: Some(memory::Place { file: "src/store.rs".into(), line: 22 }),
    };
    let frames = vec![frame(0, "orders::slow", memory::FrameKind::Async), frame(1, "Acquire", memory::FrameKind::Leaf)];
    let changed = (1..=2_500).map(task).collect();
    memory::Look { changed, chains: vec![Arc::new(memory::Chain { frames })], ..look(1_000) }
}

#[tokio::test]
async fn beside_a_service_instants_are_of_its_clock_whatever_the_wall_clock_says() {
    let clock = Clock::default();
    // A service that began when the wall clock stood years ahead of where it was set to since, and one that began years behind.
    for seconds in [7, 4_000_000_000] {
        clock.hear(Stamp::from_nanos(seconds * 1_000_000_000), Instant::now());
        let mut link = open(|| Ok(Told(vec![look(1_000), look(3_000)])), SOON, clock.clone());
        let mut told = Vec::new();
        while let Some(event) = link.events.recv().await {
            match event {
                Event::Update(page) => told.push(page.now.expect("an instant").nanos()),
                Event::Connection(Connection::GaveUp { .. }) => break,
                _ => {}
            }
        }
        assert_eq!(told[1] - told[0], 2_000_000_000, "what passed in between is of the looks");
        let later = told[0].checked_sub(seconds * 1_000_000_000).expect("no earlier than the service's own");
        assert!(later < 600_000_000_000, "{later} ns after it");
    }
}

#[tokio::test]
async fn a_process_is_told_in_pages_until_it_has_ended_and_is_not_tried_again() {
    let mut link =
        open(|| Ok(Told(vec![many(), memory::Look { ended: vec![7], ..look(1_500) }])), SOON, Clock::default());
    let mut next = async || link.events.recv().await.expect("an event");
    assert_eq!(next().await, Event::Connection(Connection::Connecting { attempt: 1 }));
    let Event::Begin(begin) = next().await else { panic!("no beginning") };
    let process = begin.process.expect("a process");
    assert_eq!((begin.protocol, process.pid, process.name.as_str()), (Protocol::Memory, 4242, "orders"));
    assert_eq!((process.tokio_version.as_str(), process.detail.as_str()), ("1.54.1", Grade::Full.name()));
    assert!(begin.knows.has(Fact::Chains) && !begin.knows.has(Fact::Wakes));
    assert_eq!(next().await, Event::Connection(Connection::Live));
    let mut pages: Vec<Update> = Vec::new();
    while pages.last().is_none_or(|page| page.part == Part::More) {
        let Event::Update(page) = next().await else { panic!("no page") };
        pages.push(*page);
    }
    assert_eq!(pages.iter().map(|page| page.task_looks.len()).collect::<Vec<_>>(), [1_024, 1_024, 452]);
    assert_eq!(pages[0].chains.len(), 1);
    let (key, told) = &pages[0].task_looks[0];
    assert_eq!((*key, told.references), (TaskKey::Number(1.try_into().expect("a number")), 2));
    assert!(matches!(told.waits[0].on, WaitOn::Permits { missing: 1, .. }));
    assert_eq!(told.waits[0].certainty, Certainty::Proven);
    let Event::Update(second) = next().await else { panic!("no second look") };
    assert_eq!(second.gone_looks.len(), 1);
    assert!(second.now > pages[0].now);
    let ended = Event::Connection(Connection::GaveUp { reason: "process 4242 has ended".into() });
    assert_eq!(next().await, ended);
}

#[tokio::test]
async fn what_nobody_may_read_says_so_and_is_tried_again_when_the_user_asks() {
    let refused = || Err::<Told, _>(Failure::Refused("process 4242 may not be read: ptrace_scope is 1".into()));
    let mut link = open(refused, SOON, Clock::default());
    let mut reasons = Vec::new();
    while reasons.len() < 2 {
        if let Some(Event::Connection(Connection::GaveUp { reason })) = link.events.recv().await {
            reasons.push(reason);
            link.commands.send(Command::RetryNow).await.expect("a link");
        }
    }
    assert!(reasons[0].contains("ptrace_scope"), "{reasons:?}");
}

/// The same in another program.
fn in_program(look: memory::Look, executable: &str, copies: Vec<memory::Copy>) -> memory::Look {
    let process = memory::Process { executable: executable.into(), copies, ..look.process.clone() };
    memory::Look { process, ..look }
}

#[tokio::test]
async fn a_script_is_waited_for_until_it_executes_a_program_with_tokio_and_the_next_program_begins_anew() {
    let copies = look(0).process.copies;
    let next = || in_program(look(3_000), "/srv/next", copies.clone());
    let readers = Mutex::new(VecDeque::from([
        vec![in_program(look(1_000), "/bin/sh", Vec::new())],
        vec![look(2_000), next()],
        vec![next()],
    ]));
    let make = move || Ok(Told(readers.lock().unwrap().pop_front().unwrap_or_default()));
    let mut link = open(make, SOON, Clock::default());
    let mut said = Vec::new();
    while let Some(event) = link.events.recv().await {
        match event {
            Event::Connection(Connection::Lost { reason, attempt, .. }) => {
                said.push(format!("lost {attempt}: {reason}"));
            }
            Event::Begin(begin) => said.push(format!("{} {}", begin.epoch, begin.process.unwrap().executable)),
            Event::Update(_) => said.push("update".to_owned()),
            Event::Connection(Connection::GaveUp { .. }) => break,
            _ => {}
        }
    }
    let no_tokio = "lost 1: there is no Tokio in process 4242, orders; `holdup ps` lists the processes that have it";
    assert_eq!(said, [no_tokio, "1 /srv/orders", "update", "2 /srv/next", "update"]);
}

#[tokio::test]
async fn a_core_file_in_which_no_tokio_is_found_is_refused_with_what_could_not_be_read() {
    let unread = vec![memory::Unread { what: "337 MiB of memory".into(), why: "the file was cut off".into() }];
    let mut core = memory::Look { unread, ..in_program(look(1_000), "", Vec::new()) };
    core.process.state = memory::ProcessState::Core;
    let mut link = open(move || Ok(Told(vec![core.clone()])), SOON, Clock::default());
    loop {
        match link.events.recv().await.expect("an event") {
            Event::Connection(Connection::GaveUp { reason }) => {
                assert!(reason.contains("no Tokio was found") && reason.contains("cut off"), "{reason}");
                return;
            }
            event => assert!(matches!(event, Event::Connection(Connection::Connecting { .. })), "{event:?}"),
        }
    }
}

/// Reads, and meets what nobody thought of.
struct Faulty;

impl Looks for Faulty {
    fn look(&mut self, _: Stacks) -> Result<memory::Look, Failure> {
        panic!("what nobody thought of")
    }

    fn values(&mut self, _: Who) -> Result<memory::Values, Failure> {
        Err(Failure::Gone(String::new()))
    }
}

#[tokio::test]
async fn a_fault_of_the_reader_is_told_and_not_waited_for() {
    let mut link = open(|| Ok(Faulty), SOON, Clock::default());
    let reason = loop {
        if let Event::Connection(Connection::GaveUp { reason }) = link.events.recv().await.expect("an end") {
            break reason;
        }
    };
    assert_eq!(reason, FAULT);
}

#[tokio::test]
async fn a_command_that_memory_has_no_answer_to_is_refused_in_words() {
    let mut link = open(|| Ok(Told(vec![look(0)])), Pace { every: Duration::from_secs(60), ..SOON }, Clock::default());
    link.commands.send(Command::WatchTask(TaskId(3))).await.expect("a link");
    let refused = loop {
        if let Event::DetailsUnavailable { reason, .. } = link.events.recv().await.expect("an event") {
            break reason;
        }
    };
    assert!(refused.contains("counts no polls"), "{refused}");
}

#[test]
fn a_look_that_takes_long_is_followed_by_a_long_rest() {
    let (pace, mut random) = (Pace::default(), StdRng::seed_from_u64(11));
    let mut rest = |took, suspects| {
        let rests = (0..1_000).map(|_| pace.rest(Duration::from_millis(took), suspects, &mut random));
        let rests: Vec<Duration> = rests.collect();
        let mean = rests.iter().sum::<Duration>() / 1_000;
        (rests.iter().min().copied(), mean.as_millis(), rests.iter().max().copied())
    };
    let (least, mean, most) = rest(5, Suspects::None);
    assert!(least >= Some(Duration::from_millis(297)) && most <= Some(Duration::from_millis(693)));
    assert!((480..510).contains(&mean), "{mean} ms");
    let (_, mean, _) = rest(400, Suspects::None);
    assert!((7_800..8_200).contains(&mean), "{mean} ms");
    let (_, mean, most) = rest(5, Suspects::Fresh);
    assert!((150..170).contains(&mean) && most <= Some(Duration::from_millis(250)), "{mean} ms");
    let (_, mean, _) = rest(400, Suspects::Fresh);
    assert!((7_800..8_200).contains(&mean), "a look that takes long is no cheaper for a suspect: {mean} ms");
}

#[test]
fn whoever_waits_sees_several_looks_whatever_they_cost() {
    let mut random = StdRng::seed_from_u64(3);
    let mut most = |pace: Pace, took| {
        let rests = (0..1_000).map(|_| pace.rest(Duration::from_millis(took), Suspects::None, &mut random));
        rests.max().unwrap_or_default()
    };
    let (waits, unhurried) = (Pace::within(Some(Duration::from_secs(6))), Pace::within(None));
    assert!(most(waits, 400) <= Duration::from_millis(1_050));
    assert!(most(unhurried, 400) > Duration::from_secs(10));
    // What costs little comes as often as ever.
    assert!(most(waits, 5) > Duration::from_millis(600) && most(unhurried, 5) > Duration::from_millis(600));
}

#[test]
fn looks_fall_out_of_step_with_a_program_that_does_something_twice_a_second() {
    let (pace, mut random) = (Pace::default(), StdRng::seed_from_u64(7));
    // It holds a lock for a quarter of each half second, and was looked at just then.
    let holds = |at: Duration| at.as_millis() % 500 < 125;
    let mut longest = 0;
    let (mut at, mut in_a_row) = (Duration::ZERO, 0);
    for _ in 0..2_000 {
        in_a_row = if holds(at) { in_a_row + 1 } else { 0 };
        longest = longest.max(in_a_row);
        let took = Duration::from_millis(5);
        at += took + pace.rest(took, Suspects::None, &mut random);
    }
    assert!(
        longest <= 8,
        "seen to hold in {longest} looks one after another, which would be for {longest} half seconds"
    );
}

#[test]
fn what_is_held_and_waited_for_is_looked_at_sooner_a_few_times() {
    let mut watched = Watched::default();
    assert_eq!(watched.see(&look(0)), Suspects::None);
    let held = memory::Look { things: vec![held_thing(0x100)], ..look(500) };
    let seen: Vec<Suspects> = (0..14).map(|_| watched.see(&held)).collect();
    assert_eq!(seen[..8], [Suspects::New; 8]);
    assert_eq!(seen[8..12], [Suspects::Fresh; 4]);
    assert_eq!(seen[12..], [Suspects::None; 2]);
    let another = memory::Look { things: vec![held_thing(0x100), held_thing(0x200)], ..look(500) };
    assert_eq!(watched.see(&another), Suspects::New);
}

fn held_thing(at: u64) -> memory::Thing {
    let holder = |number| memory::Holder {
        who: memory::Who::Task(number),
        what: memory::ClaimKind::Permits(1),
        basis: memory::Basis::Proven,
        place: None,
        local: "guard".into(),
    };
    memory::Thing {
        at,
        kind: memory::ThingKind::Mutex,
        ty: "Mutex<Conn>".into(),
        names: vec!["conn of orders::slow".into()],
        of: None,
        free: Some(0),
        total: Some(1),
        held: Some(1),
        channel: None,
        holders: vec![holder(3)],
        unseen: 0,
        perhaps: Vec::new(),
        doubt: "".into(),
        queue: vec![memory::Waiter { who: memory::Who::Task(4), wanted: 1, missing: 1 }],
        steady: true,
    }
}

#[test]
fn what_several_looks_tell_is_one_update() {
    let part = |untold| {
        let told = memory::Look { changed: vec![task(1)], untold, ..look(500) };
        let page = super::convert::Converter::new(Duration::ZERO, &told).pages(&told).pop().expect("a page");
        (page.part, page.task_looks.len(), page.look.is_some())
    };
    assert_eq!([part(7), part(0)], [(Part::More, 1, false), (Part::Last, 1, true)]);
}

#[test]
fn a_lock_keeps_its_address_its_holders_and_how_they_are_known() {
    use crate::update::look::ThingId;
    let thing = held_thing(0x100);
    let told = super::convert::Converter::new(Duration::from_secs(1_000), &look(0));
    let page = told.pages(&memory::Look { things: vec![thing], ..look(500) }).pop().expect("a page");
    let whole = page.look.expect("a whole");
    assert_eq!(whole.things[0].id, ThingId(ResourceId(0x100).0));
    assert_eq!(whole.things[0].holders[0].certainty, Certainty::Proven);
    assert_eq!(page.now.map(Stamp::nanos), Some(1_000_500_000_000));
}

#[tokio::test]
async fn what_frames_hold_is_told_to_whoever_asks_and_to_nobody_else() {
    let whole =
        || memory::Look { process: memory::Process { state: memory::ProcessState::Core, ..look(1).process }, ..many() };
    let mut link = open(move || Ok(Told(vec![whole()])), SOON, Clock::default());
    let mut unasked = Vec::new();
    loop {
        let event = link.events.recv().await.expect("an event");
        let is_last = matches!(&event, Event::Update(update) if update.part == Part::Last);
        unasked.push(event);
        if is_last {
            break;
        }
    }
    assert!(!format!("{unasked:?}").contains(SECRET));
    let task = NonZeroU64::new(3).expect("a number");
    link.commands.send(Command::ReadValues(Who::Task(task))).await.expect("a link");
    let Some(Event::Values(told)) = link.events.recv().await else { panic!("no values") };
    assert_eq!((told.of, &*told.frames[0].variables[0].value), (Who::Task(task), SECRET));
    let mut session =
        crate::session::Session::new(&crate::diagnose::Settings::default(), crate::model::Retention::default());
    for event in unasked {
        session.apply(event);
    }
    session.apply(Event::Values(told));
    assert!(format!("{:?}", session.status().values).contains(SECRET));
    // The model has none of it, and what is told of it has none.
    assert!(!format!("{:?}", session.model().memory()).contains(SECRET));
    session.forget_values();
    assert_eq!(session.status().values, None);
}
