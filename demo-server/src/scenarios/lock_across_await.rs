//! A guard that outlives a poll while others want the lock.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::{Ctx, Kind, Scenario};

/// How long the holder sleeps with the lock: long enough to be felt, too short for the waiters to count as stuck.
const HELD: Duration = Duration::from_millis(600);

/// The pause between two turns, of the holder and of those who wait for it.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lock-across-await",
    kind: Kind::Trouble,
    says: "A task sleeps for 0.6 s at a time with a Mutex guard in its hands, and two others wait for the lock.",
    raises: Some("held-across-await"),
    severity: Some("warning"),
    tasks: &["await-holder"],
    lock: Some("Mutex"),
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let counter = Arc::new(Mutex::new(0_u64));
    let held = Arc::clone(&counter);
    ctx.spawn("await-holder", async move {
        loop {
            let mut guard = held.lock().await;
            sleep(HELD).await;
            *guard += 1;
            drop(guard);
            sleep(PAUSE).await;
        }
    })?;
    // Two: enough to contend, too few to be a convoy.
    for _ in 0..2 {
        let wanted = Arc::clone(&counter);
        ctx.spawn("await-waiter", async move {
            loop {
                *wanted.lock().await += 1;
                sleep(PAUSE).await;
            }
        })?;
    }
    Ok(())
}
