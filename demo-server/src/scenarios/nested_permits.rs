//! Tasks that hold all permits of a semaphore, and each wait for one more.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::sleep};

use super::{Ctx, InLean, Kind, Raised, Scenario};

/// Permits, and tasks that take one each.
const PERMITS: usize = 4;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "nested-permits",
    kind: Kind::Trouble,
    says: "Four tasks take one of a Semaphore's four permits each, and then ask for a second one, which nobody can give.",
    from_agent: Some(&[Raised { lint: "permits-gone", severity: "warning" }]),
    in_lean: InLean::Nothing,
    tasks: &["nested-permits"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(PERMITS));
    for _ in 0..PERMITS {
        let permits = Arc::clone(&permits);
        ctx.spawn("nested-permits", async move {
            // Nobody closes the semaphore.
            let Ok(_outer) = permits.acquire().await else { return };
            sleep(Duration::from_millis(50)).await;
            let _inner = permits.acquire().await;
        })?;
    }
    Ok(())
}
