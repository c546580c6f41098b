//! What `Watch` tells by itself: every task, resource and operation, in pages whose order a client can rely on, and the same as the
//! console's service tells of the same process.

use crate::{
    clients::{Clients, block_on, next},
    process::Service,
    wire::Told,
};
use console_api::{
    self as console, field,
    instrument::{PauseRequest, ResumeRequest},
    tasks::task_details::PollTimesHistogram,
};
use hdrhistogram::serialization::Deserializer;
use holdup_proto::v1::{self, Report, Whole};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tonic::Streaming;

/// All that a client of `Watch` was told.
#[derive(Default)]
struct Watched {
    tasks: HashMap<u64, v1::NewTask>,
    task_stats: HashMap<u64, v1::TaskStats>,
    resources: HashMap<u64, v1::NewResource>,
    resource_stats: HashMap<u64, v1::ResourceStats>,
    ops: HashMap<u64, v1::NewOp>,
    op_stats: HashMap<u64, v1::OpStats>,
    locks: HashMap<u64, v1::Lock>,
    gone: u64,
    losses: HashMap<String, u64>,
    longest_page: usize,
}

impl Watched {
    /// Takes in a page, and holds it to what a page may say.
    fn note(&mut self, page: Report) {
        self.longest_page = self.longest_page.max(page.encoded_len());
        assert!(page.now.is_some(), "every page says as of when it is");
        let has_rows = !(page.task_stats.is_empty() && page.resource_stats.is_empty() && page.op_stats.is_empty());
        let speaks_of_rows = !(page.locks.is_empty() && page.spans.is_empty());
        assert!(!(has_rows && speaks_of_rows), "what speaks of a row comes on a later page");
        let whole: BTreeSet<i32> = page.wholes.iter().copied().collect();
        let all = [Whole::Runtimes, Whole::Workers, Whole::Losses].map(i32::from);
        assert_eq!(whole, if page.more { BTreeSet::new() } else { all.into() }, "wholes are on the last page");
        assert!(page.new_tasks.len() <= 500 && page.new_resources.len() <= 500 && page.new_ops.len() <= 500);
        for wakers in &page.task_wakers {
            assert!(self.tasks.contains_key(&wakers.task_id), "wakers are of tasks that earlier pages announced");
            assert!(wakers.wakers.len() <= 4);
        }
        for facts in &page.tasks {
            assert!(self.tasks.contains_key(&facts.task_id), "facts are of tasks that earlier pages announced");
        }
        for task in page.new_tasks {
            assert!(!self.tasks.contains_key(&task.id), "{} is new twice", task.id);
            self.tasks.insert(task.id, task);
        }
        for stats in page.task_stats {
            assert!(self.tasks.contains_key(&stats.id), "a task is announced before it is told of");
            self.task_stats.insert(stats.id, stats);
        }
        self.resources.extend(page.new_resources.into_iter().map(|row| (row.id, row)));
        self.resource_stats.extend(page.resource_stats.into_iter().map(|row| (row.id, row)));
        self.ops.extend(page.new_ops.into_iter().map(|row| (row.id, row)));
        self.op_stats.extend(page.op_stats.into_iter().map(|row| (row.id, row)));
        for task in &page.gone_tasks {
            assert!(self.tasks.contains_key(task), "who is gone was announced");
            // It has ended, and its last state is lost.
            self.task_stats.remove(task);
        }
        self.gone += (page.gone_tasks.len() + page.gone_resources.len() + page.gone_ops.len()) as u64;
        for lock in page.locks {
            assert!(self.resources.contains_key(&lock.resource_id), "a lock is announced before it is told of");
            let holders = lock.holders.iter().map(|holder| holder.task_id);
            for task in holders.chain(lock.waiters.iter().map(|waiter| waiter.task_id)).filter(|&task| task != 0) {
                assert!(self.tasks.contains_key(&task), "who uses a lock is announced before");
            }
            self.locks.insert(lock.resource_id, lock);
        }
        self.losses.extend(page.losses.into_iter().map(|loss| (loss.kind, loss.count)));
    }

    /// Takes in the pages of one update.
    async fn update(&mut self, stream: &mut Streaming<Report>) {
        loop {
            let page = next(stream).await;
            let more = page.more;
            self.note(page);
            if !more {
                return;
            }
        }
    }

