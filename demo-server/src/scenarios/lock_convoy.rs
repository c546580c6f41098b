//! Many tasks in line for one lock, though none of them ever sleeps with it.

use std::{io, sync::Arc, thread, time::Duration};

use tokio::{sync::Mutex, task::yield_now};

use super::{Ctx, Kind, Scenario};

/// Tasks in the line. Times [`HELD`], that is how long each of them waits.
const MEMBERS: usize = 40;

/// How long each holds the lock, inside one poll: below what counts as a long poll.
const HELD: Duration = Duration::from_millis(5);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lock-convoy",
    kind: Kind::Trouble,
    says: "Forty tasks want one Mutex and hold it for 5 ms each, never across an await, so that each of them waits for 0.2 s.",
    raises: Some("lock-convoy"),
    severity: Some("warning"),
    lock: Some("Mutex"),
    file: file!(),
    retention: Duration::from_secs(10),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let counter = Arc::new(Mutex::new(0_u64));
    for _ in 0..MEMBERS {
        let counter = Arc::clone(&counter);
        ctx.spawn("convoy-member", async move {
            loop {
                let mut guard = counter.lock().await;
                thread::sleep(HELD);
                *guard += 1;
                drop(guard);
                // Back in line in a later poll: two turns in one poll would make it a long one.
                yield_now().await;
            }
        })?;
    }
    Ok(())
}
