//! Two tasks that wait for each other's locks, with a timeout.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use super::{Ctx, Kind, Scenario};

/// How long each waits for the second lock.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stuck-unless",
    kind: Kind::Untold,
    says: "Two tasks take two Mutexes in opposite order, and wait half a minute for the second one.",
    // True of both locks.
    also: &["held-across-await"],
    tasks: &["stuck-unless-ab", "stuck-unless-ba"],
    lock: Some("Mutex"),
    file: file!(),
    start,
    ..Scenario::BASE
};

/// A kind of its own: nobody else has a lock of it.
#[derive(Debug, Default)]
struct Ledger(u64);

fn start(ctx: &Ctx) -> io::Result<()> {
    let (a, b) = (Arc::new(Mutex::new(Ledger::default())), Arc::new(Mutex::new(Ledger::default())));
    ctx.spawn("stuck-unless-ab", both(Arc::clone(&a), Arc::clone(&b)))?;
    ctx.spawn("stuck-unless-ba", both(b, a))
}

async fn both(first: Arc<Mutex<Ledger>>, second: Arc<Mutex<Ledger>>) {
    loop {
        let mut own = first.lock().await;
        sleep(Duration::from_millis(50)).await;
        if let Ok(mut other) = timeout(PATIENCE, second.lock()).await {
            other.0 += 1;
        }
        own.0 += 1;
    }
}
