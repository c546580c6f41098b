//! What the wait graph costs: 100,000 tasks that memory tells of, of which one percent change with each look, and so many of them in
//! queues. The same without any queue is what it stands against.
//!
//! `cargo bench --bench graph`

use divan::{Bencher, counter::ItemsCount};
use holdup::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    update::{
        Begin, Connection, Event, Place, Process, Stamp, Update,
        look::{
            Certainty, Chain, Claim, ClaimKind, Fate, Frame, FrameKind, Grade, Holder, Home, Queued, Reach, State,
            TaskKey, TaskLook, Thing, ThingId, ThingKind, Wait, WaitOn, Waiter, Who, Whole,
        },
    },
};
use std::{num::NonZeroU64, sync::Arc};

fn main() {
    divan::main();
}

const TASKS: u64 = 100_000;
/// So many stand in queues.
const WAITING: u64 = 10_000;
const LOCKS: u64 = 1 << 32;

/// How those that wait stand.
#[derive(Debug, Clone, Copy)]
enum Queues {
    /// None waits for a lock.
    None,
    /// All in one queue.
    One,
    /// Ten in each.
    OfTen,
    /// Each has a lock and waits for the next one's, all around.
    Circle,
}

impl Queues {
    const ALL: [Self; 4] = [Self::None, Self::One, Self::OfTen, Self::Circle];

    /// How many locks there are, and how many wait for each.
    fn shape(self) -> (u64, u64) {
        match self {
            Self::None => (0, 0),
            Self::One => (1, WAITING),
            Self::OfTen => (WAITING / 10, 10),
            Self::Circle => (WAITING, 1),
        }
    }

    /// The lock that a task waits for.
    fn awaited(self, task: u64) -> Option<u64> {
        let (locks, each) = self.shape();
        (task <= locks * each).then(|| LOCKS + (task - 1) / each.max(1))
    }

    /// The task that has a lock. Those that have one and wait for none are the last.
    fn holder(self, lock: u64) -> u64 {
        let number = lock - LOCKS;
        match self {
            Self::Circle => (number + 1) % WAITING + 1,
            _ => TASKS - number,
        }
    }
}

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).expect("tasks count from 1")
}

fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
}

fn look(task: u64, queues: Queues, round: u64) -> TaskLook {
    let on = match queues.awaited(task) {
        Some(lock) => WaitOn::Permits { of: ThingId(lock), wanted: 1, missing: 1 },
        None => WaitOn::Timer(at(3_600_000 + round)),
    };
    let (locks, _) = queues.shape();
    let held = (LOCKS..LOCKS + locks).filter(|lock| queues.holder(*lock) == task);
    let claim = |lock| Claim { frame: 0, of: ThingId(lock), what: ClaimKind::Permits(1), local: "guard".into() };
    TaskLook {
        state: State::Idle,
        queued: Queued::Unknown,
        future: "app::handle".into(),
        place: None,
        local: false,
        home: Home::Unknown,
        size: 512,
        references: 2,
        fate: Fate::default(),
        chain: Some(0),
        unread: "".into(),
        waits: [Wait { frame: 1, on, certainty: Certainty::Proven }].into(),
        claims: held.map(claim).collect(),
    }
}

fn things(queues: Queues) -> Vec<Thing> {
    let (locks, each) = queues.shape();
    let waiter = |task| Waiter { who: Who::Task(number(task)), wanted: 1, missing: 1 };
    let thing = |lock: u64| Thing {
        id: ThingId(lock),
        kind: ThingKind::Mutex,
        ty: "Mutex<State>".into(),
        names: vec!["state of app::handle".into()],
        of: None,
        free: Some(0),
        total: Some(1),
        held: Some(1),
        channel: None,
        holders: vec![Holder {
            who: Who::Task(number(queues.holder(lock))),
            what: ClaimKind::Permits(1),
            certainty: Certainty::Proven,
            place: Place::default(),
            local: "guard".into(),
        }],
        unseen: 0,
        perhaps: Vec::new(),
        doubt: "".into(),
        queue: ((lock - LOCKS) * each + 1..).take(each as usize).map(waiter).collect(),
        steady: true,
    };
    (LOCKS..LOCKS + locks).map(thing).collect()
}

fn update(queues: Queues, round: u64, tasks: impl Iterator<Item = u64>) -> Event {
    let whole = Whole { things: things(queues), ..Whole::default() };
    let looks = tasks.map(|task| (TaskKey::Number(number(task)), Arc::new(look(task, queues, round)))).collect();
    let update =
        Update { now: Some(at(round * 500)), look: Some(Box::new(whole)), task_looks: looks, ..Update::default() };
    Event::Update(Box::new(update))
}

/// After some looks at the same.
fn settled(queues: Queues) -> Session {
    let mut session = Session::new(&Settings::default(), Retention::default());
    session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
    session.apply(Event::Connection(Connection::Live));
    let frame = |depth: u16, name: &str, kind| {
        let place = Place { file: "src/app.rs".into(), line: 7, column: 0 };
        Frame { depth, name: name.into(), kind, reach: Reach::Polled, place }
    };
    let frames = vec![frame(0, "app::handle", FrameKind::Async), frame(1, "Acquire", FrameKind::Leaf)];
    for round in 0..6 {
        let mut event = update(queues, round, (1..=TASKS).filter(|_| round == 0));
        if let (0, Event::Update(update)) = (round, &mut event) {
            update.chains = vec![Arc::new(Chain { frames: frames.clone() })];
        }
        session.apply(event);
    }
    session
}

/// A look after which one percent of the tasks have another deadline.
#[divan::bench(args = Queues::ALL, sample_count = 20, sample_size = 1)]
fn a_look(bencher: Bencher, queues: Queues) {
    let mut session = settled(queues);
    let mut round = 6;
    bencher
        .counter(ItemsCount::new(TASKS / 100))
        .with_inputs(|| {
            round += 1;
            // Neither one that waits for a lock, nor one that has it.
            update(queues, round, WAITING + 1..=WAITING + TASKS / 100)
        })
        .bench_local_values(|event| session.apply(event));
}
