//! A guard that outlives the task that took it.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedRwLockReadGuard, RwLock},
    time::sleep,
};

use super::{Ctx, Kind, Raised, Scenario};

type Kept = Arc<std::sync::Mutex<Vec<OwnedRwLockReadGuard<u64>>>>;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "leaked-guard",
    kind: Kind::Trouble,
    says: "A task puts a read guard of an RwLock into a list and ends; a writer waits for ever.",
    // A console does not tell whose a guard is that has outlived its task.
    from_agent: Some(&[Raised { lint: "held-across-await", severity: "critical" }]),
    tasks: &["leaks-a-guard", "waits-for-the-leak"],
    lock: Some("RwLock"),
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let settings = Arc::new(RwLock::new(0u64));
    let kept = Kept::default();
    let (read, into) = (Arc::clone(&settings), Arc::clone(&kept));
    ctx.spawn("leaks-a-guard", async move {
        let guard = read.read_owned().await;
        into.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(guard);
        sleep(Duration::from_millis(500)).await;
    })?;
    ctx.spawn("waits-for-the-leak", async move {
        sleep(Duration::from_millis(700)).await;
        *settings.write().await += 1;
        drop(kept);
    })
}
