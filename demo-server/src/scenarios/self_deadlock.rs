//! One lock, taken twice by the same task.

use std::{io, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "self-deadlock",
    kind: Kind::Trouble,
    says: "A task locks a Mutex whose guard it still holds, and waits for ever for itself.",
    raises: Some("deadlock"),
    severity: Some("critical"),
    // It also sleeps with a lock that a task, itself, waits for.
    also: &["held-across-await"],
    tasks: &["self-deadlock"],
    lock: Some("Mutex"),
    file: file!(),
    // Who holds the locks is told by operations that end as it begins: a client that comes later must still get them.
    retention: Duration::from_secs(3600),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let balance = Mutex::new(0_u64);
    ctx.spawn("self-deadlock", async move {
        sleep(Duration::from_millis(100)).await;
        let guard = balance.lock().await;
        deposit(&balance, *guard).await;
        drop(guard);
    })
}

/// Looks harmless from where it is called.
async fn deposit(balance: &Mutex<u64>, amount: u64) {
    *balance.lock().await += amount;
}
