//! served: servers and clients made of the libraries that services are made of. Each request sleeps in a handler, which says so; what
//! is above it, down from the connection, is the libraries' own.

mod clients;
mod layers;
mod servers;
#[path = "../../victim/src/truth.rs"]
#[allow(dead_code, reason = "the whole of it is the victim's")]
mod truth;

use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(100_000);

/// What handlers have: one that sleeps has the lock, the others want it.
type Store = Arc<Mutex<u64>>;

fn main() {
    truth::answer(Arc::new(|_| {}));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let mut at = frame!();
    let store: Store = Arc::default();
    let routes = servers::routes(store.clone());
    let web = servers::axum(routes).await;
    let plain = servers::http1(store.clone()).await;
    let streams = servers::http2(store.clone()).await;
    clients::by_hand(web, "/layers").await;
    clients::by_hand(web, "/slow/17").await;
    // Whoever is first has the lock.
    tokio::time::sleep(Duration::from_millis(200)).await;
    clients::by_hand(web, "/boxed").await;
    clients::by_hand(plain, "/").await;
    clients::by_hand(web, "/body").await;
    tokio::spawn(clients::by_reqwest(web));
    tokio::spawn(clients::by_hyper(web));
    tokio::spawn(clients::by_http2(streams));
    layers::spawn(store);
    tokio::time::sleep(Duration::from_millis(400)).await;
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(100));
        truth::ready();
    });
    let due = Instant::now() + LONG;
    wait!(at, truth::timer(due));
    sleep_until(due).await;
}

/// Takes the lock, and sleeps with it.
async fn load(store: &Store, id: u64) -> u64 {
    let mut at = frame!();
    wait!(at, truth::of("mutex", &**store));
    let mut guard = store.lock().await;
    let _has = truth::hold(truth::of("mutex", &**store), "guard");
    *guard += id;
    let due = Instant::now() + LONG;
    wait!(at, truth::timer(due));
    sleep_until(due).await;
    *guard
}
