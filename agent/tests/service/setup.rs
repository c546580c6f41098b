//! Set-up: one line is enough, what is wrong with it is an error in words, and an agent that is switched off is not there.

use crate::{
    clients::{Clients, block_on, until},
    process::{Roles, Service, play, say, until_stdin_ends},
};
use holdup_agent::{Agent, Detail, Error};
use std::{
    env,
    net::{SocketAddr, TcpListener},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_core::{Callsite, Interest, Kind, Level, Metadata, field::FieldSet, identify_callsite};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

pub(crate) const ROLES: Roles = &[
    ("setup-init", init),
    ("setup-init-in-main", init_in_main),
    ("setup-taken-port", taken_port),
    ("setup-subscriber-set", subscriber_set),
    ("setup-twice", twice),
    ("setup-again", again),
    ("setup-off", off),
    ("setup-late-answer", late_answer),
    ("setup-goes-on", goes_on),
    ("setup-goes-on-alone", goes_on_alone),
    ("setup-bad-variable", bad_variable),
    ("setup-wrapped", wrapped),
    ("setup-wrapped-off", wrapped_off),
    ("setup-ended", ended),
    ("setup-found", found),
    ("setup-not-found", not_found),
];

const FREE: &str = "127.0.0.1:0";

pub(crate) fn free() -> SocketAddr {
    FREE.parse().expect("an address")
}

fn tell(started: Result<Agent, Error>) -> Option<Agent> {
    match started {
        Ok(agent) => {
            say(format_args!("listens: {}", agent.address().is_some()));
            Some(agent)
        }
        Err(error) => {
            say(error);
            None
        }
    }
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn init() {
    drop(tell(holdup_agent::try_init()));
}

fn init_in_main() {
    #[tokio::main]
    async fn main() -> Result<(), Error> {
        let _agent = tell(holdup_agent::try_init());
        say(tokio::spawn(async { "spawned" }).await.expect("it does not panic"));
        Ok(())
    }
    main().expect("it starts");
}

fn taken_port() {
    let taken = TcpListener::bind(FREE).expect("a port is free");
    let address = taken.local_addr().expect("it is bound");
    say(address);
    drop(tell(holdup_agent::builder().address(address).try_init()));
    // And nothing is left of the attempt.
    drop(tell(holdup_agent::builder().address(free()).try_init()));
}

fn subscriber_set() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).expect("it is the first");
    let before = threads();
    drop(tell(holdup_agent::builder().address(free()).try_init()));
    // A thread that was joined may be listed for a moment longer: the kernel tells of its end before it takes it off.
    let patience = Instant::now() + Duration::from_secs(10);
    while threads() > before && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
    say(format_args!("threads left: {}", threads() - before));
}

fn twice() {
    let _agent = tell(holdup_agent::builder().address(free()).try_init());
    drop(tell(holdup_agent::builder().address(free()).try_init()));
}

fn again() {
    let agent = holdup_agent::builder().address(free()).try_init().expect("it starts");
    let address = agent.address().expect("it listens");
    agent.shutdown();
    say(format_args!("port free: {}", TcpListener::bind(address).is_ok()));
}

fn off() {
    let before = threads();
    let agent = holdup_agent::builder().address(free()).detail(Detail::Off).try_init();
    drop(tell(agent));
    say(format_args!("threads more: {}", threads() - before));
    say(format_args!("subscriber: {}", tracing::dispatcher::has_been_set()));
    let own = holdup_agent::builder().detail(Detail::Off).with_subscriber(tracing_subscriber::registry()).try_init();
    drop(tell(own));
    let is_own = tracing::dispatcher::get_default(tracing::Dispatch::is::<tracing_subscriber::Registry>);
    say(format_args!("the service's own subscriber: {is_own}"));
}

/// A log that says what it is told of holdup, and of the service; but for where the agent listens, which is told by another thread, and so at any time.
struct Log;

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_where(event.metadata()) {
            return;
        }
        let mut said = Said(String::new());
        event.record(&mut said);
        say(format_args!("{} {}: {}", event.metadata().level(), event.metadata().target(), said.0));
    }
}

fn is_where(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "holdup" && *metadata.level() == Level::INFO
}

/// A log that says where the agent listens, and on which thread it is told.
struct Where;

impl<S: Subscriber> Layer<S> for Where {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_where(event.metadata()) {
            let mut said = Said(String::new());
            event.record(&mut said);
            say(format_args!("{}: {}", std::thread::current().name().unwrap_or_default(), said.0));
        }
    }
}

struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// The port is taken, and free after a while; a variable is wrong.
fn goes_on() {
    let taken = TcpListener::bind(FREE).expect("a port is free");
    let address = taken.local_addr().expect("it is bound");
    say(address);
    let builder = holdup_agent::builder().from_env().address(address);
    let agent = builder.with_subscriber(tracing_subscriber::registry().with(Log)).init();
    tracing::info!(target: "orders", "goes on");
    say(format_args!("listens: {}, missing: {}", agent.address().is_some(), agent.missing().len()));
    drop(taken);
    until_stdin_ends();
    say(format_args!("listens: {}, missing: {}", agent.address() == Some(address), agent.missing().len()));
}

/// Another subscriber is there already.
fn goes_on_alone() {
    let own = tracing_subscriber::registry().with(Log.with_filter(LevelFilter::INFO));
    tracing::subscriber::set_global_default(own).expect("it is the first");
    let agent = holdup_agent::builder().address(free()).init();
    say(format_args!("listens: {}, missing: {}", agent.address().is_some(), agent.missing().len()));
    let second = holdup_agent::builder().address(free()).init();
    say(format_args!("listens: {}", second.address().is_some()));
}

fn bad_variable() {
    let agent = holdup_agent::init();
    say(format_args!("listens: {}", agent.address().is_some()));
    agent.missing().iter().for_each(say);
}

/// Installed as a service does it that wants records of the crate `log` as well.
fn wrapped() {
    let builder = holdup_agent::builder().address(free());
    builder.wrap(tracing_subscriber::registry().with(Log)).init();
    let agent = builder.init();
    say(agent.address().expect("it listens"));
    log::info!(target: "old", "by log");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let task = tokio::task::Builder::new().name("seen").spawn(std::future::pending::<()>()).expect("a runtime");
        say(format_args!("missing: {:?}", agent.missing()));
        until_stdin_ends();
        task.abort();
    });
}

/// Switched off, the wrapped one is the service's own.
fn wrapped_off() {
    let builder = holdup_agent::builder().detail(Detail::Off);
    builder.wrap(tracing_subscriber::registry().with(Log.with_filter(LevelFilter::INFO))).init();
    let before = threads();
    let agent = builder.init();
    tracing::info!(target: "orders", "as ever");
    say(format_args!("listens: {}, threads more: {}", agent.address().is_some(), threads() - before));
    say(format_args!("at most: {}", tracing::level_filters::LevelFilter::current()));
}

/// It has ended, and tasks that began before go on: their spans are entered, left and closed.
fn ended() {
    let builder = holdup_agent::builder().address(free()).with_subscriber(tracing_subscriber::registry().with(Log));
    let agent = builder.init();
    tracing_core::callsite::register(&SITE);
    say(format_args!("dead: {}", SITE.0.load(Ordering::SeqCst)));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (go, goes) = tokio::sync::oneshot::channel::<()>();
        let before = tokio::spawn(async move { goes.await.is_ok() });
        tokio::task::yield_now().await;
        agent.shutdown();
        say(format_args!("dead: {}", SITE.0.load(Ordering::SeqCst)));
        go.send(()).expect("it waits");
        say(format_args!("ends: {}", before.await.expect("it does not panic")));
        say(format_args!("panics: {}", tokio::spawn(async { panic!("on purpose") }).await.is_err()));
        tracing::info!(target: "orders", "goes on");
    });
    drop(runtime);
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux").filter_map(Result::ok);
    let names = threads.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
    let left: Vec<String> = names.map(|it| it.trim().to_owned()).filter(|it| it.starts_with("holdup")).collect();
    say(format_args!("threads: {left:?}"));
}

/// One of many instances: it picks a port, and is found.
fn found() {
    let builder = holdup_agent::builder().from_env().with_subscriber(tracing_subscriber::registry().with(Where));
    let agent = builder.init();
    let file = env::var("HOLDUP_ADDR_FILE").expect("it is set");
    say(format_args!("by file: {}", std::fs::read_to_string(&file).expect("it is there")));
    until_stdin_ends();
    agent.shutdown();
    say(format_args!("left: {}", std::fs::exists(&file).expect("it can be looked for")));
}

fn not_found() {
    let agent = holdup_agent::builder().from_env().init();
    say(format_args!("listens: {}", agent.address().is_some()));
    agent.missing().iter().for_each(say);
}

/// A callsite as tokio's tasks have one, and whether it is dead: nobody is interested in it.
struct Site(AtomicBool);

static SITE: Site = Site(AtomicBool::new(false));
static SPAWN: Metadata<'static> = Metadata::new(
    "runtime.spawn",
    "tokio::task",
    Level::TRACE,
    None,
    None,
    Some("tokio::util::trace"),
    FieldSet::new(&["task.id"], identify_callsite!(&SITE)),
    Kind::SPAN,
);

impl Callsite for Site {
    fn set_interest(&self, interest: Interest) {
        self.0.store(interest.is_never(), Ordering::SeqCst);
    }

    fn metadata(&self) -> &Metadata<'_> {
        &SPAWN
    }
}

