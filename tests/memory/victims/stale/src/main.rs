//! stale NAME [control|lie [COPIES]]: programs in which the bytes of a suspended future lie. In the control the same bytes say the truth.
//!
//! What was borrowed before it was dropped or moved keeps its storage until the end of its scope. Whoever reads that alone names a
//! holder who has nothing.

mod ends;
mod locks;
#[path = "../../victim/src/truth.rs"]
#[allow(dead_code, reason = "the whole of it is the victim's")]
mod truth;

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(100_000);

/// Whether it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bytes {
    Lie,
    Control,
}

fn main() {
    truth::answer(Arc::new(|_| {}));
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let bytes = if arguments.next().as_deref() == Some("control") { Bytes::Control } else { Bytes::Lie };
    let copies: usize = arguments.next().and_then(|copies| copies.parse().ok()).unwrap_or(1);
    // One copy may take a worker, or two threads of the pool, for itself.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(if name == "self-running" { 2 + copies } else { 3 })
        .max_blocking_threads(512 + 2 * copies)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(root(name, bytes, copies));
}

async fn root(name: String, bytes: Bytes, copies: usize) {
    let mut at = frame!();
    for _ in 0..copies {
        if !locks::spawn(&name, bytes) && !ends::spawn(&name, bytes) {
            eprintln!("no such case: {name}");
            std::process::exit(2);
        }
    }
    wait!(at);
    settle().await;
    let due = Instant::now() + LONG;
    wait!(at, truth::timer(due));
    sleep_until(due).await;
}

/// Until all that was spawned sleeps where it will.
async fn settle() {
    sleep(ms(1_000)).await;
    // Not before whoever awaits this sleeps again.
    std::thread::spawn(|| {
        std::thread::sleep(ms(100));
        truth::ready();
    });
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Spawns a future in a box. Each type that is spawned as it is takes the compiler half a second.
fn spawn_boxed(future: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
    let boxed: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(future);
    tokio::spawn(boxed)
}

async fn poll_once<F: Future + Unpin>(future: &mut F) {
    poll_fn(|cx: &mut Context<'_>| {
        let _ = Pin::new(&mut *future).poll(cx);
        Poll::Ready(())
    })
    .await;
}
