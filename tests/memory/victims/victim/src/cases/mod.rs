//! The cases, by name.

mod chains;
mod chains_more;
mod hostile;
mod many;
mod motion;
mod runtimes;
mod stale;
mod stale_ends;
mod upheaval;
mod waits;
mod waits_io;

use std::{pin::Pin, time::Duration};

/// Longer than any test.
pub const LONG: Duration = Duration::from_secs(100_000);

pub fn run(case: &str, rest: &[String]) -> bool {
    match case {
        "chains" => block_on(2, chains::run()),
        "waits" => threads(2).block_on(waits::run()),
        "io" => block_on(2, waits_io::run()),
        "runtimes" => runtimes::run(),
        "stale" => return stale::run(rest),
        "motion" => block_on(2, motion::run()),
        "hostile" => hostile::run(rest),
        "many" => many::run(rest),
        "upheaval" => block_on(2, upheaval::run()),
        _ => return false,
    }
    true
}

/// What a test says to a case.
pub fn told(line: &str) {
    upheaval::happens(line);
}

pub fn threads(workers: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime")
}

/// Spawns a future in a box. Each type that is spawned as it is takes the compiler half a second.
pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    let boxed: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(future);
    tokio::spawn(boxed)
}

/// Runs a future in a box, for the same reason.
fn block_on<T>(workers: usize, future: impl Future<Output = T>) -> T {
    let boxed: Pin<Box<dyn Future<Output = T> + '_>> = Box::pin(future);
    threads(workers).block_on(boxed)
}

/// Until all that was spawned sleeps where it will.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(400)).await;
    crate::truth::ready();
}

/// For ever.
pub async fn rest() {
    let mut at = crate::frame!();
    let due = tokio::time::Instant::now() + LONG;
    crate::wait!(at, crate::truth::timer(due));
    tokio::time::sleep_until(due).await;
}
