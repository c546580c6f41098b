//! The pages about one task, lock or resource, and the lists of locks and resources, as they are drawn. Services are played by
//! hand, and time stands where the test puts it.

mod support;

use holdup::{
    app::{
        Charset, LastFrame, LockDetail, LockRow, LockUserRow, OpRow, Palette, ResourceDetail, ResourceRow, RowList,
        Scroll, StackForm, TaskDetail, lock_rows, lock_users, op_rows, resource_rows,
    },
    diagnose::Settings,
    model::Retention,
    session::Session,
    source::{Connection, Event},
    update::{
        Access, Across, Begin, Histogram, Holder, LockStats, ResourceId, Span, Stack, Stall, Stamp, TaskDetails,
        TaskFacts, TaskId, TaskWakers, Thread, Update, Value, Waking, WokenBy,
    },
    view::{Theme, locks, resources, tasks},
};
use insta::assert_snapshot;
use ratatui::{buffer::Buffer, layout::Rect};
use std::{sync::Arc, time::Duration};
use support::{
    agent, screen,
    service::{Service, Take},
};

/// What is left of 80×24 and 120×40 below the header and the tabs, and above the footer.
const SMALL: (u16, u16) = (80, 21);
const LARGE: (u16, u16) = (120, 37);

const PLAIN: (Palette, Charset) = (Palette::Off, Charset::Unicode);
const ASCII: (Palette, Charset) = (Palette::Off, Charset::Ascii);
const COLOURS: (Palette, Charset) = (Palette::Sixteen, Charset::Unicode);

/// A service that is watched.
struct Scene {
    service: Service,
    session: Session,
}

impl Scene {
    fn new() -> Self {
        Self { service: Service::new(), session: Session::new(&Settings::default(), Retention::default()) }
    }

    /// Attaches to the service as it is.
    fn attach(&mut self) -> &mut Self {
        let session = Begin::console(1);
        self.session.apply(Event::Begin(Box::new(session)));
        self.session.apply(Event::Connection(Connection::Live));
        self.session.apply(Event::Update(Box::new(self.service.greet())));
        self
    }

    /// Updates, a second apart.
    fn seconds(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.service.pass(1_000);
            self.session.apply(Event::Update(Box::new(self.service.publish())));
        }
        self
    }

    fn now(&self) -> Stamp {
        self.service.now()
    }

    fn task_page(&self, id: TaskId, detail: Option<&TaskDetail>, size: (u16, u16), look: (Palette, Charset)) -> Buffer {
        draw(size, look, |buffer, area, theme, shown| {
            tasks::page::render(
                buffer,
                area,
                (id, detail, StackForm::Folded),
                self.now(),
                Scroll::default(),
                theme,
                shown,
            );
        })
    }

    fn detail(&self, id: TaskId) -> Option<TaskDetail> {
        TaskDetail::refresh(None, &self.session, id, self.now())
    }

    fn locks(&self, size: (u16, u16), look: (Palette, Charset)) -> Buffer {
        let model = self.session.model();
        let mut list: RowList<LockRow> = RowList::default();
        list.show(lock_rows(model, self.now()), model);
        draw(size, look, |buffer, area, theme, shown| locks::list::render(buffer, area, &list, model, theme, shown))
    }

    fn lock_page(&self, id: ResourceId, size: (u16, u16), look: (Palette, Charset)) -> Buffer {
        let model = self.session.model();
        let detail = LockDetail::of(&self.session, id, self.now());
        let mut users: RowList<LockUserRow> = RowList::default();
        users.show(lock_users(model, id, self.now()), model);
        let subject = locks::page::Subject { id, detail: detail.as_ref(), users: &users };
        draw(size, look, |buffer, area, theme, shown| {
            locks::page::render(buffer, area, &subject, model, self.now(), theme, shown);
        })
    }

    fn resources(&self, size: (u16, u16), look: (Palette, Charset)) -> Buffer {
        let model = self.session.model();
        let mut list: RowList<ResourceRow> = RowList::default();
        list.show(resource_rows(model, self.now()), model);
        draw(size, look, |buffer, area, theme, shown| resources::list::render(buffer, area, &list, model, theme, shown))
    }

    fn resource_page(&self, id: ResourceId, size: (u16, u16), look: (Palette, Charset)) -> Buffer {
        let model = self.session.model();
        let detail = ResourceDetail::of(model, id, self.now());
        let mut ops: RowList<OpRow> = RowList::default();
        ops.show(op_rows(model, id, self.now()), model);
        draw(size, look, |buffer, area, theme, shown| {
            resources::page::render(buffer, area, (id, detail.as_ref()), &ops, model, theme, shown);
        })
    }
}

