//! Permits that are held across awaits, as permits are meant to be.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::sleep};

use super::{Ctx, Kind, Scenario};

/// Requests that may be on their way at once.
const PERMITS: usize = 2;

/// Tasks that want to send one. Most of them wait, for longer than would do for a lock.
const CALLERS: usize = 8;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "semaphore-rate-limit",
    kind: Kind::Control,
    says: "Eight tasks share two permits of a Semaphore, and hold them across an await of 0.2 s: a rate limit.",
    tasks: &["rate-limited"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let limit = Arc::new(Semaphore::new(PERMITS));
    for _ in 0..CALLERS {
        let limit = Arc::clone(&limit);
        ctx.spawn("rate-limited", async move {
            // Nobody closes the semaphore.
            while let Ok(permit) = limit.acquire().await {
                sleep(Duration::from_millis(200)).await;
                drop(permit);
                sleep(Duration::from_millis(10)).await;
            }
        })?;
    }
    Ok(())
}
