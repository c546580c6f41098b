//! The works: how each is called, what it may cost, and those that are done without anybody who watches from outside.

use crate::mode::{Mode, Reader};
use clap::ValueEnum;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::{Mutex, mpsc},
    task::{JoinSet, yield_now},
};

/// Something that a service does much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// A million tasks that do nothing.
    Spawn,
    /// 64 tasks that yield.
    Yield,
    /// 16 tasks that yield while they hold one mutex.
    Mutex,
    /// 8 tasks that send to one bounded channel.
    Channel,
    /// 64 connections that are echoed to.
    Echo,
    /// The same as [`Work::Spawn`] while holdup is attached.
    SpawnHoldup,
    /// While tokio-console is.
    SpawnConsole,
    /// While a client is attached that reads nothing.
    SpawnUnread,
    /// The same as [`Work::Yield`] while holdup is attached.
    YieldHoldup,
    /// While tokio-console is.
    YieldConsole,
    /// Tasks that wait for ever.
    Idle,
    /// Short tasks at a known rate, while a client is attached.
    Flood,
    /// Many idle tasks, and a client that comes then.
    FirstState,
    /// The same for tokio-console.
    FirstStateConsole,
    /// Short tasks flat out: memory.
    Churn,
    /// The same while a client is attached.
    ChurnWatched,
    /// Stalls, and when a client hears of them.
    Stall,
    /// The same, until it has the stack.
    StallStack,
}

impl Work {
    /// How it is called in the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Spawn => "spawn 1 M empty tasks",
            Self::Yield => "yield (64 tasks × 200,000)",
            Self::Mutex => "contended Mutex, yield while held (16×50,000)",
            Self::Channel => "mpsc, capacity 64, 8 producers, 1 M",
            Self::Echo => "TCP echo, 64 connections",
            Self::SpawnHoldup => "spawn 1 M, holdup attached",
            Self::SpawnConsole => "spawn 1 M, tokio-console attached",
            Self::SpawnUnread => "spawn 1 M, a client that reads nothing",
            Self::YieldHoldup => "yield, holdup attached",
            Self::YieldConsole => "yield, tokio-console attached",
            Self::Idle => "memory for each live idle task",
            Self::Flood => "lost at 100,000 spawns/s; age of the oldest",
            Self::FirstState => "100,000 idle tasks: first state complete",
            Self::FirstStateConsole => "the same, by the console's service",
            Self::Churn => "RSS after 60 s of spawning flat out",
            Self::ChurnWatched => "RSS, the same with a client attached",
            Self::Stall => "stall, threshold to client: median / worst",
            Self::StallStack => "stall, threshold to stack: median / worst",
        }
    }

    /// What it may be in full detail, and in lean.
    pub(crate) fn at_most(self) -> [&'static str; 2] {
        match self {
            Self::Spawn => ["2.0", "1.7"],
            Self::Yield => ["2.5", "1.9"],
            Self::SpawnHoldup | Self::SpawnConsole | Self::SpawnUnread | Self::YieldHoldup | Self::YieldConsole => {
                ["", ""]
            }
            Self::Mutex => ["5", "3"],
            Self::Channel => ["4", "2.5"],
            Self::Echo => ["1.05", "1.02"],
            Self::Idle => ["+1 KB", "+600 B"],
            Self::Flood => ["0", "0"],
            Self::FirstState | Self::FirstStateConsole => ["0.5 s", "0.5 s"],
            Self::Churn | Self::ChurnWatched => ["150 MiB", "100 MiB"],
            Self::Stall | Self::StallStack => ["250 ms", "250 ms"],
        }
    }

    /// Its word on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it is measured from outside of the service, once.
    pub(crate) fn is_watched(self) -> bool {
        use Work::{Churn, ChurnWatched, FirstState, FirstStateConsole, Flood, Stall, StallStack};
        matches!(self, Flood | FirstState | FirstStateConsole | Churn | ChurnWatched | Stall | StallStack)
    }

    /// Whether it is timed while somebody is attached, where there is somebody to attach to.
    pub(crate) fn is_attended(self) -> bool {
        use Work::{SpawnConsole, SpawnHoldup, SpawnUnread, YieldConsole, YieldHoldup};
        matches!(self, SpawnHoldup | SpawnConsole | SpawnUnread | YieldHoldup | YieldConsole)
    }

    /// Who is attached.
    pub(crate) fn reader(self, mode: Mode) -> Reader {
        match self {
            Self::SpawnConsole | Self::YieldConsole | Self::FirstStateConsole => Reader::Console,
            _ => mode.holdup_reads(),
        }
    }

    /// Whether there is anything to measure in a mode.
    pub(crate) fn is_for(self, mode: Mode) -> bool {
        match self {
            Self::Flood | Self::FirstState | Self::FirstStateConsole | Self::ChurnWatched => mode != Mode::Plain,
            Self::Stall | Self::StallStack => mode.is_agent(),
            _ => true,
        }
    }

    /// Whether it is memory that is measured, in bytes for each task, and not seconds.
    pub(crate) fn is_memory(self) -> bool {
        self == Self::Idle
    }

    /// Does it, and returns what it took.
    pub(crate) fn run(self, scale: usize) -> f64 {
        let runtime = runtime();
        // What is made once is made before.
        runtime.block_on(async { tokio::spawn(yield_now()).await.ok() });
        if self == Self::Idle {
            return runtime.block_on(idle(200_000 / scale));
        }
        let start = Instant::now();
        runtime.block_on(async {
            match self {
                Self::Spawn | Self::SpawnHoldup | Self::SpawnConsole | Self::SpawnUnread => {
                    spawn(1_000_000 / scale).await;
                }
                Self::Yield | Self::YieldHoldup | Self::YieldConsole => yields(200_000 / scale).await,
                Self::Mutex => mutex(50_000 / scale).await,
                Self::Channel => channel(1_000_000 / scale).await,
                Self::Echo => echo(5_000 / scale).await,
                _ => {}
            }
        });
        start.elapsed().as_secs_f64()
    }
}