fn draw(
    (width, height): (u16, u16),
    (palette, charset): (Palette, Charset),
    render: impl FnOnce(&mut Buffer, Rect, &Theme, &mut LastFrame),
) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    render(&mut buffer, area, &Theme::new(palette, charset), &mut LastFrame::default());
    buffer
}

/// A writer sleeps with a mutex that three others wait for, and waits for a table that a reader sleeps with.
struct Convoy {
    scene: Scene,
    writer: TaskId,
    state: ResourceId,
    table: ResourceId,
}

fn convoy(names: [&str; 2]) -> Convoy {
    let mut scene = Scene::new();
    let service = &mut scene.service;
    let fields =
        [("kind", Value::Text("task".into())), ("shard", Value::U64(7)), ("peer", Value::Text("10.0.0.9".into()))];
    let writer = service.spawn_with(names[0], "src/state.rs:40", &fields);
    let reader = service.spawn(names[1], "src/report.rs:12");
    let state = service.mutex("src/state.rs:21");
    let table = service.rwlock("src/table.rs:9");
    service.pass(5).poll(writer, 2).pass(10).wake(writer).poll(writer, 12);
    service.pass(3).start(reader).take(reader, table, Take::Read).pass(1).end(reader);
    // A hand-over: the reader had the state for a while, and the writer waited.
    service.pass(3).wake(reader).start(reader).take(reader, state, Take::Lock).pass(1).end(reader);
    service.pass(3).wake(writer).start(writer).take(writer, state, Take::Lock).pass(1).end(writer);
    service.pass(40).wake(reader).start(reader).release(state, Take::Lock).pass(1).end(reader);
    service.pass(2).start(writer).report_taken(state, Take::Lock).take(writer, table, Take::Write).pass(1).end(writer);
    service.keep_waker(writer).keep_waker(writer).drop_waker(writer).pass(300);
    for at in 0..3 {
        let conn = service.spawn(&format!("conn-{at}"), "src/server.rs:77");
        service.pass(50).start(conn).take(conn, state, Take::Lock).pass(1).end(conn).keep_waker(conn);
    }
    scene.attach().seconds(3);
    Convoy { scene, writer, state, table }
}

/// Two tasks that wait for each other's mutexes.
fn deadlock() -> (Scene, ResourceId) {
    let mut scene = Scene::new();
    let service = &mut scene.service;
    let tasks = ["left", "right"].map(|name| service.spawn(name, "src/pair.rs:5"));
    let locks = ["src/pair.rs:1", "src/pair.rs:2"].map(|place| service.mutex(place));
    for at in 0..2 {
        service.pass(5).start(tasks[at]).take(tasks[at], locks[at], Take::Lock).pass(1).end(tasks[at]);
    }
    for at in 0..2 {
        let other = locks[1 - at];
        service.pass(5).wake(tasks[at]).start(tasks[at]).take(tasks[at], other, Take::Lock).pass(1).end(tasks[at]);
        service.keep_waker(tasks[at]);
    }
    scene.attach().seconds(5);
    (scene, locks[0])
}

