//! A service with the agent that spawns ten thousand tasks a second, one client that watches it all the time, and others that come and go: what the
//! service and the client have must not grow.
//!
//! ```text
//! cargo run --release -p holdup-faults --bin soak -- --lasting 30m
//! ```
//!
//! Resident memory, file descriptors and threads of both are looked at four times a second. The first third of the time is for warming up; the most of the last third
//! must not be more than the most of the second, but for what scatters.

use clap::Parser;
use faults::{Child, Client, Seen};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use std::{
    io,
    io::Read as _,
    net::SocketAddr,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tracing::Instrument as _;

/// How often it is looked at what both have.
const LOOK: Duration = Duration::from_millis(250);

/// Clients that come and go, at once.
const GUESTS: u64 = 4;

/// What scatters: a part of the memory, and what an allocator takes at a time; those of the guests that are there by chance; threads that tokio starts when they
/// are needed.
const MEMORY: (u64, u64) = (10, 4 << 20);
const DESCRIPTORS: u64 = GUESTS;
const THREADS: u64 = 1;

#[derive(Debug, Parser)]
struct Arguments {
    /// For how long.
    #[arg(long, default_value = "1m")]
    lasting: humantime::Duration,

    /// Tasks that the service spawns in a second.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,

    /// Is the service.
    #[arg(long, hide = true)]
    serve: bool,

    /// Is the client that watches what is at this address.
    #[arg(long, hide = true)]
    watch: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.watch {
        Some(address) => watch(address),
        None if arguments.serve => serve(arguments.rate),
        None => soak(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Is the service: says where its agent is, and when its stdin ends, how many tasks there were.
fn serve(rate: u64) -> Result<(), String> {
    static SPAWNED: AtomicU64 = AtomicU64::new(0);
    let builder = holdup_agent::builder().from_env().address(([127, 0, 0, 1], 0).into());
    let agent = builder.try_init().map_err(words)?;
    println!("{}", agent.address().ok_or("the agent is off")?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(words)?;
    runtime.spawn(async move {
        let mut every = interval(Duration::from_millis(10));
        // Where the machine is busy they are spawned later, and not left out.
        every.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            every.tick().await;
            for number in 0..rate / 100 {
                let request = async { tokio::task::yield_now().await };
                tokio::spawn(request.instrument(tracing::info_span!("request", number)));
            }
            SPAWNED.fetch_add(rate / 100, Relaxed);
        }
    });
    io::stdin().lock().read_to_end(&mut Vec::new()).map_err(words)?;
    println!("spawned {}", SPAWNED.load(Relaxed));
    runtime.shutdown_background();
    Ok(())
}

/// Is the client: says how many updates it was told, when its stdin ends.
fn watch(address: SocketAddr) -> Result<(), String> {
    static UPDATES: AtomicU64 = AtomicU64::new(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(words)?;
    runtime.spawn(async move {
        let mut client = Client::attach(address);
        while client.update().await.is_some() {
            UPDATES.fetch_add(1, Relaxed);
        }
    });
    io::stdin().lock().read_to_end(&mut Vec::new()).map_err(words)?;
    println!("updates {}", UPDATES.load(Relaxed));
    runtime.shutdown_background();
    Ok(())
}

fn soak(arguments: &Arguments) -> Result<(), String> {
    let rate = arguments.rate.to_string();
    let mut service = Child::start(&["--serve", "--rate", &rate]).map_err(words)?;
    let agent: SocketAddr = service.says(|line| line.parse().ok()).map_err(words)?;
    let mut client = Child::start(&["--watch", &agent.to_string()]).map_err(words)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(words)?;
    let guests = AtomicU64::new(0);
    let looks = runtime.block_on(async {
        tokio::select! {
            looks = look(&service, &client, *arguments.lasting) => looks,
            () = come_and_go(agent, &guests) => Err("nobody comes any more".to_owned()),
        }
    })?;
    drop(runtime);
    let [spawned, updates] = [(&mut service, "spawned "), (&mut client, "updates ")].map(|(child, key)| {
        child.end();
        child.says(|line| line.strip_prefix(key)?.parse::<u64>().ok())
    });
    let (spawned, updates) = (spawned.map_err(words)?, updates.map_err(words)?);
    println!("{spawned} tasks, {updates} updates, {} clients that came and went", guests.load(Relaxed));
    let mut wrong = judge("service", looks.iter().map(|(service, _)| *service));
    wrong.extend(judge("client", looks.iter().map(|(_, client)| *client)));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Looks at both for so long.
async fn look(service: &Child, client: &Child, lasting: Duration) -> Result<Vec<(Seen, Seen)>, String> {
    let (begun, mut looks) = (Instant::now(), Vec::new());
    while begun.elapsed() < lasting {
        sleep(LOOK).await;
        looks.push((service.seen().map_err(words)?, client.seen().map_err(words)?));
    }
    Ok(looks)
}

/// Clients that attach, are told a few updates and leave, one after the other, some at a time.
async fn come_and_go(agent: SocketAddr, count: &AtomicU64) {
    let mut guests = JoinSet::new();
    let guest = |mut random: SmallRng| async move {
        let mut client = Client::attach(agent);
        let leaves = Duration::from_millis(random.random_range(50..3_000));
        // It may leave in the middle of an update.
        let stays = async { while client.update().await.is_some() {} };
        let _ = timeout(leaves, stays).await;
        random
    };
    for number in 0..GUESTS {
        guests.spawn(guest(SmallRng::seed_from_u64(number)));
    }
    while let Some(Ok(random)) = guests.join_next().await {
        count.fetch_add(1, Relaxed);
        guests.spawn(guest(random));
    }
}

/// Prints the most that a process had in each third of the time, and says what has grown.
fn judge(whose: &str, looks: impl Iterator<Item = Seen>) -> Vec<String> {
    let looks: Vec<Seen> = looks.collect();
    let third = looks.len() / 3;
    let most = |part: &[Seen], of: fn(&Seen) -> u64| part.iter().map(of).max().unwrap_or(0);
    let mut wrong = Vec::new();
    let mut check = |what: &str, of: fn(&Seen) -> u64, unit: u64, scatters: fn(u64) -> u64| {
        let [first, second, last] =
            [&looks[..third], &looks[third..third * 2], &looks[third * 2..]].map(|part| most(part, of));
        println!("{whose} {what}: {} / {} / {}", first / unit, second / unit, last / unit);
        if last > second + scatters(second) {
            wrong.push(format!("{whose}: {what} have grown from {second} to {last}"));
        }
    };
    check("KiB resident", |seen| seen.resident, 1 << 10, |before| before / MEMORY.0 + MEMORY.1);
    check("descriptors", |seen| seen.descriptors, 1, |_| DESCRIPTORS);
    check("threads", |seen| seen.threads, 1, |_| THREADS);
    wrong
}
