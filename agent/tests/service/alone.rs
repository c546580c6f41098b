//! What the agent does by itself, without a client: alarms in the service's own log and to its callback, and everything as text at
//! a signal.

use crate::{
    attach::agent,
    clients::{Clients, block_on, until},
    process::{Roles, Service, say, until_stdin_ends},
};
use holdup_agent::{Alarm, AlarmKind};
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read},
    sync::{Arc, atomic::AtomicU32},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Mutex,
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

pub(crate) const ROLES: Roles = &[
    ("alone-alarms", alarms),
    ("alone-alarms-by-variable", alarms_by_variable),
    ("alone-calm", calm),
    ("alone-blocked-log", blocked_log),
    ("alone-state", state),
];

/// A log that says of each alarm what it has.
struct Log(fn(&str));

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "holdup" && *event.metadata().level() == Level::ERROR {
            let mut fields = Fields(format!("log {}", event.metadata().level()));
            event.record(&mut fields);
            (self.0)(&fields.0.replace('\n', " / "));
        }
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("text");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {}={value}", field.name()).expect("text");
    }
}

fn one_line(alarm: &Alarm) -> String {
    let stuck: Vec<String> = alarm
        .stuck
        .iter()
        .map(|stuck| format!("{} {} {} {}", stuck.worker, stuck.thread, stuck.task, stuck.stack.replace('\n', " / ")))
        .collect();
    format!("callback {} {} {} {}", alarm.kind.word(), alarm.runtime, alarm.unsaid, stuck.join(" | "))
}

const AFTER: Duration = Duration::from_millis(400);

fn builder() -> holdup_agent::Builder {
    holdup_agent::builder().address(([127, 0, 0, 1], 0).into())
}

fn two_workers() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("alone-worker").name("main").enable_all().build().expect("a runtime")
}

/// Keeps its worker for good, in a function that the stack is to name.
fn stay(runtime: &Runtime) {
    runtime.spawn(async { stalling::sleeps(&AtomicU32::new(0), Duration::from_secs(3600)) });
}

/// The same, of another place.
fn stay_too(runtime: &Runtime) {
    runtime.spawn(async { stalling::sleeps(&AtomicU32::new(0), Duration::from_secs(3600)) });
}

/// One worker is stuck, then all.
fn alarms() {
    let log = tracing_subscriber::registry().with(Log(|said| say(said)));
    let _agent = builder()
        .alarms(AFTER)
        .on_alarm(|alarm| say(one_line(alarm)))
        .with_subscriber(log)
        .try_init()
        .expect("it starts");
    let runtime = two_workers();
    stay(&runtime);
    // Once that was told of, all are.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("stdin can be read");
    stay_too(&runtime);
    until_stdin_ends();
    runtime.shutdown_background();
}

/// A callback that panics, and one place whose tasks keep their worker again and again.
fn alarms_by_variable() {
    let on_alarm = |alarm: &Alarm| {
        say(one_line(alarm));
        assert_eq!(alarm.kind, AlarmKind::AllWorkersStuck, "this is asked for");
    };
    let log = tracing_subscriber::registry().with(Log(|said| say(said)));
    let builder = builder().from_env().on_alarm(on_alarm).with_subscriber(log);
    let _agent = builder.try_init().expect("it starts");
    let runtime = two_workers();
    for _ in 0..3 {
        let task = runtime.spawn(async { thread::sleep(AFTER * 2) });
        runtime.block_on(task).expect("it ends");
    }
    runtime.block_on(runtime.spawn(async { thread::sleep(AFTER * 2) })).expect("it ends");
    say("over");
    until_stdin_ends();
}