    fn alive(&self) -> usize {
        self.task_stats.values().filter(|stats| stats.dropped_at.is_none()).count()
    }

    /// One line for each row.
    fn lines(&self) -> BTreeSet<String> {
        let tasks = self.tasks.iter().map(|(id, task)| {
            let stats = &self.task_stats[id];
            let polls = stats.polls.expect("it is always there");
            let wakes = stats.wakes.expect("it is there in full detail");
            let place = task.location.as_ref().map(|at| (at.file.clone(), at.line, at.column));
            format!(
                "task {id} {:?} {:?} {} {} {} {place:?} {} | {:?} {:?} {:?} | {} {} {} {} {:?} | {}",
                task.name,
                task.kind().as_str_name().trim_start_matches("KIND_").to_lowercase(),
                task.number,
                task.size,
                task.original_size,
                v1_fields(&task.fields),
                (stats.created_at, stats.dropped_at),
                stats.scheduled,
                (polls.last_started, polls.last_ended, polls.busy),
                wakes.wakes,
                wakes.self_wakes,
                wakes.clones,
                wakes.drops,
                wakes.last,
                polls.count,
            )
        });
        let resources = self.resources.iter().map(|(id, row)| {
            let stats = &self.resource_stats[id];
            let place = row.location.as_ref().map(|at| (at.file.clone(), at.line, at.column));
            format!(
                "resource {id} in {} {:?} {:?} {:?} {place:?} {} | {:?} | {}",
                row.parent_id,
                row.kind,
                row.concrete_type,
                row.target,
                row.internal,
                (stats.created_at, stats.dropped_at),
                v1_attributes(&stats.attributes)
            )
        });
        let ops = self.ops.iter().map(|(id, row)| {
            let stats = &self.op_stats[id];
            let polls = stats.polls.expect("it is always there");
            format!(
                "op {id} in {} on {} {:?} | {:?} by {} {:?} {} | {}",
                row.parent_id,
                row.resource_id,
                row.source,
                (stats.created_at, stats.dropped_at),
                stats.task_id,
                (polls.last_started, polls.last_ended, polls.busy),
                polls.count,
                v1_attributes(&stats.attributes)
            )
        });
        tasks.chain(resources).chain(ops).collect()
    }
}

fn v1_value(field: &v1::Field) -> (String, String) {
    let Some(v1::field::Name::Text(name)) = &field.name else { panic!("an agent's fields have their names") };
    let value = match field.value.as_ref().expect("a value") {
        v1::field::Value::BoolValue(value) => value.to_string(),
        v1::field::Value::U64Value(value) => value.to_string(),
        v1::field::Value::I64Value(value) => value.to_string(),
        v1::field::Value::TextValue(value) => value.clone(),
    };
    (name.clone(), value)
}

fn v1_fields(fields: &[v1::Field]) -> String {
    format!("{:?}", fields.iter().map(v1_value).collect::<Vec<_>>())
}

fn v1_attributes(attributes: &[v1::Attribute]) -> String {
    let one =
        |attribute: &v1::Attribute| (v1_value(attribute.field.as_ref().expect("a field")), attribute.unit.clone());
    format!("{:?}", attributes.iter().map(one).collect::<Vec<_>>())
}

fn console_value(field: &console::Field) -> (String, String) {
    let Some(field::Name::StrName(name)) = &field.name else { panic!("a field without a name") };
    let value = match field.value.as_ref().expect("a value") {
        field::Value::BoolVal(value) => value.to_string(),
        field::Value::U64Val(value) => value.to_string(),
        field::Value::I64Val(value) => value.to_string(),
        field::Value::StrVal(value) | field::Value::DebugVal(value) => value.clone(),
    };
    (name.clone(), value)
}

fn console_attributes(attributes: &[console::Attribute]) -> String {
    let one = |attribute: &console::Attribute| {
        (console_value(attribute.field.as_ref().expect("a field")), attribute.unit.clone())
    };
    format!("{:?}", attributes.iter().map(one).collect::<Vec<_>>())
}