/// The runtime of a service.
pub(crate) fn runtime() -> Runtime {
    match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            std::process::exit(1);
        }
    }
}

async fn all<T: 'static>(mut tasks: JoinSet<T>) {
    while tasks.join_next().await.is_some() {}
}

/// Spawns tasks that do nothing.
pub(crate) async fn spawn(tasks: usize) {
    // From a worker, as services do, and in waves, so that what waits in the queue does not grow without bound.
    let spawner = tokio::spawn(async move {
        for _ in 0..tasks / 1000 {
            let wave: Vec<_> = (0..1000).map(|_| tokio::spawn(async {})).collect();
            for task in wave {
                task.await.ok();
            }
        }
    });
    spawner.await.ok();
}

async fn yields(times: usize) {
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        tasks.spawn(async move {
            for _ in 0..times {
                yield_now().await;
            }
        });
    }
    all(tasks).await;
}

async fn mutex(times: usize) {
    let shared = Arc::new(Mutex::new(0_u64));
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            for _ in 0..times {
                let mut guard = shared.lock().await;
                *guard += 1;
                yield_now().await;
            }
        });
    }
    all(tasks).await;
}

async fn channel(messages: usize) {
    let (sender, mut receiver) = mpsc::channel(64);
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let sender = sender.clone();
        tasks.spawn(async move {
            for at in 0..messages / 8 {
                sender.send(at).await.ok();
            }
        });
    }
    drop(sender);
    tasks.spawn(async move { while receiver.recv().await.is_some() {} });
    all(tasks).await;
}

async fn echo(times: usize) {
    let Ok(listener) = TcpListener::bind(("127.0.0.1", 0)).await else { return };
    let Ok(address) = listener.local_addr() else { return };
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 64];
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    if stream.write_all(&buffer[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        tasks.spawn(async move {
            let Ok(mut stream) = TcpStream::connect(address).await else { return };
            let mut buffer = [7; 64];
            for _ in 0..times {
                if stream.write_all(&buffer).await.is_err() || stream.read_exact(&mut buffer).await.is_err() {
                    break;
                }
            }
        });
    }
    all(tasks).await;
}

/// Bytes of memory for each of some tasks that wait for ever.
async fn idle(tasks: usize) -> f64 {
    let before = resident();
    for _ in 0..tasks {
        tokio::spawn(std::future::pending::<()>());
    }
    // Until all of them have been polled, and an aggregator has taken note of them.
    tokio::time::sleep(Duration::from_secs(3)).await;
    (resident() - before) / tasks as f64
}

/// Bytes of this process's memory.
pub(crate) fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0
}