/// Polls that are long, and not long enough; jobs and blocks in place that are.
fn calm() {
    let log = tracing_subscriber::registry().with(Log(|said| say(said)));
    let _agent = builder().alarms(Duration::from_secs(2)).with_subscriber(log).try_init().expect("it starts");
    let runtime = two_workers();
    runtime.block_on(async {
        let in_place = tokio::spawn(async { tokio::task::block_in_place(|| thread::sleep(Duration::from_secs(4))) });
        let job = tokio::task::spawn_blocking(|| thread::sleep(Duration::from_secs(4)));
        for _ in 0..6 {
            tokio::spawn(async { thread::sleep(Duration::from_millis(500)) }).await.expect("it ends");
        }
        in_place.await.expect("it ends");
        job.await.expect("it ends");
    });
    say("over");
}

/// A log that never returns.
fn blocked_log() {
    let log = tracing_subscriber::registry().with(Log(|_| {
        say("the log is blocked");
        loop {
            thread::park();
        }
    }));
    let agent = builder().alarms(AFTER).with_subscriber(log).try_init().expect("it starts");
    say(agent.address().expect("it listens"));
    let runtime = two_workers();
    stay(&runtime);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("stdin can be read");
    stay_too(&runtime);
    std::io::stdin().read_line(&mut line).expect("stdin can be read");
    // It does not wait for the log either.
    drop(agent);
    say("gone");
    until_stdin_ends();
    runtime.shutdown_background();
}

/// A lock that somebody has and somebody waits for, and a worker that is stuck.
fn state() {
    let _agent = agent();
    let runtime = two_workers();
    let lock = Arc::new(Mutex::new(()));
    let held = Arc::clone(&lock);
    let has = named("has-the-lock");
    runtime.block_on(async {
        let got = Arc::new(tokio::sync::Notify::new());
        let got_it = Arc::clone(&got);
        has.spawn(async move {
            let _guard = held.lock().await;
            got_it.notify_one();
            std::future::pending::<()>().await;
        })
        .expect("a runtime");
        got.notified().await;
    });
    let waits = named("waits\u{1b}for-it");
    waits.spawn_on(async move { drop(lock.lock().await) }, runtime.handle()).expect("a runtime");
    stay(&runtime);
    say("ready");
    until_stdin_ends();
    runtime.shutdown_background();
}

fn named(name: &'static str) -> tokio::task::Builder<'static> {
    tokio::task::Builder::new().name(name)
}

#[test]
fn a_stall_that_lasts_is_logged_with_its_stack_and_told_to_the_callback_and_then_that_all_are_stuck() {
    let mut service = Service::start("alone-alarms", &[]);
    let first = [service.hear(), service.hear()];
    assert!(first[0].starts_with("callback stall main 0 "), "{first:?}");
    assert!(first[0].contains("alone-worker task ") && first[0].contains("alone.rs:"), "{first:?}");
    assert!(
        first[1].starts_with("log ERROR ") && first[1].contains(" kind=stall runtime=main lasted_ms="),
        "{first:?}"
    );
    assert!(first[1].contains("sleeps on purpose"), "{first:?}");
    for said in &first {
        assert!(said.contains("stalling::sleeps") && said.contains("stalling/src/lib.rs:"), "{said}");
    }
    service.tell();
    let then = [service.hear(), service.hear()];
    assert!(then[0].starts_with("callback all-workers-stuck main 0 0 "), "{then:?}");
    assert_eq!(then[0].matches("stalling::sleeps").count(), 2, "{then:?}");
    assert!(then[1].contains("all workers of main have been stuck for "), "{then:?}");
}

#[test]
fn of_one_place_there_is_one_alarm_in_a_minute_and_a_callback_that_panics_stops_none() {
    let mut service = Service::start("alone-alarms-by-variable", &[("HOLDUP_ALARMS", "400ms")]);
    let mut said = Vec::new();
    while said.last().is_none_or(|last| last != "over") {
        said.push(service.hear());
    }
    let of = |kind: &str| said.iter().filter(|line| line.starts_with(kind)).count();
    assert_eq!((of("callback stall"), of("log ERROR")), (2, 2), "{said:#?}");
}

#[test]
fn what_lasts_less_long_or_keeps_no_worker_is_not_told() {
    let mut service = Service::start("alone-calm", &[]);
    assert_eq!(service.hear(), "over");
}

#[test]
fn a_log_that_blocks_keeps_nothing_but_alarms() {
    let mut service = Service::start("alone-blocked-log", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "the log is blocked");
    block_on(async {
        let mut clients = Clients::connect(address).await;
        let mut reports = clients.reports().await;
        service.tell();
        // Another stall is noticed, its stack captured, and the runtime judged.
        let mut stacks = std::collections::HashSet::new();
        until(&mut reports, |report| {
            let named = |stall: &&holdup_proto::v1::Stall| stall.stack.as_ref().is_some_and(|it| !it.frames.is_empty());
            stacks.extend(report.stalls.iter().filter(named).map(|stall| stall.id));
            let stuck = report.runtimes.iter().any(|runtime| !runtime.verdicts.is_empty());
            stuck && stacks.len() == 2
        })
        .await;
    });
    service.tell();
    assert_eq!(service.hear(), "gone");
}

/// The text up to its end.
fn whole(lines: &mut dyn Iterator<Item = String>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line);
        text.push('\n');
        if line == "that is all" {
            return text;
        }
    }
    panic!("it has no end: {text}");
}

