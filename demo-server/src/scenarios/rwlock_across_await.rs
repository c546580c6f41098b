//! A write guard that outlives a poll while readers wait.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::RwLock, time::sleep};

use super::{Ctx, Kind, Scenario};

/// How long the writer sleeps with the lock: long enough to be felt, too short for the readers to count as stuck.
const HELD: Duration = Duration::from_millis(600);

/// The pause between two turns, of the writer and of the readers.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "rwlock-across-await",
    kind: Kind::Trouble,
    says: "A task sleeps for 0.6 s at a time with the write guard of an RwLock in its hands, and two readers wait.",
    raises: Some("held-across-await"),
    severity: Some("warning"),
    tasks: &["write-holder"],
    lock: Some("RwLock"),
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let config = Arc::new(RwLock::new(0_u64));
    let written = Arc::clone(&config);
    ctx.spawn("write-holder", async move {
        loop {
            let mut guard = written.write().await;
            sleep(HELD).await;
            *guard += 1;
            drop(guard);
            sleep(PAUSE).await;
        }
    })?;
    for _ in 0..2 {
        let read = Arc::clone(&config);
        ctx.spawn("reader", async move {
            let mut seen = 0;
            loop {
                seen = seen.max(*read.read().await);
                sleep(PAUSE).await;
            }
        })?;
    }
    Ok(())
}