fn details(task: TaskId) -> Event {
    let poll_times = Histogram {
        buckets: vec![(1_200, 40), (9_700, 310), (52_000, 77), (1_300_000, 12), (12_500_000, 3)],
        outliers: 2,
        largest_outlier: Some(3_420_000_000),
    };
    let scheduled_times = Histogram { buckets: vec![(800, 12), (31_000, 420)], outliers: 0, largest_outlier: None };
    Event::Details(Box::new(TaskDetails {
        task,
        now: None,
        poll_times: Some(poll_times),
        scheduled_times: Some(scheduled_times),
    }))
}

#[test]
fn a_task_page() {
    let Convoy { mut scene, writer, .. } = convoy(["writer", "reporter"]);
    let page = |scene: &Scene, size, look| scene.task_page(writer, scene.detail(writer).as_ref(), size, look);
    assert_snapshot!("task_awaits_details_80", screen::text(&page(&scene, SMALL, PLAIN)));
    scene.session.apply(details(writer));
    assert_snapshot!("task_80", screen::text(&page(&scene, SMALL, PLAIN)));
    assert_snapshot!("task_120", screen::text(&page(&scene, LARGE, PLAIN)));
    assert_snapshot!("task_ascii_120", screen::text(&page(&scene, LARGE, ASCII)));
    assert_snapshot!("task_narrow", screen::text(&page(&scene, (60, 45), PLAIN)));
    assert_snapshot!("task_styles_80", screen::styles(&page(&scene, SMALL, COLOURS)));
    let reason = "the target does not know this task".to_owned();
    scene.session.forget_details();
    scene.session.apply(Event::DetailsUnavailable { task: writer, reason });
    assert_snapshot!("task_without_details_80", screen::text(&page(&scene, SMALL, PLAIN)));
}

#[test]
fn a_task_page_scrolls_to_its_end_and_no_further() {
    let Convoy { mut scene, writer, .. } = convoy(["writer", "reporter"]);
    scene.session.apply(details(writer));
    let detail = scene.detail(writer);
    let mut shown = LastFrame::default();
    let area = Rect::new(0, 0, 60, 12);
    let mut buffer = Buffer::empty(area);
    let theme = Theme::new(Palette::Off, Charset::Unicode);
    tasks::page::render(
        &mut buffer,
        area,
        (writer, detail.as_ref(), StackForm::Folded),
        scene.now(),
        Scroll(9_999),
        &theme,
        &mut shown,
    );
    assert!(shown.scroll_most > 10);
    assert_snapshot!("task_scrolled_to_the_end", screen::text(&buffer));
}

#[test]
fn a_task_that_is_over_and_one_that_was_let_go_of() {
    let mut scene = Scene::new();
    let task = scene.service.spawn("short", "src/main.rs:7");
    scene.service.pass(20).poll(task, 5).pass(100);
    scene.attach().seconds(1);
    scene.service.finish(task);
    scene.seconds(2);
    let over = scene.detail(task);
    assert_snapshot!("task_ended_80", screen::text(&scene.task_page(task, over.as_ref(), SMALL, PLAIN)));
    scene.seconds(10);
    let let_go = TaskDetail::refresh(over, &scene.session, task, scene.now());
    assert_snapshot!("task_let_go_80", screen::text(&scene.task_page(task, let_go.as_ref(), SMALL, PLAIN)));
    assert_snapshot!("task_not_known_80", screen::text(&scene.task_page(task, None, SMALL, PLAIN)));
}

#[test]
fn a_task_that_was_never_announced() {
    let mut scene = Scene::new();
    let task = scene.service.spawn("hidden", "src/main.rs:7");
    scene.service.pass(20).poll(task, 5);
    let mut update = scene.service.greet();
    update.new_tasks.clear();
    scene.session.apply(Event::Update(Box::new(update)));
    let detail = scene.detail(task);
    assert_snapshot!("task_unannounced_80", screen::text(&scene.task_page(task, detail.as_ref(), SMALL, PLAIN)));
}