/// The console's rows, said as `Watch` says them.
fn console_lines(told: &Told) -> BTreeSet<String> {
    let place = |at: &Option<console::Location>| {
        at.as_ref().map(|at| {
            let file = at.file.clone().unwrap_or_default();
            (file, at.line.unwrap_or_default(), at.column.unwrap_or_default())
        })
    };
    let id = |id: &Option<console::Id>| id.as_ref().map_or(0, |id| id.id);
    let tasks = told.tasks.iter().map(|(task_id, task)| {
        let stats = &told.task_stats[task_id];
        let polls = stats.poll_stats.expect("it is always there");
        let fields: BTreeMap<String, String> = task.fields.iter().map(console_value).collect();
        let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let number = |name: &str| fields.get(name).map_or("0".into(), String::clone);
        let others: Vec<(String, String)> =
            task.fields.iter().map(console_value).filter(|(name, _)| name == "fn").collect();
        format!(
            "task {task_id} {:?} {:?} {} {} {} {:?} {} | {:?} {:?} {:?} | {} {} {} {} {:?} | {}",
            text("task.name"),
            text("kind"),
            number("task.id"),
            number("size.bytes"),
            number("original_size.bytes"),
            place(&task.location),
            format_args!("{others:?}"),
            (stats.created_at, stats.dropped_at),
            stats.scheduled_time,
            (polls.last_poll_started, polls.last_poll_ended, polls.busy_time),
            stats.wakes,
            stats.self_wakes,
            stats.waker_clones,
            stats.waker_drops,
            stats.last_wake,
            polls.polls,
        )
    });
    let resources = told.resources.iter().map(|(resource_id, row)| {
        use console::resources::resource::kind::{Kind, Known};
        let stats = &told.resource_stats[resource_id];
        let kind = match row.kind.as_ref().and_then(|kind| kind.kind.as_ref()) {
            Some(Kind::Known(known)) if *known == Known::Timer as i32 => "timer".to_owned(),
            Some(Kind::Other(other)) => other.clone(),
            _ => String::new(),
        };
        let name = &told.names[&row.metadata.expect("an id").id];
        let module =
            name.split_once(" in ").and_then(|(_, rest)| rest.split_once(": ")).map_or("", |(module, _)| module);
        format!(
            "resource {resource_id} in {} {kind:?} {:?} {module:?} {:?} {} | {:?} | {}",
            id(&row.parent_resource_id),
            row.concrete_type,
            place(&row.location),
            row.is_internal,
            (stats.created_at, stats.dropped_at),
            console_attributes(&stats.attributes)
        )
    });
    let ops = told.ops.iter().map(|(op_id, row)| {
        let stats = &told.op_stats[op_id];
        let polls = stats.poll_stats.expect("it is always there");
        format!(
            "op {op_id} in {} on {} {:?} | {:?} by {} {:?} {} | {}",
            id(&row.parent_async_op_id),
            id(&row.resource_id),
            row.source,
            (stats.created_at, stats.dropped_at),
            id(&stats.task_id),
            (polls.last_poll_started, polls.last_poll_ended, polls.busy_time),
            polls.polls,
            console_attributes(&stats.attributes)
        )
    });
    tasks.chain(resources).chain(ops).collect()
}

#[test]
fn watch_tells_by_itself_what_the_consoles_service_tells() {
    let mut service = Service::start("wire-agent", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let mut clients = Clients::connect(address).await;
        assert!(clients.describe().await.capabilities.iter().any(|name| name == "tasks"));
        let mut reports = clients.reports().await;
        let mut watched = Watched::default();
        for _ in 0..3 {
            watched.update(&mut reports).await;
        }
        let mut updates = clients.updates().await;
        let mut told = Told::default();
        for _ in 0..3 {
            told.note(next(&mut updates).await);
        }
        let (watched_lines, console_lines) = (watched.lines(), console_lines(&told));
        assert!(console_lines.len() > 40, "{console_lines:#?}");
        let missing: Vec<_> = console_lines.difference(&watched_lines).collect();
        let more: Vec<_> = watched_lines.difference(&console_lines).collect();
        assert!(missing.is_empty() && more.is_empty(), "only the console: {missing:#?}\nonly Watch: {more:#?}");
        assert!(watched.locks.values().any(|lock| !lock.waiters.is_empty()), "locks come with it");

        for &id in watched.tasks.keys() {
            let console = clients.details(id).await;
            let details = clients.watched_details(id).await.expect("the task is there");
            assert!(details.now.is_some() && details.task_id == id);
            let read = |raw: &[u8]| -> hdrhistogram::Histogram<u64> {
                Deserializer::new().deserialize(&mut &*raw).expect("a histogram")
            };
            let Some(PollTimesHistogram::Histogram(polls)) = &console.poll_times_histogram else { panic!() };
            let scheduled = console.scheduled_times_histogram.as_ref().expect("it is there");
            for (console, watched) in [(polls, details.poll_times), (scheduled, details.scheduled_times)] {
                let (console, watched) = (read(&console.raw_histogram), watched.expect("it is there"));
                assert_eq!(watched.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), console.len());
                assert!(watched.buckets.windows(2).all(|two| two[0].bound < two[1].bound), "{watched:?}");
            }
        }
        let unknown = clients.watched_details(u64::MAX).await.expect_err("there is none");
        assert_eq!(unknown.code(), tonic::Code::NotFound);
    });
}

