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
    ("harmless-exit", exits),
    ("harmless-fork", forks),
    ("harmless-destructors", destructors),
    ("harmless-destructors-alone", destructors_alone),
    ("harmless-hooks", hooks),
    ("harmless-abort", aborts),
    ("harmless-runtimes", runtimes),
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

/// Exits while tasks run and a client reads.
fn exits() {
    let agent = builder().init();
    say(agent.address().expect("it listens"));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        tokio::spawn(async {
            loop {
                tokio::spawn(tokio::task::yield_now()).await.expect("it does not panic");
            }
        });
        tokio::task::spawn_blocking(|| {
            until_told();
            std::process::exit(7);
        })
        .await
        .expect("it does not return");
    });
}

fn until_told() {
    std::io::stdin().read_line(&mut String::new()).expect("stdin can be read");
}

/// Pages of this process that are in memory.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("the system tells");
    pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number")
}

/// Forks, and the child lives on as if it were the service, until after its parent's agent has ended.
#[expect(unsafe_code, reason = "`fork` has no safe interface")]
fn forks() {
    let agent = builder().with_subscriber(tracing_subscriber::registry()).init();
    let address = agent.address().expect("it listens");
    say(address);
    let busy = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    busy.spawn(async {
        loop {
            tokio::spawn(tokio::task::yield_now()).await.expect("it does not panic");
        }
    });
    until_told();
    let (mut told, tell) = std::io::pipe().expect("a pipe");
    // SAFETY: the child goes on with this thread, and what it needs of others it makes anew.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(tell);
        let ends = current_thread().block_on(async {
            let ended = tokio::spawn(async { 3 }.instrument(tracing::info_span!("request"))).await;
            (ended.expect("it does not panic"), tokio::spawn(async { panic!("on purpose") }).await.is_err())
        });
        // Each of these would take a place that nobody gives back, and now and then a lock that a thread of the parent may have had.
        let before = resident();
        current_thread().block_on(async {
            for _ in 0..50_000 {
                let mutex = tokio::sync::Mutex::new(());
                tokio::spawn(async move { drop(mutex.lock().await) }).await.expect("it does not panic");
            }
        });
        let more = resident().saturating_sub(before);
        assert!(more < 1_024, "{more} pages more are resident");
        std::thread::spawn(|| ()).join().expect("it does not panic");
        say(format_args!("in the child: {ends:?}"));
        // It has the socket no longer; whether its parent does, it waits for.
        std::io::Read::read_to_end(&mut told, &mut Vec::new()).expect("a pipe");
        drop(agent);
        // SAFETY: what is left is the test's own, on threads that this process does not have.
        unsafe { libc::_exit(5) };
    }
    until_told();
    agent.shutdown();
    say(format_args!("the port is free: {}", std::net::TcpListener::bind(address).is_ok()));
    drop(tell);
    let mut status = 0;
    // SAFETY: the child is this process's own.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    say(format_args!("the child ended with {}", libc::WEXITSTATUS(status)));
}

/// Does what a thread's end can do to an agent: it logs, allocates, spawns, and drops a runtime that has tasks.
struct AtTheEnd(Option<Runtime>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        let runtime = self.0.take().expect("it is dropped once");
        let span = tracing::info_span!("the end", strict = ?Strict);
        span.in_scope(|| tracing::info!("ends"));
        let kept = runtime.spawn(std::future::pending::<()>().instrument(span));
        let sum = vec![1; 1_000].iter().sum::<i32>();
        drop(runtime);
        say(format_args!("{sum}, and its last task ended: {}", kept.is_finished()));
    }
}

thread_local! {
    static EARLY: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
    static LATE: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
}

/// The registry of `tracing-subscriber` itself panics where a span is made in a thread's destructor, agent or not, and so does tokio's
/// `block_on`.
fn destructors() {
    ends_threads(&builder().with_subscriber(Odd::new(Ids::Counted).0).init());
}

/// The same in a service that has no subscriber: what it makes spans without, it makes them without with the agent.
fn destructors_alone() {
    ends_threads(&builder().init());
}

