//! A guard that outlives a poll, though nobody else wants the lock.

use std::{io, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lock-across-await-uncontended",
    kind: Kind::Trouble,
    says: "A task sleeps for 0.4 s at a time with a Mutex guard in its hands; nobody waits for the lock, yet.",
    raises: Some("held-across-await"),
    severity: Some("note"),
    tasks: &["lone-holder"],
    lock: Some("Mutex"),
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let counter = Mutex::new(0_u64);
    ctx.spawn("lone-holder", async move {
        loop {
            let mut guard = counter.lock().await;
            sleep(Duration::from_millis(400)).await;
            *guard += 1;
            drop(guard);
            sleep(Duration::from_millis(200)).await;
        }
    })
}