fn late_answer() {
    tracing_core::callsite::register(&SITE);
    let is_dead = || SITE.0.load(Ordering::SeqCst);
    say(format_args!("dead before: {}", is_dead()));
    let _agent = tell(holdup_agent::builder().address(free()).try_init());
    say(format_args!("dead then: {}", is_dead()));
    // A thread that had asked before, and is slow.
    SITE.set_interest(Interest::never());
    let lives = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        !is_dead()
    });
    say(format_args!("lives again: {lives}"));
}

#[test]
fn a_callsite_that_was_asked_before_the_agent_was_there_is_asked_again() {
    let said = play("setup-late-answer", &[]);
    assert_eq!(said, ["dead before: true", "listens: true", "dead then: false", "lives again: true"]);
}

#[test]
fn one_line_starts_it_with_what_the_environment_says() {
    assert_eq!(play("setup-init", &[("HOLDUP_ADDR", FREE)]), ["listens: true"]);
    assert_eq!(play("setup-init", &[("HOLDUP_DETAIL", "off")]), ["listens: false"]);
    assert_eq!(play("setup-init", &[("HOLDUP_ADDR", FREE), ("HOLDUP_DETAIL", "lean")]), ["listens: true"]);
}

#[test]
fn a_service_without_instrumentation_is_told_how_to_be_built() {
    let said = Error::NotInstrumented.to_string();
    assert!(said.contains("RUSTFLAGS=\"--cfg tokio_unstable\"") && said.contains(".cargo/config.toml"), "{said}");
}

#[test]
fn it_starts_inside_of_a_runtime_too() {
    assert_eq!(play("setup-init-in-main", &[("HOLDUP_ADDR", FREE)]), ["listens: true", "spawned"]);
}

#[test]
fn a_variable_with_a_bad_value_is_an_error_that_names_it() {
    let said = play("setup-init", &[("HOLDUP_ADDR", FREE), ("HOLDUP_DETAIL", "loud")]);
    assert_eq!(said, ["HOLDUP_DETAIL=\"loud\" is not valid: one of full, lean and off"]);
}

#[test]
fn a_taken_port_is_an_error_that_says_what_to_try_and_leaves_nothing_behind() {
    let said = play("setup-taken-port", &[]);
    assert!(said[1].contains(&said[0]) && said[1].contains("HOLDUP_ADDR"), "{said:?}");
    assert_eq!(said[2], "listens: true");
}

#[test]
fn a_service_whose_port_is_taken_goes_on_with_its_log_and_is_found_once_the_port_is_free() {
    let file = env::temp_dir().join(format!("holdup-goes-on-{}.addr", std::process::id()));
    let mut service = Service::start("setup-goes-on", &[("HOLDUP_ADDR_FILE", file.to_str().expect("text"))]);
    let address = service.address();
    assert!(!file.exists(), "nobody can come there");
    let warning = service.hear();
    assert!(warning.starts_with("WARN holdup: holdup's agent goes on without some"), "{warning}");
    assert!(warning.contains(&format!("cannot listen on {address}")) && warning.contains("HOLDUP_ADDR"), "{warning}");
    assert_eq!([service.hear(), service.hear()], ["INFO orders: goes on", "listens: false, missing: 1"]);
    block_on(async {
        // It tries again every five seconds.
        let mut clients = Clients::connect_later(address).await;
        assert!(clients.describe().await.limitations.iter().all(|it| !it.contains("cannot listen")));
    });
    assert_eq!(std::fs::read_to_string(&file).expect("it is written"), format!("http://{address}\n"));
    service.end_stdin();
    assert_eq!(service.hear(), "listens: true, missing: 0");
    assert!(service.ends() == Some(0) && !file.exists(), "it is removed at the end");
}

#[test]
fn each_of_many_instances_is_found_by_its_file_and_its_log() {
    let file = env::temp_dir().join(format!("holdup-found-{}.addr", std::process::id()));
    let socket = env::temp_dir().join(format!("holdup-found-{}.sock", std::process::id()));
    let (file, socket) = (file.to_str().expect("text"), format!("unix:{}", socket.display()));
    for address in [FREE, &socket] {
        let mut service = Service::start("setup-found", &[("HOLDUP_ADDR", address), ("HOLDUP_ADDR_FILE", file)]);
        let mut said = [service.hear(), service.hear()];
        said.sort();
        let target = said[0].strip_prefix("by file: ").expect("the file has it").to_owned();
        assert_eq!(said[1], format!("holdup-audit: to watch this service: holdup {target}"));
        match target.strip_prefix("http://") {
            Some(address) => block_on(async {
                Clients::connect(address.parse().expect("an address")).await.describe().await;
            }),
            None => assert_eq!(target, socket),
        }
        service.end_stdin();
        assert_eq!(service.hear(), "left: false");
    }
}