#[test]
fn names_that_are_long_or_not_ascii_or_hostile() {
    let long = "request-".repeat(10_000);
    for (name, [first, second]) in [
        ("long", [long.as_str(), long.as_str()]),
        ("not_ascii", ["監視タスク-größe-naïve-e\u{301}", "отчёт"]),
        ("hostile", ["\x1b[2J\x1b]0;gone\x07", "a\u{202e}b\nc\u{200b}d\te"]),
    ] {
        let Convoy { scene, writer, state, table } = convoy([first, second]);
        let detail = scene.detail(writer);
        assert_snapshot!(
            format!("task_{name}_80"),
            screen::text(&scene.task_page(writer, detail.as_ref(), SMALL, PLAIN))
        );
        assert_snapshot!(format!("locks_{name}_80"), screen::text(&scene.locks(SMALL, PLAIN)));
        assert_snapshot!(format!("lock_{name}_120"), screen::text(&scene.lock_page(state, LARGE, PLAIN)));
        assert_snapshot!(format!("resource_{name}_80"), screen::text(&scene.resource_page(table, SMALL, PLAIN)));
        let ascii = screen::text(&scene.lock_page(state, LARGE, ASCII));
        assert!(ascii.is_ascii(), "{ascii}");
    }
}

#[test]
fn the_locks() {
    let Convoy { mut scene, .. } = convoy(["writer", "reporter"]);
    let hidden = scene.service.mutex("src/hidden.rs:3");
    scene.service.try_take(hidden, Take::Lock);
    scene.service.mutex("src/quiet.rs:4");
    let dropped = scene.service.mutex("src/short.rs:5");
    scene.seconds(1);
    scene.service.drop_resource(dropped);
    scene.seconds(2);
    assert_snapshot!("locks_80", screen::text(&scene.locks(SMALL, PLAIN)));
    assert_snapshot!("locks_120", screen::text(&scene.locks(LARGE, PLAIN)));
    assert_snapshot!("locks_ascii_80", screen::text(&scene.locks(SMALL, ASCII)));
    assert_snapshot!("locks_styles_80", screen::styles(&scene.locks(SMALL, COLOURS)));
    assert_snapshot!("locks_none_80", screen::text(&Scene::new().locks(SMALL, PLAIN)));
}

#[test]
fn a_lock_page() {
    let Convoy { scene, state, table, .. } = convoy(["writer", "reporter"]);
    assert_snapshot!("lock_80", screen::text(&scene.lock_page(state, SMALL, PLAIN)));
    assert_snapshot!("lock_120", screen::text(&scene.lock_page(state, LARGE, PLAIN)));
    assert_snapshot!("lock_ascii_120", screen::text(&scene.lock_page(state, LARGE, ASCII)));
    assert_snapshot!("lock_styles_80", screen::styles(&scene.lock_page(state, SMALL, COLOURS)));
    assert_snapshot!("lock_read_80", screen::text(&scene.lock_page(table, SMALL, PLAIN)));
    assert_snapshot!("lock_not_known_80", screen::text(&scene.lock_page(ResourceId(999), SMALL, PLAIN)));
}

#[test]
fn a_lock_in_a_deadlock() {
    let (scene, lock) = deadlock();
    assert_snapshot!("lock_deadlock_80", screen::text(&scene.lock_page(lock, SMALL, PLAIN)));
    assert_snapshot!("lock_deadlock_120", screen::text(&scene.lock_page(lock, LARGE, PLAIN)));
}

/// A lock as an agent tells it.
fn told_alone(place: &str, told: impl FnOnce(&mut Service, ResourceId) -> LockStats) -> (Scene, ResourceId) {
    let mut scene = Scene::new();
    let lock = scene.service.mutex(place);
    let told = told(&mut scene.service, lock);
    scene.session.apply(Event::Begin(Box::new(Begin::agent(1, agent::process()))));
    scene.session.apply(Event::Connection(Connection::Live));
    scene.session.apply(Event::Update(Box::new(scene.service.greet())));
    let now = scene.now();
    scene.session.apply(Event::Update(Box::new(Update { locks: vec![told], ..agent::report(now) })));
    scene.seconds(2);
    (scene, lock)
}