fn holds_all(text: &str) {
    for part in [
        "the state of orders, process ",
        "runtimes: ",
        "  main: multi-thread, 2 workers, ",
        " in one poll of task ",
        "stalling::sleeps",
        "locks: 1 of 1 held or waited for",
        "  Mutex ",
        "    held by task ",
        " has-the-lock (",
        ", across an await",
        "    waits: task ",
        "waits\\u{1b}for-it (",
        "waits in Mutex::lock of Mutex ",
        "3 tasks live",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_signal_has_everything_written_as_text_to_stderr() {
    let environment = [("HOLDUP_STATE_SIGNAL", "usr2"), ("HOLDUP_NAME", "orders")];
    let (mut service, stderr) = Service::start_with_stderr("alone-state", &environment);
    let _address = service.address();
    assert_eq!(service.hear(), "ready");
    let mut lines = stderr.lines().map_while(Result::ok);
    // The stall is one after a tenth of a second, and its stack may take a moment.
    let complete = |text: &str| text.contains("stalling::sleeps") && text.contains("waits:");
    let text = (0..50).map(|_| {
        service.signal("USR2");
        let text = whole(&mut lines);
        thread::sleep(Duration::from_millis(100));
        text
    });
    holds_all(&text.into_iter().find(|text| complete(text)).expect("it is told"));
}

#[test]
fn a_signal_has_everything_appended_to_a_file() {
    let path = std::env::temp_dir().join(format!("holdup-alone-{}.txt", std::process::id()));
    let named = path.to_str().expect("text");
    let environment = [
        ("HOLDUP_STATE_SIGNAL", "usr1"),
        ("HOLDUP_STATE_FILE", named),
        ("HOLDUP_NAME", "orders"),
        ("HOLDUP_DETAIL", "lean"),
    ];
    let mut service = Service::start("alone-state", &environment);
    let _address = service.address();
    assert_eq!(service.hear(), "ready");
    let begun = Instant::now();
    for time in 1..=2 {
        service.signal("USR1");
        let text = || fs::read_to_string(&path).unwrap_or_default();
        while text().matches("that is all").count() < time {
            assert!(begun.elapsed() < Duration::from_secs(20), "it never came: {}", text());
            thread::sleep(Duration::from_millis(20));
        }
    }
    let mut text = String::new();
    BufReader::new(fs::File::open(&path).expect("it is there")).read_to_string(&mut text).expect("text");
    fs::remove_file(&path).expect("it is there");
    assert!(text.contains("detail lean") && text.contains("has-the-lock"), "{text}");
}
