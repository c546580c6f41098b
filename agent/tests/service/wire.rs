//! The console's wire, field by field: the same deterministic service under console-subscriber and under the agent tells the
//! same, but for what cannot be the same in two processes (ids, times) and the differences that are listed here.
//!
//! - Metadata have ids of our own and no places; the callsites that they stand for have the same names, targets and fields.
//! - Operations that were ready at once are not kept when they are over: a lock that is free is no news.
//! - `new_poll_ops` is empty: one message for each poll of each operation is what makes a busy lock expensive to watch, and
//!   who polls what stands in the operations' statistics.
//! - The metadata of an attribute is that of its resource, not of the event that set it.

use crate::{
    clients::{Clients, block_on, next},
    process::{Roles, Service, say, until_stdin_ends},
};
use console_api::{
    Attribute, Field, PollStats, async_ops, field,
    instrument::Update,
    resources, tasks,
    tasks::{DurationHistogram, task_details::PollTimesHistogram},
};
use hdrhistogram::serialization::Deserializer;
use std::{collections::HashMap, future::pending, net::TcpListener, sync::Arc, task::Poll, time::Duration};
use tokio::{
    sync::{Barrier, Mutex, RwLock, Semaphore, mpsc, oneshot},
    task::{self, Builder, yield_now},
    time::sleep,
};

pub(crate) const ROLES: Roles = &[("wire-stock", stock), ("wire-agent", agent)];

/// How long a service may take to come to rest, and how long nothing must change then.
const AT_REST: Duration = Duration::from_millis(700);

fn stock() {
    use console_subscriber::{ConsoleLayer, ServerParts};
    use tracing_subscriber::prelude::*;

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.set_nonblocking(true).expect("it can be");
    say(listener.local_addr().expect("it is bound"));
    let (layer, server) = ConsoleLayer::builder().publish_interval(Duration::from_millis(50)).build();
    std::thread::spawn(move || {
        let _unseen = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
        block_on(async {
            let ServerParts { instrument_server, aggregator, .. } = server.into_parts();
            tokio::spawn(aggregator.run());
            let listener = tokio::net::TcpListener::from_std(listener).expect("it is bound");
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            let serving = tonic::transport::Server::builder().add_service(instrument_server);
            serving.serve_with_incoming(incoming).await.expect("it serves");
        });
    });
    tracing_subscriber::registry().with(layer).init();
    serve();
}

fn agent() {
    let builder = holdup_agent::builder().from_env().address(([127, 0, 0, 1], 0).into());
    let agent = builder.publish_interval(Duration::from_millis(50)).try_init().expect("it starts");
    say(agent.address().expect("it listens"));
    serve();
}

/// The service: one thread, so that everything happens in the same order each time.
fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::spawn(|| {
        until_stdin_ends();
        std::process::exit(0);
    });
    runtime.block_on(async {
        everything().await;
        sleep(AT_REST).await;
        say("ready");
        pending::<()>().await;
    });
}

fn named<F>(name: &str, future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    Builder::new().name(name).spawn(future).expect("the runtime runs");
}