#[test]
fn a_lock_whose_guard_has_outlived_its_task() {
    let (mut scene, lock) = told_alone("src/cache.rs:7", |service, lock| {
        let [loads, waits] = ["loads", "waits"].map(|name| service.spawn(name, "src/main.rs:3"));
        let since = service.pass(5).poll(loads, 1).poll(waits, 1).keep_waker(waits).now();
        service.pass(400).finish(loads);
        let frames = vec![agent::frame("cache::load", "src/cache.rs", 40)];
        let taken = Some(Arc::new(Stack { frames, ..Stack::default() }));
        let holder = Holder { acquired_at: taken, ..agent::holder(loads, since) };
        agent::lock(lock, vec![holder], vec![agent::waiting(7, waits, since)])
    });
    // Its row is let go of, and it is told who it was all the same.
    scene.seconds(10);
    assert_snapshot!("lock_outlived_80", screen::text(&scene.lock_page(lock, SMALL, PLAIN)));
}

#[test]
fn a_lock_that_was_held_before_the_agent_began() {
    let (scene, lock) = told_alone("src/cache.rs:7", |service, lock| {
        let waits = service.spawn("waits", "src/main.rs:3");
        service.pass(5).poll(waits, 1).keep_waker(waits);
        let waiting = vec![agent::waiting(7, waits, service.now())];
        LockStats { unknown_holders: 1, ..agent::lock(lock, vec![], waiting) }
    });
    let page = screen::text(&scene.lock_page(lock, SMALL, PLAIN));
    assert!(!page.contains("thread"), "it is not taken for a thread that runs no task: {page}");
    assert_snapshot!("lock_before_the_agent_80", page);
}

#[test]
fn a_lock_whose_holder_nobody_can_tell() {
    let mut scene = Scene::new();
    let lock = scene.service.mutex("src/hidden.rs:3");
    scene.service.try_take(lock, Take::Lock);
    let waiter = scene.service.spawn("waiter", "src/main.rs:3");
    scene.service.pass(5).start(waiter).take(waiter, lock, Take::Lock).pass(1).end(waiter);
    scene.attach().seconds(2);
    assert_snapshot!("lock_try_lock_80", screen::text(&scene.lock_page(lock, SMALL, PLAIN)));
}

#[test]
fn the_resources() {
    let Convoy { scene, table, .. } = convoy(["writer", "reporter"]);
    assert_snapshot!("resources_80", screen::text(&scene.resources(SMALL, PLAIN)));
    assert_snapshot!("resources_120", screen::text(&scene.resources(LARGE, PLAIN)));
    assert_snapshot!("resources_styles_80", screen::styles(&scene.resources(SMALL, COLOURS)));
    assert_snapshot!("resources_none_80", screen::text(&Scene::new().resources(SMALL, PLAIN)));
    assert_snapshot!("resource_80", screen::text(&scene.resource_page(table, SMALL, PLAIN)));
    assert_snapshot!("resource_120", screen::text(&scene.resource_page(table, LARGE, PLAIN)));
    assert_snapshot!("resource_ascii_80", screen::text(&scene.resource_page(table, SMALL, ASCII)));
    assert_snapshot!("resource_not_known_80", screen::text(&scene.resource_page(ResourceId(999), SMALL, PLAIN)));
}

