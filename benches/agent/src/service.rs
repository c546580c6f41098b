//! A service that somebody watches over the wire, in a process of its own. It says on stdout where it is watched and that it
//! is ready, does its work when it is told to on stdin, says what became of it, and ends with its stdin.

use crate::{
    done::{resident, runtime, spawn},
    mode::Mode,
    work::Work,
};
use std::{
    io::{BufRead, Read},
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How much of it there is.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Load {
    /// For how many seconds 100,000 tasks are spawned in each.
    #[arg(long, default_value_t = 5)]
    pub flood_seconds: u64,

    /// How many tasks are idle when a client comes.
    #[arg(long, default_value_t = 100_000)]
    pub idle_tasks: usize,

    /// For how many seconds tasks are spawned flat out before memory is looked at.
    #[arg(long, default_value_t = 60)]
    pub rss_seconds: u64,

    /// Stops spawning flat out when so many GiB are in use.
    #[arg(long, default_value_t = 6)]
    pub rss_limit: u64,

    /// How many polls stall.
    #[arg(long, default_value_t = 20)]
    pub stalls: usize,
}

/// Tasks a second in a flood.
pub(crate) const RATE: u64 = 100_000;

/// How many there are of which few change.
const TASKS: usize = 10_000;

/// Longer than it may take to be told of it.
const STALL: Duration = Duration::from_millis(450);

/// Serves one work that is watched from outside.
pub(crate) fn serve(work: Work, mode: Mode, load: &Load, scale: usize) -> Result<(), String> {
    let watching = mode.start(work.host())?;
    println!("{}", watching.address.map_or_else(|| "-".to_owned(), |address| address.to_string()));
    let runtime = runtime();
    if matches!(work, Work::FirstState | Work::FirstStateConsole) {
        runtime.block_on(idle(load.idle_tasks));
    }
    println!("ready");
    let mut stdin = std::io::stdin().lock();
    stdin.read_line(&mut String::new()).map_err(|error| error.to_string())?;
    match work {
        Work::Changing => println!("{}", runtime.block_on(changing(load))),
        Work::Flood => println!("{}", runtime.block_on(flood(load.flood_seconds))),
        Work::Churn | Work::ChurnWatched => println!("{}", runtime.block_on(churn(load))),
        Work::Stall | Work::StallStack => runtime.block_on(stalls(load.stalls)),
        work if work.is_attended() => println!("{}", work.run(scale)),
        _ => {}
    }
    stdin.read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    runtime.shutdown_background();
    Ok(())
}

/// The line of [`short`] at which its tasks are spawned, by which a client tells them from others.
pub(crate) const SHORT_LINE: u32 = line!() + 3;

fn short() {
    tokio::spawn(async {});
}

/// Spawns short tasks at [`RATE`]; how many.
async fn flood(seconds: u64) -> u64 {
    let spawner = tokio::spawn(async move {
        let (start, all) = (Instant::now(), seconds * RATE);
        let mut spawned = 0;
        let mut tick = interval(Duration::from_millis(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while spawned < all {
            tick.tick().await;
            let due = (start.elapsed().as_secs_f64() * RATE as f64) as u64;
            // Where the machine was busy, it is made up for little by little.
            let due = due.min(spawned + 1_000).min(all);
            (spawned..due).for_each(|_| short());
            spawned = due.max(spawned);
        }
        spawned
    });
    spawner.await.unwrap_or_default()
}

/// Spawns tasks that wait for ever, not all at once.
async fn idle(tasks: usize) {
    for at in 0..tasks {
        tokio::spawn(std::future::pending::<()>());
        if at % 1_000 == 999 {
            sleep(Duration::from_millis(10)).await;
        }
    }
    // Until an aggregator has taken note of them.
    sleep(Duration::from_secs(3)).await;
}

/// Spawns flat out; the bytes in use then, and after how many seconds.
async fn churn(load: &Load) -> String {
    let (start, limit) = (Instant::now(), (load.rss_limit << 30) as f64);
    while start.elapsed() < Duration::from_secs(load.rss_seconds) && resident() < limit {
        spawn(20_000).await;
    }
    format!("{} {}", resident(), start.elapsed().as_secs())
}

/// Lets one task of a hundred do something each second; the share of a processor that the agent's threads take, and the bytes in use in the end.
async fn changing(load: &Load) -> String {
    for at in 0..TASKS {
        tokio::spawn(async move {
            if at % 100 > 0 {
                return std::future::pending().await;
            }
            let mut tick = interval(Duration::from_secs(1));
            loop {
                tick.tick().await;
            }
        });
    }
    // Until they are known.
    sleep(Duration::from_secs(5)).await;
    let (before, start) = (agents_time(), Instant::now());
    sleep(Duration::from_secs(load.rss_seconds)).await;
    let share = agents_time().saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64();
    format!("{share} {}", resident())
}

/// How long the agent's threads have run.
fn agents_time() -> Duration {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Duration::ZERO };
    let of = |thread: std::path::PathBuf| {
        let name = std::fs::read_to_string(thread.join("comm")).ok()?;
        // In nanoseconds, which is finer than what `stat` has.
        let times = std::fs::read_to_string(thread.join("schedstat")).ok()?;
        let nanos = times.split_whitespace().next()?.parse().ok()?;
        name.starts_with("holdup").then(|| Duration::from_nanos(nanos))
    };
    threads.flatten().filter_map(|thread| of(thread.path())).sum()
}

/// Stalls one of two workers now and then.
async fn stalls(times: usize) {
    for _ in 0..times {
        tokio::spawn(async { std::thread::sleep(STALL) }).await.ok();
        sleep(Duration::from_millis(130)).await;
    }
    println!("done");
    // The last one has yet to be told.
    sleep(Duration::from_secs(1)).await;
}
