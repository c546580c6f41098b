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

use std::time::Duration;

/// Longer than any test.
pub const LONG: Duration = Duration::from_secs(100_000);

pub fn run(case: &str, rest: &[String]) -> bool {
    match case {
        "chains" => threads(2).block_on(chains::run()),
        "waits" => threads(2).block_on(waits::run()),
        "io" => threads(2).block_on(waits_io::run()),
        "runtimes" => runtimes::run(),
        "stale" => return stale::run(rest),
        "motion" => threads(2).block_on(motion::run()),
        "hostile" => hostile::run(rest),
        "many" => many::run(rest),
        "upheaval" => threads(2).block_on(upheaval::run()),
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
