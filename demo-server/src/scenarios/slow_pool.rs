//! A pool that is slow, and moves.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::sleep};

use super::{Ctx, Kind, Scenario};

/// Connections, and tasks that want one.
const CONNECTIONS: usize = 2;
const CALLERS: usize = 8;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "slow-pool",
    kind: Kind::Control,
    says: "Eight tasks share two permits of a Semaphore, and keep each for a second and a half: a pool that is slow, and moves.",
    tasks: &["wants-a-connection"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let pool = Arc::new(Semaphore::new(CONNECTIONS));
    for _ in 0..CALLERS {
        let pool = Arc::clone(&pool);
        ctx.spawn("wants-a-connection", async move {
            // Nobody closes the semaphore.
            while let Ok(connection) = pool.acquire().await {
                sleep(Duration::from_millis(1_500)).await;
                drop(connection);
                sleep(Duration::from_millis(10)).await;
            }
        })?;
    }
    Ok(())
}
