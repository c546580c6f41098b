//! The wire against a peer that does what peers do: die, come back as somebody else, send too much, send nonsense, or
//! not be a console at all. Real sockets on the loopback interface. A wait that takes longer than [`PATIENCE`] is a
//! failure; no test depends on how much shorter it is.

#[path = "wire/connects.rs"]
mod connects;
#[path = "wire/obeys.rs"]
mod obeys;
#[path = "wire/older.rs"]
mod older;
#[path = "wire/peer.rs"]
mod peer;
#[path = "wire/raw.rs"]
mod raw;
#[path = "wire/receives.rs"]
mod receives;
#[path = "wire/reconnects.rs"]
mod reconnects;
#[path = "wire/says.rs"]
mod says;

use console_api as api;
use holdup::{
    source::{
        Backoff, CatchUp, Command, Connection, Event, Link, Options, Protocol, Target, Temporality, decode, encode,
        open,
    },
    update::{Begin, DecodeIssues, Doing, Fact, Part, Stamp, TaskId, Update},
};
use holdup_proto::v1;
use peer::{Console, PauseCall, Peer, Reports, StateCall, agent, free_address};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> Options {
    let (first, cap) = (Duration::from_millis(10), Duration::from_millis(40));
    Options { backoff: Backoff::new(first, cap).expect("valid bounds"), answer_timeout: PATIENCE, ..Options::default() }
}

fn link_to(address: SocketAddr) -> Link {
    open(target(&address.to_string()), options())
}

fn target(text: &str) -> Target {
    text.parse().expect("a target")
}

async fn next(link: &mut Link) -> Event {
    timeout(PATIENCE, link.events.recv()).await.expect("an event in time").expect("the link goes on")
}

/// Takes events until one is what is looked for.
async fn until<T>(link: &mut Link, mut find: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        if let Some(found) = find(next(link).await) {
            return found;
        }
    }
}

async fn update(link: &mut Link) -> Update {
    until(link, |event| match event {
        Event::Update(update) => Some(*update),
        _ => None,
    })
    .await
}

async fn session(link: &mut Link) -> Begin {
    until(link, |event| match event {
        Event::Begin(session) => Some(*session),
        _ => None,
    })
    .await
}

async fn lost(link: &mut Link) -> String {
    until(link, |event| match event {
        Event::Connection(Connection::Lost { reason, .. }) => Some(reason),
        _ => None,
    })
    .await
}

async fn gave_up(link: &mut Link) -> String {
    until(link, |event| match event {
        Event::Connection(Connection::GaveUp { reason }) => Some(reason),
        Event::Connection(Connection::Lost { reason, .. }) => panic!("only lost: {reason}"),
        _ => None,
    })
    .await
}

async fn told(link: &mut Link) -> Temporality {
    until(link, |event| match event {
        Event::Temporality(temporality) => Some(temporality),
        _ => None,
    })
    .await
}

async fn command(link: &Link, command: Command) {
    link.commands.send(command).await.expect("the link goes on");
}

/// Waits for a count at the peer.
async fn reaches(count: &AtomicU64, wanted: u64) {
    let reached = async {
        while count.load(SeqCst) != wanted {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reached).await.expect("the count in time");
}

fn ids(update: &Update) -> Vec<u64> {
    update.new_tasks.iter().map(|task| task.id.0).collect()
}

fn timestamp(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

fn task(id: u64, name: &str) -> api::tasks::Task {
    api::tasks::Task {
        id: Some(id.into()),
        fields: vec![api::Field { metadata_id: None, name: Some("task.name".into()), value: Some(name.into()) }],
        ..api::tasks::Task::default()
    }
}

fn tasks(new_tasks: Vec<api::tasks::Task>) -> api::instrument::Update {
    api::instrument::Update {
        now: Some(timestamp(1)),
        task_update: Some(api::tasks::TaskUpdate { new_tasks, ..api::tasks::TaskUpdate::default() }),
        ..api::instrument::Update::default()
    }
}

fn three() -> api::instrument::Update {
    tasks(vec![task(1, "a"), task(2, "b"), task(3, "c")])
}
