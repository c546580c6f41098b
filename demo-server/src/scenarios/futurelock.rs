//! A lock that was handed to a future which its task does not poll any more.

use std::{io, pin::pin, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::{Ctx, Kind, Scenario};

/// How long the lock is held before the others get it.
const HELD: Duration = Duration::from_millis(500);

/// After this the task gives up waiting, and does not drop what it waited with.
const IMPATIENT: Duration = Duration::from_millis(200);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "futurelock",
    kind: Kind::Untold,
    says: "A task asks for a Mutex again while the future of its first request still stands in the queue, not polled any more: the lock goes to that one.",
    // True of the first holder: the task waited for it.
    also: &["held-across-await"],
    tasks: &["futurelock"],
    lock: Some("Mutex"),
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let count = Arc::new(Mutex::new(0u64));
    let held = Arc::clone(&count);
    ctx.spawn("futurelock-holder", async move {
        let guard = held.lock().await;
        sleep(HELD).await;
        drop(guard);
    })?;
    ctx.spawn("futurelock", async move {
        sleep(Duration::from_millis(100)).await;
        let mut first = pin!(async { *count.lock().await += 1 });
        tokio::select! {
            () = &mut first => {}
            () = sleep(IMPATIENT) => *count.lock().await += 1,
        }
    })
}