/// A thread's own values are dropped in an order of the system's choice: here one is made before the agent's, and one after.
fn ends_threads(agent: &holdup_agent::Agent) {
    say(agent.address().expect("it listens"));
    for _ in 0..3 {
        let ends = std::thread::spawn(|| {
            EARLY.with(|early| *early.borrow_mut() = Some(AtTheEnd(Some(current_thread()))));
            tracing::info_span!("first").in_scope(|| ());
            current_thread().block_on(async { tokio::spawn(async {}).await.expect("it does not panic") });
            let many = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
            LATE.with(|late| *late.borrow_mut() = Some(AtTheEnd(Some(many))));
        });
        ends.join().expect("it does not panic");
    }
    say("ended");
    until_stdin_ends();
}

/// A panic hook before the agent's and one after it, which passes on.
fn hooks() {
    std::panic::set_hook(Box::new(|_| say("the one before")));
    let agent = builder().init();
    let chained = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        say("the one after");
        chained(info);
    }));
    say(agent.address().expect("it listens"));
    current_thread().block_on(async {
        tokio::spawn(async { panic!("on purpose") }).await.expect_err("it panics");
    });
    until_stdin_ends();
}

/// What a service does that is built with `panic = "abort"`: its hook is the last thing that runs, and nothing is unwound.
fn aborts() {
    std::panic::set_hook(Box::new(|info| {
        say(info.payload().downcast_ref::<&str>().expect("a text"));
        std::process::abort();
    }));
    let _agent = builder().init();
    current_thread().block_on(async { tokio::spawn(async { panic!("the last words") }).await.expect("it aborts") });
}

/// One runtime after the other, each with a task that waits.
fn runtimes() {
    let agent = builder().init();
    say(agent.address().expect("it listens"));
    let one = || {
        let runtime = current_thread();
        runtime.spawn(std::future::pending::<()>());
        runtime.block_on(tokio::task::yield_now());
    };
    let descriptors = || std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    (0..1_000).for_each(|_| one());
    let before = descriptors();
    (0..9_000).for_each(|_| one());
    // Those that are known at once are 64, with three descriptors each.
    say(format_args!("few more: {}", descriptors() <= before + 3 * 64));
    until_stdin_ends();
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

#[test]
fn a_service_exits_while_a_client_reads() {
    let mut service = Service::start("harmless-exit", &[]);
    let address = service.address();
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        until(&mut reports, |report| !report.tasks.is_empty()).await;
        service.tell();
        while let Ok(Some(_)) = reports.message().await {}
    });
    assert_eq!(service.ends(), Some(7));
}

#[test]
fn a_forked_child_has_no_agent_and_none_of_its_port() {
    let mut service = Service::start("harmless-fork", &[]);
    let address = service.address();
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        until(&mut reports, |report| !report.tasks.is_empty()).await;
        service.tell();
        assert_eq!(service.hear(), "in the child: (3, true)");
        until(&mut reports, |report| !report.tasks.is_empty()).await;
    });
    service.tell();
    assert_eq!(service.hear(), "the port is free: true");
    assert_eq!(service.hear(), "the child ended with 5");
}

#[test]
fn a_thread_s_last_acts_are_served_by_what_the_agent_has_left_of_it() {
    for role in ["harmless-destructors", "harmless-destructors-alone"] {
        let mut service = Service::start(role, &[]);
        let address = service.address();
        for _ in 0..6 {
            assert_eq!(service.hear(), "1000, and its last task ended: true");
        }
        assert_eq!(service.hear(), "ended");
        block_on(async {
            let described = Clients::connect(address).await.describe().await;
            assert!(described.limitations.iter().all(|it| !it.contains("arrives")), "{:?}", described.limitations);
        });
    }
}

#[test]
fn panic_hooks_before_and_after_the_agent_s_all_run_and_the_panic_is_told() {
    let mut service = Service::start("harmless-hooks", &[]);
    let address = service.address();
    assert_eq!([service.hear(), service.hear()], ["the one after", "the one before"]);
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let report = until(&mut reports, |report| !report.panics.is_empty()).await;
        assert_eq!(report.panics[0].message, "on purpose");
    });
}

#[test]
fn a_service_that_aborts_at_a_panic_says_its_last_words_and_does() {
    let mut service = Service::start("harmless-abort", &[]);
    assert_eq!(service.hear(), "the last words");
    assert_eq!(service.ends(), None, "by a signal");
}

#[test]
fn of_ten_thousand_runtimes_that_are_gone_nothing_is_kept() {
    let mut service = Service::start("harmless-runtimes", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "few more: true");
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        until(&mut reports, |report| !report.more && report.runtimes.is_empty()).await;
    });
}