/// A service with an agent: two readers and a thread hold a table, a writer waits, and the first reader stalled a worker before.
fn told() -> (Scene, TaskId, ResourceId) {
    let mut scene = Scene::new();
    let service = &mut scene.service;
    let table = service.rwlock("src/table.rs:9");
    let [reader, other, writer] = ["reader", "other", "writer"].map(|name| service.spawn(name, "src/server.rs:77"));
    service.pass(5).start(reader);
    let stalled = service.now();
    service.pass(402).end(reader).keep_waker(reader);
    let free = service.now();
    for task in [other, writer] {
        service.pass(5).poll(task, 1).keep_waker(task);
    }
    let session = Begin::agent(1, agent::process());
    scene.session.apply(Event::Begin(Box::new(session)));
    scene.session.apply(Event::Connection(Connection::Live));
    scene.session.apply(Event::Update(Box::new(scene.service.greet())));
    let since = scene.now();
    let stack = |line| {
        let frames = vec![agent::frame("echo_demo::table::scan", "src/table.rs", line)];
        Some(Arc::new(Stack { frames, ..Stack::default() }))
    };
    let shared = |holder| Holder { access: Access::Shared, ..holder };
    let first = Holder { acquired_at: stack(40), suspended_at: stack(44), ..shared(agent::holder(reader, since)) };
    let thread = Some(Thread { tid: 9, name: "main".into() });
    let in_poll = |holder| Holder { across: Across::SamePoll, ..shared(holder) };
    let outside = Holder { task: None, thread, ..in_poll(agent::holder(reader, since)) };
    let lock = LockStats {
        more_waiters: 3,
        across_count: 14,
        across_longest: Duration::from_millis(1_203),
        hold_times: vec![0, 0, 12, 40, 77, 310, 95, 31, 8, 2, 1],
        longest_hold: Duration::from_micros(900),
        ..agent::lock(
            table,
            vec![first, in_poll(agent::holder(other, since)), outside],
            vec![agent::waiting(7, writer, since)],
        )
    };
    let span = |name: &str| Span { name: name.into(), fields: vec![("peer".into(), "10.0.0.1".into())] };
    let stall = Stall { ended: Some(free), ..agent::stall(1, Some(0), reader, stalled) };
    scene.seconds(2);
    let woken = Waking { by: WokenBy::Task(writer), count: 120, last: Some(since) };
    let report = Update {
        runtimes: Some(vec![agent::runtime(1, "main", 4)]),
        workers: Some(vec![agent::worker(0, Duration::from_secs(1))]),
        locks: vec![lock],
        stalls: vec![stall],
        task_spans: vec![(reader, vec![span("request"), span("scan")])],
        task_wakers: vec![(reader, TaskWakers { since: Some(since), wakers: vec![woken], others: 0 })],
        task_facts: vec![(reader, TaskFacts { parent: Some(writer), runtime: Some(agent::MAIN) })],
        ..agent::report(scene.now())
    };
    scene.session.apply(Event::Update(Box::new(report)));
    scene.seconds(1);
    (scene, reader, table)
}

#[test]
fn pages_of_what_an_agent_tells() {
    let (scene, reader, table) = told();
    for (name, size) in [("80", SMALL), ("120", LARGE)] {
        let detail = scene.detail(reader);
        let page = screen::text(&scene.task_page(reader, detail.as_ref(), size, PLAIN));
        assert_snapshot!(format!("task_told_{name}"), page);
        assert_snapshot!(format!("lock_told_{name}"), screen::text(&scene.lock_page(table, size, PLAIN)));
    }
    assert_snapshot!("locks_told_120", screen::text(&scene.locks(LARGE, PLAIN)));
    let ascii = screen::text(&scene.lock_page(table, LARGE, ASCII));
    assert!(ascii.is_ascii() && ascii.contains("exact") && !ascii.contains("inferred"), "{ascii}");
}

#[test]
fn nothing_panics_in_any_size() {
    let Convoy { mut scene, writer, state, table } = convoy(["監視タスク", "reporter"]);
    scene.session.apply(details(writer));
    let detail = scene.detail(writer);
    for width in 0..100 {
        for height in [0, 1, 2, 3, 5, 8, 12, 20, 40] {
            for look in [PLAIN, ASCII] {
                let size = (width, height);
                scene.task_page(writer, detail.as_ref(), size, look);
                scene.locks(size, look);
                scene.lock_page(state, size, look);
                scene.resources(size, look);
                scene.resource_page(table, size, look);
            }
        }
    }
}
