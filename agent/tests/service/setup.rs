//! Set-up: one line is enough, what is wrong with it is an error in words, and an agent that is switched off is not there.

use crate::process::{Roles, play, say};
use holdup_agent::{Agent, Detail, Error};
use std::{
    net::{SocketAddr, TcpListener},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tracing_core::{Callsite, Interest, Kind, Level, Metadata, field::FieldSet, identify_callsite};

pub(crate) const ROLES: Roles = &[
    ("setup-init", init),
    ("setup-init-in-main", init_in_main),
    ("setup-taken-port", taken_port),
    ("setup-subscriber-set", subscriber_set),
    ("setup-twice", twice),
    ("setup-again", again),
    ("setup-off", off),
    ("setup-late-answer", late_answer),
];

const FREE: &str = "127.0.0.1:0";

fn free() -> SocketAddr {
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
    drop(tell(holdup_agent::init()));
}

fn init_in_main() {
    #[tokio::main]
    async fn main() -> Result<(), Error> {
        let _agent = tell(holdup_agent::init());
        say(tokio::spawn(async { "spawned" }).await.expect("it does not panic"));
        Ok(())
    }
    main().expect("it starts");
}

fn taken_port() {
    let taken = TcpListener::bind(FREE).expect("a port is free");
    let address = taken.local_addr().expect("it is bound");
    say(address);
    drop(tell(holdup_agent::builder().address(address).init()));
    // And nothing is left of the attempt.
    drop(tell(holdup_agent::builder().address(free()).init()));
}

fn subscriber_set() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).expect("it is the first");
    let before = threads();
    drop(tell(holdup_agent::builder().address(free()).init()));
    // A thread that was joined may be listed for a moment longer: the kernel tells of its end before it takes it off.
    let patience = Instant::now() + Duration::from_secs(10);
    while threads() > before && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
    say(format_args!("threads left: {}", threads() - before));
}

fn twice() {
    let _agent = tell(holdup_agent::builder().address(free()).init());
    drop(tell(holdup_agent::builder().address(free()).init()));
}

fn again() {
    let agent = holdup_agent::builder().address(free()).init().expect("it starts");
    let address = agent.address().expect("it listens");
    agent.shutdown();
    say(format_args!("port free: {}", TcpListener::bind(address).is_ok()));
}

fn off() {
    let before = threads();
    let agent = holdup_agent::builder().address(free()).detail(Detail::Off).init();
    drop(tell(agent));
    say(format_args!("threads more: {}", threads() - before));
    say(format_args!("subscriber: {}", tracing::dispatcher::has_been_set()));
    let own = holdup_agent::builder().detail(Detail::Off).with_subscriber(tracing_subscriber::registry()).init();
    drop(tell(own));
    let is_own = tracing::dispatcher::get_default(tracing::Dispatch::is::<tracing_subscriber::Registry>);
    say(format_args!("the service's own subscriber: {is_own}"));
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
    let _agent = tell(holdup_agent::builder().address(free()).init());
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
