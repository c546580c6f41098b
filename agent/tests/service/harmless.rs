//! What a service does that an agent could be harmed by, and then harm the service: subscribers, formatting, hooks and threads of
//! its own, each as strange as the interfaces allow.

use crate::{
    clients::{Clients, block_on, until},
    process::{Roles, Service, play, say, until_stdin_ends},
};
use std::{
    collections::HashMap,
    fmt::{self, Debug, Formatter},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::runtime::{Builder, Runtime};
use tracing::{Event, Instrument as _, Metadata, Subscriber, span};
use tracing_core::span::Current;

pub(crate) const ROLES: Roles = &[
    ("harmless-odd-ids", odd_ids),
    ("harmless-never-closed", never_closed),
    ("harmless-one-id", one_id),
    ("harmless-debug", strict_debug),
];

fn builder() -> holdup_agent::Builder {
    holdup_agent::builder().from_env().address(([127, 0, 0, 1], 0).into())
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// How a subscriber makes its ids.
#[derive(Clone, Copy)]
enum Ids {
    /// As if from pointers: each of these has the bit by which the agent knows its own.
    Alike,
    Counted,
    /// One for all.
    One,
}

/// A subscriber that is not the registry. It leaves `try_close` at the trait's default, and notes what it is told of spans that it
/// never made.
struct Odd {
    ids: Ids,
    made: Mutex<HashMap<u64, &'static Metadata<'static>>>,
    inside: Mutex<Vec<u64>>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    strangers: AtomicU64,
    entered: AtomicU64,
    left: AtomicU64,
    closed: AtomicU64,
}

impl Odd {
    fn new(ids: Ids) -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen::default());
        (Self { ids, made: Mutex::default(), inside: Mutex::default(), seen: Arc::clone(&seen) }, seen)
    }

    fn meet(&self, span: &span::Id) {
        if !self.made.lock().expect("no panic").contains_key(&span.into_u64()) {
            self.seen.strangers.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Subscriber for Odd {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        if let Some(parent) = span.parent() {
            self.meet(parent);
        }
        let mut made = self.made.lock().expect("no panic");
        let id = match self.ids {
            // Of each kind that the agent's ids tell, and of the slots that it takes first.
            Ids::Alike => 0x7fa5_0000_0001 + made.len() as u64,
            Ids::Counted => 1 + made.len() as u64,
            Ids::One => 1,
        };
        made.insert(id, span.metadata());
        span::Id::from_u64(id)
    }

    fn record(&self, span: &span::Id, _: &span::Record<'_>) {
        self.meet(span);
    }

    fn record_follows_from(&self, span: &span::Id, follows: &span::Id) {
        self.meet(span);
        self.meet(follows);
    }

    fn event(&self, event: &Event<'_>) {
        if let Some(parent) = event.parent() {
            self.meet(parent);
        }
    }

    fn enter(&self, span: &span::Id) {
        self.meet(span);
        self.seen.entered.fetch_add(1, Ordering::Relaxed);
        self.inside.lock().expect("no panic").push(span.into_u64());
    }

    fn exit(&self, span: &span::Id) {
        self.meet(span);
        self.seen.left.fetch_add(1, Ordering::Relaxed);
        self.inside.lock().expect("no panic").pop();
    }

    fn clone_span(&self, span: &span::Id) -> span::Id {
        self.meet(span);
        span.clone()
    }

    // What the default `try_close` calls.
    fn drop_span(&self, span: span::Id) {
        self.meet(&span);
        self.seen.closed.fetch_add(1, Ordering::Relaxed);
    }

    fn current_span(&self) -> Current {
        let inside = self.inside.lock().expect("no panic").last().copied();
        match inside.and_then(|id| Some((id, *self.made.lock().expect("no panic").get(&id)?))) {
            Some((id, metadata)) => Current::new(span::Id::from_u64(id), metadata),
            None => Current::none(),
        }
    }
}

/// Tasks in spans whose ids look like the agent's.
fn odd_ids() {
    let (odd, seen) = Odd::new(Ids::Alike);
    let agent = builder().with_subscriber(odd).init();
    say(agent.address().expect("it listens"));
    current_thread().block_on(async {
        for number in 0..100 {
            let work = async {
                tokio::task::yield_now().await;
                drop(tracing::Span::current());
                let inner = tracing::info_span!("step", at = tracing::field::Empty);
                inner.record("at", 3);
                let _inside = inner.enter();
                tracing::info!(parent: &inner, "done");
            };
            tokio::spawn(work.instrument(tracing::info_span!("request", number))).await.expect("it does not panic");
        }
        let waits = std::future::pending::<()>().instrument(tracing::info_span!("request", number = "the last"));
        let waits = tokio::task::Builder::new().name("waits").spawn(waits).expect("a runtime");
        tokio::task::yield_now().await;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        say(format_args!("strangers: {}", count(&seen.strangers)));
        say(format_args!("entered {}, left {}", count(&seen.entered), count(&seen.left)));
        say(format_args!("handles closed: {}", count(&seen.closed)));
        until_stdin_ends();
        waits.abort();
    });
}

/// More spans than there is room for, one after the other, of which the subscriber never says that they are closed.
fn never_closed() {
    spans_of(Ids::Counted);
}

fn one_id() {
    spans_of(Ids::One);
}

fn spans_of(ids: Ids) {
    let (odd, seen) = Odd::new(ids);
    let agent = builder().with_subscriber(odd).init();
    say(agent.address().expect("it listens"));
    for number in 0..50_000 {
        let span = tracing::info_span!("request", number);
        span.clone().in_scope(|| ());
    }
    say(format_args!("handles closed: {}", seen.closed.load(Ordering::Relaxed)));
    current_thread().block_on(async {
        let waits = std::future::pending::<()>().instrument(tracing::info_span!("request", number = "the last"));
        let waits = tokio::spawn(waits);
        tokio::task::yield_now().await;
        say("ready");
        until_stdin_ends();
        waits.abort();
    });
}

/// Unwraps what it gets when it writes, which no writer of the standard library makes a mistake.
struct Strict;

impl Debug for Strict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for _ in 0..100 {
            f.write_str("0123456789").unwrap();
        }
        write!(f, "{:>300}", "the end").unwrap();
        Ok(())
    }
}

