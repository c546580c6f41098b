//! What is done without anybody who watches from outside: by this command, and by one that is built as a service is that knows of no instrumentation.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::{Mutex, RwLock, mpsc},
    task::{JoinSet, yield_now},
};
use tracing_subscriber::{Layer, Registry, filter::LevelFilter, fmt};

/// What a service has of its own that tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// Nothing.
    Silent,
    /// A log of what is of level `INFO` and above, in which records of the crate `log` are taken in.
    Logs,
}

impl Host {
    /// What it has for the work of this name.
    pub(crate) fn of(work: &str) -> Self {
        if work.starts_with("disabled") { Self::Logs } else { Self::Silent }
    }
}

/// The log, which nobody reads.
pub(crate) fn log_layer() -> impl Layer<Registry> + Send + Sync {
    fmt::layer().with_writer(io::sink).with_filter(LevelFilter::INFO)
}

/// Does the work of this name, and returns what it took: seconds, or bytes of memory for each task.
pub(crate) fn by_name(name: &str, scale: usize) -> Option<f64> {
    let runtime = runtime();
    // What is made once is made before.
    runtime.block_on(async { tokio::spawn(yield_now()).await.ok() });
    if name == "idle" {
        return Some(runtime.block_on(idle(200_000 / scale)));
    }
    let start = Instant::now();
    runtime.block_on(async {
        match name {
            "spawn" => spawn(1_000_000 / scale).await,
            "yield" => yields(200_000 / scale).await,
            "mutex" => mutex(50_000 / scale).await,
            "readers" => readers(1_000_000 / scale, 10).await,
            "many-readers" => readers(1_000_000 / scale, 10_000).await,
            "channel" => channel(1_000_000 / scale).await,
            "echo" => echo(5_000 / scale).await,
            "disabled" => disabled(1_000 / scale, in_tracing).await,
            "disabled-log" => disabled(1_000 / scale, in_log).await,
            _ => return None,
        }
        Some(start.elapsed().as_secs_f64())
    })
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

/// Guards of one lock, so many of them at once.
async fn readers(guards: usize, at_once: usize) {
    let shared = Arc::new(RwLock::new(0_u64));
    let reader = tokio::spawn(async move {
        let mut held = Vec::with_capacity(at_once);
        for _ in 0..guards / at_once {
            for _ in 0..at_once {
                held.push(shared.read().await);
            }
            held.clear();
        }
    });
    reader.await.ok();
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

/// Writes to the log what its level leaves out, so many times a hundred thousand records.
async fn disabled(times: usize, write: fn(usize)) {
    let writer = tokio::spawn(async move {
        for _ in 0..times {
            write(100_000);
            // No poll is a long one.
            yield_now().await;
        }
    });
    writer.await.ok();
}

fn in_tracing(records: usize) {
    for number in 0..records / 2 {
        tracing::trace!(number, "begun");
        tracing::debug!(number, "done");
    }
}

fn in_log(records: usize) {
    for number in 0..records {
        log::debug!("done {number}");
    }
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
