//! The service's own tracing, with the agent and without: the same spans with the same parents and fields, the same events, the
//! same lines of log, the same exported traces.

use crate::process::{Roles, play, say};
use holdup_agent::Detail;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::oneshot, task::yield_now};
use tracing::{
    Instrument, Level, Span, debug, error, info, info_span, instrument, level_filters::LevelFilter, trace, warn,
};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt};

pub(crate) const ROLES: Roles =
    &[("compat-alone", alone), ("compat-full", || watched(Detail::Full)), ("compat-lean", || watched(Detail::Lean))];

/// Filters of real services.
const FILTERS: [&str; 3] = ["info,service=debug", WITHOUT_RUNTIME, "warn,service[request{method=GET}]=debug"];

/// Everything, and everything but what the runtime itself traces.
const EVERYTHING: &str = "trace";
const WITHOUT_RUNTIME: &str = "trace,tokio=off,runtime=off";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the service's own subscriber left behind.
struct Kept {
    log: Log,
    json: Log,
    spans: InMemorySpanExporter,
    provider: SdkTracerProvider,
}

/// As services build theirs: a filter for everything, a log, a second log with a filter of its own, and traces.
fn subscriber() -> (impl tracing::Subscriber + Send + Sync + 'static, Kept) {
    let spans = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let kept = Kept { log: Log::default(), json: Log::default(), spans, provider };
    let (log, json) = (kept.log.clone(), kept.json.clone());
    let lines = fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_span_events(fmt::format::FmtSpan::FULL)
        .fmt_fields(fmt::format::DefaultFields::new())
        .event_format(fmt::format().without_time().with_thread_ids(false))
        .with_writer(move || log.clone());
    let others = fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_writer(move || json.clone())
        .with_filter(LevelFilter::from_level(Level::WARN));
    let traces = tracing_opentelemetry::layer().with_tracer(kept.provider.tracer("service")).with_location(true);
    let filter = std::env::var("SERVICE_LOG").expect("it is set");
    let subscriber =
        Registry::default()
            .with(EnvFilter::new(filter))
            .with(lines.with_filter(tracing_subscriber::filter::filter_fn(|metadata| {
                metadata.target().starts_with("service")
            })))
            .with(others)
            .with(traces);
    (subscriber, kept)
}

fn alone() {
    let (subscriber, kept) = subscriber();
    tracing::subscriber::set_global_default(subscriber).expect("it is the first");
    serve();
    kept.tell();
}

fn watched(detail: Detail) {
    let (subscriber, kept) = subscriber();
    let builder = holdup_agent::builder().address(([127, 0, 0, 1], 0).into()).detail(detail);
    let _agent = builder.with_subscriber(subscriber).try_init().expect("it starts");
    serve();
    kept.tell();
}

/// A service of one thread, so that it does the same each time.
fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for (method, peer) in [("GET", "alice"), ("PUT", "bob")] {
            let span = info_span!(target: "service", "request", method, peer, status = tracing::field::Empty);
            let answering = tokio::spawn(request(method.len()).instrument(span.clone()));
            info!(target: "service", parent: &span, "accepted");
            answering.await.expect("it does not panic");
            span.record("status", 200);
        }
        let (one, two) = tokio::join!(query(1), query(2));
        error!(target: "service", one, two, "joined");
        follow().await;
        let job = Span::current();
        let job = tokio::task::spawn_blocking(move || {
            job.in_scope(|| warn!(target: "service", "in a job"));
        });
        job.await.expect("it does not panic");
        trace!(target: "service", "the last words");
    });
}

#[instrument(target = "service", level = "debug", ret)]
async fn query(number: u64) -> u64 {
    debug!(target: "service", "asked");
    for _ in 0..number {
        yield_now().await;
    }
    debug!(target: "service", current = ?Span::current().metadata().map(tracing::Metadata::name), "answered");
    number * 2
}

async fn request(length: usize) {
    info!(target: "service", length, "begun");
    let (said, heard) = oneshot::channel();
    let inner = tokio::spawn(
        async move {
            let mutex = tokio::sync::Mutex::new(query(3).await);
            let held = mutex.lock().await;
            yield_now().await;
            let _ = said.send(*held);
        }
        .in_current_span(),
    );
    let answer = heard.await.unwrap_or_default();
    warn!(target: "service", answer, "heard");
    inner.await.expect("it does not panic");
    let detached = tokio::spawn(async {
        info!(target: "service", "outside of any span");
    });
    detached.await.expect("it does not panic");
}

async fn follow() {
    let (cause, effect) =
        (info_span!(target: "service", "cause"), info_span!(target: "service", parent: None, "effect"));
    effect.follows_from(&cause);
    async { info!(target: "service", "follows") }.instrument(effect).await;
}

impl Kept {
    /// Says all of it; durations, ids and threads are what they are in each process.
    fn tell(self) {
        let text =
            |log: &Log| String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        for (which, log) in [("log", &self.log), ("warnings", &self.json)] {
            for line in text(log).lines() {
                let without_times = line.split(" time.busy=").next().unwrap_or(line);
                say(format_args!("{which}: {without_times}"));
            }
        }
        self.provider.force_flush().expect("it exports to memory");
        let spans = self.spans.get_finished_spans().expect("it exports to memory");
        for span in &spans {
            let name_of = |id| spans.iter().find(|span| span.span_context.span_id() == id).map(|span| &span.name);
            let told = |attribute: &&opentelemetry::KeyValue| {
                !["thread.id", "thread.name", "busy_ns", "idle_ns"].contains(&attribute.key.as_str())
            };
            let attributes: Vec<String> =
                span.attributes.iter().filter(told).map(|one| format!("{}={}", one.key, one.value)).collect();
            let events: Vec<&str> = span.events.events.iter().map(|event| event.name.as_ref()).collect();
            say(format_args!(
                "span {} in {:?} {attributes:?} {events:?} links {}",
                span.name,
                name_of(span.parent_span_id),
                span.links.links.len()
            ));
        }
        say(format_args!("spans: {}", spans.len()));
    }
}

/// What the service left behind under a filter, when it is alone or watched.
fn left(role: &str, filter: &str) -> Vec<String> {
    let left = play(role, &[("SERVICE_LOG", filter)]);
    for kind in ["log: ", "warnings: ", "span "] {
        assert!(left.iter().any(|line| line.starts_with(kind)), "{role} {filter}: {left:#?}");
    }
    left
}

fn assert_same(alone: &[String], watched: &[String]) {
    let differ = alone.iter().zip(watched).find(|(alone, watched)| alone != watched);
    assert!(differ.is_none() && alone.len() == watched.len(), "{differ:#?}\nalone: {alone:#?}\nwatched: {watched:#?}");
}

#[test]
fn the_services_own_tracing_is_the_same_with_the_agent_and_without() {
    for filter in FILTERS {
        let alone = left("compat-alone", filter);
        assert_same(&alone, &left("compat-full", filter));
        assert_same(&alone, &left("compat-lean", filter));
    }
}

#[test]
fn a_filter_that_lets_everything_through_is_not_polluted_by_the_runtime() {
    let alone = left("compat-alone", WITHOUT_RUNTIME);
    assert_same(&alone, &left("compat-full", EVERYTHING));
    assert_same(&alone, &left("compat-lean", EVERYTHING));
}
