//! A shared object with tokio inside, as an extension of Python or Node is.

#[path = "../../victim/src/truth.rs"]
#[allow(dead_code, reason = "the whole of it is the victim's")]
mod truth;

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

async fn outer(n: u64) -> u64 {
    let mut at = frame!();
    wait!(at);
    inner(n).await + 1
}

async fn inner(n: u64) -> u64 {
    let mut at = frame!();
    let due = Instant::now() + Duration::from_secs(100_000);
    wait!(at, truth::timer(due));
    sleep_until(due).await;
    n
}

/// Spawns its tasks, and stays in `block_on` for ever.
#[unsafe(no_mangle)]
pub extern "C" fn run() {
    truth::answer(std::sync::Arc::new(|_| {}));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    for n in 0..5 {
        runtime.spawn(outer(n));
    }
    runtime.block_on(async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        truth::ready();
        std::future::pending::<()>().await;
    });
}