#[test]
fn nobody_can_pause_it() {
    const TOKEN: &str = "0123456789abcdef";
    let mut service = Service::start("wire-agent", &[("HOLDUP_TOKEN", &format!("{TOKEN} watch,pause"))]);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let mut clients = Clients::connect_with(address, Some(TOKEN)).await;
        let mut reports = clients.reports().await;
        clients.instrument.pause(PauseRequest {}).await.expect("it answers");
        let mut times = Vec::new();
        for _ in 0..6 {
            times.push(next(&mut reports).await.now.map(|now| (now.seconds, now.nanos)));
        }
        assert!(times.windows(2).all(|two| two[0] <= two[1]) && times.first() < times.last(), "{times:?}");
        let task = {
            let mut watched = Watched::default();
            watched.update(&mut clients.reports().await).await;
            *watched.tasks.keys().next().expect("there is one")
        };
        clients.watched_details(task).await.expect("it is answered too");
        clients.instrument.resume(ResumeRequest {}).await.expect("it answers");
    });
}

/// As `losses-flood` has it.
const SPAWNED: u64 = 60_000;

#[test]
fn of_each_task_the_end_is_told_to_a_slow_client_or_its_loss_is_counted() {
    for (bytes, detail) in [("64KiB", "full"), ("64KiB", "lean"), ("64MiB", "full")] {
        let environment = [("HOLDUP_RETENTION_BYTES", bytes), ("HOLDUP_DETAIL", detail)];
        let mut service = Service::start("losses-flood", &environment);
        let address = service.address();
        assert_eq!(service.hear(), "ready");
        block_on(async {
            let mut clients = Clients::connect(address).await;
            let mut reports = clients.reports().await;
            let mut watched = Watched::default();
            watched.update(&mut reports).await;
            let alive = watched.alive();
            let before = watched.tasks.len() as u64 - alive as u64;

            // Nothing is read meanwhile.
            service.tell();
            let kib: u64 = service.hear().parse().expect("a number");
            assert!(kib < 100 << 10, "{kib} KiB more are in use");

            let known = |watched: &Watched| {
                let lost = |kind: &str| watched.losses.get(kind).copied().unwrap_or_default();
                let ended = (watched.tasks.len() - watched.alive()) as u64;
                ended - before + lost("finished-tasks") + lost("unsent-tasks")
            };
            // The one that spawned them has ended, too.
            while known(&watched) < SPAWNED + 1 {
                watched.update(&mut reports).await;
            }
            for _ in 0..3 {
                watched.update(&mut reports).await;
            }
            assert_eq!(watched.alive(), alive, "those that live are those that lived");
            assert_eq!(known(&watched), SPAWNED + 1);
            assert!(watched.longest_page < 1 << 20, "{} bytes", watched.longest_page);
        });
    }
}

#[test]
fn in_lean_detail_no_wakes_are_told_and_no_waker_is_made_up() {
    let mut service = Service::start("losses-flood", &[("HOLDUP_DETAIL", "lean")]);
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    block_on(async {
        let mut watched = Watched::default();
        watched.update(&mut Clients::connect(address).await.reports().await).await;
        assert!(!watched.task_stats.is_empty() && watched.task_stats.values().all(|stats| stats.wakes.is_none()));
        let ids: HashSet<u64> = watched.tasks.keys().copied().collect();
        assert_eq!(ids, watched.task_stats.keys().copied().collect());
    });
}
