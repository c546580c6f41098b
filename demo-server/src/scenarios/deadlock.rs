//! Two locks, taken in opposite order.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::{Ctx, Kind, Scenario};

/// Between the two locks: long enough that both tasks have their first.
const BETWEEN: Duration = Duration::from_millis(100);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "deadlock",
    kind: Kind::Trouble,
    says: "Two tasks take the same two Mutexes in opposite order, and each waits for ever for the one that the other holds.",
    raises: Some("deadlock"),
    severity: Some("critical"),
    // Each of the two sleeps with a lock that the other waits for.
    also: &["held-across-await"],
    tasks: &["deadlock-ab", "deadlock-ba"],
    lock: Some("Mutex"),
    file: file!(),
    // Who holds the locks is told by operations that end as it begins: a client that comes later must still get them.
    retention: Duration::from_secs(3600),
    start,
    ..Scenario::BASE
};

/// A type of its own, as locks of a service have: whoever runs and knows no account cannot have one of these locks.
#[derive(Default)]
struct Account {
    balance: u64,
}

fn start(ctx: &Ctx) -> io::Result<()> {
    let a = Arc::new(Mutex::new(Account::default()));
    let b = Arc::new(Mutex::new(Account::default()));
    ctx.spawn("deadlock-ab", both(Arc::clone(&a), Arc::clone(&b)))?;
    ctx.spawn("deadlock-ba", both(b, a))
}

async fn both(first: Arc<Mutex<Account>>, second: Arc<Mutex<Account>>) {
    let from = first.lock().await;
    sleep(BETWEEN).await;
    let mut to = second.lock().await;
    to.balance += from.balance;
}
