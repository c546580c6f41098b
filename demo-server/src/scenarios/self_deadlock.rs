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

/// A type of its own, as locks of a service have.
#[derive(Default)]
struct Account {
    balance: u64,
}

fn start(ctx: &Ctx) -> io::Result<()> {
    let account = Mutex::new(Account::default());
    ctx.spawn("self-deadlock", async move {
        sleep(Duration::from_millis(100)).await;
        let guard = account.lock().await;
        deposit(&account, guard.balance).await;
        drop(guard);
    })
}

/// Looks harmless from where it is called.
async fn deposit(account: &Mutex<Account>, amount: u64) {
    account.lock().await.balance += amount;
}
