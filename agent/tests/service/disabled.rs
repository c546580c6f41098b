//! What a service's own filters switch off costs what it costs without an agent, although tokio's spans are on: nobody is asked about it.

use crate::process::{Roles, play, say};
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::{Event, Metadata, Subscriber, subscriber::Interest};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    layer::{Context, SubscriberExt as _},
    reload,
    util::SubscriberInitExt as _,
};

pub(crate) const ROLES: Roles = &[
    ("disabled-by-env", || by_env(Watched::No)),
    ("disabled-by-env-agent", || by_env(Watched::ByAgent)),
    ("disabled-by-reload", || by_reload(Watched::No)),
    ("disabled-by-reload-agent", || by_reload(Watched::ByAgent)),
    ("disabled-by-each", || by_each(Watched::No)),
    ("disabled-by-each-agent", || by_each(Watched::ByAgent)),
];

#[derive(Clone, Copy)]
enum Watched {
    No,
    ByAgent,
}

/// Counts how often the service's subscriber is asked about its own events, and how many reach it.
struct Counts;

static ASKED: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);

impl<S: Subscriber> Layer<S> for Counts {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        ASKED.fetch_add(u64::from(is_own(metadata)), Ordering::Relaxed);
        true
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // The agent says on a thread of its own where it listens: at any moment of the test.
        SEEN.fetch_add(u64::from(is_own(event.metadata())), Ordering::Relaxed);
    }
}

/// Records of `log` are told by a callsite of theirs.
fn is_own(metadata: &Metadata<'_>) -> bool {
    ["orders", "log"].contains(&metadata.target())
}

/// The service installs its subscriber, by which `log` is taken in as well.
fn install(subscriber: impl Subscriber + Send + Sync, watched: Watched) -> Option<holdup_agent::Agent> {
    let agent = match watched {
        Watched::No => {
            subscriber.init();
            None
        }
        Watched::ByAgent => {
            let builder = holdup_agent::builder().address(([127, 0, 0, 1], 0).into());
            builder.wrap(subscriber).init();
            Some(builder.init())
        }
    };
    say(format_args!("log: {}", log::max_level()));
    agent
}

/// A thousand of each kind, of which the first asks whether anybody is interested.
fn log_much(when: &str) {
    for kind in ["trace", "debug", "log"] {
        let before = (ASKED.load(Ordering::Relaxed), SEEN.load(Ordering::Relaxed));
        for number in 0..1_000 {
            match kind {
                "trace" => tracing::trace!(target: "orders", number),
                "debug" => tracing::debug!(target: "orders", number),
                _ => log::debug!(target: "orders", "{number}"),
            }
        }
        let (asked, seen) = (ASKED.load(Ordering::Relaxed) - before.0, SEEN.load(Ordering::Relaxed) - before.1);
        say(format_args!("{when}: {kind}: asked {asked}, seen {seen}"));
    }
}

fn by_env(watched: Watched) {
    let _agent = install(Registry::default().with(EnvFilter::new("info")).with(Counts), watched);
    log_much("off");
}

fn by_reload(watched: Watched) {
    let (filter, handle) = reload::Layer::new(EnvFilter::new("info"));
    let _agent = install(Registry::default().with(filter).with(Counts), watched);
    log_much("off");
    handle.reload(EnvFilter::new("orders=debug")).expect("it is there");
    log_much("on");
    handle.reload(EnvFilter::new("info")).expect("it is there");
    log_much("off again");
}

fn by_each(watched: Watched) {
    let layers = Registry::default().with(Counts.with_filter(EnvFilter::new("info")));
    let layers =
        layers.with(tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(EnvFilter::new("warn")));
    let _agent = install(layers, watched);
    log_much("off");
}

#[test]
fn what_the_service_s_filters_switch_off_asks_nobody_as_without_an_agent() {
    for by in ["disabled-by-env", "disabled-by-reload", "disabled-by-each"] {
        let (without, with) = (play(by, &[]), play(&format!("{by}-agent"), &[]));
        assert_eq!(with, without, "{by}");
        assert_eq!(with[0], "log: INFO", "{by}");
        let off: Vec<_> = with.iter().filter(|line| line.starts_with("off")).collect();
        assert!(off.len() >= 3 && off.iter().all(|line| line.ends_with("asked 0, seen 0")), "{by}: {with:#?}");
    }
    let reloaded = play("disabled-by-reload-agent", &[]);
    assert!(reloaded.iter().any(|line| line.starts_with("on: debug") && line.ends_with("seen 1000")), "{reloaded:#?}");
}
