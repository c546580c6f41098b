//! The cases, by name.

#[cfg(feature = "all")]
mod chains;
#[cfg(feature = "all")]
mod chains_more;
#[cfg(feature = "all")]
mod hostile;
#[cfg(feature = "all")]
mod many;
#[cfg(feature = "all")]
mod motion;
mod runtimes;
#[cfg(feature = "all")]
mod upheaval;
#[cfg(feature = "all")]
mod values;
mod waits;
mod waits_io;

use std::{pin::Pin, time::Duration};

/// Longer than any test.
pub const LONG: Duration = Duration::from_secs(100_000);

pub fn run(case: &str, rest: &[String]) -> bool {
    match case {
        #[cfg(feature = "all")]
        "chains" => block_on(2, chains::run()),
        "waits" => threads(2).block_on(waits::run()),
        "io" => block_on(2, waits_io::run()),
        "runtimes" => runtimes::run(),
        #[cfg(feature = "all")]
        "motion" => block_on(2, motion::run()),
        #[cfg(feature = "all")]
        "hostile" => hostile::run(rest),
        #[cfg(feature = "all")]
        "many" => many::run(rest),
        #[cfg(feature = "all")]
        "values" => block_on(2, values::run()),
        #[cfg(feature = "all")]
        "upheaval" => block_on(2, upheaval::run()),
        _ => return false,
    }
    true
}

/// What a test says to a case.
pub fn told(line: &str) {
    #[cfg(feature = "all")]
    upheaval::happens(line);
    #[cfg(not(feature = "all"))]
    eprintln!("not known: {line}");
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
    // Not before whoever awaits this sleeps again.
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(100));
        crate::truth::ready();
    });
}

/// For ever.
pub async fn rest() {
    let mut at = crate::frame!();
    let due = tokio::time::Instant::now() + LONG;
    crate::wait!(at, crate::truth::timer(due));
    tokio::time::sleep_until(due).await;
}

/// Sleeps.
pub async fn asleep(n: u64) -> u64 {
    let mut at = crate::frame!();
    let due = tokio::time::Instant::now() + LONG;
    crate::wait!(at, crate::truth::timer(due));
    tokio::time::sleep_until(due).await;
    n
}