/// A bit of everything that there is to see, and then rest.
async fn everything() {
    locks();
    let semaphore = Arc::new(Semaphore::new(2));
    for name in ["permit-one", "permit-two", "permit-three"] {
        let semaphore = Arc::clone(&semaphore);
        named(name, async move {
            let _permit = semaphore.acquire().await;
            pending::<()>().await;
        });
    }
    let (said, heard) = oneshot::channel::<u8>();
    named("hears", async move { drop(heard.await) });
    named("says", async move {
        yield_now().await;
        let _ = said.send(1);
    });
    let (sender, mut receiver) = mpsc::channel::<u8>(1);
    named("receives", async move { while receiver.recv().await.is_some() {} });
    named("sends", async move {
        for byte in 0..3 {
            let _ = sender.send(byte).await;
        }
        pending::<()>().await;
    });
    let barrier = Arc::new(Barrier::new(2));
    for name in ["meets-one", "meets-two"] {
        let barrier = Arc::clone(&barrier);
        named(name, async move {
            barrier.wait().await;
        });
    }
    named("wakes-itself", async {
        for _ in 0..5 {
            let mut woken = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut woken, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    });
    named("ticks", async {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..3 {
            interval.tick().await;
        }
        pending::<()>().await;
    });
    named("is-cancelled", {
        let inner = tokio::spawn(pending::<()>());
        async move {
            yield_now().await;
            inner.abort();
        }
    });
    // A future of this size is boxed by the runtime.
    named("is-large", async {
        let kept = [1_u8; 10_000];
        pending::<()>().await;
        std::hint::black_box(&kept);
    });
    drop(task::spawn_blocking(|| 1 + 1).await);
    let local = task::LocalSet::new();
    local.run_until(async { drop(task::spawn_local(async { yield_now().await }).await) }).await;
}

/// A mutex that one holds and one waits for, and a lock for readers and writers.
fn locks() {
    let mutex = Arc::new(Mutex::new(0));
    for name in ["holds", "waits"] {
        let mutex = Arc::clone(&mutex);
        named(name, async move {
            let mut held = mutex.lock().await;
            *held += 1;
            pending::<()>().await;
        });
    }
    let lock = Arc::new(RwLock::new(0));
    for name in ["reads-one", "reads-two"] {
        let lock = Arc::clone(&lock);
        named(name, async move {
            let _held = lock.read().await;
            pending::<()>().await;
        });
    }
    named("writes", async move {
        *lock.write().await += 1;
    });
}

/// All that a client was told of a service that is at rest.
#[derive(Default)]
pub(crate) struct Told {
    pub names: HashMap<u64, String>,
    pub tasks: HashMap<u64, tasks::Task>,
    pub task_stats: HashMap<u64, tasks::Stats>,
    pub resources: HashMap<u64, resources::Resource>,
    pub resource_stats: HashMap<u64, resources::Stats>,
    pub ops: HashMap<u64, async_ops::AsyncOp>,
    pub op_stats: HashMap<u64, async_ops::Stats>,
    details: Vec<(u64, String)>,
}

impl Told {
    pub(crate) fn note(&mut self, update: Update) {
        let metadata = update.new_metadata.into_iter().flat_map(|new| new.metadata);
        for new in metadata {
            let (Some(id), Some(metadata)) = (new.id, new.metadata) else { panic!("metadata without a part") };
            self.names
                .insert(id.id, format!("{} in {}: {}", metadata.name, metadata.target, metadata.field_names.join(" ")));
        }
        let tasks = update.task_update.expect("it is always there");
        let resources = update.resource_update.expect("it is always there");
        let ops = update.async_op_update.expect("it is always there");
        assert_eq!((tasks.dropped_events, resources.dropped_events, ops.dropped_events), (0, 0, 0));
        self.tasks.extend(tasks.new_tasks.into_iter().map(|task| (task.id.expect("an id").id, task)));
        self.task_stats.extend(tasks.stats_update);
        self.resources.extend(resources.new_resources.into_iter().map(|new| (new.id.expect("an id").id, new)));
        self.resource_stats.extend(resources.stats_update);
        self.ops.extend(ops.new_async_ops.into_iter().map(|new| (new.id.expect("an id").id, new)));
        self.op_stats.extend(ops.stats_update);
    }

    /// One line for each row, in an order that both services share.
    fn lines(&self) -> Vec<String> {
        let tasks = self.tasks.iter().map(|(id, task)| {
            let details = self.details.iter().find(|(of, _)| of == id).map_or("none", |(_, details)| details);
            let stats = &self.task_stats[id];
            format!(
                "task {} | {} {:?} {:?} parents {} | {} | wakes {} {} {} {} {} | {} | scheduled {} | {}",
                self.task(*id),
                task.metadata.map_or("none", |metadata| &self.names[&metadata.id]),
                task.kind,
                task.location,
                task.parents.len(),
                fields(&task.fields),
                stats.wakes,
                stats.waker_clones,
                stats.waker_drops,
                stats.self_wakes,
                stats.last_wake.is_some(),
                polls(stats.poll_stats.as_ref()),
                stats.scheduled_time.is_some(),
                format_args!("{} {} {details}", stats.created_at.is_some(), stats.dropped_at.is_some()),
            )
        });
        let resources = self.resources.keys().map(|id| {
            let stats = &self.resource_stats[id];
            let ended = stats.dropped_at.is_some();
            format!(
                "resource {} | {} {ended} | {}",
                self.resource(*id),
                stats.created_at.is_some(),
                attributes(&stats.attributes)
            )
        });
        // One poll that was ready, and the drop, which counts as one.
        let was_ready = |stats: &async_ops::Stats| {
            stats.dropped_at.is_some() && stats.poll_stats.as_ref().is_some_and(|stats| stats.polls <= 2)
        };
        let ops = self.ops.keys().filter(|id| !was_ready(&self.op_stats[*id])).map(|id| {
            let stats = &self.op_stats[id];
            let task = stats.task_id.map_or("nobody".to_owned(), |task| self.task(task.id));
            let ended = stats.dropped_at.is_some();
            format!(
                "op {} | by {task} | {} | {} {ended} | {}",
                self.op(*id),
                polls(stats.poll_stats.as_ref()),
                stats.created_at.is_some(),
                attributes(&stats.attributes)
            )
        });
        let mut lines: Vec<String> = tasks.chain(resources).chain(ops).collect();
        lines.sort();
        lines
    }

    fn task(&self, id: u64) -> String {
        let task = &self.tasks[&id];
        let text = |wanted: &str| {
            let named = |field: &&Field| field.name == Some(field::Name::StrName(wanted.to_owned()));
            task.fields.iter().find(named).and_then(|field| field.value.as_ref()).map(ToString::to_string)
        };
        let line = task.location.as_ref().and_then(|location| location.line);
        format!("{:?} {:?} at {line:?}", text("kind"), text("task.name"))
    }

    fn resource(&self, id: u64) -> String {
        let resource = &self.resources[&id];
        let parent = resource.parent_resource_id.map_or("nothing".to_owned(), |parent| self.resource(parent.id));
        format!(
            "{} {:?} {:?} internal {} {} in ({parent})",
            resource.concrete_type,
            resource.kind,
            resource.location,
            resource.is_internal,
            resource.metadata.map_or("none", |metadata| &self.names[&metadata.id]),
        )
    }

    fn op(&self, id: u64) -> String {
        let op = &self.ops[&id];
        let parent = op.parent_async_op_id.map_or("nothing".to_owned(), |parent| self.op(parent.id));
        let resource = op.resource_id.map_or("nothing".to_owned(), |resource| self.resource(resource.id));
        let metadata = op.metadata.map_or("none", |metadata| &self.names[&metadata.id]);
        format!("{} {metadata} in ({parent}) on ({resource})", op.source)
    }
}

fn polls(stats: Option<&PollStats>) -> String {
    let stats = stats.expect("it is always there");
    let times = [stats.first_poll, stats.last_poll_started, stats.last_poll_ended].map(|at| at.is_some());
    format!("polls {} {times:?} busy {}", stats.polls, stats.busy_time.is_some())
}

/// Names, and values with their types; tokio's own id of a task is another one in each process, and a timer's duration is what
/// is left of it when it is made.
fn fields(fields: &[Field]) -> String {
    let line = |field: &Field| {
        let Some(field::Name::StrName(name)) = &field.name else { panic!("a field without a name") };
        match (name.as_str(), &field.value) {
            ("task.id" | "duration", Some(field::Value::U64Val(_))) => format!("{name}: a number"),
            (name, value) => format!("{name}={value:?}"),
        }
    };
    fields.iter().map(line).collect::<Vec<_>>().join(" ")
}

fn attributes(attributes: &[Attribute]) -> String {
    let mut lines: Vec<String> = attributes
        .iter()
        .map(|attribute| format!("{} {:?}", fields(attribute.field.as_slice()), attribute.unit))
        .collect();
    lines.sort();
    lines.join(", ")
}

/// How many durations a histogram has, and what frames it.
fn histogram(histogram: Option<&DurationHistogram>) -> String {
    let Some(told) = histogram else { return "none".to_owned() };
    let read: hdrhistogram::Histogram<u64> =
        Deserializer::new().deserialize(&mut told.raw_histogram.as_slice()).expect("a histogram");
    format!("{} up to {} {} {:?}", read.len(), told.max_value, read.sigfig(), told.highest_outlier)
}

async fn told(service: &mut Service) -> Told {
    let address = service.address();
    assert_eq!(service.hear(), "ready");
    let mut clients = Clients::connect(address).await;
    let mut updates = clients.updates().await;
    let mut told = Told::default();
    for _ in 0..5 {
        told.note(next(&mut updates).await);
    }
    let ids: Vec<u64> = told.tasks.keys().copied().collect();
    for id in ids {
        let details = clients.details(id).await;
        assert_eq!(details.task_id.expect("an id").id, id);
        assert!(details.now.is_some());
        let Some(PollTimesHistogram::Histogram(polls)) = &details.poll_times_histogram else { panic!("{details:?}") };
        let scheduled = histogram(details.scheduled_times_histogram.as_ref());
        told.details.push((id, format!("poll times {} scheduled {scheduled}", histogram(Some(polls)))));
    }
    told
}

#[test]
fn the_same_service_tells_the_same_by_the_console_as_with_console_subscriber() {
    let (mut stock, mut agent) = (Service::start("wire-stock", &[]), Service::start("wire-agent", &[]));
    let (stock, agent) = block_on(async { (told(&mut stock).await, told(&mut agent).await) });
    let (stock, agent) = (stock.lines(), agent.lines());
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).cloned().collect()
    };
    assert!(stock.len() > 40, "{stock:#?}");
    let (missing, more) = (only(&stock, &agent), only(&agent, &stock));
    assert!(missing.is_empty() && more.is_empty(), "only stock: {missing:#?}\nonly the agent: {more:#?}");
    assert_eq!(stock.len(), agent.len(), "the same number of each");
}
