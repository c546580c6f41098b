//! A worker that waits for a lock of the standard library, which no await can give up.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::time::sleep;

use super::{Ctx, Kind, STALLED, Scenario};

/// How long a thread that is no worker keeps the lock.
const HELD: Duration = Duration::from_millis(1500);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stalled-by-mutex",
    kind: Kind::Trouble,
    says: "A task locks a std::sync::Mutex that a plain thread keeps for 1.5 s at a time.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    also: &["long-polls"],
    tasks: &["stalled-by-mutex"],
    file: file!(),
    within: Duration::from_secs(5),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let counter = Arc::new(Mutex::new(0_u64));
    let held = Arc::clone(&counter);
    thread::Builder::new().name("keeper".to_owned()).spawn(move || {
        loop {
            let mut count = held.lock().unwrap_or_else(PoisonError::into_inner);
            thread::sleep(HELD);
            *count += 1;
            drop(count);
            // Long enough for the other side to have its turn, which no lock of the standard library promises.
            thread::sleep(Duration::from_millis(50));
        }
    })?;
    ctx.spawn("stalled-by-mutex", async move {
        loop {
            *counter.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            sleep(Duration::from_millis(200)).await;
        }
    })
}
