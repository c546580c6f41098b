//! What the model says that it takes, beside what the allocator gave it.

use holdup::{
    app::{App, Input, Options, Screen},
    model::{Model, Retention},
    source::Event,
    update::{
        Attribute, Begin, Field, FieldName, NewOp, NewResource, NewTask, OpId, OpStats, PollStats, ResourceId,
        ResourceStats, SourcePlace, Stamp, TaskId, TaskStats, Update, Value,
    },
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The estimate and what was allocated differ by less than this, either way.
const FACTOR: f64 = 1.5;

const TASKS: u64 = 50_000;

struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator is unsafe to implement; this one hands everything on to the system's")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What is allocated is counted for the process as a whole: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn at(second: u64) -> Stamp {
    Stamp::from_nanos((1_000_000 + second) * 1_000_000_000)
}

fn text(name: &str, value: String) -> Field {
    Field { name: FieldName::Text(name.into()), value: Value::Text(value) }
}

fn task(id: u64, fields: Vec<Field>) -> NewTask {
    let place = SourcePlace { file: "src/worker.rs".into(), line: (id % 8) as u32 + 1, column: 5 };
    NewTask::from_fields(TaskId(id), None, fields, Some(place))
}

fn stats(polls: u64, busy: Duration) -> TaskStats {
    let polls = PollStats { count: polls, last_started: Some(at(0)), last_ended: Some(at(0).plus(busy)), busy };
    TaskStats { created: Some(at(0)), polls, waker_clones: 1, ..TaskStats::default() }
}

fn reports(polls: u64, busy: Duration) -> Vec<(TaskId, TaskStats)> {
    (1..=TASKS).map(|id| (TaskId(id), stats(polls, busy))).collect()
}

fn tasks(fields: impl Fn(u64) -> Vec<Field>) -> Update {
    let new_tasks = (1..=TASKS).map(|id| task(id, fields(id))).collect();
    Update { now: Some(at(1)), new_tasks, task_stats: reports(1, Duration::from_micros(30)), ..Update::default() }
}

fn shared_names(id: u64) -> Vec<Field> {
    vec![text("task.name", format!("worker-{}", id % 100)), text("kind", "task".into())]
}

fn of_their_own(id: u64) -> Vec<Field> {
    vec![text("task.name", format!("connection from 10.0.0.{id}")), text("peer", format!("10.0.0.{id}:51234"))]
}

/// A mutex for each hundred tasks, and every task waits for one.
fn queues() -> Update {
    let attribute =
        |name: &str, value| Attribute { field: Field { name: FieldName::Text(name.into()), value }, unit: None };
    let lock = |id| NewResource {
        id: ResourceId(id),
        metadata: None,
        parent: None,
        kind: "Sync".into(),
        concrete_type: "Mutex".into(),
        target: String::new(),
        place: None,
        internal: false,
    };
    let locked = || ResourceStats {
        created: Some(at(0)),
        dropped: None,
        attributes: vec![attribute("locked", Value::Bool(true))],
        permits: None,
    };
    let op = |id: u64| NewOp {
        id: OpId(id),
        parent: None,
        resource: Some(ResourceId(id % (TASKS / 100))),
        source: "Mutex::lock".into(),
    };
    let waits = |id| OpStats {
        created: Some(at(0)),
        task: Some(TaskId(id)),
        polls: PollStats { count: 2, last_ended: Some(at(0)), ..PollStats::default() },
        attributes: vec![attribute("permits_requested", Value::U64(1)), attribute("permits_obtained", Value::U64(0))],
        ..OpStats::default()
    };
    Update {
        new_resources: (0..TASKS / 100).map(lock).collect(),
        resource_stats: (0..TASKS / 100).map(|id| (ResourceId(id), locked())).collect(),
        new_ops: (1..=TASKS).map(op).collect(),
        op_stats: (1..=TASKS).map(|id| (OpId(id), waits(id))).collect(),
        ..tasks(shared_names)
    }
}

/// Updates, each made when it is needed: none is held while the allocator's account is read.
type Updates = &'static [fn() -> Update];

fn in_groups() -> Update {
    tasks(shared_names)
}