fn strict_debug() {
    let _agent = builder().init();
    let span = tracing::info_span!("request", strict = ?Strict, later = tracing::field::Empty);
    span.record("later", tracing::field::debug(Strict));
    say(span.in_scope(|| "goes on"));
}

/// The fields of the spans that tasks are told to be in, and how many spans found no room.
fn told_of_spans(address: SocketAddr) -> (Vec<String>, u64) {
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let report = until(&mut reports, |report| !report.spans.is_empty() && !report.losses.is_empty()).await;
        let fields = report.spans.iter().flat_map(|task| &task.spans).flat_map(|span| &span.fields);
        let lost = report.losses.iter().find(|loss| loss.kind == "spans").map_or(0, |loss| loss.count);
        (fields.map(|field| format!("{field:?}")).collect(), lost)
    })
}

#[test]
fn a_subscriber_whose_ids_look_like_the_agent_s_is_told_of_its_own_spans_and_no_other() {
    let mut service = Service::start("harmless-odd-ids", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "strangers: 0");
    // Each task's span as it is polled twice and dropped, and the one inside of it; the last is polled once.
    assert_eq!(service.hear(), "entered 401, left 401");
    assert_eq!(service.hear(), "handles closed: 300");
    let (fields, _) = told_of_spans(address);
    assert!(fields.iter().any(|field| field.contains("the last")), "{fields:?}");
}

#[test]
fn a_subscriber_that_never_says_what_it_closes_has_its_spans_let_go_of_with_their_last_handle() {
    for role in ["harmless-never-closed", "harmless-one-id"] {
        let mut service = Service::start(role, &[("HOLDUP_MEMORY", "8MiB")]);
        let address = service.address();
        assert_eq!(service.hear(), "handles closed: 100000");
        assert_eq!(service.hear(), "ready");
        let (fields, lost) = told_of_spans(address);
        assert!(fields.iter().any(|field| field.contains("the last")), "{role}: {fields:?}");
        assert_eq!(lost, 0, "{role}");
    }
}

#[test]
fn what_a_service_formats_for_the_agent_never_fails_to_be_written() {
    assert_eq!(play("harmless-debug", &[]), ["goes on"]);
}