#[test]
fn a_file_that_cannot_be_written_keeps_nobody_away() {
    let said = play("setup-not-found", &[("HOLDUP_ADDR", FREE), ("HOLDUP_ADDR_FILE", "/nonexistent/a")]);
    assert!(said[0] == "listens: true" && said[1].contains("/nonexistent/a"), "{said:?}");
    let failed = play("setup-init", &[("HOLDUP_ADDR", FREE), ("HOLDUP_ADDR_FILE", "/nonexistent/a")]);
    assert!(failed[0].contains("HOLDUP_ADDR_FILE"), "{failed:?}");
}

#[test]
fn a_service_with_another_subscriber_goes_on_without_an_agent() {
    let said = play("setup-goes-on-alone", &[]);
    assert!(said[0].starts_with("WARN holdup: ") && said[0].contains("with_subscriber"), "{said:?}");
    assert_eq!(said[1], "listens: false, missing: 1");
    assert!(said[2].starts_with("WARN holdup: "), "{said:?}");
    assert_eq!(said[3], "listens: false");
}

#[test]
fn a_variable_with_a_bad_value_leaves_its_default() {
    let said = play("setup-bad-variable", &[("HOLDUP_ADDR", FREE), ("HOLDUP_STATE_SIGNAL", "loud")]);
    assert_eq!(said[0], "listens: true");
    assert!(said[1].starts_with("HOLDUP_STATE_SIGNAL=\"loud\" is not valid: one of"), "{said:?}");
    // Who may look, and whether anybody may, is not guessed.
    for (name, value) in [
        ("HOLDUP_DETAIL", "loud"),
        ("HOLDUP_FIELDS", "nmaes"),
        ("HOLDUP_ADDR", "unix:holdup.sock"),
        ("HOLDUP_TLS_CLIENT_NAMES", "a=everything"),
    ] {
        let said = play("setup-bad-variable", &[("HOLDUP_ADDR", FREE), (name, value)]);
        assert!(said.len() == 2 && said[0] == "listens: false" && said[1].starts_with(name), "{said:?}");
    }
    // Nor is what would let everybody in listened on.
    let said = play("setup-bad-variable", &[("HOLDUP_ADDR", "0.0.0.0:0")]);
    assert!(said[0] == "listens: false" && said[1].contains("nothing would keep anybody out"), "{said:?}");
}

#[test]
fn a_wrapped_subscriber_is_installed_by_the_service_and_takes_in_records_of_log() {
    let mut service = Service::start("setup-wrapped", &[]);
    // The first line: what the agent's own runtime tells by `log` is not the service's to hear.
    let address = service.address();
    // What the service's own does is.
    let mut hear = || loop {
        let said = service.hear();
        if !said.starts_with("TRACE log: ") {
            return said;
        }
    };
    assert_eq!([hear(), hear()], ["INFO log: by log", "missing: []"]);
    block_on(async {
        let mut clients = Clients::connect(address).await;
        let mut reports = clients.reports().await;
        until(&mut reports, |report| !report.tasks.is_empty()).await;
        assert!(clients.describe().await.limitations.iter().all(|it| !it.contains("nothing that tokio tells")));
    });
}

#[test]
fn a_wrapped_subscriber_that_is_switched_off_is_the_service_s_own() {
    let said = play("setup-wrapped-off", &[]);
    assert_eq!(said, ["INFO orders: as ever", "listens: false, threads more: 0", "at most: info"]);
}

#[test]
fn after_a_shutdown_everything_is_passed_on_and_nothing_noted() {
    let said = play("setup-ended", &[]);
    assert_eq!(said[..5], ["dead: false", "dead: true", "ends: true", "panics: true", "INFO orders: goes on"]);
    // The thread that names stacks waits for good, and does nothing.
    assert!(["threads: []", "threads: [\"holdup-stacks\"]"].contains(&&*said[5]), "{said:?}");
}

#[test]
fn a_subscriber_that_is_there_already_is_an_error_that_says_where_to_put_it() {
    let said = play("setup-subscriber-set", &[]);
    assert!(said[0].contains("with_subscriber"), "{said:?}");
    assert_eq!(said[1], "threads left: 0");
}

#[test]
fn a_second_agent_is_an_error() {
    let said = play("setup-twice", &[]);
    assert_eq!(said[0], "listens: true");
    assert!(said[1].contains("already"), "{said:?}");
}

#[test]
fn after_a_shutdown_the_port_is_free() {
    assert_eq!(play("setup-again", &[]), ["port free: true"]);
}

#[test]
fn switched_off_there_is_no_thread_no_port_and_no_subscriber_but_the_services_own() {
    assert_eq!(
        play("setup-off", &[]),
        [
            "listens: false",
            "threads more: 0",
            "subscriber: false",
            "listens: false",
            "the service's own subscriber: true",
        ]
    );
}