fn apart() -> Update {
    tasks(of_their_own)
}

fn again() -> Update {
    Update { now: Some(at(2)), task_stats: reports(2, Duration::from_micros(60)), ..Update::default() }
}

fn long_polls() -> Update {
    Update { now: Some(at(2)), task_stats: reports(2, Duration::from_millis(60)), ..Update::default() }
}

#[test]
fn the_estimate_is_near_what_the_allocator_gave() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let cases: [(&str, Updates); 5] = [
        ("tasks", &[in_groups]),
        ("tasks with names and fields of their own", &[apart]),
        ("tasks that were polled of late", &[in_groups, again]),
        ("tasks with long polls", &[in_groups, long_polls]),
        ("tasks that queue for locks", &[queues]),
    ];
    for (case, updates) in cases {
        let before = ALLOCATED.load(Relaxed);
        let mut model = Model::new(Retention { max_bytes: usize::MAX, ..Retention::default() });
        for update in updates {
            model.apply(update());
        }
        let (taken, said) = (ALLOCATED.load(Relaxed) - before, model.bytes());
        let factor = said as f64 / taken as f64;
        println!("{case}: says {} KiB, takes {} KiB, factor {factor:.2}", said >> 10, taken >> 10);
        assert!((1.0 / FACTOR..FACTOR).contains(&factor), "{case}: says {said}, takes {taken}, factor {factor:.2}");
    }
}

#[test]
fn the_list_of_the_tasks_counts_as_well() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = ALLOCATED.load(Relaxed);
    let now = Instant::now();
    let mut app = App::new("127.0.0.1:6669", Options { start: Screen::Tasks, ..Options::default() });
    let session = Begin::console(1);
    app.update(Input::Link(Box::new(Event::Begin(Box::new(session)))), now);
    for update in [in_groups(), again()] {
        app.update(Input::Link(Box::new(Event::Update(Box::new(update)))), now);
        app.prepare(now);
    }
    let (taken, said) = (ALLOCATED.load(Relaxed) - before, app.session().model().bytes());
    let factor = said as f64 / taken as f64;
    println!("says {} KiB, takes {} KiB, factor {factor:.2}", said >> 10, taken >> 10);
    assert!((1.0 / FACTOR..FACTOR).contains(&factor), "says {said}, takes {taken}, factor {factor:.2}");
}

#[test]
fn a_bound_is_kept_by_what_the_allocator_gave_as_well() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let bound = 16 << 20;
    let before = ALLOCATED.load(Relaxed);
    let mut model = Model::new(Retention { keep: None, max_bytes: bound, ..Retention::default() });
    for round in 0..12 {
        let ended = |(id, stats): (TaskId, TaskStats)| (id, TaskStats { dropped: Some(at(round)), ..stats });
        let first = round * TASKS;
        let renumbered = |id: TaskId| TaskId(id.0 + first);
        let mut update = Update { now: Some(at(round)), ..apart() };
        update.new_tasks.iter_mut().for_each(|task| task.id = renumbered(task.id));
        update.task_stats =
            update.task_stats.into_iter().map(|(id, stats)| ended((renumbered(id), stats))).collect::<Vec<_>>();
        // In pages, as they come over the wire.
        let mut stats = update.task_stats.into_iter();
        while !update.new_tasks.is_empty() {
            let rest = update.new_tasks.split_off(update.new_tasks.len().min(4_096));
            let new_tasks = std::mem::replace(&mut update.new_tasks, rest);
            let task_stats = stats.by_ref().take(new_tasks.len()).collect();
            model.apply(Update { now: update.now, new_tasks, task_stats, ..Update::default() });
        }
    }
    let taken = ALLOCATED.load(Relaxed) - before;
    assert_eq!(model.evicted().new_tasks, 0, "what was new always found room");
    assert!(model.evicted().finished_tasks > 0 && model.tasks().get(TaskId(12 * TASKS)).is_some());
    assert!(model.bytes() <= bound, "{} by its own estimate", model.bytes());
    assert!((taken as f64) < bound as f64 * FACTOR, "{taken} by the allocator's account");
}
